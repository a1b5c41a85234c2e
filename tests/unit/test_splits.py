"""The polygons of a production: which of them count, and what the check finds before the job."""

import os
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import MultiPolygon, box

from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.config.sampling import Reference, Regions, Sampling
from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.burning import Burner
from iota2_tools.geo.grid import Grid, union
from iota2_tools.reference import coverage, inspection
from iota2_tools.reference.coverage import hold_pixels, polygons_without_pixels
from iota2_tools.reference.given_splits import read_splits_table
from iota2_tools.reference.inspection import inspect_reference
from iota2_tools.reference.repetitions import first_of_its_shape
from iota2_tools.reference.splits import SplitPlan, split_of, write_splits

CRS = "EPSG:32631"
# Two tiles of 8 x 8 pixels of 10 m, side by side; pixel centres at 5, 15, …
WEST, EAST = Grid(CRS, 0, 80, 10, 8, 8), Grid(CRS, 80, 80, 10, 8, 8)
# Polygons of one pixel, in a row.
PIXELS = [box(10 * step, 0, 10 * step + 10, 10) for step in range(16)]


@pytest.fixture
def plan(tmp_path):
    """Makes the plan of a split from polygons, their codes and sections of the configuration."""

    def make(shapes, codes, *, splits=None, regions=None, grids=(WEST, EAST), crs=CRS, **columns):
        sampling = {
            key: columns.pop(key)
            for key in ("runs", "ratio", "single_polygon", "split_by", "block", "buffer")
            if key in columns
        }
        path = tmp_path / "reference.gpkg"
        frame = gpd.GeoDataFrame({"code": codes} | columns, geometry=list(shapes), crs=crs)
        frame.to_file(path, engine="pyogrio")
        table = tmp_path / "splits.csv"
        if splits:
            table.write_text(splits, encoding="utf-8")
        places = tmp_path / "regions.gpkg"
        if regions:
            shapes = (
                gpd.GeoSeries(regions, crs=CRS).rename_axis("region").reset_index(name="geometry")
            )
            gpd.GeoDataFrame(shapes, crs=CRS).to_file(places, engine="pyogrio")
        classes = tmp_path / "classes.csv"
        classes.write_text("code,name\n11,Crop\n51,Water\n", encoding="utf-8")
        return SplitPlan(
            reference=Reference(
                path=str(path), field="code", splits=str(table) if splits else None
            ),
            sampling=Sampling(**sampling),
            regions=Regions(path=str(places)) if regions else None,
            nomenclature=read_nomenclature(str(classes)),
            grids=grids,
            used_regions=sorted(regions or ["1"]),
        )

    return make


def test_polygons_off_the_tiles_are_left_out_and_keep_the_numbers_of_the_others(plan):
    shapes = [box(900, 0, 910, 10), PIXELS[0], box(-30, 0, 0.5, 10), PIXELS[15]]
    polygons = split_of(plan(shapes, [11] * 4)).polygons
    assert polygons["polygon"].tolist() == [2, 3, 4]
    assert polygons["has_pixel"].tolist() == [True, False, True]  # the third has half a metre there
    assert polygons.set_index("polygon")["seed_0"][3] == "unused"
    assert sorted(polygons["seed_0"]) == ["learn", "unused", "validation"]


def test_a_written_split_holds_fields_of_ours_alone(plan, tmp_path):
    given = plan(PIXELS[:2], [11, 51], runs=2, owner=["x", "y"], region=["a", "b"])
    write_splits(given, str(tmp_path / "polygons.gpkg"))
    written = gpd.read_file(tmp_path / "polygons.gpkg")
    assert list(written) == [
        "polygon",
        "code",
        "region",
        "has_pixel",
        "seed_0",
        "seed_1",
        "geometry",
    ]
    assert written["region"].tolist() == ["1", "1"]
    assert written["has_pixel"].dtype == bool


SAME = {
    "reversed": box(0, 0, 10, 10).reverse(),
    "from another corner": shapely.Polygon([(10, 10), (0, 10), (0, 0), (10, 0)]),
    "as a part of one": MultiPolygon([box(0, 0, 10, 10)]),
}


@pytest.mark.parametrize("again", SAME.values(), ids=SAME)
def test_a_shape_is_known_again_whatever_its_corners_start_from(again):
    shapes = [box(0, 0, 10, 10), box(10, 0, 20, 10), again]
    polygons = gpd.GeoDataFrame({"polygon": [4, 6, 7]}, geometry=shapes, index=[3, 5, 6])
    assert first_of_its_shape(polygons).to_dict() == {3: 4, 5: 6, 6: 4}


@pytest.mark.parametrize("again", SAME.values(), ids=SAME)
def test_a_repeated_polygon_counts_once(plan, again):
    split = split_of(plan([PIXELS[0], PIXELS[1], again], [11, 11, 11]))
    assert split.polygons["polygon"].tolist() == [1, 2]
    assert sorted(split.polygons["seed_0"]) == ["learn", "validation"]
    (remark,) = split.remarks
    assert "class 11: 1 polygon(s) repeat an earlier one and count once (3 is 1)" in remark


def test_a_class_of_one_polygon_drawn_twice_is_learnt_from_it(plan):
    polygons = split_of(plan([PIXELS[0], PIXELS[0]], [11, 11])).polygons
    assert polygons["seed_0"].tolist() == ["learn"]
    assert polygons["has_pixel"].tolist() == [True]


def test_the_same_shape_with_two_classes_is_refused_with_numbers_and_classes(plan):
    shapes = [PIXELS[0], PIXELS[1], PIXELS[1].reverse(), PIXELS[0]]
    with pytest.raises(InputDataError) as caught:
        split_of(plan(shapes, [11, 51, 11, 51]))
    message = str(caught.value)
    assert "reference.gpkg has 2 problems" in message
    assert "polygons 2 and 3 (counted from 1, in the order of the file) are the same" in message
    assert "polygons 1 and 4" in message
    assert "with class 11 and class 51; keep one of them" in message


def test_other_shapes_of_the_same_bounds_are_no_repetition(plan):
    corner = shapely.Polygon([(0, 0), (0, 10), (10, 10), (10, 0), (8, 0), (8, 1), (7, 1), (7, 0)])
    split = split_of(plan([PIXELS[0], corner, PIXELS[1]], [11, 11, 51]))
    assert split.polygons["polygon"].tolist() == [1, 2, 3]


def test_a_polygon_under_a_later_one_is_drawn_into_no_set(plan):
    # 1 is 3 but for a millimetre: all its pixels belong to 3.
    shapes = [box(0, 0, 9.999, 10), PIXELS[1], PIXELS[0]]
    split = split_of(plan(shapes, [11, 11, 11]))
    sets = split.polygons.set_index("polygon")["seed_0"]
    assert sets[1] == "unused"
    assert sorted(sets[[2, 3]]) == ["learn", "validation"]
    overlap, unused = split.remarks
    assert "class 11: 1 pair(s) of polygons hold the same pixels" in overlap
    assert "(1 and 3)" in overlap
    assert unused == (
        "class 11 (Crop): 1 of 3 polygons hold no pixel centre of their own on the tiles and are not used"
    )


def test_discs_between_pixel_centres_are_told_by_class_and_not_drawn(plan):
    discs = [shapely.Point(10 * step + 10, 40).buffer(1.5) for step in range(9)]
    split = split_of(plan([*discs, PIXELS[0], PIXELS[1], PIXELS[2]], [51] * 10 + [11] * 2))
    assert split.remarks == [
        "class 51 (Water): 9 of 10 polygons hold no pixel centre of their own on the tiles and are not used"
    ]
    sets = split.polygons["seed_0"].tolist()
    assert sets[:10] == ["unused"] * 9 + ["learn"]
    assert sorted(sets[10:]) == ["learn", "validation"]


def test_no_class_is_named_where_all_polygons_hold_pixels(plan):
    given = plan(PIXELS[:2], [11, 51])
    assert polygons_without_pixels(split_of(given).polygons, given.nomenclature) == []


@pytest.fixture(params=[1, 3, 512], ids=lambda side: f"blocks of {side}")
def blocks(request, monkeypatch):
    monkeypatch.setattr(coverage, "SIDE", request.param)


@pytest.mark.parametrize(
    ("shapes", "held"),
    [
        ([box(4, 4, 6, 6), box(6, 6, 14, 14)], [True, False]),  # around a centre, between centres
        ([box(0, 0, 10, 10), box(4, 4, 6, 6)], [False, True]),  # the later one has the centre
        ([box(4, 4, 6, 6), box(0, 0, 10, 10)], [False, True]),
        ([box(0, 0, 20, 10), box(0, 0, 10, 10)], [True, True]),  # half of it is left
        ([box(-40, 0, -20, 10), box(-30, 0, 6, 10)], [False, True]),  # off the tiles, and halfway
        # Two parts far apart, with a middle between them; a frame whose middle is a hole.
        ([MultiPolygon([box(0, 0, 6, 6), box(150, 70, 160, 80)])], [True]),
        ([box(0, 0, 80, 80).difference(box(1, 1, 79, 79))], [False]),
        ([box(0, 0, 80, 80).difference(box(6, 1, 79, 79))], [True]),
        # A narrow strip over the middle row, over the last row and column, and between rows.
        ([box(0, 44, 160, 46)], [True]),
        ([box(154, 0, 156, 80), box(0, 4, 153, 6)], [True, True]),
        ([box(0, 39, 160, 41)], [False]),
    ],
)
@pytest.mark.usefixtures("blocks")
def test_a_polygon_holds_a_pixel_if_a_centre_is_its_own(shapes, held):
    assert hold_pixels(np.array(shapes, dtype=object), [WEST, EAST]).tolist() == held


@pytest.mark.usefixtures("blocks")
def test_between_tiles_there_is_no_pixel():
    apart = Grid(CRS, 120, 80, 10, 8, 8)
    shapes = np.array([box(80, 0, 126, 80), box(74, 0, 120, 80), box(80, 0, 120, 80)], dtype=object)
    assert hold_pixels(shapes, [WEST, apart]).tolist() == [True, True, False]


@pytest.mark.usefixtures("blocks")
def test_polygons_that_hold_a_pixel_are_those_seen_when_all_are_burnt():
    random = np.random.default_rng(3)
    centres, sizes = random.uniform(-5, 165, (60, 2)), random.uniform(0.5, 12, 60)
    shapes = np.array(
        [
            shapely.Point(x, y / 2).buffer(size, 3)
            for (x, y), size in zip(centres, sizes, strict=True)
        ]
    )
    everywhere = union([WEST, EAST])
    burnt = Burner(shapes, np.arange(1, 61), everywhere).burn(everywhere.window)
    held = hold_pixels(shapes, [WEST, EAST])
    assert (np.flatnonzero(held) + 1).tolist() == np.unique(burnt[burnt > 0]).tolist()
    assert 10 < held.sum() < 50


NORTH_SOUTH = {"north": box(0, 40, 160, 80), "south": box(0, 0, 160, 40)}


def test_a_region_without_a_polygon_to_learn_from_is_refused(plan):
    with pytest.raises(
        InputDataError, match=r"region north, seed 1: no polygon to learn from \(0 in"
    ):
        split_of(plan(PIXELS[:2], [11, 11], regions=NORTH_SOUTH, runs=2))


def test_a_region_whose_polygons_hold_no_pixel_is_refused(plan):
    tiny = box(8, 58, 12, 62)
    with pytest.raises(
        InputDataError, match=r"region north, seed 0: no polygon to learn from \(1 in"
    ):
        split_of(plan([PIXELS[0], tiny], [11, 11], regions=NORTH_SOUTH))


def test_a_table_in_which_only_a_polygon_without_pixels_learns_is_refused(plan):
    table = "id,seed,set\na,0,learn\nb,0,validation\n"
    shapes = [box(8, 58, 12, 62), PIXELS[0]]
    with pytest.raises(InputDataError, match="region 1, seed 0: no polygon to learn from"):
        split_of(plan(shapes, [11, 11], id=["a", "b"], splits=table))


def test_polygons_in_no_region_are_told(plan):
    split = split_of(plan(PIXELS[:2], [11, 11], regions={"east": box(10, 0, 160, 80)}))
    assert split.polygons["region"].tolist() == ["", "east"]
    assert split.remarks == ["1 polygon(s) lie in no region and are not used"]


# Splits of the user's own.


def splits_table(tmp_path, text):
    path = tmp_path / "splits.csv"
    path.write_text(text, encoding="utf-8")
    return read_splits_table(str(path))


IDENTIFIERS = pd.Series(["a", "b", "c"], index=[10, 20, 30])


def test_given_sets_are_taken_under_their_usual_names(tmp_path):
    table = splits_table(tmp_path, "id,seed,set\na,0,Train\nb,0,valid\na,1,val\nb,1, learn\n")
    table.check(set(IDENTIFIERS), 2)
    sets = table.sets(IDENTIFIERS)
    assert sets.loc[10].tolist() == ["learn", "validation"]
    assert sets.loc[20].tolist() == ["validation", "learn"]
    assert sets.loc[30].tolist() == ["unused", "unused"]


@pytest.mark.parametrize("key", ["seed", "set", "identifier", "polygon", "Seed"])
def test_the_first_column_may_bear_any_name(tmp_path, key):
    table = splits_table(tmp_path, f"{key},Set,area,seed\na,learn,3.5,0\nb,val,1,0\n")
    table.check(set(IDENTIFIERS), 1)
    assert table.identifier == key
    assert table.sets(IDENTIFIERS)[0].tolist() == ["learn", "validation", "unused"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("z,0,learn", "id z: no such reference polygon"),
        ("a,1,learn", r"seeds \[1\] found, sampling\.runs asks for \[0\]"),
        ("a,0,learn\na,1,learn", r"seeds \[0, 1\] found"),
        ("a,first,learn", "seed 'first': seeds are whole numbers"),
        ("a,0,test", "set 'test'"),
        ("a,0", "set ''"),
        ("a,0,learn\na,0,valid", "stands twice"),
    ],
)
def test_given_sets_at_fault_are_refused(tmp_path, rows, message):
    table = splits_table(tmp_path, f"id,seed,set\n{rows}\n")
    with pytest.raises(InputDataError, match=message):
        table.check(set(IDENTIFIERS), 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,seed\na,0\n", "column 'set' is missing"),
        ("id;seed;set\na;0;learn\n", "column 'seed' is missing"),
        ("seed,set\na,0\n", "column 'seed' is missing"),
        ("id,seed,set\na,0,learn,more,yet\n", "cannot be read as a table"),
        ("", "cannot be read as a table"),
    ],
)
def test_a_table_without_its_columns_is_refused(tmp_path, text, message):
    with pytest.raises(InputDataError, match=message):
        splits_table(tmp_path, text)


def test_a_table_of_another_encoding_is_refused_and_one_of_a_spreadsheet_read(tmp_path):
    path = tmp_path / "splits.csv"
    path.write_bytes("id,seed,set\né,0,learn\n".encode("latin-1"))
    with pytest.raises(InputDataError, match="cannot be read as a table in UTF-8"):
        read_splits_table(str(path))
    path.write_bytes("id,seed,set\r\né,0,learn\r\n".encode("utf-8-sig"))
    table = read_splits_table(str(path))
    assert table.identifier == "id"
    assert table.rows["identifier"].tolist() == ["é"]


def test_every_polygon_is_in_the_set_of_the_table_whatever_its_field_is_called(plan):
    table = "polygon,seed,set\n4,0,learn\n3,0,validation\n2,0,learn\n1,0,validation\n"
    polygons = split_of(plan(PIXELS[:4], [11] * 4, polygon=[4, 3, 2, 1], splits=table)).polygons
    assert polygons["seed_0"].tolist() == ["learn", "validation", "learn", "validation"]


def test_a_table_may_name_polygons_off_the_tiles(plan):
    table = "id,seed,set\na,0,learn\nb,0,validation\n"
    given = plan([PIXELS[0], box(900, 0, 910, 10)], [11, 11], id=["a", "b"], splits=table)
    assert split_of(given).polygons["seed_0"].tolist() == ["learn"]


def test_what_the_table_says_of_a_repeated_polygon_holds_for_it(plan):
    table = "id,seed,set\nb,0,learn\n"
    given = plan([PIXELS[0], PIXELS[0], PIXELS[1]], [11] * 3, id=["a", "b", "c"], splits=table)
    polygons = split_of(given).polygons
    assert dict(zip(polygons["polygon"], polygons["seed_0"], strict=True)) == {
        1: "learn",
        3: "unused",
    }


def test_a_repeated_polygon_in_two_sets_is_refused(plan):
    table = "id,seed,set\na,0,learn\nb,0,validation\n"
    with pytest.raises(InputDataError, match="seed 0: id a, b are the same polygon, in two sets"):
        split_of(plan([PIXELS[0], PIXELS[0]], [11, 11], id=["a", "b"], splits=table))


# The check before the first job.

FAR = [box(9000, 0, 9010, 10)]
FAULTS = {
    "off the tiles": {"shapes": FAR, "codes": [11]},
    "no such class": {"shapes": PIXELS[:1], "codes": [12]},
    "other seeds": {
        "shapes": PIXELS[:1], "codes": [11], "id": ["a"],
        "splits": "id,seed,set\na,0,learn\na,1,learn\n",
    },
    "stranger in the table": {
        "shapes": PIXELS[:1], "codes": [11], "id": ["a"], "splits": "id,seed,set\nz,0,learn\n",
    },
    "field of the table": {"shapes": PIXELS[:1], "codes": [11], "splits": "id,seed,set\nz,0,learn\n"},
}  # fmt: skip
FAULTS_OF_SHAPES = {
    "region": {"shapes": PIXELS[:2], "codes": [11, 11], "regions": NORTH_SOUTH},
    "two classes": {"shapes": [PIXELS[0]] * 2, "codes": [11, 51]},
    "all tiny": {"shapes": [box(8, 8, 12, 12)], "codes": [11]},
}


def refusal(given, folder: Path) -> str:
    with pytest.raises(InputDataError) as caught:
        write_splits(given, str(folder / "out.gpkg"))
    assert not (folder / "out.gpkg").exists()
    return str(caught.value)


@pytest.mark.parametrize(
    "fault", [*FAULTS.values(), *FAULTS_OF_SHAPES.values()], ids=[*FAULTS, *FAULTS_OF_SHAPES]
)
def test_the_check_finds_what_the_job_refuses(plan, tmp_path, fault):
    given = plan(**fault)
    assert inspect_reference(given).problems == (refusal(given, tmp_path),)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_of_many_polygons_the_fields_and_the_place_are_looked_at(
    plan, tmp_path, monkeypatch, fault
):
    monkeypatch.setattr(inspection, "CHECKED_WHOLE", 0)
    given = plan(**fault)
    assert inspect_reference(given).problems == (refusal(given, tmp_path),)


@pytest.mark.parametrize("whole", [0, 100])
def test_nothing_is_found_wrong_with_good_polygons(plan, monkeypatch, whole):
    monkeypatch.setattr(inspection, "CHECKED_WHOLE", whole)
    table = "id,seed,set\na,0,learn\nb,0,validation\n"
    table += "c,0,learn\n"
    given = plan(PIXELS[:3], [11, 51, 51], id=["a", "b", "c"], splits=table, crs=CRS)
    classes = frozenset({11, 51}) if whole else frozenset()
    assert inspect_reference(given) == inspection.Findings(classes=classes)


def test_what_stops_nothing_is_remarked_by_the_check(plan):
    given = plan([PIXELS[0], PIXELS[1], PIXELS[0]], [11, 11, 11])
    assert "(3 is 1)" in inspect_reference(given).remarks[0]


def test_where_the_tiles_are_not_known_the_fields_are_looked_at(plan):
    given = plan(PIXELS[:1], [12], grids=())
    assert "field 'code' holds '12'" in inspect_reference(given).problems[0]
    assert inspect_reference(plan(FAR, [11], grids=())) == inspection.Findings()


@pytest.mark.parametrize("whole", [0, 100])
@pytest.mark.parametrize(
    ("shapes", "crs", "message"),
    [
        ([shapely.Point(5, 5)], CRS, "holds Point, polygons are needed"),
        (PIXELS[:1], None, "has no coordinate reference system"),
    ],
)
def test_layers_of_another_kind_are_found_by_their_header(
    plan, monkeypatch, whole, shapes, crs, message
):
    monkeypatch.setattr(inspection, "CHECKED_WHOLE", whole)
    (problem,) = inspect_reference(plan(shapes, [11], crs=crs)).problems
    assert message in problem


def test_a_reference_without_features_is_told(plan):
    given = plan(PIXELS[:1], [11])
    empty = gpd.read_file(given.reference.path).iloc[:0]
    os.remove(given.reference.path)
    empty.to_file(given.reference.path)
    assert inspect_reference(given).problems == (f"{given.reference.path}: holds no polygon",)


# What keeps learning and validation apart.


def sets_of(split, seed=0):
    return dict(zip(split.polygons["polygon"], split.polygons[f"seed_{seed}"], strict=True))


def test_a_parcel_cut_in_two_stays_together_if_asked(plan):
    shapes = [box(0, 0, 20, 10), box(20, 0, 40, 10), box(100, 0, 110, 10)]
    split = split_of(plan(shapes, [11] * 3, runs=20))
    apart = {sets_of(split, seed)[1] for seed in range(20)}
    assert apart == {"learn", "validation"}
    split = split_of(plan(shapes, [11] * 3, split_by="touching", runs=20))
    for seed in range(20):
        sets = sets_of(split, seed)
        assert sets[1] == sets[2] != sets[3]


def test_touching_pieces_are_drawn_where_the_largest_lies(plan):
    # The larger piece is in the west; its neighbour in the east goes with it.
    shapes = [box(60, 0, 80, 10), box(80, 0, 90, 10), box(0, 0, 10, 10), box(150, 0, 160, 10)]
    halves = {"west": box(0, 0, 80, 80), "east": box(80, 0, 160, 80)}
    given = plan(shapes, [11] * 4, split_by="touching", regions=halves, runs=10)
    split = split_of(given)
    assert split.polygons["region"].tolist() == ["west", "east", "west", "east"]
    for seed in range(10):
        sets = sets_of(split, seed)
        assert sets[1] == sets[2] != sets[3]
        assert sets[4] == "learn"  # the only one drawn in the east


def test_all_polygons_of_a_farm_are_on_one_side(plan):
    farms = ["a", "a", "b", "b", None]
    given = plan(PIXELS[:10:2], [11, 51, 11, 51, 11], farm=farms, split_by="farm", runs=10)
    split = split_of(given)
    for seed in range(10):
        sets = sets_of(split, seed)
        assert sets[1] == sets[2] != sets[3] == sets[4]


def test_blocks_of_ground_are_on_one_side(plan):
    given = plan(PIXELS[:8], [11, 51] * 4, split_by="block", block=40, runs=10)
    split = split_of(given)
    for seed in range(10):
        sets = sets_of(split, seed)
        assert {sets[n] for n in (1, 2, 3, 4)} | {sets[n] for n in (5, 6, 7, 8)} == {
            "learn",
            "validation",
        }
        assert len({sets[n] for n in (1, 2, 3, 4)}) == 1


def test_a_class_drawn_as_one_is_told(plan):
    split = split_of(plan([PIXELS[0], PIXELS[1], PIXELS[9]], [11, 11, 51], split_by="touching"))
    assert split.remarks == [
        "class 11 (Crop): its 2 polygons in region 1 are drawn as one (sampling.split_by: touching): learn"
    ]


def test_a_field_that_is_not_there_is_refused_with_those_that_are(plan):
    with pytest.raises(InputDataError, match="no field 'farmer', found code, farm"):
        split_of(plan(PIXELS[:1], [11], farm=["a"], split_by="farmer"))


def test_a_buffer_takes_out_what_learns_beside_what_validates(plan):
    # Ten pixels in a row, 0 m apart; no two neighbours on two sides with a buffer of 5 m.
    split = split_of(plan(PIXELS[:10], [11] * 10, buffer=5, runs=5, ratio=0.8))
    for seed in range(5):
        sets = sets_of(split, seed)
        validating = {n for n, word in sets.items() if word == "validation"}
        assert len(validating) == 2
        assert {n for n, word in sets.items() if word == "unused"} == {
            m for n in validating for m in (n - 1, n + 1) if 1 <= m <= 10
        } - validating
    assert "seed 0: " in split.remarks[0]
    assert "of 8 learning polygons lie nearer than 5 m to one that validates" in split.remarks[0]


def test_a_buffer_that_leaves_nothing_to_learn_is_refused(plan):
    with pytest.raises(
        InputDataError, match=r"no polygon to learn from.*or lower sampling\.buffer"
    ):
        split_of(plan(PIXELS[:4], [11] * 4, buffer=500))


def test_a_class_that_a_buffer_takes_away_is_named(plan):
    shapes = [PIXELS[0], PIXELS[1], PIXELS[2], PIXELS[8], PIXELS[15]]
    split = split_of(plan(shapes, [51, 11, 11, 51, 51], buffer=45, ratio=0.4))
    told = [remark for remark in split.remarks if "nearer than" in remark]
    left = split.polygons[split.polygons["seed_0"] == "learn"]["code"]
    assert ("nobody learns" in told[0]) == (set(left) != {11, 51})


def test_polygons_of_two_classes_over_one_pixel_are_refused_with_both(plan):
    shapes = [PIXELS[0], box(4, 0, 20, 10), PIXELS[5]]
    with pytest.raises(InputDataError) as caught:
        split_of(plan(shapes, [11, 51, 11]))
    assert "polygons 1 (class 11) and 2 (class 51)" in str(caught.value)
    assert "cut one of them, or take it out" in str(caught.value)
