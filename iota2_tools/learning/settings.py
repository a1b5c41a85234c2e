"""What a model is learnt with, and what it is for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from iota2_tools.core.draws import generator
from iota2_tools.learning.traits import Traits, traits_of


@dataclass(frozen=True)
class LearningSettings:
    """The section `learning` of the configuration.

    Parameters
    ----------
    learner : str
        Name of a classifier of scikit-learn, or of OTB with the prefix `otb-`.
    parameters : mapping
        Its parameters, by the names it gives them itself.
    standardise : bool or "auto"
        Whether features are centred and scaled; `auto`: where the learner needs it.
    reduction : mapping, optional
        `by` and `components` of `reduction.fit_projection`; by default all features are learnt.
    search : mapping, optional
        `method`, `parameters` with the values of each, `folds` and `score`; by default parameters
        are as they are given.
    """

    learner: str
    parameters: Mapping[str, Any]
    standardise: bool | str = "auto"
    reduction: Mapping[str, Any] | None = None
    search: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> "LearningSettings":
        """From the section of the configuration."""
        return cls(
            section["learner"],
            dict(section["parameters"]),
            section["standardise"],
            *(_used(section.get(name)) for name in ("reduction", "search")),
        )

    @property
    def traits(self) -> Traits:
        """Of the learner."""
        return traits_of(self.learner)

    @property
    def standardised(self) -> bool:
        """Whether features are centred and scaled."""
        return self.traits.scaled if self.standardise == "auto" else bool(self.standardise)


def _used(section: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """A section inside `learning`; None where its method is none."""
    return section if section and section["method"] != "none" else None


@dataclass(frozen=True)
class ModelKey:
    """Which model of a production.

    Parameters
    ----------
    region : str
    seed : int
        Number of the draw.
    random_seed : int
        Of the production; the learner's own follows from it, the region and the draw.
    """

    region: str
    seed: int
    random_seed: int

    @property
    def random_state(self) -> int:
        """Seed of the learner, from 0 to 2^31 - 2."""
        draws = generator(self.random_seed, "model", self.seed, self.region)
        return int(draws.integers(2**31 - 1))

    def __str__(self) -> str:
        return f"region {self.region}, seed {self.seed}"


@dataclass(frozen=True)
class Purpose:
    """What a production wants of its learner.

    Parameters
    ----------
    codes : tuple of int
        Classes of the nomenclature.
    n_features : int
        Features of a pixel.
    probability_map : bool
        Whether the probabilities of all classes are mapped.
    kept_missing : tuple of str
        The user's rasters whose pixels without data stay missing values.
    smoothed : bool
        Whether probabilities are smoothed before classes are chosen.
    weighted : bool
        Whether samples count differently.
    """

    codes: tuple[int, ...]
    n_features: int
    probability_map: bool = False
    kept_missing: tuple[str, ...] = ()
    smoothed: bool = False
    weighted: bool = False
