"""Maps on disk are fused window by window; the fused map is judged on what no draw has learnt."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box
from tiny import LEFT, TOP, values_of, write_image

from iota2_tools.assessing.areas import ClassAreas
from iota2_tools.assessing.comparison import SeedFiles, TileReference, write_fused_comparison
from iota2_tools.config.nomenclature import read_legend, read_nomenclature
from iota2_tools.config.sampling import Reference, Sampling
from iota2_tools.core.errors import ConfigError, InputDataError
from iota2_tools.fusing import tile as tile_module
from iota2_tools.fusing.known import known_sources
from iota2_tools.fusing.methods import FusionRules, Known
from iota2_tools.fusing.tile import RegionMaps, write_fused
from iota2_tools.geo.grid import Grid
from iota2_tools.planning.checks import input_problems
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production
from iota2_tools.reference.sets import PolygonTable
from iota2_tools.reference.splits import (
    SplitPlan,
    draw_held_back,
    held_back_count,
    split_of,
)
from iota2_tools.reporting.fusion import FusedEvidence, described, write_fused_results

CODES = (1, 2, 300)


def layers_of(region, seed, labels):
    """Rasters of a region and draw: classes, confidence, probabilities."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 334, (3, *labels.shape)).astype(np.uint16)
    return {
        "classes": labels.astype(np.uint16),
        "confidence": np.where(labels > 0, rng.integers(1, 101, labels.shape), 0).astype(np.uint8),
        "probabilities": np.where(labels > 0, values, 65535).astype(np.uint16),
    }


@pytest.fixture
def regions(tmp_path):
    """Two regions side by side, three sources; the first column is nowhere."""
    rng = np.random.default_rng(0)
    left = np.broadcast_to(np.arange(8) < 4, (8, 8))
    maps = []
    for number, inside in enumerate((left, ~left)):
        files: dict = {"classes": [], "confidence": [], "probabilities": []}
        for seed in range(3):
            labels = np.where(inside, rng.choice(CODES, (8, 8)), 0)
            labels[:, 0] = 0
            for name, values in layers_of(number, seed, labels).items():
                path = tmp_path / f"{name}_{number}_{seed}.tif"
                files[name].append(write_image(path, values))
        masses = np.array([[0.9, 0.5, 0.6]] * 3) * (number + 1) / 2
        maps.append(RegionMaps(known=Known(CODES, [1, 2, 3], masses), **files))
    return maps


@pytest.mark.parametrize("method", ["majority", "dempster_shafer", "mean"])
def test_small_windows_write_what_one_window_does(regions, method, tmp_path, monkeypatch):
    written = []
    for block in (256, 3):
        monkeypatch.setattr(tile_module, "BLOCK", block)
        monkeypatch.setattr(tile_module, "WINDOW_MB", 0.0001 if block == 3 else 64)
        names = ("classes", "confidence", "probabilities")
        outputs = {name: str(tmp_path / f"{name}_{block}.tif") for name in names}
        write_fused(regions, FusionRules(method), "uint16", outputs)
        written.append([values_of(path) for path in outputs.values()])
    for whole, part in zip(*written, strict=True):
        assert np.array_equal(whole, part)
    classes, confidence, probabilities = written[0]
    assert (classes[:, 0] == 0).all()
    assert (classes[:, 1:] > 0).all()
    assert np.array_equal(confidence > 0, classes > 0)
    assert np.array_equal(probabilities[0] == 65535, classes == 0)


def test_each_region_has_the_masses_of_its_own_models(tmp_path):
    """Left the first source is believed more, right the second."""
    left = np.broadcast_to(np.arange(4) < 2, (2, 4))
    maps = []
    for number, inside in enumerate((left, ~left)):
        files = [
            write_image(
                tmp_path / f"{number}{code}.tif", np.where(inside, code, 0).astype(np.uint8)
            )
            for code in (1, 2)
        ]
        masses = np.array([[0.9] * 3, [0.4] * 3])[:: 1 - 2 * number]
        maps.append(RegionMaps(files, files, Known(CODES, [1, 1], masses)))
    out = str(tmp_path / "out.tif")
    write_fused(maps, FusionRules("dempster_shafer"), "uint8", {"classes": out})
    assert values_of(out).tolist() == [[1, 1, 2, 2]] * 2


def test_samples_of_the_models_decide_where_that_is_asked_for(tmp_path):
    for name, samples in (("a", 5), ("b", 9)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.json").write_text(f'{{"samples": {samples}}}')
    a, b = (str(tmp_path / name) for name in "ab")
    assert known_sources(["one", "two"], CODES, models=[[a], [a, b]]).samples == [5, 14]
    assert known_sources(["one", "two"], CODES).samples == [1, 1]
    matrix = np.diag([3, 0, 1])
    assert known_sources(["a"], CODES, matrices=[matrix]).masses.tolist() == [[1, 0, 1]]


# Held back from all draws.


@pytest.mark.parametrize(
    ("polygons", "share", "expected"),
    [(1, 0.5, 0), (2, 0.5, 0), (3, 0.1, 1), (3, 0.9, 1), (10, 0.1, 1), (25, 0.1, 3), (10, 0, 0)],
)
def test_of_three_polygons_one_is_held_back_and_two_are_left(polygons, share, expected):
    assert held_back_count(polygons, share) == expected


def split(tmp_path, codes, held_back, **sampling):
    shapes = [box(10 * step, 0, 10 * step + 10, 10) for step in range(len(codes))]
    path = tmp_path / "reference.gpkg"
    gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs="EPSG:32631").to_file(path)
    table = tmp_path / "classes.csv"
    table.write_text("code,name\n1,Wheat\n2,Maize\n300,Water\n")
    return SplitPlan(
        Reference(path=str(path), field="code"),
        Sampling(**sampling),
        None,
        read_nomenclature(str(table)),
        [Grid("EPSG:32631", 0, 80, 10, 8, 40)],
        ["1"],
        held_back,
    )


def test_polygons_held_back_validate_in_every_draw_and_the_others_are_drawn_without_them(tmp_path):
    plan = split(tmp_path, [1] * 20 + [2] * 3, 0.2, runs=8, ratio=0.5)
    polygons = split_of(plan).polygons
    sets = polygons[[f"seed_{seed}" for seed in range(8)]]
    held = draw_held_back(polygons, 0.2, 0)
    assert [held[:20].sum(), held[20:].sum()] == [4, 1]
    assert (sets[held] == "validation").all(axis=None)
    for seed in range(8):  # half of the 16 and of the 2 that are left
        assert (sets.loc[~held, f"seed_{seed}"] == "learn").sum() == 8 + 1


def test_without_fusion_the_draws_are_as_they_were(tmp_path):
    codes = [1] * 9 + [2] * 4
    plain = split_of(split(tmp_path, codes, None, runs=3)).polygons
    none_held = split_of(split(tmp_path, codes, 0.0, runs=3)).polygons
    assert plain.equals(none_held)


def test_a_fused_map_that_no_polygon_can_judge_is_refused(tmp_path):
    with pytest.raises(
        InputDataError, match=r"every polygon learns in one of the 6 draws.*held_ba"
    ):
        split_of(split(tmp_path, [1] * 2 + [2] * 2, 0.5, runs=6))
    split_of(split(tmp_path, [1] * 2 + [2] * 2, None, runs=6))


TABLE = pd.DataFrame(
    {
        "polygon": [1, 2, 3, 4],
        "code": [1, 1, 2, 300],
        "seed_0": ["learn", "validation", "validation", "learn+validation"],
        "seed_1": ["validation", "validation", "unused", "validation"],
    }
)


def test_unlearnt_polygons_validate_in_every_draw_and_learn_in_none():
    table = PolygonTable(TABLE, [0, 1])
    assert np.flatnonzero(table.unlearnt).tolist() == [2]
    assert np.flatnonzero(table.learnt).tolist() == [1, 4]


@pytest.fixture
def compared(tmp_path):
    """A tile of four columns, one a polygon, compared with a fused map and those of two draws."""
    shapes = [box(LEFT + 20 * step, TOP - 80, LEFT + 20 * step + 20, TOP) for step in range(4)]
    frame = gpd.GeoDataFrame(TABLE, geometry=shapes, crs="EPSG:32631")
    frame.to_file(tmp_path / "polygons.gpkg")
    (tmp_path / "classes.csv").write_text("code,name\n1,Wheat\n2,Maize\n300,Water\n")
    ids = np.repeat([[1, 2, 3, 4]], 2, axis=1).repeat(8, axis=0)
    ones = np.ones((8, 8), np.uint8)
    fused = np.full((8, 8), 1, np.uint16)
    fused[0, 2], fused[1, 2], fused[2, 2] = 2, 255, 0
    maps = {"fused": fused, "seed_0": fused * 0 + 1, "seed_1": fused * 0 + 2}
    paths = {name: write_image(tmp_path / f"{name}.tif", values) for name, values in maps.items()}
    tile = TileReference(
        str(tmp_path / "polygons.gpkg"),
        write_image(tmp_path / "ids.tif", ids.astype(np.uint32)),
        write_image(tmp_path / "validity.tif", ones),
        write_image(tmp_path / "footprint.tif", ones),
        1,
    )
    files = {name: SeedFiles([path], str(tmp_path / f"{name}.csv")) for name, path in paths.items()}
    whole = SeedFiles([paths["fused"]], files["fused"].confusion, str(tmp_path / "diff.tif"), 255)
    seeds = {0: files["seed_0"], 1: files["seed_1"]}
    write_fused_comparison(tile, seeds, whole, str(tmp_path / "classes.csv"))
    return tmp_path


def test_the_fused_map_is_judged_on_unlearnt_polygons_alone(compared):
    rows = pd.read_csv(compared / "fused.csv").drop(columns=["code", "name"]).to_numpy()
    # Polygon 2, of class 1, 16 pixels: 13 right, one taken for class 2, one undecided, one without.
    assert rows.tolist() == [[13, 1, 0, 2], [0, 0, 0, 0], [0, 0, 0, 0]]
    other = pd.read_csv(compared / "seed_1.csv").drop(columns=["code", "name"]).to_numpy()
    assert other.tolist() == [[0, 16, 0, 0], [0] * 4, [0] * 4]
    difference = values_of(compared / "diff.tif")
    assert difference[0].tolist() == [4, 4, 1, 2, 0, 0, 3, 3]


def test_the_report_sets_the_fused_map_beside_the_single_ones(compared):
    legend = read_nomenclature(str(compared / "classes.csv"))
    areas = ClassAreas(np.array([5, 1, 0]), *(np.array([0.05, 0.01, 0]) for _ in range(4)))
    empty = [[0] * 4, [0] * 4]
    matrices = {0: np.array([[16, 0, 0, 0], *empty]), 1: np.array([[0, 16, 0, 0], *empty])}
    fused = np.array([[12, 1, 0, 3], *empty])
    evidence = FusedEvidence(fused, matrices, PolygonTable(TABLE, [0, 1]), areas, legend, 0.123)
    write_fused_results(evidence, "majority vote", str(compared / "RESULTS_seeds.txt"))
    text = (compared / "RESULTS_seeds.txt").read_text()
    assert "Fused from seeds   0, 1\nBy                 majority vote\n" in text
    assert "Polygons           +- 0.123\n" in text
    assert "judged on 1 polygon(s) that no draw has learnt" in text
    assert "no such polygon is of Maize and Water" in text
    write_fused_results(
        evidence, "majority vote", str(compared / "RESULTS_seeds.txt"), regularised=True
    )
    title = (compared / "RESULTS_seeds.txt").read_text().splitlines()[0]
    assert title == "Accuracy of the regularised land-cover map"
    # 12 of 16, though 12 of the 13 that have a class.
    assert "right for 0.000 to 1.000, in the mean 0.500, the fused map for 0.750" in text


def test_the_legend_of_a_map_with_undecided_pixels_has_a_name_for_them(compared):
    path = str(compared / "classes.csv")
    legend = read_legend({"path": path, "undecided": 255})
    assert legend.codes == (1, 2, 255, 300)
    assert legend.name_of(255) == "undecided"
    assert read_legend({"path": path}) == read_nomenclature(path)


# Its section of the configuration.


def configured(tmp_path, **sections):
    (tmp_path / "classes.csv").write_text("code,name\n1,Wheat\n255,Maize\n")
    given = {
        "output": "results",
        "tiles": ["T31TCJ"],
        "nomenclature": str(tmp_path / "classes.csv"),
        "sensors": {"sentinel2": {"path": str(tmp_path)}},
        "reference": {"path": str(tmp_path / "none.gpkg"), "field": "code"},
        "sampling": {"runs": 2},
    }
    return Production(complete_configuration(given | sections))


@pytest.mark.parametrize(
    ("seeds", "others", "words"),
    [
        ({}, {"sampling": {"runs": 1}}, "one draw has nothing to be fused with"),
        ({"method": "mean"}, {}, "set classification.probability_map to true"),
        ({"method": "confidence"}, {"learning": {"learner": "otb-dt"}}, "otb-dt tells none"),
        ({"method": "vote"}, {}, "vote"),
        ({"held_back": 1}, {}, "held_back"),
        ({"weights": [1, 2]}, {}, "fusion.seeds.weights: majority has none"),
        ({"method": "mean", "weights": [1, 2, 3]}, {}, "3 for 2 draws"),
        ({"method": "mean", "weights": [1, 0]}, {}, "weights"),
    ],
)
def test_methods_that_lack_what_they_need_are_refused(tmp_path, seeds, others, words):
    with pytest.raises(ConfigError, match=words):
        configured(tmp_path, fusion={"seeds": seeds}, **others)


def test_the_label_of_undecided_pixels_is_no_class(tmp_path):
    kept = {"undecided": "undecided", "undecided_label": 255}
    problems = input_problems(configured(tmp_path, fusion={"seeds": kept}))
    assert any("undecided_label: 255 is the class Maize" in problem for problem in problems)
    for other in ({}, kept | {"method": "mean"}, kept | {"undecided_label": 300}):
        plan = configured(
            tmp_path, fusion={"seeds": other}, classification={"probability_map": True}
        )
        assert not any("undecided_label" in problem for problem in input_problems(plan))


def test_a_label_above_255_widens_the_fused_map_alone(tmp_path):
    wide = {"undecided": "undecided", "undecided_label": 300}
    assert Parameters(configured(tmp_path, fusion={"seeds": wide})).fused_type == "uint16"
    narrow = wide | {"undecided": "most_samples"}
    assert Parameters(configured(tmp_path, fusion={"seeds": narrow})).fused_type == "uint8"


def test_folds_are_wanted_where_masses_are(tmp_path):
    for seeds, folds in (({"method": "dempster_shafer"}, {"folds": True}), ({}, {})):
        parameters = Parameters(configured(tmp_path, fusion={"seeds": seeds}))
        assert parameters.fusion_splits == {"held_back": 0.1} | folds


def test_weights_are_told_to_the_job_and_count_only_where_they_are_given(tmp_path):
    probabilities = {"probability_map": True}

    def plan(**seeds):
        seeds = {"seeds": {"method": "mean"} | seeds}
        return configured(tmp_path, fusion=seeds, classification=probabilities)

    weighted, plain = plan(weights=[1, 2.5]), plan()
    assert Parameters(weighted).seed_rules["weights"] == [1, 2.5]
    assert "weights" not in Parameters(plain).seed_rules
    assert set(plain.config.as_dict()["fusion"]["seeds"]) == {
        "method", "masses", "undecided", "undecided_label", "held_back",
    }  # fmt: skip
    assert weighted.config.digest != plain.config.digest
    told = described(Parameters(weighted).seed_rules)
    assert told == "mean of probabilities (weights: 1, 2.5)"


def test_a_production_without_fusion_is_what_it_was(tmp_path):
    """Its parameters and digest are those of before there was fusion."""
    plain = configured(tmp_path)
    parameters = Parameters(plain)
    assert (parameters.fusion_splits, parameters.fused_legend) == ({}, parameters.legend)
    assert configured(tmp_path, fusion=None).config.digest == plain.config.digest
    assert configured(tmp_path, fusion={"seeds": {}}).config.digest != plain.config.digest
