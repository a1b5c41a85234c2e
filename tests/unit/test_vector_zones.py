"""Zonal statistics: by hand, and zones of all kinds."""

import csv
import sys

import geopandas as gpd
import numpy as np
import pytest
import shapely
from test_vector_squares import Files
from tiny import write_image

from iota2_tools.commands.cli import main
from iota2_tools.commands.zonal import rasters_of
from iota2_tools.core.errors import ConfigError, InputDataError, MissingSoftwareError
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import create_raster
from iota2_tools.geo.units import Units
from iota2_tools.vectors import fractions
from iota2_tools.vectors import zones as module
from iota2_tools.vectors.measuring import Quantity
from iota2_tools.vectors.zones import write_zones

LEFT, TOP = 500_000, 4_800_000
CODES = np.array([[1, 1, 2, 0], [1, 2, 2, 0], [3, 3, 3, 3]], np.uint8)


def box(row, col, bottom, right):
    """Pixels of a map as a rectangle."""
    return shapely.box(LEFT + 10 * col, TOP - 10 * bottom, LEFT + 10 * right, TOP - 10 * row)


def table_of(tmp_path, shapes, names, quantities=(), rule="centre", **options):
    frame = gpd.GeoDataFrame({"zone": names}, geometry=shapes, crs="EPSG:32631")
    frame.to_crs(options.get("crs", 32631)).to_file(tmp_path / "zones.gpkg")
    classes = Files(tmp_path, CODES).raster("classes", CODES)
    output = str(tmp_path / "table.csv")
    write_zones(
        classes, Units(str(tmp_path / "zones.gpkg"), None, "zone"), quantities, output, rule
    )
    with open(output, newline="") as file:
        return {row["zone"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("rows", [1, 2, 256])
def test_areas_of_classes_in_zones(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(module, "STRIP_ROWS", rows)
    found = table_of(tmp_path, [box(0, 0, 2, 2), box(0, 2, 3, 4)], ["west", "east"])
    assert found["west"] == {
        "zone": "west", "zone_ha": "0.0400", "rule": "centre", "pixels": "4", "covered": "1.000000",
        "1": "0.0300", "2": "0.0100", "3": "0.0000",
    }  # fmt: skip
    # Six pixels, two of them without class.
    assert (found["east"]["pixels"], found["east"]["covered"]) == ("6", "0.666667")
    assert [found["east"][code] for code in "123"] == ["0.0000", "0.0200", "0.0200"]


def test_zones_that_overlap_count_theirs_each_and_a_zone_without_centre_keeps_its_line(tmp_path):
    tiny = shapely.box(LEFT + 1, TOP - 3, LEFT + 3, TOP - 1)
    found = table_of(tmp_path, [box(0, 0, 1, 2), box(0, 0, 1, 3), tiny], ["a", "b", "tiny"])
    assert (found["a"]["1"], found["b"]["1"], found["b"]["2"]) == ("0.0200", "0.0200", "0.0100")
    assert (found["tiny"]["pixels"], found["tiny"]["covered"]) == ("0", "0.000000")


def test_the_share_of_a_zone_beyond_the_map_is_not_covered(tmp_path):
    found = table_of(tmp_path, [box(2, 2, 4, 4)], ["a"])
    assert (found["a"]["zone_ha"], found["a"]["pixels"], found["a"]["covered"]) == (
        "0.0400", "2", "0.500000",
    )  # fmt: skip


def test_a_zone_of_several_polygons_and_another_crs_is_one_line(tmp_path):
    found = table_of(tmp_path, [box(0, 0, 1, 1), box(2, 2, 3, 4)], ["a", "a"], crs=4326)
    assert (found["a"]["1"], found["a"]["3"], found["a"]["pixels"]) == ("0.0100", "0.0200", "3")


def test_pixels_count_by_the_part_of_them_that_lies_in_the_zone(tmp_path, monkeypatch):
    values = np.array([[80, 60, 1, 1], [70, 255, 1, 1], [1, 1, 1, 1]], np.uint8)
    path = Files(tmp_path, CODES).raster("validity", values, nodata=255)
    tiny = shapely.box(LEFT + 1, TOP - 3, LEFT + 3, TOP - 1)  # 4 m² of a pixel of 100
    # Half of the first pixel and the second; half of those below, one of them without a value.
    shapes = [box(0, 0.5, 1.5, 2), tiny, box(2, 3.5, 4, 5), box(0, 3.25, 1, 4)]
    names = ["part", "tiny", "beyond", "empty"]
    for cells in (None, 1):
        if cells:
            monkeypatch.setattr(fractions, "CELLS", cells)
        found = table_of(tmp_path, shapes, names, [Quantity("dates", path)], "fraction")
        part = found["part"]
        assert [part[name] for name in ("rule", "zone_ha", "pixels", "covered")] == [
            "fraction", "0.0225", "2.2500", "1.000000",
        ]  # fmt: skip
        # Of class 1: 0.5 + 1 + 0.25; of class 2: 0.5.
        assert [part[code] for code in "123"] == ["0.0175", "0.0050", "0.0000"]
        # (0.5 · 80 + 60 + 0.25 · 70) / 1.75 = 67.1429; the variance is 135.7143 / 1.75.
        assert [part[f"dates_{kind}"] for kind in ("count", "mean", "min", "max")] == [
            "1.7500", "67.1429", "60", "80",
        ]  # fmt: skip
        assert float(part["dates_sd"]) == pytest.approx((135.7143 / 1.75) ** 0.5, abs=1e-4)
        assert (found["tiny"]["pixels"], found["tiny"]["1"]) == ("0.0400", "0.0004")
        assert found["tiny"]["dates_mean"] == "80"
        # Half a pixel of the last row; the zone is of 3.
        assert [found["beyond"][name] for name in ("pixels", "3", "covered")] == [
            "0.5000", "0.0050", "0.166667",
        ]  # fmt: skip
        assert [found["empty"][name] for name in ("pixels", "1", "covered")] == [
            "0.7500", "0.0000", "0.000000",
        ]  # fmt: skip


def test_a_zone_beyond_the_map_has_no_part_of_it(tmp_path):
    values = Files(tmp_path, CODES).raster("values", CODES)
    shapes = [box(0, 0, 1, 1), box(8, 8, 9, 9)]
    found = table_of(tmp_path, shapes, ["in", "out"], [Quantity("v", values)], "fraction")
    assert [found["out"][name] for name in ("pixels", "1", "covered", "v_count", "v_mean")] == [
        "0.0000", "0.0000", "0.000000", "0.0000", "",
    ]  # fmt: skip


def test_without_exactextract_parts_of_pixels_are_refused_before_anything_is_read(monkeypatch):
    monkeypatch.setitem(sys.modules, "exactextract", None)
    with pytest.raises(MissingSoftwareError, match="pip install exactextract"):
        write_zones("none.tif", Units("none.gpkg", None, "zone"), [], "x.csv", "fraction")


def test_values_of_rasters_without_those_that_are_not_there(tmp_path):
    values = np.array([[80, 60, 1, 1], [70, 255, 1, 1], [1, 1, 1, 1]], np.uint8)
    path = Files(tmp_path, CODES).raster("validity", values, nodata=255)
    quantities = [Quantity("dates", path)]
    shapes = [box(0, 0, 2, 2), shapely.box(LEFT + 11, TOP - 19, LEFT + 19, TOP - 11)]
    found = table_of(tmp_path, shapes, ["a", "hole"], quantities)
    row = found["a"]
    # 80 60 70: 70, and the root of 200/3.
    assert [row[f"dates_{kind}"] for kind in ("count", "mean", "min", "max")] == [
        "3",
        "70",
        "60",
        "80",
    ]
    assert float(row["dates_sd"]) == pytest.approx(8.1650, abs=1e-4)
    assert [found["hole"][f"dates_{kind}"] for kind in ("count", "mean", "sd")] == ["0", "", ""]


def test_the_command_names_classes_as_the_map_does(tmp_path, capsys):
    grid = Grid("EPSG:32631", LEFT, TOP, 10.0, *CODES.shape)
    tags = {"CLASS_1": "Wood", "CLASS_9": "Ice"}
    classes = str(tmp_path / "classes.tif")
    with create_raster(classes, grid, "uint8", nodata=0, tags=tags) as raster:
        raster.write(CODES, grid.window)
    zones = tmp_path / "zones.gpkg"
    gpd.GeoDataFrame({"zone": ["a"]}, geometry=[box(0, 0, 1, 4)], crs=32631).to_file(zones)
    output = tmp_path / "table.csv"
    assert (
        main(["zonal", classes, str(zones), "zone", str(output), "--raster", f"c={classes}"]) == 0
    )
    assert output.read_text().splitlines() == [
        "zone,zone_ha,rule,pixels,covered,Wood,2,Ice,c_count,c_mean,c_sd,c_min,c_max",
        "a,0.0400,centre,4,0.750000,0.0200,0.0100,0.0000,3,1.33333,0.471405,1,2",
    ]
    assert "1 zone(s)" in capsys.readouterr().out
    assert main(["zonal", classes, str(zones), "zone", str(output), "--rule", "fraction"]) == 0
    assert (
        output.read_text().splitlines()[1]
        == "a,0.0400,fraction,4.0000,0.750000,0.0200,0.0100,0.0000"
    )


def test_zones_elsewhere_and_maps_in_degrees_are_refused(tmp_path):
    with pytest.raises(InputDataError, match="none of its 1 zone"):
        table_of(tmp_path, [shapely.box(0, 0, 1, 1)], ["a"])
    grid = Grid("EPSG:4326", 1.0, 45.0, 0.1, *CODES.shape)
    degrees = Files(tmp_path, CODES).raster("degrees", CODES, grid=grid)
    with pytest.raises(InputDataError, match="is in degrees"):
        write_zones(degrees, Units(str(tmp_path / "zones.gpkg"), None, "zone"), [], "x.csv")


@pytest.mark.parametrize("given", [["relief"], ["=dem.tif"], ["a=1.tif", "a=2.tif"]])
def test_rasters_are_named_once(given):
    with pytest.raises(ConfigError, match="--raster"):
        rasters_of(given)


@pytest.mark.parametrize("rule", ["centre", "fraction"])
def test_pixels_of_the_nodata_value_of_a_map_are_not_covered(tmp_path, rule):
    """Of a map that others have made: 255 stands for what is not mapped, of eight pixels for two."""
    if rule == "fraction":
        pytest.importorskip("exactextract")
    frame = gpd.GeoDataFrame({"zone": ["a"]}, geometry=[box(0, 0, 2, 4)], crs="EPSG:32631")
    frame.to_file(tmp_path / "zones.gpkg")
    codes = np.where(CODES == 0, 255, CODES).astype(np.uint8)
    path = write_image(tmp_path / "map.tif", codes, left=LEFT, top=TOP, nodata=255)
    output = str(tmp_path / "table.csv")
    write_zones(path, Units(str(tmp_path / "zones.gpkg"), None, "zone"), [], output, rule)
    with open(output, newline="") as file:
        (row,) = csv.DictReader(file)
    assert "255" not in row
    assert float(row["covered"]) == pytest.approx(6 / 8)
    assert [float(row[code]) for code in "12"] == pytest.approx([0.03, 0.03])


def test_parts_of_pixels_weigh_rasters_on_any_grid(tmp_path):
    """A raster of other pixels and projection, whose values are 7 all over the map."""
    pytest.importorskip("exactextract")
    relief = write_image(
        tmp_path / "relief.tif", np.full((60, 60), 7, np.float32), 3.0, left=LEFT - 50, top=TOP + 50
    )
    degrees = write_image(
        tmp_path / "degrees.tif", np.full((60, 60), 7, np.int16), 1e-4, left=2.998, top=43.356, epsg=4326
    )  # fmt: skip
    quantities = [Quantity("relief", relief), Quantity("degrees", degrees)]
    shapes = [box(0, 0, 2, 2), box(0.5, 0.5, 1.75, 3)]
    found = table_of(tmp_path, shapes, ["whole", "parts"], quantities, "fraction")
    for row in found.values():
        assert [float(row[f"{name}_mean"]) for name in ("relief", "degrees")] == [7, 7]
    assert float(found["parts"]["pixels"]) == pytest.approx(1.25 * 2.5)
