"""What the report tells, as it stands in `report.json`; the JSON schema is made from it."""

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """A part of the report; nothing unknown stands in it, and no infinite number."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LegendEntry(Part):
    """A class of the nomenclature."""

    code: int = Field(description="Code in the map.")
    name: str
    colour: str = Field(description="#rrggbb")
    parent: str | None = None


class Score(Part):
    """A score: its mean over the draws, and half the width of its 95 % interval."""

    mean: float | None = Field(description="0-1 (kappa from -1); null: no value.")
    half_width: float | None = Field(
        description="Student's t over the draws; null with fewer than three."
    )
    draws: int = Field(description="Draws that have a value.")


class ClassScores(Part):
    """How right the map is for one class."""

    code: int
    precision: Score = Field(description="User's accuracy.")
    recall: Score = Field(description="Producer's accuracy.")
    f_score: Score
    confused: list[tuple[int, float]] = Field(
        description="Codes it is most often mapped as, and the share (0-1) of its pixels; at most three."
    )


class Matrix(Part):
    """Confusion matrix: rows reference, columns map, then pixels without class; codes in order."""

    name: str = Field(description="`mean` or the draw.")
    pixels: list[list[float]]


class PlaceAccuracy(Part):
    """Scores of one tile or region, means over the draws."""

    kind: Literal["tile", "region"]
    name: str
    pixels: float = Field(description="Validation pixels, mean over the draws.")
    overall_accuracy: float | None = Field(description="0-1; null: no validation pixel.")
    f_score: float | None = Field(description="Mean of the F-scores of its classes, 0-1.")


class MapAccuracy(Part):
    """Scores of other maps than those of the draws; what is fused is judged by what no draw has learnt."""

    kind: Literal["raw", "regularised", "fusion", "regularised_fusion"] = Field(
        description="Before smoothing; without small areas; all draws as one; that without small areas."
    )
    pixels: float = Field(description="Validation pixels, mean over the maps.")
    overall_accuracy: Score
    kappa: Score


class Bin(Part):
    """A step of the reliability curve."""

    draw: int
    pixels: int
    confidence: float = Field(description="Mean, 0-1.")
    accuracy: float = Field(description="Share that is right, 0-1.")


class Accuracy(Part):
    """Agreement of the maps with the validation polygons."""

    overall_accuracy: Score
    half_width_by_polygons: float | None = Field(
        description="Half the width of the 95 % interval of the overall accuracy of one draw, if its validation "
        "polygons were drawn at random; null: too few of them."
    )
    calibration_error: float | None = Field(
        description="Mean distance of confidence and share that is right; null: no confidence."
    )
    kappa: Score
    classes: list[ClassScores]
    matrices: list[Matrix]
    other_maps: list[MapAccuracy] = Field(description="Maps made of those of the draws.")
    places: list[PlaceAccuracy]
    reliability: list[Bin]
    remarks: list[str] = Field(description="What the reader must know.")


class ClassArea(Part):
    """Land of one class in the map, mean over the draws."""

    code: int
    pixels: float
    share: float | None = Field(description="Of the mapped pixels, 0-1.")
    mapped_ha: float | None
    corrected_ha: float | None = Field(
        description="Corrected for the errors of the map; the least."
    )
    corrected_max_ha: float | None
    half_width_ha: float | None = Field(
        description="Half the width of its 95 % interval; null where none is known."
    )


class Acquired(Part):
    """One acquisition over one tile."""

    tile: str
    series: str
    day: date
    product: str
    counts: bool = Field(description="Whether it is of the period, not only of its margin.")
    seen: float | None = Field(description="Share of the tile that it saw, 0-1; null: not counted.")
    clear: float | None = Field(description="Share of that without cloud, shadow, saturation, 0-1.")


class LeftOut(Part):
    """A product that was not read."""

    tile: str
    product: str
    reason: str


class ClearDates(Part):
    """Number of clear dates of the mapped pixels of a tile, from a regular sample of the pixels."""

    tile: str
    pixels: list[int] = Field(description="Sampled pixels with 0, 1, 2 … clear dates.")


class SampleCount(Part):
    """Samples that a draw learns."""

    seed: int
    region: str
    code: int
    samples: int
    polygons: int


class Profile(Part):
    """A quantity over the year, of the samples of one class; lists in the order of the days."""

    code: int
    quantity: str
    days: list[date]
    mean: list[float]
    q05: list[float]
    q25: list[float]
    q50: list[float]
    q75: list[float]
    q95: list[float]


class Importance(Part):
    """How much a feature counts, mean over the models that tell it; the sum over features is 1."""

    feature: str
    quantity: str
    day: date | None
    value: float


class Data(Part):
    """What the maps were made from."""

    acquisitions: list[Acquired]
    left_out: list[LeftOut]
    clear_dates: list[ClearDates]
    samples: list[SampleCount]
    profiles: list[Profile]
    importance: list[Importance]
    importance_of: str = Field(description="How it was measured, or why there is none.")


class RuleWork(Part):
    """What the finished jobs of a rule took."""

    rule: str
    jobs: int
    hours: float = Field(description="Of all its jobs together, as the clock tells.")
    longest_seconds: float
    cpu_hours: float
    peak_mb: float | None
    asked_mb: float | None
    repeated: int = Field(description="Attempts that did not finish, before those that did.")


class Warned(Part):
    """A warning of the logs."""

    text: str
    times: int
    first: str = Field(description="Job that said it first, as its log is named.")


class InputDigest(Part):
    """What an input held when it was read."""

    name: str
    files: int
    digest: str = Field(description="BLAKE2b; of several files, of their digests in order of name.")


class Work(Part):
    """How the production was made, and how to make it again."""

    rules: list[RuleWork]
    warnings: list[Warned]
    versions: dict[str, str]
    configuration: dict[str, Any]
    inputs: list[InputDigest]
    command: str


class Production(Part):
    """What the production is."""

    output: str
    tiles: list[str]
    sensors: list[str]
    first_day: date | None
    last_day: date | None
    learner: str
    draws: int
    config_sha256: str


class MapGrid(Part):
    """Where the pixels of the finest level of the tiles lie."""

    crs: str
    left: float
    top: float
    resolution: float = Field(description="Of the map itself, units of the CRS.")
    factor: int = Field(description="Pixels of the map along a side of one of the finest level.")
    rows: int
    cols: int
    levels: int = Field(description="Level 0 is the finest, each next has half the size.")
    side: int = Field(description="Of a tile, pixels.")
    metres: float = Field(description="Side of a pixel of the finest level, about.")
    angles: bool = Field(description="Whether coordinates are angles.")
    nodes: list[list[tuple[float, float]]] = Field(
        description="Longitude and latitude of points at equal distances over the map, by row."
    )


class ShownClass(Part):
    """A class of one map."""

    code: int
    name: str
    colour: str


class ShownLayer(Part):
    """A map that the page can show."""

    name: str = Field(description="Folder of its tiles.")
    title: str
    kind: Literal["class", "difference", "confidence", "validity", "set"]
    foreign: bool = Field(description="Whether it is of another production.")
    wide: bool = Field(description="Whether values may exceed 255: low byte red, high byte green.")
    nodata: int | None
    largest: int = Field(description="Largest value of the tiles.")
    legend: list[ShownClass] = Field(
        [], description="Its classes, as the map itself tells them; of other layers none."
    )


class Maps(Part):
    """`layers.json` of the tiles."""

    grid: MapGrid
    layers: list[ShownLayer]


class Report(Part):
    """The report of a production; `report.json`."""

    version: Literal[1] = Field(1, description="Of this schema.")
    production: Production
    classes: list[LegendEntry]
    accuracy: Accuracy | None = Field(description="null: there is no reference.")
    areas: list[ClassArea]
    maps: Maps
    data: Data
    work: Work


def report_schema() -> str:
    """The JSON schema of `report.json` as YAML, as it stands in `workflow/schemas`."""
    import yaml

    schema = Report.model_json_schema()
    text = yaml.safe_dump(schema, sort_keys=False, allow_unicode=True, width=100)
    return f"# Generated by `iota2 config-reference --report-schema`; do not edit.\n{text}"
