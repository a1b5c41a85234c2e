"""Features named by the day of the year, so that models of one year serve another."""

from datetime import date, timedelta

import geopandas as gpd
import pytest
import shapely
from tiny import LEFT, TOP, name_of, write_product

from iota2_tools.core.errors import ConfigError, InputDataError
from iota2_tools.features.plan import reduced_settings, series_features
from iota2_tools.features.stack import check_same_features
from iota2_tools.learning.reduction import groups_of
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production
from iota2_tools.timeseries.dates import day_of_year, interpolation_dates, stamp_of


def test_days_of_the_year_are_those_of_a_year_without_29_february():
    usual = [date(2019, 1, 1) + timedelta(number) for number in range(365)]
    assert [day_of_year(day) for day in usual] == list(range(1, 366))
    leap = [date(2020, 1, 1) + timedelta(number) for number in range(366)]
    assert [day_of_year(day) for day in leap] == [*range(1, 60), 59, *range(60, 366)]
    assert stamp_of(date(2020, 12, 31), travelling=True) == "D365"
    assert stamp_of(date(2020, 12, 31), travelling=False) == "20201231"


def test_a_leap_year_has_the_same_days_as_another():
    """10 days from 20 February on: 2 March, whether or not there is a 29th."""
    found = {
        year: interpolation_dates(date(year, 2, 20), date(year, 4, 1), 10, leap_days=False)
        for year in (2019, 2020)
    }
    stamps = [[f"{day:%m%d}" for day in days] for days in found.values()]
    assert stamps[0] == stamps[1] == ["0220", "0302", "0312", "0322", "0401"]
    assert interpolation_dates(date(2020, 2, 28), date(2020, 3, 1), 1, leap_days=False) == [
        date(2020, 2, 28),
        date(2020, 3, 1),
    ]


@pytest.fixture
def plan(tmp_path):
    """Makes the parameters of a production of a period."""
    field = shapely.box(LEFT, TOP - 40, LEFT + 40, TOP)
    gpd.GeoDataFrame({"code": [1]}, geometry=[field], crs=32631).to_file(
        tmp_path / "reference.gpkg"
    )
    (tmp_path / "classes.csv").write_text("code,name\n1,Wheat\n2,Maize\n")
    for day in ("20190110", "20191220", "20200115", "20201120"):
        folder = tmp_path / "s2" / "T31TCJ"
        write_product(folder, name_of(day), {"B4": 1000, "B8": 1000})

    def make(first, last, **section):
        sensor = {
            "path": str(tmp_path / "s2"), "keep_bands": ["B4", "B8"], "indices": ["NDVI"],
            "temporal_resolution": 100, "first_date": first, "last_date": last, **section,
        }  # fmt: skip
        given = {
            "output": "results",
            "tiles": ["T31TCJ"],
            "nomenclature": str(tmp_path / "classes.csv"),
            "sensors": {"sentinel2": sensor},
            "reference": {"path": str(tmp_path / "reference.gpkg"), "field": "code"},
        }
        return Parameters(Production(complete_configuration(given)))

    return make


TRAVELLING = {"dates": "day_of_year"}


def test_features_of_two_years_have_the_same_names(plan):
    """Days 1, 101, 201, 301 of 365: 1 January, 11 April, 20 July, 28 October."""
    names = [
        plan(date(year, 1, 1), date(year, 12, 31), **TRAVELLING).feature_names
        for year in (2019, 2020)
    ]
    assert names[0] == names[1]
    assert names[0][:4] == [
        "Sentinel2_B4_D001", "Sentinel2_B8_D001", "Sentinel2_B4_D101", "Sentinel2_B8_D101",
    ]  # fmt: skip
    assert names[0][-1] == "Sentinel2_NDVI_D301"
    leap = plan(date(2020, 1, 1), date(2020, 12, 31), **TRAVELLING)
    assert leap.production.target_dates["sentinel2"] == [
        "2020-01-01", "2020-04-11", "2020-07-20", "2020-10-28",
    ]  # fmt: skip
    usual = plan(date(2020, 1, 1), date(2020, 12, 31))
    assert usual.feature_names[2] == "Sentinel2_B4_20200410"
    assert "travelling" not in usual.features["sentinel2"]


def test_a_period_over_new_year_has_each_day_once(plan):
    made = plan(date(2019, 10, 1), date(2020, 9, 30), **TRAVELLING)
    stamps = [name.rpartition("_")[2] for name in made.feature_names if "B4" in name]
    assert stamps == ["D274", "D009", "D109", "D209"]
    later = plan(date(2019, 12, 1), date(2020, 11, 30), **TRAVELLING)
    assert len(set(later.feature_names)) == len(later.feature_names)


def test_what_cannot_travel_is_refused(plan):
    with pytest.raises(ConfigError, match="set first_date and last_date"):
        plan(None, date(2019, 12, 31), **TRAVELLING)
    with pytest.raises(ConfigError, match="is more than a year"):
        plan(date(2019, 1, 1), date(2020, 1, 1), **TRAVELLING)
    plan(date(2020, 2, 29), date(2021, 2, 28), **TRAVELLING)  # 365 days without the 29th
    plan(date(2020, 1, 1), date(2020, 12, 31), **TRAVELLING)
    with pytest.raises(ConfigError, match="is more than a year"):
        plan(date(2020, 1, 1), date(2021, 1, 1), **TRAVELLING)


def test_a_production_by_the_calendar_keeps_its_digest(plan):
    """The choice counts where it is made, and nowhere else."""
    dates = date(2019, 1, 1), date(2019, 12, 31)
    usual, travelling = plan(*dates), plan(*dates, **TRAVELLING)
    assert "dates" in usual.config.as_dict()["sensors"]["sentinel2"]
    assert plan(*dates, dates="calendar").config.digest == usual.config.digest
    assert usual.config.digest != travelling.config.digest


def test_feature_maps_and_reductions_know_days_of_the_year(plan):
    made = plan(date(2019, 1, 1), date(2019, 12, 31), **TRAVELLING)
    settings = made.features["sentinel2"]
    reduced = reduced_settings("sentinel2", settings, {"Sentinel2_B8_D101", "Sentinel2_B8_D301"})
    assert reduced is not None
    assert reduced["dates"] == ["2019-04-11", "2019-10-28"]
    assert series_features("sentinel2", reduced).names == ["Sentinel2_B8_D101", "Sentinel2_B8_D301"]
    groups = groups_of(made.feature_names, "date")
    assert len(groups) == 4
    assert {len(group) for group in groups} == {3}


def test_a_model_of_calendar_dates_is_refused_with_the_reason():
    named = ["Sentinel2_B4_20190101", "ALT_band_1"], ["Sentinel2_B4_D001", "ALT_band_1"]
    for learnt, found in (named, named[::-1]):
        with pytest.raises(InputDataError, match="one tells days of the year, the other dates"):
            check_same_features(learnt, found, "model")
    with pytest.raises(InputDataError) as caught:
        check_same_features(["Sentinel2_B4_D001"], ["Sentinel2_B4_D002"], "model")
    assert "one tells" not in str(caught.value)
    both = ["Sentinel2_B4_D001", "Sentinel2_B8_D001"]
    for learnt, found in ((both, both[:1]), (both[:1], both)):
        with pytest.raises(
            InputDataError, match=r" 1 \(Sentinel2_B8_D001\) (missing|new)"
        ) as caught:
            check_same_features(learnt, found, "model")
        assert "one tells" not in str(caught.value)  # a band more or less, and no other calendar
