"""The production, known from the configuration and the inputs; helpers the rules share."""

import os

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from iota2_tools.config.yaml_files import words_of
from iota2_tools.core.errors import Iota2Error
from iota2_tools.core.versions import FEATURES as FEATURE_MODULES
from iota2_tools.core.versions import versions
from iota2_tools.planning.checks import check, check_environment, input_warnings
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.example import example_production
from iota2_tools.planning.needs import resources
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production


include: "snakemake_inside.smk"


if not config and os.path.exists("config/config.yaml"):

    configfile: "config/config.yaml"


def load_production():
    """Complete `config` in place and plan the production; all problems in one message."""
    source = ", ".join(map(str, configuration_files())) or "configuration"
    if not config and is_only_read():
        plan = example_production()
        config.update(plan.config.as_dict())
        return plan, plan.target_dates, plan.regions_of_tiles
    if not config:
        raise WorkflowError(
            "no configuration: copy config/minimal.yaml to config/config.yaml and fill it in, "
            "or name yours with --configfile"
        )
    try:
        if is_main_process():
            check_environment()
        plan = Production(
            complete_configuration(config, source, words_of(configuration_files()))
        )
        config.update(plan.config.as_dict())
        if is_main_process():
            check(plan, source)
            for warning in input_warnings(plan):
                logger.warning(warning)
        return plan, plan.target_dates, plan.regions_of_tiles
    except Iota2Error as error:
        raise WorkflowError(str(error)) from None


production, TARGET_DATES, REGIONS_OF_TILES = load_production()
parameters = Parameters(production)

TILES = production.tiles
SENSORS = production.sensors
REGIONS = production.used_regions
SEEDS = list(production.seeds)
CODES = production.nomenclature.codes
FEATURES = parameters.features
# User features alone have no dates: nothing is left out for having too few.
CLOUD_THRESHOLD = config["sampling"]["cloud_threshold"] if SENSORS else 0
LAYERS = ["classes", "confidence"]
if config["classification"]["probability_map"]:
    LAYERS.append("probabilities")


def region_numbers(wildcards):
    """Regions of a tile with their numbers in its region raster."""
    return {
        name: production.regions.index(name) + 1
        for name in REGIONS_OF_TILES[wildcards.tile]
    }


def clear_masks(wildcards):
    """Clear-sky masks of the sensors of a tile, in stack order."""
    return expand(
        "<results>/tiles/{tile}/{sensor}_clear.tif", tile=wildcards.tile, sensor=SENSORS
    )


def shared_rates(wildcards):
    """Sampling rates of the regions of a tile, for strategies that look at several tiles."""
    if not production.config.sampling.shared:
        return []
    return expand(
        "<results>/sampling/rates/region_{region}.csv",
        region=REGIONS_OF_TILES[wildcards.tile],
    )


def tiles_of_region(pattern):
    """Input function: a product of all tiles a region touches."""

    def files(wildcards):
        return expand(pattern, tile=production.tiles_of(wildcards.region))

    return files


def pieces_of_map(layer):
    """Input function: a layer of one draw, of all regions of all tiles."""

    def files(wildcards):
        return [
            f"<results>/classification/{tile}/region_{region}/{layer}_seed_{wildcards.seed}.tif"
            for tile in TILES
            for region in REGIONS_OF_TILES[tile]
        ]

    return files


def maps_of_tile(wildcards):
    """Class maps of a tile: all regions, draw by draw."""
    return expand(
        "<results>/classification/{tile}/region_{region}/classes_seed_{seed}.tif",
        tile=wildcards.tile,
        region=REGIONS_OF_TILES[wildcards.tile],
        seed=SEEDS,
    )


def listed(files):
    """Paths of a named input, be it one file or several."""
    return [files] if isinstance(files, str) else list(files)


def ranks_of(rule):
    """Ranks of MPI that each of its jobs runs on, set by `--set-resources RULE:tasks=N`."""
    return given_resource(rule, "tasks") or 1


def tell_of_cut(rule, quantity, wanted):
    """Warn once a rule that its jobs need more than they may have; Snakemake cuts it in silence."""
    limit = limit_of(quantity)
    if limit and wanted > limit and (rule, quantity) not in CUT:
        CUT.add((rule, quantity))
        if is_main_process():
            logger.warning(
                f"{rule} needs {quantity}={wanted} and gets no more than {limit}: "
                "it may be killed for that, or find too little"
            )


CUT = set()
STEPS_OF_GROUP = 5


def share_of_group(rule, quantity, wanted):
    """What a retry may ask for in a group, whose run times add up; Snakemake cuts only jobs."""
    limit = limit_of(quantity)
    if quantity == "runtime" and limit and is_grouped(rule):
        return min(wanted, max(limit // STEPS_OF_GROUP, 1))
    return wanted


def needs(rule, reads=(), files=()):
    """Resources of a rule, from the size of each job, of inputs it `reads` whole, and of `files`."""

    def asked(quantity):
        def value(wildcards, input, attempt):
            whole = [*files, *(path for name in reads for path in listed(input[name]))]
            size = parameters.job_size(wildcards.get("tile"), whole)
            wanted = resources(rule, size, attempt, ranks_of(rule))[quantity]
            if attempt == 1:
                tell_of_cut(rule, quantity, wanted)
                return wanted
            return share_of_group(rule, quantity, wanted)

        return value

    return {quantity: asked(quantity) for quantity in ("mem_mb", "runtime", "disk_mb")}


def record_of_tile(wildcards):
    """Where the inventory of a tile keeps what its files held."""
    return f"{config['output']}/tiles/{wildcards.tile}/inventory.record"
