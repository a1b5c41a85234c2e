"""A pass of Sentinel-1 GRD becomes backscatter on the grid of a tile.

Window by window of the tile: the place of its nodes in each frame, the part of the image around
them, its calibration, its resampling. Where two frames meet, the first that sees a pixel gives it.
"""

import json
import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyproj
from osgeo import gdal

from iota2_tools.core.errors import InputDataError
from iota2_tools.core.files import whole_folder
from iota2_tools.geo.earth import earth_fixed
from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.raster import block_cache, create_raster, open_raster, read_window
from iota2_tools.radar.annotation import Annotation, read_annotation
from iota2_tools.radar.borders import CLEAN_BORDERS, Borders, find_borders
from iota2_tools.radar.calibration import Noise, Vectors, backscatter, read_calibration, read_noise
from iota2_tools.radar.decibels import to_decibels
from iota2_tools.radar.elevation import Heights, node_grid, node_step
from iota2_tools.radar.geocoding import check_geometry, place_in_image
from iota2_tools.radar.resampling import resample
from iota2_tools.radar.safe import SAME_START, Channel, Frame, one_pass, read_frame
from iota2_tools.radar.settings import NODATA, GrdSettings
from iota2_tools.radar.xml_files import REMEDY, header_of, text_at, time_at
from iota2_tools.radar.zips import texts_unpacked, unpacked

logger = logging.getLogger(__name__)

VALIDITY = "validity.tif"
DESCRIPTION = "product.json"
WINDOW = 1024
"""Side of the windows, pixels of the tile: whole blocks."""
CACHE_MB = 256
"""Of GDAL: lines of the images that the next window reads as well."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One polarisation of a frame, open.

    Parameters
    ----------
    image : gdal.Dataset
    amplitude : Vectors
        Calibration.
    noise : Noise
    remove_noise : bool
        Whether it is to be taken away.
    clean_borders : bool
        Whether there are zeros outside the swath, and no left-overs.
    """

    image: gdal.Dataset
    amplitude: Vectors
    noise: Noise
    remove_noise: bool
    clean_borders: bool

    @cached_property
    def borders(self) -> Borders | None:
        """Looked for when they are asked for: that reads the edges of the whole image."""
        return None if self.clean_borders else find_borders(self.image, self.noise)

    def power(self, window: Window) -> np.ndarray:
        """Calibrated linear power over a window of the image, float32; NaN without data."""
        numbers = read_window(self.image, window, 1)
        noise = self.noise.over(window) if self.remove_noise else None
        power = backscatter(numbers, self.amplitude.over(window), noise)
        if self.borders:
            power[~self.borders.inside(window)] = np.nan
        return power


@dataclass(frozen=True, eq=False)
class OpenFrame:
    """A frame with the geometry of its images, which is one for all polarisations."""

    frame: Frame
    annotation: Annotation
    layers: tuple[Layer, ...]

    def power(self, window: Window) -> np.ndarray:
        """Calibrated linear power, float32, shape (polarisations, rows, cols)."""
        return np.stack([layer.power(window) for layer in self.layers])


def open_frame(frame: Frame, settings: GrdSettings) -> OpenFrame:
    """Open what a frame is made of, and check that it fits together.

    Raises
    ------
    InputDataError
        If a polarisation, its calibration or its noise is missing, an image has another size or type
        than its annotation says, or is cut, or orbit and control points do not agree.
    """
    annotations = _annotations(frame, settings)
    first = annotations[0]
    for name, annotation in zip(settings.polarisations, annotations, strict=True):
        if annotation.polarisation != name:
            raise InputDataError(
                f"{annotation.path}: is of {annotation.polarisation}, not of {name}; {REMEDY}"
            )
        if (annotation.lines, annotation.samples) != (first.lines, first.samples):
            raise InputDataError(
                f"{frame.folder}: {first.polarisation} has {first.lines} x {first.samples} pixels, "
                f"{name} {annotation.lines} x {annotation.samples}; {REMEDY}"
            )
    check_geometry(first)
    return OpenFrame(
        frame, first, tuple(_open_layer(frame, settings, annotation) for annotation in annotations)
    )


def _annotations(frame: Frame, settings: GrdSettings) -> list[Annotation]:
    """Annotation of each polarisation that is asked for."""
    missing = [name for name in settings.polarisations if name not in frame.channels]
    if missing:
        raise InputDataError(
            f"{frame.folder}: has no image of {', '.join(missing)} (found: {', '.join(frame.channels)}); "
            "fetch it again, leave it out, or ask for the polarisations that all products have"
        )
    return [read_annotation(frame.channels[name].annotation) for name in settings.polarisations]


def _open_layer(frame: Frame, settings: GrdSettings, annotation: Annotation) -> Layer:
    channel = frame.channels[annotation.polarisation]
    _refuse_others(frame, channel)
    image = open_raster(str(channel.measurement))
    shape = (image.RasterYSize, image.RasterXSize)
    if shape != (annotation.lines, annotation.samples):
        raise InputDataError(
            f"{channel.measurement}: has {shape[0]} x {shape[1]} pixels, its annotation says "
            f"{annotation.lines} x {annotation.samples}; {REMEDY}"
        )
    if image.RasterCount != 1 or image.GetRasterBand(1).DataType != gdal.GDT_UInt16:
        kind = gdal.GetDataTypeName(image.GetRasterBand(1).DataType)
        raise InputDataError(
            f"{channel.measurement}: {image.RasterCount} band(s) of {kind}; GRD has one of UInt16; {REMEDY}"
        )
    read_window(image, Window(shape[0] - 1, 0, 1, shape[1]), 1)  # a cut file lacks its end
    return Layer(
        image,
        read_calibration(channel.calibration, settings.calibration),
        read_noise(channel.noise),
        settings.remove_noise and not annotation.noise_removed,
        frame.version >= CLEAN_BORDERS,
    )


def _refuse_others(frame: Frame, channel: Channel) -> None:
    """Raise InputDataError if a text file of a channel is of another product, or of another polarisation."""
    for path in (channel.annotation, channel.calibration, channel.noise):
        header = header_of(path)
        if header is None:
            continue
        start, polarisation = (
            time_at(header, "startTime", path),
            text_at(header, "polarisation", path),
        )
        if abs(start - frame.start) > SAME_START or polarisation != channel.polarisation:
            raise InputDataError(
                f"{path}: is that of {polarisation} of {start:%Y-%m-%d %H:%M:%S}, the product begins at "
                f"{frame.start:%Y-%m-%d %H:%M:%S} and {channel.polarisation} is needed; {REMEDY}"
            )


def frame_problems(product: Path, settings: GrdSettings) -> list[str]:
    """What keeps a product from being prepared, by the function the preparation opens it with.

    Of one in a zip the images are not looked at: they would have to be unpacked.
    """
    try:
        frame = read_frame(Path(product))
        if frame.folder.is_dir():
            open_frame(frame, settings)
            return []
    except InputDataError as error:
        return [str(error)]
    return _problems_of_texts(frame.folder, settings)


def _problems_of_texts(archive: Path, settings: GrdSettings) -> list[str]:
    """The same of what stands in a zip beside the images."""
    with texts_unpacked(archive) as folder:
        try:
            frame = read_frame(folder)
            for annotation in _annotations(frame, settings):
                channel = frame.channels[annotation.polarisation]
                _refuse_others(frame, channel)
                read_calibration(channel.calibration, settings.calibration)
                read_noise(channel.noise)
        except InputDataError as error:
            return [str(error).replace(str(folder), f"{archive}/{folder.name}")]
    return []


def prepare_grd(
    safes: Sequence[Path], grid: Grid, settings: GrdSettings, output: Path
) -> dict[str, object]:
    """Write the backscatter of a pass on the grid of a tile.

    Parameters
    ----------
    safes : sequence of Path
        Frames of one pass, folders or zips. One that is missing leaves pixels that were not seen.
    grid : Grid
        Of the tile.
    settings : GrdSettings
    output : Path
        Folder that is made: ``VV.tif``, ``VH.tif`` (int16, decibels x 100, nodata -32768),
        `VALIDITY` (1: seen) and `DESCRIPTION`. It bears its name once it is whole. Zips are
        unpacked beside it meanwhile.

    Returns
    -------
    dict
        What `DESCRIPTION` holds.

    Raises
    ------
    InputDataError
        If a product, the DEM or the geoid cannot be used.
    """
    with ExitStack() as stack:
        scratch = Path(output).parent
        folders = [stack.enter_context(unpacked(Path(safe), scratch)) for safe in safes]
        frames = one_pass([read_frame(folder) for folder in folders])
        return _prepare(frames, grid, settings, output)


def _prepare(
    frames: Sequence[Frame], grid: Grid, settings: GrdSettings, output: Path
) -> dict[str, object]:
    logger.info(
        "%s: %d frame(s), %s, orbit %d, onto %d x %d pixels",
        frames[0].name, len(frames), frames[0].direction, frames[0].orbit, grid.rows, grid.cols,
    )  # fmt: skip
    with block_cache(CACHE_MB):
        opened = [open_frame(frame, settings) for frame in frames]
        with whole_folder(str(output)) as folder:
            seen = _write(opened, grid, settings, Path(folder))
            description = _description(frames, grid, settings, seen)
            text = json.dumps(description, indent=2) + "\n"
            (Path(folder) / DESCRIPTION).write_text(text, encoding="utf-8")
    logger.info("%s: %.1f %% of the tile seen", frames[0].name, 100 * seen / grid.window.size)
    return description


def _write(frames: list[OpenFrame], grid: Grid, settings: GrdSettings, folder: Path) -> int:
    """Write images and validity; number of pixels seen."""
    tags = _tags(frames[0].frame, settings)
    nodes = Nodes(grid, settings)
    total = 0
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                create_raster(
                    str(folder / f"{name}.tif"), grid, "int16", nodata=NODATA,
                    descriptions=(name,), tags={**tags, "POLARIZATION": name.lower()},
                )
            )
            for name in settings.polarisations
        ]  # fmt: skip
        validity = stack.enter_context(
            create_raster(str(folder / VALIDITY), grid, "uint8", tags=tags, options=("NBITS=1",))
        )
        for window in grid.windows(WINDOW, WINDOW):
            power = orthorectified(frames, nodes, window)
            seen = ~np.isnan(power[0])
            total += int(seen.sum())
            for writer, values in zip(writers, power, strict=True):
                writer.write(to_decibels(values), window)
            validity.write(seen.astype(np.uint8), window)
    return total


class Nodes:
    """Points of the ground at every few pixels of a tile, whose place in an image is computed.

    Parameters
    ----------
    grid : Grid
        Of the tile.
    settings : GrdSettings
    """

    def __init__(self, grid: Grid, settings: GrdSettings) -> None:
        self.settings = settings
        self.step = node_step(grid, settings.grid_spacing)
        self.grid = node_grid(grid, self.step)
        self.heights = Heights(settings.elevation, self.grid, grid)
        self._to_degrees = pyproj.Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)

    def window(self, pixels: Window) -> Window:
        """Nodes around the pixels of a window of the tile."""
        row, col = pixels.row // self.step, pixels.col // self.step
        last_row = -(-(pixels.row + pixels.rows - 1) // self.step)
        last_col = -(-(pixels.col + pixels.cols - 1) // self.step)
        return Window(row, col, last_row - row + 1, last_col - col + 1)

    def points(self, window: Window) -> np.ndarray:
        """Earth-fixed coordinates of nodes, m, shape (rows, cols, 3)."""
        longitude, latitude = self._to_degrees.transform(*self.heights.places(window))
        return earth_fixed(longitude, latitude, self.heights.read(window))


def orthorectified(frames: Sequence[OpenFrame], nodes: Nodes, window: Window) -> np.ndarray:
    """Linear power over a window of the tile, float32, shape (polarisations, rows, cols).

    NaN where no frame sees the pixel. Any window gives what the whole tile gives.
    """
    around = nodes.window(window)
    points = nodes.points(around)
    settings = nodes.settings
    shape = (len(settings.polarisations), window.rows, window.cols)
    out = np.full(shape, np.nan, dtype=np.float32)
    for frame in frames:
        lines, samples = place_in_image(frame.annotation, points)
        part = image_part(lines, samples, frame.annotation)
        if part is None:
            continue
        resample(
            lines,
            samples,
            nodes.step,
            window.row - around.row * nodes.step,
            window.col - around.col * nodes.step,
            frame.power(part),
            (part.row, part.col),
            settings.interpolation == "linear",
            out,
        )
    return out


def image_part(lines: np.ndarray, samples: np.ndarray, annotation: Annotation) -> Window | None:
    """Window of an image that holds all pixels around some places; None if it holds none."""
    if np.isnan(lines).all():
        return None
    first_row = max(int(np.floor(np.nanmin(lines))) - 1, 0)
    first_col = max(int(np.floor(np.nanmin(samples))) - 1, 0)
    last_row = min(int(np.ceil(np.nanmax(lines))) + 1, annotation.lines - 1)
    last_col = min(int(np.ceil(np.nanmax(samples))) + 1, annotation.samples - 1)
    if last_row < first_row or last_col < first_col:
        return None
    return Window(first_row, first_col, last_row - first_row + 1, last_col - first_col + 1)


def _tags(frame: Frame, settings: GrdSettings) -> dict[str, str]:
    """TIFF tags, named as S1Tiling names them."""
    return {
        "ACQUISITION_DATETIME": frame.start.strftime("%Y:%m:%dT%H:%M:%SZ"),
        "CALIBRATION": settings.calibration,
        "FLYING_UNIT_CODE": frame.platform.lower(),
        "NOISE_REMOVED": str(settings.remove_noise),
        "ORBIT_DIRECTION": frame.direction,
        "ORTHORECTIFIED": "true",
        "RELATIVE_ORBIT_NUMBER": f"{frame.orbit:03d}",
    }


def _description(
    frames: Sequence[Frame], grid: Grid, settings: GrdSettings, seen: int
) -> dict[str, object]:
    first = frames[0]
    return {
        "platform": first.platform,
        "direction": first.direction,
        "orbit": first.orbit,
        "start": first.start.isoformat(),
        "stop": max(frame.stop for frame in frames).isoformat(),
        "frames": [frame.name for frame in frames],
        "processor": sorted({".".join(map(str, frame.version)) for frame in frames}),
        "settings": settings.as_dict(),
        "grid": grid.as_dict(),
        "seen_pixels": seen,
        "unit": "decibels x 100",
        "nodata": NODATA,
    }
