"""The land: blocks of parallel fields, forests, villages, lakes and a river; two regions.

Each pixel of the world grid belongs to one parcel. A parcel is a field of a jittered-grid
Voronoi block, or the part of it under a forest, a village, a road or water.
"""

import math
from dataclasses import dataclass

import numpy as np

from iota2_tools.core.kernels import kernel
from iota2_tools.geo.grid import Window
from iota2_tools.simulate.hashing import hash_at, mix, normal, stream_key, uniform, value_noise
from iota2_tools.simulate.settings import SceneSettings, scene_window

NOMENCLATURE = (
    (1, "Built-up", "#d1495b", "Artificial"),
    (2, "Winter wheat", "#f2d974", "Annual crops"),
    (3, "Winter barley", "#d9b44a", "Annual crops"),
    (4, "Rapeseed", "#ffe600", "Annual crops"),
    (5, "Maize", "#f4a259", "Annual crops"),
    (6, "Sunflower", "#b5651d", "Annual crops"),
    (7, "Pasture", "#a7d46f", "Grassland"),
    (8, "Hay meadow", "#6fbf73", "Grassland"),
    (9, "Broad-leaved forest", "#2e8b3d", "Forest"),
    (10, "Coniferous forest", "#0b4f3c", "Forest"),
    (11, "Water", "#2b7bba", "Water"),
)
BUILT, WHEAT, BARLEY, RAPESEED, MAIZE, SUNFLOWER, PASTURE, MEADOW, BROAD_LEAVED, CONIFER, WATER = (
    row[0] for row in NOMENCLATURE
)
CODES = tuple(row[0] for row in NOMENCLATURE)

# Cumulated shares of the crops (wheat to hay meadow) in region 1 (plain) and 2 (hills).
CROP_SHARES = np.cumsum(
    [
        [0.25, 0.13, 0.11, 0.23, 0.10, 0.10, 0.08],
        [0.15, 0.11, 0.10, 0.12, 0.18, 0.19, 0.15],
    ],
    axis=1,
)

FIELDS = (WHEAT, BARLEY, RAPESEED, MAIZE, SUNFLOWER, PASTURE, MEADOW)
BECOMES = (*FIELDS, BUILT)
"""What a field may be in another year."""

# Lengths in pixels of 10 m.
BLOCK_SPACING = 62
MARGIN = 40
REGION_STEP = 32

STREAMS = (
    "blocks", "parcels", "warp x", "warp y", "lakes", "lake shore", "villages", "village edge",
    "river", "forest", "copses", "woods", "roads", "texture", "fine texture", "grain",
)  # fmt: skip
(
    BLOCKS, PARCELS, WARP_X, WARP_Y, LAKES, SHORE, VILLAGES, VILLAGE_EDGE,
    RIVER, FOREST, COPSES, WOODS, ROADS, TEXTURE, FINE_TEXTURE, GRAIN,
) = range(len(STREAMS))  # fmt: skip

TEXTURE_UNIT = 31.0


@dataclass(frozen=True)
class Land:
    """What does not change over the year, for a window of the world grid.

    Parameters
    ----------
    window : Window
        Rows and columns of the world grid.
    parcel : ndarray of int32, shape (rows, cols)
        Row of `identifiers` and its fellows.
    texture : ndarray of int8, shape (rows, cols)
        Variation within a parcel, in units of 1/31 of its deviation.
    identifiers : ndarray of uint64, shape (parcels,)
        Names of the parcels, the same in any window.
    codes, regions : ndarray of uint8, shape (parcels,)
        Class and region (1 or 2).
    beside : ndarray of int32, shape (rows, cols), optional
        Parcel that a mixed pixel holds a part of; by default no pixel is mixed.
    part : ndarray of float32, shape (rows, cols), optional
        That part, from 0 (not mixed) to 0.5.
    """

    window: Window
    parcel: np.ndarray
    texture: np.ndarray
    identifiers: np.ndarray
    codes: np.ndarray
    regions: np.ndarray
    beside: np.ndarray | None = None
    part: np.ndarray | None = None

    @property
    def class_map(self) -> np.ndarray:
        """Class code of each pixel, uint8, shape (rows, cols)."""
        return self.codes[self.parcel]


def describe_land(settings: SceneSettings, window: Window) -> Land:
    """Compute the land of a window of the world grid."""
    if not settings.mixed_edges:
        return _pure_land(settings, window)
    outer = Window(window.row - 1, window.col - 1, window.rows + 2, window.cols + 2)
    land = _pure_land(settings, outer)
    key = stream_key(settings.seed, "land", "mixed edges")
    beside, part = _mix(np.uint64(key), outer.row, outer.col, land.parcel, settings.mixed_edges)
    inner = (slice(1, -1), slice(1, -1))
    parcel, texture = (np.ascontiguousarray(each[inner]) for each in (land.parcel, land.texture))
    names = (land.identifiers, land.codes, land.regions)
    return Land(window, parcel, texture, *names, beside, part)


@kernel
def _mix(key, first_row, first_col, parcel, share):
    """For each pixel but those of the rim, the parcel it holds a part of, and that part.

    It is one of the parcels above, below, left and right, taken by chance.
    """
    rows, cols = parcel.shape
    beside = np.zeros((rows - 2, cols - 2), dtype=np.int32)
    part = np.zeros((rows - 2, cols - 2), dtype=np.float32)
    for i in range(1, rows - 1):
        for j in range(1, cols - 1):
            bits = hash_at(key, first_col + j, first_row + i)
            here = parcel[i, j]
            around = (parcel[i - 1, j], parcel[i, j + 1], parcel[i + 1, j], parcel[i, j - 1])
            first = np.int64(bits & np.uint64(3))
            for k in range(4):
                other = around[(first + k) % 4]
                if other != here:
                    beside[i - 1, j - 1] = other
                    if uniform(mix(bits)) < share:
                        part[i - 1, j - 1] = 0.5 * uniform(mix(bits + np.uint64(1)))
                    break
    return beside, part


def _pure_land(settings: SceneSettings, window: Window) -> Land:
    """The land of a window of which no pixel is mixed."""
    size = float(settings.field_size)
    keys = np.array([stream_key(settings.seed, "land", name) for name in STREAMS], dtype=np.uint64)
    limits, first = region_limits(settings, window)
    origin = (window.row, window.col)
    shape = (window.rows, window.cols)
    lattice = _lattice(window, BLOCK_SPACING, size)
    blocks = _seeds(keys[BLOCKS], *lattice, BLOCK_SPACING, 0.8)
    parcel, code, region, texture = _paint(
        keys,
        *origin,
        *shape,
        limits,
        first,
        *lattice[:2],
        *blocks,
        CROP_SHARES,
        size,
    )
    identifiers, places, index = _numbered(parcel.ravel())
    codes = codes_of_year(settings, identifiers, code.ravel()[places])
    return Land(
        window, index.reshape(shape), texture, identifiers, codes, region.ravel()[places]
    )  # fmt: skip


def codes_of_year(
    settings: SceneSettings, identifiers: np.ndarray, codes: np.ndarray
) -> np.ndarray:
    """Class of each parcel in the year of a scene: that of the land, another one for some fields.

    Parameters
    ----------
    settings : SceneSettings
        `changed` says how many.
    identifiers : ndarray of uint64, shape (parcels,)
        Names of the parcels.
    codes : ndarray of uint8, shape (parcels,)
        Classes of the land.

    Returns
    -------
    ndarray of uint8, shape (parcels,)
        A field that changes becomes any other of `BECOMES`, each as likely.
    """
    if not settings.changed:
        return codes
    key = np.uint64(stream_key(settings.seed, "change", settings.year))
    return _change(key, identifiers, codes, np.array(BECOMES, dtype=np.uint8), settings.changed)


@kernel
def _change(key, identifiers, codes, becomes, share):
    """Classes of a year; the last of `becomes` is no field."""
    found = codes.copy()
    fields = len(becomes) - 1
    for n in range(len(codes)):
        place = -1
        for k in range(fields):
            if becomes[k] == codes[n]:
                place = k
        bits = mix(identifiers[n] ^ key)
        if place >= 0 and uniform(bits) < share:
            step = 1 + np.int64(uniform(mix(bits)) * fields)
            found[n] = becomes[(place + step) % (fields + 1)]
    return found


def _numbered(names: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`np.unique` with places and numbers (int32), over runs of equal names: far fewer to sort."""
    starts = np.flatnonzero(np.r_[True, names[1:] != names[:-1]])
    lengths = np.diff(np.r_[starts, names.size])
    unique, places, numbers = np.unique(names[starts], return_index=True, return_inverse=True)
    return unique, starts[places], np.repeat(numbers.astype(np.int32), lengths)


def region_limits(settings: SceneSettings, window: Window) -> tuple[np.ndarray, int]:
    """Column of the border between the two regions, at every 32nd row of the world.

    Returns
    -------
    ndarray of float64
        World column of the border at each node.
    int
        Node of the first element; node n lies at world row 32 n.
    """
    scene = scene_window(settings)
    key = stream_key(settings.seed, "land", "region border")
    margin = math.ceil((MARGIN + BLOCK_SPACING * 2) * max(settings.field_size, 1))
    first = (window.row - margin) // REGION_STEP
    last = (window.row + window.rows + margin) // REGION_STEP + 2
    rows = np.arange(first, last) * REGION_STEP
    middle = scene.col + scene.cols / 2
    lean = 0.2 * (rows - (scene.row + scene.rows / 2))
    length = settings.size / 3
    wobble = np.array([value_noise(key, row / length, 0.5) for row in rows])
    return middle + lean + 0.12 * settings.size * wobble, first


def _lattice(window: Window, spacing: int, size: float) -> tuple[int, int, int, int]:
    """First row, first column, rows and columns of the lattice cells around a window.

    Lengths of the land are `size` pixels.
    """
    top, left = math.floor(window.row / size), math.floor(window.col / size)
    bottom = math.ceil((window.row + window.rows) / size)
    right = math.ceil((window.col + window.cols) / size)
    first_row = (top - MARGIN) // spacing - 1
    first_col = (left - MARGIN) // spacing - 1
    last_row = (bottom + MARGIN) // spacing + 2
    last_col = (right + MARGIN) // spacing + 2
    return first_row, first_col, last_row - first_row, last_col - first_col


@kernel
def _seeds(key, first_row, first_col, rows, cols, spacing, jitter):
    """Jittered point of each lattice cell: x, y and random bits."""
    x = np.empty((rows, cols))
    y = np.empty((rows, cols))
    bits = np.empty((rows, cols), dtype=np.uint64)
    margin = (1.0 - jitter) / 2
    for i in range(rows):
        for j in range(cols):
            draw = hash_at(key, first_col + j, first_row + i)
            bits[i, j] = mix(draw + np.uint64(2))
            x[i, j] = (first_col + j + margin + jitter * uniform(draw)) * spacing
            y[i, j] = (first_row + i + margin + jitter * uniform(mix(draw))) * spacing
    return x, y, bits


@kernel
def _two_nearest(x, y, seed_x, seed_y, first_row, first_col, spacing):
    """Lattice positions of the nearest and second nearest seeds among 3 x 3 cells."""
    row = np.int64(np.floor(y / spacing)) - first_row
    col = np.int64(np.floor(x / spacing)) - first_col
    best = np.inf
    second = np.inf
    near = (row, col)
    next_near = (row, col)
    for i in range(row - 1, row + 2):
        for j in range(col - 1, col + 2):
            distance = (seed_x[i, j] - x) ** 2 + (seed_y[i, j] - y) ** 2
            if distance < best:
                second, next_near = best, near
                best, near = distance, (i, j)
            elif distance < second:
                second, next_near = distance, (i, j)
    return near, next_near, best, second


@kernel
def _field_of(bits, dx, dy):
    """Number of the field of a block that holds the point (dx, dy) from its seed.

    A block is cut in parallel strips, 6 to 26 px wide, and strips across, in a direction of
    its own.
    """
    angle = 3.14159265 * uniform(mix(bits + np.uint64(1)))
    width = min(26.0, max(7.0, 11.5 * (1.0 + 0.38 * normal(mix(bits + np.uint64(2))))))
    length = min(60.0, width * (1.3 + 1.6 * uniform(mix(bits + np.uint64(3)))))
    along = dx * np.cos(angle) + dy * np.sin(angle)
    across = dy * np.cos(angle) - dx * np.sin(angle)
    strip = np.int64(np.floor(across / width + 0.5))
    shift = uniform(hash_at(bits, strip, 7))
    return hash_at(bits, strip, np.int64(np.floor(along / length + shift)))


@kernel
def _in_patch(key, edge_key, x, y, spacing, smallest, largest, roughness):
    """Whether a point lies in one of the rounded patches, about one per lattice cell."""
    row = np.int64(np.floor(y / spacing))
    col = np.int64(np.floor(x / spacing))
    wave = roughness * value_noise(edge_key, x / 9.0, y / 9.0)
    for i in range(row - 1, row + 2):
        for j in range(col - 1, col + 2):
            draw = hash_at(key, j, i)
            seed_x = (j + 0.15 + 0.7 * uniform(draw)) * spacing
            seed_y = (i + 0.15 + 0.7 * uniform(mix(draw))) * spacing
            size = uniform(mix(draw + np.uint64(5)))
            radius = smallest + (largest - smallest) * size * size + wave
            if (seed_x - x) ** 2 + (seed_y - y) ** 2 < radius * radius and radius > 0:
                return True
    return False


@kernel
def _cover(keys, x, y, region):
    """Class of what lies over the fields: water, village or forest; 0 where fields show.

    Axes are turned so that the lattice of the noise does not show.
    """
    x, y = 0.8 * x - 0.6 * y, 0.6 * x + 0.8 * y
    river = value_noise(keys[RIVER], x / 420.0, y / 420.0)
    river += 0.1 * value_noise(keys[SHORE], x / 75.0, y / 75.0)
    if abs(river) < 0.009 or _in_patch(keys[LAKES], keys[SHORE], x, y, 118, 5.0, 17.0, 4.0):
        return 11
    if _in_patch(keys[VILLAGES], keys[VILLAGE_EDGE], x, y, 118, 7.0, 24.0, 7.0):
        return 1
    forest = value_noise(keys[FOREST], x / 72.0, y / 72.0)
    forest += 0.45 * value_noise(keys[COPSES], x / 27.0, y / 27.0)
    if forest > 0.4 - 0.08 * region:
        conifer = value_noise(keys[WOODS], x / 48.0, y / 48.0)
        conifer += 0.3 * value_noise(keys[COPSES], x / 11.0, y / 11.0)
        return 10 if conifer > 0.16 - 0.1 * region else 9
    return 0


@kernel
def _region_at(limits, first, x, y):
    """1 west of the border, 2 east of it."""
    position = y / 32.0 - first
    node = min(max(np.int64(np.floor(position)), 0), len(limits) - 2)
    share = position - node
    border = limits[node] * (1.0 - share) + limits[node + 1] * share
    return 1 if x < border else 2


@kernel
def _is_road(key, seed, neighbour, gap):
    """Whether a pixel at `gap` px from the border of two blocks lies on a road.

    The name of the road (0 if none) is the same from both sides.
    """
    name = mix(key ^ (seed + neighbour))
    return name if gap < 0.8 and uniform(name) < 0.3 else np.uint64(0)


@kernel
def _texture_of(keys, x, y, code):
    """Variation within a parcel: two octaves, and grain where houses or crowns stand."""
    smooth = 1.5 * value_noise(keys[TEXTURE], x / 17.0, y / 17.0)
    smooth += 1.1 * value_noise(keys[FINE_TEXTURE], x / 4.5, y / 4.5)
    grain = 0.0
    if code == 1:
        grain = 1.3
    elif code == 9 or code == 10:
        grain = 0.6
    elif code != 11:
        grain = 0.25
    value = (smooth + grain * normal(hash_at(keys[GRAIN], x, y))) * 31.0
    return np.int8(min(127.0, max(-127.0, np.rint(value))))


@kernel
def _paint(
    keys, first_row, first_col, rows, cols, limits, first, block_row, block_col,
    seed_x, seed_y, seed_bits, shares, size,
):  # fmt: skip
    """Parcel name, class, region and texture of each pixel of a window; lengths are `size` pixels."""
    parcel = np.empty((rows, cols), dtype=np.uint64)
    code = np.empty((rows, cols), dtype=np.uint8)
    region = np.empty((rows, cols), dtype=np.uint8)
    texture = np.empty((rows, cols), dtype=np.int8)
    for i in range(rows):
        for j in range(cols):
            x, y = (first_col + j) / size, (first_row + i) / size
            bent_x = x + 13.0 * value_noise(keys[WARP_X], x / 150.0, y / 150.0)
            bent_y = y + 13.0 * value_noise(keys[WARP_Y], x / 150.0, y / 150.0)
            near, other, best, second = _two_nearest(
                bent_x, bent_y, seed_x, seed_y, block_row, block_col, 62
            )
            bits = seed_bits[near]
            here = _region_at(limits, first, seed_x[near] * size, seed_y[near] * size)
            name = _field_of(bits, bent_x - seed_x[near], bent_y - seed_y[near])
            kind = _cover(keys, x, y, here)
            if kind == 0 or kind == 9 or kind == 10:
                apart = (seed_x[near] - seed_x[other]) ** 2 + (seed_y[near] - seed_y[other]) ** 2
                gap = (second - best) / (2.0 * np.sqrt(apart))
                road = _is_road(keys[ROADS], bits, seed_bits[other], gap)
                if road != 0:
                    kind, name, here = 1, road, 1
            if kind == 0:
                draw = uniform(mix(name ^ keys[PARCELS]))
                crop = 0
                while crop < 6 and draw >= shares[here - 1, crop]:
                    crop += 1
                kind = 2 + crop
            parcel[i, j] = hash_at(name, kind, here)
            code[i, j] = kind
            region[i, j] = here
            texture[i, j] = _texture_of(keys, first_col + j, first_row + i, kind)
    return parcel, code, region, texture
