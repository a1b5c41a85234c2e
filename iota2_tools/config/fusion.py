"""The section of a configuration that makes several classifications one."""

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from iota2_tools.config.section import Section

Masses = Literal["precision", "recall", "accuracy", "kappa"]
MASSES = (
    "What a map is believed by, class by class, for `dempster_shafer`: measured on folds of the learning "
    "polygons. `accuracy` and `kappa` are one number a map, so that of two maps the better one always wins."
)
UNDECIDED = (
    "What becomes of pixels on which the method does not decide: the class of the most confident map, or of "
    "the map whose model learnt from most samples; of equal ones that of the first."
)

Weight = Annotated[float, Field(gt=0)]


class _Weighted(Section):
    """A section with weights that came later: without them it is the one it was."""

    @model_serializer(mode="wrap")
    def _without_usual_weights(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        plain: dict[str, Any] = handler(self)
        return {key: value for key, value in plain.items() if key != "weights" or value}


class SeedFusion(_Weighted):
    """The maps of all draws as one, `final/Classifications_fusion.tif`, judged on polygons that no draw learnt."""

    method: Literal["majority", "confidence", "dempster_shafer", "mean"] = Field(
        "majority",
        description=(
            "Majority of the maps; the same weighted by confidence; Dempster and Shafer's theory of evidence; or "
            "the mean of the probabilities, for which `classification.probability_map` must be true."
        ),
    )
    masses: Masses = Field("precision", description=MASSES)
    undecided: Literal["most_confident", "most_samples", "undecided"] = Field(
        "most_confident",
        description=f"{UNDECIDED} `undecided`: they stay so, with the label `undecided_label`.",
    )
    undecided_label: int = Field(
        255,
        ge=1,
        le=65535,
        description="Label of pixels that stay undecided; no code of the nomenclature.",
    )
    held_back: float = Field(
        0.1,
        ge=0,
        lt=1,
        description=(
            "Share of the polygons of each class and region that learn in no draw, at least one of three. With "
            "those that no draw happens to learn they judge the fused map. They validate the single maps too."
        ),
    )
    weights: list[Weight] = Field(
        [],
        description=(
            "Of the draws in the mean of the probabilities, in their order: `[1, 2, 1]`. Empty: all weigh the same."
        ),
    )

    @property
    def keeps_undecided(self) -> bool:
        """Whether pixels may stay undecided."""
        return self.undecided == "undecided" and self.method != "mean"


class SensorWeights(Section):
    """What the models of both kinds of sensors weigh in the mean of their probabilities."""

    radar: Weight = Field(1, description="Of the model of radar.")
    optical: Weight = Field(1, description="Of the model of optical sensors.")


class SensorFusion(_Weighted):
    """Late fusion of radar and optical sensors: a model of each alone, whose answers become one map."""

    method: Literal["mean", "dempster_shafer"] = Field(
        "mean",
        description=(
            "The mean of the probabilities of both models, or Dempster and Shafer's theory of evidence."
        ),
    )
    masses: Masses = Field("precision", description=MASSES)
    undecided: Literal["most_confident", "most_samples"] = Field(
        "most_confident", description=f"{UNDECIDED} The first is radar."
    )
    weights: SensorWeights | None = Field(
        None,
        description=(
            "Of both models in the mean of their probabilities: `{radar: 1, optical: 2}`. Empty: both weigh the same."
        ),
    )


class RegionFusion(Section):
    """Large regions learnt in parts: polygons dealt class by class, a model each, all map the region."""

    above_km2: float = Field(
        gt=0,
        description=(
            "A region of which the tiles cover more is dealt into as many parts as that area goes into it, "
            "rounded up. Each class needs as many learning polygons."
        ),
    )
    method: Literal["majority", "confidence", "mean"] = Field(
        "majority",
        description="Majority of the models, the same weighted by confidence, or the mean of their probabilities.",
    )
    undecided: Literal["most_confident", "most_samples"] = Field(
        "most_confident", description=UNDECIDED
    )


class BoundaryFusion(Section):
    """Probabilities of neighbouring regions averaged near their boundaries, so that no line is seen."""

    exterior: float = Field(
        gt=0,
        le=5000,
        description="Distance outside its edge up to which the model of a region has a say, metres.",
    )
    interior: float = Field(
        0,
        ge=0,
        le=5000,
        description=(
            "Distance inside its edge from which on it has its full say, metres. The same as `exterior`: at the "
            "edge both sides count alike."
        ),
    )


class Fusion(Section):
    """Several classifications of the same pixels as one; docs/merging.md."""

    seeds: SeedFusion | None = Field(
        None,
        description=(
            "The maps of all draws as one: `{}` for the defaults. Empty: each draw has its own map alone."
        ),
    )
    sensors: SensorFusion | None = Field(
        None,
        description=(
            "Late fusion of radar and optical sensors: `{}` for the defaults. Empty: early fusion, one model "
            "that learns from all sensors together."
        ),
    )
    regions: RegionFusion | None = Field(
        None,
        description=(
            "Large regions learnt in parts: `{above_km2: 5000}`. Empty: a region has one model, whatever its size."
        ),
    )
    boundaries: BoundaryFusion | None = Field(
        None,
        description=(
            "Probabilities of neighbouring regions averaged near their boundaries: `{exterior: 500, interior: "
            "500}`. Empty: each region is mapped by its own model alone."
        ),
    )
