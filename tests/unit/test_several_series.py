"""Several sensors in one production: whose grid counts, in which order, and where one is missing."""

import itertools
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from tiny import LEFT, TOP, name_of, write_image

from iota2_tools.core.errors import ConfigError, InputDataError
from iota2_tools.planning.checks import check, header_problems, input_problems, input_warnings
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production
from iota2_tools.reference.table import read_training_table

SIDE = 12
PLACES = {"T31TCJ": LEFT, "T31TDJ": LEFT + 100}


def muscate(folder, name, bands, masks, resolution, left):
    """A product of the MUSCATE layout over 120 m."""
    side = round(SIDE * 10 / resolution)
    for band in bands:
        values = np.full((side, side), 1000, np.int16)
        write_image(folder / name / f"{name}_FRE_{band}.tif", values, resolution, left)
    for mask in ("CLM", "SAT", "EDG"):
        write_image(
            folder / name / "MASKS" / f"{name}_{mask}_{masks}.tif",
            np.zeros((side, side), np.uint8), resolution, left,
        )  # fmt: skip


def landsat(root, tile, day="20180105"):
    name = f"LANDSAT8-OLITIRS-XS_{day}-104459-000_L2A_{tile}_C_V2-2"
    muscate(root / "l8" / tile, name, ("B4", "B5"), "XS", 30, PLACES[tile])


def radar(root, tile, direction="ASC", kind="", day="20180107"):
    for band in ("vv", "vh"):
        name = f"s1a_{tile[1:]}_{band}_{direction}_161_{day}t053000{kind}.tif"
        values = np.full((SIDE, SIDE), 0.1, np.float32)
        write_image(root / "s1" / tile[1:] / name, values, 10, PLACES[tile])


@pytest.fixture
def folder(tmp_path):
    """Sentinel-2 over two tiles that overlap by 20 m, and two regions, one beside the other."""
    for tile, left in PLACES.items():
        for day in ("20180101", "20180111"):
            muscate(tmp_path / "s2" / tile, name_of(day, tile=tile), ("B4", "B8"), "R1", 10, left)
    box = shapely.box(LEFT, TOP - 40, LEFT + 40, TOP)
    frame = gpd.GeoDataFrame({"code": [1]}, geometry=[box], crs="EPSG:32631")
    frame.to_file(tmp_path / "reference.gpkg")
    edges = (LEFT - 50, LEFT + 150, LEFT + 400)
    boxes = [shapely.box(a, TOP - 200, b, TOP) for a, b in itertools.pairwise(edges)]
    regions = gpd.GeoDataFrame({"region": ["west", "east"]}, geometry=boxes, crs="EPSG:32631")
    regions.to_file(tmp_path / "regions.gpkg")
    (tmp_path / "classes.csv").write_text("code,name\n1,Wheat\n2,Maize\n")
    return tmp_path


def plan(folder, *sensors, **sections):
    known = {
        "landsat8": {"path": str(folder / "l8"), "keep_bands": ["B4", "B5"], "indices": []},
        "sentinel1_s1tiling": {"path": str(folder / "s1"), "border_masks": False, "indices": []},
        "sentinel2": {"path": str(folder / "s2"), "keep_bands": ["B4", "B8"], "indices": []},
    }
    given = {
        "output": str(folder / "results"),
        "tiles": list(PLACES),
        "nomenclature": str(folder / "classes.csv"),
        "sensors": {name: known[name] for name in sensors},
        "reference": {"path": str(folder / "reference.gpkg"), "field": "code"},
        "sampling": {"envelope_margin": 0},
    }
    return Production(complete_configuration(given | sections))


def test_the_finest_sensor_gives_the_grid_though_another_stands_first_in_the_stack(folder):
    for tile in PLACES:
        landsat(folder, tile)
    production = plan(folder, "landsat8", "sentinel2")
    assert list(production.series) == ["landsat8", "sentinel2"]
    assert production.grid("T31TCJ").resolution == 10
    assert production.native_grid("landsat8", "T31TCJ").resolution == 30
    names = [
        name for item in Parameters(production).series_features.values() for name in item.names
    ]
    assert names[0] == "Landsat8_B4_20180105"
    assert names[-1] == "Sentinel2_B8_20180111"


def test_orbit_directions_are_series_of_their_own(folder):
    for tile in PLACES:
        radar(folder, tile, "DES")
        radar(folder, tile, "ASC", day="20180108")
    production = plan(folder, "sentinel1_s1tiling", "sentinel2")
    names = list(production.series)
    assert names == ["sentinel1_s1tiling_asc", "sentinel1_s1tiling_des", "sentinel2"]
    assert production.target_dates[names[0]] == ["2018-01-08"]
    assert production.target_dates[names[1]] == ["2018-01-07"]
    features = Parameters(production).series_features[names[1]]
    assert features.names == ["Sentinel1_DES_VV_20180107", "Sentinel1_DES_VH_20180107"]
    assert production.clear_dates("T31TCJ") == 4


def test_two_processings_of_radar_are_not_mixed(folder):
    for tile in PLACES:
        radar(folder, tile)
        radar(folder, tile, kind="_NormLim", day="20180119")
    with pytest.raises(
        InputDataError, match=r"several processings \(NormLim, no word\)|no word, NormLim"
    ):
        plan(folder, "sentinel1_s1tiling").products("sentinel1_s1tiling_asc", "T31TCJ")


def of_radar(folder, **choices):
    """Radar of S1Tiling over both tiles, with some choices of its section."""
    for tile in PLACES:
        radar(folder, tile)
    own = {"path": str(folder / "s1"), "border_masks": False, "indices": []}
    return {"sensors": {"sentinel1_s1tiling": own | choices}}


def test_a_production_prepares_power_only_where_it_is_asked_to(folder):
    name = "s1a_31TCJ_*_ASC_161_20180107t053000.tif"
    plain = plan(folder, **of_radar(folder))
    asked = plan(folder, **of_radar(folder, prepare=True))
    assert not Parameters(plain).batches("T31TCJ")
    (batch,) = Parameters(asked).batches("T31TCJ").values()
    assert list(batch.names) == asked.ready("sentinel1_s1tiling_asc", "T31TCJ") == [name]
    assert header_problems(asked) == []
    masked = plan(folder, **of_radar(folder, prepare=True, border_masks=True))
    places = {
        item.prepared_folder("sentinel1_s1tiling", "T31TCJ") for item in (plain, asked, masked)
    }
    assert len(places) == 3  # what masks said is prepared too
    # A production of before has the parameters and the digest that it had.
    assert "prepare" not in plain.section("sentinel1_s1tiling").options
    assert plain.config.digest == asked.config.digest


def test_power_on_another_grid_is_not_prepared(folder):
    grid = {"spatial_resolution": 20.0}
    told = header_problems(plan(folder, **of_radar(folder, prepare=True), grid=grid))
    beginning = "sentinel1_s1tiling.prepare: the grid of the tile (pixels of 20 from"
    assert any(beginning in problem for problem in told)


def test_power_that_is_moved_is_not_prepared(folder):
    path = write_image(folder / "reference.tif", np.ones((SIDE, SIDE), np.float32))
    moved = {"coregistration": {"reference": path, "sensor_band": "VV"}}
    told = header_problems(plan(folder, **of_radar(folder, prepare=True, **moved)))
    assert any("prepare: its images are moved onto a reference" in problem for problem in told)


def test_a_series_that_a_tile_lacks_stops_with_the_remedy(folder):
    landsat(folder, "T31TCJ")
    with pytest.raises(ConfigError, match=r"landsat8: no folder.*missing_series: leave_out"):
        check(plan(folder, "landsat8", "sentinel2"), "config.yaml")
    with pytest.raises(ConfigError) as alone:  # nothing would be left
        check(plan(folder, "landsat8"), "config.yaml")
    assert "leave_out" not in str(alone.value)
    radar(folder, "T31TCJ", "DES")
    for tile in PLACES:
        radar(folder, tile)
    with pytest.raises(ConfigError, match="missing_series: leave_out"):
        check(plan(folder, "sentinel1_s1tiling", "sentinel2"), "config.yaml")


LEFT_OUT = {"inputs": {"missing_series": "leave_out"}}


def test_a_missing_series_is_left_out_of_all_regions_of_its_tile(folder):
    """The eastern tile reaches into both regions, so neither learns from Landsat."""
    landsat(folder, "T31TCJ")
    regions = {"regions": {"path": str(folder / "regions.gpkg"), "field": "region"}}
    production = plan(folder, "landsat8", "sentinel2", **LEFT_OUT, **regions)
    assert production.tiles_of("west") == ["T31TCJ", "T31TDJ"]
    for region in ("west", "east"):
        assert production.series_of_region(region) == ["sentinel2"]
    assert production.series_of_tile("T31TCJ") == ["sentinel2"]
    told = [line for line in input_warnings(production) if "landsat8 has no" in line]
    assert "over T31TDJ: region(s) east, west" in told[0]


def test_a_region_whose_tiles_all_have_a_series_keeps_it(folder):
    """The western tile alone lacks Landsat: the east is the east's own."""
    landsat(folder, "T31TDJ")
    regions = {"regions": {"path": str(folder / "regions.gpkg"), "field": "region"}}
    production = plan(folder, "landsat8", "sentinel2", **LEFT_OUT, **regions)
    assert production.tiles_of("east") == ["T31TDJ"]
    assert production.series_of_region("east") == ["landsat8", "sentinel2"]
    assert production.series_of_region("west") == ["sentinel2"]
    assert production.series_of_tile("T31TDJ") == ["landsat8", "sentinel2"]
    assert production.series_of_tile("T31TCJ") == ["sentinel2"]
    parameters = Parameters(production)
    assert list(parameters.tile_inputs("T31TCJ").products) == ["sentinel2"]
    assert parameters.learnt_features("east") is None
    learnt = parameters.learnt_features("west")
    assert learnt == parameters.series_features["sentinel2"].names
    assert production.clear_dates("T31TCJ") == 2
    assert production.target_dates["landsat8"] == [str(date(2018, 1, 5))]


def test_a_model_learns_the_features_that_all_its_tiles_have(tmp_path):
    """One table has a series more; the other lacks one that is wanted."""
    about = {"row": [0], "col": [0], "polygon": [1], "code": [1], "region": ["1"], "seed_0": [True]}
    pd.DataFrame(about | {"L_1": [5], "S_1": [7], "geometry": [b""]}).to_parquet(
        tmp_path / "a.parquet"
    )
    pd.DataFrame(about | {"S_1": [9], "geometry": [b""]}).to_parquet(tmp_path / "b.parquet")
    paths = [str(tmp_path / name) for name in ("a.parquet", "b.parquet")]
    table = read_training_table(paths, "1", 0, ["S_1"])
    assert table.names == ["S_1"]
    assert table.features.tolist() == [[7], [9]]
    with pytest.raises(InputDataError, match="L_1"):
        read_training_table(paths, "1", 0)
    with pytest.raises(InputDataError, match="L_1"):
        read_training_table(paths, "1", 0, ["L_1", "S_1"])


LATE = {"fusion": {"sensors": {}}}


def test_radar_and_optical_series_have_a_model_each_and_the_users_rasters_belong_to_both(folder):
    for tile in ("T31TCJ", "T31TDJ"):
        radar(folder, tile)
        landsat(folder, tile)
    sensors = ("landsat8", "sentinel1_s1tiling", "sentinel2")
    production = plan(folder, *sensors, **LATE)
    assert production.sources_of_region("1") == {
        "radar": ["sentinel1_s1tiling_asc"],
        "optical": ["landsat8", "sentinel2"],
    }
    parameters = Parameters(production)
    names = {
        source: {name.split("_")[0] for name in parameters.source_features("1", source)}
        for source in ("radar", "optical")
    }
    assert names == {"radar": {"Sentinel1"}, "optical": {"Landsat8", "Sentinel2"}}
    assert not any("fusion.sensors" in problem for problem in input_problems(production))
    assert parameters.together("1") == {
        "names": ["radar", "optical"], "method": "mean", "masses": "precision",
        "undecided": "most_confident",
    }  # fmt: skip
    weighted = {"sensors": {"weights": {"optical": 2.5}}}
    rules = Parameters(plan(folder, *sensors, fusion=weighted)).together("1")
    assert rules["weights"] == [1, 2.5]  # in the order of the names


def test_late_fusion_needs_sensors_of_both_kinds(folder):
    problems = input_problems(plan(folder, "sentinel2", **LATE))
    assert any("(sentinel2) are not of both kinds" in problem for problem in problems)


def test_a_region_without_radar_cannot_be_fused(folder):
    radar(folder, "T31TCJ")
    production = plan(
        folder,
        "sentinel1_s1tiling",
        "sentinel2",
        inputs={"missing_series": "leave_out"},
        regions={"path": str(folder / "regions.gpkg")},
        **LATE,
    )
    problems = input_problems(production)
    assert [p for p in problems if "fusion.sensors" in p] == [
        f"fusion.sensors: region {region} has no radar acquisitions over all its tiles; fetch them, "
        "take the region out, or leave fusion.sensors out"
        for region in production.used_regions
        if not production.sources_of_region(region)["radar"]
    ]
    assert any("region east has no radar" in problem for problem in problems)


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"learning": {"learner": "otb-rf"}}, "otb-rf gives no probabilities"),
        ({"fusion": {"sensors": {}, "seeds": {"method": "dempster_shafer"}},
          "sampling": {"runs": 2}}, "maps that are themselves fused"),
        ({"fusion": {"sensors": {"undecided": "undecided"}}}, "undecided"),
    ],
)  # fmt: skip
def test_late_fusion_that_lacks_what_it_needs_is_refused(folder, sections, words):
    with pytest.raises(ConfigError, match=words):
        plan(folder, "sentinel1_s1tiling", "sentinel2", **(LATE | sections))
