"""Classification of a tile: one pass over its windows, for all models of a region."""

import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np

from iota2_tools import learning
from iota2_tools.features import FeatureStack, WindowFeatures, check_same_features
from iota2_tools.grid import Window
from iota2_tools.learning import Model, Prediction
from iota2_tools.raster import create_raster, open_raster, read_window

logger = logging.getLogger(__name__)

# Pixels classified together: large enough for the learners, small enough for the features to
# stay in cache (benchmarks/classification.py).
CHUNK = 16384
NO_PROBABILITY = 65535


def confidence_percent(confidence: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Confidence from 0-1 to 0-100, truncated as in IOTA²; at least 1 where there is a class.

    0 is kept for "no data".
    """
    # The small shift keeps 0.57 * 100 = 56.999… at 57, also where 0.57 came as float32.
    percent = np.floor(confidence.astype(np.float64) * 100 + 1e-5)
    return np.where((codes > 0) & (confidence > 0), np.clip(percent, 1, 100), 0).astype(np.uint8)


def probabilities_per_mille(
    probabilities: np.ndarray, model_codes: np.ndarray, codes: tuple[int, ...]
) -> np.ndarray:
    """Probabilities from 0-1 to 0-1000, one column a class of the nomenclature.

    Parameters
    ----------
    probabilities : ndarray, shape (n_pixels, n_model_classes)
    model_codes : ndarray, shape (n_model_classes,)
        Classes the model knows.
    codes : tuple of int
        Classes of the map; those the model does not know get 0.

    Returns
    -------
    ndarray of uint16, shape (n_pixels, len(codes))
    """
    out = np.zeros((len(probabilities), len(codes)), dtype=np.uint16)
    out[:, np.searchsorted(codes, model_codes)] = np.rint(probabilities * 1000)
    return out


def pixels_to_classify(
    regions: np.ndarray,
    footprint: np.ndarray,
    validity: np.ndarray,
    region: int,
    minimum_clear_dates: int,
) -> np.ndarray:
    """Row-major positions of the pixels of a window that get a class, int64."""
    return np.flatnonzero((regions == region) & (footprint > 0) & (validity >= minimum_clear_dates))


def predictions(
    features: WindowFeatures,
    pixels: np.ndarray,
    models: list[Model],
    probabilities: bool,
    pool: ThreadPoolExecutor,
) -> Iterator[tuple[np.ndarray, list[Prediction]]]:
    """Classify pixels of a window, chunk by chunk: each chunk's pixels and what every model says."""
    chunks = [pixels[start : start + CHUNK] for start in range(0, len(pixels), CHUNK)]

    def classify(chunk: np.ndarray) -> tuple[np.ndarray, list[Prediction]]:
        values = features.of(chunk)
        return chunk, [model.predict(values, probabilities) for model in models]

    yield from pool.map(classify, chunks)


class _Maps:
    """The rasters of one draw while they are written."""

    def __init__(
        self, files: ExitStack, grid, outputs: dict[str, str], dtype: str, codes: tuple[int, ...]
    ) -> None:
        def create(layer: str, kind: str, bands: int = 1, nodata: int = 0, **tags: str):
            return files.enter_context(
                create_raster(outputs[layer], grid, kind, bands=bands, nodata=nodata, tags=tags)
            )

        self._codes, self._dtype = codes, dtype
        self._classes = create("classes", dtype, MEANING="class code, 0 no data")
        self._confidence = create("confidence", "uint8", UNITS="percent")
        self._probabilities = None
        if "probabilities" in outputs:
            self._probabilities = create(
                "probabilities", "uint16", len(codes), NO_PROBABILITY, UNITS="per mille"
            )

    @property
    def wants_probabilities(self) -> bool:
        """True if the probabilities of all classes are written."""
        return self._probabilities is not None

    def write(
        self, window: Window, parts: list[tuple[np.ndarray, Prediction]], model_codes: np.ndarray
    ) -> None:
        classes = np.zeros(window.size, dtype=self._dtype)
        confidence = np.zeros(window.size, dtype=np.uint8)
        for pixels, prediction in parts:
            classes[pixels] = prediction.codes
            confidence[pixels] = confidence_percent(prediction.confidence, prediction.codes)
        shape = (window.rows, window.cols)
        self._classes.write(classes.reshape(shape), window)
        self._confidence.write(confidence.reshape(shape), window)
        if self._probabilities:
            values = np.full((window.size, len(self._codes)), NO_PROBABILITY, dtype=np.uint16)
            for pixels, prediction in parts:
                values[pixels] = probabilities_per_mille(
                    prediction.probabilities, model_codes, self._codes
                )
            self._probabilities.write_bands(
                np.ascontiguousarray(values.T).reshape(-1, *shape), window
            )


def _map_window(
    stack: FeatureStack,
    window: Window,
    pixels: np.ndarray,
    models: list[Model],
    maps: list[_Maps],
    pool: ThreadPoolExecutor,
) -> None:
    """Read a window, classify its pixels and write them; its images are let go at the end."""
    features = stack.read(window, pool)
    probabilities = maps[0].wants_probabilities
    parts = list(predictions(features, pixels, models, probabilities, pool))
    for number, draw in enumerate(maps):
        draw.write(window, [(chunk, said[number]) for chunk, said in parts], models[number].codes)


def classify_tile(
    inventory: str,
    settings: dict,
    masks: dict[str, str],
    rasters: dict[str, str],
    region: int,
    models: list[str],
    codes: tuple[int, ...],
    dtype: str,
    minimum_clear_dates: int,
    budget_mb: float,
    threads: int,
    outputs: list[dict[str, str]],
) -> None:
    """Map a region of a tile with the models of all draws, in one pass over the images.

    Parameters
    ----------
    inventory, settings, masks
        See `features.FeatureStack`.
    rasters : dict of str to str
        `regions`, `footprint` and `validity` of the tile.
    region : int
        Number of the region in the region raster.
    models : list of str
        Model folder of each draw.
    codes : tuple of int
        Classes of the nomenclature.
    dtype : {"uint8", "uint16"}
        Type of the class maps.
    minimum_clear_dates : int
        Pixels with fewer get no class; of no effect without time series.
    budget_mb : float
        Memory for the images of one window, MB.
    outputs : list of dict
        For each draw the files to write: `classes`, `confidence` (percent) and, if asked for,
        `probabilities` (per mille, 65535 where nothing is mapped).
    """
    stack = FeatureStack(inventory, settings, masks)
    loaded = []
    for folder in models:
        check_same_features(learning.describe(folder)["features"], stack.names, folder)
        loaded.append(learning.load(folder))
    files = {name: open_raster(path) for name, path in rasters.items()}
    fewest = minimum_clear_dates if settings else 0
    with ThreadPoolExecutor(threads) as pool, ExitStack() as open_files:
        maps = [_Maps(open_files, stack.grid, output, dtype, codes) for output in outputs]
        for window in stack.windows(budget_mb):
            about = {name: read_window(dataset, window, 1) for name, dataset in files.items()}
            pixels = pixels_to_classify(**about, region=region, minimum_clear_dates=fewest)
            if len(pixels):
                _map_window(stack, window, pixels, loaded, maps, pool)
    logger.info(
        "%s: region %s mapped by %d models in process %d",
        stack.tile,
        region,
        len(models),
        os.getpid(),
    )
