"""What the plan makes of choices about samples and maps: parameters of the rules, problems of the check."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from tiny import LEFT, TOP, name_of, write_product

from iota2_tools.geo.grid import Grid
from iota2_tools.learning.traits import FOLDS
from iota2_tools.planning import checks
from iota2_tools.planning.checks import input_problems, input_warnings
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.expectation import expected
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production
from iota2_tools.planning.sizes import size_of


@pytest.fixture(autouse=True)
def without_trial(monkeypatch):
    """The learner is tried by other tests."""
    monkeypatch.setattr(checks, "problems_of_learner", lambda *_: [])


@pytest.fixture
def plan(tmp_path):
    """A tile of 8 x 8 pixels in two regions, west and east, with a polygon of two classes in each."""
    corners = [(LEFT, TOP - 40), (LEFT + 40, TOP - 40)]
    shapes = [shapely.box(x, y, x + 30, y + 30) for x, y in corners]
    gpd.GeoDataFrame({"code": [1, 2]}, geometry=shapes, crs="EPSG:32631").to_file(
        tmp_path / "reference.gpkg"
    )
    halves = [shapely.box(LEFT + x, TOP - 80, LEFT + x + 40, TOP) for x in (0, 40)]
    gpd.GeoDataFrame({"region": ["west", "east"]}, geometry=halves, crs="EPSG:32631").to_file(
        tmp_path / "regions.gpkg"
    )
    (tmp_path / "classes.csv").write_text("code,name\n1,Wheat\n2,Maize\n")
    for day in ("20180105", "20180125"):
        write_product(tmp_path / "s2" / "T31TCJ", name_of(day), {"B4": 1000, "B8": 1000})
    sentinel2 = {"path": str(tmp_path / "s2"), "keep_bands": ["B4", "B8"], "indices": []}
    common = {
        "output": str(tmp_path / "results"),
        "tiles": ["T31TCJ"],
        "nomenclature": str(tmp_path / "classes.csv"),
        "sensors": {"sentinel2": sentinel2},
        "reference": {"path": str(tmp_path / "reference.gpkg"), "field": "code"},
        "regions": {"path": str(tmp_path / "regions.gpkg")},
    }
    return lambda **sections: Production(complete_configuration(common | sections))


PLAIN = {"strategy": "all", "sampler": "random", "random_seed": 0}


def test_a_production_that_asks_for_nothing_hands_over_what_it_did_before(plan):
    production = plan()
    parameters = Parameters(production)
    assert parameters.choice_of_samples("T31TCJ") == PLAIN
    assert parameters.strategy("west") == {"strategy": "all"}
    assert set(production.config.counted("learning")) == {"learner", "parameters", "standardise"}
    assert parameters.copies_to("west") == []
    assert parameters.augmentation("west") is None
    assert parameters.own_samples is None
    assert parameters.features_of_model("west") is None
    assert not production.config.classification.smoothing.used


def test_regions_have_strategies_of_their_own_and_those_that_share_do(plan):
    own = {"strategy": "total", "total": 500, "sampler": "periodic"}
    production = plan(sampling={"max_per_polygon": 9, "per_region": {"east": own}})
    parameters = Parameters(production)
    assert parameters.strategy("west") == {"strategy": "all", "max_per_polygon": 9}
    assert parameters.strategy("east") == {"strategy": "total", "total": 500, "max_per_polygon": 9}
    assert parameters.choice_of_samples("T31TCJ") == PLAIN | {
        "max_per_polygon": 9,
        "per_region": {"east": own | {"random_seed": 0, "max_per_polygon": 9}},
    }
    assert [production.config.sampling.shared(region) for region in ("west", "east")] == [
        False,
        True,
    ]


def test_samples_are_made_for_the_models_asked_for(plan):
    section = {"method": "smote", "to": "number", "number": 70, "regions": ["east"]}
    parameters = Parameters(plan(sampling={"augmentation": section}))
    assert parameters.augmentation("west") is None
    made = parameters.augmentation("east")
    assert made["method"] == "smote"
    assert made["number"] == 70
    assert "regions" not in made


def test_folds_are_made_twice_where_polygons_are_dropped(plan):
    """Five folds, of all polygons and of those that are left; none where nothing is asked of them."""
    for choice, folds in (("report", FOLDS), ("drop", 2 * FOLDS)):
        parameters = Parameters(plan(sampling={"suspicious_polygons": choice}))
        assert size_of(parameters, None).folds == folds
    sections = {"sampling": {"suspicious_polygons": "none"}, "learning": {"calibration": "none"}}
    assert size_of(Parameters(plan(**sections)), None).folds == 0


def test_copies_go_to_their_destination(plan, tmp_path):
    (tmp_path / "copies.csv").write_text("source,destination,class,quantity\nwest,east,Maize,5\n")
    parameters = Parameters(plan(sampling={"management": str(tmp_path / "copies.csv")}))
    copy = {"source": "west", "destination": "east", "code": 2, "quantity": 5}
    assert parameters.copies_to("east") == [copy]
    assert parameters.copies_to("west") == []


def test_a_table_of_one_s_own_is_known_by_its_content_and_all_features_are_asked_of_it(
    plan, tmp_path
):
    frame = gpd.GeoDataFrame(
        {"code": [1, 2]}, geometry=shapely.points([LEFT, LEFT + 70], [TOP] * 2), crs="EPSG:32631"
    )
    path = str(tmp_path / "own.parquet")
    frame.to_parquet(path)
    production = plan(learning={"samples": path})
    before = Parameters(production).own_samples
    assert "buffer" not in before
    far = plan(learning={"samples": path}, sampling={"buffer": 200})
    assert Parameters(far).own_samples == before | {"buffer": 200}
    names = Parameters(production).features_of_model("west")
    assert names[0] == "Sentinel2_B4_20180105"
    (found,) = [text for text in input_problems(production) if "learning.samples" in text]
    assert f"{path}: has no column Sentinel2_B4_20180105" in found
    frame.assign(**{name: np.int16(1) for name in names}).to_parquet(path)
    assert not [text for text in input_problems(production) if "learning.samples" in text]
    assert Parameters(production).own_samples["contents"] != before["contents"]


def year_of(folder, features, value=1):
    """Output of another production: a sample of each class in each region."""
    number = np.arange(4)
    frame = gpd.GeoDataFrame(
        {"code": 1 + number % 2, "region": np.where(number < 2, "west", "east"), "polygon": number, "seed_0": True},
        geometry=shapely.points(LEFT + 5 + 20 * number, TOP - 5), crs="EPSG:32631",
    )  # fmt: skip
    (folder / "tiles/T31TCJ").mkdir(parents=True, exist_ok=True)
    (folder / "sampling").mkdir(exist_ok=True)
    path = folder / "tiles/T31TCJ/samples.parquet"
    frame.assign(**{name: np.int16(value) for name in features}).to_parquet(path)
    fields = frame[["polygon"]].set_geometry(frame.geometry.buffer(5))
    fields.to_file(folder / "sampling/polygons.gpkg")
    return str(folder)


def test_samples_of_other_years_are_known_by_their_content_and_weights(plan, tmp_path):
    sources = [str(tmp_path / "old"), {"path": str(tmp_path / "older"), "weight": 2}]
    production = plan(learning={"samples": sources})
    told = [text for text in input_problems(production) if text.startswith("learning.samples")]
    assert len(told) == 2
    assert all("there is no" in text for text in told)
    features = Parameters(production).features_of_model("west")
    for name in ("old", "older"):
        year_of(tmp_path / name, features)
    assert not [text for text in input_problems(production) if "learning.samples" in text]
    before = Parameters(production).year_samples
    assert [item["weight"] for item in before["sources"]] == [1.0, 2.0]
    assert [len(digests) for digests in before["contents"]] == [2, 2]  # the table and its polygons
    assert Parameters(production).year_samples == before
    year_of(tmp_path / "older", features, value=2)
    after = Parameters(production).year_samples["contents"]
    assert after[0] == before["contents"][0]
    assert after[1][0] != before["contents"][1][0]
    assert Parameters(production).sample_files == [
        str(tmp_path / name / "tiles/T31TCJ/samples.parquet") for name in ("old", "older")
    ]
    assert Parameters(production).own_samples is None
    year_of(tmp_path / "old", ["Sentinel2_B4_D005", "Sentinel2_B8_D005"])
    (found,) = [text for text in input_problems(production) if "learning.samples" in text]
    assert "one tells days of the year, the other dates" in found


def test_one_output_folder_is_a_list_of_one(plan, tmp_path):
    features = Parameters(plan()).feature_names
    folder = year_of(tmp_path / "old", features)
    parameters = Parameters(plan(learning={"samples": folder}))
    assert [source.path for source in parameters.sources] == [folder]
    assert parameters.own_samples is None
    assert not [
        text
        for text in input_problems(plan(learning={"samples": folder}))
        if "learning.samples" in text
    ]


def test_without_a_reference_nothing_of_one_is_planned(plan, tmp_path):
    folder = year_of(tmp_path / "old", Parameters(plan()).feature_names)
    production = plan(reference=None, learning={"samples": [folder]})
    parameters = Parameters(production)
    assert input_problems(production) == []
    assert not [text for text in input_warnings(production) if "polygon" in text]
    assert parameters.reference_contents == parameters.region_contents
    assert len(parameters.region_contents) > 0
    assert "REFERENCE" not in parameters.provenance
    assert parameters.provenance["NOMENCLATURE"] == "classes.csv"
    assert expected(production).samples == 0
    models = {
        "learning": {"models": folder},
        "sampling": {"runs": 2},
        "fusion": {"seeds": {"method": "majority"}},
    }
    judged = Parameters(plan(**models)).fused_products
    unjudged = Parameters(plan(reference=None, **models)).fused_products
    assert set(judged) - set(unjudged) == {
        "diff_fusion.tif", "diff_fusion.qml", "RESULTS_seeds.txt",
        "Confusion_Matrix_Classifications_fusion.csv", "Confusion_Matrix_Classifications_fusion.png",
    }  # fmt: skip
    assert "Areas_fusion.csv" in unjudged


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {"sampling": {"per_region": {"eastt": {}}}},
            "sampling.per_region: no region 'eastt' touches a tile, did you mean 'east'?",
        ),
        (
            {"sampling": {"augmentation": {"method": "smote", "regions": ["north"]}}},
            "sampling.augmentation.regions: no region 'north' touches a tile, they are east, west",
        ),
        (
            {
                "sampling": {
                    "augmentation": {"method": "smote", "to": "byclass", "byclass": {"7": 5}}
                }
            },
            "sampling.augmentation.byclass: the nomenclature has no code 7, codes are 1, 2",
        ),
        (
            {"sampling": {"management": "none.csv"}},
            "sampling.management: no file none.csv; check its path",
        ),
        (
            {"learning": {"samples": "none.gpkg"}},
            "learning.samples: no file none.gpkg; check its path",
        ),
    ],
)
def test_what_the_production_does_not_have_is_told_by_the_check(plan, sections, message):
    assert message in input_problems(plan(**sections))


def test_a_wrong_table_of_copies_is_told_by_the_check(plan, tmp_path):
    (tmp_path / "copies.csv").write_text("source,destination,class,quantity\nwest,east,9,5\n")
    found = input_problems(plan(sampling={"management": str(tmp_path / "copies.csv")}))
    (told,) = [text for text in found if text.startswith("sampling.management")]
    assert "line 2: class '9' is neither a code nor a name" in told


def test_copies_of_samples_that_lack_a_series_are_told(plan, tmp_path, monkeypatch):
    (tmp_path / "copies.csv").write_text("source,destination,class,quantity\nwest,east,1,5\n")
    production = plan(sampling={"management": str(tmp_path / "copies.csv")})
    monkeypatch.setattr(
        Production, "series_of_region", lambda self, region: ["sentinel2"] * (region == "east")
    )
    found = [text for text in input_problems(production) if text.startswith("sampling.management")]
    assert "region west has no sentinel2, which region east learns" in found[0]


def test_tiles_near_by_are_those_whose_pixels_count(plan, monkeypatch):
    """Beside one another: their pixels touch; ten pixels apart: they count from eleven on."""
    grids = {
        "A": Grid("EPSG:32631", 0, 80, 10, 8, 8),
        "B": Grid("EPSG:32631", 80, 80, 10, 8, 8),
        "C": Grid("EPSG:32631", 0, -100, 10, 8, 8),
    }
    monkeypatch.setattr(Production, "grids", grids)
    monkeypatch.setattr(Production, "grid", lambda self, tile: grids[tile])
    production = plan()
    assert production.near("A", 1) == ["B"]
    assert production.near("A", 10) == ["B"]
    assert production.near("A", 11) == ["B", "C"]
