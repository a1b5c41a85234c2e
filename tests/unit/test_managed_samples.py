"""Samples made of others, and samples of other regions: counts and values by hand."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.core.draws import generator
from iota2_tools.core.errors import ConfigError, InputDataError
from iota2_tools.learning import engines
from iota2_tools.learning.managed import Managed
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.reference.augmentation import Augmentation, augment
from iota2_tools.reference.copying import with_copies
from iota2_tools.reference.management import Copy, read_copies
from iota2_tools.reference.table import TrainingTable

# Class 1 has five samples of two polygons, class 2 three of two, class 3 one.
CODES = np.array([1, 1, 2, 1, 2, 3, 1, 2, 1])
POLYGONS = np.array([10, 10, 20, 10, 21, 30, 11, 20, 11])
VALUES = np.stack([np.arange(9) * 10, -np.arange(9)], axis=1)


def table(values=VALUES, dtype=np.int16):
    return TrainingTable(np.asarray(values).astype(dtype), CODES, POLYGONS, ["a", "b"])


def how(method="replicate", to="balance", number=7, byclass=None, jitter=0.1, neighbours=5):
    return Augmentation(method, to, number, byclass or {}, jitter, neighbours)


def draw(code):
    return generator(0, "test", code)


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        ({}, {2: 2, 3: 4}),  # five of each
        ({"to": "number"}, {1: 2, 2: 4, 3: 6}),  # seven of each
        ({"to": "number", "number": 4}, {2: 1, 3: 3}),  # class 1 keeps its five
        ({"to": "byclass", "byclass": {"2": 9, "1": 2}}, {2: 6}),
    ],
)
@pytest.mark.parametrize("method", ["replicate", "jitter", "smote"])
def test_as_many_samples_are_made_as_classes_lack(asked, made, method):
    found, told = augment(table(), how(method, **asked), draw)
    assert told == made
    assert Counter(found.codes.tolist()) == Counter(CODES.tolist()) + Counter(made)
    assert (found.features[:9] == VALUES).all()
    assert (found.codes[:9] == CODES).all()
    assert found.features.dtype == np.int16
    assert len(found.polygons) == len(found.codes) == len(found.features)


def test_each_sample_is_repeated_as_often_as_the_others_or_once_more():
    found, _ = augment(table(), how(to="byclass", byclass={"2": 11}), draw)
    new = found.features[9:]
    counts = Counter(new[:, 0].tolist())  # 8 of three samples: 2, 3 and 3
    assert sorted(counts.values()) == [2, 3, 3]
    assert set(counts) == {20, 40, 70}
    polygon_of = {20: 20, 40: 21, 70: 20}
    assert [polygon_of[value] for value in new[:, 0].tolist()] == found.polygons[9:].tolist()


def test_noise_has_its_share_of_the_deviation_within_the_class():
    # Class 2: 20, 40, 70, deviation sqrt(1266.67 / 3) = 20.548; the second feature is always 5.
    values = np.stack([VALUES[:, 0], np.full(9, 5)], axis=1)
    wanted = how("jitter", to="byclass", byclass={"2": 30003}, jitter=0.25)
    found, _ = augment(table(values, np.float32), wanted, draw)
    new = found.features[9:]
    assert (new[:, 1] == 5).all()
    origin = np.tile([20, 40, 70], 10000)
    assert (new[:30000, 0] - origin).std() == pytest.approx(0.25 * 20.548, rel=0.02)
    assert (new[:30000, 0] - origin).mean() == pytest.approx(0, abs=0.1)


def test_a_point_of_smote_lies_between_a_sample_and_its_nearest_neighbour():
    values = np.zeros((9, 2))
    values[[2, 4, 7]] = [[0, 0], [10, 20], [0, 1000]]  # nearest: 4, 2 and 4
    wanted = how("smote", to="byclass", byclass={"2": 603}, neighbours=1)
    found, _ = augment(table(values, np.float32), wanted, draw)
    new = found.features[9:].reshape(200, 3, 2)
    for sample in (0, 1):
        assert new[:, sample, 1] == pytest.approx(2 * new[:, sample, 0], abs=1e-4)
        assert 0 <= new[:, sample, 0].min() < 1
        assert 9 < new[:, sample, 0].max() <= 10
    # On the line from (0, 1000) to (10, 20).
    assert new[:, 2, 1] == pytest.approx(1000 - 98 * new[:, 2, 0], abs=1e-2)
    assert 900 < new[:, 2, 1].max() <= 1000
    assert new[:, 2, 0].mean() == pytest.approx(5, abs=0.7)


def test_all_neighbours_of_smote_are_chosen_where_it_may_take_them():
    values = np.zeros((9, 2))
    values[[2, 4, 7]] = [[0, 0], [10, 0], [0, 1000]]
    found, _ = augment(
        table(values, np.float32), how("smote", to="byclass", byclass={"2": 603}), draw
    )
    new = found.features[9:].reshape(200, 3, 2)[:, 0]
    assert 0.3 < (new[:, 1] > 0).mean() < 0.7  # of (0, 0): one neighbour or the other


def test_whole_numbers_stay_whole_and_missing_values_missing():
    values = VALUES.astype(float)
    values[[2, 4, 7], 1] = np.nan, 7, 9
    for method in ("jitter", "smote"):
        found, _ = augment(table(values, np.float32), how(method, to="number", number=60), draw)
        own = found.features[9:][found.codes[9:] == 2]
        assert not np.isnan(own[:, 0]).any()
        assert np.isnan(own[:, 1]).any()
        assert not np.isnan(own[:, 1]).all()
    largest = np.full((9, 2), 32767)
    largest[2] = 30000
    found, _ = augment(table(largest), how("jitter", to="number", number=500, jitter=5.0), draw)
    assert found.features.dtype == np.int16
    assert found.features[found.codes == 2].max() == 32767
    assert found.features[found.codes == 1].min() == 32767


def test_the_only_sample_of_a_class_is_repeated():
    found, _ = augment(table(), how("smote"), draw)
    assert (found.features[found.codes == 3] == [50, -5]).all()


def test_samples_of_a_class_do_not_depend_on_the_other_classes():
    whole, _ = augment(table(), how("smote", to="number"), draw)
    rows = np.flatnonzero(CODES != 1)
    few = TrainingTable(table().features[rows], CODES[rows], POLYGONS[rows], ["a", "b"])
    alone, _ = augment(few, how("smote", to="number"), draw)
    own = whole.features[9:][whole.codes[9:] == 2]
    assert (own == alone.features[4:][alone.codes[4:] == 2]).all()


PLAIN = TrainingTable(
    np.array([[1, 1], [2, 2], [3, 3], [4, 4]], np.int16),
    np.array([2, 2, 2, 5]),
    np.array([70, 70, 71, 80]),
    ["a", "b"],
)


def copied(*copies):
    return with_copies(
        table(), copies, {"plain": PLAIN}.__getitem__, lambda copy: generator(0, *copy[:3])
    )


def test_so_many_samples_are_copied_as_the_table_asks_for():
    copies = [Copy("plain", "hills", 2, 2), Copy("plain", "hills", 5, None)]
    found, taken = copied(*copies)
    assert taken == [2, 1]
    assert found.codes.tolist() == [*CODES.tolist(), 2, 2, 5]
    assert (found.features[:9] == VALUES).all()
    new = found.features[9:, 0].tolist()
    assert new[2] == 4
    assert new[0] < new[1] <= 3
    assert [{1: 70, 2: 70, 3: 71, 4: 80}[value] for value in new] == found.polygons[9:].tolist()


def test_all_samples_of_a_class_and_none_of_another_are_copied():
    found, taken = copied(Copy("plain", "hills", 2, None))
    assert taken == [3]
    assert found.features[9:, 0].tolist() == [1, 2, 3]


def test_no_sample_is_copied_twice():
    for seed in range(9):
        copy = Copy("plain", "hills", 2, 2)
        found, _ = with_copies(
            table(), [copy], {"plain": PLAIN}.__getitem__, lambda _, seed=seed: generator(seed)
        )
        assert len(set(found.features[9:, 0].tolist())) == 2


def test_what_a_region_does_not_have_is_told(caplog):
    _, taken = copied(Copy("plain", "hills", 5, 10), Copy("plain", "hills", 9, 3))
    assert taken == [1, 0]
    assert "class 5: region plain has 1 samples, not 10, to give to region hills" in caplog.text
    assert "class 9: region plain has 0 samples" in caplog.text


NOMENCLATURE = Nomenclature(
    (LandCoverClass(2, "Wheat", (0, 0, 0)), LandCoverClass(11, "Built-up, dense", (0, 0, 0)))
)


def copies_of(tmp_path, *lines):
    path = tmp_path / "copies.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_copies(str(path), ["plain", "hills", "1"], NOMENCLATURE)


def test_a_table_names_classes_by_code_or_name_and_all_by_a_word_or_as_iota2(tmp_path):
    assert copies_of(
        tmp_path,
        "source,destination,class,quantity",
        "plain,hills,2,500",
        'plain, hills,"Built-up, dense",all',
        "hills,1,Wheat,-1",
    ) == [
        Copy("plain", "hills", 2, 500),
        Copy("plain", "hills", 11, None),
        Copy("hills", "1", 2, None),
    ]


def test_every_wrong_line_of_a_table_is_told(tmp_path):
    with pytest.raises(ConfigError) as caught:
        copies_of(
            tmp_path,
            "source,destination,class,quantity",
            "plains,hills,2,5",
            "hills,hills,2,5",
            "plain,hills,3,5",
            "plain,hills,2,0",
            "plain,hills,2,5",
            "plain,hills,Wheat,7",
            "plain,hills,2",
            "plain,hills,2,5,6",
        )
    told = str(caught.value)
    for line in (
        "line 2: no region 'plains' touches a tile, did you mean 'plain'?",
        "line 3: copies region hills into itself",
        "line 4: class '3' is neither a code nor a name of the nomenclature",
        "line 5: quantity '0' is no number of samples",
        "line 7: stands twice",
        "line 8: quantity '' is no number of samples",
        "line 9: has more cells than the header",
    ):
        assert line in told
    assert "line 6" not in told


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "source;destination;class;quantity\n"])
def test_a_table_of_other_columns_is_refused(tmp_path, text):
    path = tmp_path / "copies.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="they are source, destination, class, quantity"):
        read_copies(str(path), ["plain"], NOMENCLATURE)


def test_a_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "copies.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputDataError, match="cannot be read as a table"):
        read_copies(str(tmp_path / "copies.csv"), ["plain"], NOMENCLATURE)


def test_a_model_learns_copies_of_its_draw_and_what_is_made_of_all(tmp_path):
    rows = 40
    samples = pd.DataFrame(
        {
            "row": 0, "col": 0, "polygon": np.arange(rows), "code": np.where(np.arange(rows) % 4, 1, 2),
            "region": np.where(np.arange(rows) < 20, "hills", "plain"),
            "seed_0": np.arange(rows) % 8 != 0, "a": np.arange(rows, dtype=np.int16),
        }
    )  # fmt: skip
    # Of hills 15 of class 1, and of class 2: 4, 12 (0, 8, 16 do not learn); of plain 20, 28, 36.
    path = str(tmp_path / "samples.parquet")
    samples.to_parquet(path, index=False)
    settings = LearningSettings("DecisionTreeClassifier", {})
    section = {"method": "replicate", "to": "number", "number": 9, "byclass": {}, "jitter": 0.1}
    managed = Managed([Copy("plain", "hills", 2, 2)._asdict()], [path], section | {"neighbours": 5})
    engines.train(
        [path], ModelKey("hills", 0, 0), settings, 1, str(tmp_path / "model"), managed=managed
    )
    told = json.loads((tmp_path / "model" / "model.json").read_text())
    assert told["copied"] == [{"source": "plain", "class": 2, "samples": 2}]
    assert told["made"] == {"2": 5}
    assert told["classes"] == {"1": 15, "2": 9}
    engines.train([path], ModelKey("hills", 0, 0), settings, 1, str(tmp_path / "plain"))
    plain = json.loads((tmp_path / "plain" / "model.json").read_text())
    assert plain["classes"] == {"1": 15, "2": 2}
    assert not {"copied", "made"} & plain.keys()


def test_copies_and_what_is_made_are_of_the_draw(tmp_path):
    """Polygons 20 to 29 learn in draw 0 and validate in draw 1, 30 to 39 the other way round."""
    polygons = np.arange(20, 40)
    frame = pd.DataFrame(
        {
            "row": 0, "col": polygons, "polygon": polygons, "code": 2, "region": "plain",
            "seed_0": polygons < 30, "seed_1": polygons >= 30, "a": polygons.astype(np.int16), "b": np.int16(0),
        }
    )  # fmt: skip
    path = str(tmp_path / "samples.parquet")
    frame.to_parquet(path, index=False)
    section = {"method": "jitter", "to": "number", "number": 9, "byclass": {}, "jitter": 0.5}
    managed = Managed([Copy("plain", "hills", 2, 3)._asdict()], [path], section | {"neighbours": 5})
    found = {}
    for seed, region in ((0, "hills"), (1, "hills"), (1, "coast")):
        completed, told = managed.complete(table(), ModelKey(region, seed, 0))
        assert told["copied"] == [{"source": "plain", "class": 2, "samples": 3}]
        assert ((completed.polygons[9:12] >= 30) == (seed == 1)).all()
        found[seed, region] = completed.features[completed.codes == 1].tolist()
    assert found[0, "hills"] != found[1, "hills"] != found[1, "coast"]


def test_copies_are_drawn_by_draw_regions_and_class(tmp_path):
    """Twenty of forty samples of a class: other twenty for another draw, seed, source, destination or class."""
    rows = 160
    frame = pd.DataFrame(
        {
            "row": 0, "col": 0, "polygon": np.arange(rows), "code": np.where(np.arange(rows) < 80, 1, 2),
            "region": np.where(np.arange(rows) % 80 < 40, "plain", "coast"), "seed_0": True, "seed_1": True,
            "a": np.arange(rows, dtype=np.int16) % 40, "b": np.int16(0),
        }
    )  # fmt: skip
    path = str(tmp_path / "samples.parquet")
    frame.to_parquet(path, index=False)

    def taken(seed=0, random_seed=3, source="plain", destination="hills", code=1):
        managed = Managed([Copy(source, destination, code, 20)._asdict()], [path])
        completed, _ = managed.complete(table(), ModelKey(destination, seed, random_seed))
        return tuple(completed.features[len(table().codes) :, 0].tolist())

    others = [
        taken(), taken(seed=1), taken(random_seed=4), taken(source="coast"), taken(destination="moor"),
        taken(code=2),
    ]  # fmt: skip
    assert all(len(numbers) == 20 for numbers in others)
    assert len(set(others)) == 6
    assert taken() == others[0]
