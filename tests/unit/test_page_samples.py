"""Samples as the report tells them; expected values by hand and by pandas."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from iota2_tools.reporting.page import samples
from iota2_tools.reporting.page.samples import read_profiles, write_description

NDVI, DEM = "Sentinel2_NDVI_20180610", "dem_band_1"


@pytest.fixture
def tables(tmp_path):
    """Two tiles; the second one lacks a feature."""
    first = pd.DataFrame(
        {
            "row": [0, 0, 1, 2], "col": [0, 1, 0, 0], "code": [7, 7, 7, 9],
            "polygon": [1, 1, 2, 3], "region": ["a", "a", "b", "a"],
            "seed_0": [True, True, True, False], "seed_1": [False, True, False, True],
            NDVI: np.array([100, 200, 600, -50], dtype=np.int16),
            DEM: np.array([1.5, np.nan, 2.5, np.nan], dtype=np.float32),
            "geometry": [b""] * 4,
        }
    )  # fmt: skip
    second = first.iloc[:2].drop(columns=DEM).assign(polygon=[1, 4], code=[7, 9])
    paths = [str(tmp_path / f"{name}.parquet") for name in ("first", "second")]
    for path, table in zip(paths, (first, second), strict=True):
        table.to_parquet(path)
    return paths


@pytest.fixture(params=["all features at once", "one by one"])
def described(tables, tmp_path, monkeypatch, request):
    if request.param == "one by one":
        monkeypatch.setattr(samples, "BUDGET_MB", 0)
    counts, profiles = str(tmp_path / "samples.csv"), str(tmp_path / "profiles.parquet")
    write_description(tables, [0, 1], counts, profiles)
    return pd.read_csv(counts), read_profiles(profiles, {"20180610": date(2018, 6, 10)})


def test_samples_and_polygons_are_counted_by_draw_region_and_class(described):
    found = described[0].set_index(["seed", "region", "code"])
    assert found["samples"].to_dict() == {
        (0, "a", 7): 3, (0, "a", 9): 1, (0, "b", 7): 1, (1, "a", 7): 1, (1, "a", 9): 2,
    }  # fmt: skip
    # Polygon 1 lies on both tiles, and is one.
    assert found["polygons"].to_dict()[0, "a", 7] == 1
    assert found["polygons"].to_dict()[1, "a", 9] == 2


def test_profiles_are_means_and_quantiles_of_all_samples_of_a_class(described):
    table = described[1].set_index(["feature", "code"])
    ndvi = table.loc[NDVI, 7]
    assert (ndvi["samples"], ndvi["mean"]) == (4, 250)  # 100, 200, 600 and 100
    # Type 7 of 100, 100, 200, 600: places 0.15, 0.75, 1.5, 2.25 and 2.85.
    quantiles = [ndvi[name] for name in ("q05", "q25", "q50", "q75", "q95")]
    assert quantiles == pytest.approx([100, 100, 150, 300, 540])
    assert table.loc[NDVI, 9]["mean"] == 75  # -50 and 200


def test_what_is_missing_does_not_count(described):
    table = described[1].set_index(["feature", "code"])
    assert (table.loc[DEM, 7]["samples"], table.loc[DEM, 7]["mean"]) == (2, 2)
    assert (DEM, 9) not in table.index  # its only sample there has none


def test_features_have_a_quantity_and_a_day(described):
    table = described[1].drop_duplicates("feature").set_index("feature")
    assert table.loc[NDVI, "quantity"] == "Sentinel2 NDVI"
    assert str(table.loc[NDVI, "day"]) == "2018-06-10"
    assert table.loc[DEM, "quantity"] == DEM
    assert pd.isna(table.loc[DEM, "day"])
    of = samples.FeatureName.of
    assert (
        of("count_99999999", {"20180610": date(2018, 6, 10)}).day is None
    )  # no day of the production
    assert of("S_B4_D060", {"D060": date(2020, 3, 1)}).day == date(2020, 3, 1)
