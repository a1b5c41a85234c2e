"""Learners of Orfeo ToolBox (TrainVectorClassifier, ImageClassifier)."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from iota2_tools import otb
from iota2_tools.core.errors import Iota2Error, LearningError
from iota2_tools.core.words import suggest
from iota2_tools.geo.vectors import write_layer
from iota2_tools.learning.model import Model, Prediction, check_values
from iota2_tools.learning.settings import LearningSettings, Purpose
from iota2_tools.learning.traits import OTB_LEARNERS, OTB_PREFIX
from iota2_tools.reference.table import TrainingTable

# OTB's forest stops growing at an out-of-bag error of 0.01 unless told not to: the number of trees
# shall decide. Its SVM has a confidence only with probabilities.
DEFAULTS: dict[str, dict[str, Any]] = {
    "rf": {"nbtrees": 100, "acc": 0.0, "max": 25, "min": 5},
    "libsvm": {"prob": True},
}
USED_ONCE = 256
"""Samples that a new model classifies before it counts as learnt."""


def _name(learner: str) -> str:
    return learner.removeprefix(OTB_PREFIX)


def problems(settings: LearningSettings, purpose: Purpose) -> Iterator[str]:
    """What is wrong with a learner of OTB or its parameters, a sentence each.

    Raises
    ------
    MissingSoftwareError
        If OTB is not there.
    """
    if settings.learner not in OTB_LEARNERS:
        hint = suggest(settings.learner, OTB_LEARNERS, f"known are {', '.join(OTB_LEARNERS)}")
        yield f"learning.learner: OTB has no learner {settings.learner!r} that this chain uses, {hint}"
        return
    application = otb.create("TrainVectorClassifier")
    prefix = f"classifier.{_name(settings.learner)}."
    keys = application.GetParametersKeys(True)
    known = [key.removeprefix(prefix) for key in keys if key.startswith(prefix)]
    found = False
    for key, value in settings.parameters.items():
        if key in known:
            wrong = _wrong_kind(application, prefix + key, value)
            wrong = wrong and f"{settings.learner} refuses {key}: {value!r} is {wrong}"
        else:
            hint = suggest(key, known, f"known are {', '.join(known) or 'none'}")
            wrong = f"{settings.learner} has no parameter {key!r}, {hint}"
        if wrong:
            found = True
            yield f"learning.parameters: {wrong}"
    if not found:
        yield from _refusals(settings)


def _wrong_kind(application: Any, key: str, value: object) -> str:
    """Why a value is not of the kind of its parameter; nothing if it is. OTB takes a text for 0."""
    kinds = otb.load()
    kind = application.GetParameterType(key)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == kinds.ParameterType_Int:
        return "" if number and isinstance(value, int) else "no whole number"
    if kind in (kinds.ParameterType_Float, kinds.ParameterType_Double):
        return "" if number else "no number"
    if kind == kinds.ParameterType_Bool:
        return "" if isinstance(value, bool) else "neither true nor false"
    if kind == kinds.ParameterType_Choice:
        choices = application.GetChoiceKeys(key)
        hint = suggest(value, choices)
        none = f"none of {', '.join(choices)}{hint and '; ' + hint}"
        return "" if value in choices else none
    return ""


def _refusals(settings: LearningSettings) -> Iterator[str]:
    """What OTB says when it learns from a few made-up samples, in a process of its own.

    OTB may crash, prints what it does, and its random forest is another one the second time.
    """
    given = settings.parameters
    reduced = {key: min(value, 10) if key == "nbtrees" else value for key, value in given.items()}
    task = json.dumps(asdict(settings) | {"parameters": reduced})
    program = f"from {__name__} import rehearse; rehearse()"
    done = subprocess.run(
        [sys.executable, "-c", program], input=task, capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    reason = f"OTB ended with status {done.returncode}"
    if done.returncode == 0 and lines:
        reason = json.loads(lines[-1])
    if reason:
        told = ", ".join(f"{key}: {value}" for key, value in given.items()) or "its own parameters"
        yield f"learning.parameters: {settings.learner} cannot learn with {told} ({reason})"


def rehearse() -> None:
    """Learn from 20 samples as the settings on standard input say; the last line tells what went wrong."""
    settings = LearningSettings(**json.load(sys.stdin))
    random = np.random.default_rng(0)
    codes = np.repeat([11, 222], 10)
    features = random.normal(np.where(codes == 11, -1000, 2000)[:, None], 800, (20, 4))
    table = TrainingTable(
        np.rint(features).astype(np.int16), codes, np.arange(20) // 2, list("abcd")
    )
    reason = ""
    with tempfile.TemporaryDirectory() as folder:
        try:
            train(table, settings, 0, 1, Path(folder))
        except Iota2Error as error:
            # Before OTB's own words stands what it was given, and where in its code it is.
            reason = " ".join(re.split(r"}: |(?:ERROR|error): ", str(error))[-1].split())
    print(f"\n{json.dumps(reason)}")


def versions() -> dict[str, str]:
    """Version of OTB, from the applications' folder names where it tells."""
    return {"otb": otb.installed_version()}


def train(
    table: TrainingTable,
    settings: LearningSettings,
    random_state: int,
    threads: int,
    folder: Path,
) -> dict[str, Any]:
    """Train and write `model.otb`; returns what `model.json` tells of it.

    One training a process: OTB's random forest gives another forest the second time.
    """
    name = _name(settings.learner)
    parameters = DEFAULTS.get(name, {}) | dict(settings.parameters)
    samples = folder / "samples.fgb"  # FlatGeobuf: no limit of columns
    columns = _write_samples(table, samples)
    statistics = str(folder / "statistics.xml") if settings.standardised else None
    if statistics:
        write_means_and_deviations(table.features, Path(statistics))
    given = {
        "io.vd": [str(samples)], "feat": columns, "cfield": ["code"], "io.stats": statistics,
        "io.out": str(folder / "model.otb"), "classifier": name, "rand": random_state,
    }  # fmt: skip
    given |= {f"classifier.{name}.{key}": value for key, value in parameters.items()}
    otb.run("TrainVectorClassifier", given, refresh_after="io.vd")
    samples.unlink()
    if not (folder / "model.otb").exists():
        raise LearningError(f"OTB {name} wrote no model; its messages are above")
    # OTB says nothing of a model it could not write to its end: use it once.
    codes, _ = otb.classify(str(folder / "model.otb"), statistics, table.features[:USED_ONCE])
    strange = np.setdiff1d(codes, table.codes)
    if strange.size:
        raise LearningError(
            f"OTB {name} gives class {strange[0]}, which it has not learnt; mend learning.parameters"
        )
    return {"parameters": parameters, "standardise": settings.standardised}


def _write_samples(table: TrainingTable, path: Path) -> list[str]:
    """Write samples as OTB reads them; names of the columns of features."""
    columns = [f"f{number}" for number in range(table.features.shape[1])]
    frame = pd.DataFrame(table.features.astype(np.float64), columns=columns)
    frame["code"] = table.codes.astype(np.int32)
    nowhere = np.zeros(len(frame))
    points = gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(nowhere, nowhere), crs="EPSG:4326")
    write_layer(points, str(path), "FlatGeobuf")
    return columns


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


def load(folder: Path, description: dict[str, Any]) -> Model:
    """Load a model."""
    if not (folder / "model.otb").exists():
        raise LearningError(f"{folder}: holds no model.otb; delete it to learn it anew")
    return OtbModel(folder, description)


class OtbModel:
    """A model of OTB; it gives no probabilities, and a confidence for rf, knn and libsvm only."""

    def __init__(self, folder: Path, description: dict[str, Any]) -> None:
        self._model = str(folder / "model.otb")
        self._statistics = str(folder / "statistics.xml") if description["standardise"] else None
        self._learner, self._names = description["learner"], description["features"]
        self.codes = np.array([int(code) for code in description["classes"]], dtype=np.uint16)

    def predict(self, features: np.ndarray, probabilities: bool = False) -> Prediction:
        """See `learning.Model`."""
        check_values(features, self._names, self._learner, "pixels")
        codes, confidence = otb.classify(self._model, self._statistics, features)
        if confidence is None:
            confidence = np.zeros(len(codes))
        return Prediction(codes, np.clip(confidence, 0, 1))
