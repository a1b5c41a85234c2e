"""Large regions learnt in parts: dealt by polygon and class, all parts with all classes."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box
from tiny import LEFT, TOP, name_of, write_product

from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.config.sampling import Reference, Sampling
from iota2_tools.core.errors import ConfigError, InputDataError, LearningError
from iota2_tools.geo.grid import Grid
from iota2_tools.learning import engines
from iota2_tools.learning.managed import Managed
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.planning.checks import input_problems
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production
from iota2_tools.reference.dealing import PartOfRegion, parts_of_region
from iota2_tools.reference.splits import SplitPlan, split_of, write_splits

GRID = Grid("EPSG:32631", LEFT, TOP, 10, 8, 40)


@pytest.fixture
def plan(tmp_path):
    """Makes a split of polygons of one pixel, for a region in some parts."""
    (tmp_path / "classes.csv").write_text("code,name\n1,Wheat\n2,Maize\n")

    def make(codes, parts, **sampling):
        shapes = [box(LEFT + 10 * n, TOP - 10, LEFT + 10 * n + 10, TOP) for n in range(len(codes))]
        path = tmp_path / "reference.gpkg"
        gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs="EPSG:32631").to_file(path)
        return SplitPlan(
            Reference(path=str(path), field="code"),
            Sampling(**sampling),
            None,
            read_nomenclature(str(tmp_path / "classes.csv")),
            [GRID],
            ["1"],
            parts={"1": parts} if parts > 1 else {},
        )

    return make


def test_learning_polygons_are_dealt_into_parts_that_have_all_classes(plan):
    polygons = split_of(plan([1] * 20 + [2] * 12, 3)).polygons
    dealt = parts_of_region(polygons, "1", 0, 3, 0)
    assert (
        sorted(dealt["polygon"]) == polygons.loc[polygons["seed_0"] == "learn", "polygon"].tolist()
    )
    counts = dealt.groupby(["code", "part"]).size()
    assert sorted(counts[1]) == [3, 3, 4]
    assert sorted(counts[2]) == [2, 2, 2]
    other = parts_of_region(polygons.assign(seed_1=polygons["seed_0"]), "1", 1, 3, 0)
    assert not other["part"].equals(dealt["part"])


def test_a_class_of_fewer_polygons_than_parts_is_refused_by_name(plan):
    with pytest.raises(
        InputDataError, match=r"region 1, seed 0: class Maize has 2 learning poly.*3 parts"
    ):
        split_of(plan([1] * 20 + [2] * 4, 3))
    with pytest.raises(
        InputDataError, match=r"class Maize has 1 learning polygon\(s\) for 2 parts"
    ):
        split_of(plan([1] * 20 + [2], 2))
    split_of(plan([1] * 20 + [2] * 4, 2))
    split_of(plan([1] * 20 + [2], 1))


def test_a_region_of_which_no_fold_can_be_set_apart_is_refused_where_folds_are_wanted(plan):
    one_each = plan([1, 1, 2, 2], 1, runs=2)  # one of each class learns
    split_of(one_each)
    with pytest.raises(
        InputDataError, match=r"region 1, seed 0: no class has two learning polygons"
    ):
        split_of(replace(one_each, folds=True))
    found = split_of(replace(plan([1] * 4 + [2], 1), folds=True))
    lacking = "region 1, seed 0: class Maize has one learning polygon, so that its folds lack it"
    assert [text.startswith(lacking) for text in found.remarks] == [True]
    assert split_of(plan([1] * 4 + [2], 1)).remarks == []


@pytest.fixture
def samples(plan, tmp_path):
    """Splits of a region in two parts, and samples of its learning polygons."""
    given = plan([1] * 8 + [2] * 8, 2)
    path = str(tmp_path / "polygons.gpkg")
    write_splits(given, path)
    learns = split_of(given).polygons.query("seed_0 == 'learn'")
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"polygon": np.repeat(learns["polygon"], 5), "code": np.repeat(learns["code"], 5)}
    )
    table = table.reset_index(drop=True).assign(region="1", seed_0=True)
    table["band"] = (table["code"] * 100 + rng.integers(0, 30, len(table))).astype(np.int16)
    return table, path


def train(table, part, tmp_path):
    table.to_parquet(tmp_path / "samples.parquet", index=False)
    settings = LearningSettings("RandomForestClassifier", {"n_estimators": 3})
    output = str(tmp_path / f"model{part.number}")
    tables, managed = [str(tmp_path / "samples.parquet")], Managed(part=part)
    engines.train(tables, ModelKey("1", 0, 0), settings, 1, output, managed=managed)
    return engines.describe(output)


def test_each_part_is_learnt_from_its_own_polygons_and_every_polygon_once(samples, tmp_path):
    table, splits = samples
    parts = [PartOfRegion(splits, number, 2) for number in range(2)]
    told = [train(table, part, tmp_path) for part in parts]
    assert [item["polygons"] for item in told] == [4, 4]
    assert [item["classes"] for item in told] == [{"1": 10, "2": 10}] * 2
    every = np.concatenate([part.polygons("1", 0, 0) for part in parts])
    assert sorted(every) == sorted(set(table["polygon"]))


def test_a_part_without_a_clear_pixel_of_a_class_is_told(samples, tmp_path):
    table, splits = samples
    part = PartOfRegion(splits, 1, 2)
    own = np.isin(table["polygon"], part.polygons("1", 0, 0)) & (table["code"] == 2)
    with pytest.raises(
        LearningError, match="part 2 of 2: no pixel of class 2 was clear often enough"
    ):
        train(table[~own], part, tmp_path)


@pytest.fixture
def production(tmp_path):
    """Makes the plan of a production over one tile of 80 m, 0.0064 km², in two regions."""
    write_product(tmp_path / "s2" / "T31TCJ", name_of("20180105"), {"B4": 1, "B8": 1})
    shapes = [box(LEFT - 500, TOP - 80, LEFT + 60, TOP), box(LEFT + 60, TOP - 80, LEFT + 900, TOP)]
    frame = gpd.GeoDataFrame({"region": ["a", "b"]}, geometry=shapes, crs="EPSG:32631")
    frame.to_file(tmp_path / "regions.gpkg")
    boxes = [box(LEFT + 10 * n, TOP - 20, LEFT + 10 * n + 10, TOP - 10) for n in range(8)]
    codes = gpd.GeoDataFrame({"code": [1, 2] * 4}, geometry=boxes, crs="EPSG:32631")
    codes.to_file(tmp_path / "reference.gpkg")
    (tmp_path / "classes.csv").write_text("code,name\n1,Wheat\n2,Maize\n")

    def make(fusion, **sections):
        sensor = {"path": str(tmp_path / "s2"), "keep_bands": ["B4", "B8"], "indices": []}
        given = {
            "output": str(tmp_path / "results"),
            "tiles": ["T31TCJ"],
            "nomenclature": str(tmp_path / "classes.csv"),
            "sensors": {"sentinel2": sensor},
            "reference": {"path": str(tmp_path / "reference.gpkg"), "field": "code"},
            "regions": {"path": str(tmp_path / "regions.gpkg")},
        }
        return Production(complete_configuration(given | sections | {"fusion": fusion}))

    return make


def test_the_area_that_the_tiles_cover_decides_on_the_parts(production):
    """Region a covers 60 of 80 m: 0.0048 km²; region b 0.0016."""
    plan = production({"regions": {"above_km2": 0.002}})
    assert plan.parts == {"a": 3}
    assert plan.model_names("a") == ["part1", "part2", "part3"]
    assert plan.model_names("b") == [""]
    assert production({"regions": {"above_km2": 0.0024}}).parts == {"a": 2}
    assert production({"regions": {"above_km2": 0.0048}}).parts == {}
    parameters = Parameters(plan)
    assert parameters.together("b") is None
    assert parameters.together("a")["names"] == ["part1", "part2", "part3"]
    assert parameters.part("a", "part3") == {"number": 2, "parts": 3}
    assert parameters.fusion_splits == {"parts": {"a": 3}}
    whole = production({"regions": {"above_km2": 0.005}}, regions=None)
    assert whole.parts == {"1": 2}


def test_the_check_names_the_class_that_a_part_would_lack(production):
    problems = input_problems(production({"regions": {"above_km2": 0.002}}))
    assert any("region a, seed 0: class Wheat has" in problem for problem in problems)
    assert not any("fusion" in p for p in input_problems(production({"regions": {"above_km2": 1}})))


def test_all_that_is_wrong_with_what_is_made_of_maps_is_told_at_once(production, tmp_path):
    units = gpd.GeoDataFrame({"dept": ["31"]}, geometry=[box(0, 0, 9, 9)], crs="EPSG:32631")
    units.to_file(tmp_path / "units.gpkg")
    wrong = {
        "regularisation": {"groups": "parent", "minimum_mapping_unit_m2": 6401},
        "vectorisation": {"seed": "fusion"},
        "delivery": {"path": str(tmp_path / "units.gpkg"), "field": "dept"},
    }
    told = "\n".join(input_problems(production({"regions": {"above_km2": 0.002}}, **wrong)))
    for words in (
        "regularisation.groups: parent, but Wheat and Maize of the nomenclature have no parent",
        "minimum_mapping_unit_m2: 6401 m² is larger than the whole map (6400 m²)",
        "units.gpkg: none of its 1 unit(s) touches the map",
        "vectorisation.seed: the maps of the draws are not fused",
        "region a, seed 0: class Wheat has",
    ):
        assert words in told


@pytest.mark.parametrize(
    ("fusion", "sections", "words"),
    [
        ({"regions": {}}, {}, "above_km2"),
        ({"regions": {"above_km2": 1, "method": "mean"}}, {"learning": {"learner": "otb-rf"}},
         "otb-rf gives no probabilities"),
        ({"regions": {"above_km2": 1, "method": "confidence"}},
         {"learning": {"learner": "otb-dt"}}, "otb-dt tells none"),
        ({"regions": {"above_km2": 1}, "sensors": {}}, {}, "in parts or by sensors"),
        ({"regions": {"above_km2": 1}, "seeds": {"method": "dempster_shafer"}},
         {"sampling": {"runs": 2}}, "maps that are themselves fused"),
    ],
)  # fmt: skip
def test_choices_that_cannot_stand_together_are_refused(production, fusion, sections, words):
    with pytest.raises(ConfigError, match=words):
        production(fusion, **sections)


def test_regions_in_degrees_have_no_area(production):
    degrees = {"projection": "EPSG:4326", "spatial_resolution": 0.0001}
    plan = production({"regions": {"above_km2": 1}}, grid=degrees)
    assert any("are angles, so that its regions have no area" in p for p in input_problems(plan))
