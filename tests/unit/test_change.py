"""Changes between two maps, by hand on a few pixels."""

import csv
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from osgeo import gdal
from tiny import LEFT, TOP, values_of, write_image

from iota2_tools.commands.change import zones_of
from iota2_tools.commands.cli import main
from iota2_tools.core.errors import ConfigError, InputDataError
from iota2_tools.core.locks import FORMAT
from iota2_tools.geo.raster import read_raster
from iota2_tools.years import change as change_module
from iota2_tools.years.change import both_right, change_codes
from iota2_tools.years.judgement import read_judgements
from iota2_tools.years.legends import read_common_legend, same_legend
from iota2_tools.years.maps import common_grid, year_map
from iota2_tools.years.transitions import Pair, count_by_zone, count_transitions

NAMES = {1: ("Wheat", (250, 220, 90)), 2: ("Maize", (240, 160, 80)), 7: ("Town", (200, 70, 90))}

BEFORE = [
    [1, 1, 2, 2, 0],
    [1, 1, 2, 7, 7],
    [1, 2, 2, 7, 7],
]
AFTER = [
    [1, 2, 2, 2, 2],
    [1, 2, 2, 7, 0],
    [7, 2, 1, 7, 7],
]


def class_map(path, codes, names=NAMES, **place) -> str:
    """A class map that names its classes, as the final maps do."""
    write_image(path, np.array(codes, np.uint8), **place)
    dataset = gdal.Open(str(path), gdal.GA_Update)
    dataset.SetMetadata({f"CLASS_{code}": name for code, (name, _) in names.items()})
    table = gdal.ColorTable()
    for code, (_, colour) in names.items():
        table.SetColorEntry(code, (*colour, 255))
    dataset.GetRasterBand(1).SetColorTable(table)
    dataset = None
    return str(path)


@pytest.fixture
def maps(tmp_path):
    """Folders of two productions, with confidence."""
    for name, codes, confidence in (("old", BEFORE, 90), ("new", AFTER, 50)):
        final = tmp_path / name / "final"
        class_map(final / "Classif_Seed_0.tif", codes)
        write_image(final / "Confidence_Seed_0.tif", np.full((3, 5), confidence, np.uint8))
    return str(tmp_path / "old"), str(tmp_path / "new")


def pair_of(before, after) -> Pair:
    maps = [year_map(before), year_map(after)]
    return Pair(*maps, same_legend(maps), common_grid(maps))


def rows_of(path) -> list[dict]:
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file))


# Of the 13 pixels that both have, by hand.
PIXELS = [[2, 2, 1], [1, 4, 0], [0, 0, 3]]


@pytest.mark.parametrize("rows", [1, 2, 256])
def test_pixels_of_each_pair_are_counted_in_any_windows(maps, monkeypatch, rows):
    monkeypatch.setattr("iota2_tools.years.transitions.STRIP_ROWS", rows)
    assert count_transitions(pair_of(*maps)).tolist() == PIXELS


def test_results_do_not_go_among_the_products_of_a_production(maps, tmp_path, capsys):
    final = tmp_path / "results/final"
    final.mkdir(parents=True)
    (final / "production.lock").write_text("{}")
    before = sorted(tmp_path.rglob("*"))
    for place in ("results", "results/final", "results/final/deeper/changes"):
        assert main(["change", *maps, str(tmp_path / place)]) == 2
        assert f"lies among the products of {tmp_path}/results;" in capsys.readouterr().err
    assert main(["consistency", "a=x", "b=y", "--output", str(final)]) == 2
    assert "lies among the products of" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before
    assert main(["change", *maps, str(tmp_path / "results/changes")]) == 0


def test_the_map_of_changes_by_hand(maps, tmp_path, capsys):
    """Classes 1, 2, 7: 1>2 is 2, 1>7 is 3, 2>1 is 4; 0.01 ha a pixel; 0.9 x 0.5 = 45 %."""
    out = tmp_path / "out"
    assert main(["change", *maps, str(out)]) == 0
    assert values_of(out / "Change.tif").tolist() == [
        [1, 2, 1, 1, 0],
        [1, 2, 1, 1, 0],
        [3, 1, 4, 1, 1],
    ]
    confidence = values_of(out / "Change_Confidence.tif")
    assert confidence.tolist() == [[45] * 4 + [0], [45] * 4 + [0], [45] * 5]
    told = [
        (row["from"], row["to"], row["change_code"], row["pixels"], row["hectares"])
        for row in rows_of(out / "transitions.csv")
    ]
    assert told == [
        ("Wheat", "Wheat", "1", "2", "0.0200"), ("Wheat", "Maize", "2", "2", "0.0200"),
        ("Wheat", "Town", "3", "1", "0.0100"), ("Maize", "Wheat", "4", "1", "0.0100"),
        ("Maize", "Maize", "1", "4", "0.0400"), ("Town", "Town", "1", "3", "0.0300"),
    ]  # fmt: skip
    with open(out / "transition_matrix.csv", encoding="utf-8") as file:
        matrix = list(csv.reader(file))
    assert matrix[0] == ["from / to (ha)", "Wheat", "Maize", "Town", "before"]
    assert matrix[1] == ["Wheat", "0.0200", "0.0200", "0.0100", "0.0500"]
    assert matrix[-1] == ["after", "0.0300", "0.0600", "0.0400", "0.1300"]
    tags = gdal.Open(str(out / "Change.tif")).GetMetadata()
    assert tags["CLASS_1"] == "unchanged"
    assert tags["CLASS_3"] == "Wheat > Town"
    assert "CLASS_5" not in tags  # Maize > Town does not occur
    shown = gdal.Open(str(out / "Change.tif"))
    table = shown.GetRasterBand(1).GetColorTable()
    assert table.GetColorEntry(3)[:3] == NAMES[7][1]
    assert "69.2 % of them are of one class" in capsys.readouterr().out
    assert {item.name for item in out.iterdir()} == {
        "Change.tif", "Change.qml", "Change.tif.aux.xml", "Change_Confidence.tif",
        "Change_Confidence.qml", "transitions.csv", "transition_matrix.csv",
        "Changed.tif", "Changed.qml", "Changed.tif.aux.xml",
    }  # fmt: skip
    assert values_of(out / "Changed.tif").tolist() == [
        [1, 2, 1, 1, 0],
        [1, 2, 1, 1, 0],
        [2, 1, 2, 1, 1],
    ]


# What points tell of the area that changed.


def looked_at(path, places, seen) -> str:
    """Points at pixels (row, column) with what was seen there."""
    rows, cols = np.transpose(places)
    x, y = LEFT + (cols + 0.5) * 10, TOP - (rows + 0.5) * 10
    frame = gpd.GeoDataFrame({"reference": seen}, geometry=shapely.points(x, y), crs=32631)
    frame.to_file(path, layer="points")
    return str(path)


def area_of_change(folder) -> dict[str, float]:
    (row,) = (
        row
        for row in rows_of(folder / "estimates.csv")
        if (row["name"], row["estimate"]) == ("changed", "area_ha")
    )
    return {name: float(row[name]) for name in ("value", "standard_error", "low", "high")}


def test_the_area_of_change_by_hand(maps, tmp_path):
    """Nine pixels are called unchanged, of three of them one had changed; four changed, of two one had.

    9/3 + 4/2 = 5 pixels of 0.01 ha. Squared error: 81 (1 - 3/9) (2/9) / 2 + 16 (1 - 2/4) (1/4) / 1 = 8 pixels².
    """
    out = tmp_path / "out"
    assert main(["change", *maps, str(out)]) == 0
    places = [(0, 0), (1, 2), (2, 3), (0, 1), (2, 2)]
    seen = ["unchanged", "changed", "unchanged", "changed", "unchanged"]
    points = looked_at(out / "points.gpkg", places, seen)
    judged = str(out / "judged")
    assert main(["assess", str(out / "Changed.tif"), points, "--output", judged]) == 0
    found = area_of_change(out / "judged")
    assert found["value"] == pytest.approx(0.05)
    assert found["standard_error"] == pytest.approx(0.01 * np.sqrt(8), abs=1e-4)
    assert found["high"] == pytest.approx(0.05 + 1.96 * 0.01 * np.sqrt(8), abs=1e-4)


@pytest.mark.slow
def test_the_interval_holds_the_true_area_of_change_though_the_maps_tell_another(tmp_path):
    """A year of other classes at one pixel of ten; the maps call two more of ten changed, and miss one of five."""
    random = np.random.default_rng(3)
    before = random.integers(1, 3, (60, 60)).astype(np.uint8)
    true = random.random((60, 60)) < 0.1
    said = np.where(true, random.random((60, 60)) < 0.8, random.random((60, 60)) < 0.2)
    names = {code: NAMES[code] for code in (1, 2)}
    first = class_map(tmp_path / "first.tif", before, names)
    second = class_map(tmp_path / "second.tif", np.where(said, 3 - before, before), names)
    out = tmp_path / "out"
    assert main(["change", first, second, str(out)]) == 0
    held, counted = 0, 0.01 * said.sum()
    for seed in range(20):
        points, judged = str(out / f"{seed}.gpkg"), out / f"judged_{seed}"
        drawn = ["sample", str(out / "Changed.tif"), points, "--points", "300", "--seed", str(seed)]
        assert main(drawn) == 0
        frame = gpd.read_file(points, layer="points")
        cols = ((frame.geometry.x - LEFT) // 10).astype(int)
        rows = ((TOP - frame.geometry.y) // 10).astype(int)
        frame["reference"] = np.where(true[rows, cols], "changed", "unchanged")
        pyogrio.write_dataframe(frame, points, layer="points", driver="GPKG")
        assert main(["assess", str(out / "Changed.tif"), points, "--output", str(judged)]) == 0
        found = area_of_change(judged)
        held += found["low"] <= 0.01 * true.sum() <= found["high"]
        assert not found["low"] <= counted <= found["high"]
    assert held >= 17  # 19 of 20 are expected; fewer than 17 come about once in 60 times


def test_codes_of_changes_do_not_depend_on_what_occurs():
    assert change_codes(3).tolist() == [[1, 2, 3], [4, 1, 5], [6, 7, 1]]
    assert change_codes(255).max() == 255 * 254 + 1
    with pytest.raises(InputDataError, match="256 classes have more changes"):
        change_codes(256)


def test_confidence_of_a_change_is_the_product():
    """85.5 percent are 86."""
    assert both_right(np.array([90], np.uint8), np.array([95], np.uint8)).tolist() == [86]
    assert both_right(np.array([100, 1], np.uint8), np.array([100, 1], np.uint8)).tolist() == [
        100,
        1,
    ]
    assert both_right(np.array([99, 0], np.uint8), np.array([51, 80], np.uint8)).tolist() == [50, 0]


def test_a_map_without_confidence_gives_changes_without(maps, tmp_path):
    Path(maps[0], "final", "Confidence_Seed_0.tif").unlink()
    assert main(["change", *maps, str(tmp_path / "out")]) == 0
    assert not (tmp_path / "out" / "Change_Confidence.tif").exists()


def test_hectares_of_a_map_in_feet(tmp_path):
    """A US survey foot is 1200 / 3937 m (EPSG:2264): 13 pixels of 10 feet."""
    maps = [
        class_map(tmp_path / name, codes, epsg=2264)
        for name, codes in (("a.tif", BEFORE), ("b.tif", AFTER))
    ]
    found = change_module.write_change(
        pair_of(*maps), change_module.ChangeRules(), str(tmp_path / "out")
    )
    assert 13 * found.hectare == pytest.approx(13 * 100 * (1200 / 3937) ** 2 / 10_000)


def test_maps_of_other_extent_are_compared_where_both_are(maps, tmp_path):
    """The new map begins a row lower and two columns to the right, and is larger."""
    moved = class_map(
        tmp_path / "moved.tif", np.array([[7, 7, 1, 1], [2, 7, 7, 1], [1, 1, 1, 1]]),
        left=LEFT + 20, top=TOP - 10,
    )  # fmt: skip
    pair = pair_of(maps[0], moved)
    assert (pair.grid.left, pair.grid.top) == (LEFT + 20, TOP - 10)
    assert (pair.grid.rows, pair.grid.cols) == (2, 3)
    assert count_transitions(pair).tolist() == [[0, 0, 0], [0, 1, 1], [1, 0, 3]]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"left": LEFT + 5}, "0.500 of a pixel beside"),
        ({"top": TOP + 1}, "0.100 of a pixel beside"),
        ({"resolution": 20.0}, "has pixels of 20"),
        ({"epsg": 32630}, "is in EPSG:32630"),
        ({"left": LEFT + 5000}, "no pixel in common"),
    ],
)
def test_grids_that_do_not_fit_are_refused(maps, tmp_path, place, words):
    other = class_map(tmp_path / "other.tif", AFTER, **place)
    with pytest.raises(InputDataError, match=words):
        pair_of(maps[0], other)


def test_other_classes_are_refused_without_a_table(maps, tmp_path, capsys):
    names = {1: NAMES[1], 2: ("Sunflower", (1, 2, 3)), 9: ("Water", (0, 0, 255))}
    other = class_map(tmp_path / "other.tif", [[1, 2, 9, 1, 1]] * 3, names)
    assert main(["change", maps[0], other, str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "code 2 is Maize in the one, Sunflower in the other" in said
    assert "code 7 is Town in the one, no class in the other" in said
    assert "code 9 is no class in the one, Water in the other" in said
    assert "code 1" not in said
    assert not (tmp_path / "out").exists()


TABLE = """map,code,common,name
before,1,10,Crops
before,2,10,
before,7,20,Town
after,1,10,Crops
after,5,20,
after,9,0,
"""


def test_classes_are_brought_together_by_a_table(maps, tmp_path):
    """Wheat and maize are crops; class 9 takes no part."""
    names = {1: NAMES[1], 5: ("Houses", (9, 9, 9)), 9: ("Cloud", (0, 0, 255))}
    other = class_map(tmp_path / "other.tif", [[1, 1, 5, 9, 1]] * 3, names)
    Path(tmp_path, "table.csv").write_text(TABLE, encoding="utf-8")
    before, after = year_map(maps[0]), year_map(other)
    common = read_common_legend(str(tmp_path / "table.csv"), before, after)
    assert [(item.code, item.name, item.colour) for item in common.legend.classes] == [
        (10, "Crops", NAMES[1][1]),
        (20, "Town", (9, 9, 9)),
    ]
    pair = Pair(before, after, common, common_grid([before, after]))
    assert count_transitions(pair).tolist() == [[6, 3], [2, 0]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("before,7,20,Town\n", ""), "class 7 (Town) of .* has no line with map before"),
        (("after,5,20,", "later,5,20,"), "line 6: map is 'later'; write before or after"),
        (("after,5,20,", "after,five,20,"), "line 6: code and common are whole numbers"),
        (("after,5,20,", "after,5²,20,"), "line 6: code and common are whole numbers"),
        (("after,9,0,", "after,9,65536,"), "line 7: code and common are whole numbers"),
        (("after,9,0,", "after,9,0,\nafter,0,20,"), "line 8: code 0 is no class"),
        (
            ("after,1,10,Crops", "after,1,10,Fields"),
            "common class 10 is called 'Crops' and 'Fields'",
        ),
        (("after,9,0,", "after,5,10,"), "line 7: class 5 of the map after stands twice"),
        (("map,code,common,name", "side,code,common,name"), "has no column map"),
    ],
)
def test_a_table_of_classes_with_holes_is_refused(maps, tmp_path, change, words):
    names = {1: NAMES[1], 5: ("Houses", (9, 9, 9)), 9: ("Cloud", (0, 0, 255))}
    other = class_map(tmp_path / "other.tif", [[1, 1, 5, 9, 1]] * 3, names)
    Path(tmp_path, "table.csv").write_text(TABLE.replace(*change), encoding="utf-8")
    pattern = words.replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(InputDataError, match=pattern):
        read_common_legend(str(tmp_path / "table.csv"), year_map(maps[0]), year_map(other))


def test_lines_of_a_table_are_counted_with_the_empty_ones(maps, tmp_path):
    table = tmp_path / "said.csv"
    table.write_text("to, from,judgement,from\n\nWheat,, possible ,Nowhere\n\n2,,never,1\n")
    with pytest.raises(InputDataError) as caught:
        read_judgements(str(table), year_map(maps[0]).legend)
    said = str(caught.value)
    assert "line 3: 'Nowhere' in column from is no class" in said
    assert "line 5: judgement is 'never'; write" in said
    assert "has 2 problems" in said


def test_what_a_user_says_of_changes_is_mapped(maps, tmp_path):
    """A later line counts more: nothing becomes wheat but maize, towns stay."""
    table = tmp_path / "said.csv"
    table.write_text("from,to,judgement\n*,Wheat,impossible\n2,1,unlikely\nTown,*,impossible\n")
    legend = year_map(maps[0]).legend
    assert read_judgements(str(table), legend).tolist() == [[1, 1, 1], [2, 1, 1], [3, 3, 1]]
    out = tmp_path / "out"
    assert main(["change", *maps, str(out), "--judgements", str(table)]) == 0
    assert values_of(out / "Change_Judgement.tif").tolist() == [
        [0, 1, 0, 0, 0],
        [0, 1, 0, 0, 0],
        [1, 0, 2, 0, 0],
    ]
    said = {(row["from"], row["to"]): row["judgement"] for row in rows_of(out / "transitions.csv")}
    assert said["Maize", "Wheat"] == "unlikely"
    assert said["Wheat", "Maize"] == "possible"
    assert said["Wheat", "Wheat"] == ""
    table.write_text("from,to,judgement\nOats,1,impossible\n1,2,never\n")
    with pytest.raises(InputDataError) as caught:
        read_judgements(str(table), legend)
    assert "line 2: 'Oats' in column from is no class of the maps" in str(caught.value)
    assert "line 3: judgement is 'never'; write possible, unlikely, impossible" in str(caught.value)


def test_zones_count_the_pixels_whose_centre_lies_in_them(maps, monkeypatch):
    monkeypatch.setattr("iota2_tools.years.transitions.STRIP_ROWS", 1)
    left = shapely.box(LEFT, TOP - 30, LEFT + 24, TOP)  # two columns
    overlap = shapely.box(LEFT + 10, TOP - 12, LEFT + 60, TOP)  # all but the first, first row
    far = shapely.box(0, 0, 10, 10)
    found = count_by_zone(pair_of(*maps), {"a": left, "b": overlap, "c": far})
    assert found["a"].tolist() == [[2, 2, 1], [0, 1, 0], [0, 0, 0]]
    assert found["b"].tolist() == [[0, 1, 0], [0, 2, 0], [0, 0, 0]]
    assert not found["c"].any()


def test_zones_of_a_layer_have_a_table(maps, tmp_path, capsys):
    import geopandas as gpd

    shapes = [shapely.box(LEFT, TOP - 30, LEFT + 24, TOP), shapely.box(0, 0, 10, 10)]
    zones = gpd.GeoDataFrame({"code": ["31", "32"]}, geometry=shapes, crs=32631)
    zones.to_file(tmp_path / "zones.gpkg")
    out = tmp_path / "out"
    given = f"departments={tmp_path}/zones.gpkg:code"
    assert main(["change", *maps, str(out), "--zones", given]) == 0
    rows = rows_of(out / "transitions_departments.csv")
    assert [(row["zone"], row["from"], row["to"], row["hectares"]) for row in rows] == [
        ("31", "Wheat", "Wheat", "0.0200"), ("31", "Wheat", "Maize", "0.0200"),
        ("31", "Wheat", "Town", "0.0100"), ("31", "Maize", "Maize", "0.0100"),
        ("32", "", "", "0.0000"),
    ]  # fmt: skip
    capsys.readouterr()
    assert main(["change", *maps, str(out), "--zones", "zones.gpkg"]) == 2
    assert "write NAME=FILE:FIELD" in capsys.readouterr().err


def test_nothing_of_an_earlier_comparison_stays_beside_the_new_one(maps, tmp_path):
    """Its confidence and its zones would be taken for those of the new maps; files of the user stay."""
    zones = gpd.GeoDataFrame({"code": ["31"]}, geometry=[shapely.box(0, 0, 10, 10)], crs=32631)
    zones.to_file(tmp_path / "zones.gpkg")
    out, table = tmp_path / "out", tmp_path / "said.csv"
    table.write_text("from,to,judgement\n*,Wheat,impossible\n")
    given = ["--zones", f"departments={tmp_path}/zones.gpkg:code", "--judgements", str(table)]
    assert main(["change", *maps, str(out), *given]) == 0
    (out / "transitions_notes.csv").write_bytes("à moi\n".encode("latin-1"))
    Path(maps[0], "final", "Confidence_Seed_0.tif").unlink()
    assert main(["change", *maps, str(out)]) == 0
    assert {item.name for item in out.iterdir()} == {
        "Change.tif", "Change.qml", "Change.tif.aux.xml", "Changed.tif", "Changed.qml", "Changed.tif.aux.xml",
        "transitions.csv", "transition_matrix.csv", "transitions_notes.csv",
    }  # fmt: skip


def test_a_code_that_the_legend_has_not_is_refused(maps, tmp_path):
    strange = class_map(tmp_path / "strange.tif", [[1, 4, 1, 1, 1]] * 3)
    with pytest.raises(InputDataError, match="holds 4, which its legend has not"):
        count_transitions(pair_of(maps[0], strange))


def test_maps_without_names_or_in_degrees_are_refused(maps, tmp_path):
    plain = write_image(tmp_path / "plain.tif", np.array(AFTER, np.uint8))
    with pytest.raises(InputDataError, match="names no classes"):
        year_map(plain)
    with pytest.raises(InputDataError, match="no such file"):
        year_map(str(tmp_path / "nowhere"))
    degrees = class_map(tmp_path / "deg.tif", AFTER, left=1, top=44, resolution=0.001, epsg=4326)
    with pytest.raises(InputDataError, match="is in degrees"):
        change_module.write_change(
            pair_of(degrees, degrees), change_module.ChangeRules(), str(tmp_path / "out")
        )


def test_the_map_of_all_draws_counts_where_there_is_one(maps):
    final = Path(maps[0], "final")
    class_map(final / "Classifications_fusion.tif", AFTER)
    class_map(final / "Classif_Seed_1.tif", BEFORE)
    assert year_map(maps[0]).classes == str(final / "Classifications_fusion.tif")
    assert year_map(maps[0]).confidence is None
    assert year_map(str(final), "1").classes == str(final / "Classif_Seed_1.tif")
    assert read_raster(year_map(maps[0], "0").classes).tolist() == BEFORE


def test_a_layer_of_zones_has_one_name(tmp_path):
    import geopandas as gpd

    zones = gpd.GeoDataFrame({"code": ["31"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=32631)
    zones.to_file(tmp_path / "zones.gpkg")
    given = f"a={tmp_path}/zones.gpkg:code"
    with pytest.raises(ConfigError, match="a stands twice"):
        zones_of([given, given], "EPSG:32631")


def test_a_production_with_a_lock_of_a_newer_version_is_not_compared(maps, capsys, tmp_path):
    old, new = maps
    lock = Path(new, "final", "production.lock")
    lock.write_text(json.dumps({"format": FORMAT + 1, "software": {"iota2-tools": "9.9"}}))
    for place in (new, str(Path(new, "final"))):
        assert main(["change", old, place, str(tmp_path / "changes")]) == 2
        said = capsys.readouterr().err
        assert f"is of format {FORMAT + 1}, this version reads up to {FORMAT}" in said
    assert not (tmp_path / "changes").exists()
    lock.write_text(json.dumps({"format": FORMAT}))
    assert year_map(new).classes.endswith("Classif_Seed_0.tif")


def test_a_zone_is_read_where_it_lies_alone(maps, monkeypatch):
    """Of three rows and five columns a zone of two pixels; a country has thousands of zones."""
    pair, read = pair_of(*maps), []
    plain = pair.read
    monkeypatch.setattr(pair, "read", lambda window: read.append(tuple(window)) or plain(window))
    zone = shapely.box(LEFT + 11, TOP - 29, LEFT + 29, TOP - 21)
    assert count_by_zone(pair, {"a": zone})["a"].tolist() == [[0, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert read == [(2, 1, 1, 2)]
    assert not count_by_zone(pair, {"a": shapely.Polygon()})["a"].any()
    corner = shapely.box(LEFT + 11, TOP - 12, LEFT + 13, TOP - 11)  # of a pixel, not its centre
    assert not count_by_zone(pair, {"a": corner})["a"].any()
    assert read == [(2, 1, 1, 2)]


@pytest.mark.parametrize(
    ("dtype", "nodata"), [("int16", -9999), ("int32", -99999), ("uint16", 65535), ("uint32", 70000)]
)
def test_pixels_of_the_nodata_value_are_not_mapped(maps, tmp_path, dtype, nodata):
    codes = np.array(AFTER, dtype)
    codes[0] = nodata
    other = write_image(tmp_path / "other.tif", codes, nodata=nodata)
    dataset = gdal.Open(other, gdal.GA_Update)
    dataset.SetMetadata({f"CLASS_{code}": name for code, (name, _) in NAMES.items()})
    dataset = None
    # The lower two rows of PIXELS, by hand.
    assert count_transitions(pair_of(maps[0], other)).tolist() == [[1, 1, 1], [1, 2, 0], [0, 0, 3]]
    dataset = gdal.Open(other, gdal.GA_Update)
    dataset.GetRasterBand(1).DeleteNoDataValue()
    dataset = None
    with pytest.raises(InputDataError, match=f"holds {nodata}, which its legend has not"):
        count_transitions(pair_of(maps[0], other))


def test_a_class_with_the_nodata_value_stays_a_class(tmp_path):
    path = class_map(tmp_path / "a.tif", BEFORE, nodata=7)
    assert count_transitions(pair_of(path, path)).tolist() == [[5, 0, 0], [0, 5, 0], [0, 0, 4]]


def test_quantities_are_no_class_map(maps, tmp_path):
    other = write_image(tmp_path / "other.tif", np.array(AFTER, np.float32))
    dataset = gdal.Open(other, gdal.GA_Update)
    dataset.SetMetadata({f"CLASS_{code}": name for code, (name, _) in NAMES.items()})
    dataset = None
    with pytest.raises(InputDataError, match="has pixels of Float32, a class map whole numbers"):
        pair_of(maps[0], other)


def test_classes_that_take_no_part_may_bear_their_own_names(maps, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text(
        "map,code,common,name\nbefore,1,1,Crops\nbefore,2,0,Maize\nbefore,7,0,Town\n"
        "after,1,1,Crops\nafter,2,0,Maize\nafter,7,0,Town\n"
    )
    before, after = map(year_map, maps)
    common = read_common_legend(str(table), before, after)
    assert [(item.code, item.name) for item in common.legend.classes] == [(1, "Crops")]


def test_common_classes_that_cannot_be_told_apart_are_refused(maps, tmp_path):
    table = tmp_path / "table.csv"
    head = "map,code,common,name\n"
    before, after = map(year_map, maps)
    lines = [f"{side},{code},0," for side in ("before", "after") for code in NAMES]
    table.write_text(head + "\n".join(lines))
    with pytest.raises(InputDataError, match="every class has common code 0, which takes no part"):
        read_common_legend(str(table), before, after)
    lines = [f"{side},{code},{code},Land" for side in ("before", "after") for code in NAMES]
    table.write_text(head + "\n".join(lines))
    with pytest.raises(InputDataError, match="classes 1, 2, 7 are all called 'Land'"):
        read_common_legend(str(table), before, after)
