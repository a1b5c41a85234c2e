"""What is known of a learner before it runs: one row a learner, for the plan and the engines.

The plan reads this at every start of Snakemake: nothing here may import a learner's library.
"""

from dataclasses import dataclass, replace

OTB_PREFIX = "otb-"
FOLDS = 5
"""Of the learning polygons of a model, to judge it by."""
FOLD_PIXELS = 5
"""Samples of a polygon, on average, that folds are made of as a model is learnt: those of one are alike."""
FOLD_SAMPLES = 50_000
"""Samples that these folds are made of at most."""


@dataclass(frozen=True)
class Traits:
    """What a learner is like, and what it costs (`benchmarks/learners.py`).

    Parameters
    ----------
    scaled : bool
        It compares distances or follows gradients: `standardise: auto` centres and scales.
    missing : bool
        It learns from missing values and places pixels that have some.
    probabilities : bool
        It gives those of all classes, by itself or calibrated.
    confidence : bool
        It gives one for the class it chose.
    packed : bool
        Its trees are packed for mapping.
    forest : float
        Size of its trees, against those of a random forest; 0 if it is no packed forest.
    pair_ns : float
        Nanoseconds of learning for two samples and a feature, where all are compared with all.
    mapping_seconds : float
        For a million pixels and a megabyte of the stored model; packed forests count by trees.
    loaded : float
        Memory of a loaded model, against its size on disk.
    """

    scaled: bool = False
    missing: bool = False
    probabilities: bool = True
    confidence: bool = True
    packed: bool = False
    forest: float = 0.0
    pair_ns: float = 0.0
    mapping_seconds: float = 30.0
    loaded: float = 4.5


_OTB = Traits(probabilities=False, loaded=1.0)

# A classifier of scikit-learn without a row is as `Traits()` says. Of OTB's learners only these
# train and predict in OTB 8.1 (`ann` does not, `boost` knows two classes).
TRAITS: dict[str, Traits] = {
    "RandomForestClassifier": Traits(missing=True, packed=True, forest=1.0),
    "ExtraTreesClassifier": Traits(missing=True, packed=True, forest=2.0),
    "HistGradientBoostingClassifier": Traits(missing=True, packed=True, mapping_seconds=4),
    "BaggingClassifier": Traits(missing=True, mapping_seconds=4),
    "DecisionTreeClassifier": Traits(missing=True),
    "ExtraTreeClassifier": Traits(missing=True),
    "DummyClassifier": Traits(missing=True),
    "AdaBoostClassifier": Traits(mapping_seconds=4),
    "GradientBoostingClassifier": Traits(mapping_seconds=4),
    "QuadraticDiscriminantAnalysis": Traits(mapping_seconds=15),
    "SVC": Traits(scaled=True, pair_ns=1.4, mapping_seconds=100),
    "NuSVC": Traits(scaled=True, pair_ns=1.4, mapping_seconds=100),
    "KNeighborsClassifier": Traits(scaled=True, mapping_seconds=22),
    "RadiusNeighborsClassifier": Traits(scaled=True, mapping_seconds=22),
    "CalibratedClassifierCV": Traits(scaled=True),
    "GaussianProcessClassifier": Traits(scaled=True),
    "LabelPropagation": Traits(scaled=True),
    "LabelSpreading": Traits(scaled=True),
    "LinearSVC": Traits(scaled=True),
    "LogisticRegression": Traits(scaled=True),
    "LogisticRegressionCV": Traits(scaled=True),
    "MLPClassifier": Traits(scaled=True),
    "NearestCentroid": Traits(scaled=True),
    "PassiveAggressiveClassifier": Traits(scaled=True),
    "Perceptron": Traits(scaled=True),
    "RidgeClassifier": Traits(scaled=True),
    "RidgeClassifierCV": Traits(scaled=True),
    "SGDClassifier": Traits(scaled=True),
    "otb-rf": replace(_OTB, mapping_seconds=4),
    "otb-libsvm": replace(_OTB, scaled=True, pair_ns=5, mapping_seconds=70),
    "otb-knn": replace(_OTB, scaled=True, mapping_seconds=22),
    "otb-dt": replace(_OTB, confidence=False),
    "otb-bayes": replace(_OTB, confidence=False, mapping_seconds=8),
}


def is_otb(learner: str) -> bool:
    """Whether a learner is named as one of Orfeo ToolBox.

    >>> is_otb("otb-rf"), is_otb("SVC")
    (True, False)
    """
    return learner.startswith(OTB_PREFIX)


OTB_LEARNERS = tuple(name for name in TRAITS if is_otb(name))
PLACE_MISSING = tuple(name for name, traits in TRAITS.items() if traits.missing and traits.packed)
"""Learners to advise where values are missing."""


def traits_of(learner: str) -> Traits:
    """Traits of a learner, by its name in the configuration."""
    return TRAITS.get(learner, Traits())
