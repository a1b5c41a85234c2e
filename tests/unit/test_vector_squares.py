"""Polygons and sums of a map made in squares: the same whatever the squares."""

from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from vector_maps import random_map

from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.geo.grid import Grid, Window
from iota2_tools.geo.raster import create_raster
from iota2_tools.geo.squares import bundles, squares_of, with_margin
from iota2_tools.vectors import shaping
from iota2_tools.vectors.attributes import Naming
from iota2_tools.vectors.delivery import Coverage
from iota2_tools.vectors.joining import join_squares
from iota2_tools.vectors.measuring import Quantity, Sources, measure_border, measure_squares
from iota2_tools.vectors.shaping import shape_border, shape_squares
from iota2_tools.vectors.simplification import Shape
from iota2_tools.vectors.tracing import trace_square, trace_squares

CLASSES = Nomenclature(
    tuple(LandCoverClass(code, f"Class {code}", (40 * code, 0, 0)) for code in range(1, 5))
)


@dataclass
class Files:
    """A map and its intermediate products in a folder."""

    folder: object
    codes: np.ndarray
    left: float = 500_000.0

    @property
    def grid(self) -> Grid:
        return Grid("EPSG:32631", self.left, 4_800_000.0, 10.0, *self.codes.shape)

    def raster(self, name, values, nodata=0, grid=None) -> str:
        path = str(self.folder / f"{name}.tif")
        with create_raster(path, grid or self.grid, str(values.dtype), nodata=nodata) as raster:
            raster.write(values, (grid or self.grid).window)
        return path

    def file(self, kind, name, end="npz") -> str:
        return str(self.folder / f"{kind}_{name}.{end}")

    def place(self, kind, bundle) -> str:
        return str(self.folder / kind / bundle)

    def files(self, kind, dealt, end="npz") -> dict[str, str]:
        return {
            name: f"{self.place(kind, bundle)}/{name}.{end}"
            for bundle, names in dealt.items()
            for name in names
        }

    def coverage(self, side, shape, sources=None, left_out=(), **naming) -> Coverage:
        """Every job, on squares of a side, dealt to three bundles; some squares may be left out."""
        classes = self.raster("map", self.codes)
        sources = sources or Sources(classes, [])
        squares = squares_of(self.grid, side)
        squares = {name: item for name, item in squares.items() if name not in left_out}
        dealt = bundles(squares, 3)
        for bundle, names in dealt.items():
            some = {name: squares[name] for name in names}
            trace_squares(classes, some, self.place("trace", bundle))
        joined = self.file("joined", "all")
        join_squares(
            self.files("trace", dealt),
            squares,
            {self.place("joined", bundle): names for bundle, names in dealt.items()},
            joined,
        )
        for bundle, names in dealt.items():
            some = {name: squares[name] for name in names}
            shape_squares(
                classes, some, self.place("trace", bundle), self.place("joined", bundle), shape,
                self.place("polygons", bundle), self.place("arcs", bundle),
            )  # fmt: skip
            measure_squares(classes, some, sources, self.place("measures", bundle))
        border = self.file("polygons", "border", "parquet")
        shape_border(classes, squares, self.files("arcs", dealt), joined, border)
        sums = self.file("measures", "border", "parquet")
        measure_border(self.files("measures", dealt, "parquet"), squares, joined, sums)
        return Coverage(
            self.files("polygons", dealt, "parquet") | {"border": border},
            self.files("measures", dealt, "parquet") | {"border": sums},
            squares,
            self.grid,
            Naming(CLASSES, **naming),
        )


def lines(coverage) -> dict:
    """Every polygon with all its columns, by number."""
    found = {}
    for table in coverage.parts():
        frame = coverage.described(table, shapely.from_wkb(table["geometry"].to_numpy()))
        for line in frame.to_dict("records"):
            line["geometry"] = line["geometry"].wkb
            assert line["id"] not in found
            found[line["id"]] = line
    return dict(sorted(found.items()))


@pytest.mark.parametrize(
    ("shape", "frame", "sides"),
    [
        (Shape(tolerance=2.0, area_limit=0.25), 7, [9]),  # boundaries run along every third row
        pytest.param(Shape("douglas_peucker", 2.0, 1e9), 2048, [4, 11, 16], marks=pytest.mark.slow),
        pytest.param(
            Shape(tolerance=2.0, area_limit=0.5, smoothing="chaikin"), 5, [4, 16],
            marks=pytest.mark.slow,
        ),
        pytest.param(
            Shape(tolerance=2.0, area_limit=0.5, smoothing="hermite"), 5, [11],
            marks=pytest.mark.slow,
        ),
    ],
)  # fmt: skip
def test_polygons_and_attributes_do_not_depend_on_the_squares(
    tmp_path, monkeypatch, shape, frame, sides
):
    files = Files(tmp_path, random_map(2))
    random = np.random.default_rng(5)
    confidence = files.raster("confidence", random.integers(0, 101, files.codes.shape, np.uint8))
    raw = files.raster(
        "raw", np.where(random.random(files.codes.shape) < 0.3, 1, files.codes).astype(np.uint8)
    )
    sources = Sources(raw, [Quantity("confidence", confidence)])
    whole = lines(files.coverage(64, shape, sources))
    assert len(whole) > 50
    monkeypatch.setattr(shaping, "FRAME", frame)
    monkeypatch.setattr(shaping, "BATCH", 7)
    for side in sides:
        # As text, where no value is the same as no value.
        assert str(lines(files.coverage(side, shape, sources))) == str(whole)


def test_the_number_of_a_polygon_is_that_of_its_first_pixel(tmp_path):
    codes = np.array([[0, 1, 1, 2], [3, 1, 3, 2], [3, 3, 3, 2]], np.uint8)
    found = lines(Files(tmp_path, codes).coverage(2, Shape(tolerance=0.0)))
    assert {number: (line["code"], line["pixels"]) for number, line in found.items()} == {
        2: (1, 3), 4: (2, 3), 5: (3, 5),
    }  # fmt: skip


@pytest.mark.slow
def test_two_arcs_between_the_same_nodes_do_not_fall_on_one_line(tmp_path):
    codes = np.ones((12, 12), np.uint8)
    codes[2:10, 2:10] = np.where(np.add.outer(np.arange(8), np.arange(8)) < 8, 2, 3)
    found = lines(Files(tmp_path, codes).coverage(5, Shape(tolerance=50.0, area_limit=1e9)))
    shapes = shapely.from_wkb([line["geometry"] for line in found.values()])
    assert (shapely.area(shapes) > 0).all()
    assert shapely.coverage_is_valid(shapes)


def test_an_arc_may_change_what_the_whole_component_allows_not_its_first_part(tmp_path):
    """One pixel of component 113 lies in the first square, 128 below: the arc begins beside the one."""
    codes = np.ones((16, 16), np.uint8)
    codes[:8, :8], codes[:8, 8:], codes[7, 0] = 3, 4, 1
    files = Files(tmp_path, codes)
    whole, squares = (
        lines(files.coverage(side, Shape(tolerance=1.0, area_limit=0.15))) for side in (64, 8)
    )
    # The corner of the lone pixel is cut off, half of it.
    assert whole[113]["area"] == squares[113]["area"] == 100 * 128.5
    assert squares == whole


def test_sums_along_borders_are_written_once_and_row_by_row(tmp_path):
    """Class 3 leads through all rows of squares, 1 and 2 each through two."""
    codes = np.full((8, 6), 3, np.uint8)
    codes[1:3, 1], codes[5:7, 1] = 1, 2
    files = Files(tmp_path, codes)
    files.coverage(2, Shape())
    file = pq.ParquetFile(files.file("measures", "border", "parquet"))
    groups = [file.read_row_group(row).to_pydict() for row in range(4)]
    assert [group["part"] for group in groups] == [[], [8], [], [1, 32]]
    assert [group["pixels"] for group in groups] == [[], [2], [], [44, 2]]


def test_a_square_without_pixels_has_no_polygon(tmp_path):
    codes = np.zeros((6, 6), np.uint8)
    codes[4:, 4:] = 1
    files = Files(tmp_path, codes)
    found = lines(files.coverage(3, Shape()))
    assert [line["pixels"] for line in found.values()] == [4]
    assert pq.read_table(files.place("polygons", "r0c0") + "/r0c0.parquet").num_rows == 0


def test_squares_of_the_sea_may_be_left_out(tmp_path):
    """Two islands, and a row of squares of sea between them."""
    codes = np.zeros((24, 24), np.uint8)
    codes[:7, :8], codes[17:, 13:] = random_map(2)[:7, :8], random_map(2)[:7, :11]
    files = Files(tmp_path, codes)
    empty = [
        name
        for name, square in squares_of(files.grid, 4).items()
        if not codes[max(4 * square.row - 1, 0) :, max(4 * square.col - 1, 0) :][:5, :5].any()
    ]
    assert {f"r3c{col}" for col in range(6)} < set(empty)
    whole = lines(files.coverage(64, Shape(tolerance=1.0, area_limit=0.5)))
    assert len(whole) > 20
    parts = files.coverage(4, Shape(tolerance=1.0, area_limit=0.5), left_out=empty)
    assert not set(empty) & set(parts.squares)
    assert str(lines(parts)) == str(whole)


@pytest.mark.slow
def test_arcs_with_a_rectangle_too_large_stay_as_they_are(tmp_path, monkeypatch):
    codes = np.array([[1, 1, 2, 2], [1, 1, 1, 2], [1, 1, 1, 1], [1, 1, 1, 1]], np.uint8)
    free = Shape(tolerance=9.0, area_limit=1.0)
    files = Files(tmp_path, codes)
    sides, shortened = (lines(files.coverage(3, shape)) for shape in (Shape(tolerance=0.0), free))
    monkeypatch.setattr(shaping, "LARGEST", 1)
    assert lines(files.coverage(3, free)) == sides
    assert shortened[3]["geometry"] != sides[3]["geometry"]


def test_classes_of_more_than_a_byte(tmp_path):
    codes = np.array([[300, 300], [300, 4]], np.uint16)
    found = lines(Files(tmp_path, codes).coverage(1, Shape()))
    assert [(line["code"], line["name"]) for line in found.values()] == [
        (300, "300"),
        (4, "Class 4"),
    ]


def test_a_map_of_other_pixels_is_refused(tmp_path):
    files = Files(tmp_path, np.ones((2, 2), np.float32))
    path = files.raster("map", files.codes)
    with pytest.raises(InputDataError, match="pixels are float32, classes are uint8 or uint16"):
        trace_square(path, squares_of(files.grid)["r0c0"], str(tmp_path / "trace.npz"))


def test_squares_cover_the_map_and_know_the_last_row_and_column():
    squares = squares_of(Grid("EPSG:32631", 0, 0, 10, 5, 7), 4)
    assert {name: tuple(square.window) for name, square in squares.items()} == {
        "r0c0": (0, 0, 4, 4), "r0c1": (0, 4, 4, 3), "r1c0": (4, 0, 1, 4), "r1c1": (4, 4, 1, 3),
    }  # fmt: skip
    assert [(square.last_row, square.last_col) for square in squares.values()] == [
        (False, False), (False, True), (True, False), (True, True),
    ]  # fmt: skip


def test_the_margin_of_a_window_holds_its_neighbours_and_0_beyond_the_map(tmp_path):
    files = Files(tmp_path, np.arange(1, 13, dtype=np.uint8).reshape(3, 4))
    path = files.raster("map", files.codes)
    assert with_margin(path, Window(0, 2, 2, 2)).tolist() == [
        [0, 0, 0, 0], [2, 3, 4, 0], [6, 7, 8, 0], [10, 11, 12, 0],
    ]  # fmt: skip


@pytest.mark.slow
def test_squares_are_opened_one_by_one(tmp_path, monkeypatch):
    """A country has more squares than a process may open files."""
    opened, most, load = set(), 0, np.load

    def counted(path):
        nonlocal most
        found = load(path)
        close = found.close
        found.close = lambda: (opened.discard(path), close())
        opened.add(path)
        most = max(most, len(opened))
        return found

    files = Files(tmp_path, random_map(1))
    files.coverage(9, Shape())
    monkeypatch.setattr(np, "load", counted)
    squares = squares_of(files.grid, 9)
    dealt = bundles(squares, 3)
    folders = {files.place("joined", bundle): names for bundle, names in dealt.items()}
    join_squares(files.files("trace", dealt), squares, folders, files.file("joined", "all"))
    assert most == 1
