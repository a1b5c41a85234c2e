"""Maps of a few pixels judged by points, whose figures are computed by hand."""

import csv
import shlex

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from test_design import write_map
from tiny import LEFT, TOP

from iota2_tools.assessing import assessment as module
from iota2_tools.assessing.assessment import Judged, judge
from iota2_tools.assessing.points import PointsWanted, write_points
from iota2_tools.commands.cli import main
from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.units import Units
from iota2_tools.reporting.assessment import assessment_text, write_assessment

# 60 pixels of wood, 40 of water, of 100 m: 60 and 40 hectares.
VALUES = np.repeat([1, 2], [60, 40]).reshape(10, 10)
SIZE = 100.0
NAMES = ("Wood", "Water")
# Row, column, what was seen. Wood: 3 of 4 right; water: 1 of 2 right.
SEEN = (
    (0, 0, "Wood"), (1, 5, "1"), (2, 9, "1"), (5, 9, "Water"), (6, 0, "2"), (9, 9, "Wood"),
)  # fmt: skip


def write_seen(path, seen=SEEN, crs="EPSG:32631", **columns) -> str:
    rows, cols, classes = zip(*seen, strict=True)
    x, y = LEFT + (np.array(cols) + 0.5) * SIZE, TOP - (np.array(rows) + 0.5) * SIZE
    frame = gpd.GeoDataFrame(
        {"reference": list(classes), **columns}, geometry=shapely.points(x, y), crs="EPSG:32631"
    )
    frame.to_crs(crs).to_file(path, driver="GPKG")
    return str(path)


@pytest.fixture
def small(tmp_path):
    return write_map(tmp_path / "map.tif", VALUES, NAMES, resolution=SIZE)


@pytest.mark.parametrize("window", [(512, 8192), (3, 4)])
@pytest.mark.parametrize("crs", ["EPSG:32631", "EPSG:4326"])
def test_a_small_map(small, tmp_path, monkeypatch, window, crs):
    monkeypatch.setattr(module, "WINDOW", window)
    whole = judge(Judged(small, write_seen(tmp_path / "seen.gpkg", crs=crs))).whole
    assert whole.points == 6
    assert whole.mapped.tolist() == [60, 40]
    assert whole.hectares == 1
    found = whole.found
    assert found.counts.tolist() == [[3, 1], [1, 1]]
    # Rows: reference. Wood: 0.6 x 3/4 and 0.4 x 1/2; water: 0.6 x 1/4 and 0.4 x 1/2.
    assert found.cells == pytest.approx(np.array([[0.45, 0.2], [0.15, 0.2]]))
    assert found.overall.value[0] == pytest.approx(0.65)
    # 0.36 x (1 - 4/60) x 0.1875 / 3 + 0.16 x (1 - 2/40) x 0.25 / 1
    assert found.overall.error[0] == pytest.approx(np.sqrt(0.021 + 0.038))
    assert found.users.value == pytest.approx([0.75, 0.5])
    assert found.producers.value == pytest.approx([0.45 / 0.65, 0.2 / 0.35])
    assert found.shares.value == pytest.approx([0.65, 0.35])


def test_tables_and_text(small, tmp_path):
    found = judge(Judged(small, write_seen(tmp_path / "seen.gpkg")))
    write_assessment(found, "Accuracy of map.tif", str(tmp_path / "out"))
    text = (tmp_path / "out/assessment.txt").read_text(encoding="utf-8")
    assert "Overall accuracy  0.650 +- 0.476" in text  # 1.96 x sqrt(0.059)
    assert text == assessment_text(found, "Accuracy of map.tif") + "\n"
    with open(tmp_path / "out/estimates.csv", encoding="utf-8", newline="") as file:
        rows = {(row["name"], row["estimate"]): row for row in csv.DictReader(file)}
    assert rows["", "overall_accuracy"]["value"] == "0.650000"
    assert rows["Water", "area_ha"]["value"] == "35.0000"
    area = rows["Wood", "area_ha"]
    # The share of wood varies as what is right does: 1.96 x 24.2899 hectares about 65.
    assert float(area["low"]) == pytest.approx(65 - 1.96 * 24.2899, abs=1e-3)
    assert float(area["high"]) == pytest.approx(65 + 1.96 * 24.2899, abs=1e-3)
    points = pd.read_csv(tmp_path / "out/matrix_points.csv")
    assert points["2 Water"].tolist() == [1, 1]
    assert pd.read_csv(tmp_path / "out/matrix_area.csv")["1 Wood"].tolist() == [0.45, 0.15]


def test_regions_are_judged_apart(small, tmp_path):
    upper = shapely.box(LEFT, TOP - 500, LEFT + 1000, TOP)  # rows 0 to 4, wood alone
    lower = shapely.box(LEFT, TOP - 1000, LEFT + 1000, TOP - 500)
    far = shapely.box(LEFT + 5000, TOP - 1000, LEFT + 6000, TOP)
    frame = gpd.GeoDataFrame(
        {"region": ["up", "low", "far"]}, geometry=[upper, lower, far], crs="EPSG:32631"
    )
    frame.to_file(tmp_path / "regions.gpkg", driver="GPKG")
    units = Units(str(tmp_path / "regions.gpkg"), None, "region")
    found = judge(Judged(small, write_seen(tmp_path / "seen.gpkg"), regions=units))
    assert set(found.regions) == {"up", "low"}
    assert "region far: no point lies in it" in found.remarks
    up, low = found.regions["up"], found.regions["low"]
    assert (up.points, low.points) == (3, 3)
    assert up.mapped.tolist() == [50, 0]
    assert low.mapped.tolist() == [10, 40]
    assert up.found.overall.value[0] == 1
    # A point of wood stands for 15 pixels, one of water for 20: wrong, right, wrong.
    assert low.found.overall.value[0] == pytest.approx(20 / 55)
    assert low.found.shares.value == pytest.approx([20 / 55, 35 / 55])


def test_strata_of_another_map(small, tmp_path):
    strata = np.repeat([7, 8], [50, 50]).reshape(10, 10)
    other = write_map(tmp_path / "strata.tif", strata, resolution=SIZE)
    found = judge(Judged(small, write_seen(tmp_path / "seen.gpkg"), strata=other)).whole.found
    # Stratum 7: 3 of 3 right; stratum 8: 1 of 3.
    assert found.overall.value[0] == pytest.approx((1 + 1 / 3) / 2)
    # Mapped as wood and wood: half; mapped as wood: half and a third of the other half.
    assert found.users.value[0] == pytest.approx(0.5 / (0.5 + 0.5 / 3))


def test_what_has_no_stratum_is_not_judged(small, tmp_path):
    strata = np.repeat([0, 7, 8], [30, 30, 40]).reshape(10, 10)  # rows 0 to 2 have none
    other = write_map(tmp_path / "strata.tif", strata, resolution=SIZE)
    seen = ((3, 0, "Wood"), (4, 5, "Water"), (6, 0, "2"), (9, 9, "Water"), (0, 0, "Water"))
    found = judge(Judged(small, write_seen(tmp_path / "seen.gpkg", seen), strata=other))
    assert found.whole.mapped.tolist() == [30, 40]
    assert found.whole.points == 4
    assert found.whole.found.overall.value[0] == pytest.approx((0.5 * 30 + 1 * 40) / 70)
    assert "1 point(s) lie where the map has no class, or no stratum" in "\n".join(found.remarks)


def test_strata_do_not_count_where_the_map_has_no_class(tmp_path):
    """Rows 0 and 1 are not mapped: stratum 7 has 40 pixels of its 60."""
    values = np.where(np.arange(10)[:, np.newaxis] < 2, 0, VALUES)
    small = write_map(tmp_path / "map.tif", values, NAMES, resolution=SIZE)
    strata = np.repeat([7, 8], [60, 40]).reshape(10, 10)
    other = write_map(tmp_path / "strata.tif", strata, resolution=SIZE)
    seen = ((3, 0, "Wood"), (4, 5, "Water"), (6, 0, "2"), (9, 9, "Water"), (0, 0, "Water"))
    found = judge(Judged(small, write_seen(tmp_path / "seen.gpkg", seen), strata=other))
    assert found.whole.points == 4
    assert found.whole.found.overall.value[0] == pytest.approx((0.5 * 40 + 1 * 40) / 80)


def test_points_that_nobody_looked_at_are_told(small, tmp_path):
    seen = (*SEEN, (3, 3, None), (0, 0, "Wood"), (50, 50, "Wood"))
    found = judge(Judged(small, write_seen(tmp_path / "seen.gpkg", seen)))
    assert found.whole.points == 7
    told = "\n".join(found.remarks)
    assert "1 of 9 point(s) have no class" in told
    assert "1 point(s) lie in a pixel that another one lies in" in told
    assert "1 point(s) lie where the map has no class" in told


def test_a_stratum_of_a_single_point_is_told(small, tmp_path):
    found = judge(Judged(small, write_seen(tmp_path / "seen.gpkg", SEEN[:5])))
    assert any("strata of a single point: 2" in text for text in found.remarks)
    assert np.isnan(found.whole.found.overall.error[0])


def test_a_nomenclature_names_classes_that_are_never_mapped(small, tmp_path):
    table = tmp_path / "nomenclature.csv"
    table.write_text("code,name\n1,Wood\n2,Water\n9,Ice\n")
    seen = (*SEEN[:5], (9, 9, "Ice"))
    judged = Judged(small, write_seen(tmp_path / "seen.gpkg", seen), nomenclature=str(table))
    found = judge(judged).whole
    assert [item.name for item in found.legend.classes] == ["Wood", "Water", "Ice"]
    assert found.found.shares.value == pytest.approx([0.45, 0.35, 0.2])
    assert np.isnan(found.found.users.value[2])
    table.write_text("code,name\n1,Wood\n")
    with pytest.raises(InputDataError, match=r"holds class 2, which .*nomenclature.csv does not"):
        judge(judged)


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ((*SEEN, (3, 3, "Sea"), (3, 4, "Sea")), r"holds 'Sea' \(2 point\(s\)\), which the legend"),
        (tuple((row, col, None) for row, col, _ in SEEN), "no point has a class in the field"),
        (SEEN[:4], "no point was looked at in Water, 40 % of the map"),
    ],
)
def test_points_that_tell_nothing_are_refused(small, tmp_path, seen, told):
    with pytest.raises(InputDataError, match=told):
        judge(Judged(small, write_seen(tmp_path / "seen.gpkg", seen)))


def test_polygons_are_no_points(small, tmp_path):
    shape = shapely.box(LEFT, TOP - 50, LEFT + 50, TOP)
    frame = gpd.GeoDataFrame({"reference": ["1"]}, geometry=[shape], crs="EPSG:32631")
    frame.to_file(tmp_path / "seen.gpkg", driver="GPKG")
    with pytest.raises(InputDataError, match="points are needed, found Polygon"):
        judge(Judged(small, str(tmp_path / "seen.gpkg")))


def test_points_of_another_map_are_refused(small, tmp_path):
    points = str(tmp_path / "points.gpkg")
    write_points(PointsWanted(small, points=10, minimum=2), points)
    frame = gpd.read_file(points, layer="points")
    frame["reference"] = "Wood"
    frame.to_file(points, layer="points", driver="GPKG", mode="a", engine="pyogrio")
    newer = write_map(tmp_path / "newer.tif", VALUES.T, NAMES, resolution=SIZE)
    assert judge(Judged(newer, points, "points", strata=small)).whole.points > 0
    changed = np.where(np.arange(100).reshape(10, 10) < 7, 2, VALUES)
    newer = write_map(tmp_path / "changed.tif", changed, NAMES, resolution=SIZE)
    with pytest.raises(InputDataError, match=r"were drawn by strata that .*changed.tif does not"):
        judge(Judged(newer, points, "points"))


def test_what_is_told_to_type_can_be_typed(small, tmp_path, capsys):
    (tmp_path / "two words").mkdir()
    strata = write_map(tmp_path / "two words" / "it's.tif", VALUES, NAMES, resolution=SIZE)
    points = str(tmp_path / "points.gpkg")
    given = ["sample", small, points, "--points", "10", "--minimum", "2", "--strata", strata]
    assert main(given) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert shlex.split(line.partition("then: ")[2]) == [
        "iota2", "assess", small, points, "--strata", strata,
    ]  # fmt: skip


def test_the_two_commands(small, tmp_path, capsys):
    """Every point is looked at by one who knows the truth: the transposed map."""
    points, output = str(tmp_path / "points.gpkg"), str(tmp_path / "out")
    assert main(["sample", small, points, "--points", "40", "--minimum", "5"]) == 0
    told = capsys.readouterr().out
    assert "Wood" in told
    assert f"{points}: 40 points. Fill in" in told
    frame = gpd.read_file(points, layer="points")
    cols = ((frame.geometry.x - LEFT) // SIZE).astype(int)
    rows = ((TOP - frame.geometry.y) // SIZE).astype(int)
    frame["reference"] = VALUES.T[rows, cols].astype(str)
    import pyogrio

    pyogrio.write_dataframe(frame, points, layer="points", driver="GPKG")
    assert main(["assess", small, points, "--output", output]) == 0
    assert "Overall accuracy  0." in capsys.readouterr().out
    table = pd.read_csv(f"{output}/estimates.csv")
    overall = table[table["estimate"] == "overall_accuracy"].iloc[0]
    assert overall["low"] < (VALUES == VALUES.T).mean() < overall["high"]
    assert main(["assess", small, str(tmp_path / "none.gpkg")]) == 2
    assert "none.gpkg" in capsys.readouterr().err
    assert main(["assess", small, points, "--output", points]) == 2


def test_no_wrong_point_is_not_taken_for_certainty(small, tmp_path):
    """Of three points none is wrong: 1 - 0.05 ** (1 / 3) = 0.632 of the class may be; of two, 0.776."""
    seen = ((0, 0, "Wood"), (1, 5, "Wood"), (2, 9, "Wood"), (6, 0, "Water"), (9, 9, "Wood"))
    told = judge(Judged(small, write_seen(tmp_path / "seen.gpkg", seen))).remarks
    assert sum("no point is wrong in Wood (3 points, up to 63 %)" in item for item in told) == 1
    assert not any("Water (" in item for item in told)
    right = (*seen[:-1], (9, 9, "Water"))
    told = judge(Judged(small, write_seen(tmp_path / "right.gpkg", right))).remarks
    assert any("Wood (3 points, up to 63 %), Water (2 points, up to 78 %)" in item for item in told)
    every = tuple((row, col, NAMES[VALUES[row, col] - 1]) for row in range(10) for col in range(10))
    told = judge(Judged(small, write_seen(tmp_path / "every.gpkg", every))).remarks
    assert not any(
        "no point is wrong" in item for item in told
    )  # nothing is left that may be wrong


def test_points_in_groups_of_one_are_points(small, tmp_path):
    frame = gpd.read_file(write_seen(tmp_path / "seen.gpkg"))
    alone = judge(Judged(small, str(tmp_path / "seen.gpkg"))).whole.found.counts.tolist()
    grouped = frame.set_geometry([shapely.MultiPoint([shape]) for shape in frame.geometry])
    grouped.to_file(tmp_path / "grouped.gpkg")
    assert judge(Judged(small, str(tmp_path / "grouped.gpkg"))).whole.found.counts.tolist() == alone
    two = [shapely.MultiPoint([shape, shapely.Point(0, 0)]) for shape in frame.geometry]
    frame.set_geometry(two).to_file(tmp_path / "two.gpkg")
    with pytest.raises(InputDataError, match="found MultiPoint; give one point a feature"):
        judge(Judged(small, str(tmp_path / "two.gpkg")))


def test_points_that_cannot_be_brought_to_the_map_are_told_of_their_coordinates(small, tmp_path):
    frame = gpd.read_file(write_seen(tmp_path / "seen.gpkg"))
    frame.set_crs("EPSG:4326", allow_override=True).to_file(tmp_path / "wrong.gpkg")
    with pytest.raises(InputDataError, match="no point has a place in the coordinates of the map"):
        judge(Judged(small, str(tmp_path / "wrong.gpkg")))
