"""The configuration of a production: its sections, and what cannot stand together."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, create_model

from iota2_tools.config.completion import complete, completed_as_far
from iota2_tools.config.fusion import Fusion
from iota2_tools.config.learning import Learning
from iota2_tools.config.pages import reference_page, schema_text
from iota2_tools.config.publication import Publication
from iota2_tools.config.regularisation import RegularisationSection
from iota2_tools.config.report import ReportSection
from iota2_tools.config.sampling import Reference, Regions, Sampling
from iota2_tools.config.section import OutputFolder, PathText, Section
from iota2_tools.config.sections import (
    Classification,
    ExternalFunction,
    FeatureMaps,
    GridSection,
    Inputs,
    TileName,
    UserFeatures,
)
from iota2_tools.config.sensors import SensorSection
from iota2_tools.config.vectorisation import DeliverySection, VectorisationSection
from iota2_tools.config.yaml_files import Place, read_yaml, words_of
from iota2_tools.core.errors import ConfigError, one_message
from iota2_tools.planning.contradictions import contradictions
from iota2_tools.products import FORMATS

LATER = (
    ("classification", "smoothing"),
    ("classification", "histograms"),
    ("classification", "prediction_sets"),
    ("sampling", "max_per_polygon"),
    ("sampling", "per_region"),
    ("sampling", "augmentation"),
    ("sampling", "management"),
    ("sampling", "split_by"),
    ("sampling", "block"),
    ("sampling", "buffer"),
    ("inputs", "longest_gap"),
    ("sampling", "suspicious_polygons"),
    ("learning", "samples"),
    ("learning", "models"),
    ("learning", "own_weight"),
    ("learning", "reduction"),
    ("learning", "search"),
    ("learning", "calibration"),
)
"""Choices that came after the first maps: those that leave them alone have the digest they had."""


BESIDE = (
    "output", "prepared", "feature_maps", "regularisation", "vectorisation", "delivery",
    "publication", "report",
)  # fmt: skip
"""Sections that decide no map: where things stand, and what is made of maps."""


def _meaning(section: type[Section]) -> str:
    return " ".join((section.__doc__ or "").split())


class _Sensors(Section):
    """Image time series, by sensor. At least one sensor, or `user_features`."""

    @property
    def given(self) -> dict[str, SensorSection]:
        """Sections of the sensors of the production, in stack order."""
        return {name: section for name in FORMATS if (section := getattr(self, name))}


_sensor_fields: dict[str, Any] = {
    name: (product_format.section | None, Field(None, description=_meaning(product_format.section)))
    for name, product_format in FORMATS.items()
}
Sensors = create_model("Sensors", __base__=_Sensors, __doc__=_Sensors.__doc__, **_sensor_fields)


class Configuration(Section):
    """One YAML file per production. Relative paths count from the folder where snakemake or iota2 is started."""

    output: OutputFolder = Field(
        description="Folder of all products; `final/` in it holds the maps."
    )
    prepared: OutputFolder | None = Field(
        None,
        description=(
            "Folder of prepared products (JPEG 2000, archives, radar), which productions can share. "
            "Empty: `prepared/` in the output."
        ),
    )
    tiles: list[TileName] = Field(
        min_length=1,
        description="Names of the tiles, as in the folders of the sensors (`T31TCJ`).",
    )
    nomenclature: PathText = Field(
        description="CSV table `code,name,colour[,parent]` of the classes of the map."
    )
    sensors: Sensors = Field(Sensors(), description=_meaning(_Sensors))
    user_features: UserFeatures | None = Field(None, description=_meaning(UserFeatures))
    external_features: list[ExternalFunction] = Field(
        [],
        description=(
            "Python functions of yours that give features, in the order of the stack: "
            "`{module: config/phenology.py, function: season}`."
        ),
    )
    grid: GridSection = Field(GridSection(), description=_meaning(GridSection))
    reference: Reference | None = Field(
        None,
        description=(
            f"{_meaning(Reference)} Empty: none, for models or samples of other years (`learning.models`, "
            "`learning.samples`); then nothing is validated, and areas are those of the map."
        ),
    )
    regions: Regions | None = Field(None, description=_meaning(Regions))
    sampling: Sampling = Field(Sampling(), description=_meaning(Sampling))
    learning: Learning = Field(Learning(), description=_meaning(Learning))
    classification: Classification = Field(Classification(), description=_meaning(Classification))
    fusion: Fusion | None = Field(None, description=_meaning(Fusion))
    feature_maps: FeatureMaps | None = Field(None, description=_meaning(FeatureMaps))
    regularisation: RegularisationSection | None = Field(
        None, description=_meaning(RegularisationSection)
    )
    vectorisation: VectorisationSection | None = Field(
        None, description=_meaning(VectorisationSection)
    )
    delivery: DeliverySection | None = Field(None, description=_meaning(DeliverySection))
    publication: Publication | None = Field(None, description=_meaning(Publication))
    report: ReportSection = Field(ReportSection(), description=_meaning(ReportSection))
    inputs: Inputs = Field(Inputs(), description=_meaning(Inputs))

    _written: "Configuration | None" = PrivateAttr(None)

    def as_dict(self) -> dict[str, Any]:
        """Plain values; of the sensors, those of the production alone."""
        plain = super().as_dict()
        plain["sensors"] = {name: plain["sensors"][name] for name in self.sensors.given}
        return plain

    def counted(self, section: str) -> dict[str, Any]:
        """Plain values of a section, without choices that came later and were left alone."""
        given = getattr(self, section)
        usual = type(given).model_fields
        return {
            key: value
            for key, value in given.as_dict().items()
            if (section, key) not in LATER or getattr(given, key) != usual[key].default
        }

    @property
    def as_written(self) -> "Configuration":
        """The same with its paths as they are written, wherever they count from."""
        return self._written or self

    @property
    def digest(self) -> str:
        """SHA-256 of what decides the maps: all but folders, memory, and what else is made of them.

        Paths count as they are written, wherever they count from.
        """
        if self._written:
            return self._written.digest
        science = {key: value for key, value in self.as_dict().items() if key not in BESIDE}
        for section in {section for section, _ in LATER}:
            science[section] = self.counted(section)
        science["classification"].pop("window_mb")
        for sensor in science["sensors"].values():
            if sensor["dates"] == "calendar":  # as it was before there was a choice
                del sensor["dates"]
            if not sensor["in_season"]:
                del sensor["in_season"]
            sensor.pop("prepare", None)  # the values are the same
        for raster in (science["user_features"] or {}).get("patterns", ()):
            if not raster["dated"]:
                del raster["dated"]
        if not science["fusion"]:  # as it was before there was that section
            del science["fusion"]
        return hashlib.sha256(json.dumps(science, sort_keys=True).encode()).hexdigest()


SECTIONS = frozenset(Configuration.model_fields)
"""Words that begin a key."""


def complete_configuration(
    given: Mapping[Any, Any],
    source: str = "configuration",
    words: Mapping[Place, str] | None = None,
    folder: str | None = None,
) -> Configuration:
    """Check a configuration and fill in the defaults.

    Parameters
    ----------
    given, source, words, folder
        See `completion.complete`.

    Raises
    ------
    ConfigError
        Listing every problem, and choices that cannot stand together.
    """
    configuration = complete(given, Configuration, source, words, folder)
    if folder:
        configuration._written = complete(given, Configuration, source, words)
    problems = list(contradictions(configuration))
    if problems:
        raise ConfigError(one_message(source, problems))
    return configuration


def read_configuration(path: str | Path) -> Configuration:
    """Read, check and complete a YAML configuration file."""
    return complete_configuration(read_given(path), str(path), words_of([path]))


def read_given(path: str | Path) -> dict[str, Any]:
    """What a configuration file holds, not checked yet.

    Raises
    ------
    ConfigError
        If it cannot be read, is empty, or is no section with keys.
    """
    given = read_yaml(path)
    if given is None:
        raise ConfigError(f"{path}: is empty; start from config/minimal.yaml")
    if not isinstance(given, dict):
        raise ConfigError(
            f"{path}: is no section with keys (`output: results`); start from config/minimal.yaml"
        )
    return given


def read_as_far(path: str | Path) -> tuple[Configuration | None, list[str]]:
    """A configuration with defaults in place of what is wrong, and all that is; None without the least.

    Raises
    ------
    ConfigError
        As `read_given`.
    """
    configuration, problems = completed_as_far(read_given(path), Configuration, words_of([path]))
    if configuration:
        problems += contradictions(configuration)
    return configuration, problems


TITLE = "Configuration of a production"


def configuration_page() -> str:
    """The reference page `docs/configuration.md`."""
    return reference_page(Configuration, TITLE, "iota2 config-reference")


def configuration_schema() -> str:
    """The JSON schema `workflow/schemas/config.schema.yaml`, for editors."""
    return schema_text(Configuration, TITLE, "iota2 config-reference --schema")
