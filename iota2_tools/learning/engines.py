"""Learners behind one small interface.

A learner is a module with `check(name, parameters)` and `train(...)`, and a class of models
with `codes`, `predict(features)`. `scikit` serves scikit-learn's classifiers, `otb_learners` those of Orfeo
ToolBox. A model is a folder: `model.json` tells what it is, the other files are the engine's.
"""

import json
import logging
import platform
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import numpy as np

from iota2_tools.core.draws import generator
from iota2_tools.core.errors import LearningError
from iota2_tools.core.files import whole_folder
from iota2_tools.learning.model import Model
from iota2_tools.reference.table import read_training_table

logger = logging.getLogger(__name__)

OTB_PREFIX = "otb-"


def engine_of(learner: str) -> ModuleType:
    """Module that trains and loads a learner."""
    if learner.startswith(OTB_PREFIX):
        from iota2_tools.learning import otb_learners

        return otb_learners
    from iota2_tools.learning import scikit

    return scikit


def check_learner(learner: str, parameters: dict) -> None:
    """Raise ConfigError if a learner or one of its parameters does not exist."""
    engine_of(learner).check(learner, parameters)


def train(
    samples: list[str],
    region: str,
    seed: int,
    learning: dict,
    random_seed: int,
    threads: int,
    output: str,
) -> None:
    """Learn the model of a region and draw.

    Parameters
    ----------
    samples : list of str
        Samples of the tiles the region touches.
    learning : dict
        Section of the configuration: `learner`, `parameters`, `standardise`.
    random_seed : int
        Of the production; the learner's own seed follows from it, the region and the draw.
    output : str
        Folder of the model.

    Raises
    ------
    LearningError
        If there is no sample, or a single class.
    """
    features, codes, polygons, names = read_training_table(samples, region, seed)
    classes, counts = np.unique(codes, return_counts=True)
    if len(classes) < 2:
        found = f"only class {classes[0]}" if len(classes) else "no sample"
        raise LearningError(
            f"region {region}, seed {seed}: {found} to learn from; add reference polygons there, merge the region "
            "with a neighbour, or lower sampling.cloud_threshold"
        )
    logger.info("%d samples, %d features, %d classes", len(codes), len(names), len(classes))
    engine = engine_of(learning["learner"])
    with whole_folder(output) as folder:
        used = engine.train(
            features, codes, learning, int(generator(random_seed, "model", seed, region).integers(2**31 - 1)),
            threads, Path(folder),
        )  # fmt: skip
        description = {
            "region": region,
            "seed": seed,
            "learner": learning["learner"],
            **used,
            "classes": {str(code): int(count) for code, count in zip(classes, counts, strict=True)},
            "samples": len(codes),
            "polygons": len(np.unique(polygons)),
            "dtype": str(features.dtype),
            "versions": {"python": platform.python_version(), "iota2-tools": version("iota2-tools")}
            | engine.versions(),
            "features": names,
        }
        Path(folder, "model.json").write_text(json.dumps(description, indent=1), encoding="utf-8")


def describe(folder: str) -> dict:
    """What `model.json` tells of a model."""
    try:
        return json.loads(Path(folder, "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LearningError(
            f"{folder}: is no model ({error}); delete it to learn it anew"
        ) from None


def load(folder: str) -> Model:
    """Load a model for mapping.

    Raises
    ------
    LearningError
        If the folder holds no whole model, or one with types that are not trusted.
    """
    description = describe(folder)
    return engine_of(description["learner"]).load(Path(folder), description)
