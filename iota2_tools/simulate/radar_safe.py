"""Sentinel-1 IW GRD as ESA delivers it: a SAFE with images in the geometry of the radar."""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from osgeo import gdal, osr

from iota2_tools.core.files import whole_folder
from iota2_tools.geo.grid import Window
from iota2_tools.geo.raster import gdal_failures_raise
from iota2_tools.simulate import safe_texts
from iota2_tools.simulate.hashing import stream_key, uniform
from iota2_tools.simulate.landscape import describe_land
from iota2_tools.simulate.radar import (
    POLARISATIONS,
    REFLECTOR_POWER,
    RadarPass,
    parcel_backscatter,
    radar_passes,
    reflectors,
    speckle_over,
    world_pixels,
)
from iota2_tools.simulate.radar_geometry import BLANK, LINE_INTERVAL, STEP, PassGeometry
from iota2_tools.simulate.relief import TO_DEGREES, land_height, sea_height
from iota2_tools.simulate.settings import FALSE_NORTHING, RESOLUTION, SceneSettings

PROCESSOR = (3, 31)
NEW_NOISE = (2, 90)
"""First processor that writes noise along range and azimuth, and zeros outside the swath."""
BLOCK = 512
BETA_CONSTANT = 474.0
DRIFT = 0.01
"""Change of the calibration from the first to the last line of a pass."""
VECTOR_LINES = 150
VECTOR_SAMPLES = 40
NOISE = {"VV": 1600.0, "VH": 1500.0}
"""Thermal noise in the middle of the swath, squared digital number."""
AZIMUTH_STEP = 10
SWATHS = 3
CONTROL_LINES, CONTROL_SAMPLES = 6, 8


@dataclass(frozen=True)
class GrdProduct:
    """One frame of a pass.

    Parameters
    ----------
    settings : SceneSettings
    radar_pass : RadarPass
    first, last : int
        Lines of the pass, the last included.
    processor : tuple of int
        Version of the IPF whose layout is written.
    """

    settings: SceneSettings
    radar_pass: RadarPass
    first: int
    last: int
    processor: tuple[int, int] = PROCESSOR

    @property
    def geometry(self) -> PassGeometry:
        return _geometry(self.settings, self.radar_pass.direction)

    @property
    def lines(self) -> int:
        return self.last - self.first + 1

    def time_of(self, line: int) -> datetime:
        """Of a line of the pass, UTC."""
        seconds = self.geometry.start + line * LINE_INTERVAL
        return self.radar_pass.time + timedelta(seconds=seconds)

    @property
    def start(self) -> datetime:
        return self.time_of(self.first)

    @property
    def stop(self) -> datetime:
        return self.time_of(self.last)

    @property
    def name(self) -> str:
        """E.g. ``S1A_IW_GRDH_1SDV_20180104T174808_20180104T174809_020012_0221E4_5B2C.SAFE``."""
        times = "_".join(f"{time:%Y%m%dT%H%M%S}" for time in (self.start, self.stop))
        key = int(stream_key(self.settings.seed, "safe", self.start, self.stop))
        return (
            f"{self.radar_pass.platform}_IW_GRDH_1SDV_{times}_{self.radar_pass.absolute_orbit:06d}_"
            f"{self.datatake:06X}_{key % 0x10000:04X}.SAFE"
        )

    @property
    def datatake(self) -> int:
        return self.radar_pass.absolute_orbit * 7 + 11

    def file_stem(self, polarisation: str) -> str:
        """Name of the files of a polarisation, without ending."""
        times = "-".join(f"{time:%Y%m%dt%H%M%S}" for time in (self.start, self.stop))
        number = POLARISATIONS.index(polarisation) + 1
        return (
            f"{self.radar_pass.platform.lower()}-iw-grd-{polarisation.lower()}-{times}-"
            f"{self.radar_pass.absolute_orbit:06d}-{self.datatake:06x}-{number:03d}"
        )

    @cached_property
    def vector_samples(self) -> np.ndarray:
        """Samples that calibration and noise are given at."""
        last = self.geometry.samples - 1
        return np.unique([*range(0, last, VECTOR_SAMPLES), last])

    def amplitudes(self, kind: str) -> np.ndarray:
        """Calibration at `vector_samples` of the first line of the pass (see `drift`)."""
        angle = self.geometry.incidence(self.vector_samples)
        divisor = {"betaNought": 1.0, "sigmaNought": np.sin(angle), "gamma": np.tan(angle)}[kind]
        return BETA_CONSTANT / np.sqrt(divisor * np.ones_like(angle))

    def drift(self, lines: np.ndarray) -> np.ndarray:
        """Factor of the calibration at lines of the pass."""
        return 1.0 + DRIFT * lines / self.geometry.lines

    def noise_along_range(self, polarisation: str) -> np.ndarray:
        """Noise at `vector_samples`."""
        share = self.vector_samples / self.geometry.samples
        return NOISE[polarisation] * (1.0 + 0.4 * np.cos(9.0 * share))

    @cached_property
    def swaths(self) -> list[tuple[int, int]]:
        """First and last sample of each swath, whose noise changes along the orbit in its own way."""
        edges = np.linspace(0, self.geometry.samples, SWATHS + 1).astype(int)
        return [(int(first), int(last) - 1) for first, last in itertools.pairwise(edges)]

    def azimuth_lines(self) -> np.ndarray:
        """Lines of the frame that the noise along the orbit is given at: every tenth of the pass."""
        first = -(-self.first // AZIMUTH_STEP) * AZIMUTH_STEP
        tenths = np.arange(first, self.last + 1, AZIMUTH_STEP) - self.first
        return np.unique([0, *tenths, self.lines - 1])

    def noise_along_azimuth(self, swath: int, lines: np.ndarray) -> np.ndarray:
        """Factor of the noise at lines of the frame, linear between every tenth line of the pass."""
        if self.processor < NEW_NOISE:
            return np.ones(len(lines))
        tenths = np.arange(0, self.geometry.lines + AZIMUTH_STEP, AZIMUTH_STEP)
        return np.interp(lines + self.first, tenths, 1.0 + 0.2 * np.sin(0.05 * tenths + swath))


@lru_cache(maxsize=4)
def _geometry(settings: SceneSettings, direction: str) -> PassGeometry:
    return PassGeometry(settings, direction)


def plan_frames(settings: SceneSettings, place: str) -> list[GrdProduct]:
    """Frames of all passes in order of time; every second pass is cut in two."""
    products = []
    for number, radar_pass in enumerate(radar_passes(settings)):
        lines = _geometry(settings, radar_pass.direction).lines
        draw = uniform(stream_key(settings.seed, "frames", radar_pass.day))
        cuts = [int(lines * (0.3 + 0.4 * draw))] if number % 2 else []
        edges = [0, *cuts, lines]
        products += [
            GrdProduct(settings, radar_pass, first, following - 1)
            for first, following in itertools.pairwise(edges)
        ]
    return products


def write_frame(
    settings: SceneSettings, product: GrdProduct, lands: list[Path], folder: Path
) -> None:
    """Write one SAFE; it bears its name once it is whole. The land is computed where it is seen."""
    with whole_folder(str(folder / product.name)) as temporary:
        root = Path(temporary)
        points = control_points(product)
        write_texts(product, points, root)
        _write_images(product, points, root)


def write_texts(product: GrdProduct, points: np.ndarray, root: Path) -> None:
    """Write all files of a SAFE but its images, and the folder of these."""
    for name in ("measurement", "annotation/calibration"):
        (root / name).mkdir(parents=True)
    texts = {"manifest.safe": safe_texts.manifest(product, points)}
    for name in POLARISATIONS:
        stem, vectors = product.file_stem(name), "annotation/calibration"
        texts |= {
            f"annotation/{stem}.xml": safe_texts.annotation(product, name, points),
            f"{vectors}/calibration-{stem}.xml": safe_texts.calibration(
                product, name, VECTOR_LINES
            ),
            f"{vectors}/noise-{stem}.xml": safe_texts.noise(product, name, VECTOR_LINES),
        }
    for place, text in texts.items():
        (root / place).write_text(text, encoding="utf-8")


def control_points(product: GrdProduct) -> np.ndarray:
    """Line (of the frame), sample, longitude, latitude, height above the ellipsoid, range, time.

    Shape (points, 7): range in m, time in seconds after the middle of the scene.
    """
    lines = np.unique(np.linspace(0, product.lines - 1, CONTROL_LINES).astype(int))
    samples = np.unique(np.linspace(0, product.geometry.samples - 1, CONTROL_SAMPLES).astype(int))
    line, sample = (
        array.ravel().astype(float) for array in np.meshgrid(lines, samples, indexing="ij")
    )
    x, y = product.geometry.ground(line + product.first, sample)
    longitude, latitude = TO_DEGREES.transform(x, y)
    height = land_height(product.settings, x, y) + sea_height(longitude, latitude)
    times, ranges = product.geometry.seen(x, y)
    return np.stack([line, sample, longitude, latitude, height, ranges, times], axis=-1)


def _write_images(product: GrdProduct, points: np.ndarray, root: Path) -> None:
    """Write the digital numbers of all polarisations, block by block."""
    cols = product.geometry.samples
    datasets = {}
    for polarisation in POLARISATIONS:
        path = str(root / "measurement" / f"{product.file_stem(polarisation)}.tiff")
        with gdal_failures_raise(path):
            datasets[path] = create_image(path, product, points)
    lights = _reflector_lights(product)
    for row in range(0, product.lines, BLOCK):
        for col in range(0, cols, BLOCK):
            window = Window(row, col, min(BLOCK, product.lines - row), min(BLOCK, cols - col))
            numbers = take_numbers(product, window, lights)
            for path, values in zip(datasets, numbers, strict=True):
                with gdal_failures_raise(path):
                    datasets[path].GetRasterBand(1).WriteArray(values, col, row)
    for path in list(datasets):
        with gdal_failures_raise(path):
            datasets[path].FlushCache()
            del datasets[path]


def create_image(path: str, product: GrdProduct, points: np.ndarray) -> gdal.Dataset:
    """An image of a frame, without its numbers."""
    dataset = gdal.GetDriverByName("GTiff").Create(
        path, product.geometry.samples, product.lines, 1, gdal.GDT_UInt16
    )
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    dataset.SetGCPs(
        [
            gdal.GCP(
                float(point[2]), float(point[3]), float(point[4]), float(point[1]), float(point[0])
            )
            for point in points
        ],
        reference.ExportToWkt(),
    )
    platform = product.radar_pass.platform
    dataset.SetMetadata(
        {
            "TIFFTAG_IMAGEDESCRIPTION": f"Sentinel-{platform[1:]} IW GRD HR L1",
            "TIFFTAG_SOFTWARE": f"Sentinel-1 IPF {product.processor[0]:03d}.{product.processor[1]}",
        }
    )
    return dataset


def take_numbers(
    product: GrdProduct, window: Window, lights: np.ndarray | None = None
) -> np.ndarray:
    """Digital numbers of a window of a frame, uint16, shape (2, rows, cols): VV and VH.

    Parameters
    ----------
    product : GrdProduct
    window : Window
    lights : ndarray of float64, shape (n, 3), optional
        Line of the frame, sample and power of pixels that corner reflectors brighten.
    """
    lines = np.arange(window.row, window.row + window.rows)
    samples = np.arange(window.col, window.col + window.cols)
    power = _backscatter(product, window)
    bright = np.zeros((window.rows, window.cols))
    for line, sample, light in _reflector_lights(product) if lights is None else lights:
        row, col = int(line) - window.row, int(sample) - window.col
        if 0 <= row < window.rows and 0 <= col < window.cols:
            bright[row, col] += light
    gain = np.interp(samples, product.vector_samples, product.amplitudes("gamma"))
    gain = (gain * product.drift(lines + product.first)[:, np.newaxis]) ** 2
    numbers = np.empty(power.shape, dtype=np.uint16)
    place = Window(window.row + product.first, window.col, window.rows, window.cols)
    for layer, polarisation in enumerate(POLARISATIONS):
        speckle = speckle_over(
            product.settings,
            place,
            product.radar_pass.day,
            product.radar_pass.direction,
            polarisation,
        )
        noise = _noise(product, polarisation, lines, samples)
        energy = (power[layer] * gain + noise) * speckle + bright * gain
        numbers[layer] = np.rint(np.sqrt(energy)).clip(1, 65535)
    outside = _outside(product, lines, samples)
    left_over = 0 if product.processor >= NEW_NOISE else 1 + (lines[:, np.newaxis] + samples) % 9
    numbers[:, outside] = np.broadcast_to(left_over, outside.shape)[outside]
    return numbers


def _backscatter(product: GrdProduct, window: Window) -> np.ndarray:
    """Gamma nought without speckle over a window of a frame, shape (2, rows, cols)."""
    lines = np.arange(0, window.rows + STEP, STEP)
    samples = np.arange(0, window.cols + STEP, STEP)
    nodes = np.meshgrid(
        lines + float(window.row + product.first), samples + float(window.col), indexing="ij"
    )
    x, y = (_refined(field, window.rows, window.cols) for field in product.geometry.ground(*nodes))
    rows, cols = world_pixels(x, y)
    seen = Window(int(rows.min()), int(cols.min()), int(np.ptp(rows)) + 1, int(np.ptp(cols)) + 1)
    land = describe_land(product.settings, seen)
    parcels = land.parcel[rows - seen.row, cols - seen.col]
    return parcel_backscatter(product.settings, land, product.radar_pass)[:, parcels]


def _refined(field: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """A field given at every `STEP`-th pixel, at all of them."""
    for axis, count in enumerate((rows, cols)):
        place = np.arange(count) / STEP
        before = place.astype(int)
        share = np.expand_dims(place - before, 1 - axis)
        low, high = (np.take(field, before + shift, axis=axis) for shift in (0, 1))
        field = low + share * (high - low)
    return field


def _noise(
    product: GrdProduct, polarisation: str, lines: np.ndarray, samples: np.ndarray
) -> np.ndarray:
    """Thermal noise, squared digital number, shape (lines, samples)."""
    along = product.noise_along_range(polarisation)
    noise = np.tile(np.interp(samples, product.vector_samples, along), (len(lines), 1))
    for swath, (first, last) in enumerate(product.swaths):
        factor = product.noise_along_azimuth(swath, lines)
        inside = (samples >= first) & (samples <= last)
        noise[:, inside] *= factor[:, np.newaxis]
    return noise


def _outside(product: GrdProduct, lines: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """True outside the swath: along the edges of the pass, not where frames meet."""
    line = lines[:, np.newaxis] + product.first
    outside = (line < BLANK) | (line >= product.geometry.lines - BLANK)
    return outside | (samples < BLANK) | (samples >= product.geometry.samples - BLANK)


def _reflector_lights(product: GrdProduct) -> np.ndarray:
    """Line of the frame, sample and power of the four pixels around each corner reflector."""
    places = np.array(reflectors(product.settings), dtype=float).reshape(-1, 2)
    x = (places[:, 1] + 0.5) * RESOLUTION
    y = FALSE_NORTHING - (places[:, 0] + 0.5) * RESOLUTION
    lines, samples = product.geometry.place(x, y)
    lights = []
    for down in (0, 1):
        for right in (0, 1):
            row, col = np.floor(lines) + down, np.floor(samples) + right
            weight = (1.0 - np.abs(lines - row)) * (1.0 - np.abs(samples - col))
            lights.append(np.stack([row - product.first, col, REFLECTOR_POWER * weight], axis=-1))
    return np.concatenate(lights)
