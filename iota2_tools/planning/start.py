"""The beginning of a production: from what its files hold to a plan that has been checked."""

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

from iota2_tools.config.yaml_files import words_of
from iota2_tools.core.errors import ConfigError
from iota2_tools.planning.checks import check, check_environment, input_warnings
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.example import example_production
from iota2_tools.planning.external import write_names
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production
from iota2_tools.planning.whereabouts import FOLDER, refuse_records_of_another_start

NO_CONFIGURATION = (
    "no configuration: copy config/minimal.yaml to config/config.yaml and fill it in, "
    "or name yours with --configfile"
)


def begin(
    given: Mapping[str, Any],
    files: Sequence[str],
    logger: logging.Logger,
    *,
    checked: bool,
    only_read: bool,
) -> Production:
    """Plan a production, and check it where that is the task of this process.

    Parameters
    ----------
    given : mapping
        What the configuration holds.
    files : sequence of str
        Where it was read from.
    logger : Logger
        Gets the warnings.
    checked : bool
        Whether environment and inputs are looked at; jobs leave that to the process that plans.
    only_read : bool
        Whether the workflow is read alone (`snakemake --lint`): then it needs no configuration.

    Raises
    ------
    Iota2Error
        With all problems in one message.
    """
    if not given and only_read:
        return example_production()
    if not given:
        raise ConfigError(NO_CONFIGURATION)
    if checked:
        check_environment()
    source = ", ".join(map(str, files)) or "configuration"
    folder = given.get(FOLDER)
    chosen = {key: value for key, value in given.items() if key != FOLDER}
    production = Production(complete_configuration(chosen, source, words_of(files), folder))
    if checked:
        refuse_records_of_another_start(production.config.output, os.getcwd())
        check(production, source)
        if production.config.external_features:
            write_names(production.config.output, Parameters(production).external_trial)
        if production.vectorisation:
            production.vectorisation.keep_units()
        for warning in input_warnings(production):
            logger.warning(f"WARNING: {warning}")  # Snakemake shows the bare words
    # What Snakemake's parser needs anyhow, while errors still become messages.
    _ = production.target_dates, production.regions_of_tiles
    return production
