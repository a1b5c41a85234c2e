"""Tables of samples and the training table of a model."""

import numpy as np
import pandas as pd
import pytest

from iota2_tools.core.errors import InputDataError
from iota2_tools.reference.table import feature_columns, read_training_table


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
    features, codes, _, names = read_training_table([path], "2", 0)
    assert (features.tolist(), codes.tolist(), names) == ([[3], [4]], [13, 14], ["x"])
    assert features.dtype == np.int16


def test_tiles_follow_one_another_by_name_whatever_the_order_given(tmp_path):
    one = write(tmp_path / "a.parquet", {"x": np.array([1], np.int16)})
    two = write(tmp_path / "b.parquet", {"x": np.array([2], np.int16)})
    for paths in ([one, two], [two, one]):
        assert read_training_table(paths, "1", 0)[0].tolist() == [[1], [2]]


def test_whole_and_broken_numbers_of_two_tiles_make_float_features(tmp_path):
    one = write(tmp_path / "a.parquet", {"x": np.array([1], np.int16)})
    two = write(tmp_path / "b.parquet", {"x": np.array([2.5], np.float32)})
    features = read_training_table([one, two], "1", 0)[0]
    assert features.dtype == np.float32
    assert features.tolist() == [[1.0], [2.5]]


def test_tiles_of_other_features_are_refused(tmp_path):
    one = write(tmp_path / "a.parquet", {"x": np.array([1], np.int16)})
    two = write(tmp_path / "b.parquet", {"y": np.array([1], np.int16)})
    with pytest.raises(InputDataError, match="1 missing"):
        read_training_table([one, two], "1", 0)


def test_a_cut_off_table_is_named(tmp_path):
    path = write(tmp_path / "a.parquet", {"x": np.zeros(100, np.int16)})
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputDataError, match=r"a\.parquet: cannot be read as a table"):
        feature_columns(path)
