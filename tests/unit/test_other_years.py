"""Samples of several years: what is learnt of each, how much it counts, and what is refused."""

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from osgeo import gdal
from sklearn.dummy import DummyClassifier
from tiny import write_image

from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.core.errors import ConfigError, InputDataError
from iota2_tools.core.locks import FORMAT
from iota2_tools.geo.vectors import write_layer
from iota2_tools.learning import engines
from iota2_tools.learning.managed import Managed
from iota2_tools.learning.scikit import fit
from iota2_tools.learning.scikit import problems as problems_of_scikit
from iota2_tools.learning.search import search
from iota2_tools.learning.settings import LearningSettings, ModelKey, Purpose
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.reference.augmentation import Augmentation, augment
from iota2_tools.reference.other_years import (
    Wanted,
    common_places,
    read_sources,
    source_problems,
    weights_of,
)
from iota2_tools.reference.sources import Demands, Source
from iota2_tools.reference.table import TrainingTable

CRS = "EPSG:32631"
LEFT, TOP = 500_000, 4_900_000
CLASSES = Nomenclature(
    (LandCoverClass(3, "Wheat", (0, 0, 0)), LandCoverClass(7, "Woods", (0, 0, 0)))
)
FEATURES = ["S2_B4_D001", "S2_B8_D001"]


def field(number, width=1, shift=0.0):
    """A field of `width` pixels of 10 m in a row of them."""
    left = LEFT + 10 * number + shift
    return shapely.box(left, TOP, left + 10 * width, TOP + 10)


def year(folder, value, *, region="1", codes=(3, 7), draws=1, features=FEATURES, crs=CRS):
    """Output of a production: eight pixels in a row, two a field; features tell the year and the pixel."""
    number = np.arange(8)
    frame = gpd.GeoDataFrame(
        {
            "code": np.where(number % 4 < 2, *codes), "region": region, "polygon": 5 + number // 2,
            **{f"seed_{seed}": np.ones(8, bool) for seed in range(draws)},
            **{name: np.full(8, value, np.int16) for name in features},
        },
        geometry=shapely.points(LEFT + 5 + 10 * number, TOP + 5), crs=CRS,
    )  # fmt: skip
    if FEATURES[1] in features:
        frame[FEATURES[1]] = number.astype(np.int16)
    (folder / "tiles/T1").mkdir(parents=True)
    frame.to_crs(crs).to_parquet(folder / "tiles/T1/samples.parquet")
    write_polygons(folder, [field(0, 2), field(2, 2), field(4, 2), field(6, 2)], [5, 6, 7, 8], crs)
    return Source(str(folder))


def write_polygons(folder, shapes, numbers, crs=CRS, **sets):
    (folder / "sampling").mkdir(parents=True, exist_ok=True)
    frame = gpd.GeoDataFrame({"polygon": numbers, "code": 3, **sets}, geometry=shapes, crs=CRS)
    write_layer(frame.to_crs(crs), str(folder / "sampling/polygons.gpkg"))
    return str(folder / "sampling/polygons.gpkg")


def wanted(splits=None, **more):
    return Wanted("1", 0, FEATURES, CLASSES, splits, **more)


def test_years_are_learnt_one_after_another_and_equal_weights_are_none(tmp_path):
    sources = [year(tmp_path / "a", 2017), year(tmp_path / "b", 2018)]
    table, told = read_sources(sources, wanted())
    assert table.features[:, 0].tolist() == [2017] * 8 + [2018] * 8
    assert table.features[:, 1].tolist() == [*range(8), *range(8)]
    assert table.codes.tolist() == [3, 3, 7, 7, 3, 3, 7, 7] * 2
    assert table.features.dtype == np.int16
    assert table.weights is None
    assert [(item["path"], item["samples"], item["left_out"]) for item in told] == [
        (sources[0].path, 8, 0), (sources[1].path, 8, 0),
    ]  # fmt: skip


def test_weights_are_in_the_proportion_of_the_years_and_one_on_average():
    """Three samples of weight 1 and one of 3: six over four samples, so 1.5 is 1."""
    assert weights_of([(1, 3), (3, 1)]).tolist() == [1 / 1.5] * 3 + [3 / 1.5]
    assert weights_of([(2, 3), (2, 1)]) is None
    assert weights_of([(2, 3), (5, 0)]) is None  # of a year without samples nothing counts
    assert weights_of([(0.5, 1), (1.5, 1)]).tolist() == [0.5, 1.5]


def test_weights_go_with_the_samples(tmp_path):
    sources = [year(tmp_path / "a", 2017), Source(year(tmp_path / "b", 2018).path, 3.0)]
    table, _ = read_sources(sources, wanted())
    assert table.weights.tolist() == [0.5] * 8 + [1.5] * 8
    assert table.only(np.arange(16) >= 7).weights.tolist() == [0.5] + [1.5] * 8
    how = Augmentation("replicate", "number", 9, {}, 0.1, 5)
    more, made = augment(table.only(np.arange(16) < 9), how, np.random.default_rng)
    assert made == {3: 4, 7: 5}
    assert more.weights[:9].tolist() == [0.5] * 8 + [1.5]
    for row in range(9, len(more.codes)):  # new samples weigh as what they are made of
        assert more.weights[row] == (1.5 if more.features[row, 0] == 2018 else 0.5)


def test_samples_of_any_year_in_polygons_that_validate_this_year_are_not_learnt(tmp_path, caplog):
    """This year pixels 2 and 3 validate, 4 and 5 learn, 6 does both; whatever the CRS."""
    splits = write_polygons(
        tmp_path / "now", [field(2, 2), field(4, 2), field(6)], [1, 2, 3],
        seed_0=["validation", "learn", "learn+validation"],
    )  # fmt: skip
    sources = [year(tmp_path / "a", 2017), year(tmp_path / "b", 2018, crs="EPSG:2154")]
    table, told = read_sources(sources, wanted(splits))
    assert table.features[:, 1].tolist() == [0, 1, 4, 5, 6, 7] * 2
    assert [item["left_out"] for item in told] == [2, 2]
    assert caplog.text.count("2 samples lie in validation polygons of draw 0") == 2
    near, told = read_sources(sources[:1], wanted(splits, buffer=10.0))
    # Centres of pixels 1 and 4 lie 5 m from the field, those of 0 and 5 15 m.
    assert near.features[:, 1].tolist() == [0, 5, 6, 7]
    assert told[0]["left_out"] == 4


def test_own_samples_are_learnt_first_where_they_join(tmp_path):
    splits = write_polygons(tmp_path / "now", [field(4, 2)], [1], seed_0=["learn"])
    own = TrainingTable(
        np.array([[2019, 4], [2019, 5]], np.int16), np.array([3, 3]), np.array([1, 1]), FEATURES
    )
    table, told = read_sources([year(tmp_path / "a", 2017)], wanted(splits), own, 4.0)
    assert table.features[:, 0].tolist() == [2019] * 2 + [2017] * 8
    # 2 x 4 + 8 x 1 = 16 over ten samples.
    assert table.weights == pytest.approx([2.5] * 2 + [0.625] * 8)
    assert told[0] == {"path": None, "weight": 4.0, "samples": 2, "left_out": 0}
    # The own field is the third one of 2017: one place.
    assert table.polygons[0] == table.polygons[2 + 4]
    assert len(set(table.polygons.tolist())) == 4


def test_polygons_of_several_years_that_share_ground_are_one_place():
    """Of 2018: the first field, the second moved by a pixel, one that only touches the fourth, one apart."""
    before = gpd.GeoSeries(
        [field(0, 2), field(2, 2), field(4, 2), field(6, 2)], [5, 6, 7, 8], crs=CRS
    )
    after = gpd.GeoSeries(
        [field(0, 2), field(3, 2), field(8, 2, 0.5 - 1), field(20)], [5, 9, 2, 4], crs=CRS
    )
    numbers = [np.array([5, 5, 6, 7, 8]), np.array([9, 5, 2, 4, 4])]
    first, second = common_places(numbers, [before, after])
    assert first[0] == first[1] == second[1]
    assert first[2] == first[3] == second[0]  # 2018's field covers half of two fields of 2017
    assert len({first[4], second[2], second[3]}) == 3  # half a metre in common is not one place
    assert second[3] == second[4]
    apart = common_places(numbers, [before, None])
    assert len({*apart[0].tolist(), *apart[1].tolist()}) == 4 + 4


def test_a_table_of_one_s_own_may_stand_among_the_years(tmp_path):
    frame = gpd.read_parquet(year(tmp_path / "a", 2017).tables[0])
    frame.drop(columns=["polygon", "region", "seed_0"]).to_parquet(tmp_path / "own.parquet")
    sources = [Source(str(tmp_path / "a")), Source(str(tmp_path / "own.parquet"))]
    table, _ = read_sources(sources, wanted())
    assert len(table.codes) == 16
    assert len(set(table.polygons.tolist())) == 4 + 8


def problems(source, features=FEATURES, regions=("1",), runs=1, metres=None):
    return list(source_problems(source, Demands(features, regions, CLASSES, runs, metres)))


def test_samples_of_pixels_of_another_size_are_refused(tmp_path):
    source = year(tmp_path / "a", 2017)
    write_image(tmp_path / "a/final/Classif_Seed_0.tif", np.ones((4, 4), np.uint8), nodata=0)
    assert problems(source, metres=10) == []
    (found,) = problems(source, metres=30)
    assert "has pixels of 10 m, this production of 30 m" in found


def test_years_that_fit_are_taken(tmp_path):
    assert problems(year(tmp_path / "a", 2017)) == []
    more = year(tmp_path / "b", 2017, draws=3)
    assert problems(more, runs=2) == []
    # In season: of a whole year the features up to now are learnt.
    assert problems(more, features=FEATURES[1:]) == []
    table, _ = read_sources([more], Wanted("1", 0, FEATURES[1:], CLASSES, None))
    assert table.names == FEATURES[1:]
    assert table.features[:, 0].tolist() == list(range(8))


def test_what_does_not_fit_is_told_before_the_first_job(tmp_path):
    source = year(tmp_path / "a", 2017)
    (found,) = problems(source, features=["S2_B4_20180101", "S2_B8_20180101"])
    assert "lacks 2 of 2 features (S2_B4_20180101, S2_B8_20180101)" in found
    assert "one tells days of the year, the other dates" in found
    with pytest.raises(InputDataError, match="lacks 1 of 1 features"):
        read_sources([source], Wanted("1", 0, ["S2_B5_D001"], CLASSES, None))
    (found,) = problems(source, runs=2)
    assert found.endswith("has draws 0, and not all of the 2 asked for (sampling.runs)")
    (found,) = problems(source, regions=["1", "hills"])
    assert "has no sample of region hills (it has 1)" in found
    (found,) = problems(year(tmp_path / "b", 2017, codes=(3, 9)))
    assert "has learnt class 9, which the nomenclature has not" in found
    (found,) = problems(Source(str(tmp_path / "nowhere")))
    assert "there is no" in found
    (tmp_path / "empty").mkdir()
    (found,) = problems(Source(str(tmp_path / "empty")))
    assert "holds no samples" in found
    (tmp_path / "a/final").mkdir()
    (tmp_path / "a/final/production.lock").write_text(json.dumps({"format": FORMAT + 1}))
    (found,) = problems(source)
    assert f"is of format {FORMAT + 1}" in found
    (tmp_path / "a/final/production.lock").unlink()
    (tmp_path / "a/sampling/polygons.gpkg").unlink()
    (found,) = problems(source)
    assert "has no sampling/polygons.gpkg" in found
    (tmp_path / "a/tiles/T1/samples.parquet").write_text("no table")
    assert "cannot be read as a table" in problems(source)[-1]


def test_one_code_means_one_class_in_all_years(tmp_path):
    source = year(tmp_path / "a", 2017)
    path = write_image(tmp_path / "a/final/Classif_Seed_0.tif", np.ones((4, 4), np.uint8), nodata=0)
    gdal.Open(path, gdal.GA_Update).SetMetadata({"CLASS_3": "Wheat", "CLASS_7": "Maize"})
    (found,) = problems(source)
    assert "class 7 is Maize there, and Woods in the nomenclature" in found


def test_a_model_learns_the_years_by_their_weights_and_tells_of_them(tmp_path):
    """A tree without split says the class that weighs most: 6 samples of 2017, 2 of 2018."""
    year(tmp_path / "a", 2017)
    year(tmp_path / "b", 2018)
    for name, keep, code in (("a", 6, 3), ("b", 2, 7)):
        path = tmp_path / name / "tiles/T1/samples.parquet"
        gpd.read_parquet(path).iloc[:keep].assign(code=code).to_parquet(path)
    (tmp_path / "classes.csv").write_text("code,name,colour\n3,Wheat,#000000\n7,Woods,#ffffff\n")
    for weight, said in ((2.0, 3), (4.0, 7)):  # 6 to 4, 6 to 8
        years = {
            "sources": [{"path": str(tmp_path / "a")}, {"path": str(tmp_path / "b"), "weight": weight}],
            "own_weight": None, "splits": None, "nomenclature": str(tmp_path / "classes.csv"), "buffer": 0.0,
        }  # fmt: skip
        output = str(tmp_path / f"model_{weight}")
        settings = LearningSettings(
            "DecisionTreeClassifier", {"max_depth": 1, "min_samples_leaf": 8}
        )
        key = ModelKey("1", 0, 0)
        engines.train([], key, settings, 1, output, FEATURES, managed=Managed(years=years))
        model = engines.load(output)
        assert model.predict(np.zeros((1, 2), np.int16)).codes.tolist() == [said]
        told = json.loads((tmp_path / f"model_{weight}/model.json").read_text())["learnt_from"]
        assert [(item["weight"], item["samples"]) for item in told] == [(1.0, 6), (weight, 2)]


def test_weights_reach_a_learner_standardised_or_not():
    """The same samples thrice, or once with weight three: the same regression."""
    random = np.random.default_rng(1)
    features = random.normal(0, 100, (40, 2)).astype(np.float32)
    codes = np.where(features[:, 0] + random.normal(0, 50, 40) > 0, 3, 7)
    polygons = np.arange(40) // 2
    heavy = np.arange(40) < 10
    weights = np.where(heavy, 3.0, 1.0)
    rows = np.concatenate([np.arange(40), np.flatnonzero(heavy), np.flatnonzero(heavy)])
    settings = LearningSettings("LogisticRegression", {"tol": 1e-10, "max_iter": 2000}, False)
    weighted, _ = fit(TrainingTable(features, codes, polygons, FEATURES, weights), settings, 0, 1)
    thrice = TrainingTable(features[rows], codes[rows], polygons[rows], FEATURES)
    again, _ = fit(thrice, settings, 0, 1)
    assert weighted.coef_ == pytest.approx(again.coef_, rel=1e-4)
    plain, heavier = (
        TrainingTable(features, codes, polygons, FEATURES, w) for w in (None, weights)
    )
    for learner in (
        "LogisticRegression",
        "LinearSVC",
    ):  # the second has no probabilities: calibrated
        scaled = LearningSettings(learner, {}, True)
        said = [fit(table, scaled, 0, 1)[0].predict_proba(features) for table in (plain, heavier)]
        assert not np.allclose(*said, rtol=1e-3)


def test_weights_reach_the_search_of_parameters(tmp_path):
    """Who says the class that weighs most is right at 12 samples of 18, and with weights at 6 of 18."""
    codes = np.repeat([3, 7], [12, 6])
    table = TrainingTable(np.zeros((18, 2), np.int16), codes, np.arange(18) // 2, FEATURES)
    wanted = {
        "method": "grid",
        "parameters": {"strategy": ["prior"]},
        "folds": 3,
        "score": "accuracy",
    }
    settings = LearningSettings("DummyClassifier", {}, search=wanted)
    for weights, right in ((None, 12 / 18), (np.where(codes == 7, 5.0, 1.0), 6 / 18)):
        weighted = replace(table, weights=weights)
        _, told = search(weighted, settings, DummyClassifier(), 1, tmp_path)
        assert told["best"] == pytest.approx(right, abs=1e-6)


@pytest.mark.parametrize(("learner", "refused"), [("KNeighborsClassifier", True), ("SVC", False)])
def test_a_learner_that_takes_no_weights_is_refused_where_years_differ(learner, refused):
    settings = LearningSettings(learner, {})
    found = list(problems_of_scikit(settings, Purpose((3, 7), 4, weighted=True)))
    assert bool(found) == refused
    assert all("years cannot weigh differently" in text for text in found)
    assert not list(problems_of_scikit(settings, Purpose((3, 7), 4)))


GIVEN = {
    "output": "results",
    "tiles": ["T31TCJ"],
    "nomenclature": "classes.csv",
    "sensors": {"sentinel2": {"path": "s2"}},
    "reference": {"path": "reference.gpkg", "field": "code"},
}


@pytest.mark.parametrize(
    ("learning", "words"),
    [
        ({"samples": ["old", {"path": "old", "weight": 2}]}, "old stands twice"),
        ({"samples": ["results", "old"]}, "the output of this production itself is among them"),
        ({"own_weight": 2}, "learning.own_weight: there are no samples of other productions"),
        ({"samples": [], "own_weight": 2}, "learning.samples: is empty"),
        ({"samples": [{"path": "old", "weight": 0}]}, "learning.samples.0.weight: 0 is not greater than 0"),
        ({"samples": [{"path": "old", "wait": 1}]}, "learning.samples.0: unknown key 'wait'"),
        ({"models": "older", "samples": ["old"]}, "learning.models and learning.samples"),
    ],
)  # fmt: skip
def test_lists_that_say_nothing_or_too_much_are_refused(learning, words):
    with pytest.raises(ConfigError, match=words):
        complete_configuration(GIVEN | {"learning": learning})


def test_a_list_says_for_each_year_where_it_is_and_how_much_it_counts():
    config = complete_configuration(
        GIVEN | {"learning": {"samples": ["old", {"path": "older/./", "weight": 0.5}]}}
    )
    assert [(item.path, item.weight) for item in config.learning.other_years] == [
        ("old", 1.0), ("older", 0.5),
    ]  # fmt: skip
    assert config.learning.weighted
    assert config.learning.own_table is None
    for weight, differ in ((1.0, False), (2.0, True)):
        beside = GIVEN | {"learning": {"samples": ["old"], "own_weight": weight}}
        assert complete_configuration(beside).learning.weighted == differ
    single = complete_configuration(GIVEN | {"learning": {"samples": "own.parquet"}})
    assert single.learning.own_table == "own.parquet"
    assert not single.learning.weighted
    assert single.as_dict()["learning"]["samples"] == "own.parquet"


def test_own_weight_needs_a_reference():
    unreferenced = {key: value for key, value in GIVEN.items() if key != "reference"}
    with pytest.raises(
        ConfigError, match="there is no reference, and so no sample of this production"
    ):
        complete_configuration(unreferenced | {"learning": {"samples": ["old"], "own_weight": 1}})
