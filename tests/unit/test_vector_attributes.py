"""Attributes of polygons: the values of small zones by hand."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from test_vector_squares import CLASSES, Files, lines

from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.squares import squares_of
from iota2_tools.vectors import measuring
from iota2_tools.vectors.attributes import Naming, attributes, unique_name
from iota2_tools.vectors.measuring import Quantity, Sources, add_up, measure_square, read_sums
from iota2_tools.vectors.simplification import Shape

SIDES = Shape(tolerance=0.0)


def byte(*rows):
    return np.array(rows, np.uint8)


@pytest.fixture
def zone(tmp_path):
    """A polygon of four pixels, of the raw classes 1 1 1 2, beside one of class 3."""
    files = Files(tmp_path, byte([1, 1, 3], [1, 1, 3]))
    raw = files.raster("raw", byte([1, 1, 3], [1, 2, 3]))
    confidence = files.raster("confidence", byte([80, 60, 0], [70, 90, 0]))
    validity = files.raster("validity", byte([5, 7, 1], [6, 8, 3]), nodata=255)
    return files, Sources(raw, [Quantity("confidence", confidence), Quantity("validity", validity)])


@pytest.mark.parametrize("side", [1, 2, 4])
def test_shares_means_and_deviations_of_a_zone(zone, side):
    files, sources = zone
    line = lines(files.coverage(side, SIDES, sources))[1]
    assert (line["code"], line["name"], line["majority"], line["pixels"]) == (1, "Class 1", 1, 4)
    assert [line[f"share_{code}"] for code in (1, 2, 3, 4)] == [75, 25, 0, 0]
    assert line["confidence_mean"] == 75
    assert line["confidence_sd"] == pytest.approx(11.1803, abs=1e-4)
    assert line["confidence_majority_mean"] == 70
    assert line["confidence_majority_sd"] == pytest.approx(8.1650, abs=1e-4)
    assert line["validity_mean"] == 6.5
    assert line["validity_majority_mean"] == 6
    assert line["validity_majority_sd"] == pytest.approx(0.8165, abs=1e-4)
    assert (line["area"], line["perimeter"]) == (400, 80)


def test_without_a_value_there_is_no_mean(zone):
    files, sources = zone
    line = lines(files.coverage(4, SIDES, sources))[3]
    assert math.isnan(line["confidence_mean"])
    assert math.isnan(line["confidence_majority_sd"])
    assert line["validity_mean"] == 2


def test_strips_add_up(zone, monkeypatch):
    files, sources = zone
    whole = lines(files.coverage(4, SIDES, sources))
    monkeypatch.setattr(measuring, "STRIP_ROWS", 1)
    assert str(lines(files.coverage(4, SIDES, sources))) == str(whole)


def test_names_of_the_oso_product(zone):
    files, sources = zone
    line = lines_of(files.coverage(4, SIDES, sources, style="oso"))[0]
    assert list(line)[:6] == ["ID", "Classe", "Validmean", "Validstd", "Confidence", "Aire"]
    assert line["Validmean"] == 6
    assert line["Validstd"] == pytest.approx(0.8165, abs=1e-4)
    assert line["Confidence"] == 70
    assert line["Aire"] == 400
    assert [line[f"Class{code}"] for code in (1, 2, 3, 4)] == [75, 25, 0, 0]


def lines_of(coverage):
    table = next(coverage.parts())
    frame = coverage.described(table, shapely.from_wkb(table["geometry"].to_numpy()))
    return frame.to_dict("records")


def sums(*rows):
    part, code, pixels = zip(*rows, strict=True)
    return pa.table({"part": part, "code": code, "pixels": pixels})


@pytest.mark.parametrize(
    ("rows", "own", "expected"),
    [
        ([(1, 2, 3), (1, 3, 4)], 2, 3),
        ([(1, 2, 3), (1, 3, 3)], 3, 3),  # of equal ones its own class
        ([(1, 2, 3), (1, 3, 3)], 4, 2),  # then the smaller code
        ([(1, 0, 9), (1, 3, 1)], 4, 3),  # pixels without class do not count
        ([(1, 0, 9)], 4, 4),
    ],
)
def test_the_most_frequent_class(rows, own, expected):
    found = attributes(sums(*rows), np.array([1]), np.array([own]), Naming(CLASSES))
    assert found["majority"].tolist() == [expected]


def test_shares_are_those_of_the_pixels_that_have_a_class():
    found = attributes(sums((1, 0, 5), (1, 2, 5)), np.array([1]), np.array([2]), Naming(CLASSES))
    assert found["share_2"].tolist() == [100]


def test_lines_of_one_part_and_class_add_up():
    found = add_up(sums((2, 1, 3), (1, 1, 4), (2, 1, 5), (2, 2, 1)))
    assert found.to_pydict() == {"part": [1, 2, 2], "code": [1, 1, 2], "pixels": [4, 8, 1]}


def test_of_a_table_of_sums_the_lines_of_some_polygons_are_read(tmp_path):
    path = str(tmp_path / "measures.parquet")
    table = pa.table({"part": [3, 3, 7, 9, 2], "code": [1, 2, 1, 1, 4], "pixels": [5, 6, 7, 8, 9]})
    pq.write_table(table, path, row_group_size=2)
    assert read_sums(path, np.array([2, 3, 8]))["pixels"].to_pylist() == [5, 6, 9]
    assert read_sums(path, np.array([], np.int64)).column_names == ["part", "code", "pixels"]


def test_many_pairs_are_kept_apart():
    """More than the tables of open addresses begin with."""
    random = np.random.default_rng(0)
    ids = random.integers(-1, 3000, (200, 300)).astype(np.int32)
    codes = random.integers(0, 4, ids.shape).astype(np.uint8)
    values = random.integers(0, 9, (1, *ids.shape)).astype(float)
    values[0, ids % 7 == 0] = np.nan
    found = measuring._Sums(1)
    for rows in (slice(0, 90), slice(90, 200)):
        found.add(ids[rows], codes[rows], values[:, rows])
    assert found.count > 1 << 10
    inside = ids >= 0
    for place in random.integers(0, found.count, 50):
        part, code = found.pairs[place] >> 16, found.pairs[place] & 0xFFFF
        own = inside & (ids == part) & (codes == code)
        number = values[0][own]
        number = number[~np.isnan(number)]
        assert found.sums[place].tolist() == [
            own.sum(), len(number), number.sum(), (number**2).sum()
        ]  # fmt: skip
    assert found.sums[: found.count, 0].sum() == inside.sum()


def test_polygons_of_coarser_pixels_are_described_by_the_fine_ones(tmp_path):
    coarse = Files(tmp_path, byte([1, 2]))
    coarse_grid = Grid("EPSG:32631", 500_000.0, 4_800_000.0, 20.0, 1, 2)
    vectorised = coarse.raster("coarse", coarse.codes, grid=coarse_grid)
    fine_grid = Grid("EPSG:32631", 500_000.0, 4_800_000.0, 10.0, 2, 3)  # the last column is cut
    raw = coarse.raster("fine", byte([1, 1, 2], [1, 3, 2]), grid=fine_grid)
    output = str(tmp_path / "measures.parquet")
    measure_square(vectorised, squares_of(coarse_grid)["r0c0"], Sources(raw, []), output)
    table = measuring.pq.read_table(output)
    assert table.to_pydict() == {"part": [1, 1, 2], "code": [1, 3, 2], "pixels": [3, 1, 2]}


def test_a_map_of_another_place_or_resolution_is_refused(tmp_path):
    files = Files(tmp_path, byte([1, 2]))
    vectorised = files.raster("map", files.codes)
    square = squares_of(files.grid)["r0c0"]
    for left, resolution, words in (
        (500_010.0, 10.0, "another corner"),
        (500_000.0, 7.0, "no multiple"),
    ):
        other = Grid("EPSG:32631", left, 4_800_000.0, resolution, 1, 2)
        raw = files.raster("raw", files.codes, grid=other)
        with pytest.raises(InputDataError, match=words):
            measure_square(vectorised, square, Sources(raw, []), str(tmp_path / "m.parquet"))


def test_a_raster_on_another_grid_is_brought_to_that_of_the_map(tmp_path):
    files = Files(tmp_path, byte([1, 1, 2, 2], [1, 1, 2, 2]))
    other = Grid("EPSG:32631", 500_000.0, 4_800_000.0, 20.0, 1, 2)
    relief = files.raster("relief", np.array([[100.5, 300.0]], np.float32), nodata=None, grid=other)
    sources = Sources(files.raster("map", files.codes), [Quantity("relief", relief, False)])
    found = lines(files.coverage(4, SIDES, sources, quantities=("relief",)))
    assert [line["relief_mean"] for line in found.values()] == [100.5, 300]
    assert [line["relief_sd"] for line in found.values()] == [0, 0]


def test_names_of_classes_become_short_fields_each_once_whatever_the_case():
    names = ("Prairies permanentes", "prairies pelouses", "Blé d'hiver", "2 rangs", "Aire")
    classes = Nomenclature(
        tuple(LandCoverClass(code, name, (0, 0, 0)) for code, name in enumerate(names, 1))
    )
    fields = [field for field, _ in Naming(classes, "oso").legend]
    assert fields == ["PrairiesPe", "PrairiesP1", "BleDHiver", "C2Rangs", "Aire1"]
    assert unique_name("…", set()) == "C"
