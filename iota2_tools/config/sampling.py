"""The sections of the reference, of regions and of the samples that models learn."""

from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    StringConstraints,
)

from iota2_tools.config.section import PathText, Section, Word, meaning_of

SHARED_STRATEGIES = ("constant", "byclass", "total", "smallest")
"""Sampling strategies whose number of samples in one tile depends on the other tiles."""


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
    augmentation: Augmentation = Field(Augmentation(), description=meaning_of(Augmentation))
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
