"""What is written of a prediction: percent, per mille, and where; and a tile of 8 x 8 pixels mapped."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from tiny import values_of, write_image

from iota2_tools.classifying import tile as tile_module
from iota2_tools.classifying.tile import (
    NO_PROBABILITY,
    MappingSettings,
    TileMapper,
    TileSources,
    check_learnt,
    classify_tile,
    confidence_percent,
    pixels_to_classify,
    predictions,
    probabilities_per_mille,
)
from iota2_tools.core.errors import InputDataError, LearningError
from iota2_tools.features.stack import FeatureStack
from iota2_tools.geo.grid import Window, grid_of
from iota2_tools.learning import engines as learning
from iota2_tools.learning.model import Prediction
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.timeseries.inputs import TileInputs, UserFile
from iota2_tools.timeseries.inventory import write_inventory


def test_every_whole_percent_stays_itself():
    # 0.57 * 100 and 0.29 * 100 lie a hair below the integer.
    confidence = np.arange(1, 101) / 100
    percent = confidence_percent(confidence, np.ones(100, dtype=np.uint8))
    assert percent.tolist() == list(range(1, 101))


def test_confidence_is_truncated():
    codes = np.ones(3, dtype=np.uint8)
    assert confidence_percent(np.array([0.579, 0.999, 0.5]), codes).tolist() == [57, 99, 50]


def test_class_has_never_confidence_zero():
    assert confidence_percent(np.array([0.001, 1e-9]), np.array([11, 300])).tolist() == [1, 1]


def test_no_class_has_confidence_zero():
    assert confidence_percent(np.array([0.9]), np.array([0])).tolist() == [0]


def test_learner_without_confidence_writes_zero():
    assert confidence_percent(np.array([0.0]), np.array([11])).tolist() == [0]


def test_probabilities_stand_in_the_columns_of_their_classes():
    probabilities = np.array([[0.25, 0.75], [1.0, 0.0], [0.3334, 0.6666]])
    out = probabilities_per_mille(probabilities, np.array([51, 300]), (11, 51, 222, 300))
    assert out.dtype == np.uint16
    assert out.tolist() == [[0, 250, 0, 750], [0, 1000, 0, 0], [0, 333, 0, 667]]


def test_pixel_needs_its_region_the_footprint_and_enough_dates():
    regions = np.array([[1, 1, 2], [1, 0, 1]])
    footprint = np.array([[1, 0, 1], [1, 1, 1]])
    validity = np.array([[3, 3, 3], [2, 3, 300]])
    assert pixels_to_classify(regions, footprint, validity, 1, 3).tolist() == [0, 5]
    assert pixels_to_classify(regions, footprint, validity, 2, 3).tolist() == [2]


class Echo:
    """A model whose class is the first feature, and that remembers how many pixels it was asked."""

    def __init__(self, codes=(1, 2, 3)):
        self.codes = np.array(codes, np.uint16)
        self.asked = []

    def predict(self, features, probabilities=False):
        self.asked.append(len(features))
        codes = features[:, 0].astype(np.uint16)
        share = (codes[:, None] == self.codes).astype(float)
        return Prediction(codes, np.ones(len(codes)), share if probabilities else None)


class Features:
    """Features of a window: the number of each pixel plus one."""

    def of(self, pixels):
        return pixels[:, None] + 1


@pytest.mark.parametrize("chunk", [1, 7, 16, 100, 10**6])
def test_chunks_lose_and_repeat_no_pixel(monkeypatch, chunk):
    monkeypatch.setattr(tile_module, "CHUNK", chunk)
    pixels = np.arange(0, 200, 2)
    models = [Echo(), Echo()]
    with ThreadPoolExecutor(2) as pool:
        parts = list(predictions(Features(), pixels, models, False, pool))
    assert np.concatenate([chunk for chunk, _ in parts]).tolist() == pixels.tolist()
    for draw in range(2):
        codes = np.concatenate([said[draw].codes for _, said in parts])
        assert codes.tolist() == (pixels + 1).tolist()
        assert sum(models[draw].asked) == 100
        assert max(models[draw].asked) == min(chunk, 100)


NAMES = ["DEM_band_1", "DEM_band_2"]
CODES = (1, 2, 5)  # the models know 1 and 5


@pytest.fixture(scope="module")
def production(tmp_path_factory):
    """Models of two draws and a tile of 8 x 8 pixels with two features."""
    folder = tmp_path_factory.mktemp("tile")
    rng = np.random.default_rng(0)
    learnt = np.concatenate([rng.normal(300, 300, (60, 2)), rng.normal(700, 300, (60, 2))])
    table = pd.DataFrame(np.rint(learnt).astype(np.int16), columns=NAMES)
    about = {"row": 0, "col": 0, "polygon": np.arange(120) // 5, "code": np.repeat([1, 5], 60)}
    draws = {f"seed_{draw}": np.arange(120) % 3 != draw for draw in range(2)}
    table.assign(**about, region="1", **draws).to_parquet(folder / "samples.parquet", index=False)
    settings = LearningSettings("RandomForestClassifier", {"n_estimators": 9, "random_state": 0})
    forests = []
    for draw in range(2):
        key = ModelKey("1", draw, 0)
        samples = [str(folder / "samples.parquet")]
        learning.train(samples, key, settings, 1, str(folder / f"model_{draw}"))
        mine = table[draws[f"seed_{draw}"]], about["code"][draws[f"seed_{draw}"]]
        forest = RandomForestClassifier(9, random_state=0)
        forests.append(forest.fit(mine[0].to_numpy(np.float32), mine[1]))
    values = np.rint(rng.normal(500, 400, (2, 8, 8))).astype(np.int16)
    regions = rng.integers(0, 3, (8, 8)).astype(np.uint16)
    regions[[0, 0, 7, 7], [0, 7, 0, 7]] = 1
    footprint = (rng.random((8, 8)) < 0.8).astype(np.uint8)
    footprint[7, 7] = 1
    write_image(folder / "dem.tif", values)
    write_image(folder / "regions.tif", regions)
    write_image(folder / "footprint.tif", footprint)
    write_image(folder / "validity.tif", np.zeros((8, 8), np.uint8))
    take_inventory(folder, "dem.tif", "inventory.json")
    return SimpleNamespace(
        folder=folder, values=values, mapped=(regions == 1) & (footprint > 0), forests=forests
    )


def take_inventory(folder, raster, inventory):
    path = str(folder / raster)
    inputs = TileInputs("T", grid_of(path), {}, {"DEM": UserFile(path, "nearest", "mean")})
    write_inventory(inputs, "stop", str(folder / inventory))


def map_tile(production, output, threads=2, inventory="inventory.json", codes=CODES):
    where = {name: str(production.folder / f"{name}.tif") for name in
             ("regions", "footprint", "validity")}  # fmt: skip
    layers = ("classes", "confidence", "probabilities")
    outputs = [{name: str(output / f"{name}_{draw}.tif") for name in layers} for draw in range(2)]
    classify_tile(
        TileSources(str(production.folder / inventory), {}, {}, **where),
        MappingSettings(1, codes, "uint8", 3, 100),
        [str(production.folder / f"model_{draw}") for draw in range(2)],
        outputs,
        threads,
    )
    return [{name: values_of(path) for name, path in draw.items()} for draw in outputs]


@pytest.mark.parametrize("shape", [(8, 8), (3, 5), (1, 1)])
@pytest.mark.parametrize(("chunk", "threads"), [(10**6, 1), (7, 3), (1, 2)])
def test_every_pixel_of_the_region_and_footprint_gets_scikit_learn_s_class(
    production, tmp_path, monkeypatch, shape, chunk, threads
):
    monkeypatch.setattr(tile_module, "CHUNK", chunk)
    monkeypatch.setattr(FeatureStack, "windows", lambda self, _: list(self.grid.windows(*shape)))
    mapped = production.mapped
    assert 7 < mapped.sum() < 64
    pixels = production.values[:, mapped].T.astype(np.float32)
    draws = map_tile(production, tmp_path, threads)
    for forest, layers in zip(production.forests, draws, strict=True):
        shares = forest.predict_proba(pixels)
        assert ((layers["classes"] > 0) == mapped).all()
        assert layers["classes"][mapped].tolist() == forest.predict(pixels).tolist()
        percent = np.floor(100 * shares.max(axis=1) + 1e-9)
        assert layers["confidence"][mapped].tolist() == percent.tolist()
        assert (layers["confidence"][~mapped] == 0).all()
        expected = np.rint(1000 * shares)
        assert layers["probabilities"][0][mapped].tolist() == expected[:, 0].tolist()
        assert (layers["probabilities"][1][mapped] == 0).all()
        assert layers["probabilities"][2][mapped].tolist() == expected[:, 1].tolist()
        assert (layers["probabilities"][:, ~mapped] == NO_PROBABILITY).all()
    assert (draws[0]["classes"] != draws[1]["classes"]).any()


def test_ranks_map_window_by_window_in_turn(production, tmp_path, monkeypatch):
    """The second of two ranks maps its windows here, when the first one gathers."""
    alone = map_tile(production, tmp_path)
    windows = [*grid_of(str(production.folder / "dem.tif")).windows(3, 3)]  # 9: an odd number
    monkeypatch.setattr(FeatureStack, "windows", lambda self, _: windows)
    layers_of, left = TileMapper.layers, iter(windows[1::2])

    class Two:
        number, count, first = 0, 2, True

        def gather(self, item):
            window = next(left, None)
            mapper, pool = here[0]
            return [item, layers_of(mapper, window, pool) if window else None]

    here = []

    def remembered(self, window, pool):
        here[:] = [(self, pool)]
        return layers_of(self, window, pool)

    monkeypatch.setattr(TileMapper, "layers", remembered)
    monkeypatch.setattr(tile_module, "all_ranks", Two)
    shared = map_tile(production, tmp_path)
    for one, other in zip(alone, shared, strict=True):
        for name, values in one.items():
            np.testing.assert_array_equal(values, other[name])


def test_the_second_rank_maps_every_second_window_and_writes_nothing(
    production, tmp_path, monkeypatch
):
    windows = [*grid_of(str(production.folder / "dem.tif")).windows(3, 3)]
    monkeypatch.setattr(FeatureStack, "windows", lambda self, _: windows)
    mapped, given = [], []

    class Second:
        number, count, first = 1, 2, False

        def gather(self, item):
            given.append(item)
            return []

    monkeypatch.setattr(TileMapper, "layers", lambda self, window, _: mapped.append(window) or 7)
    monkeypatch.setattr(tile_module, "all_ranks", Second)
    with pytest.raises(RuntimeError, match="No such file"):  # of GDAL here, for want of a map
        map_tile(production, tmp_path)
    assert mapped == windows[1::2]
    assert given == [7, 7, 7, 7, None]  # as often as the first rank gathers


def test_a_pixel_of_too_few_clear_dates_gets_no_class():
    window = Window(0, 0, 1, 4)
    with ThreadPoolExecutor(1) as pool:
        for series, expected in ((["sentinel2"], [0, 0, 3, 4]), ([], [1, 2, 3, 4])):
            stack = SimpleNamespace(series=series, read=lambda *_: Features())
            settings = MappingSettings(1, (1, 2, 3, 4), "uint8", 3, 100)
            mapper = TileMapper(stack, rasters_in_memory(), [Echo()], settings, False)
            (layers,) = mapper.layers(window, pool)
            assert layers["classes"].tolist() == [expected]
            assert (layers["confidence"] > 0).tolist() == [[value > 0 for value in expected]]


def rasters_in_memory():
    """Region 1, seen everywhere, with 1, 2, 3 and 4 clear dates."""
    from osgeo import gdal

    found = {}
    for name, values in {
        "regions": [1] * 4,
        "footprint": [1] * 4,
        "validity": [1, 2, 3, 4],
    }.items():
        found[name] = gdal.GetDriverByName("MEM").Create("", 4, 1, 1, gdal.GDT_UInt16)
        found[name].GetRasterBand(1).WriteArray(np.array([values], np.uint16))
    return found


def test_whole_numbers_of_one_tile_do_for_a_model_that_saw_decimals_on_another(
    production, tmp_path
):
    folder = production.folder
    whole = pd.read_parquet(folder / "samples.parquet")
    broken = whole.assign(**{name: whole[name].astype(np.float32) + 0.25 for name in NAMES})
    broken.to_parquet(folder / "broken.parquet", index=False)
    settings = LearningSettings("RandomForestClassifier", {"n_estimators": 9, "random_state": 0})
    samples = [str(folder / name) for name in ("samples.parquet", "broken.parquet")]
    learning.train(samples, ModelKey("1", 0, 0), settings, 1, str(tmp_path / "model"))
    model = str(tmp_path / "model")
    check_learnt(model, NAMES, "int16")
    check_learnt(model, NAMES, "float32")
    pixels = production.values.reshape(2, -1).T
    seen = pd.concat([broken, whole])[lambda table: table["seed_0"]]
    forest = RandomForestClassifier(9, random_state=0)
    forest.fit(seen[NAMES].to_numpy(np.float32), seen["code"])
    found = learning.load(model).predict(np.ascontiguousarray(pixels)).codes
    assert found.tolist() == forest.predict(pixels.astype(np.float32)).tolist()


def test_decimals_of_a_tile_are_refused_before_a_pixel_is_read(production, tmp_path, monkeypatch):
    values = production.values.astype(np.float32) + 0.5
    write_image(production.folder / "float.tif", values)
    take_inventory(production.folder, "float.tif", "float.json")
    monkeypatch.setattr(FeatureStack, "read", None)
    with pytest.raises(LearningError, match=r"learnt whole numbers \(int16\).*are float32"):
        map_tile(production, tmp_path, inventory="float.json")
    assert not list(tmp_path.iterdir())


def test_other_features_are_refused_before_a_pixel_is_read(production, tmp_path, monkeypatch):
    write_image(production.folder / "one.tif", production.values[0])
    take_inventory(production.folder, "one.tif", "one.json")
    monkeypatch.setattr(FeatureStack, "read", None)
    with pytest.raises(InputDataError, match=r"1 \(DEM_band_2\) missing"):
        map_tile(production, tmp_path, inventory="one.json")
    assert not list(tmp_path.iterdir())
