"""Where a production may stand."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.places import place_findings


@pytest.fixture
def told(tmp_path, monkeypatch):
    """What is said of an output."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "s2").mkdir(parents=True)

    def look(output: str, **sections) -> list[str]:
        given = {
            "output": output,
            "tiles": ["T31TCJ", "T31TDJ"],
            "nomenclature": "classes.csv",
            "sensors": {"sentinel2": {"path": "data/s2"}},
            "reference": {"path": "reference.gpkg", "field": "code"},
        }
        return [str(item) for item in place_findings(complete_configuration(given | sections))]

    return look


def test_a_folder_that_is_not_there_yet_will_do(told):
    assert told("results") == []
    assert told("a/b/c", prepared="d") == []


def test_a_folder_around_the_inputs_will_do_and_one_inside_not(told):
    assert told("results") == []
    assert told("data/s2_results") == []  # its name only begins like theirs
    (text,) = told("data/s2/../s2/results")
    assert text == (
        "output: data/s2/results lies in data/s2, the folder of sensors.sentinel2.path; name a folder that is beside it"
    )


def test_a_link_leads_where_it_leads(told, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "data" / "s2")
    (text,) = told("link/results")
    assert text.startswith(
        "output: link/results lies in data/s2, the folder of sensors.sentinel2.path"
    )


@pytest.mark.parametrize("names", [["T31TCJ"], ["T31TCJ", "T32ULU"], []])
def test_products_of_one_of_the_tiles_are_those_of_this_production(told, tmp_path, names):
    for name in ["", *names]:
        (tmp_path / "results/tiles" / name).mkdir(parents=True, exist_ok=True)
    assert told("results") == []


def test_products_of_other_tiles_alone_are_those_of_another(told, tmp_path):
    for name in ("T32ULU", "T32ULV"):
        (tmp_path / "results/tiles" / name).mkdir(parents=True)
    assert told("results") == [
        "output: results holds another production, of T32ULU, T32ULV; name another folder, or remove that one"
    ]


def test_hidden_files_and_folders_of_ours_are_no_strangers(told, tmp_path):
    (tmp_path / "results/.snakemake").mkdir(parents=True)
    assert told("results") == []
    (tmp_path / "results/letter.txt").write_text("")
    assert "holds other files: letter.txt" in told("results")[0]
    (tmp_path / "results/logs").mkdir()
    assert told("results") == []


@contextmanager
def as_nobody() -> Iterator[None]:
    """As a user without rights, where the tests are run by root."""
    if os.getuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_folder_that_may_not_be_written_to_is_told(told, monkeypatch):
    place = Path(tempfile.mkdtemp(dir="/tmp"))
    place.chmod(0o555)
    monkeypatch.chdir(place)
    try:
        with as_nobody():
            (text,) = told(f"{place}/results")
        assert text == (
            f"output: {place}/results: {place} cannot be written to; name another folder, or have its permissions "
            "changed"
        )
    finally:
        shutil.rmtree(place)


def test_a_folder_that_may_not_be_looked_into_is_no_fault_of_the_chain(told, tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()

    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    for name in ("listdir", "scandir"):
        monkeypatch.setattr(os, name, refused)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    (text,) = told("results")
    assert "results cannot be written to" in text
