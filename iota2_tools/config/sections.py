"""The sections of a production's configuration that do not depend on a sensor."""

import math
import os
import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
)

from iota2_tools.config.section import PathText, Section

SHARED_STRATEGIES = ("constant", "byclass", "total", "smallest")
"""Sampling strategies whose number of samples in one tile depends on the other tiles."""

TileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]+$")]
Word = Annotated[str, StringConstraints(min_length=1)]


def _meaning_of(section: type[Section]) -> str:
    """What a section inside another one is for."""
    return " ".join(str(section.__doc__).split())


def _module_file(path: str) -> str:
    """A file that Python can import by its name."""
    name = os.path.basename(path)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*\.py", name):
        raise ValueError(
            f"{path!r} is no name of a Python module: letters, digits and _, then `.py` (`phenology.py`)"
        )
    return path


ModuleFile = Annotated[PathText, AfterValidator(_module_file)]


def _by_name(given: Any) -> Any:
    """A raster given by its word alone."""
    return {"name": given} if isinstance(given, str) else given


class UserRaster(Section):
    """A raster of the user, in the folder of each tile or one for all; each band is a feature."""

    name: Word = Field(
        description=(
            "The one file of the tile's folder whose name holds this word; it names the features, `ALT_band_1`."
        )
    )
    path: PathText | None = Field(
        None,
        description=(
            "A file that covers all tiles, in place of one in the folder of each. It is read on the grid of each tile."
        ),
    )
    interpolation: Literal["bicubic", "nearest"] = Field(
        "bicubic",
        description=(
            "How it is brought to the grid of the tile: `bicubic` for quantities, `nearest` for codes."
        ),
    )
    missing: Literal["leave_out", "mean", "keep"] | float = Field(
        "leave_out",
        description=(
            "What pixels without data (nodata, NaN, outside the file) do: `leave_out`, neither learnt nor "
            "mapped; `mean`, the mean of the band over the tile; a number, that value; `keep`, a missing "
            "value for learners that know it (forests, HistGradientBoostingClassifier)."
        ),
    )


class UserFeatures(Section):
    """Rasters of your own, per tile or one over all tiles (a DEM); each band is a feature."""

    path: PathText | None = Field(
        None,
        description="Folder that holds one folder a tile; not needed where each raster has a `path`.",
    )
    patterns: list[Annotated[UserRaster, BeforeValidator(_by_name)]] = Field(
        min_length=1,
        description=(
            "For each raster a word of its file's name, `ALT`, or that and how it is read: "
            "`{name: SOIL, interpolation: nearest, missing: mean}`, `{name: ALT, path: data/dem.vrt}`."
        ),
    )


class ExternalFunction(Section):
    """A Python function of yours that gives features; docs/external-features.md shows how to write one."""

    module: ModuleFile = Field(description="File that holds it, `phenology.py`.")
    function: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = Field(
        description="Its name."
    )
    parameters: dict[str, Any] = Field(
        {}, description="Handed to it as they are, e.g. `{threshold: 0.5}`."
    )
    margin: int = Field(
        0,
        ge=0,
        le=100,
        description="Pixels around a pixel that its features depend on, in each direction.",
    )
    reads: dict[str, list[str]] = Field(
        {},
        description=(
            "Bands it asks for that no feature of the sensor needs, by sensor: `{sentinel2: [B8, B11]}`."
        ),
    )
    missing: float | None = Field(
        None,
        description=(
            "Value of pixels for which it gives NaN, an infinite or a masked value. Empty: these are an error."
        ),
    )


class Coregistration(Section):
    """A reference image onto which each acquisition is moved, by a shift of its own."""

    reference: PathText = Field(
        description=(
            "Raster that lies where the map shall lie, in any CRS: one over all tiles. It needs the ground alone "
            "in common with the series, not its date nor its units; best a similar band of a cloudless day."
        )
    )
    reference_band: int = Field(1, ge=1, description="Band of the reference.")
    sensor_band: Word = Field(
        description="Band of the sensor that is compared with it (`B8`); it is read for that."
    )
    largest_shift: float = Field(
        3,
        gt=0,
        le=20,
        description="Acquisitions that lie farther off are refused, pixels of `sensor_band`.",
    )
    least_quality: float = Field(
        0.5,
        gt=0,
        le=1,
        description=(
            "Share of the windows compared that must agree on the shift within half a pixel. Acquisitions with "
            "less are refused: `inputs.damaged_acquisition` says whether they stop the run. Those with too few "
            "clear pixels to be compared are left out, and told."
        ),
    )


class SensorSection(Section):
    """What all image time series have in common; each product format adds its own keys."""

    path: PathText = Field(description="Folder that holds one folder a tile.")
    first_date: date | None = Field(
        None,
        description="First interpolation date, `YYYY-MM-DD`; empty, the first acquisition over all tiles.",
    )
    last_date: date | None = Field(
        None,
        description="Last interpolation date, `YYYY-MM-DD`; empty, the last acquisition over all tiles.",
    )
    dates: Literal["calendar", "day_of_year"] = Field(
        "calendar",
        description=(
            "How features tell their dates: `calendar`, by the date (`B8_20180610`); `day_of_year`, by the day of a "
            "year without 29 February (`B8_D161`), so that models and samples of one year serve another. Needs "
            "`first_date` and `last_date`, a year apart at most."
        ),
    )
    in_season: bool = Field(
        False,
        description=(
            "Interpolation dates after the last acquisition over all tiles are left out, also those before "
            "`last_date`: for a year that is not over yet. Those that are left stay where they are in the whole year. "
            "`margin_days` counts before `first_date` alone."
        ),
    )
    margin_days: int = Field(
        0,
        ge=0,
        le=366,
        description=(
            "Acquisitions up to so many days before `first_date` and after `last_date` help to fill gaps. They do "
            "not count as clear dates. Those farther away are not read."
        ),
    )
    minimum_clear_dates: int = Field(
        0,
        ge=0,
        description=(
            "Pixels with fewer clear dates of this sensor are neither learnt, validated nor mapped. Those of all "
            "sensors together are counted by `classification.minimum_clear_dates` and `sampling.cloud_threshold`."
        ),
    )
    indices: list[Literal["NDVI", "NDWI", "Brightness"]] = Field(
        ["NDVI", "NDWI", "Brightness"],
        description="Spectral indices added for each date; NDVI and NDWI times 1000.",
    )
    additional_features: dict[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]*$")], Word
    ] = Field(
        {},
        description=(
            "Features of your own, `name: expression` in the band names (`B8A`) or `b1…bn`, for each date, e.g. "
            '`{RE: "(B8A-B5)/(B8A+B5)"}`. Functions: abs, exp, log, log10, sqrt, sin, cos, tan, where, minimum, '
            "maximum."
        ),
    )

    coregistration: Coregistration | None = Field(
        None,
        description=(
            "A reference image onto which each acquisition is moved, by a shift of its own. Empty: images are "
            "read where they lie."
        ),
    )

    @property
    def travelling(self) -> bool:
        """Whether features are named by the day of the year."""
        return self.dates == "day_of_year"

    @property
    def step_days(self) -> int:
        """Step of the interpolation dates; 0 where the products have dates of their own."""
        return 0

    @property
    def kept(self) -> list[str]:
        """Bands used as features; `keep_bands` of the format's own section."""
        return list(getattr(self, "keep_bands", ()))

    def contradictions(self) -> Iterator[str]:
        """Choices of the section that are each right and cannot stand together."""
        yield from ()

    @property
    def parts(self) -> list[str]:
        """Kinds of acquisitions to read (`ProductFormat.parts`); empty, all there are."""
        return []

    @property
    def radar(self) -> bool:
        """Whether what is seen is backscatter, kept in decibels, and not reflectance."""
        return False

    @property
    def options(self) -> dict[str, Any]:
        """What the section says of the files of products, for `ProductFormat.files`."""
        return {}

    @property
    def ratios(self) -> dict[str, bool]:
        """How normalised differences are computed (`OpticalSection`)."""
        return {}


class OpticalSection(SensorSection):
    """What sensors of reflectance have beside the keys of all."""

    relative_reflectance: bool = Field(
        False,
        description=(
            "Also `(band - red) / (band + red)`, times 1000, of each other band of `keep_bands` and each date: "
            "features `RelB8`."
        ),
    )
    keep_duplicates: bool = Field(
        True,
        description="With `relative_reflectance`: keep NDVI beside `RelB8`, which is the same.",
    )
    robust_indices: bool = Field(
        False,
        description=(
            "NDVI, NDWI and relative reflectances that haze moves less: `(a - b - 0.05) / (a + b + 0.05)` of "
            "reflectances, times 1000."
        ),
    )

    @property
    def ratios(self) -> dict[str, bool]:
        """How normalised differences are computed."""
        return {
            "relative_reflectance": self.relative_reflectance,
            "keep_duplicates": self.keep_duplicates,
            "robust_indices": self.robust_indices,
        }


class RegularSection(SensorSection):
    """A time series that is interpolated to regular dates."""

    temporal_resolution: int = Field(
        10, ge=1, le=366, description="Step of the interpolation dates, days."
    )

    @property
    def step_days(self) -> int:
        """Step of the interpolation dates."""
        return self.temporal_resolution


class GridSection(Section):
    """Grid of the map. Empty, the grid of the products."""

    projection: str | None = Field(
        None, description="CRS of the map, e.g. `EPSG:2154`. Empty: that of the products."
    )
    spatial_resolution: float | None = Field(
        None, gt=0, description="Side of a pixel, units of the CRS. Empty: that of the products."
    )


class Reference(Section):
    """Reference polygons, any OGR format, any CRS."""

    path: PathText = Field(description="Vector file of polygons (Polygon or MultiPolygon).")
    layer: str | None = Field(None, description="Layer of the file. Empty: the only one.")
    field: str = Field(
        description="Field with the class, an integer code or a name of the nomenclature."
    )
    splits: PathText | None = Field(
        None,
        description=(
            "CSV table of fixed splits: a polygon identifier, `seed` and `set` (learn / validation, or "
            "train / valid). The first column bears the name of the identifier field of the polygons. "
            "Replaces the draws; `sampling.runs` must be the number of its seeds."
        ),
    )


class Regions(Section):
    """Regions (eco-climatic); one model each. Empty, one region `1` for all."""

    path: PathText = Field(description="Vector file of the regions.")
    layer: str | None = Field(None, description="Layer of the file. Empty: the only one.")
    field: str = Field("region", description="Field with the name of the region.")


ByClass = dict[Annotated[str, StringConstraints(pattern=r"^[0-9]+$")], Annotated[int, Field(ge=0)]]
StrategyName = Literal["all", "percent", "constant", "byclass", "total", "smallest"]


class RegionSampling(Section):
    """How many pixels the model of one region learns; what is left empty is as for all regions."""

    strategy: StrategyName | None = Field(None, description="As `sampling.strategy`.")
    sampler: Literal["random", "periodic"] | None = Field(
        None, description="As `sampling.sampler`."
    )
    percent: float | None = Field(None, gt=0, le=1, description="As `sampling.percent`.")
    constant: int | None = Field(None, ge=1, description="As `sampling.constant`.")
    total: int | None = Field(None, ge=1, description="As `sampling.total`.")
    byclass: ByClass | None = Field(None, description="As `sampling.byclass`.")
    max_per_polygon: int | None = Field(None, ge=1, description="As `sampling.max_per_polygon`.")


class Augmentation(Section):
    """Learning samples made of others, for classes that have few; validation is left alone."""

    method: Literal["none", "replicate", "jitter", "smote"] = Field(
        "none",
        description=(
            "`replicate`: samples again; `jitter`: with noise; `smote`: between a sample and one of its nearest "
            "neighbours of the class (Chawla et al. 2002)."
        ),
    )
    to: Literal["balance", "number", "byclass"] = Field(
        "balance",
        description=(
            "How many samples a class of a model shall have at least: as many as its largest class, `number`, "
            "or what `byclass` says."
        ),
    )
    number: int = Field(1000, ge=1, description="Samples of each class, for `to: number`.")
    byclass: ByClass = Field(
        {}, description='Samples by class code, for `to: byclass`: `{"11": 500}`.'
    )
    jitter: float = Field(
        0.1,
        gt=0,
        description="Deviation of the noise, against that of the feature in the class (IOTA²: 1 / stdfactor).",
    )
    neighbours: int = Field(5, ge=1, description="Nearest samples among which `smote` chooses.")
    regions: list[Word] = Field([], description="Models that learn them; empty, all.")

    @property
    def used(self) -> bool:
        """Whether samples are made."""
        return self.method != "none"


class Sampling(Section):
    """Learning and validation samples."""

    runs: int = Field(
        1,
        ge=1,
        le=100,
        description="Number of independent draws (seeds 0 … runs-1), each with its models and map.",
    )
    ratio: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of the polygons of each class and region used for learning. 1, no validation.",
    )
    random_seed: int = Field(
        0,
        ge=0,
        description="Every draw follows from this number and from the names of what it draws.",
    )
    split_by: Word = Field(
        "polygon",
        description=(
            "What is drawn as one, and so never learns and validates at once: `polygon`; `touching`, polygons of a "
            "class that touch (a parcel cut in two); `block`, all polygons in a square of `block` metres; or the "
            "name of a field of the reference, all polygons that share its value (a farm, a survey)."
        ),
    )
    block: float | None = Field(
        None, gt=0, description="Side of the squares of `split_by: block`, metres."
    )
    buffer: float = Field(
        0,
        ge=0,
        description=(
            "Least distance between polygons that learn and those that validate, metres; polygons that would learn "
            "nearer than that to one that validates are not used in that draw."
        ),
    )
    single_polygon: Literal["learn", "validation", "exclude", "both"] = Field(
        "learn",
        description=(
            "What a class with one polygon in a region does: learnt but not validated there, validated but "
            "not learnt, left out, or both (optimistic scores; the report tells)."
        ),
    )
    cloud_threshold: int = Field(
        1, ge=0, description="Pixels with fewer clear dates are neither learnt nor validated."
    )
    strategy: StrategyName = Field(
        "all",
        description=(
            "How many pixels of the learning polygons are taken, per region and seed; as many as OTB "
            "SampleSelection would."
        ),
    )
    sampler: Literal["random", "periodic"] = Field(
        "random",
        description="How they are chosen, class by class: at random, or at equal distances.",
    )
    percent: float = Field(
        0.1, gt=0, le=1, description="Share of the pixels, for strategy `percent`."
    )
    constant: int = Field(1000, ge=1, description="Pixels of each class, for strategy `constant`.")
    total: int = Field(
        10000,
        ge=1,
        description="Pixels in all, in the proportions of the classes, for strategy `total`.",
    )
    byclass: ByClass = Field(
        {}, description='Pixels by class code, for strategy `byclass`: `{"11": 500}`.'
    )
    max_per_polygon: int | None = Field(
        None,
        ge=1,
        description=(
            "Most pixels of one polygon that may be learnt, over all tiles, so that one large parcel does not "
            "teach a class; the strategy takes its share of these. Empty: no limit."
        ),
    )
    per_region: dict[Word, RegionSampling] = Field(
        {},
        description=(
            "Other choices for the models of some regions: `{hills: {strategy: total, total: 5000}}`."
        ),
    )
    augmentation: Augmentation = Field(Augmentation(), description=_meaning_of(Augmentation))
    suspicious_polygons: Literal["report", "drop", "none"] = Field(
        "report",
        description=(
            "Learning polygons whose label looks wrong, by folds: listed in `final/Suspicious_Polygons.gpkg` for a "
            "person to look at; `drop`: listed and not learnt; `none`: not looked for. Validation polygons are never "
            "touched. Productions with `fusion` or `learning.samples` have no list."
        ),
    )
    management: PathText | None = Field(
        None,
        description=(
            "CSV table `source,destination,class,quantity`: so many learning samples of a class (`all`, or a "
            "number) that the model of the region `destination` learns from the region `source` as well."
        ),
    )
    envelope_margin: float = Field(
        600,
        ge=0,
        description=(
            "Width along the right and lower edge of a tile that it leaves to its neighbours, units of the CRS."
        ),
    )

    def of_region(self, region: str) -> dict[str, Any]:
        """What the choice of the pixels of a region depends on: strategy, sampler, their parameters."""
        own = self.per_region.get(region)
        given = own.model_dump(exclude_none=True) if own else {}
        return self.model_dump() | given

    @property
    def separation(self) -> dict[str, Any]:
        """What keeps learning and validation apart, where it is not left as usual."""
        usual = type(self).model_fields
        chosen = {key: getattr(self, key) for key in ("split_by", "block", "buffer")}
        return {key: value for key, value in chosen.items() if value != usual[key].default}

    def shared(self, region: str) -> bool:
        """True if the number of samples of a tile depends on the other tiles."""
        return self.of_region(region)["strategy"] in SHARED_STRATEGIES


class Reduction(Section):
    """Principal components learnt in place of the features; stored with the model, applied as it maps."""

    method: Literal["none", "pca"] = Field(
        "none", description="`pca`: principal components of the standardised features."
    )
    by: Literal["global", "date", "band", "sensor", "sensor_date", "sensor_band"] = Field(
        "global",
        description=(
            "Which features are reduced together: all, or those that share a date, a band or index, a sensor. "
            "Features without date (of the user) are kept as they are, but for `global`."
        ),
    )
    components: int = Field(4, ge=1, description="Components of each group.")

    @property
    def used(self) -> bool:
        """Whether features are reduced."""
        return self.method != "none"


class Search(Section):
    """Search of the learner's parameters, by folds of whole learning polygons, for each model."""

    method: Literal["none", "grid", "halving"] = Field(
        "none",
        description=(
            "`grid`: every combination learns all samples; `halving`: all learn a few, the best third of them "
            "three times as many, and so on."
        ),
    )
    parameters: dict[Word, Annotated[list[Any], Field(min_length=1)]] = Field(
        {},
        description="Values of each parameter: `{max_depth: [10, 20, null], min_samples_leaf: [1, 5]}`.",
    )
    folds: int = Field(5, ge=2, le=20, description="Folds; fewer where a class has fewer polygons.")
    score: Literal["f1_macro", "accuracy", "balanced_accuracy", "kappa"] = Field(
        "f1_macro", description="What is compared: the mean over the folds."
    )

    @property
    def used(self) -> bool:
        """Whether parameters are searched."""
        return self.method != "none"

    @property
    def combinations(self) -> int:
        """Of all values."""
        return math.prod(map(len, self.parameters.values()))


class OtherSamples(Section):
    """Samples of another year, and how much they count."""

    path: PathText = Field(
        description="Output folder of another production, an archive of it, or a table of samples of your own."
    )
    weight: float = Field(
        1.0, gt=0, description="Of each of its samples, against those of the others."
    )


def _as_section(given: Any) -> Any:
    return {"path": given} if isinstance(given, str) else given


def _kind_of_samples(given: Any) -> str:
    kinds = {type(None): "[nothing]", list: "[list]"}
    return kinds.get(type(given), "[path]")


GivenSamples = Annotated[
    Annotated[PathText, Tag("[path]")]
    | Annotated[
        Annotated[list[Annotated[OtherSamples, BeforeValidator(_as_section)]], Field(min_length=1)],
        Tag("[list]"),
    ]
    | Annotated[None, Tag("[nothing]")],
    Discriminator(_kind_of_samples),
]
"""A path, a list of paths or sections, or nothing; words in brackets are left out of messages."""


class Learning(Section):
    """The learner."""

    learner: str = Field(
        "RandomForestClassifier",
        description=(
            "A scikit-learn classifier by name (`RandomForestClassifier`, `ExtraTreesClassifier`, "
            "`HistGradientBoostingClassifier`, `SVC`, …) or one of OTB's: `otb-rf`, `otb-libsvm`, "
            "`otb-dt`, `otb-bayes`, `otb-knn`."
        ),
    )
    parameters: dict[str, Any] = Field(
        {},
        description=(
            "Its parameters, by scikit-learn's names (`n_estimators: 100`) or OTB's without the prefix "
            "`classifier.<name>.` (`nbtrees: 100`)."
        ),
    )
    standardise: Literal[True, False, "auto"] = Field(
        "auto",
        description=(
            "Centre and scale the features; `auto` does it for learners that compare distances."
        ),
    )
    samples: GivenSamples = Field(
        None,
        description=(
            "Learnt in place of pixels of the reference polygons. A table of samples of your own (GeoParquet, or any "
            "vector file of points): `code`, a column a feature by its name, and, if you like, `region`, `polygon` "
            "and `seed_N`. Or a list of other productions of the same features, by their output folders or archives: "
            "`[results_2017, {path: results_2018, weight: 2}]`. Samples in polygons that validate are left out."
        ),
    )
    own_weight: float | None = Field(
        None,
        gt=0,
        description=(
            "Samples of this production's own learning polygons are learnt beside the list `samples`, with this "
            "weight each. Empty: they are not learnt."
        ),
    )
    models: PathText | None = Field(
        None,
        description=(
            "Output folder of another production, or an archive of it, whose models map this one; nothing is learnt. "
            "Its features must have the same names (`sensors.*.dates: day_of_year`), its regions too. The reference "
            "then tells how right the map is."
        ),
    )
    calibration: Literal["auto", "temperature", "none"] = Field(
        "auto",
        description=(
            "How the confidence is brought to what it says: `temperature`, probabilities to a power found by folds of "
            "the learning polygons; classes stay the same. `auto`: so, unless classes are decided by the probabilities "
            "of several maps or pixels (`classification.smoothing`, `fusion`). It learns five small models for each."
        ),
    )
    reduction: Reduction = Field(Reduction(), description=_meaning_of(Reduction))
    search: Search = Field(Search(), description=_meaning_of(Search))

    @property
    def other_years(self) -> list[OtherSamples]:
        """Other productions and tables whose samples are learnt; none for a single table of the user."""
        given = self.samples
        if isinstance(given, str):
            return [OtherSamples(path=given)] if os.path.isdir(given) else []
        return list(given or [])

    @property
    def own_table(self) -> str | None:
        """A single table of samples of the user."""
        return self.samples if isinstance(self.samples, str) and not self.other_years else None

    @property
    def weighted(self) -> bool:
        """Whether samples count differently."""
        own = [self.own_weight] if self.own_weight else []
        return len({*own, *(item.weight for item in self.other_years)}) > 1


class Smoothing(Section):
    """Smoothing of the class probabilities between neighbouring pixels, before classes are chosen."""

    method: Literal["none", "markov"] = Field(
        "none",
        description=(
            "`markov`: a Markov random field; the map as the classifier made it stays, as `Classif_raw_Seed_N.tif`. "
            "It needs a learner with probabilities. docs/smoothing.md says what it gains, and what validation "
            "polygons cannot tell of it."
        ),
    )
    beta: float = Field(
        0.3, gt=0, le=3, description="Weight of a neighbour. Above 1 confidences are too high."
    )
    iterations: int = Field(
        5,
        ge=1,
        le=50,
        description="Rounds; a pixel depends on those so many pixels around it, of other tiles and regions too.",
    )

    @property
    def used(self) -> bool:
        """Whether maps are smoothed."""
        return self.method != "none"


class Classification(Section):
    """The maps."""

    probability_map: bool = Field(
        False, description="Also write the probability of each class (0-1000)."
    )
    histograms: bool = Field(
        False,
        description=(
            "Also histograms of the confidence and of the clear dates of reference pixels that the map has right, "
            "and of those it has wrong."
        ),
    )
    minimum_clear_dates: int = Field(
        1,
        ge=0,
        description=(
            "Pixels with fewer clear dates get no class; 0 classifies pixels that were never seen."
        ),
    )
    prediction_sets: float | None = Field(
        None,
        gt=0,
        le=0.5,
        description=(
            "Share of errors allowed: also map how many classes cannot be excluded, so that the true one is among "
            "them for all but that share of the pixels (`0.1`). Empty: no such map."
        ),
    )
    smoothing: Smoothing = Field(Smoothing(), description=_meaning_of(Smoothing))
    window_mb: int = Field(
        400,
        ge=16,
        description="Memory for the images of one window, MB; the result does not depend on it.",
    )


class FeatureMaps(Section):
    """Maps of single features, over all tiles."""

    features: list[Annotated[str, StringConstraints(pattern=r"^[^/]+$")]] = Field(
        min_length=1,
        description=(
            "Names of the features, `*` for any letters: `[Sentinel2_NDVI_20180610, Sentinel2_B8_*]`. Each is a file."
        ),
    )


class Inputs(Section):
    """Care with the input products."""

    damaged_acquisition: Literal["stop", "skip"] = Field(
        "stop",
        description=(
            "An acquisition with missing, truncated or unfit files stops the run, or is left out (the "
            "inventory and the report tell)."
        ),
    )
    longest_gap: int = Field(
        120,
        ge=1,
        description=(
            "Days without an acquisition of a series, inside the period, that the check warns of."
        ),
    )
    missing_series: Literal["stop", "leave_out"] = Field(
        "stop",
        description=(
            "Where one of several series has no acquisition over a tile: `stop`, or `leave_out` that series in "
            "all regions that the tile touches, so that their models learn and map without it."
        ),
    )
