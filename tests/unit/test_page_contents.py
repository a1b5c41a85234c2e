"""What the report gathers: scores of places, calendar, importances, digests; by hand."""

import hashlib
import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from tiny import write_image

from iota2_tools.assessing.scores import Estimate, estimate
from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature
from iota2_tools.geo.grid import Grid
from iota2_tools.reporting.page import contents
from iota2_tools.reporting.page.contents import Sources, importances, joined, remarks_of
from iota2_tools.timeseries.inventory import Inventory

NOMENCLATURE = Nomenclature(
    (LandCoverClass(11, "Wood", (0, 150, 0)), LandCoverClass(300, "Urban", (255, 0, 0)))
)
DAYS = {"20180101": date(2018, 1, 1), "20180201": date(2018, 2, 1)}
MATRIX = "code,name,11 Wood,300 Urban,unclassified\n11,Wood,{},{},0\n300,Urban,{},{},0\n"


@pytest.fixture
def sources(tmp_path):
    """Two draws on two tiles, one of them in two regions."""

    def matrix(name, *cells):
        path = tmp_path / f"{name}.csv"
        path.write_text(MATRIX.format(*cells))
        return str(path)

    def regions(name, *rows):
        path = tmp_path / f"{name}.csv"
        path.write_text("region,reference,mapped,pixels\n" + "\n".join(rows) + "\n")
        return str(path)

    return Sources(
        seeds=(3, 5),
        matrices=[matrix("m3", 8, 2, 0, 10), matrix("m5", 10, 0, 5, 5)],
        areas=[], reliability=[], by_polygon=[], inventories=[], masks={}, validity={}, counts=None, profiles=None,
        others={
            "raw": [], "regularised": [matrix("r3", 8, 2, 0, 10), matrix("r5", 9, 1, 5, 5)],
            "fusion": [matrix("f", 3, 1, 0, 4)],
        },
        by_tile={
            "A": [matrix("a3", 6, 2, 0, 0), matrix("a5", 8, 0, 0, 0)],
            "B": [matrix("b3", 0, 0, 0, 0), matrix("b5", 0, 0, 0, 0)],
        },
        by_region={
            "A": [
                regions("ra3", "01,11,11,3", "01,11,300,1", "x,300,0,9"),
                regions("ra5", "01,11,11,4"),
            ],
            "B": [regions("rb3", "01,300,300,4"), regions("rb5", "01,300,11,4")],
        },
        results="", models=[], tiles="", nomenclature="",
    )  # fmt: skip


def test_other_maps_than_those_of_the_draws_have_scores_of_their_own(sources):
    """Right: 18 and 14 of 20; 7 of 8. By chance half of them: the columns are as large, or the rows."""
    regularised, fused = contents._other_maps(sources)
    assert (regularised.kind, regularised.pixels, fused.kind, fused.pixels) == (
        "regularised",
        20,
        "fusion",
        8,
    )
    assert regularised.overall_accuracy.mean == pytest.approx((18 / 20 + 14 / 20) / 2)
    assert fused.overall_accuracy.mean == pytest.approx(7 / 8)
    assert fused.kappa.mean == pytest.approx((7 / 8 - 0.5) / 0.5)
    assert fused.overall_accuracy.half_width is None


def test_scores_of_tiles_and_regions_are_means_over_the_draws(sources):
    tiles = list(contents._tiles(sources))
    assert [(place.name, place.pixels) for place in tiles] == [("A", 8), ("B", 0)]
    assert tiles[0].overall_accuracy == pytest.approx((6 / 8 + 1) / 2)
    assert (tiles[1].overall_accuracy, tiles[1].f_score) == (None, None)
    first, other = contents._regions(sources, NOMENCLATURE)
    # Draw 3: 3 + 4 of 8 right; draw 5: 4 of 8. Over both tiles.
    assert (first.kind, first.name, first.pixels) == ("region", "01", 8)
    assert first.overall_accuracy == pytest.approx((7 / 8 + 4 / 8) / 2)
    # F of draw 3: wood 2*3/(4+3), urban 2*4/(4+5); of draw 5: wood 2*4/(4+8), urban 0.
    assert first.f_score == pytest.approx(((6 / 7 + 8 / 9) / 2 + (8 / 12 + 0) / 2) / 2)
    # Without class in the map: counted, and left out of scores. Draw 5 has none there.
    assert (other.name, other.pixels, other.overall_accuracy) == ("x", 4.5, None)


def test_accuracy_has_each_matrix_and_no_interval_of_two_draws(sources, tmp_path):
    (tmp_path / "RESULTS.txt").write_text("Accuracy\n")
    told = contents._accuracy(
        Sources(**{**sources.__dict__, "results": str(tmp_path / "RESULTS.txt")}), NOMENCLATURE
    )
    assert told.overall_accuracy.mean == pytest.approx((18 / 20 + 15 / 20) / 2)
    assert told.overall_accuracy.half_width is None
    assert [matrix.name for matrix in told.matrices] == ["mean", "3", "5"]
    assert told.matrices[0].pixels == [[9, 1, 0], [2.5, 7.5, 0]]
    wood, urban = told.classes
    assert (wood.code, wood.confused) == (11, [(300, 0.1)])
    assert urban.confused == [(11, 0.25)]
    assert told.remarks == []


def test_accuracy_is_as_sure_as_its_polygons_are_alike(sources, tmp_path):
    (tmp_path / "RESULTS.txt").write_text("Accuracy\n")
    (tmp_path / "polygons.csv").write_text(
        "polygon,code,mapped,pixels\n1,11,11,8\n1,11,300,2\n2,300,300,10\n"
    )
    (tmp_path / "reliability.csv").write_text(
        "bin,n,mean_confidence,accuracy\n0.5,30,0.6,0.7\n0.9,10,0.9,0.6\n"
    )
    changed = {
        "results": str(tmp_path / "RESULTS.txt"),
        "by_polygon": [[str(tmp_path / "polygons.csv")]] * 2,
        "reliability": [str(tmp_path / "reliability.csv")] * 2,
    }
    told = contents._accuracy(Sources(**{**sources.__dict__, **changed}), NOMENCLATURE)
    # 18 of 20 right; 8 and 10 of each polygon where 9 are the mean: deviations of a twentieth, t(1) = 12.706.
    assert told.half_width_by_polygons == pytest.approx(12.706 * (2 * 2 * 0.05**2) ** 0.5, abs=1e-3)
    assert told.calibration_error == pytest.approx((30 * 0.1 + 10 * 0.3) / 40)


def test_three_draws_have_an_interval_and_two_have_none():
    assert contents._score(estimate([0.7, 0.8, 0.9])).half_width == pytest.approx(0.2484, abs=1e-4)
    assert contents._score(estimate([0.7, 0.8])).half_width is None
    assert contents._score(Estimate(float("nan"), float("nan"), 0)).mean is None


def test_remarks_are_those_of_the_results(tmp_path):
    text = "Title\n-----\n- no remark\n\nRemarks\n-------\nImages\n- one\nAreas\n- two\n\nHow to read\n- three\n"
    (tmp_path / "RESULTS.txt").write_text(text)
    assert remarks_of(str(tmp_path / "RESULTS.txt")) == ["one", "two"]


def model_of(folder, **told):
    folder.mkdir()
    (folder / "model.json").write_text(json.dumps({"learner": "SVC", **told}))
    return str(folder)


def test_importance_is_the_mean_over_the_models_that_tell_it(tmp_path):
    values = [{"S_B4_20180101": 0.75, "dem": 0.25}, {"S_B4_20180101": 0.25, "S_B8_20180201": 0.75}]
    models = [
        model_of(tmp_path / str(number), importances={"how": "by trees", "values": value})
        for number, value in enumerate(values)
    ]
    models.append(model_of(tmp_path / "silent"))
    found, how = importances(models, DAYS)
    assert how == "by trees"
    told = {item.feature: (item.quantity, str(item.day), item.value) for item in found}
    assert told == {
        "S_B4_20180101": ("S B4", "2018-01-01", 0.5),
        "dem": ("dem", "None", 0.125),
        "S_B8_20180201": ("S B8", "2018-02-01", 0.375),
    }


def test_profiles_stand_in_the_order_of_the_features_and_their_days_in_that_of_time(tmp_path):
    """NDVI before B4, wood before urban, as the table has them; a quantity of one day is no profile."""
    rows = [
        ("S_NDVI_20180201", 300), ("S_NDVI_20180201", 11), ("S_NDVI_20180101", 11), ("S_NDVI_20180101", 300),
        ("S_B4_20180101", 11), ("S_B4_20180201", 11), ("S_B8_20180201", 11), ("dem", 11),
    ]  # fmt: skip
    names = ("mean", "q05", "q25", "q50", "q75", "q95")
    table = pd.DataFrame(rows, columns=["feature", "code"])
    for place, name in enumerate(names):
        table[name] = [100.0 * number + place for number in range(len(rows))]
    table.to_parquet(tmp_path / "profiles.parquet")
    found = list(contents._profiles(str(tmp_path / "profiles.parquet"), DAYS))
    assert [(item.quantity, item.code) for item in found] == [
        ("S NDVI", 300), ("S NDVI", 11), ("S B4", 11),
    ]  # fmt: skip
    assert all(item.days == list(DAYS.values()) for item in found)
    assert [item.mean for item in found] == [[300, 0], [200, 100], [400, 500]]
    assert found[0].q95 == [305, 5]


def test_the_digest_of_images_is_that_of_their_digests_by_name(tmp_path):
    """Whatever the order in which they were recorded."""
    states = {"b.tif": [1, 1, "bb"], "a.tif": [1, 1, "aa"], "c.tif": None, "d.tif": [1, 1, "dd"]}
    record = {"revision": 0, "files": states}
    (tmp_path / "tiles" / "T31TCJ").mkdir(parents=True)
    (tmp_path / "tiles" / "T31TCJ" / "inventory.record").write_text(json.dumps(record))
    stock = Inventory("T31TCJ", Grid("EPSG:32631", 0, 0, 10, 8, 8), {}, {}, {})
    about = contents.About(str(tmp_path), {}, "0f", {"regions": [], "nomenclature": ["cc"]}, "", {})
    work = contents._work([stock], about, [])
    found = {item.name: (item.files, item.digest) for item in work.inputs}
    digest = hashlib.blake2b(b"aa\nbb\ndd", digest_size=16).hexdigest()
    assert found == {"nomenclature": (1, "cc"), "images of T31TCJ": (3, digest)}


def test_a_learner_without_importance_is_named(tmp_path):
    assert importances([model_of(tmp_path / "silent")], DAYS) == ([], "SVC tells none.")


def test_clear_dates_are_counted_without_what_is_not_mapped(tmp_path):
    values = np.array([[0, 2, 2], [255, 255, 3]], dtype=np.uint8)
    path = write_image(tmp_path / "validity.tif", values, nodata=255)
    (told,) = contents._clear_dates({"T31TCJ": path})
    assert (told.tile, told.pixels) == ("T31TCJ", [1, 0, 2, 1])


def test_the_same_share_of_large_and_small_tiles_is_counted(tmp_path, monkeypatch):
    """One pixel of four: of 8 x 8 pixels 16, of 4 x 2 pixels 2."""
    monkeypatch.setattr(contents, "SAMPLED", 4)
    paths = {
        f"T{rows}": write_image(tmp_path / f"{rows}.tif", np.full((rows, cols), 1, np.uint8))
        for rows, cols in ((8, 8), (4, 2))
    }
    assert [item.pixels for item in contents._clear_dates(paths)] == [[0, 16], [0, 2]]


def test_reliability_has_the_bins_with_pixels(tmp_path, sources):
    for seed, last in ((3, 4), (5, 0)):
        (tmp_path / f"r{seed}.csv").write_text(
            f"bin,n,mean_confidence,accuracy\n0,0,,\n9,{last},0.95,0.5\n"
        )
    files = [str(tmp_path / f"r{seed}.csv") for seed in (3, 5)]
    (step,) = contents._reliability(Sources(**{**sources.__dict__, "reliability": files}))
    assert (step.draw, step.pixels, step.confidence, step.accuracy) == (3, 4, 0.95, 0.5)


def test_the_digest_of_one_file_is_its_own_and_of_several_one_of_all():
    import hashlib

    assert joined(["abc"]) == "abc"
    assert joined(["abc", "def"]) == hashlib.blake2b(b"abc\ndef", digest_size=16).hexdigest()


def test_versions_are_those_of_the_packages_that_compute():
    told = contents._versions()
    assert told["numpy"] == np.__version__
    assert "not installed" not in told.values()
