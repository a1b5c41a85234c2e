"""Classification of a tile: one pass over its windows, for all models of a region."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from osgeo import gdal

from iota2_tools.core.errors import LearningError
from iota2_tools.core.ranks import all_ranks
from iota2_tools.features.stack import FeatureStack, WindowFeatures, check_same_features
from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.raster import create_raster, open_raster, read_window
from iota2_tools.learning import engines as learning
from iota2_tools.learning.conformal import PredictionSets
from iota2_tools.learning.model import Model, Prediction

logger = logging.getLogger(__name__)

# Pixels classified together: large enough for the learners, small enough for the features to
# stay in cache (benchmarks/classification.py).
CHUNK = 16384
NO_PROBABILITY = 65535


@dataclass(frozen=True)
class TileSources:
    """What is read of a tile.

    Parameters
    ----------
    inventory, settings, masks, external
        See `features.FeatureStack`.
    regions, footprint, validity : str
        Rasters of the tile: number of the region of each pixel, where every series saw, number of
        clear dates.
    """

    inventory: str
    settings: dict[str, Any]
    masks: dict[str, str]
    regions: str
    footprint: str
    validity: str
    external: Sequence[Mapping[str, Any]] = ()

    def about(self) -> dict[str, gdal.Dataset]:
        """The three rasters, opened."""
        paths = {"regions": self.regions, "footprint": self.footprint, "validity": self.validity}
        return {name: open_raster(path) for name, path in paths.items()}


@dataclass(frozen=True)
class MappingSettings:
    """What is mapped, and how.

    Parameters
    ----------
    region : int
        Number of the region in the region raster.
    codes : tuple of int
        Classes of the nomenclature.
    dtype : {"uint8", "uint16"}
        Type of the class maps.
    minimum_clear_dates : int
        Pixels with fewer get no class; of no effect without time series.
    budget_mb : float
        Memory for the images of one window, MB; without influence on the result.
    sets : tuple of PredictionSets
        Of each draw; empty: none are mapped.
    """

    region: int
    codes: tuple[int, ...]
    dtype: str
    minimum_clear_dates: int
    budget_mb: float
    sets: tuple[PredictionSets, ...] = ()


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


@dataclass(frozen=True)
class TileMapper:
    """What the models of all draws say of a region of a tile, window by window.

    Parameters
    ----------
    stack : FeatureStack
        Features of the tile.
    rasters : dict of str to gdal.Dataset
        `regions`, `footprint` and `validity` of the tile.
    models : list of Model
        Of each draw.
    settings : MappingSettings
    probabilities : bool
        Whether those of all classes are wanted.
    border : Blending, optional
        What the models of neighbouring regions say near the edges; it needs the probabilities.
    """

    stack: FeatureStack
    rasters: dict[str, gdal.Dataset]
    models: list[Model]
    settings: MappingSettings
    probabilities: bool
    border: "Blending | None" = None

    def layers(
        self, window: Window, pool: ThreadPoolExecutor
    ) -> list[dict[str, np.ndarray]] | None:
        """Layers of each draw over a window; None where nothing of it is mapped.

        Returns
        -------
        list of dict of str to ndarray
            `classes` and `confidence`, shape (rows, cols), and `probabilities`, shape
            (n_classes, rows, cols), if they are wanted; `choice` of models that are several;
            `plain`, the classes without the neighbours, where these are asked.
        """
        about = {name: read_window(dataset, window, 1) for name, dataset in self.rasters.items()}
        dates = self.settings.minimum_clear_dates if self.stack.series else 0
        pixels = pixels_to_classify(**about, region=self.settings.region, minimum_clear_dates=dates)
        if not len(pixels):
            return None
        features = self.stack.read(window, pool)
        asked = self.probabilities or bool(self.settings.sets)
        parts = list(predictions(features, pixels, self.models, asked, pool))
        draws = []
        for draw, model in enumerate(self.models):
            own = [(chunk, said[draw]) for chunk, said in parts]
            draws.append(self._layers_of(window, model, own))
            if self.settings.sets:
                draws[-1]["sets"] = self._sets_of(window, own, self.settings.sets[draw])
        if self.border:
            self.border.blend(window, features, pixels, draws, pool)
        return draws

    def _layers_of(
        self, window: Window, model: Model, parts: list[tuple[np.ndarray, Prediction]]
    ) -> dict[str, np.ndarray]:
        """Put the predictions of one draw back to their places."""
        shape = (window.rows, window.cols)
        classes = np.zeros(window.size, dtype=self.settings.dtype)
        confidence = np.zeros(window.size, dtype=np.uint8)
        for pixels, said in parts:
            classes[pixels] = said.codes
            confidence[pixels] = confidence_percent(said.confidence, said.codes)
        layers: dict[str, np.ndarray] = {
            "classes": classes.reshape(shape),
            "confidence": confidence.reshape(shape),
        }
        choice = np.zeros(window.size, dtype=np.uint8)
        for pixels, said in parts:
            if said.choice is not None:
                choice[pixels] = said.choice
                layers["choice"] = choice.reshape(shape)
        if self.probabilities:
            codes = self.settings.codes
            values = np.full((window.size, len(codes)), NO_PROBABILITY, dtype=np.uint16)
            for pixels, said in parts:
                assert said.probabilities is not None  # asked for, of a learner that gives them
                values[pixels] = probabilities_per_mille(said.probabilities, model.codes, codes)
            layers["probabilities"] = np.ascontiguousarray(values.T).reshape(-1, *shape)
        return layers

    def _sets_of(
        self, window: Window, parts: list[tuple[np.ndarray, Prediction]], sets: PredictionSets
    ) -> np.ndarray:
        """Number of classes that cannot be excluded, shape (rows, cols)."""
        sizes = np.zeros(window.size, dtype=sets_type(self.settings.codes))
        for pixels, said in parts:
            assert said.probabilities is not None  # asked for, of a learner that gives them
            sizes[pixels] = sets.sizes(said.probabilities)
        return sizes.reshape(window.rows, window.cols)


def sets_type(codes: Sequence[int]) -> str:
    """Pixel type of a map of the number of classes that cannot be excluded."""
    return "uint8" if len(codes) <= 255 else "uint16"


class _Maps:
    """The rasters of one draw while they are written."""

    def __init__(
        self, files: ExitStack, grid: Grid, outputs: dict[str, str], settings: MappingSettings
    ) -> None:
        def create(layer: str, kind: str, bands: int = 1, nodata: int = 0, **tags: str) -> Any:
            return files.enter_context(
                create_raster(outputs[layer], grid, kind, bands=bands, nodata=nodata, tags=tags)
            )

        self._files = {
            "classes": create("classes", settings.dtype, MEANING="class code, 0 no data"),
            "confidence": create("confidence", "uint8", UNITS="percent"),
        }
        if "choice" in outputs:
            self._files["choice"] = create("choice", "uint8", MEANING="source of the class")
        if "plain" in outputs:
            self._files["plain"] = create("plain", settings.dtype, MEANING="class code, 0 no data")
        if "sets" in outputs:
            self._files["sets"] = create("sets", sets_type(settings.codes), UNITS="classes")
        if "probabilities" in outputs:
            self._files["probabilities"] = create(
                "probabilities", "uint16", len(settings.codes), NO_PROBABILITY, UNITS="per mille"
            )

    def write(self, window: Window, layers: dict[str, np.ndarray]) -> None:
        for name, file in self._files.items():
            file.write_bands(layers[name], window)


class Learnt(Protocol):
    """Where a model stands."""

    def load(self, names: list[str], dtype: str) -> Model:
        """Load it, if it takes features of these names and of this type; else raise LearningError."""


class Blending(Protocol):
    """What the models of neighbouring regions say near the edges of a region."""

    def blend(
        self,
        window: Window,
        features: WindowFeatures,
        pixels: np.ndarray,
        draws: Sequence[dict[str, np.ndarray]],
        pool: ThreadPoolExecutor,
    ) -> None:
        """Change the layers of each draw at some `pixels` of a window, and add `plain`."""


class Neighbours(Protocol):
    """Where the models of neighbouring regions stand."""

    def load(self, grid: Grid, names: list[str], dtype: str) -> Blending:
        """Load them for a tile, if they take features of these names and of this type."""


@dataclass(frozen=True)
class OneModel:
    """A model in its folder."""

    folder: str

    def load(self, names: list[str], dtype: str) -> Model:
        """See `Learnt`."""
        check_learnt(self.folder, names, dtype)
        return learning.load(self.folder)


def classify_tile(
    tile: TileSources,
    settings: MappingSettings,
    models: Sequence[str | Learnt],
    outputs: list[dict[str, str]],
    threads: int,
    neighbours: Neighbours | None = None,
) -> None:
    """Map a region of a tile with the models of all draws, in one pass over the images.

    Parameters
    ----------
    tile : TileSources
        What is read.
    settings : MappingSettings
        What is mapped.
    models : sequence of str or Learnt
        Of each draw: folder of its model, or what stands for it.
    outputs : list of dict
        For each draw the files to write: `classes`, `confidence` (percent) and, if asked for,
        `probabilities` (per mille, 65535 where nothing is mapped), `sets` (`settings.sets`) and, of
        models that are several, `choice`.
    threads : int
        Without influence on the result.
    neighbours : Neighbours, optional
        Regions whose models are asked near the edges; `plain` then is the map without them.

    Raises
    ------
    InputDataError, LearningError
        If a model has learnt other features, or cannot take those of a pixel.
    """
    ranks = all_ranks()
    stack = FeatureStack(tile.inventory, tile.settings, tile.masks, tile.external)
    sources = [OneModel(model) if isinstance(model, str) else model for model in models]
    loaded = [source.load(stack.names, stack.dtype) for source in sources]
    border = neighbours.load(stack.grid, stack.names, stack.dtype) if neighbours else None
    wanted = "probabilities" in outputs[0] or border is not None
    mapper = TileMapper(stack, tile.about(), loaded, settings, wanted, border)
    windows = stack.windows(settings.budget_mb)
    with ThreadPoolExecutor(threads) as pool, ExitStack() as files:
        if ranks.first:
            maps = [_Maps(files, stack.grid, output, settings) for output in outputs]
        # Each rank maps its window of a round; the first one writes all of them, in order.
        for start in range(0, len(windows), ranks.count):
            round_of = windows[start : start + ranks.count]
            mine = round_of[ranks.number : ranks.number + 1]
            found = ranks.gather(mapper.layers(mine[0], pool) if mine else None)
            for window, draws in zip(round_of, found, strict=False):
                for draw, layers in zip(maps, draws or [], strict=False):
                    draw.write(window, layers)
            del found
    logger.info(
        "%s: region %s mapped by %d models on %d rank(s)",
        *(stack.tile, settings.region, len(models), ranks.count),
    )


def check_learnt(folder: str, names: list[str], dtype: str) -> None:
    """Refuse a model of other features than those of a tile.

    A model of float32 takes whole numbers (int16): they stay what they are. The other way round
    decimals would be lost.

    Parameters
    ----------
    folder : str
        Of the model.
    names : list of str
        Features of the tile.
    dtype : {"int16", "float32"}
        Their type.
    """
    learnt = learning.describe(folder)
    check_same_features(learnt["features"], names, folder)
    if not np.can_cast(dtype, learnt["dtype"], "safe"):
        raise LearningError(
            f"{folder}: has learnt whole numbers ({learnt['dtype']}), and the features of this "
            f"tile are {dtype}; delete the model and the samples of its region to learn it anew"
        )
