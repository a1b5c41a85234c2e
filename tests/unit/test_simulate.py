"""Simulated scenes: the same bytes however made, the layout of THEIA, a truth one can recompute."""

import math
import re
import shutil
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.core.errors import ConfigError, InputDataError
from iota2_tools.geo.grid import Window, grid_of, placed
from iota2_tools.geo.raster import read_raster
from iota2_tools.simulate import (
    SceneSettings,
    acquisitions,
    clear_reflectance,
    imaging,
    reference,
    scene,
    scene_window,
    simulate_scene,
    tile_window,
    truth_class,
)
from iota2_tools.simulate.atmosphere import clear_sky
from iota2_tools.simulate.hashing import gaussian_table, hash_at, mix
from iota2_tools.simulate.landscape import Land, describe_land
from iota2_tools.simulate.phenology import double_logistic
from iota2_tools.simulate.products import plan_products
from iota2_tools.simulate.radar import clear_backscatter, radar_passes
from iota2_tools.simulate.sensors import SENSORS
from iota2_tools.simulate.settings import (
    day_of_growth,
    grid_of_window,
    passes,
    settings_from,
    sun_angles,
)

NAME = re.compile(r"SENTINEL2[AB]_(\d{8})-(\d{6})-\d{3}_L2A_(T\d{2}[A-Z]{3})_C_V2-2")
BANDS = ("B2", "B3", "B4", "B8", "B5", "B6", "B7", "B8A", "B11", "B12")
SMALL = SceneSettings(size=300, dates=8)


def bytes_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return simulate_scene(SMALL, tmp_path_factory.mktemp("scene") / "small")


@pytest.fixture(scope="module")
def products(small):
    return sorted((small / "sentinel2").glob("*/*"))


def read(product: Path, kind: str) -> np.ndarray:
    folder = product if kind.startswith("FRE") else product / "MASKS"
    return read_raster(str(folder / f"{product.name}_{kind}.tif"))


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(small, tmp_path):
    again = simulate_scene(SMALL, tmp_path / "again", jobs=2)
    first, second = bytes_of(small), bytes_of(again)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert any(name.endswith(".gpkg") for name in first)


def test_without_shared_memory_one_process_writes_all(monkeypatch):
    """Containers may close /dev/shm: no semaphore can be made, so no pool of processes."""
    monkeypatch.setattr(scene, "semaphores_work", lambda: False)
    done = []
    scene._run([(done.append, (number,)) for number in range(3)], jobs=2)
    assert done == [0, 1, 2]


@pytest.mark.slow
def test_rows_computed_at_once_do_not_change_the_bytes(tmp_path):
    settings = SceneSettings(size=600, dates=1, tiles=("T31TCJ",), cloud_cover=0.05)
    one = simulate_scene(settings, tmp_path / "one", block_rows=1024)
    two = simulate_scene(settings, tmp_path / "two", block_rows=512)
    assert bytes_of(one) == bytes_of(two)


def test_any_window_gives_the_same_land_and_pixels():
    whole = Window(510_000, 30_100, 90, 130)
    part = Window(510_034, 30_146, 40, 52)
    rows, cols = placed_slices(part, whole, 1)
    assert (truth_class(SMALL, whole)[rows, cols] == truth_class(SMALL, part)).all()
    fine, coarse = clear_reflectance(SMALL, whole, date(2018, 5, 1))
    part_fine, part_coarse = clear_reflectance(SMALL, part, date(2018, 5, 1))
    assert (fine[:, rows, cols] == part_fine).all()
    rows, cols = placed_slices(part, whole, 2)
    assert (coarse[:, rows, cols] == part_coarse).all()


def placed_slices(part, whole, factor):
    row, col = (part.row - whole.row) // factor, (part.col - whole.col) // factor
    return slice(row, row + part.rows // factor), slice(col, col + part.cols // factor)


def test_half_a_coarse_pixel_is_refused():
    with pytest.raises(InputDataError, match="even rows and columns"):
        clear_reflectance(SMALL, Window(510_001, 30_100, 10, 10), date(2018, 5, 1))


def test_tiles_agree_where_they_overlap(small, products):
    shared = SMALL.shared_pixels
    assert shared == 30
    by_day = {}
    for product in products:
        by_day.setdefault(NAME.match(product.name).group(1, 2), []).append(product)
    pairs = [pair for pair in by_day.values() if len(pair) == 2]
    assert pairs
    for west, east in pairs:
        for kind in ("FRE_B4", "CLM_R1", "SAT_R1", "EDG_R1", "MG2_R1"):
            assert (read(west, kind)[:, -shared:] == read(east, kind)[:, :shared]).all()
        for kind in ("FRE_B11", "CLM_R2"):
            assert (read(west, kind)[:, -shared // 2 :] == read(east, kind)[:, : shared // 2]).all()


def test_products_bear_the_files_of_theia(products):
    assert products
    for product in products:
        assert NAME.fullmatch(product.name)[3] == product.parent.name
        bands = {f"{product.name}_FRE_{band}.tif" for band in BANDS}
        metadata = f"{product.name}_MTD_ALL.xml"
        assert {path.name for path in product.iterdir()} == {*bands, metadata, "MASKS"}
        kinds = [f"{k}_R{r}" for k in ("CLM", "SAT", "EDG", "MG2") for r in (1, 2)]
        masks = {f"{product.name}_{kind}.tif" for kind in kinds}
        assert {path.name for path in (product / "MASKS").iterdir()} == masks
        assert f"<IDENTIFIER>{product.name}<" in (product / metadata).read_text()


def test_grids_are_those_of_the_tiles(small, products):
    for product in products:
        window = tile_window(SMALL, product.parent.name)
        for band, resolution in (("B2", 10), ("B12", 20)):
            found = grid_of(str(product / f"{product.name}_FRE_{band}.tif"))
            assert placed(found, grid_of_window(scene_window(SMALL), resolution)).rows == found.rows
            assert found.bounds == grid_of_window(window, resolution).bounds
    assert tile_window(SceneSettings(size=10_980), "T31TDJ").col == 39_996  # as MGRS has it


def test_nodata_lies_exactly_outside_the_swath(products):
    wedges = 0
    for product in products:
        fine, coarse = read(product, "EDG_R1"), read(product, "EDG_R2")
        assert (fine == coarse.repeat(2, axis=0).repeat(2, axis=1)).all()
        assert set(np.unique(fine)) <= {0, 1}
        for band in BANDS[:4]:
            assert ((read(product, f"FRE_{band}") == -10_000) == (fine == 1)).all()
        for band in BANDS[4:]:
            assert ((read(product, f"FRE_{band}") == -10_000) == (coarse == 1)).all()
        for kind in ("CLM_R1", "SAT_R1", "MG2_R1"):
            assert not read(product, kind)[fine == 1].any()
        wedges += 0 < fine.mean() < 1
    assert wedges


def test_coarse_masks_agree_with_fine_ones(products):
    for product in products:
        assert (read(product, "CLM_R1")[::2, ::2] == read(product, "CLM_R2")).all()
        assert ((read(product, "SAT_R1") > 0)[1::2, 1::2] == (read(product, "SAT_R2") > 0)).all()


@pytest.mark.slow
def test_saturated_bands_are_flagged_and_blind(tmp_path):
    out = simulate_scene(SceneSettings(size=120, dates=24), tmp_path / "scene")
    rates = []
    for product in (out / "sentinel2").glob("*/*"):
        flags = read(product, "SAT_R1")
        for bit, band in enumerate(BANDS[:4]):
            assert (read(product, f"FRE_{band}")[flags >> bit & 1 == 1] == 16_000).all()
        rates.append((flags > 0).mean())
    assert 0 < np.mean(np.array(rates) > 0) < 0.6
    assert 0.002 < np.mean([rate for rate in rates if rate]) < 0.03


def test_one_day_comes_in_two_parts_that_make_a_whole(products):
    days = Counter((NAME.match(product.name)[1], product.parent.name) for product in products)
    day, tile = next(key for key, count in days.items() if count == 2)
    north, south = (p for p in products if day in p.name and p.parent.name == tile)
    seen = [read(product, "EDG_R1") == 0 for product in (north, south)]
    assert not (seen[0] & seen[1]).any()
    assert seen[0].any()
    assert seen[1].any()
    outside = ~(seen[0] | seen[1])
    assert outside.any(axis=0).sum() < 0.6 * outside.shape[1]  # the wedge of the orbit only


def test_clear_pixels_are_the_clear_reflectance(products):
    tile = "T31TCJ"
    mostly_clear = 0
    for product in (each for each in products if each.parent.name == tile):
        day = date.fromisoformat(NAME.match(product.name)[1])
        fine, coarse = clear_reflectance(SMALL, tile_window(SMALL, tile), day)
        clear = sum(read(product, f"{kind}_R1").astype(int) for kind in ("CLM", "SAT", "EDG")) == 0
        mostly_clear += clear.mean() > 0.3
        for truth, band, valid in ((fine[0], "B2", clear), (coarse[4], "B11", clear[::2, ::2])):
            same = truth == read(product, f"FRE_{band}")
            # Haze around clouds and missed clouds make the difference.
            assert same[valid].mean() > (0.98 if clear.mean() > 0.3 else 0.8)
            assert same[~valid].mean() < 0.2
    assert mostly_clear >= 3


def test_true_class_is_on_the_file(small):
    for tile in SMALL.tiles:
        written = read_raster(str(small / "truth" / f"{tile}_class.tif"))
        assert (written == truth_class(SMALL, tile_window(SMALL, tile))).all()


def test_reference_tells_the_truth_but_for_the_label_noise(small):
    reference = gpd.read_file(small / "reference" / "reference.gpkg")
    window = scene_window(SMALL)
    truth = truth_class(SMALL, window)
    grid = grid_of_window(window)
    point = reference.representative_point()
    rows = ((grid.top - point.y) // 10).astype(int)
    cols = ((point.x - grid.left) // 10).astype(int)
    wrong = truth[rows, cols] != reference["code"]
    assert len(reference) > 300
    assert 0.005 < wrong.mean() < 0.07
    assert reference.is_valid.all()
    assert reference.crs.to_epsg() == 32631


@pytest.mark.slow
def test_every_class_can_be_learnt_in_the_demo(tmp_path):
    settings = SceneSettings()
    scene.write_reference(settings, tmp_path)
    reference = gpd.read_file(tmp_path / "reference.gpkg")
    regions = gpd.read_file(tmp_path / "regions.gpkg")
    classes = read_nomenclature(str(tmp_path / "nomenclature.csv"))
    assert set(reference["code"]) == set(classes.codes)
    assert set(regions["region"]) == {"1", "2"}
    assert (reference["label"] == reference["code"].map(classes.name_of)).all()
    points = reference.set_geometry(reference.representative_point())
    joined = points.sjoin(regions)
    assert len(joined) == len(reference)
    assert joined.groupby(["code", "region"]).size().min() >= 6
    assert joined.groupby(["code", "region"]).ngroups == 2 * len(classes.codes)


@pytest.mark.parametrize("seed", range(4))
def test_departments_share_the_scene_and_a_kilometre_around_among_them(tmp_path, seed):
    settings = SceneSettings(size=400, seed=seed)
    path = tmp_path / "departments.gpkg"
    reference.write_departments(settings, path)
    found = gpd.read_file(path)
    assert found["code"].tolist() == ["01", "02", "03"]
    assert found["name"].tolist() == ["West", "Northeast", "Southeast"]
    assert found.crs.to_epsg() == 32631
    assert shapely.is_valid(found.geometry).all()
    assert shapely.coverage_is_valid(found.geometry.to_numpy())
    left, bottom, right, top = grid_of_window(scene_window(settings)).bounds
    frame = shapely.box(left - 1000, bottom - 1000, right + 1000, top + 1000)
    assert found.area.sum() == pytest.approx(frame.area, rel=1e-12)
    assert found.union_all().symmetric_difference(frame).area == 0
    shares = found.intersection(shapely.box(left, bottom, right, top)).area / frame.area
    assert shares.min() > 0.05  # each is seen on the map
    other = tmp_path / "again.gpkg"
    reference.write_departments(settings, other)
    assert other.read_bytes() == path.read_bytes()


def test_a_finished_scene_from_before_there_were_departments_is_given_them(small, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(small, copy)
    (copy / "reference/departments.gpkg").unlink()
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*") if path.is_file()}
    simulate_scene(SMALL, copy)
    assert bytes_of(copy / "reference") == bytes_of(small / "reference")
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())


def test_few_polygons_when_few_are_asked(tmp_path):
    settings = SceneSettings(size=300, reference_polygons=50)
    assert scene.write_reference(settings, tmp_path) <= 50


def test_finished_scene_is_left_alone_and_another_is_refused(small):
    before = {path: path.stat().st_mtime_ns for path in small.rglob("*")}
    simulate_scene(SMALL, small)
    assert before == {path: path.stat().st_mtime_ns for path in small.rglob("*")}
    with pytest.raises(ConfigError, match="another scene: seed is 1 there and 2 here"):
        simulate_scene(SceneSettings(size=300, dates=8, seed=2), small)


def test_foreign_folder_is_not_touched(tmp_path):
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with pytest.raises(ConfigError, match="nothing was touched"):
        simulate_scene(SMALL, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.slow
def test_killed_scene_is_taken_up(small, tmp_path, monkeypatch):
    out = tmp_path / "scene"
    written = []

    def kill_after_three(*arguments):
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(arguments)
        return write_product(*arguments)

    write_product = SENSORS["s2"].write
    monkeypatch.setitem(SENSORS, "s2", replace(SENSORS["s2"], write=kill_after_three))
    with pytest.raises(KeyboardInterrupt):
        simulate_scene(SMALL, out)
    assert not (out / "scene.json").exists()
    kept = {path: path.stat().st_mtime_ns for path in out.glob("sentinel2/*/*/*.xml")}
    assert len(kept) == 3
    monkeypatch.undo()
    simulate_scene(SMALL, out)
    assert kept.items() <= {p: p.stat().st_mtime_ns for p in out.rglob("*.xml")}.items()
    assert bytes_of(out) == bytes_of(small)


def test_tiles_have_date_lists_of_their_own_in_the_demo(tmp_path):
    plans = [plan_products(SceneSettings(), tile) for tile in SceneSettings().tiles]
    days = [{product.acquisition.day for product in plan} for plan in plans]
    assert days[0] != days[1]
    assert all(20 < len(each) < 36 for each in days)
    assert all(len(plan) > len(each) for plan, each in zip(plans, days, strict=True))


def test_dates_stay_in_the_year_and_alternate_orbits():
    for year in (2019, 2020):
        days = acquisitions(SceneSettings(year=year))
        assert len({each.day for each in days}) == 36
        assert {each.day.year for each in days} == {year}
        assert {each.orbit for each in days} == {51, 94}
        assert {each.platform for each in days} == {"SENTINEL2A", "SENTINEL2B"}
        gaps = [(b.day - a.day).days for a, b in pairwise(days)]
        assert max(gaps) <= 30


def test_leap_year_has_its_last_day():
    assert (passes(51, 2020)[-1] - passes(51, 2020)[0]).days % 5 == 0
    assert (
        any(each == date(2020, 2, 29) for orbit in (51, 94) for each in passes(orbit, 2020))
        or (date(2020, 12, 31) - passes(51, 2020)[-1]).days < 5
    )
    fine, _ = clear_reflectance(SMALL, Window(510_000, 30_100, 4, 4), date(2020, 12, 31))
    assert (fine > 0).all()


def test_double_logistic_by_hand():
    # Half way up at the start, three quarters after ln 3 scales, half way down at the end.
    assert double_logistic(100.0, 0.5, 4.5, 100.0, 10.0, 1e4, 10.0) == pytest.approx(2.5)
    later = 100.0 + 10.0 * math.log(3)
    assert double_logistic(later, 0.5, 4.5, 100.0, 10.0, 1e4, 10.0) == pytest.approx(3.5)
    assert double_logistic(900.0, 0.0, 2.0, 100.0, 10.0, 900.0, 5.0) == pytest.approx(1.0)
    assert double_logistic(0.0, 0.7, 5.0, 500.0, 2.0, 800.0, 2.0) == pytest.approx(0.7)


def test_sun_at_solstice_noon():
    # At latitude 44 the noon sun of 21 June stands 44 - 23.45 degrees from the zenith, south.
    zenith, azimuth = sun_angles(172, 12 - 1.3 / 15)
    assert zenith == pytest.approx(20.55, abs=0.02)
    assert azimuth == pytest.approx(180.0, abs=0.1)


def test_hash_is_that_of_splitmix():
    # First outputs of splitmix64 seeded with 0 and 1234567 (reference implementation).
    assert int(mix(np.uint64(0))) == 0xE220A8397B1DCDAF
    assert int(mix(np.uint64(1234567))) == 6457827717110365317
    assert hash_at(np.uint64(5), -3, 8) != hash_at(np.uint64(5), 8, -3)
    assert gaussian_table().std() == pytest.approx(1.0, abs=0.01)


def test_impossible_settings_are_told_at_once():
    with pytest.raises(ConfigError) as caught:
        SceneSettings(size=301, overlap=31, tiles=("T31TCJ", "T30TXP"), dates=0)
    message = str(caught.value)
    assert "'T30TXP' is no MGRS tile of zone 31" in message
    assert "dates: 0 is not an integer from 1 to 146" in message
    with pytest.raises(ConfigError, match="size: 301 is odd; it must be a multiple of 2"):
        SceneSettings(size=301)
    with pytest.raises(ConfigError, match="jobs: 0"):
        simulate_scene(SMALL, "unused", jobs=0)
    with pytest.raises(ConfigError, match="multiple of 512"):
        simulate_scene(SMALL, "unused", block_rows=100)


def test_tiles_lie_where_their_letters_say():
    settings = SceneSettings(size=400, tiles=("T31TCJ", "T31TDJ", "T31TCK"))
    home, east, north = (tile_window(settings, tile) for tile in settings.tiles)
    step = 400 - settings.shared_pixels
    assert (east.row, east.col) == (home.row, home.col + step)
    assert (north.row, north.col) == (home.row - step, home.col)


MIXED = replace(SMALL, mixed_edges=1.0)


def test_a_mixed_pixel_holds_up_to_half_of_a_neighbour_and_is_of_the_class_that_covers_most():
    window = Window(510_000, 30_100, 60, 80)
    pure, land = describe_land(SMALL, window), describe_land(MIXED, window)
    assert (land.class_map == pure.class_map).all()
    names = land.identifiers[land.parcel]
    outer = describe_land(SMALL, Window(window.row - 1, window.col - 1, 62, 82))
    around = outer.identifiers[outer.parcel]
    beside = [around[1 + i : 61 + i, 1 + j : 81 + j] for i, j in ((-1, 0), (1, 0), (0, 1), (0, -1))]
    edge = np.any([other != names for other in beside], axis=0)
    assert ((land.part > 0) == edge).all()
    assert 0.45 < land.part.max() < 0.5
    assert land.part[edge].mean() == pytest.approx(0.25, abs=0.02)
    mixed_with = land.identifiers[land.beside]
    assert np.any([other == mixed_with for other in beside], axis=0)[edge].all()
    assert (mixed_with != names)[edge].all()
    half = describe_land(replace(SMALL, mixed_edges=0.3), window)
    assert (half.part > 0)[edge].mean() == pytest.approx(0.3, abs=0.05)
    assert not half.part[~edge].any()


def test_reflectance_of_a_mixed_pixel_lies_between_those_of_its_parcels():
    """Spectra by hand: parcel 0 reflects 1000, parcel 1 3000; a quarter of the pixels is of the other."""
    land = Land(
        window=Window(510_000, 30_100, 2, 2),
        parcel=np.zeros((2, 2), np.int32),
        texture=np.zeros((2, 2), np.int8),
        identifiers=np.arange(2, dtype=np.uint64),
        codes=np.array([2, 4], np.uint8),
        regions=np.ones(2, np.uint8),
        beside=np.ones((2, 2), np.int32),
        part=np.array([[0, 0.25], [0.5, 0.25]], np.float32),
    )
    level = np.repeat([[1000.0], [3000.0]], 10, axis=1).astype(np.float32)
    fine, coarse = expose(land, level)
    assert np.abs(fine - [[1000, 1500], [2000, 1500]]).max() <= 0.5 + NOISE
    assert np.abs(coarse - 1500).max() <= 0.5 + NOISE


NOISE = 4 * (0.015 * 2000 + 12)


def expose(land, level):
    """Bands of 10 m and 20 m of two parcels under a clear sky."""
    sky = clear_sky(land.window)
    fine, coarse = np.empty((4, 2, 2), np.int16), np.empty((6, 1, 1), np.int16)
    masks = np.zeros((4, 2, 2), np.uint8), np.zeros((4, 1, 1), np.uint8)
    imaging._photograph(
        np.arange(3, dtype=np.uint64), land.window.row, land.window.col, land.parcel, land.texture,
        *imaging._mixture(land), land.codes, level, np.zeros_like(level), sky.first_row, sky.first_col,
        sky.opacity, sky.shadow, sky.detected, np.zeros((0, 3)), 0.0, imaging.GAUSSIAN,
        imaging.CLOUD.astype(np.float32), fine, coarse, *masks,
    )  # fmt: skip
    return fine, coarse


def test_any_window_gives_the_same_mixed_pixels():
    whole, part = Window(510_000, 30_100, 90, 130), Window(510_034, 30_146, 40, 52)
    rows, cols = placed_slices(part, whole, 1)
    fine, _ = clear_reflectance(MIXED, whole, date(2018, 5, 1))
    assert (fine[:, rows, cols] == clear_reflectance(MIXED, part, date(2018, 5, 1))[0]).all()
    assert (fine != clear_reflectance(SMALL, whole, date(2018, 5, 1))[0]).any()


def test_fields_are_as_large_as_asked_for():
    """Twice the size: half as many edges between parcels on a line, about."""
    window = Window(510_000, 30_100, 200, 200)
    edges = {}
    for size in (0.5, 1.0, 2.0):
        parcel = describe_land(replace(SMALL, field_size=size), window).parcel
        edges[size] = (np.diff(parcel, axis=0) != 0).mean() + (np.diff(parcel, axis=1) != 0).mean()
    assert edges[1.0] / edges[2.0] == pytest.approx(2, rel=0.25)
    assert edges[0.5] / edges[1.0] == pytest.approx(2, rel=0.25)


@pytest.mark.parametrize("size", [0.6, 2.5])
def test_any_window_gives_the_same_land_whatever_the_size_of_fields(size):
    settings = replace(SMALL, field_size=size)
    whole, part = Window(510_000, 30_100, 90, 130), Window(510_034, 30_146, 40, 52)
    rows, cols = placed_slices(part, whole, 1)
    assert (truth_class(settings, whole)[rows, cols] == truth_class(settings, part)).all()


def test_a_scene_says_what_is_not_usual_of_its_land():
    assert "mixed_edges" not in SMALL.as_dict()
    assert "overlap" in SMALL.as_dict()
    assert MIXED.as_dict()["mixed_edges"] == 1.0
    assert settings_from(MIXED.as_dict()) == MIXED


def test_in_another_year_a_share_of_the_fields_bears_another_class_and_nothing_else_changes():
    """A field becomes one of seven other classes; what is no field stays."""
    window = Window(510_000, 30_100, 400, 400)
    usual = describe_land(SMALL, window)
    other = describe_land(replace(SMALL, year=2019, changed=0.4), window)
    assert (other.parcel == usual.parcel).all()
    assert (other.identifiers == usual.identifiers).all()
    fields = np.isin(usual.codes, range(2, 9))
    differs = other.codes != usual.codes
    assert not differs[~fields].any()
    assert differs[fields].mean() == pytest.approx(0.4, abs=0.05)
    became = np.bincount(other.codes[differs & (usual.codes == 2)], minlength=12)
    assert set(np.flatnonzero(became)) == {1, 3, 4, 5, 6, 7, 8}
    assert became[became > 0] == pytest.approx(became.sum() / 7, rel=0.5)
    later = describe_land(replace(SMALL, year=2020, changed=0.4), window)
    assert ((later.codes != usual.codes) & differs).sum() < 0.6 * differs.sum()
    part = Window(510_034, 30_146, 40, 52)
    rows, cols = placed_slices(part, window, 1)
    settings = replace(SMALL, year=2019, changed=0.4)
    assert (truth_class(settings, part) == other.class_map[rows, cols]).all()


def test_in_a_late_season_fields_look_as_they_usually_did_before():
    late = replace(SMALL, season_shift=20.0)
    assert day_of_growth(late, date(2018, 4, 30)) == 100
    window = Window(510_000, 30_100, 60, 60)
    infrared, day = 3, date(2018, 4, 30)
    shown = clear_reflectance(late, window, day)[0][infrared].astype(float)
    usual = clear_reflectance(SMALL, window, day)[0][infrared]
    before = clear_reflectance(SMALL, window, date(2018, 4, 10))[0][infrared]
    assert np.abs(shown - before).mean() < np.abs(shown - usual).mean() / 2
    with pytest.raises(ConfigError, match="season_shift: 45 is not a number from -30"):
        SceneSettings(season_shift=45)


def test_landsat_and_radar_see_the_late_season_too():
    """Fields in spring, seen by both: as on an earlier day, but for noise."""
    late = replace(SMALL, season_shift=20.0)
    window = Window(510_000, 30_100, 60, 60)
    radar_pass = radar_passes(SMALL)[len(radar_passes(SMALL)) // 3]
    earlier = replace(radar_pass, day=radar_pass.day - timedelta(days=20))
    shown = clear_backscatter(late, window, radar_pass)
    assert np.abs(shown - clear_backscatter(SMALL, window, earlier)).mean() < 0.2 * (
        np.abs(shown - clear_backscatter(SMALL, window, radar_pass)).mean()
    )
