"""Boundaries between regions: probabilities of neighbours averaged, so that no line is seen.

Each region has a weight that falls from 1, `interior` metres inside its edge, to 0, `exterior`
metres outside. A pixel near an edge gets the mean of what the models of both sides say, by these
weights; far from all edges nothing changes.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt

from iota2_tools.classifying.tile import (
    NO_PROBABILITY,
    check_learnt,
    predictions,
    probabilities_per_mille,
)
from iota2_tools.features.stack import WindowFeatures
from iota2_tools.fusing.methods import FusionRules, Known, Sources, fuse
from iota2_tools.geo.burning import Burner
from iota2_tools.geo.grid import Grid, Window, metres
from iota2_tools.learning import engines
from iota2_tools.learning.model import Model
from iota2_tools.reference.regions import read_regions


def signed_distance(inside: np.ndarray, resolution: float) -> np.ndarray:
    """Distance of each pixel centre to the edge of a shape of whole pixels: positive inside.

    Parameters
    ----------
    inside : ndarray of bool, shape (rows, cols)
        What is beyond the array is as its nearest pixel.
    resolution : float
        Side of a pixel.

    Returns
    -------
    ndarray of float64
        In units of `resolution`; infinite where there is no edge.
    """
    if inside.all() or not inside.any():
        return np.where(inside, np.inf, -np.inf)
    within, without = distance_transform_edt(inside), distance_transform_edt(~inside)
    # Half a pixel lies between a centre and the edge that separates it from the next one.
    return np.where(inside, within - 0.5, 0.5 - without) * resolution


def weight(distance: np.ndarray, exterior: float, interior: float) -> np.ndarray:
    """Weight of a region by the distance to its edge, 0-1.

    1 from `interior` inside the edge on, 0 from `exterior` outside it on, linear between.
    """
    return np.clip((distance + exterior) / (exterior + interior), 0, 1)


@dataclass(frozen=True)
class Boundaries:
    """What the pixels of a region of a tile need of its neighbours.

    Parameters
    ----------
    regions : mapping
        Section of the configuration: `path`, `layer`, `field`.
    names : sequence of str
        Names of all regions; the first bears number 1.
    region : str
        The region that is mapped.
    models : mapping of str to sequence of str
        Of each neighbour near enough, the folder of its model in each draw.
    codes : sequence of int
        Classes of the nomenclature.
    exterior, interior : float
        Metres.
    """

    regions: Mapping[str, Any]
    names: Sequence[str]
    region: str
    models: Mapping[str, Sequence[str]]
    codes: Sequence[int]
    exterior: float
    interior: float

    def load(self, grid: Grid, names: list[str], dtype: str) -> "Border":
        """See `classifying.tile.Neighbours`."""
        for folders in self.models.values():
            for folder in folders:
                check_learnt(folder, names, dtype)
        loaded = [[engines.load(folder) for folder in own] for own in self.models.values()]
        places = read_regions(
            self.regions["path"], self.regions["layer"], self.regions["field"], grid.crs
        )
        numbers = [self.names.index(name) + 1 for name in places.index]
        burner = Burner(places.to_numpy(), numbers, grid)
        return Border(self, loaded, burner, metres(grid))


@dataclass(frozen=True)
class Border:
    """Neighbours of a region, ready to be asked.

    Parameters
    ----------
    about : Boundaries
    models : list of list of Model
        Of each neighbour, in each draw.
    burner : Burner
        Numbers of the regions, on the grid of the tile and around it.
    resolution : float
        Metres.
    """

    about: Boundaries
    models: list[list[Model]]
    burner: Burner
    resolution: float
    known: Known = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = Known(self.about.codes, [1] * (len(self.models) + 1))
        object.__setattr__(self, "known", known)

    def weights(self, window: Window) -> np.ndarray:
        """Weights of the region and of its neighbours, shape (1 + n_neighbours, rows, cols).

        The regions are looked at as far around the window as their weights reach.
        """
        about = self.about
        halo = int(max(about.exterior, about.interior) / self.resolution) + 2
        around = Window(
            window.row - halo,
            window.col - halo,
            window.rows + 2 * halo,
            window.cols + 2 * halo,
        )
        numbers = self.burner.burn(around)
        inner = np.s_[halo : halo + window.rows, halo : halo + window.cols]
        return np.array(
            [
                weight(
                    signed_distance(numbers == about.names.index(name) + 1, self.resolution)[inner],
                    about.exterior,
                    about.interior,
                )
                for name in (about.region, *about.models)
            ]
        )

    def blend(
        self,
        window: Window,
        features: WindowFeatures,
        pixels: np.ndarray,
        draws: Sequence[dict[str, np.ndarray]],
        pool: ThreadPoolExecutor,
    ) -> None:
        """Average the layers of each draw with what the neighbours say; see `classifying.tile`."""
        for layers in draws:
            layers["plain"] = layers["classes"].copy()
        weights = self.weights(window).reshape(len(self.models) + 1, -1)
        near = pixels[weights[1:, pixels].any(axis=0)]
        if not len(near):
            return
        every = [model for own in self.models for model in own]
        said = list(predictions(features, near, every, True, pool))
        for draw, layers in enumerate(draws):
            codes = tuple(self.about.codes)
            own = layers["probabilities"].reshape(len(codes), -1)[:, near]
            values = np.full((len(self.models) + 1, *own.shape), NO_PROBABILITY, np.uint16)
            values[0] = own
            for number, models in enumerate(self.models):
                place = number * len(draws) + draw
                start = 0
                for chunk, found in said:
                    shares = found[place].probabilities
                    assert shares is not None  # asked for, of learners that give them
                    per_mille = probabilities_per_mille(shares, models[draw].codes, codes)
                    values[number + 1, :, start : start + len(chunk)] = per_mille.T
                    start += len(chunk)
            self._put(layers, near, values, weights[:, near])

    def _put(
        self,
        layers: dict[str, np.ndarray],
        near: np.ndarray,
        values: np.ndarray,
        weights: np.ndarray,
    ) -> None:
        """Write the mean of some pixels into the layers."""
        labels = np.array(self.about.codes, np.uint16)[values.argmax(axis=1)]
        sources = Sources(labels, np.zeros(labels.shape, np.uint8), values)
        fused = fuse(sources, self.known, FusionRules("mean"), weights)
        assert fused.probabilities is not None  # of the mean
        layers["classes"].reshape(-1)[near] = fused.classes
        layers["confidence"].reshape(-1)[near] = fused.confidence
        layers["probabilities"].reshape(len(self.about.codes), -1)[:, near] = fused.probabilities
