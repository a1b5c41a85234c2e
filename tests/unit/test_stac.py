"""Acquisitions that local STAC items name: which they are, which bands, what pixels are worth."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import shapely
from osgeo import gdal
from tiny import LEFT, TOP, write_image

from iota2_tools.core.errors import ConfigError, InputDataError
from iota2_tools.geo.grid import Grid, grid_of
from iota2_tools.planning.checks import header_problems, input_warnings
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production
from iota2_tools.products import Request, format_of
from iota2_tools.products.stac import Stac
from iota2_tools.products.stac_items import find_items, over_tile
from iota2_tools.timeseries.inputs import Products, TileInputs
from iota2_tools.timeseries.inventory import take_inventory, write_inventory
from iota2_tools.timeseries.masks import write_clear_masks
from iota2_tools.timeseries.series import SeriesReader, image_on

SIDE = 8
GRID = Grid("EPSG:32631", LEFT, TOP, 10, SIDE, SIDE)
# Corners of the grid in degrees (PROJ's cs2cs), a little enlarged.
AROUND = (0.3, 44.1, 0.6, 44.3)


def square(west, south, east, north):
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def make_item(folder, name="S2A_20180611", values=3000, *, about=None, assets=None, **others):
    """An item with a red and a near infrared band, each a file beside it."""
    files = {}
    for key, shift in (("red", 0), ("nir", 1000)):
        pixels = np.broadcast_to(np.asarray(values) + shift, (SIDE, SIDE)).astype(np.uint16)
        write_image(folder / name / f"{key}.tif", pixels)
        files[key] = {
            "href": f"./{name}/{key}.tif",
            "eo:bands": [{"name": {"red": "B04", "nir": "B08"}[key], "common_name": key}],
            "raster:bands": [{"nodata": 0, "scale": 0.0001, "offset": -0.1}],
        }
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": name, "geometry": square(*AROUND), "bbox": AROUND,
        "properties": {"datetime": "2018-06-11T10:50:31Z", "platform": "sentinel-2a"} | (about or {}),
        "assets": files | (assets or {}), "links": [],
    } | others  # fmt: skip


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def section(path, **others):
    given = {"path": str(path), "bands": {"B4": "red", "B8": "nir"}}
    return Stac(**given | others)


def acquisition(path, name=None, bands=("B4", "B8"), **others):
    """The first item of a path as its format has it."""
    options = section(path, **others).options
    known = format_of("stac", options)
    found = known.passes(str(path), "T31TCJ", GRID, "").products
    wanted = name or found[0].name
    return known.acquisition(Request(path, wanted, bands, options))


def band_of(folder, word, name="a.json"):
    """The band of an item that a word means."""
    options = section(folder, bands={"X": word}).options
    known = format_of("stac", options)
    return known.acquisition(Request(folder, name, ("X",), options)).bands["X"]


def values_of(image):
    return image_on(GRID, image).observe(GRID.window)


def value(image):
    values, seen = values_of(image)
    assert seen.all()
    assert (values == values[0, 0]).all()
    return int(values[0, 0])


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "items"


def one(folder, **others):
    write(folder / "S2A_20180611.json", make_item(folder, **others))


def test_scale_and_offset_of_an_item_are_applied_once_and_nodata_before(folder):
    """DN 3000 x 0.0001 - 0.1 = 0.2; 0 is no data, not -0.1."""
    values = np.full((SIDE, SIDE), 3000)
    values[0, 0] = 0
    one(folder, values=values)
    found, seen = values_of(acquisition(folder).bands["B4"])
    assert found[1, 1] == 2000
    assert seen.sum() == SIDE * SIDE - 1
    assert not seen[0, 0]


def restate(path, scale, offset, nodata=None):
    dataset = gdal.Open(str(path), gdal.GA_Update)
    band = dataset.GetRasterBand(1)
    band.SetScale(scale)
    band.SetOffset(offset)
    if nodata is not None:
        band.SetNoDataValue(nodata)


def silent(folder, key="red", **of_band):
    """The item no longer says what the pixels of a band are worth."""
    path = folder / "S2A_20180611.json"
    item = json.loads(path.read_text())
    item["assets"][key]["raster:bands"] = [of_band]
    write(path, item)


def test_what_the_file_says_counts_where_the_item_is_silent(folder):
    """DN 3000 x 0.0002 - 0.05 = 0.55."""
    one(folder)
    silent(folder)
    restate(folder / "S2A_20180611" / "red.tif", 0.0002, -0.05, nodata=7)
    image = acquisition(folder).bands["B4"]
    assert value(image) == 5500
    assert image.nodata == 7


def test_the_item_counts_before_the_file(folder):
    one(folder)
    restate(folder / "S2A_20180611" / "red.tif", 0.0002, -0.05, nodata=7)
    image = acquisition(folder).bands["B4"]
    assert value(image) == 2000
    assert image.nodata == 0


def test_an_item_that_states_a_scale_alone_has_no_offset(folder):
    one(folder)
    silent(folder, scale=0.0001)
    restate(folder / "S2A_20180611" / "red.tif", 0.0001, -0.1)
    assert value(acquisition(folder).bands["B4"]) == 3000


@pytest.mark.parametrize(
    ("assumed", "expected"),
    [(None, 3000), ({"scale": 0.0002}, 6000), ({"scale": 0.0001, "offset": 0.05, "nodata": 1}, 3500)],
)  # fmt: skip
def test_numbers_that_nobody_explains_are_kept_or_read_as_the_user_says(folder, assumed, expected):
    one(folder)
    silent(folder)
    image = acquisition(folder, assumed=assumed).bands["B4"]
    assert value(image) == expected
    assert image.nodata == (assumed or {}).get("nodata")


def test_reflectance_in_fractions_is_kept_times_ten_thousand(folder):
    one(folder)
    silent(folder, nodata="nan")
    pixels = np.full((SIDE, SIDE), 0.2345, np.float32)
    pixels[0, 0] = np.nan
    write_image(folder / "S2A_20180611" / "red.tif", pixels)
    values, seen = values_of(acquisition(folder).bands["B4"])
    assert values[1, 1] == 2345
    assert not seen[0, 0]
    assert seen.sum() == SIDE * SIDE - 1


def test_an_offset_that_has_been_applied_is_not_applied_again(folder):
    one(folder, about={"earthsearch:boa_offset_applied": True, "s2:processing_baseline": "05.00"})
    assert value(acquisition(folder).bands["B4"]) == 3000
    one(folder, about={"earthsearch:boa_offset_applied": False})
    assert value(acquisition(folder).bands["B4"]) == 2000


def test_sentinel_2_whose_offset_nobody_states_is_refused(folder):
    one(folder, about={"s2:processing_baseline": "05.09"})
    silent(folder)
    with pytest.raises(InputDataError, match=r"baseline 05\.09 .* has an offset"):
        acquisition(folder)
    one(folder, about={"s2:processing_baseline": "02.12"})
    silent(folder)
    assert value(acquisition(folder).bands["B4"]) == 3000


@pytest.mark.parametrize(("key", "given"), [("scale", "none"), ("scale", 0), ("nodata", "empty")])
def test_a_number_of_an_item_that_is_none_is_named(folder, key, given):
    one(folder)
    silent(folder, **{"scale": 1, key: given})
    with pytest.raises(InputDataError, match="red"):
        acquisition(folder)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("blue", 500), ("B3", 700), ("stack:3", 900), ("swir16", 900)],
)
def test_bands_of_one_file_are_told_apart_by_their_place(folder, word, expected):
    one(folder)
    stack = np.arange(500, 1000, 200)[:, None, None] * np.ones((3, SIDE, SIDE))
    write_image(folder / "stack.tif", stack.astype(np.int16))
    item = make_item(folder)
    item["assets"]["stack"] = {
        "href": "stack.tif",
        "eo:bands": [
            {"name": "B2", "common_name": "blue"}, {"name": "B3", "common_name": "green"}, {"common_name": "swir16"},
        ],
        "raster:bands": [{"scale": 0.0001}] * 3,
    }  # fmt: skip
    write(folder / "S2A_20180611.json", item)
    assert value(band_of(folder, word, "S2A_20180611.json")) == expected


def test_two_entries_of_raster_bands_are_two_bands_of_the_file(folder):
    """Not two scales of one band."""
    stack = np.stack([np.full((SIDE, SIDE), number, np.int16) for number in (1000, 2000)])
    write_image(folder / "red.tif", stack)
    item = make_item(folder)
    item["assets"] = {"x": {"href": "red.tif", "raster:bands": [{"scale": 0.0001}, {"scale": 0.001}]}}  # fmt: skip
    write(folder / "a.json", item)
    for word, expected in (("x:1", 1000), ("x:2", 20000)):
        assert value(band_of(folder, word)) == expected


def test_bands_are_read_as_version_1_1_of_stac_writes_them(folder):
    """Scale beside the band, offset beside the asset, nodata for all."""
    item = make_item(folder)
    for key in ("red", "nir"):
        del item["assets"][key]["raster:bands"], item["assets"][key]["eo:bands"]
        item["assets"][key]["bands"] = [{"name": "B", "eo:common_name": key, "raster:scale": 0.0001}]  # fmt: skip
        item["assets"][key]["raster:offset"] = 0.01
    item["properties"]["nodata"] = 9
    write(folder / "a.json", item)
    image = acquisition(folder).bands["B4"]
    assert value(image) == 3100
    assert image.nodata == 9


@pytest.mark.parametrize("roles", [["visual"], ["data"]])
def test_a_picture_of_the_data_is_not_taken_for_them(folder, roles):
    """By its role, or by its key."""
    key = "visual" if roles == ["data"] else "a_picture"
    item = make_item(folder)
    picture = {"href": "S2A_20180611/nir.tif", "eo:bands": [{"name": "B04"}], "roles": roles}
    item["assets"] = {key: picture} | item["assets"]
    write(folder / "a.json", item)
    assert band_of(folder, "B04").path.endswith("red.tif")


def test_of_a_band_at_two_resolutions_the_finest_that_is_there_is_taken(folder):
    item = make_item(folder)
    for name, metres in (("coarse", 20), ("fine", 10), ("absent", 5)):
        item["assets"][name] = {
            "href": f"{name}.tif", "eo:bands": [{"name": "B9"}], "raster:bands": [{"spatial_resolution": metres}],
        }  # fmt: skip
    for name in ("coarse", "fine"):
        write_image(folder / f"{name}.tif", np.ones((SIDE, SIDE), np.int16))
    write(folder / "a.json", item)
    assert band_of(folder, "B9").path.endswith("fine.tif")


def test_a_word_that_means_two_assets_is_refused(folder):
    item = make_item(folder)
    for key in ("re1", "re2"):
        item["assets"][key] = {"href": f"{key}.tif", "eo:bands": [{"common_name": "rededge"}]}
    write(folder / "a.json", item)
    with pytest.raises(InputDataError, match="'rededge' may be the assets re1, re2"):
        band_of(folder, "rededge")


def test_a_band_that_an_item_does_not_have_is_named_with_those_it_has(folder):
    write(folder / "a.json", make_item(folder))
    with pytest.raises(InputDataError, match="no band or asset 'blue'; it has B04, B08, nir, red"):
        band_of(folder, "blue")


def test_a_file_on_the_network_is_refused_by_its_address(folder):
    item = make_item(folder)
    item["assets"]["red"]["href"] = "https://example.org/red.tif"
    write(folder / "a.json", item)
    with pytest.raises(InputDataError, match=r"https://example\.org/red\.tif is not on this"):
        band_of(folder, "red")


def test_files_lie_where_the_item_says_wherever_it_is(folder, tmp_path):
    """Relative to the file of the item; absolute; as address of a file, with %20 for a space."""
    write(folder / "deep" / "er" / "a.json", make_item(folder / "deep" / "er"))
    deep = acquisition(folder)
    assert value(deep.bands["B4"]) == 2000
    write_image(tmp_path / "of all" / "red.tif", np.full((SIDE, SIDE), 3500, np.uint16))
    above = "../../.."
    address = f"file://{tmp_path}/of%20all/red.tif"
    for href in (f"{above}/of all/red.tif", f"{above}/of%20all/red.tif", address):
        item = make_item(folder / "deep" / "er")
        item["assets"]["red"]["href"] = href
        write(folder / "deep" / "er" / "a.json", item)
        assert value(acquisition(folder).bands["B4"]) == 2500


MASK = {"asset": "scl", "unusable": [3, 9], "unseen": [0]}


def masked(folder, codes, **others):
    write_image(folder / "scl.tif", codes)
    item = make_item(folder, **others)
    item["assets"]["scl"] = {"href": "scl.tif"}
    write(folder / "S2A_20180611.json", item)


def test_codes_of_a_mask_are_those_of_the_configuration(folder):
    codes = np.full((SIDE, SIDE), 4, np.uint8)
    codes[0, :4] = 0, 3, 9, 16
    masked(folder, codes)
    (mask,) = acquisition(folder, masks=[MASK | {"unusable_bits": 16}]).masks
    read = gdal.Open(mask.path).ReadAsArray()
    assert mask.unseen.found(read)[0, :5].tolist() == [True, False, False, False, False]
    assert mask.unusable.found(read)[0, :5].tolist() == [True, True, True, True, False]


def test_an_item_without_the_mask_is_not_all_clear(folder):
    one(folder)
    with pytest.raises(InputDataError, match="no band or asset 'scl'"):
        acquisition(folder, masks=[MASK])


def test_a_mask_without_a_code_is_refused():
    given = section("x", masks=[{"asset": "scl"}])
    assert list(given.contradictions()) == [
        "masks: 'scl' has no code: give unusable, unusable_bits or unseen"
    ]


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({"datetime": "2018-06-11T23:30:00-02:00"}, date(2018, 6, 12)),
        ({"datetime": None, "start_datetime": "2018-06-01T00:00:00Z", "end_datetime": "2018-06-30T00:00:00Z"},
         date(2018, 6, 15)),
    ],
)  # fmt: skip
def test_the_day_is_that_of_the_time_in_utc_or_of_the_middle_of_a_period(folder, about, expected):
    one(folder, about=about)
    assert acquisition(folder).day == expected


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({"datetime": None}, "has no datetime"),
        ({"datetime": "last summer"}, "which is no time"),
        ({"datetime": None, "start_datetime": "2018-01-01T00:00:00Z", "end_datetime": "2018-12-31T00:00:00Z"},
         "period of 364 days"),
        ({"datetime": None, "start_datetime": "2018-02-01T00:00:00Z", "end_datetime": "2018-01-31T00:00:00Z"},
         "ends before it starts"),
    ],
)  # fmt: skip
def test_an_item_without_a_date_is_left_out_with_the_reason(folder, about, reason):
    one(folder, about=about)
    found = find_items(str(folder))
    assert not found.items
    assert reason in found.strangers["S2A_20180611.json"]


def test_what_is_no_item_is_told_or_left_alone(folder):
    folder.mkdir()
    (folder / "cut.json").write_text('{"type": "Feature"')
    (folder / "other.json").write_text('{"name": "settings"}')
    write(folder / "odd.json", {"type": "Feature", "assets": {}, "properties": [1]})
    write(folder / "nowhere.json", make_item(folder, geometry=None, bbox=None))
    strangers = find_items(str(folder)).strangers
    assert set(strangers) == {"cut.json", "odd.json", "nowhere.json"}
    assert "its place is not known" in strangers["nowhere.json"]


def test_folder_collection_list_and_item_name_the_same_acquisitions(folder):
    items = [make_item(folder, f"S2A_{day}", about={"datetime": f"{day[:4]}-{day[4:6]}-{day[6:]}T10:50:31Z"})
             for day in ("20180611", "20180621")]  # fmt: skip
    links = []
    for item in items:
        write(folder / f"{item['id']}.json", item)
        links.append({"rel": "item", "href": f"./{item['id']}.json"})
    links += [{"rel": "root", "href": "https://example.org"}]
    single = folder / "S2A_20180611.json"
    collection = write(folder / "collection.json", {"type": "Collection", "links": links})
    catalogue = write(
        folder.parent / "catalog.json",
        {"type": "Catalog", "links": [{"rel": "child", "href": "items/collection.json"}]},
    )
    several = write(folder / "list.json", {"type": "FeatureCollection", "features": items})
    plain = write(folder / "plain.json", items)
    contents = {}
    for path in (collection, catalogue, several, plain, folder):
        contents[path] = sorted(item.contents for item in find_items(str(path)).items.values())
    assert len(contents[folder]) == 2
    assert len(set(map(tuple, contents.values()))) == 1
    assert len(find_items(str(single)).items) == 1
    for path in (several, catalogue):
        assert value(acquisition(path).bands["B4"]) == 2000


def test_a_link_that_leads_nowhere_is_told(folder):
    links = [{"rel": "item", "href": "gone.json"}, {"rel": "item", "href": "https://example.org/a.json"}]  # fmt: skip
    path = write(folder / "collection.json", {"type": "Collection", "links": links})
    strangers = find_items(str(path)).strangers
    assert "is missing" in strangers["gone.json"]
    assert "not on this machine" in strangers["https://example.org/a.json"]


def found_over(folder, tile="T31TCJ", grid=GRID):
    return [item.name for item in over_tile(find_items(str(folder)).items.values(), tile, grid)]


def test_items_over_a_tile_are_those_whose_ground_touches_it(folder):
    one(folder)
    write(folder / "far.json", make_item(folder, "far", geometry=square(3, 44, 4, 45)))
    assert found_over(folder) == ["S2A_20180611.json"]


def test_an_item_that_names_a_tile_is_of_that_tile_alone(folder):
    """Neighbours overlap by 10 km and show the same acquisition."""
    write(
        folder / "own.json",
        make_item(folder, "own", geometry=None, bbox=None, about={"grid:code": "MGRS-31TCJ"}),
    )
    write(folder / "next.json", make_item(folder, "next", about={"s2:mgrs_tile": "31TDJ"}))
    assert found_over(folder) == ["own.json"]
    assert found_over(folder, "T31TDJ") == ["next.json"]
    assert found_over(folder, "here") == ["next.json"]


def test_projected_bounds_place_an_item_without_geometry(folder):
    about = {"proj:epsg": 32631, "proj:bbox": [LEFT + 40, TOP - 500, LEFT + 900, TOP - 40]}
    write(folder / "a.json", make_item(folder, "a", geometry=None, bbox=None, about=about))
    about = {
        "proj:code": "EPSG:32631",
        "proj:shape": [4, 6],
        "proj:transform": [10, 0, LEFT - 60, 0, -10, TOP],
    }
    write(folder / "b.json", make_item(folder, "b", geometry=None, bbox=None, about=about))
    assert found_over(folder) == ["a.json"]


def test_ground_across_the_date_line_touches_tiles_on_both_sides_of_it(folder):
    ring = [[179.5, -17], [-179.5, -17], [-179.5, -16], [179.5, -16], [179.5, -17]]
    write(folder / "a.json", make_item(folder, geometry={"type": "Polygon", "coordinates": [ring]}))
    west = Grid("EPSG:32760", 800_000, 8_200_000, 10, 8, 8)  # 179.8 E, 16.3 S
    east = Grid("EPSG:32701", 200_000, 8_200_000, 10, 8, 8)  # 179.8 W
    elsewhere = Grid("EPSG:32631", 500_000, 8_200_000, 10, 8, 8)
    assert found_over(folder, "here", west) == ["a.json"]
    assert found_over(folder, "here", east) == ["a.json"]
    assert found_over(folder, "here", elsewhere) == []


def inventory(path, **others):
    """Inventory of the one tile, by the functions of the plan and of the job."""
    given = section(path, **others)
    known = format_of("stac", given.options)
    names = [item.name for item in known.passes(str(path), "T31TCJ", GRID, "").products]
    products = Products("stac", str(path), names, names, given.options, ["B4", "B8"], GRID.as_dict())  # fmt: skip
    return TileInputs("T31TCJ", GRID, {"stac": products}, {})


def half(left, right):
    values = np.full((SIDE, SIDE), right)
    values[:, : SIDE // 2] = left
    return values


@pytest.mark.parametrize(
    ("older", "kept"),
    [(half(3000, 3000), ["new"]), (half(3000, 0), ["new", "old"])],
    ids=["the same again", "its other part"],
)
def test_versions_of_a_day_count_once_and_parts_both(folder, older, kept):
    """`…_0_L2A` and `…_1_L2A` look alike by name: where the data are tells."""
    newer = half(0, 3000) if "old" in kept else half(3000, 3000)
    for name, values, baseline, second in (
        ("old", older, "02.14", 31), ("new", newer, "05.00", 29),
    ):  # fmt: skip
        about = {
            "datetime": f"2018-06-11T10:50:{second}Z", "s2:processing_baseline": baseline, "grid:code": "MGRS-31TCJ",
        }  # fmt: skip
        write(folder / f"{name}.json", make_item(folder, name, values, about=about))
    stock = take_inventory(inventory(folder), "stop")
    assert [item.name for item in stock.series["stac"]] == [f"{name}.json" for name in kept]
    assert stock.left_out == ({} if "old" in kept else {"old.json": "replaced by new.json"})


def test_images_of_one_moment_on_two_grids_are_two_acquisitions(folder):
    """Both would look alike pixel by pixel of their own, though their ground is another."""
    for name, left in (("west", LEFT - 40), ("east", LEFT + 40)):
        item = make_item(folder, name)
        for key in ("red", "nir"):
            write_image(
                folder / name / f"{key}.tif", np.full((SIDE, SIDE), 3000, np.uint16), left=left
            )
        item["properties"] |= {
            "proj:epsg": 32631,
            "proj:shape": [8, 8],
            "proj:transform": [10, 0, left, 0, -10, TOP],
        }
        write(folder / f"{name}.json", item)
    stock = take_inventory(inventory(folder), "stop")
    assert len(stock.series["stac"]) == 2
    assert not stock.left_out


def test_files_of_items_may_state_scales_and_nodata_of_their_own(folder):
    one(folder)
    restate(folder / "S2A_20180611" / "red.tif", 0.0002, -0.05, nodata=7)
    assert not take_inventory(inventory(folder), "stop").left_out


def test_missing_files_are_named_by_item_and_file(folder):
    one(folder)
    (folder / "S2A_20180611" / "nir.tif").unlink()
    with pytest.raises(
        InputDataError, match=r"S2A_20180611\.json: 2018-06-11: \S*nir\.tif is missing"
    ):
        take_inventory(inventory(folder), "stop")


def test_values_and_masks_reach_the_series_in_any_window(folder, tmp_path):
    """20 m images, half a pixel beside the tile: warped the same at once and by windows."""
    generator = np.random.default_rng(3)
    codes = np.full((SIDE, SIDE), 4, np.uint8)
    codes[2:4, 2:4] = 9
    masked(folder, codes)
    for key in ("red", "nir"):
        pixels = generator.integers(1500, 6000, (12, 12)).astype(np.uint16)
        write_image(folder / "S2A_20180611" / f"{key}.tif", pixels, 20, LEFT - 55, TOP + 45)
    given = inventory(folder, masks=[MASK])
    write_inventory(given, "stop", str(tmp_path / "inventory.json"))
    masks, footprint = str(tmp_path / "clear.tif"), str(tmp_path / "footprint.tif")
    write_clear_masks(str(tmp_path / "inventory.json"), "stac", masks, footprint)
    assert (gdal.Open(masks).ReadAsArray() == (codes != 9)).all()
    stock = take_inventory(given, "stop")
    with ThreadPoolExecutor(1) as pool:
        reader = SeriesReader(stock.series["stac"], ("B4", "B8"), masks, GRID)
        whole, clear = reader.read(GRID.window, pool)
        parts = [reader.read(window, pool) for window in GRID.windows(3, 5)]
    for window, (part, of_part) in zip(GRID.windows(3, 5), parts, strict=True):
        rows, cols = window.slices
        expected = whole.reshape(1, 2, SIDE, SIDE)[:, :, rows, cols]
        assert (part.reshape(expected.shape) == expected).all()
        assert (
            of_part.reshape(1, window.rows, window.cols)
            == clear.reshape(1, SIDE, SIDE)[:, rows, cols]
        ).all()


# The plan


@pytest.fixture
def plan(tmp_path):
    field = shapely.box(LEFT, TOP - 40, LEFT + 40, TOP)
    gpd.GeoDataFrame({"code": [1]}, geometry=[field], crs="EPSG:32631").to_file(tmp_path / "r.gpkg")
    (tmp_path / "classes.csv").write_text("code,name\n1,Wheat\n2,Maize\n")

    def make(path, tile="T31TCJ", **others):
        bands = {"B4": "red", "B8": "nir"}
        given = {
            "output": str(tmp_path / "results"),
            "tiles": [tile],
            "nomenclature": str(tmp_path / "classes.csv"),
            "sensors": {"stac": {"path": str(path), "bands": bands} | others},
            "reference": {"path": str(tmp_path / "r.gpkg"), "field": "code"},
        }
        return Production(complete_configuration(given))

    return make


def named(folder, name="S2A_20180611", **others):
    write(
        folder / f"{name}.json", make_item(folder, name, about={"grid:code": "Field-7"}, **others)
    )


def test_a_production_of_items_alone_has_the_grid_of_the_files_that_name_its_tile(folder, plan):
    named(folder)
    made = plan(folder, "Field7")
    with pytest.raises(InputDataError, match=r"Field7: is no tile .* names it"):
        made.grid("Field7")
    write(folder / "S2A_20180611.json", make_item(folder, about={"grid:code": "Field7"}))
    made = plan(folder, "Field7", indices=["NDVI"])
    assert made.grid("Field7") == grid_of(str(folder / "S2A_20180611" / "red.tif"))
    assert Parameters(made).series_features["stac"].names == [
        "Stac_B4_20180611", "Stac_B8_20180611", "Stac_NDVI_20180611",
    ]  # fmt: skip
    assert header_problems(made) == []


def test_a_tile_of_sentinel_2_has_its_own_grid_and_a_changed_item_makes_its_inventory_anew(
    folder, plan
):
    one(folder)
    made = plan(folder)
    assert made.grid("T31TCJ").rows == 10980
    before = asdict(Parameters(made).tile_inputs("T31TCJ"))
    assert before == asdict(Parameters(plan(folder)).tile_inputs("T31TCJ"))
    silent(folder, scale=0.0001)
    assert before != asdict(Parameters(plan(folder)).tile_inputs("T31TCJ"))


def test_the_plan_reads_an_item_again_only_when_it_has_changed(folder, tmp_path):
    one(folder)
    index = tmp_path / "index.json"
    first = find_items(str(folder), str(index))
    stored = json.loads(index.read_text())
    stored["files"]["S2A_20180611.json"]["items"][0]["platform"] = "from the index"
    index.write_text(json.dumps(stored))
    (again,) = find_items(str(folder), str(index)).items.values()
    assert again.platform == "from the index"
    one(folder, about={"platform": "changed for good"})
    (anew,) = find_items(str(folder), str(index)).items.values()
    assert anew.platform == "changed for good"
    index.write_text("cut")
    assert find_items(str(folder), str(index)).items.keys() == first.items.keys()


def test_what_was_assumed_and_what_the_file_says_otherwise_is_told_at_the_start(folder, plan):
    one(folder)
    silent(folder)
    item = json.loads((folder / "S2A_20180611.json").read_text())
    item["assets"]["nir"]["proj:transform"] = [10, 0, LEFT + 5, 0, -10, TOP]
    write(folder / "S2A_20180611.json", item)
    told = "\n".join(input_warnings(plan(folder)))
    assert "neither items nor files say what the numbers of red mean; they are kept" in told
    assert "its item says (300005, 4900020); the file counts" in told


def test_a_period_of_a_year_alone_leaves_no_product_and_says_why(folder, plan):
    about = {
        "datetime": None,
        "start_datetime": "2018-01-01T00:00:00Z",
        "end_datetime": "2018-12-31T00:00:00Z",
    }
    one(folder, about=about)
    with pytest.raises(InputDataError, match=r"holds no product(.|\n)*period of 364 days"):
        plan(folder).listing("stac", "T31TCJ")


def test_collections_choose_among_items(folder, plan):
    one(folder, collection="s2-l2a")
    write(folder / "other.json", make_item(folder, "other", collection="landsat"))
    names = [
        item.name
        for item in plan(folder, collections=["landsat"]).listing("stac", "T31TCJ").products
    ]
    assert names == ["other.json"]
    with pytest.raises(
        InputDataError, match="no item is of that collection; there are landsat, s2-l2a"
    ):
        plan(folder, collections=["sentinel"]).listing("stac", "T31TCJ")


def test_a_path_that_is_not_there_and_bands_that_are_not_are_named(folder, plan):
    with pytest.raises(InputDataError, match=r"sensors\.stac: there is no .*/items; check"):
        plan(folder).listing("stac", "T31TCJ")
    with pytest.raises(ConfigError, match="'B9' is none of the bands B4, B8"):
        plan(folder, keep_bands=["B9"])
    with pytest.raises(ConfigError, match="NDWI needs a band called swir"):
        plan(folder, indices=["NDWI"])


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        ({"B5": "nir08", "B6": "swir16"}, {"nir": "B5", "swir": "B6"}),
        ({"B8": "nir", "B8A": "nir08"}, {"nir": "B8", "nir2": "B8A"}),
        ({"red": "B04"}, {"red": "red"}),
    ],
)
def test_common_names_of_stac_are_roles(bands, expected):
    assert format_of("stac", section("x", bands=bands).options).roles == expected


def test_roles_that_the_user_gives_come_first():
    options = section("x", bands={"A": "B04", "B": "red"}, roles={"red": "A"}).options
    assert format_of("stac", options).roles == {"red": "A"}


def with_asset(item, **about):
    item["assets"]["red"] |= about
    return item


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda item: item | {"properties": [1]}, "properties is [1]"),
        (lambda item: item | {"assets": {"red": None}}, "assets.red is None"),
        (lambda item: with_asset(item, href=5), "assets.red.href is 5"),
        (lambda item: with_asset(item, roles="data"), "assets.red.roles is 'data'"),
        (lambda item: with_asset(item, gsd="10m"), "assets.red.gsd is '10m'"),
        (lambda item: with_asset(item, **{"eo:bands": "red"}), "assets.red.eo:bands is 'red'"),
        (lambda item: with_asset(item, **{"raster:bands": [7]}), "assets.red.raster:bands.0 is 7"),
        (lambda item: item | {"properties": {"datetime": "0001-01-01T00:00:00+14:00"}}, "no time"),
        (lambda item: item | {"geometry": square("nan", 44, 1, 45)}, "its place is not known"),
    ],
)  # fmt: skip
def test_what_is_no_item_is_told_and_nothing_ends(folder, change, told):
    write(folder / "a.json", change(make_item(folder)))
    found = find_items(str(folder))
    assert found.items == {}
    assert told in found.strangers["a.json"]


def test_an_item_of_a_list_without_assets_is_told_and_other_features_are_not(folder):
    """One acquisition less, and nobody would know."""
    item = make_item(folder)
    lost, plain = item | {"id": "lost", "assets": []}, {"type": "Feature", "geometry": None}
    del (bare := item | {"id": "bare"})["assets"]
    write(folder / "a.json", {"type": "FeatureCollection", "features": [item, lost, bare, plain]})
    found = find_items(str(folder))
    assert len(found.items) == 1
    assert set(found.strangers) == {"a.json#lost", "a.json#bare"}
    assert "(assets is [])" in found.strangers["a.json#lost"]


@pytest.mark.parametrize(
    "content",
    [
        {"type": "Collection", "links": "items"}, {"type": "Catalog", "links": [None, 3]},
        {"type": "FeatureCollection", "features": {"a": 1}}, {"type": "FeatureCollection"}, 7,
    ],
)  # fmt: skip
def test_a_file_without_items_gives_none(folder, content):
    write(folder / "a.json", content)
    assert find_items(str(folder)).items == {}


def test_json_that_is_nested_without_end_is_told(folder):
    write(folder / "a.json", {}).write_text("[" * 100_000)
    assert "is no whole JSON file" in find_items(str(folder)).strangers["a.json"]


def test_a_scale_that_turns_values_round_is_refused(folder):
    one(folder)
    silent(folder, scale=-0.0001)
    with pytest.raises(InputDataError, match=r"its item has the scale -0\.0001"):
        acquisition(folder)


@pytest.mark.parametrize("baseline", ["N0509", "05.14", "5.14"])
def test_a_baseline_is_understood_however_it_is_written(folder, baseline):
    one(folder, about={"s2:processing_baseline": baseline})
    silent(folder)
    with pytest.raises(InputDataError, match=f"baseline {baseline} .* has an offset"):
        acquisition(folder)
    older = baseline.replace("05", "02").replace("5.", "2.")
    one(folder, about={"s2:processing_baseline": older})
    silent(folder)
    assert value(acquisition(folder).bands["B4"]) == 3000


def test_values_of_which_nothing_is_left_are_told(folder):
    """DN 3000 x 0.01 x 10000 = 300000."""
    one(folder)
    silent(folder, scale=0.01)
    options = section(folder).options
    known = format_of("stac", options)
    told = known.remarks(Request(folder, "S2A_20180611.json", ("B4", "B8"), options))
    (remark,) = [text for text in told if "are cut off there" in text]
    assert "red.tif, B4: 100%" in remark
