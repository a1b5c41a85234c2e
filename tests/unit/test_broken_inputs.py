"""Inputs broken on purpose, one at a time, and what `iota2 check` says of each to the user.

Each case is a good scene with one thing wrong. The whole answer is looked at: the message, whether it is
an error or a warning, that it says what to do, and that nothing else is said.
"""

import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from broken import CLASSES, DAYS, SIZE, TILES, Scene, box, good_scene, moved, projected, scaled
from osgeo import gdal
from tiny import LEFT, TOP, name_of

from iota2_tools.commands import cli
from iota2_tools.simulate.radar_safe import control_points, plan_frames, write_texts
from iota2_tools.simulate.settings import SceneSettings


@dataclass(frozen=True)
class Case:
    """A way to break the scene.

    Parameters
    ----------
    name : str
        What is wrong.
    broken : callable
        Breaks it.
    says : tuple of str
        Pieces of what the user reads, in any order.
    severity : {"error", "warning"}
    count : int
        Findings in all; 0: as many as there are.
    deep : bool
        Whether it takes `--deep`.
    """

    name: str
    broken: Callable[[Scene], object]
    says: tuple[str, ...]
    severity: str = "error"
    count: int = 1
    deep: bool = False


CASES: list[Case] = []


def wrong(name, broken, *says, **others):
    CASES.append(Case(name, broken, says, **others))


def strange(name, broken, *says, **others):
    wrong(name, broken, *says, severity="warning", **others)


def edit(change, **options):
    """Break the reference."""
    return lambda scene: scene.edit(change, **options)


def say(old, new):
    """Break the configuration."""
    return lambda scene: scene.say(old, new)


def add(text):
    return lambda scene: scene.add(text)


def classes(text, encoding="utf-8"):
    """Another nomenclature."""
    return lambda scene: scene.path("classes.csv").write_bytes(text.encode(encoding))


def assign(column, value, row=0):
    """Another value of a field of the reference."""

    def change(frame):
        frame[column] = frame[column].astype(object)
        frame.loc[row, column] = value

    return change


def reshape(shape, row=0):
    """Another shape of a polygon of the reference."""

    def change(frame):
        frame.loc[row, "geometry"] = shape(frame.geometry[row]) if callable(shape) else shape

    return change


def appended(*rows):
    """Polygons (shape, code) more."""

    def change(frame):
        more = gpd.GeoDataFrame(
            {"code": [code for _, code in rows]},
            geometry=[shape for shape, _ in rows],
            crs=frame.crs,
        )
        return gpd.GeoDataFrame(pd.concat([frame, more], ignore_index=True), crs=frame.crs)

    return change


def all_tiles(change):
    def both(scene):
        for tile in ("T31TCJ", "T31TDJ"):
            scene.each(change, "*.tif", tile)

    return both


def put(path: Callable[[Scene], Path], data: bytes | str):
    """Another content of a file."""
    content = data.encode() if isinstance(data, str) else data
    return lambda scene: path(scene).write_bytes(content)


def cut(share: float):
    def change(scene):
        path = scene.band()
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return change


def radar_without_direction(scene):
    """Texts of frames of Sentinel-1; one of them does not say whether the satellite rose."""
    settings = SceneSettings(tiles=("T31TCJ",), size=64, dates=4)
    frames = plan_frames(settings, "")
    for frame in frames:
        write_texts(frame, control_points(frame), scene.path(f"sar/{frame.name}"))
    manifest = scene.path(f"sar/{frames[0].name}/manifest.safe")
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(re.sub("<s1:pass>.*</s1:pass>", "", text), encoding="utf-8")
    scene.write(scene.path("dem.tif"), np.full((40, 80), 120, np.int16), 30, left=LEFT - 300)
    scene.say("sensors:\n", "sensors:\n  sentinel1: {path: sar, dem: dem.tif}\n")


# Images, by folders and names.

wrong(
    "an index of bands that a series of one's own does not tell",
    lambda s: s.say(
        "sensors:\n",
        "sensors:\n  own_series: {path: s2, pattern: '*{date}*_FRE_{band}.tif', bands: {B4: 1}, indices: [NDVI]}\n",
    ),
    "sensors.own_series.indices: NDVI needs a band called nir and red",
    count=0,
)
wrong(
    "a pattern of one's own that no file has",
    lambda s: s.say(
        "sensors:\n",
        "sensors:\n  own_series: {path: s2, pattern: 'X_{date}_{band}.tif', bands: {red: 1}}\n",
    ),
    "s2/T31TCJ holds no product -> expected products like X_20180131_red.tif",
    count=0,
)
wrong(
    "a frame of radar without orbit direction",
    radar_without_direction,
    "manifest.safe: tells no orbit direction (found '' where ASCENDING or DESCENDING stands)",
    "-> fetch that product again, or move its folder away to do without it, or set `inputs: {damaged_",
    count=0,
)
wrong(
    "no folder of a tile",
    lambda s: shutil.move(s.path("s2/T31TDJ"), s.path("elsewhere")),
    "sensors.sentinel2: no folder s2/T31TDJ for tile T31TDJ",
    "s2 holds T31TCJ",
)
wrong(
    "no folder of products at all",
    lambda s: shutil.move(s.path("s2"), s.path("elsewhere")),
    "no folder s2/T31TCJ",
    "the folder s2 does not exist",
    count=2,
)
wrong(
    "a tile without products",
    lambda s: (shutil.rmtree(s.path("s2/T31TDJ")), s.path("s2/T31TDJ").mkdir()),
    "s2/T31TDJ holds no product",
    "expected products like SENTINEL2",
)
wrong(
    "products of another format",
    lambda s: [
        shutil.move(p, p.with_name(p.name.replace("SENTINEL2A", "LANDSAT8")))
        for p in s.path("s2/T31TCJ").iterdir()
    ],
    "s2/T31TCJ holds no product",
)
wrong(
    "a product of another tile",
    lambda s: s.copy(s.product(), name_of("20180301", tile="T32ULU")),
    "1 product(s) of another tile than T31TCJ",
    "T32ULU",
    "move them to the folder of their tile",
)
strange(
    "products in a folder of a folder",
    lambda s: (
        s.path("s2/T31TCJ/2018").mkdir(),
        shutil.copytree(s.product(), s.path(f"s2/T31TCJ/2018/{s.product().name}")),
    ),
    "a folder that holds 1 product(s)",
    "move them one level up",
)
strange(
    "an archive",
    lambda s: s.path(f"s2/T31TCJ/{name_of('20180301')}.tar.gz").write_bytes(b""),
    "1 not read, an archive",
    "unpack it",
)
strange(
    "a day that is none",
    lambda s: s.product().with_name(name_of("20181340")).mkdir(),
    "1 not read, its date is none of the calendar",
    "give it back its name",
)
strange(
    "a second copy of a folder",
    lambda s: s.product().with_name(f"{s.product().name} (1)").mkdir(),
    "its name goes on after that of a product",
    "rename it if it is whole",
)
strange(
    "a broken link",
    lambda s: s.product().with_name(name_of("20180301")).symlink_to(s.path("gone")),
    "a broken link",
)
strange(
    "a name in small letters",
    lambda s: s.product().with_name(name_of("20180301").lower()).mkdir(),
    "its name is not written as the format writes it",
)
strange(
    "a file in place of a product",
    lambda s: s.product().with_name(name_of("20180301")).write_text(""),
    "a file, not the folder of a product",
)
strange(
    "one acquisition in two versions",
    lambda s: s.copy(s.product(), name_of(DAYS[0], version="3-0")),
    f"2018-01-15: {name_of(DAYS[0])} is left out: replaced by",
    "V3-0",
    "move it away to be rid of this line",
)


def zipped(scene, name):
    """The product of the first date in a zip of another name."""
    with zipfile.ZipFile(scene.path(f"s2/T31TCJ/{name}.zip"), "w") as file:
        for path in scene.product().rglob("*"):
            file.write(path, path.relative_to(scene.path("s2/T31TCJ")))


wrong(
    "a renamed zip",
    lambda s: zipped(s, name_of("20180301")),
    "holds SENTINEL2A_20180115",
    "give it back its name",
)
wrong(
    "a zip that is none",
    lambda s: s.path(f"s2/T31TCJ/{name_of('20180301')}.zip").write_bytes(b"PK"),
    name_of("20180301"),
    count=0,
)
wrong(
    "no product of the period",
    lambda s: s.sensor("first_date: 2019-01-01"),
    "of the 4 acquisitions of s2/T31TCJ, 2018-01-15 to 2018-10-15, none is from 2019-01-01",
    "change first_date and last_date",
    count=2,
)
strange(
    "a long gap",
    lambda s: [shutil.rmtree(s.product(1, tile)) for tile in ("T31TCJ", "T31TDJ")],
    "2018-01-15 to 2018-07-15: no acquisition between these days: 181 days of sentinel2",
    "inputs.longest_gap is 120",
    "raise inputs.longest_gap",
    count=2,
)
strange(
    "a period that begins long before",
    lambda s: s.sensor("first_date: 2017-06-01"),
    "2017-06-01 to 2018-01-15: first_date comes long before the first acquisition",
    count=2,
)
strange(
    "a period that ends long after",
    lambda s: s.sensor("last_date: 2019-06-01"),
    "2018-10-15 to 2019-06-01: last_date comes long after the last acquisition",
    count=2,
)

strange(
    "a damaged product that may be left out",
    lambda s: (s.band(number=2).write_bytes(b""), s.add("inputs: {damaged_acquisition: skip}")),
    "2018-07-15",
    "is left out",
    "_FRE_B4.tif is no readable image",
    "fetch it again, or do without it",
)
strange(
    "products of another format among others",
    lambda s: s.path("s2/T31TCJ/LANDSAT8-OLITIRS-XS_20180207-104017-000_L2A_T31TCJ_C_V2-2").mkdir(),
    "s2/T31TCJ",
    "1 not read, of the format landsat8: LANDSAT8-OLITIRS-XS_20180207-104017-000_L2A_T31TCJ_C_V2-2",
    "give them a folder and a section `landsat8` of their own",
)
wrong(
    "more clear dates to learn than there are",
    add("sampling: {cloud_threshold: 5}"),
    "line 14, sampling.cloud_threshold: 5 clear dates are asked for",
    "T31TCJ has 4, T31TDJ has 4: nothing would be learnt",
    "lower it, or add acquisitions",
)
wrong(
    "more clear dates to map than count",
    lambda s: (
        s.sensor("margin_days: 90\n    first_date: 2018-02-01\n    last_date: 2018-12-31"),
        s.add("classification: {minimum_clear_dates: 4}"),
    ),
    "classification.minimum_clear_dates: 4 clear dates are asked for",
    "T31TCJ has 3, T31TDJ has 3: nothing would be mapped",
)
wrong(
    "more clear dates of a sensor than there are",
    lambda s: s.sensor("minimum_clear_dates: 9"),
    "sensors.sentinel2.minimum_clear_dates: 9 clear dates are asked for, T31TCJ has 4",
)
strange(
    "more clear dates than a tile has",
    lambda s: (
        shutil.rmtree(s.product(1, "T31TDJ")),
        s.add("sampling: {cloud_threshold: 4}\ninputs: {longest_gap: 365}"),
    ),
    "sampling.cloud_threshold: 4 clear dates are asked for, T31TDJ has 3: nothing of these tiles would be learnt",
)
wrong(
    "a number of pixels for a class that is none",
    add("sampling: {strategy: byclass, byclass: {'1': 10, '7': 10}}"),
    "line 14, sampling.byclass: the nomenclature has no code 7",
)
wrong(
    "a number of pixels for a class that is none, in a region",
    add("sampling: {per_region: {north: {strategy: byclass, byclass: {'7': 10}}}}"),
    "sampling.per_region.north.byclass: the nomenclature has no code 7",
)
strange(
    "a gap of a day more than allowed",
    lambda s: (second_away(s), s.add("inputs: {longest_gap: 180}")),
    "2018-01-15 to 2018-07-15",
    "inputs.longest_gap is 180",
    count=2,
)


def crossed(shape):
    """A rectangle whose corners follow one another as in an 8."""
    one, two, three, four, _ = shape.exterior.coords
    return shapely.Polygon([one, three, two, four])


def second_away(scene):
    """No product of April: 181 days from January to July."""
    for tile in ("T31TCJ", "T31TDJ"):
        shutil.rmtree(scene.product(1, tile))


# Images, by their headers.

PRODUCT = name_of(DAYS[0])
wrong(
    "a band that is missing",
    lambda s: s.band().unlink(),
    "2018-01-15",
    f"{PRODUCT}_FRE_B4.tif is missing",
    "Fetch those products again, or set `inputs: {damaged_acquisition: skip}`",
)
wrong(
    "the first band of every date is missing",
    lambda s: (
        [s.band("B4", n).unlink() for n in range(4)] + [s.band("B8", n).unlink() for n in range(4)]
    ),
    "no product of s2/T31TCJ has a readable image of band B4",
    "-> if your products lack it, do without: `keep_bands: [B11]`",
)
wrong(
    "a mask that is missing",
    lambda s: s.mask("EDG").unlink(),
    f"MASKS/{PRODUCT}_EDG_R1.tif is missing",
)
wrong(
    "an empty image",
    put(lambda s: s.band(), b""),
    "_FRE_B4.tif is no readable image (truncated or half-copied?)",
)
wrong(
    "a page of the web in place of an image",
    put(lambda s: s.band(), "<html>404"),
    "_FRE_B4.tif is no readable image",
)
wrong("half an image", cut(0.5), "_FRE_B4.tif is truncated", "its header tells of")
wrong("an image without its last bytes", cut(0.9), "_FRE_B4.tif is truncated")
wrong(
    "a smaller image",
    lambda s: s.write(s.band(number=2), np.ones((12, 12), np.int16)),
    "_FRE_B4.tif lies elsewhere than its tile: 12 x 12 pixels",
)
wrong(
    "a band 15 km away",
    lambda s: s.each(moved(15_000), "*_B8.tif", number=1),
    "_FRE_B8.tif lies elsewhere than its tile",
    "from (315000, 4900020)",
)
wrong(
    "a band half a pixel away",
    lambda s: s.each(moved(5, 5), "*_B8.tif", number=1),
    "_FRE_B8.tif lies elsewhere than its tile",
)
wrong(
    "a mask elsewhere",
    lambda s: s.each(moved(0, 100), "*_CLM_*", number=1),
    "CLM_R1.tif lies elsewhere than its tile",
)
wrong(
    "a band in another zone",
    lambda s: s.each(projected(32632), "*_B8.tif", number=1),
    "_FRE_B8.tif is in EPSG:32632, its tile in EPSG:32631",
)
wrong(
    "a product of another size, the first in time",
    lambda s: other_size(s),
    "lie on another grid than the other 4",
    "20171220",
    count=0,  # the tile seems to be smaller
)
wrong(
    "a band without projection",
    lambda s: s.each(lambda d: d.SetProjection(""), "*_B8.tif", number=1),
    "_FRE_B8.tif: has no coordinate reference system",
    "assign it (gdal_edit)",
)
wrong(
    "a rotated band",
    lambda s: s.each(lambda d: d.SetGeoTransform((LEFT, 10, 1, TOP, 1, -10)), "*_B8.tif", number=1),
    "pixels must be square and north up",
    "warp it first (gdalwarp)",
)
wrong(
    "oblong pixels",
    lambda s: s.each(lambda d: d.SetGeoTransform((LEFT, 10, 0, TOP, 0, -20)), "*_B8.tif", number=1),
    "pixels must be square and north up",
)
wrong(
    "reflectance as fractions",
    lambda s: s.write(s.band("B8", 1), np.full((SIZE, SIZE), 0.3, np.float32)),
    "_FRE_B8.tif holds Float32, Int16 is expected",
    "take the product as it was delivered",
)
wrong(
    "unsigned numbers",
    lambda s: s.write(s.band("B8", 1), np.full((SIZE, SIZE), 3000, np.uint16)),
    "holds UInt16, Int16 is expected",
)
wrong(
    "a mask of real numbers",
    lambda s: s.write(s.mask("CLM", 1), np.zeros((SIZE, SIZE), np.float32)),
    "CLM_R1.tif holds Float32, Byte is expected (codes of a mask)",
)
wrong(
    "another scale by its tag",
    lambda s: s.each(lambda d: d.GetRasterBand(1).SetScale(0.1), "*_B8.tif", number=1),
    "states a scale of 0.1, 0.0001 is expected",
    count=0,
)
wrong(
    "an offset by its tag",
    lambda s: s.each(lambda d: d.GetRasterBand(1).SetOffset(-1000), "*_B8.tif", number=1),
    "states an offset of -1000, which this format does not have",
)
wrong(
    "another nodata by its tag",
    lambda s: s.each(lambda d: d.GetRasterBand(1).SetNoDataValue(0), "*_B8.tif", number=1),
    "states 0 as nodata, this format has -10000",
    "mend the tag (gdal_edit.py -unsetnodata)",
)
wrong(
    "a file of two bands",
    lambda s: s.write(s.band("B8", 1), np.ones((2, SIZE, SIZE), np.int16)),
    "has 2 bands, one is expected",
)


def other_size(scene):
    """A cut-out of an earlier day."""
    product = scene.copy(scene.product(), name_of("20171220"))
    for path in product.rglob("*.tif"):
        coarse = "B11" in path.name
        kind = np.uint8 if "MASKS" in str(path) else np.int16
        side = 6 if coarse else 12
        scene.write(path, np.ones((side, side), kind), 20 if coarse else 10)


# Images, by their pixels: `--deep`.

wrong(
    "a block damaged inside",
    lambda s: damaged(s),
    "2018-01-15, band B4",
    "pixels cannot be read",
    "fetch that product again",
    deep=True,
)
strange(
    "an image without data",
    lambda s: s.each(
        lambda d: d.WriteArray(np.full((SIZE, SIZE), -10000, np.int16)), "*_B4.tif", number=1
    ),
    "2018-04-15, band B4: no pixel has data",
    deep=True,
    count=0,
)
strange(
    "an image of one value",
    lambda s: s.each(
        lambda d: d.WriteArray(np.full((SIZE, SIZE), 1234, np.int16)), "*_B8.tif", number=1
    ),
    "2018-04-15, band B8: every pixel is 1234",
    deep=True,
)
strange(
    "a date ten times too dark",
    lambda s: s.each(scaled(0.1), number=2),
    "2018-07-15: all bands are 0.1",
    "another scale?",
    deep=True,
)
strange(
    "a date ten times too bright",
    lambda s: s.each(scaled(9), number=2),
    "2018-07-15: all bands are",
    "another scale?",
    deep=True,
)
strange(
    "a series ten times too dark",
    lambda s: [s.each(scaled(0.1), tile=tile) for tile in ("T31TCJ", "T31TDJ")],
    "the brightest band is 3",
    "in the median, reflectance x 10000 is some 500 to 15000",
    deep=True,
    count=2,
)
strange(
    "a series eight times too bright",
    lambda s: [s.each(scaled(8), tile=tile) for tile in ("T31TCJ", "T31TDJ")],
    "the brightest band is 2",
    deep=True,
    count=2,
)
strange(
    "a date of clouds alone",
    lambda s: s.write(s.mask("CLM", 1), np.ones((SIZE, SIZE), np.uint8)),
    "2018-04-15: no pixel looked at is clear",
    deep=True,
)
strange(
    "ground that is seldom clear",
    lambda s: (s.add("sampling: {cloud_threshold: 2}"), cloudy(s)),
    "tile T31TCJ",
    "50 % of the pixels looked at have fewer than 2 clear date(s)",
    "add acquisitions or sensors",
    deep=True,
)


def cloudy(scene):
    """Clouds over the left half on all dates but one."""
    half = np.zeros((SIZE, SIZE), np.uint8)
    half[:, : SIZE // 2] = 1
    for number in (0, 1, 2):
        scene.write(scene.mask("CLM", number), half)


def damaged(scene):
    """A compressed image whose length is right and whose last block is not."""
    path = scene.band()
    values = np.random.default_rng(1).integers(0, 9999, (SIZE, SIZE)).astype(np.int16)
    scene.write(path, values, options=["COMPRESS=DEFLATE", "BLOCKYSIZE=8"])
    dataset = gdal.Open(str(path))
    offset = int(dataset.GetRasterBand(1).GetMetadataItem("BLOCK_OFFSET_0_2", "TIFF"))
    length = int(dataset.GetRasterBand(1).GetMetadataItem("BLOCK_SIZE_0_2", "TIFF"))
    dataset = None
    data = bytearray(path.read_bytes())
    data[offset + 4 : offset + length] = bytes(length - 4)
    path.write_bytes(bytes(data))


# Grids.

wrong(
    "tiles in two projections",
    lambda s: s.each(projected(32632), "*.tif", "T31TDJ"),
    "tiles are in two projections, EPSG:32631 and EPSG:32632",
    "set `grid: {projection",
)
wrong(
    "tiles half a pixel apart",
    lambda s: s.each(moved(5), "*.tif", "T31TDJ"),
    "tiles are shifted by 0.500 of a pixel against one another",
)
wrong(
    "a resolution of 10 degrees",
    add("grid: {projection: EPSG:4326, spatial_resolution: 10}"),
    "grid.spatial_resolution: 10 is 1.113e+06 m in EPSG:4326, whose unit is the degree",
    "the images of T31TCJ have pixels of 10 m",
    "give it in that unit, as 8.98e-05",
    count=0,
)
wrong(
    "a resolution of a kilometre",
    add("grid: {spatial_resolution: 1000}"),
    "grid.spatial_resolution: 1000 is 1000 m in EPSG:32631",
    count=0,
)
wrong(
    "a resolution of degrees in metres",
    add("grid: {spatial_resolution: 0.0001}"),
    "a tile of 24 x 24 pixels would have 2400000 x 2400000",
    "check projection and spatial_resolution",
    count=0,
)
wrong(
    "a resolution of a centimetre",
    add("grid: {spatial_resolution: 0.01}"),
    "grid.spatial_resolution: 0.01 is 0.01 m",
    count=0,
)
wrong(
    "coordinates from the middle of the Earth",
    add("grid: {projection: EPSG:4978, spatial_resolution: 10}"),
    "grid.projection: EPSG:4978 (WGS 84) is no projection of maps",
    "as EPSG:32631",
    count=0,
)
wrong(
    "a projection that is none",
    add("grid: {projection: EPSG:999999}"),
    "coordinate reference system 'EPSG:999999' is not understood",
    "give an EPSG code",
    count=0,
)
strange(
    "tiles that do not touch",
    lambda s: apart(s),
    "they stand in 2 groups that do not touch: T31TCJ; T31TDJ",
    "check the names, or make a production of each group",
)


def apart(scene):
    """The second tile, its polygons and its regions 30 km to the east."""
    scene.each(moved(30_000), "*.tif", "T31TDJ")

    def change(frame):
        east = [
            shapely.affinity.translate(shape, 30_000) if shape.bounds[0] > LEFT + 230 else shape
            for shape in frame.geometry
        ]
        frame["geometry"] = east

    scene.edit(change)
    scene.edit(
        lambda frame: frame.set_geometry(frame.geometry.scale(200, 1, origin=(LEFT, TOP))),
        "regions.gpkg",
    )


# Reference polygons.

wrong(
    "no reference",
    lambda s: s.path("reference.gpkg").unlink(),
    "reference.path: no file reference.gpkg",
)
wrong(
    "a reference without projection",
    lambda s: bare(s),
    "reference.gpkg",
    "has no coordinate reference system",
    "assign it (ogr2ogr -a_srs)",
)
wrong(
    "a reference in a wrong projection",
    edit(lambda f: f.set_crs("EPSG:32633", allow_override=True)),
    "no polygon lies on the tiles, which are in EPSG:32631",
    "check its coordinate reference system",
)
wrong(
    "a reference of another country",
    edit(lambda f: f.set_geometry(f.geometry.translate(900_000))),
    "no polygon lies on the tiles",
)
wrong(
    "a field that is missing",
    say("field: code", "field: crop"),
    "no field 'crop', found code, name, farm, id",
)
wrong(
    "a class without value",
    edit(assign("code", None)),
    "field 'code' holds no value (feature 1)",
    "take those polygons out",
)
wrong(
    "a negative class",
    edit(assign("code", -3, 4)),
    "field 'code' holds '-3' (feature 5)",
    "which the nomenclature has neither as code nor as name",
)
wrong(
    "a broken class",
    edit(lambda f: f.assign(code=f["code"].astype(float).where(f.index != 2, 1.5))),
    "field 'code' holds '1.5' (feature 3)",
)
wrong(
    "text in place of a code",
    edit(assign("name", "Whaet", 3)),
    "field 'name' holds 'Whaet' (feature 4)",
)
CASES[-1] = Case(
    CASES[-1].name,
    lambda s: (s.edit(assign("name", "Whaet", 3)), s.say("field: code", "field: name")),
    CASES[-1].says,
)
wrong(
    "an unknown class",
    edit(lambda f: f.assign(code=f["code"].where(f.index % 5 != 0, 99))),
    "field 'code' holds '99' (features 1, 6, 11)",
    "add the class to the nomenclature",
)
strange(
    "a class of the nomenclature without polygons",
    classes(CLASSES + "3,Barley,#00ff00\n"),
    "classes.csv",
    "no polygon on the tiles is of Barley (3)",
    "add polygons, or take the class out",
)
strange(
    "a border that crosses itself",
    edit(
        reshape(
            shapely.Polygon(
                [
                    (LEFT + 10, TOP - 20),
                    (LEFT + 50, TOP - 60),
                    (LEFT + 50, TOP - 20),
                    (LEFT + 10, TOP - 60),
                ]
            )
        )
    ),
    "1 feature(s) (1) with a border that crosses itself, repaired",
)
strange(
    "an empty polygon",
    edit(reshape(shapely.Polygon())),
    "1 feature(s) (1) without geometry or area, not used",
)
strange("a polygon without shape", edit(reshape(None)), "1 feature(s) (1) without geometry or area")
strange(
    "a polygon twice",
    edit(appended((box(1, 2, 5, 6), 1))),
    "class 1: 1 polygon(s) repeat an earlier one and count once (13 is 1)",
)
wrong(
    "a polygon twice with two classes",
    edit(appended((box(1, 2, 5, 6), 2))),
    "polygons 1 and 13 (counted from 1, in the order of the file) are the same, with class 1 and class 2",
    "keep one of them",
)
strange(
    "polygons of a class over one another",
    edit(appended((box(3, 2, 6, 6), 1))),
    "class 1: 1 pair(s) of polygons hold the same pixels, which belong to the later one (1 and 13)",
    "merge them, or draw them together",
)
wrong(
    "polygons of two classes over one another",
    edit(appended((box(3, 2, 6, 6), 2))),
    "polygons 1 (class 1) and 13 (class 2)",
    "hold the same pixels",
    "cut one of them, or take it out",
)
strange(
    "a polygon between pixel centres",
    edit(appended((shapely.Point(LEFT + 100, TOP - 100).buffer(2), 1))),
    "class 1 (Wheat): 1 of 7 polygons hold no pixel centre of their own",
)
wrong(
    "points",
    edit(lambda f: f.set_geometry(f.geometry.centroid)),
    "holds Point, polygons are needed",
)
wrong(
    "lines",
    edit(lambda f: f.set_geometry(f.geometry.boundary)),
    "holds LineString, polygons are needed",
)
wrong(
    "polygons and a point",
    edit(reshape(shapely.Point(LEFT, TOP))),
    "polygons are needed, found Point",
)
strange(
    "a class of one polygon",
    lambda s: rare(s),
    "class 3 has one polygon in region north: it learns, and nothing tells how right the class is",
)
wrong(
    "one class alone",
    edit(lambda f: f[f["code"] == 1]),
    "region north, seed 0: only class 1 (Wheat) is learnt, two classes are needed",
    count=0,
)
wrong("no polygon", edit(lambda f: f.iloc[:0]), "reference.gpkg", "holds no polygon")
wrong(
    "two layers",
    lambda s: gpd.read_file(s.path("reference.gpkg")).to_file(
        s.path("reference.gpkg"), layer="parcels_2017", engine="pyogrio"
    ),
    "has 2 layers, reference, parcels_2017",
    "say in `layer` which one is meant",
)
wrong(
    "a layer that is not there",
    say("  field: code", "  layer: parcels\n  field: code"),
    "no layer 'parcels', found reference",
)
wrong(
    "a text file as reference",
    put(lambda s: s.path("reference.gpkg"), "no polygons"),
    "cannot be read as a vector layer",
)
wrong(
    "half a reference",
    lambda s: s.path("reference.gpkg").write_bytes(s.path("reference.gpkg").read_bytes()[:9000]),
    "reference.gpkg",
    count=0,
)
strange(
    "polygons in no region",
    lambda s: s.edit(
        lambda f: f.set_geometry([box(0, 0, 44, 12), box(6, 12, 44, 24)]), "regions.gpkg"
    ),
    "reference.gpkg",
    "1 polygon(s) lie in no region and are not used",
)


def bare(scene):
    with pytest.warns(UserWarning, match="crs"):
        scene.edit(lambda f: f.set_crs(None, allow_override=True))


def rare(scene):
    scene.edit(assign("code", 3, 0))
    scene.path("classes.csv").write_text(CLASSES + "3,Barley,#00ff00\n")


# Regions.

wrong(
    "no file of regions",
    lambda s: s.path("regions.gpkg").unlink(),
    "regions.path: no file regions.gpkg",
    count=0,
)
wrong(
    "a field of regions that is missing",
    say("field: region}", "field: zone}"),
    "regions.gpkg",
    "no field 'zone', found region",
    count=0,
)
wrong(
    "a region without name",
    lambda s: s.edit(assign("region", None), "regions.gpkg"),
    "1 polygon(s) have no value in field 'region'",
    "name those regions",
    count=0,
)
wrong(
    "a region whose name is a path",
    lambda s: s.edit(assign("region", "n/a"), "regions.gpkg"),
    "region names become file names: letters, digits, _ and - only",
    "'n/a'",
    count=0,
)
wrong(
    "regions elsewhere",
    lambda s: s.edit(lambda f: f.set_geometry(f.geometry.translate(500_000)), "regions.gpkg"),
    "regions.gpkg",
    "no region touches a tile",
    "check its coordinate reference system",
    count=0,
)
wrong(
    "regions without projection",
    lambda s: s.edit(lambda f: f.set_crs(None, allow_override=True), "regions.gpkg"),
    "regions.gpkg",
    "has no coordinate reference system",
    count=0,
)
wrong(
    "regions that are points",
    lambda s: s.edit(lambda f: f.set_geometry(f.geometry.centroid), "regions.gpkg"),
    "polygons are needed, found Point",
    count=0,
)
wrong(
    "a region without polygons",
    edit(lambda f: f.iloc[:6]),
    "region south, seed 0: no polygon to learn from (0 in the region)",
    "merge the region with a neighbour",
)
wrong(
    "a region with a name too long for a file",
    lambda s: s.edit(lambda f: f.assign(region=["n" * 101, "south"]), "regions.gpkg"),
    f"found '{'n' * 101}', but region names become file names",
    "100 at most",
)
strange(
    "thousands of classes without polygons",
    classes(CLASSES + "".join(f"{code},c{code},#{code:06x}\n" for code in range(3, 3003))),
    "c3 (3), c4 (4), c5 (5), c6 (6), c7 (7), c8 (8), c9 (9), c10 (10), c11 (11), c12 (12) …, "
    "and nothing will be mapped as that",
)
strange(
    "two regions over one another",
    lambda s: s.edit(
        lambda f: f.set_geometry([box(0, 0, 44, 14), box(0, 12, 44, 24)]), "regions.gpkg"
    ),
    "1 pair(s) of regions overlap (north and south): pixels in both belong to the one named last",
)
strange(
    "a region whose border crosses itself",
    lambda s: s.edit(
        lambda f: f.set_geometry([crossed(f.geometry[0]), f.geometry[1]]), "regions.gpkg"
    ),
    "1 feature(s) (1) with a border that crosses itself, repaired",
    count=0,
)
wrong(
    "a region of one class",
    edit(lambda f: f[(f.index < 6) | (f["code"] == 2)]),
    "region south, seed 0: only class 2 (Maize) is learnt",
)

# Learning and validation apart.

wrong(
    "a field of split_by that is missing",
    add("sampling: {split_by: farmer}"),
    "no field 'farmer', found code, name, farm, id",
)
wrong(
    "a buffer that leaves nothing",
    add("sampling: {buffer: 5000}"),
    "no polygon to learn from",
    "or lower sampling.buffer",
    count=0,
)
strange(
    "a buffer that takes some",
    add("sampling: {buffer: 21, ratio: 0.7}"),
    "learning polygons lie nearer than 21 m to one that validates and are not used",
    count=0,
)
wrong(
    "blocks without a side",
    add("sampling: {split_by: block}"),
    "sampling.block: `split_by: block` needs the side of the blocks",
)
wrong(
    "a side without blocks",
    add("sampling: {block: 100}"),
    "sampling.block: nothing is done with it, for `split_by` is polygon",
)
wrong(
    "a buffer beside polygons that do both",
    add("sampling: {buffer: 10, single_polygon: both}"),
    "sampling.buffer and sampling.single_polygon: both",
)
strange(
    "a class drawn as one",
    add("sampling: {split_by: block, block: 100000}"),
    "are drawn as one (sampling.split_by: block): learn",
    count=0,
)


def splits(text):
    """A table of splits of the user's own."""

    def change(scene):
        scene.path("splits.csv").write_text(text)
        scene.say("  field: code", "  field: code\n  splits: splits.csv")

    return change


ROWS = "id,seed,set\n" + "".join(
    f"{n},0,{'learn' if n % 4 < 2 else 'validation'}\n" for n in range(101, 113)
)
wrong(
    "no table of splits",
    say("  field: code", "  field: code\n  splits: gone.csv"),
    "reference.splits: no file gone.csv",
)
wrong(
    "splits of other seeds",
    splits(ROWS.replace(",0,", ",1,")),
    "splits.csv",
    "seeds [1] found, sampling.runs asks for [0]",
)
wrong(
    "splits of a stranger",
    splits(ROWS + "999,0,learn\n"),
    "splits.csv",
    "id 999: no such reference polygon",
)
wrong(
    "splits with another word",
    splits(ROWS.replace("validation", "test")),
    "set 'test': use learn or validation",
)
wrong(
    "splits without seed", splits(ROWS.replace("seed", "draw")), "column 'seed' is missing", count=0
)
wrong(
    "splits and a buffer",
    lambda s: (splits(ROWS)(s), s.add("sampling: {buffer: 10}")),
    "sampling.buffer and reference.splits: the splits are given and not drawn",
    count=0,
)
wrong(
    "one shape in two sets",
    lambda s: (
        splits(ROWS + "113,0,validation\n")(s),
        s.edit(lambda f: appended((box(1, 2, 5, 6), 1))(f).assign(id=range(101, 114))),
    ),
    "seed 0: id 101, 113 are the same polygon, in two sets",
)

# Nomenclature.

wrong(
    "no nomenclature",
    lambda s: s.path("classes.csv").unlink(),
    "nomenclature: no file classes.csv",
    "it is a table with columns code,name,colour",
)
wrong(
    "a code twice",
    classes("code,name\n1,Wheat\n01,Maize\n"),
    "classes.csv",
    "code '1' stands twice",
    "give each class its own",
    count=0,
)
wrong(
    "a name twice", classes("code,name\n1,Wheat\n2,Wheat\n"), "name 'Wheat' stands twice", count=0
)
strange(
    "a colour twice",
    classes("code,name,colour\n1,Wheat,#d1495b\n2,Maize,209 73 91\n"),
    "Wheat, Maize have one colour, #d1495b",
    "give each its own",
)
wrong(
    "the code 0",
    classes(CLASSES + "0,None,#000000\n"),
    "line 4: code '0' is not an integer from 1 to 65535 (0 means no data)",
    "give another code",
    count=0,
)
wrong(
    "a code above 65535",
    classes(CLASSES + "65536,Ice,#000000\n"),
    "line 4: code '65536' is not an integer from 1 to 65535",
    count=0,
)
wrong(
    "a code that is text",
    classes(CLASSES + "ice,Ice,#000000\n"),
    "line 4: code 'ice' is not an integer",
    count=0,
)
wrong(
    "a class without name",
    classes(CLASSES + "3,,#000000\n"),
    "line 4: class 3 has no name",
    "name it",
    count=0,
)
wrong(
    "a colour that is none",
    classes(CLASSES + "3,Ice,blue\n"),
    "line 4: colour 'blue' is neither #rrggbb nor 'red green blue'",
    count=0,
)
wrong(
    "Latin-1",
    classes("code,name\n1,Blé\n2,Maïs\n", "latin-1"),
    "classes.csv",
    "is no text in UTF-8",
    "save it again in that encoding",
    count=0,
)
wrong("UTF-16", classes(CLASSES, "utf-16"), "classes.csv", "is no text in UTF-8", count=0)
wrong(
    "semicolons",
    classes(CLASSES.replace(",", ";")),
    "column 'code' is missing, found code;name;colour",
    "columns apart by commas",
    count=0,
)
wrong(
    "a comma in a name",
    classes("code,name\n1,Wheat, winter\n2,Maize\n"),
    "line 2: 3 values for 2 columns",
    "put names that hold a comma between quotes",
    count=0,
)
wrong(
    "no line of names",
    classes("1,Wheat,#f2d974\n2,Maize,#d1495b\n"),
    "column 'code' is missing, found 1, wheat, #f2d974",
    count=0,
)
wrong("no class", classes("code,name,colour\n"), "no class", count=0)

# Configuration.

wrong("a key twice", add("output: elsewhere"), "key 'output' stands twice", "line 14")
wrong("a tab", add("sampling:\n\truns: 1"), "is not valid YAML", "found character '\\t'")
wrong(
    "an empty file",
    put(lambda s: s.path("config.yaml"), ""),
    "is empty",
    "start from config/minimal.yaml",
)
wrong(
    "a list in place of keys",
    put(lambda s: s.path("config.yaml"), "- output: results\n"),
    "is no section with keys",
)
wrong(
    "a file in Latin-1",
    lambda s: s.path("config.yaml").write_bytes("output: r\xe9sultats".encode("latin-1")),
    "is not in UTF-8",
)
wrong(
    "no configuration",
    lambda s: s.path("config.yaml").unlink(),
    "config.yaml",
    "there is no such file",
    "check its path",
)
wrong(
    "a part inside itself",
    put(lambda s: s.path("config.yaml"), "output: &a [*a]\n"),
    "a part of it stands inside itself",
)
wrong(
    "a day that no calendar has",
    lambda s: s.sensor("first_date: 2018-02-30"),
    "line 7: 2018-02-30 is no day (day is out of range for month) -> correct it, or write it between quotes",
)
wrong(
    "a mistyped key",
    say("temporal_resolution", "temporal_resolutoin"),
    "line 8, sensors.sentinel2: unknown key 'temporal_resolutoin', did you mean 'temporal_resolution'?",
)
wrong(
    "a mistyped section",
    say("nomenclature", "nomenclatur"),
    "line 3: top level: unknown key 'nomenclatur', did you mean 'nomenclature'?",
    count=2,
)
wrong(
    "a missing key whose meaning holds a semicolon",
    say("output: results\n", ""),
    "top level: 'output' is missing (Folder of all products; `final/` in it holds the maps.)",
)
wrong(
    "a key that is missing",
    say("nomenclature: classes.csv\n", ""),
    "top level: 'nomenclature' is missing",
)
wrong(
    "a tile that YAML takes for a number",
    say("[T31TCJ, T31TDJ]", "[0310]"),
    "line 2, tiles.0: 0310 is read as the number 200, text is needed: write it between quotes, '0310'",
)
wrong(
    "a tile that YAML takes for a truth",
    say("[T31TCJ, T31TDJ]", "[no]"),
    "tiles.0: no is read as false, text is needed: write it between quotes, 'no'",
)
wrong(
    "a tile that YAML takes for hours",
    say("[T31TCJ, T31TDJ]", "[10:30]"),
    "tiles.0: 10:30 is read as the number 630",
)
wrong(
    "a field that YAML takes for a year",
    say("field: code", "field: 2018"),
    "reference.field: 2018 is read as the number 2018, text is needed",
)
wrong(
    "a field that is nothing",
    say("field: code", "field: ~"),
    "reference.field: nothing stands here, text is needed",
)
wrong(
    "a date as a number",
    lambda s: s.sensor("first_date: 20180101"),
    "sensors.sentinel2.first_date: 20180101 is not a date, YYYY-MM-DD",
)
wrong(
    "a date of another order",
    lambda s: s.sensor("first_date: 01/02/2018"),
    "'01/02/2018' is not a date, YYYY-MM-DD",
)
wrong(
    "a period in the wrong order",
    lambda s: s.sensor("first_date: 2018-08-01\n    last_date: 2018-03-01"),
    "sensors.sentinel2: first_date 2018-08-01 is after last_date 2018-03-01",
    count=0,
)
wrong(
    "a number between quotes",
    add("sampling: {runs: '3'}"),
    "sampling.runs: '3' is not a whole number",
)
wrong(
    "a share above 1",
    add("sampling: {ratio: 1.5}"),
    "sampling.ratio: 1.5 is greater than the maximum of 1",
)
wrong(
    "a word that is none",
    add("sampling: {strategy: some}"),
    "sampling.strategy: 'some' is none of all, percent, constant, byclass, total, smallest",
)
wrong(
    "a tile twice",
    say("[T31TCJ, T31TDJ]", "[T31TCJ, T31TDJ, T31TCJ]"),
    "tiles: T31TCJ stands twice",
    count=0,
)
wrong(
    "byclass without numbers",
    add("sampling: {strategy: byclass}"),
    "sampling.byclass: strategy `byclass` needs the number of pixels of each class",
)
wrong(
    "draws that are all the same",
    add("sampling: {ratio: 1, runs: 2}"),
    "sampling.runs: with ratio 1 all draws are the same",
)
wrong(
    "an unknown learner",
    say("learning: {", "learning: {learner: RandomForest, "),
    "scikit-learn has no classifier 'RandomForest'",
    count=0,
)
wrong(
    "a parameter that is none",
    say("n_estimators", "n_trees"),
    "RandomForestClassifier has no parameter 'n_trees'",
)
wrong("a parameter that is refused", say("n_estimators: 3", "n_estimators: many"), "n_estimators")
wrong(
    "an unknown index",
    lambda s: s.sensor("indices: [NDVY]"),
    "sensors.sentinel2.indices.0: 'NDVY' is none of",
)
wrong("an unknown band", say("[B4, B8, B11]", "[B4, B8, B13]"), "keep_bands", count=0)
wrong(
    "a feature that is nothing but a division by zero",
    lambda s: s.sensor("additional_features: {X: B4/0}"),
    "sensors.sentinel2.additional_features.X: 'B4/0' is undefined whatever the bands hold",
)
wrong(
    "a feature of an unknown band",
    lambda s: s.sensor("additional_features: {X: B4/B99}"),
    "sensors.sentinel2.additional_features.X: 'B4/B99': unknown band 'B99'",
)
wrong(
    "an output that is a file",
    lambda s: s.path("results").write_text(""),
    "line 1, output: results: is a file",
    "name a folder",
)
wrong(
    "an output below a file",
    lambda s: (s.path("a").write_text(""), s.say("output: results", "output: a/b")),
    "is a file",
    "name a folder that is there, or can be made",
)
wrong(
    "an output among the products of another production",
    lambda s: (
        s.path("old/final").mkdir(parents=True),
        s.path("old/final/production.lock").touch(),
        s.say("output: results", "output: old/final/new"),
    ),
    "output: old/final/new lies among the products of",
    "name a folder that is beside it",
)
wrong(
    "an output in an input",
    say("output: results", "output: s2/T31TCJ/results"),
    "output: s2/T31TCJ/results lies in s2, the folder of sensors.sentinel2.path",
    "name a folder that is beside it",
)
wrong(
    "an output that is an input by a link",
    lambda s: (s.path("link").symlink_to(s.path("s2")), s.say("output: results", "output: link")),
    "output: link lies in s2",
    count=2,
)
wrong(
    "prepared products in an input",
    add("prepared: s2/prepared"),
    "prepared: s2/prepared lies in s2",
)
wrong(
    "an output with a variable",
    say("output: results", "output: $HOME/results"),
    "variables are not replaced",
    "write the path out",
)
wrong(
    "an output with a name too long",
    say("output: results", f"output: below/{'é' * 128}"),
    "is a name of 256 bytes, file systems know names of 255",
    "choose a shorter one",
)
wrong("an output of a special character", say("output: results", "output: a?b"), "'a?b' holds '?'")
wrong(
    "an output that holds another production",
    lambda s: s.path("results/tiles/T32ULU").mkdir(parents=True),
    "output: results holds another production, of T32ULU",
    "name another folder, or remove that one",
)
strange(
    "an output that holds other files",
    lambda s: (s.path("results").mkdir(), s.path("results/letter.txt").write_text("")),
    "output: results holds other files: letter.txt",
)
wrong(
    "two things wrong at once",
    lambda s: (s.say("temporal_resolution", "temporal"), s.band().unlink()),
    "unknown key 'temporal'",
    "_FRE_B4.tif is missing",
    count=2,
)
wrong(
    "all of it wrong at once",
    lambda s: (
        s.add("sampling: {ratio: 2, block: 7}"),
        s.mask().unlink(),
        s.edit(assign("code", 7, 1)),
        s.path("regions.gpkg").unlink(),
    ),
    "sampling.ratio: 2 is greater",
    "sampling.block: nothing",
    "no file regions.gpkg",
    "holds '7' (feature 2)",
    count=0,
)

# Rasters of the user, and the machine.

ALTITUDE = "user_features: {path: user, patterns: [ALT]}"
wrong("no folder of rasters", add(ALTITUDE), "user_features: no folder user/T31TCJ", count=0)
wrong(
    "a raster that is missing",
    lambda s: (
        [s.path(f"user/{tile}").mkdir(parents=True) for tile in ("T31TCJ", "T31TDJ")],
        s.add(ALTITUDE),
    ),
    "user_features: pattern 'ALT' must match one raster of user/T31TCJ, it matches 0 (found: none)",
    count=0,
)
wrong(
    "a raster elsewhere",
    lambda s: (rasters(s, left=0), s.add(ALTITUDE)),
    "ALT.tif",
    "does not touch its tile",
    count=0,
)
wrong(
    "a raster twice",
    lambda s: (
        rasters(s),
        shutil.copy(s.path("user/T31TCJ/ALT.tif"), s.path("user/T31TCJ/ALT_2.tif")),
        s.add(ALTITUDE),
    ),
    "it matches 2 (found: ALT.tif, ALT_2.tif)",
    count=0,
)
strange(
    "no folder of temporary files",
    lambda s: s.path("TMPDIR").write_text(str(s.path("gone"))),
    "TMPDIR",
    "is no folder that can be written to",
    "make it, or unset the variable",
)


def rasters(scene, **options):
    for tile, left in (("T31TCJ", LEFT), ("T31TDJ", LEFT + 200)):
        height = np.full((SIZE, SIZE), 120, np.int16)
        scene.write(scene.path(f"user/{tile}/ALT.tif"), height, **({"left": left} | options))


def two_sensors(scene):
    """Landsat in the folders of Sentinel-2, as a sensor of its own."""
    for tile, left in TILES.items():
        for day in DAYS:
            name = f"LANDSAT8-OLITIRS-XS_{day}-104017-000_L2A_{tile}_C_V2-2"
            product = scene.path(f"s2/{tile}/{name}")
            values = 2000 + np.arange(64, dtype=np.int16).reshape(8, 8)
            scene.write(product / f"{name}_FRE_B5.tif", values, 30, left=left)
            for mask in ("CLM", "SAT", "EDG"):
                clear = np.zeros((8, 8), np.uint8)
                scene.write(product / "MASKS" / f"{name}_{mask}_XS.tif", clear, 30, left=left)
    scene.say(
        "sensors:\n",
        "sensors:\n  landsat8: {path: s2, keep_bands: [B5], indices: [], temporal_resolution: 60}\n",
    )


# What is good stays good.

GOOD = {
    "the scene as it is": lambda s: None,
    "in three dimensions, of several parts": lambda s: s.edit(
        lambda f: f.set_geometry(
            [shapely.MultiPolygon([shapely.force_3d(shape, 7)]) for shape in f.geometry]
        )
    ),
    "in degrees": lambda s: s.edit(lambda f: f.to_crs("EPSG:4326")),
    "polygons that share a border": edit(appended((box(5, 2, 7, 6), 1))),
    "polygons that overlap between centres": edit(appended((box(4.6, 2, 6, 6), 2))),
    "a nomenclature of a spreadsheet": classes(CLASSES.replace("\n", "\r\n"), "utf-8-sig"),
    "classes by name": say("field: code", "field: name"),
    "codes as real numbers": edit(lambda f: f.assign(code=f["code"].astype(float))),
    "touching pieces together": add("sampling: {split_by: touching}"),
    "farms together": add("sampling: {split_by: farm}"),
    "a map in degrees": add("grid: {projection: EPSG:4326, spatial_resolution: 0.0001}"),
    "a finished production": lambda s: s.path("results/tiles/T31TCJ").mkdir(parents=True),
    "what a plan has kept": lambda s: (
        s.path("results").mkdir(),
        s.path("results/delivery_units.json").write_text(""),
    ),
    "splits of one's own": splits(ROWS),
    "two sensors in one folder": two_sensors,
    "a gap that is allowed": lambda s: (second_away(s), s.add("inputs: {longest_gap: 181}")),
    "rasters of one's own": lambda s: (rasters(s), s.add(ALTITUDE)),
    "products in their zip": lambda s: (zipped(s, PRODUCT), shutil.rmtree(s.product())),
}


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    good_scene(folder)
    return folder


@pytest.fixture
def scene(good, tmp_path, monkeypatch) -> Scene:
    shutil.copytree(good, tmp_path / "scene")
    monkeypatch.chdir(tmp_path / "scene")
    return Scene(tmp_path / "scene")


def answer(scene: Scene, monkeypatch, capsys, *options: str) -> tuple[int, str]:
    """Exit code of the check, and all that it says."""
    if scene.path("TMPDIR").exists():
        monkeypatch.setenv("TMPDIR", scene.path("TMPDIR").read_text())
    code = cli.main(["check", "config.yaml", *options])
    told = capsys.readouterr()
    assert told.err == ""
    return code, told.out


def parts(text: str) -> dict[str, str]:
    """What stands under ERRORS and under WARNINGS."""
    found = {}
    for title in ("ERRORS", "WARNINGS"):
        if f"{title} (" in text:
            found[title] = text.split(f"{title} (")[1].split("\n\n")[0]
    return found


def test_names_of_cases_are_each_given_once():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) >= 120


QUICK = {
    "a key twice",
    "a tab",
    "an empty file",
    "no configuration",
    "a day that no calendar has",
    "a long gap",
    "an unknown class",
}
"""Of the fast loop."""


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=[] if case.name in QUICK else pytest.mark.slow)
        for case in CASES
    ],
)
def test_what_is_wrong_is_told(scene, case, monkeypatch, capsys):
    case.broken(scene)
    code, text = answer(scene, monkeypatch, capsys, *(["--deep"] if case.deep else []))
    title = {"error": "ERRORS", "warning": "WARNINGS"}[case.severity]
    found = parts(text)
    assert title in found, text
    plain = " ".join(found[title].split())
    for piece in case.says:
        assert piece in plain, text
    assert code == (1 if "ERRORS" in found else 0)
    assert ("ERRORS" in found) == (case.severity == "error"), text
    if case.count:
        assert sum(int(part.split(")")[0]) for part in found.values()) == case.count, text
    assert "Traceback" not in text


@pytest.mark.slow  # together
@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD)
def test_what_is_good_is_not_blamed(scene, change, monkeypatch, capsys):
    change(scene)
    code, text = answer(scene, monkeypatch, capsys, "--deep")
    assert code == 0, text
    assert text.startswith("config.yaml: no problem found\n"), text
    assert len(text.splitlines()) == 3
