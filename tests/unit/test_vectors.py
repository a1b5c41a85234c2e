"""Polygons as users have them."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from iota2_tools.core.errors import OutputError
from iota2_tools.geo.burning import Burner
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.vectors import polygons_only, read_layer, write_layer


def frame(*shapes) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"code": range(len(shapes))}, geometry=list(shapes), crs="EPSG:32631")


def test_a_bow_tie_becomes_its_two_triangles():
    bow_tie = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    repaired = polygons_only(frame(bow_tie), "a.shp").geometry.iloc[0]
    assert repaired.geom_type == "MultiPolygon"
    assert repaired.area == pytest.approx(2)


def test_the_spike_of_a_polygon_is_dropped_with_the_repair():
    spiked = shapely.Polygon([(0, 0), (0, 1), (1, 1), (1, 0), (5, 0), (1, 0)])
    assert not spiked.is_valid
    repaired = polygons_only(frame(spiked), "a.shp").geometry.iloc[0]
    assert repaired.geom_type in ("Polygon", "MultiPolygon")
    assert repaired.bounds == (0, 0, 1, 1)


def test_polygons_without_area_are_dropped():
    flat = shapely.Polygon([(0, 0), (1, 1), (2, 2)])
    square = shapely.box(0, 0, 1, 1)
    kept = polygons_only(frame(flat, square, shapely.Polygon()), "a.shp")
    assert kept["code"].tolist() == [1]


def test_a_pixel_takes_the_polygon_its_centre_lies_in():
    grid = Grid("EPSG:32631", 0, 4, 1, 4, 4)
    burner = Burner([shapely.box(0.6, 0.6, 2.6, 2.4)], [7], grid)
    # Centres at half units: columns 1 and 2, rows whose centre is 1.5.
    expected = np.zeros((4, 4))
    expected[2, 1:3] = 7
    assert (burner.burn(grid.window) == expected).all()


def test_a_layer_comes_back_as_it_was_written(tmp_path):
    path = str(tmp_path / "a.gpkg")
    write_layer(frame(shapely.box(0, 0, 1, 1)), path)
    assert read_layer(path).geometry.iloc[0].equals(shapely.box(0, 0, 1, 1))


def test_a_layer_that_cannot_be_written_is_a_sentence(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        write_layer(frame(shapely.box(0, 0, 1, 1)), str(tmp_path / "absent" / "a.gpkg"))
