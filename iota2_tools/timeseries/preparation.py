"""Products that cannot be read as they are, made into rasters that can: once for all productions.

JPEG 2000 decodes forty times slower than it is read afterwards, archives are unpacked from their
beginning. A prepared product is a folder of tiled int16 rasters, one a band in its own resolution,
and one raster of masks. Its name is that of the product; it is there whole, or not at all.
"""

import json
import logging
import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from iota2_tools.core.errors import InputDataError, one_message
from iota2_tools.core.files import whole_file, whole_folder
from iota2_tools.core.versions import VERSIONS
from iota2_tools.geo.grid import BLOCK, Grid, Window, grid_of, is_coarser, part_of
from iota2_tools.geo.gridded import GridBand, Reading
from iota2_tools.geo.raster import create_raster
from iota2_tools.products import Acquisition, Image, Mask, ProductFormat, Request
from iota2_tools.products.prepared import (
    ABOUT,
    CLEAR,
    MASK,
    NODATA,
    UNSEEN,
    UNUSABLE,
    folder_of,
)
from iota2_tools.radar.elevation import Elevation, default_geoid
from iota2_tools.radar.preparation import frame_problems, prepare_grd
from iota2_tools.radar.settings import GrdSettings
from iota2_tools.timeseries.batches import Batch
from iota2_tools.timeseries.headers import FETCH_AGAIN, exists, file_faults
from iota2_tools.timeseries.inventory import acquisition_faults
from iota2_tools.timeseries.series import image_on

logger = logging.getLogger(__name__)


def prepare_batch(batch: Batch, marker: str, damaged: str, threads: int) -> None:
    """Prepare each product of a batch that is not there yet.

    Parameters
    ----------
    marker : str
        JSON file to write at the end: what was prepared, and what could not be. The products come
        to stand beside it.
    damaged : {"stop", "skip"}
        What a product does that cannot be prepared.

    Raises
    ------
    InputDataError
        Naming every product and file at fault, with `damaged` "stop"; the others are prepared.
    """
    faults: dict[str, str] = {}
    folder = Path(marker).parent
    for request in batch.requests(batch.format.band_names):
        try:
            if batch.grid is None:
                prepare(request, batch.format, folder, threads)
            else:
                prepare_pass(request, Grid(**batch.grid), folder)
        except InputDataError as error:
            faults[request.name] = str(error)
            logger.warning("%s is not prepared: %s", request.name, error)
    if faults and damaged == "stop":
        problems = [f"{name}: {reason}" for name, reason in faults.items()]
        raise InputDataError(one_message(batch.folder, problems, FETCH_AGAIN))
    with whole_file(marker) as temporary:
        told = {"products": list(batch.names), "faults": faults}
        Path(temporary).write_text(json.dumps(told, indent=1), encoding="utf-8")


def files_of(batch: Batch) -> Iterator[str]:
    """Every file that a batch is prepared from, or would be if it were there."""
    for request in batch.requests(batch.format.band_names):
        if batch.grid is not None:
            yield from _files_of_frames(request)
            continue
        if request.archive:
            yield str(request.folder / request.archive)
            continue
        with suppress(InputDataError):
            yield from _acquisition(request, batch.format).files


def source_faults(
    request: Request, product_format: ProductFormat, grid: Grid | None = None
) -> list[str]:
    """What is wrong with the files of a product that will be prepared, from their headers.

    Parameters
    ----------
    grid : Grid, optional
        Of the finest band over the tile, on which the inventory wants what is prepared; without it
        that of the product itself, as `prepare` looks at it.
    """
    try:
        wanted = product_format.acquisition(request)
        there = _bands_there(replace(request, bands=product_format.band_names), product_format)
    except InputDataError as error:
        return [str(error)]
    faults = [f"{path} is missing" for path in wanted.files if not exists(path)]
    faults = faults or _faults(there, product_format)
    if faults or grid is None:
        return faults
    return acquisition_faults(wanted, product_format, grid)


def power_problems(sensor: str, images: Grid, tile: Grid, moved: bool) -> Iterator[str]:
    """Why images of power cannot be prepared on their own grid: it would have to be left afterwards.

    Power is interpolated before it becomes decibels; what is prepared are decibels.
    """
    if moved or not (is_coarser(images, tile, 1) or part_of(images, tile)):
        reason = (
            "its images are moved onto a reference"
            if moved
            else f"the grid of the tile ({_shown(tile)}) is not that of its images ({_shown(images)})"
        )
        yield (
            f"sensors.{sensor}.prepare: {reason}, and decibels must not be interpolated; leave `prepare` out: "
            "the images are read as they are then"
        )


def _shown(grid: Grid) -> str:
    return f"pixels of {grid.resolution:.10g} from {grid.left:.10g}, {grid.top:.10g} on"


def grd_settings(options: Mapping[str, Any]) -> GrdSettings:
    """How Sentinel-1 is prepared, from the options of its section."""
    elevation = Elevation(
        options["dem"], options["geoid"] or default_geoid(), options["missing_is_sea"]
    )
    return GrdSettings(
        elevation,
        tuple(options["polarisations"]),
        options["calibration"],
        options["remove_noise"],
        options["interpolation"],
    )


def _files_of_frames(request: Request) -> Iterator[str]:
    for name in request.sources:
        product = request.folder / name
        for path in [product, *sorted(product.rglob("*"))]:  # a zip is a file itself
            if path.is_file():
                yield str(path)


def pass_faults(request: Request) -> list[str]:
    """What is wrong with the frames of a pass that will be prepared."""
    settings = grd_settings(request.options)
    return [
        fault
        for name in request.sources
        for fault in frame_problems(request.folder / name, settings)
    ]


def prepare_pass(request: Request, grid: Grid, output: Path) -> None:
    """Prepare a pass of Sentinel-1 over a tile, unless it stands there of the same frames.

    Raises
    ------
    InputDataError
        If a frame, the elevation model or the geoid cannot be used.
    """
    target = output / request.name
    paths = list(_files_of_frames(request))
    state = _state_of(paths, request.folder)
    if _stands(target, state, VERSIONS["radar"]):
        return
    folders = [request.folder / name for name in request.sources]
    prepare_grd(folders, grid, grd_settings(request.options), target)
    about = {"product": request.name, "version": VERSIONS["radar"], "source": state}
    with whole_file(str(target / ABOUT)) as temporary:
        Path(temporary).write_text(json.dumps(about, indent=1), encoding="utf-8")


def prepare(request: Request, product_format: ProductFormat, output: Path, threads: int) -> None:
    """Prepare one product, unless it stands there of the same source.

    Raises
    ------
    InputDataError
        If a file is missing, cannot be decoded, or lies elsewhere than the others.
    """
    target = output / folder_of(request.name)
    acquisition = _known_bands(request, product_format)
    state = source_state(request, acquisition)
    if _stands(target, state, VERSIONS["preparation"]):
        return
    with whole_folder(str(target)) as temporary:
        folder = Path(temporary)
        with ThreadPoolExecutor(threads) as pool:
            for path in pool.map(
                lambda item: _write_band(item[1], folder / f"{item[0]}.tif"),
                acquisition.bands.items(),
            ):
                logger.info("%s", path)
        _write_mask(acquisition, folder / MASK)
        about = {
            "product": request.name,
            "version": VERSIONS["preparation"],
            "bands": list(acquisition.bands),
            "source": state,
        }
        (folder / ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")


def _known_bands(request: Request, product_format: ProductFormat) -> Acquisition:
    """Files of all bands that a product has; each of them must be whole."""
    acquisition = _bands_there(request, product_format)
    faults = _faults(acquisition, product_format)
    if faults:
        raise InputDataError(", ".join(faults))
    return acquisition


def _bands_there(request: Request, product_format: ProductFormat) -> Acquisition:
    """Files of the bands whose image is there."""
    acquisition = _acquisition(request, product_format)
    bands = {band: image for band, image in acquisition.bands.items() if exists(image.path)}
    if not bands:
        raise InputDataError(f"{request.product}: holds no image; fetch it again")
    return replace(acquisition, bands=bands)


def _acquisition(request: Request, product_format: ProductFormat) -> Acquisition:
    """Files of the bands that a product has: whoever needs another will be told."""
    try:
        return product_format.acquisition(request)
    except InputDataError:
        kept = [band for band in request.bands if _has(product_format, request, band)]
        if not kept:
            raise
        return product_format.acquisition(replace(request, bands=kept))


def _has(product_format: ProductFormat, request: Request, band: str) -> bool:
    try:
        product_format.acquisition(replace(request, bands=(band,)))
    except InputDataError:
        return False
    return True


def _faults(acquisition: Acquisition, product_format: ProductFormat) -> list[str]:
    """What is wrong with files that are missing, cut off, not what their format says, or elsewhere than most."""
    faults = [fault for path in acquisition.files for fault in file_faults(path)]
    return faults or acquisition_faults(
        acquisition, product_format, _own_grid(acquisition, product_format)
    )


def _own_grid(acquisition: Acquisition, product_format: ProductFormat) -> Grid:
    """Grid of most of the finest bands that a product has."""
    finest = [band for band in acquisition.bands if product_format.factors(band) == (1,)]
    grids = [grid_of(acquisition.bands[band].path) for band in finest or acquisition.bands]
    return Counter(grids).most_common(1)[0][0]


def source_state(request: Request, acquisition: Acquisition) -> dict[str, list[int]]:
    """Size and time of change of the files that a product is prepared from."""
    archive = request.archive
    paths = [str(request.folder / archive)] if archive else acquisition.files
    return _state_of(paths, request.folder)


def _state_of(paths: Sequence[str], folder: Path) -> dict[str, list[int]]:
    states = {}
    for path in paths:
        about = os.stat(path)
        states[os.path.relpath(path, folder)] = [about.st_size, about.st_mtime_ns]
    return states


def _stands(target: Path, state: Mapping[str, list[int]], version: int) -> bool:
    """Whether a product stands there, made by this version of the same source."""
    try:
        about = json.loads((target / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return (about.get("source"), about.get("version")) == (state, version)


def _write_band(image: Image, path: Path) -> Path:
    """Write the values of a band on its own grid.

    Differences of neighbours make optical images smaller by a fifth; those of speckle do not.
    """
    grid = grid_of(image.path)
    source = image_on(grid, image)
    rows = _rows(grid)
    options = () if image.decibel else ("PREDICTOR=2",)
    with create_raster(str(path), grid, "int16", nodata=NODATA, options=options) as raster:
        for window in grid.windows(rows):
            values, seen = source.observe(window)
            values[~seen] = NODATA
            raster.write(values, window)
    return path


def _write_mask(acquisition: Acquisition, path: Path) -> None:
    """Write what the masks of a product say together, on the grid of the finest.

    Of a product without masks all is clear: its bands tell where they have no data.
    """
    files = acquisition.masks or acquisition.bands.values()
    grids = [grid_of(item.path) for item in files]
    grid = min(grids, key=lambda item: item.resolution)
    codes = Reading(continuous=False, covered=True)
    sources = [(mask, GridBand(mask.path, grid, codes, mask.band)) for mask in acquisition.masks]
    with create_raster(str(path), grid, "uint8") as raster:
        for window in grid.windows(_rows(grid)):
            raster.write(_combined(sources, window), window)


def _combined(sources: Sequence[tuple[Mask, GridBand]], window: Window) -> np.ndarray:
    out = np.full((window.rows, window.cols), CLEAR, dtype=np.uint8)
    unseen = np.zeros(out.shape, dtype=bool)
    for mask, source in sources:
        values, covered = source.observe(window)
        unseen |= ~covered | mask.unseen.found(values)
        out[mask.unusable.found(values)] = UNUSABLE
    out[unseen] = UNSEEN
    return out


def _rows(grid: Grid) -> int:
    """Rows of the windows: whole blocks of JPEG 2000 (1024), which are decoded once."""
    return math.ceil(min(grid.rows, 4 * BLOCK) / BLOCK) * BLOCK
