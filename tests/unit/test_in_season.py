"""A production of a year that is not over: which dates it has, and what is kept of each of its runs."""

import re
from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import shapely
from test_lock import ABOUT, production
from tiny import LEFT, TOP, name_of, write_image, write_product

from iota2_tools.commands.cli import main
from iota2_tools.planning.calendars import calendar_findings
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production
from iota2_tools.publishing.housekeeping import archive, group_of
from iota2_tools.publishing.lock import keep_lock, lock_of, read_lock, write_lock
from iota2_tools.publishing.products import look_at_all

JUNE = {"T31TCJ": ["20190110", "20190401", "20190612"], "T31TDJ": ["20190110", "20190605"]}
YEAR = {"first_date": date(2019, 1, 1), "last_date": date(2019, 12, 31)}


@pytest.fixture
def plan(tmp_path):
    """Makes the parameters of a production of two tiles with the acquisitions that are there."""
    field = shapely.box(LEFT, TOP - 40, LEFT + 40, TOP)
    layer = gpd.GeoDataFrame({"code": [1]}, geometry=[field], crs=32631)
    layer.to_file(tmp_path / "reference.gpkg")
    (tmp_path / "classes.csv").write_text("code,name\n1,Wheat\n2,Maize\n")
    for tile, days in JUNE.items():
        for day in days:
            acquire(tmp_path, tile, day)

    def make(**section):
        sensor = {
            "path": str(tmp_path / "s2"), "keep_bands": ["B4"], "indices": [], "temporal_resolution": 30, **section,
        }  # fmt: skip
        given = {
            "output": "results",
            "tiles": list(JUNE),
            "nomenclature": str(tmp_path / "classes.csv"),
            "sensors": {"sentinel2": sensor},
            "reference": {"path": str(tmp_path / "reference.gpkg"), "field": "code"},
        }
        return Parameters(Production(complete_configuration(given)))

    return make


def acquire(folder, tile, day):
    write_product(folder / "s2" / tile, name_of(day, tile=tile), {"B4": 1000})


def dates(parameters):
    return parameters.production.target_dates["sentinel2"]


def test_there_is_no_date_after_the_last_acquisition(plan):
    """Every 30 days from 1 January: 1 January, 31 January, 2 March, 1 April, 1 May, 31 May; the next is 30 June."""
    expected = ["2019-01-01", "2019-01-31", "2019-03-02", "2019-04-01", "2019-05-01", "2019-05-31"]
    assert dates(plan(**YEAR, in_season=True)) == expected
    assert dates(plan(**YEAR))[:6] == expected
    assert len(dates(plan(**YEAR))) == 13
    # Without a last date the last acquisition is the last date anyway.
    assert dates(plan(first_date=date(2019, 1, 1))) == expected


def test_a_new_month_adds_dates_and_leaves_the_others_where_they_are(plan, tmp_path):
    june = plan(**YEAR, in_season=True, dates="day_of_year").feature_names
    acquire(tmp_path, "T31TDJ", "20190802")
    july = plan(**YEAR, in_season=True, dates="day_of_year").feature_names
    assert june == [f"Sentinel2_B4_D{day:03d}" for day in (1, 31, 61, 91, 121, 151)]
    assert july == [*june, "Sentinel2_B4_D181", "Sentinel2_B4_D211"]


def test_an_acquisition_between_two_dates_adds_none(plan, tmp_path):
    before = dates(plan(**YEAR, in_season=True))
    acquire(tmp_path, "T31TDJ", "20190629")
    assert dates(plan(**YEAR, in_season=True)) == before
    acquire(tmp_path, "T31TDJ", "20190630")
    assert dates(plan(**YEAR, in_season=True)) == [*before, "2019-06-30"]


def test_a_year_that_is_over_is_the_same_in_season_and_not(plan, tmp_path):
    acquire(tmp_path, "T31TCJ", "20191231")
    assert dates(plan(**YEAR, in_season=True)) == dates(plan(**YEAR))


def test_who_does_not_ask_for_it_keeps_the_digest():
    """That of this configuration before there was the choice."""
    sensor = {"path": "s2"}
    given = {
        "output": "results", "tiles": ["T31TCJ"], "nomenclature": "classes.csv", "sensors": {"sentinel2": sensor},
        "reference": {"path": "reference.gpkg", "field": "code"},
    }  # fmt: skip
    before = "12ecaa9c417236158e6861ea7eddce0fea30262a6e2e36a92bf941ce0d937b91"
    assert complete_configuration(given).digest == before
    sensor["in_season"] = False
    assert complete_configuration(given).digest == before
    sensor["in_season"] = True
    assert complete_configuration(given).digest != before


def test_what_is_locked_ends_with_the_last_acquisition_whatever_comes_after(plan, tmp_path):
    """The configuration of the lock of June makes the same of the images of a whole year."""
    june = plan(**YEAR, in_season=True, margin_days=40)
    locked = june.about["configuration"]["sensors"]["sentinel2"]
    assert locked["last_date"] == "2019-06-12"
    assert plan(**YEAR).about["configuration"]["sensors"]["sentinel2"]["last_date"] == "2019-12-31"
    acquire(tmp_path, "T31TDJ", "20190614")
    acquire(tmp_path, "T31TCJ", "20190802")
    later = plan(**{**locked, "first_date": date(2019, 1, 1), "last_date": date(2019, 6, 12)})
    assert dates(later) == dates(june)
    for tile in JUNE:
        names = later.production.product_names("sentinel2", tile)
        assert names == june.production.product_names("sentinel2", tile)


def test_a_tile_that_ends_before_the_others_is_told(plan):
    """T31TDJ ends on 5 June; the last date in season is 31 May, that of the whole year 27 December."""
    told = [str(item) for item in calendar_findings(plan(**YEAR, in_season=True).production)]
    assert not [text for text in told if "T31TDJ" in text and "last" in text]
    told = [str(item) for item in calendar_findings(plan(**YEAR).production)]
    assert [text for text in told if "T31TDJ" in text and "last_date comes long after" in text]


def test_a_tile_without_the_last_months_is_told(plan, tmp_path):
    acquire(tmp_path, "T31TCJ", "20191101")
    told = calendar_findings(plan(**YEAR, in_season=True).production)
    (late,) = [item for item in told if "other tiles have acquisitions" in item.what]
    assert late.file.endswith("T31TDJ")
    assert late.where == "2019-06-05 to 2019-10-28"  # day 301, the last date up to 1 November


# What is kept of each run.


def test_each_run_keeps_its_lock(tmp_path):
    lock, final = production(tmp_path)
    kept = keep_lock(lock, tmp_path)
    assert re.fullmatch(r"\d{8}T\d{6}Z_[0-9a-f]{8}\.lock", kept.name)
    assert read_lock(kept) == lock
    (final / "RESULTS.txt").write_text("Overall accuracy 0.95\n")
    later = lock_of(ABOUT, {}, look_at_all(final, ["RESULTS.txt"]))
    assert keep_lock(later, tmp_path) != kept
    assert len(list((tmp_path / "locks").iterdir())) == 2
    assert read_lock(kept) == lock


def test_the_lock_of_an_earlier_run_tells_what_has_changed_since(tmp_path, capsys):
    lock, final = production(tmp_path)
    kept = keep_lock(lock, tmp_path)
    assert main(["verify", str(kept)]) == 0
    write_image(final / "Classif_Seed_0.tif", np.full((8, 8), 2, np.uint8), nodata=0)
    assert main(["verify", str(kept)]) == 1
    assert f"{final / 'Classif_Seed_0.tif'}: was altered" in capsys.readouterr().out


def test_locks_are_never_removed_and_go_into_an_archive(tmp_path):
    lock, _ = production(tmp_path / "results")
    kept = keep_lock(lock, tmp_path / "results")
    assert group_of(f"locks/{kept.name}") == "records"
    samples = "tiles/T31TCJ/samples.parquet"
    for name in ("sampling/polygons.gpkg", samples, "models/region_1_seed_0/model.json"):
        path = tmp_path / "results" / name
        path.parent.mkdir(parents=True)
        path.write_text("x")
    write_lock(lock, str(tmp_path / "results" / "final" / "production.lock"))
    archive(tmp_path / "results", tmp_path / "kept")
    assert read_lock(tmp_path / "kept" / "locks" / kept.name) == lock
