"""Comparison of a tile's map with its reference polygons."""

import logging
from contextlib import ExitStack

import numpy as np

from iota2_tools.assessing.scores import confusion, write_matrix_csv
from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.geo.grid import grid_of
from iota2_tools.geo.raster import create_raster, open_raster, read_window
from iota2_tools.reference.sets import read_polygon_table

logger = logging.getLogger(__name__)


def difference(
    reference: np.ndarray, mapped: np.ndarray, learns: np.ndarray, validates: np.ndarray
) -> np.ndarray:
    """Code where and how a map agrees with the reference (values as in IOTA²).

    Parameters
    ----------
    reference, mapped : ndarray of int
        Class codes; 0 where there is none.
    learns, validates : ndarray of bool
        Pixels of learning and validation polygons.

    Returns
    -------
    ndarray of uint8
        0 no reference, 1 validation wrong, 2 validation right, 3 learning wrong, 4 learning right,
        5 in both and wrong, 6 in both and right (IOTA² adds the codes up, and 4 means two things).
    """
    used = (reference > 0) & (learns | validates)
    group = np.select([learns & validates, learns], [2, 1], 0)
    return np.where(used, 1 + 2 * group + (reference == mapped), 0).astype(np.uint8)


def write_comparison(
    splits: str,
    polygons: str,
    validity: str,
    maps: dict[int, list[str]],
    cloud_threshold: int,
    nomenclature: str,
    confusions: dict[int, str],
    differences: dict[int, str],
) -> None:
    """Count the confusions of a tile, and write where its maps are wrong, for every draw.

    All pixels whose centre lies in a polygon are compared, if they were clear often enough.

    Parameters
    ----------
    splits : str
        Polygons of the production (`reference.write_splits`).
    polygons, validity : str
        Polygon ids (`samples.burn_polygons`) and numbers of clear dates of the tile.
    maps : dict of int to list of str
        For each draw the class maps of the regions of the tile.
    cloud_threshold : int
        Fewest clear dates of a pixel that is compared.
    confusions, differences : dict of int to str
        For each draw the CSV matrix of the validation pixels and the difference raster to write.
    """
    classes = read_nomenclature(nomenclature)
    table = read_polygon_table(splits, list(maps))
    id_file, validity_file = open_raster(polygons), open_raster(validity)
    grid = grid_of(polygons)
    for seed, pieces in maps.items():
        piece_files = [open_raster(path) for path in pieces]
        matrix = np.zeros((len(classes.codes), len(classes.codes) + 1), dtype=np.int64)
        with ExitStack() as files:
            raster = files.enter_context(create_raster(differences[seed], grid, "uint8", nodata=0))
            for window in grid.windows(256):
                ids = read_window(id_file, window, 1)
                if not ids.any():
                    continue
                ids = np.where(read_window(validity_file, window, 1) >= cloud_threshold, ids, 0)
                mapped = np.zeros(ids.shape, dtype=np.int64)
                for dataset in piece_files:
                    mapped += read_window(dataset, window, 1)
                reference = table.codes[ids]
                learns, validates = table.learns[seed][ids], table.validates[seed][ids]
                raster.write(difference(reference, mapped, learns, validates), window)
                matrix += confusion(np.where(validates, reference, 0), mapped, classes.codes)
        write_matrix_csv(matrix, classes, confusions[seed])
        logger.info("seed %d: %d validation pixels", seed, matrix.sum())
