"""The section of the learner, and those inside it."""

import math
import os
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
)

from iota2_tools.config.section import PathText, Section, Word, meaning_of


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
    reduction: Reduction = Field(Reduction(), description=meaning_of(Reduction))
    search: Search = Field(Search(), description=meaning_of(Search))

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
