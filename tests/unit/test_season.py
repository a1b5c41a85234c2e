"""Accuracy by month: which features are known when, and what models say with them."""

import csv
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from iota2_tools.assessing.clusters import PolygonCounts
from iota2_tools.commands.cli import main
from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.years import season as season_module
from iota2_tools.years.season import MonthScore, season_of, steps_of


def test_features_are_known_from_the_end_of_their_month():
    names = ["S2_B4_20180110", "S2_B4_20180120", "S2_B4_20180301", "ALT_band_1", "L8_B4_20180215"]
    found = steps_of(names)
    assert [(step.label, step.columns) for step in found] == [
        ("2018-01", [0, 1, 3]), ("2018-02", [0, 1, 3, 4]), ("2018-03", [0, 1, 2, 3, 4]),
    ]  # fmt: skip


def test_a_season_by_days_of_the_year_may_go_over_new_year():
    """From October (D274) to June (D160), radar some days earlier."""
    names = ["S2_B4_D274", "S2_B4_D334", "S2_B4_D029", "S2_B4_D100", "S2_B4_D160", "S1_VV_D270"]
    found = steps_of(names)
    assert [step.label for step in found] == ["Sep", "Oct", "Nov", "Jan", "Apr", "Jun"]
    assert found[1].columns == [0, 5]
    assert found[3].columns == [0, 1, 2, 5]


def test_a_season_by_days_of_the_year_may_be_a_calendar_year():
    names = [f"S2_B4_D{day:03d}" for day in range(1, 366, 10)]
    found = steps_of(names)
    assert [step.label for step in found][::11] == ["Jan", "Dec"]
    assert found[0].columns == [0, 1, 2, 3]  # days 1, 11, 21 and 31
    assert [step.label for step in steps_of(["a_b_D059", "a_b_D060"])] == ["Feb", "Mar"]


def test_the_month_that_a_season_begins_with_is_not_that_which_it_ends_with():
    """From 6 November (D310) to 5 November: those of the next year are known last."""
    names = ["S2_B4_D310", "S2_B4_D330", "S2_B4_D100", "S2_B4_D305", "S2_B4_D309"]
    found = steps_of(names)
    assert [(step.label, step.columns) for step in found] == [
        ("Nov", [0, 1]), ("Apr", [0, 1, 2]), ("Nov (next year)", [0, 1, 2, 3, 4]),
    ]  # fmt: skip


def test_dates_and_days_of_the_year_have_no_common_order():
    with pytest.raises(InputDataError, match="give all sensors the same `dates`"):
        steps_of(["S2_B4_20180110", "L8_B4_D120"])


def test_without_dates_there_is_no_season():
    with pytest.raises(InputDataError, match="no feature has a date"):
        steps_of(["ALT_band_1", "phenology_start"])


def test_scores_of_a_month_by_hand():
    """Ten samples in four polygons: of class 1 two with 5 and 3 samples, of class 2 two with one each."""
    counts = PolygonCounts(
        *np.array([[4, 1, 1, 5], [7, 1, 1, 1], [7, 1, 2, 2], [8, 2, 1, 1], [9, 2, 2, 1]]).T
    )
    item = MonthScore("2018-01", 3, counts, [1, 2, 5])
    assert item.matrix.tolist() == [[6, 2, 0], [1, 1, 0], [0, 0, 0]]
    assert item.polygons.tolist() == [2, 2, 0]
    # Right less 0.7 of all, by polygon: 1.5, -1.1, -0.7, 0.3; over 10. Student's t, 3 degrees: 3.1824.
    squares = (1.5**2 + 1.1**2 + 0.7**2 + 0.3**2) / 100
    assert item.half_width == pytest.approx(3.1824 * np.sqrt(squares * 4 / 3), abs=1e-4)
    assert item.overall == pytest.approx(0.7)
    assert item.f_scores[:2].tolist() == pytest.approx([12 / 15, 2 / 5])
    assert np.isnan(item.f_scores[2])


@pytest.fixture
def production(tmp_path):
    """Twenty polygons of two classes: January tells nothing, February all."""
    polygons = np.repeat(np.arange(1, 21), 4)
    codes = np.where(polygons % 2, 1, 2)
    random = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "row": 0, "col": np.arange(80), "code": codes, "polygon": polygons, "region": "1", "seed_0": True,
            "S2_B4_20180110": np.zeros(80, np.int16),
            "S2_B4_20180210": (codes * 100 + random.integers(0, 9, 80)).astype(np.int16),
        }
    )  # fmt: skip
    (tmp_path / "results/tiles/T31TCJ").mkdir(parents=True)
    frame.to_parquet(tmp_path / "results/tiles/T31TCJ/samples.parquet")
    model = tmp_path / "results/models/region_1_seed_0"
    model.mkdir(parents=True)
    told = {
        "region": "1", "seed": 0, "learner": "RandomForestClassifier", "standardise": False,
        "parameters": {"n_estimators": 5, "random_state": 3},
        "features": ["S2_B4_20180110", "S2_B4_20180210"], "classes": {"1": 40, "2": 40},
    }  # fmt: skip
    (model / "model.json").write_text(json.dumps(told))
    (tmp_path / "classes.csv").write_text("code,name\n1,Wheat\n2,Maize\n")
    return tmp_path


def test_accuracy_grows_with_the_month_that_tells_the_classes_apart(production, capsys):
    out = production / "out"
    given = ["--nomenclature", str(production / "classes.csv"), "--output", str(out)]
    assert main(["season", str(production / "results"), *given]) == 0
    with open(out / "season.csv", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    names = ["until", "features", "samples", "polygons", "overall_accuracy", "half_width"]
    assert rows[0] == [*names, "F Wheat", "F Maize"]
    assert [row[:4] for row in rows[1:]] == [
        ["2018-01", "1", "80", "20"],
        ["2018-02", "2", "80", "20"],
    ]
    assert float(rows[1][4]) <= 0.6
    assert rows[2][4:] == ["1.0000", "0.0000", "1.0000", "1.0000"]
    assert (out / "season.png").stat().st_size > 10_000
    said = capsys.readouterr().out
    assert "2018-02      2 features  overall accuracy 1.000 +- 0.000\n" in said
    assert (
        "Of 80 samples in 20 learning polygons: each is said by a model that has not learnt" in said
    )
    assert "compare a month with other months, not with it" in said
    assert "Few" not in said


def test_classes_with_fewer_polygons_than_folds_are_named(production, capsys):
    """A single one is in no fold, and is not counted."""
    path = production / "results/tiles/T31TCJ/samples.parquet"
    frame = pd.read_parquet(path)
    few = (frame["code"] == 1) | (frame["polygon"] <= 8)
    frame[few & (frame["polygon"] != 3)].to_parquet(path)
    given = ["--nomenclature", str(production / "classes.csv"), "--output", str(production / "out")]
    assert main(["season", str(production / "results"), *given]) == 0
    told = (
        "Few learning polygons, so that models without one of them hardly know the class: Maize 4."
    )
    assert told in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_learnt(
    production, capsys, monkeypatch
):
    monkeypatch.setattr(season_module, "out_of_fold", None)
    (production / "file").touch()
    given = [
        "--nomenclature",
        str(production / "classes.csv"),
        "--output",
        str(production / "file/out"),
    ]
    assert main(["season", str(production / "results"), *given]) == 2
    assert "file/out: cannot be written (Not a directory)" in capsys.readouterr().err


def test_rows_are_of_the_polygons_and_columns_of_what_is_said(production):
    """Two of four polygons of wheat look like the sixteen of maize; region 2 lacks January."""
    path = production / "results/tiles/T31TCJ/samples.parquet"
    frame = pd.read_parquet(path)
    frame["code"] = np.where(frame["polygon"] <= 4, 1, 2)
    frame["S2_B4_20180210"] = np.where(frame["polygon"] <= 2, 100, 200)
    pd.concat([frame, frame.assign(region="2")]).to_parquet(path)
    shutil.copytree(
        production / "results/models/region_1_seed_0", production / "results/models/region_2_seed_0"
    )
    told = json.loads((production / "results/models/region_2_seed_0/model.json").read_text())
    told |= {"region": "2", "features": ["S2_B4_20180210"]}
    (production / "results/models/region_2_seed_0/model.json").write_text(json.dumps(told))
    nomenclature = read_nomenclature(str(production / "classes.csv"))
    *_, last = season_of(production / "results", 0, 1, nomenclature)
    assert (last.label, last.features) == ("2018-02", 2)
    assert last.matrix.tolist() == [[16, 16], [0, 128]]


def test_a_folder_without_models_is_refused(production, capsys):
    given = ["--nomenclature", str(production / "classes.csv"), "--draw", "1"]
    assert main(["season", str(production / "results"), *given]) == 2
    assert (
        "holds no model of draw 1 (models/region_…_seed_1); it has draw 0"
        in capsys.readouterr().err
    )
    shutil.rmtree(production / "results/models")
    assert main(["season", str(production / "results"), "--draw", "1"]) == 2
    assert "name the output folder of a finished production" in capsys.readouterr().err
    # Mapped by the models of another one: no model is missing, there is nothing to follow.
    shutil.rmtree(production / "results/tiles")
    assert main(["season", str(production / "results")]) == 2
    assert "holds no samples" in capsys.readouterr().err


def test_another_nomenclature_is_refused(production, capsys):
    (production / "classes.csv").write_text("code,name\n1,Wheat\n3,Maize\n")
    given = ["--nomenclature", str(production / "classes.csv")]
    assert main(["season", str(production / "results"), *given]) == 2
    assert "has learnt class 2, which the nomenclature has not" in capsys.readouterr().err


def test_folds_are_those_of_the_draw_with_the_learner_of_its_models(production, monkeypatch):
    """The same folds whenever it is asked, whatever random state the model was learnt by."""
    asked = []
    plain = season_module.out_of_fold

    def watched(table, key, settings, threads):
        asked.append((key, settings))
        return plain(table, key, settings, threads)

    monkeypatch.setattr(season_module, "out_of_fold", watched)
    path = production / "results/tiles/T31TCJ/samples.parquet"
    pd.read_parquet(path).assign(seed_1=True).to_parquet(path)
    old, new = (production / f"results/models/region_1_seed_{draw}" for draw in (0, 1))
    shutil.copytree(old, new)
    told = json.loads((new / "model.json").read_text()) | {"seed": 1, "standardise": True}
    (new / "model.json").write_text(json.dumps(told))
    nomenclature = read_nomenclature(str(production / "classes.csv"))
    season_of(production / "results", 1, 1, nomenclature)
    assert asked[0][0] == asked[1][0] == ModelKey("1", 1, 0)
    settings = LearningSettings("RandomForestClassifier", {"n_estimators": 5}, True)
    assert asked[0][1] == asked[1][1] == settings


def test_of_several_series_the_season_begins_where_the_others_are_reached_soonest():
    """Radar from October on, optical images from January on: the season goes from October to September."""
    names = ["S1_VV_D280", "S1_VV_D310", "S1_VV_D010", "S1_VV_D200", "S2_B4_D005", "S2_B4_D040"]
    assert [step.label for step in steps_of(names)] == ["Oct", "Nov", "Jan", "Feb", "Jul"]
