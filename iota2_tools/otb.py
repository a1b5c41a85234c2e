"""The one place that touches Orfeo ToolBox (`otbApplication`)."""

import glob
import logging
import os
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from iota2_tools.core.errors import Iota2Error, MissingSoftwareError
from iota2_tools.core.platform import linked_libraries

logger = logging.getLogger(__name__)

# Where Debian keeps the applications; OTB finds none without being told.
APPLICATION_FOLDERS = "/usr/lib/*/otb/applications"


class OtbError(Iota2Error):
    """An OTB application refused its parameters or failed."""


def load() -> ModuleType:
    """Import otbApplication with its applications in reach.

    Raises
    ------
    MissingSoftwareError
        If the binding or the applications are missing.
    """
    try:
        import otbApplication
    except ImportError as error:
        raise MissingSoftwareError(
            f"otbApplication cannot be imported ({error}); install Orfeo ToolBox with its Python "
            "binding (`make setup-otb` on Debian 12), or load the module that has it"
        ) from None
    if not os.environ.get("OTB_APPLICATION_PATH"):
        folders = glob.glob(APPLICATION_FOLDERS)
        if folders:
            otbApplication.Registry.SetApplicationPath(folders[0])
    return otbApplication


def run(name: str, parameters: Mapping[str, Any], *, refresh_after: str | None = None) -> None:
    """Execute an application and write its outputs.

    Parameters
    ----------
    name : str
        Application, e.g. ``TrainVectorClassifier``.
    parameters : mapping
        Key to value; None is left out.
    refresh_after : str, optional
        Parameter after which the application looks at its input to know further choices
        (the fields of a vector).

    Raises
    ------
    OtbError
        With the application, its parameters and OTB's message.
    """
    application = create(name)
    given = {key: value for key, value in parameters.items() if value is not None}
    logger.info("%s %s", name, " ".join(f"-{key} {value}" for key, value in given.items()))
    try:
        for key, value in given.items():
            set_parameter(application, key, value)
            if key == refresh_after:
                application.UpdateParameters()
        status = application.ExecuteAndWriteOutput()
    except RuntimeError as error:
        raise OtbError(f"OTB {name} failed with {given}: {error}") from None
    if status:
        raise OtbError(f"OTB {name} ended with status {status} for {given}")


def create(name: str) -> Any:
    """Instance of an application."""
    application = load().Registry.CreateApplication(name)
    if application is None:
        raise MissingSoftwareError(
            f"OTB has no application {name}; install otb-bin, or set OTB_APPLICATION_PATH to its folder of applications"
        )
    return application


def set_parameter(application: Any, key: str, value: Any) -> None:
    """Set a parameter by the type of the value."""
    if isinstance(value, int | np.integer):  # bool as well
        application.SetParameterInt(key, int(value))
    elif isinstance(value, float | np.floating):
        application.SetParameterFloat(key, float(value))
    elif isinstance(value, list | tuple):
        application.SetParameterStringList(key, [str(item) for item in value])
    else:
        application.SetParameterString(key, str(value))


def classify(
    model: str, statistics: str | None, features: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Apply a model of TrainVectorClassifier to pixels (ImageClassifier).

    Parameters
    ----------
    model : str
        Model file.
    statistics : str or None
        XML of means and deviations to standardise with.
    features : ndarray, shape (n_pixels, n_features)

    Returns
    -------
    codes : ndarray of uint16, shape (n_pixels,)
    confidence : ndarray of float32, shape (n_pixels,), or None
        OTB's confidence of the class, None where the learner has none.
    """
    application = create("ImageClassifier")
    # OTB works on a view of this array: it must live until the application has run.
    image = np.ascontiguousarray(features, dtype=np.float32)[np.newaxis]
    try:
        application.SetVectorImageFromNumpyArray("in", image)
        application.SetParameterString("model", model)
        if statistics:
            application.SetParameterString("imstat", statistics)
        with_confidence = gives_confidence(model)
        if with_confidence:
            application.EnableParameter("confmap")
            application.SetParameterString("confmap", "memory")
        application.Execute()
        codes = application.GetImageAsNumpyArray("out").ravel().round().astype(np.uint16)
        confidence = None
        if with_confidence:
            confidence = application.GetImageAsNumpyArray("confmap").ravel().astype(np.float32)
    except RuntimeError as error:
        raise OtbError(f"OTB ImageClassifier failed with model {model}: {error}") from None
    del image
    return codes, confidence


def gives_confidence(model: str) -> bool:
    """True if OTB gives a confidence for a model file: random forest, kNN, SVM with probabilities."""
    with open(model, "rb") as file:
        head = file.read(4000)
    return any(word in head for word in (b"opencv_ml_rtrees", b"opencv_ml_knn", b"probA"))


def installed_version() -> str:
    """Version of OTB, from the name of its engine library; "unknown" if it does not tell."""
    libraries = linked_libraries(load()._otbApplication.__file__)
    match = re.search(r"libOTBApplicationEngine-([\d.]+?)\.(?:so|\d+\.dylib)", libraries)
    return match[1] if match else "unknown"
