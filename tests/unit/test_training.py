"""Tables of samples and the training table of a model."""

import numpy as np
import pandas as pd
import pytest
from tiny import write_image

from iota2_tools.core.errors import InputDataError
from iota2_tools.features.stack import FeatureStack, WindowFeatures
from iota2_tools.geo.grid import grid_of
from iota2_tools.reference import table
from iota2_tools.reference.table import feature_columns, read_training_table, write_samples
from iota2_tools.timeseries.inputs import TileInputs, UserFile
from iota2_tools.timeseries.inventory import write_inventory


def write(path, features: dict, **columns) -> str:
    count = len(next(iter(features.values())))
    about = {"row": 0, "col": 0, "polygon": 1, "code": 11, "region": "1", "seed_0": True} | columns
    pd.DataFrame(about | features, index=range(count)).to_parquet(path, index=False)
    return str(path)


def test_only_samples_of_the_region_and_draw_are_learnt(tmp_path):
    path = write(
        tmp_path / "a.parquet",
        {"x": np.array([1, 2, 3, 4], np.int16)},
        region=["1", "1", "2", "2"],
        seed_0=[True, False, True, True],
        code=[11, 12, 13, 14],
    )
    table = read_training_table([path], "2", 0)
    assert (table.features.tolist(), table.codes.tolist()) == ([[3], [4]], [13, 14])
    assert table.names == ["x"]
    assert table.features.dtype == np.int16


def test_tiles_follow_one_another_by_name_whatever_the_order_given(tmp_path):
    one = write(tmp_path / "a.parquet", {"x": np.array([1], np.int16)})
    two = write(tmp_path / "b.parquet", {"x": np.array([2], np.int16)})
    for paths in ([one, two], [two, one]):
        assert read_training_table(paths, "1", 0).features.tolist() == [[1], [2]]


def test_whole_and_broken_numbers_of_two_tiles_make_float_features(tmp_path):
    whole = {"x": np.array([1, -32768, 32767], np.int16), "y": np.array([1, 2, 3], np.int16)}
    broken = {"x": np.array([2.5], np.float32), "y": np.array([np.nan], np.float32)}
    one, two = write(tmp_path / "a.parquet", whole), write(tmp_path / "b.parquet", broken)
    for paths in ([one, two], [two, one]):
        features = read_training_table(paths, "1", 0).features
        assert features.dtype == np.float32
        assert features[:, 0].tolist() == [1.0, -32768.0, 32767.0, 2.5]
        assert np.isnan(features[:, 1]).tolist() == [False, False, False, True]


def test_a_tile_without_samples_in_the_region_counts_for_the_type_of_the_model(tmp_path):
    # It may be mapped with this model all the same.
    one = write(tmp_path / "a.parquet", {"x": np.array([1], np.int16)})
    two = write(tmp_path / "b.parquet", {"x": np.array([2.5], np.float32)}, region="2")
    features = read_training_table([one, two], "1", 0).features
    assert features.dtype == np.float32
    assert features.tolist() == [[1.0]]


def test_a_feature_may_be_named_as_columns_of_ours_begin(tmp_path):
    values = {"seed_2018_band_1": np.array([1], np.int16), "row_band_1": np.array([2], np.int16)}
    path = write(tmp_path / "a.parquet", values)
    assert feature_columns(path) == ["seed_2018_band_1", "row_band_1"]


def test_tiles_of_other_features_are_refused(tmp_path):
    one = write(tmp_path / "a.parquet", {"x": np.array([1], np.int16)})
    two = write(tmp_path / "b.parquet", {"y": np.array([1], np.int16)})
    with pytest.raises(InputDataError, match=r"1 \(x\) missing, 1 \(y\) new"):
        read_training_table([one, two], "1", 0)


def test_a_cut_off_table_is_named(tmp_path):
    path = write(tmp_path / "a.parquet", {"x": np.zeros(100, np.int16)})
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputDataError, match=r"a\.parquet: cannot be read as a table"):
        feature_columns(path)


@pytest.fixture
def tile(tmp_path):
    """Inventory of a tile of 8 x 8 pixels: one raster of the user, 10 times the row, and the column."""
    rows, cols = np.indices((8, 8))
    path = write_image(tmp_path / "dem.tif", (10 * rows + cols).astype(np.int16))
    inputs = TileInputs("T", grid_of(path), {}, {"DEM": UserFile(path, "nearest", "mean")})
    write_inventory(inputs, "stop", str(tmp_path / "inventory.json"))
    return tmp_path


def selection(folder, rows, cols):
    count = len(rows)
    about = {"row": rows, "col": cols, "polygon": 1, "code": 11, "region": "1", "seed_0": True}
    path = folder / "selection.parquet"
    pd.DataFrame(about, index=range(count)).to_parquet(path, index=False)
    return str(path)


@pytest.mark.parametrize("band_rows", [1, 3, 7, 8, 256])
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (8, 8)])
def test_each_sample_has_the_features_of_its_own_pixel(tile, monkeypatch, band_rows, shape):
    monkeypatch.setattr(table, "BAND_ROWS", band_rows)
    monkeypatch.setattr(FeatureStack, "window_shape", lambda *_: shape)
    of, read = WindowFeatures.of, []

    def watched(self, pixels):
        assert ((pixels >= 0) & (pixels < self.window.size)).all()
        read.extend(pixels)
        return of(self, pixels)

    monkeypatch.setattr(WindowFeatures, "of", watched)
    rows, cols = (values.ravel() for values in np.indices((8, 8)))
    kept = (rows + cols) % 3 > 0  # corners and edges of bands and windows, and not all
    output = str(tile / "samples.parquet")
    write_samples(
        selection(tile, rows[kept], cols[kept]), str(tile / "inventory.json"), {}, {}, 1, 2, output
    )
    found = pd.read_parquet(output)
    assert found["row"].tolist() == rows[kept].tolist()
    assert found["DEM_band_1"].tolist() == (10 * rows + cols)[kept].tolist()
    assert len(read) == kept.sum()  # each pixel in one window alone
    assert feature_columns(output) == ["DEM_band_1"]


def test_no_sample_makes_an_empty_table_of_the_same_columns(tile):
    output = str(tile / "samples.parquet")
    write_samples(selection(tile, [], []), str(tile / "inventory.json"), {}, {}, 1, 1, output)
    assert len(pd.read_parquet(output)) == 0
    assert feature_columns(output) == ["DEM_band_1"]
