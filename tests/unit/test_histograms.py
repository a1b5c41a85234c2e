"""Confidence and clear dates of right and wrong pixels, counted on 8 x 8 pixels."""

import numpy as np
import pytest
from tiny import write_image

from iota2_tools.assessing import histograms
from iota2_tools.assessing.histograms import (
    TileValues,
    added,
    by_group,
    read_counts,
    sum_of,
    write_counts,
    write_values,
)
from iota2_tools.core.errors import InputDataError
from iota2_tools.reporting.histograms import write_histograms


def test_values_are_counted_by_group():
    codes = np.array([[0, 1, 2], [2, 6, 2]], np.uint8)
    values = np.array([[9, 3, 3], [3, 0, 1]], np.uint16)
    assert by_group(codes, values).tolist() == [
        [0, 0, 0, 0, 0, 1],
        [0, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
        [1, 2, 0, 0, 0, 0],
    ]


def test_counts_of_fewer_values_are_added_to_those_of_more():
    one, two = np.ones((1, 6), np.int64), np.full((3, 6), 2)
    assert added([one, two])[:, 0].tolist() == [3, 2, 2]
    assert added([]).tolist() == [[0] * 6]


@pytest.fixture(params=[1, 3, 256])
def tile(tmp_path, request, monkeypatch):
    """Two regions side by side; a row of reference pixels, the first one wrong and not mapped."""
    monkeypatch.setattr(histograms, "STRIP_ROWS", request.param)
    difference = np.zeros((8, 8), np.uint8)
    difference[5] = [1, 2, 2, 2, 3, 4, 4, 0]
    west, east = np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.uint8)
    west[:, 1:4], east[:, 4:] = 70, 55
    validity = np.full((8, 8), 300, np.uint16)
    validity[5, 3] = 2
    return TileValues(
        write_image(tmp_path / "diff.tif", difference),
        [write_image(tmp_path / "west.tif", west), write_image(tmp_path / "east.tif", east)],
        write_image(tmp_path / "validity.tif", validity),
    )


def test_the_table_of_a_tile_holds_the_values_that_occur(tile, tmp_path):
    write_values(tile, str(tmp_path / "values.csv"))
    assert (tmp_path / "values.csv").read_text().splitlines() == [
        "quantity,value,validation_wrong,validation_right,learning_wrong,learning_right,both_wrong,both_right",
        "confidence,0,1,0,0,0,0,0",
        "confidence,55,0,0,1,2,0,0",
        "confidence,70,0,3,0,0,0,0",
        "clear_dates,2,0,1,0,0,0,0",
        "clear_dates,300,1,2,1,2,0,0",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("tile", [256], indirect=True)
def test_tables_of_tiles_are_added_and_drawn_the_same_again(tile, tmp_path):
    path = str(tmp_path / "values.csv")
    write_values(tile, path)
    total = sum_of([path, path])
    assert total["confidence"][70].tolist() == [0, 6, 0, 0, 0, 0]
    assert total["clear_dates"][300].tolist() == [2, 4, 2, 4, 0, 0]
    pictures = []
    for name in ("a", "b"):
        picture = tmp_path / f"{name}.png"
        write_histograms([path, path], str(tmp_path / "sum.csv"), str(picture), "Title")
        pictures.append(picture.read_bytes())
    assert pictures[0] == pictures[1]
    assert (read_counts(str(tmp_path / "sum.csv"))["confidence"] == total["confidence"]).all()


def test_a_production_without_reference_pixels_has_empty_histograms(tmp_path):
    empty = np.zeros((1, 6), np.int64)
    write_counts({"confidence": empty, "clear_dates": empty}, str(tmp_path / "empty.csv"))
    write_histograms(
        [str(tmp_path / "empty.csv")], str(tmp_path / "sum.csv"), str(tmp_path / "a.png"), "Title"
    )
    assert len((tmp_path / "sum.csv").read_text().splitlines()) == 1


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "quantity,value\nconfidence,3\n"])
def test_a_table_that_is_none_is_told(tmp_path, text):
    (tmp_path / "values.csv").write_text(text)
    with pytest.raises(InputDataError, match="delete it to make it anew"):
        read_counts(str(tmp_path / "values.csv"))
