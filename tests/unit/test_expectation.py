"""How many pixels a model will learn, by hand."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
import yaml
from tiny import write_image

from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.expectation import Expectation, expected
from iota2_tools.planning.production import Production


@pytest.fixture
def production(tmp_path, monkeypatch):
    """A raster of 100 x 100 pixels of 10 m, and ten polygons of 40 pixels each, one of them beside it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "user/T1").mkdir(parents=True)
    write_image(tmp_path / "user/T1/ALT.tif", np.ones((100, 100), np.int16))
    from osgeo import gdal

    left, _, _, top, _, _ = gdal.Open("user/T1/ALT.tif").GetGeoTransform()
    boxes = [shapely.box(left + 90 * n, top - 300, left + 90 * n + 40, top - 200) for n in range(9)]
    boxes.append(shapely.box(left - 9000, top - 300, left - 8960, top - 200))
    crs = gdal.Open("user/T1/ALT.tif").GetProjection()
    gpd.GeoDataFrame({"code": [1, 2] * 5}, geometry=boxes, crs=crs).to_file("fields.gpkg")
    (tmp_path / "names.csv").write_text("code,name\n1,a\n2,b\n")

    def planned(**sampling) -> Production:
        config = {
            "output": "r", "tiles": ["T1"], "nomenclature": "names.csv", "sampling": sampling,
            "user_features": {"path": "user", "patterns": ["ALT"]},
            "reference": {"path": "fields.gpkg", "field": "code"},
        }  # fmt: skip
        return Production(complete_configuration(yaml.safe_load(yaml.safe_dump(config))))

    return planned


@pytest.mark.parametrize(
    ("sampling", "pixels"),
    [
        ({}, 0.5 * 9 * 40),
        ({"ratio": 0.2}, 0.2 * 9 * 40),
        ({"strategy": "percent", "percent": 0.1}, 0.5 * 9 * 40 * 0.1),
        ({"strategy": "constant", "constant": 30}, 60),
        ({"strategy": "constant", "constant": 1000}, 0.5 * 9 * 40),
        ({"strategy": "total", "total": 50}, 50),
        ({"strategy": "byclass", "byclass": {"1": 10, "2": 20}}, 30),
        ({"strategy": "smallest"}, 0.5 * 9 * 40 / 2),
    ],
)
def test_polygons_on_the_tiles_by_their_area_and_the_strategy(production, sampling, pixels):
    assert expected(production(**sampling)).samples == pytest.approx(pixels)


def test_a_reference_in_degrees_counts_the_same(production, tmp_path):
    fields = gpd.read_file("fields.gpkg").to_crs(4326)
    (tmp_path / "fields.gpkg").unlink()
    fields.to_file("fields.gpkg")
    assert expected(production()).samples == pytest.approx(0.5 * 9 * 40, rel=0.01)


def test_what_cannot_be_read_is_not_known(production, tmp_path):
    (tmp_path / "fields.gpkg").write_bytes(b"nothing")
    assert expected(production()) == Expectation(0, 0, 0, 0)


def test_half_of_the_nine_polygons_on_the_tile_learn(production):
    found = expected(production(ratio=0.5, runs=2))
    assert (found.polygons, found.on_tile) == (4.5, 9)
    assert found.read_on_tile == pytest.approx(2 * 0.5 * 9 * 40)


def test_some_polygons_stand_for_all(production, monkeypatch):
    """Of a country's a few thousand are read; all are counted."""
    monkeypatch.setattr("iota2_tools.planning.expectation.MOST_READ", 2)
    found = expected(production())
    assert found.samples == pytest.approx(0.5 * 9 * 40)
    assert found.on_tile == 9
