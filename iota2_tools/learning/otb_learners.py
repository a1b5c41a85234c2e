"""Learners of Orfeo ToolBox (TrainVectorClassifier, ImageClassifier)."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from iota2_tools import otb
from iota2_tools.core.errors import ConfigError, LearningError
from iota2_tools.core.words import suggest
from iota2_tools.geo.vectors import write_layer
from iota2_tools.learning.model import Prediction

# The learners that train and predict in OTB 8.1 (`ann` does not, `boost` knows two classes).
LEARNERS = ("rf", "libsvm", "dt", "bayes", "knn")
NEED_SCALING = ("libsvm", "knn")
# OTB's forest stops growing at an out-of-bag error of 0.01 unless told not to: the number of trees
# shall decide. Its SVM has a confidence only with probabilities.
DEFAULTS = {"rf": {"nbtrees": 100, "acc": 0.0, "max": 25, "min": 5}, "libsvm": {"prob": True}}


def _name(learner: str) -> str:
    return learner.removeprefix("otb-")


def check(learner: str, parameters: dict) -> None:
    """Raise ConfigError if OTB has no such learner, or it no such parameter."""
    name = _name(learner)
    if name not in LEARNERS:
        raise ConfigError(
            f"learning.learner: {learner!r} is none of {', '.join('otb-' + item for item in LEARNERS)}"
        )
    if not parameters:
        return
    prefix = f"classifier.{name}."
    keys = otb.create("TrainVectorClassifier").GetParametersKeys(True)
    known = [key.removeprefix(prefix) for key in keys if key.startswith(prefix)]
    for key in parameters:
        if key not in known:
            hint = suggest(key, known, f"known are {', '.join(known) or 'none'}")
            raise ConfigError(f"learning.parameters: {learner} has no parameter {key!r}, {hint}")


def versions() -> dict[str, str]:
    """Version of OTB, from the applications' folder names where it tells."""
    return {"otb": otb.installed_version()}


def train(
    features: np.ndarray,
    codes: np.ndarray,
    learning: dict,
    random_state: int,
    threads: int,
    folder: Path,
) -> dict:
    """Train and write `model.otb`; returns what `model.json` tells of it.

    One training a process: OTB's random forest gives another forest the second time.
    """
    name = _name(learning["learner"])
    parameters = DEFAULTS.get(name, {}) | learning["parameters"]
    standardise = learning["standardise"]
    if standardise == "auto":
        standardise = name in NEED_SCALING
    samples = folder / "samples.fgb"  # FlatGeobuf: no limit of columns
    columns = [f"f{number}" for number in range(features.shape[1])]
    frame = pd.DataFrame(features.astype(np.float64), columns=columns).assign(
        code=codes.astype(np.int32)
    )
    points = gpd.points_from_xy(np.zeros(len(codes)), np.zeros(len(codes)))
    write_layer(
        gpd.GeoDataFrame(frame, geometry=points, crs="EPSG:4326"), str(samples), "FlatGeobuf"
    )
    if standardise:
        write_means_and_deviations(features, folder / "statistics.xml")
    given = {
        "io.vd": [str(samples)], "feat": columns, "cfield": ["code"],
        "io.stats": str(folder / "statistics.xml") if standardise else None,
        "io.out": str(folder / "model.otb"), "classifier": name, "rand": random_state,
    }  # fmt: skip
    given |= {f"classifier.{name}.{key}": value for key, value in parameters.items()}
    otb.run("TrainVectorClassifier", given, refresh_after="io.vd")
    samples.unlink()
    if not (folder / "model.otb").exists():
        raise LearningError(f"OTB {name} wrote no model; its messages are above")
    # OTB says nothing of a model it could not write to its end: use it once.
    otb.classify(given["io.out"], given["io.stats"], features[:1])
    return {"parameters": parameters, "standardise": bool(standardise)}


def write_means_and_deviations(features: np.ndarray, path: Path) -> None:
    """Write means and standard deviations in the XML that OTB reads; constant features keep deviation 1."""
    means = features.mean(axis=0, dtype=np.float64)
    deviations = features.std(axis=0, dtype=np.float64, ddof=1)
    deviations[deviations == 0] = 1.0
    lines = ['<?xml version="1.0" ?>', "<FeatureStatistics>"]
    for name, values in (("mean", means), ("stddev", deviations)):
        lines.append(f'    <Statistic name="{name}">')
        lines += [f'        <StatisticVector value="{float(value)!r}" />' for value in values]
        lines.append("    </Statistic>")
    path.write_text("\n".join([*lines, "</FeatureStatistics>", ""]), encoding="utf-8")


def load(folder: Path, description: dict) -> "OtbModel":
    """Load a model."""
    if not (folder / "model.otb").exists():
        raise LearningError(f"{folder}: holds no model.otb; delete it to learn it anew")
    return OtbModel(folder, description)


class OtbModel:
    """A model of OTB; it gives no probabilities, and a confidence for rf, knn and libsvm only."""

    def __init__(self, folder: Path, description: dict) -> None:
        self._model = str(folder / "model.otb")
        self._statistics = str(folder / "statistics.xml") if description["standardise"] else None
        self.codes = np.array([int(code) for code in description["classes"]], dtype=np.uint16)

    def predict(self, features: np.ndarray, probabilities: bool = False):
        """See `learning.Model`."""
        codes, confidence = otb.classify(self._model, self._statistics, features)
        if confidence is None:
            confidence = np.zeros(len(codes))
        return Prediction(codes, np.clip(confidence, 0, 1))
