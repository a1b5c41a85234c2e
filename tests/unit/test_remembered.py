"""What has passed once is not looked at again; what was refused is, and so is all that changed."""

import datetime
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from iota2_tools.core import remembered
from iota2_tools.core.remembered import Notebook, has_passed, keep_passed, makers
from iota2_tools.learning import engines, tried
from iota2_tools.learning.settings import LearningSettings, Purpose
from iota2_tools.learning.tried import problems_of_learner

PURPOSE = Purpose((1, 2), 6)
SETTINGS = LearningSettings("GaussianNB", {"var_smoothing": 1})


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """An empty cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def trials(monkeypatch):
    """The trials that are made, in the place of scikit-learn; `max_depth: 0` is refused."""
    made = []

    def learner_problems(settings, purpose):
        made.append((settings, purpose))
        if settings.parameters.get("max_depth") == 0:
            yield "refused"

    monkeypatch.setattr(engines, "learner_problems", learner_problems)
    return made


def tried_again(trials, settings=SETTINGS, purpose=PURPOSE):
    before = len(trials)
    assert not list(problems_of_learner(settings, purpose))
    return len(trials) > before


def files(cache):
    return [path for path in cache.rglob("*") if path.is_file()]


LOOK = """
import sys
from iota2_tools.learning.settings import LearningSettings, Purpose
from iota2_tools.learning.tried import problems_of_learner
print(list(problems_of_learner(LearningSettings("GaussianNB", {}), Purpose((1, 2), 6))),
      "sklearn" in sys.modules, "skops" in sys.modules)
"""


@pytest.mark.slow
def test_a_learner_that_passed_is_not_imported_at_the_next_start():
    for answer in ("[] True True", "[] False False"):
        done = subprocess.run(
            [sys.executable, "-c", LOOK], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == answer


def test_the_same_learner_is_tried_once(trials):
    assert tried_again(trials)
    assert not tried_again(trials)


@pytest.mark.parametrize(
    "other",
    [
        replace(SETTINGS, learner="BernoulliNB"),
        replace(SETTINGS, parameters={"var_smoothing": 2}),
        replace(SETTINGS, parameters={"var_smoothing": 1.0}),
        replace(SETTINGS, parameters={"var_smoothing": True}),
        replace(SETTINGS, parameters={"var_smoothing": "1"}),
        replace(SETTINGS, parameters={"var_smoothing": datetime.date(2018, 1, 1)}),
        replace(SETTINGS, standardise=True),
    ],
)
def test_another_setting_is_tried(trials, other):
    tried_again(trials)
    assert tried_again(trials, other)
    assert not tried_again(trials)


@pytest.mark.parametrize(
    "other",
    [
        replace(PURPOSE, codes=(1, 3)),
        replace(PURPOSE, n_features=7),
        replace(PURPOSE, probability_map=True),
        replace(PURPOSE, kept_missing=("ALT",)),
    ],
)
def test_another_purpose_is_tried(trials, other):
    tried_again(trials)
    assert tried_again(trials, purpose=other)


@pytest.mark.parametrize("package", ["scikit-learn", "numpy", "scipy", "skops"])
def test_another_release_is_tried(trials, monkeypatch, package):
    tried_again(trials)
    real = remembered.version
    monkeypatch.setattr(remembered, "version", lambda name: "99" if name == package else real(name))
    assert tried_again(trials)


def test_another_python_is_tried(trials, monkeypatch):
    tried_again(trials)
    monkeypatch.setattr(remembered, "python_version", lambda: "3.99.0")
    assert tried_again(trials)


def test_a_changed_added_or_renamed_source_is_another(tmp_path):
    """Also one of the same length and time."""
    path = tmp_path / "room" / "trial.py"
    path.parent.mkdir()
    path.write_text("LIMIT = 1\n")
    found = set()
    for change in (
        lambda: None,
        lambda: path.write_text("LIMIT = 2\n"),
        lambda: (tmp_path / "more.py").touch(),
        lambda: (tmp_path / "more.py").rename(tmp_path / "other.py"),
    ):
        change()
        remembered._sources.cache_clear()
        found.add(remembered._sources(tmp_path))
    assert len(found) == 4


def test_the_sources_are_those_of_the_whole_package():
    assert Path(engines.__file__).is_relative_to(remembered.PACKAGE)
    assert makers(())["sources"] == remembered._sources(remembered.PACKAGE)


def test_a_refusal_is_told_each_time(trials, own_cache):
    wrong = replace(SETTINGS, parameters={"max_depth": 0})
    for _ in range(2):
        assert list(problems_of_learner(wrong, PURPOSE)) == ["refused"]
    assert len(trials) == 2
    assert not files(own_cache)


def test_learners_of_otb_are_tried_each_time(trials, own_cache):
    otb = replace(SETTINGS, learner="otb-rf")
    assert tried_again(trials, otb)
    assert tried_again(trials, otb)
    assert not files(own_cache)


def test_a_package_that_is_gone_leaves_the_word_to_the_trial(trials, monkeypatch):
    def gone(packages):
        raise PackageNotFoundError("skops")

    tried_again(trials)
    monkeypatch.setattr(tried, "makers", gone)
    assert tried_again(trials)


def test_without_a_folder_to_write_to_it_is_tried_each_time_in_silence(
    trials, own_cache, monkeypatch, capfd
):
    own_cache.write_text("a file where the folder would be")
    assert tried_again(trials)
    assert tried_again(trials)

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    assert tried_again(trials)
    assert tried_again(trials)
    assert capfd.readouterr() == ("", "")


def test_a_full_disk_leaves_nothing(trials, own_cache, monkeypatch):
    def full(*names):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(remembered.os, "replace", full)
    assert tried_again(trials)
    assert not files(own_cache)


@pytest.mark.parametrize("damage", [b"", b"{'look'", b"\xff\xfe\x00"])
def test_a_damaged_file_does_not_count_and_is_mended(trials, own_cache, damage):
    tried_again(trials)
    (path,) = files(own_cache)
    path.write_bytes(damage)
    assert tried_again(trials)
    assert not tried_again(trials)


def test_a_file_under_the_name_of_another_look_does_not_count(own_cache):
    keep_passed("one")
    (one,) = files(own_cache)
    keep_passed("other")
    (other,) = set(files(own_cache)) - {one}
    one.replace(other)
    assert not has_passed("other")


def test_without_the_variable_it_is_in_the_home(tmp_path, monkeypatch):
    for variable in ("", "relative/folder"):  # XDG: what is not absolute does not count
        monkeypatch.setenv("XDG_CACHE_HOME", variable)
        monkeypatch.setenv("HOME", str(tmp_path / "home" / (variable or "empty")))
        keep_passed("look")
        assert files(tmp_path / "home" / (variable or "empty") / ".cache" / "iota2-tools")


def test_many_at_once_keep_the_same(own_cache):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(keep_passed, ["look"] * 50))
    assert len(files(own_cache)) == 1
    assert has_passed("look")


# What was found in files.


@pytest.fixture
def notes(tmp_path, monkeypatch):
    """Reads a file by a notebook of its own, and says whether it was looked at."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def read(*paths, question="size", name="notebook", save=True):
        looked = []
        notebook = Notebook(name)
        found = notebook.read(
            map(str, paths), question, lambda: looked.append(1) or [len(paths), "x"]
        )
        assert found == [len(paths), "x"]
        if save:
            notebook.save()
        return bool(looked)

    return read


def test_a_file_is_looked_at_once_until_its_size_or_time_changes(notes, tmp_path):
    path = tmp_path / "a"
    path.write_text("1")
    assert [notes(path), notes(path)] == [True, False]
    path.write_text("12")
    assert [notes(path), notes(path)] == [True, False]
    os.utime(path, (1, 1))
    assert [notes(path), notes(path)] == [True, False]
    path.unlink()
    assert [notes(path), notes(path)] == [True, False]


def test_another_question_notebook_or_file_is_another_look(notes, tmp_path):
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_text("1")
    other.write_text("1")
    assert notes(path)
    assert notes(path, question="colour")
    assert notes(path, name="other")
    assert notes(path, other)


def test_what_is_not_asked_any_more_is_forgotten(notes, tmp_path):
    path = tmp_path / "a"
    path.write_text("1")
    assert notes(path)
    assert notes(path, question="colour")
    assert notes(path)


def test_without_saving_or_a_place_to_save_each_is_looked_at(notes, tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_text("1")
    assert [notes(path, save=False), notes(path, save=False)] == [True, True]
    monkeypatch.setenv("XDG_CACHE_HOME", str(path))
    assert [notes(path), notes(path)] == [True, True]


def test_a_notebook_that_was_cut_is_begun_anew(notes, tmp_path):
    path = tmp_path / "a"
    path.write_text("1")
    assert notes(path)
    (book,) = (tmp_path / "cache/iota2-tools/looks").iterdir()
    book.write_text(book.read_text()[:-9])
    assert [notes(path), notes(path)] == [True, False]
