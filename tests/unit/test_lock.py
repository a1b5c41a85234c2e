"""The lock of a production: written and read, refused when newer or altered; what verify finds by it."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from osgeo import gdal
from tiny import LEFT, TOP, write_image

from iota2_tools.config.publication import Publication
from iota2_tools.core.errors import ConfigError, InputDataError
from iota2_tools.core.files import whole_file
from iota2_tools.core.locks import FORMAT
from iota2_tools.core.versions import VERSIONS
from iota2_tools.geo.grid import Grid
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.publishing.about import About, InputFile
from iota2_tools.publishing.checksums import sha256_of
from iota2_tools.publishing.lock import lock_in, lock_of, read_lock, write_lock
from iota2_tools.publishing.products import look_at_all
from iota2_tools.publishing.reproduction import (
    Places,
    changes_of_inputs,
    check_output,
    outcome,
    prepare,
)
from iota2_tools.publishing.verification import verify

GRID = Grid("EPSG:32631", LEFT, TOP, 10, 8, 8)
CODES = np.arange(64, dtype=np.uint8).reshape(8, 8) % 4
ABOUT = About(
    title="Land cover 2018", configuration={"output": "results"}, digest="0f", seeds=[0],
    tiles={"T31TCJ": GRID.as_dict()}, dates=("2018-01-06", "2018-12-30"), sensors=["sentinel2"],
    records=[], files=[], prepared="results/prepared",
)  # fmt: skip
FILES = ["Classif_Seed_0.tif", "RESULTS.txt", "scores.csv", "stac/collection.json"]


def production(folder, codes=CODES, tags=None, about=ABOUT):
    """A folder `final` with its lock."""
    final = folder / "final"
    (final / "stac").mkdir(parents=True)
    write_image(final / "Classif_Seed_0.tif", codes, nodata=0)
    (final / "RESULTS.txt").write_text("Overall accuracy 0.9\n")
    (final / "scores.csv").write_text("seed,score\n0,0.9\n")
    (final / "stac" / "collection.json").write_text("{}")
    lock = lock_of(about, {"a.gpkg": InputFile(1, "x")}, look_at_all(final, FILES))
    write_lock(lock, str(final / "production.lock"))
    return lock, final


def test_a_lock_is_read_as_it_was_written(tmp_path):
    lock, final = production(tmp_path)
    for place in (tmp_path, final, final / "production.lock"):
        assert read_lock(lock_in(place)) == lock
    assert lock.algorithms == VERSIONS
    assert lock.products["stac/collection.json"].content is None
    assert lock.software["numpy"] == np.__version__


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": FORMAT + 1}, "is of format 2, this version reads up to 1; install iota2-tools"),
        ({"seeds": [0, 1]}, "was altered since it was written"),
        ({"inputs": {}}, "was altered since it was written"),
        ({"seeds": "none"}, "is no lock of a production"),
        ({"colour": 1}, "is no lock of a production"),
    ],
)
def test_a_lock_that_cannot_be_followed_is_refused(tmp_path, change, said):
    _, final = production(tmp_path)
    path = final / "production.lock"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputDataError, match=said):
        read_lock(path)


def test_a_changed_lock_has_another_digest(tmp_path):
    lock, _ = production(tmp_path)
    assert lock.sha256 == lock.own_digest
    assert lock.model_copy(update={"seeds": [0, 1]}).own_digest != lock.sha256


def test_what_is_no_lock_is_refused(tmp_path):
    (tmp_path / "a").write_text("none")
    with pytest.raises(InputDataError, match="is no JSON"):
        read_lock(tmp_path / "a")
    (tmp_path / "b").write_text("[]")
    with pytest.raises(InputDataError, match="is no lock of a production"):
        read_lock(tmp_path / "b")
    with pytest.raises(InputDataError, match="cannot be read"):
        read_lock(tmp_path / "c")
    with pytest.raises(InputDataError, match=r"holds no final/production\.lock"):
        lock_in(tmp_path)


def test_an_untouched_production_is_verified(tmp_path):
    lock, final = production(tmp_path)
    (final / "report").mkdir()
    (final / "report" / "index.html").write_text("drawn")
    assert verify(lock, final) == []


def findings(lock, final):
    return {finding.path: finding for finding in verify(lock, final)}


def test_a_flipped_pixel_is_found_with_its_classes(tmp_path):
    lock, final = production(tmp_path)
    flipped = CODES.copy()
    flipped[2, 5] = 3  # 1 before
    write_image(final / "Classif_Seed_0.tif", flipped, nodata=0)
    found = findings(lock, final)
    assert list(found) == ["Classif_Seed_0.tif"]
    assert found["Classif_Seed_0.tif"].fatal
    assert found["Classif_Seed_0.tif"].what == (
        "was altered: pixels differ in 1 of 1 block(s): rows 0 to 7, columns 0 to 7 (300000 4899940 300080 4900020)"
    )


def test_bytes_alone_are_a_word_and_no_fault(tmp_path):
    lock, final = production(tmp_path)
    write_image(final / "Classif_Seed_0.tif", CODES, nodata=0, options=["COMPRESS=DEFLATE"])
    (final / "scores.csv").write_bytes(b"seed,score\r\n0,0.9\r\n")
    found = findings(lock, final)
    assert set(found) == {"Classif_Seed_0.tif", "scores.csv"}
    assert not any(finding.fatal for finding in found.values())


def test_what_is_missing_altered_or_of_another_run_is_told_apart(tmp_path):
    lock, final = production(tmp_path)
    (final / "RESULTS.txt").unlink()
    (final / "scores.csv").write_text("seed,score\n0,0.8\n1,0.9\n")
    (final / "stac" / "collection.json").write_text("{} ")
    write_image(final / "Classif_Seed_0.tif", 3 - CODES, nodata=0)
    raster = gdal.Open(str(final / "Classif_Seed_0.tif"), gdal.GA_Update)
    raster.SetMetadata({"CONFIG_SHA256": "abcdef0123"})
    del raster
    write_image(final / "Classif_Seed_1.tif", CODES)
    (final / "notes.txt").write_text("mine")
    found = findings(lock, final)
    assert found["RESULTS.txt"].what == "is missing"
    assert found["scores.csv"].what == "was altered: 3 rows instead of 2"
    assert found["stac/collection.json"].what == "was altered: its bytes are others"
    assert found["Classif_Seed_0.tif"].what.startswith(
        "is of another run, of the configuration abcdef01:"
    )
    assert found["Classif_Seed_1.tif"].what == "is of another run: the lock does not name it"
    assert [path for path, finding in found.items() if not finding.fatal] == ["notes.txt"]


def test_a_product_of_the_same_configuration_was_altered(tmp_path):
    lock, final = production(tmp_path)
    path = write_image(final / "Classif_Seed_0.tif", 3 - CODES, nodata=0)
    raster = gdal.Open(str(path), gdal.GA_Update)
    raster.SetMetadata({"CONFIG_SHA256": ABOUT.digest})
    del raster
    assert findings(lock, final)["Classif_Seed_0.tif"].what.startswith("was altered: pixels differ")


def test_a_damaged_product_is_named(tmp_path):
    lock, final = production(tmp_path)
    (final / "Classif_Seed_0.tif").write_bytes(b"II*\0")
    assert "cannot be read any more" in findings(lock, final)["Classif_Seed_0.tif"].what


def test_what_was_made_again_tells_which_pixel_of_the_original_was_flipped(tmp_path):
    lock, final = production(tmp_path / "first")
    again, made = production(tmp_path / "second")
    flipped = CODES.copy()
    flipped[2, 5] = 3
    write_image(final / "Classif_Seed_0.tif", flipped, nodata=0)
    found = outcome(lock, final, again, made, [])
    assert (found.same, found.differing, found.reasons) == (3, {}, [])
    # Centre of row 2, column 5: 300000 + 55, 4900020 - 25.
    assert found.altered == {
        "Classif_Seed_0.tif": "1 value(s) differ; rows 2 to 2, columns 5 to 5; the first at row 2, column 5 "
        "(300055 4899995); by 2 at most"
    }


def test_where_a_production_made_again_differs_and_why(tmp_path):
    lock, final = production(tmp_path / "first")
    other = CODES.copy()
    other[7, 7] = 0
    again, made = production(tmp_path / "second", other)
    again = again.model_copy(
        update={
            "software": again.software | {"numpy": "9"},
            "inputs": {},
            "algorithms": VERSIONS | {"masks": 99},
        }
    )
    found = outcome(lock, final, again, made, ["input a.gpkg: its content is another"])
    assert list(found.differing) == ["Classif_Seed_0.tif"]
    assert "row 7, column 7" in found.differing["Classif_Seed_0.tif"]
    assert found.same == 2
    assert found.reasons == [
        "input a.gpkg: its content is another",
        f"library numpy: from {np.__version__} to 9",
        f"computation masks: from {VERSIONS['masks']} to 99",
    ]
    # An original that was altered tells nothing of single pixels; without one the block is known.
    write_image(final / "Classif_Seed_0.tif", 3 - CODES, nodata=0)
    found = outcome(lock, final, again, made, [])
    assert found.differing["Classif_Seed_0.tif"].startswith("pixels differ in 1 of 1 block(s)")
    for file in FILES:
        (final / file).unlink()
    found = outcome(lock, final, again, made, [])
    assert found.differing["Classif_Seed_0.tif"].startswith("pixels differ in 1 of 1 block(s)")


def test_a_product_more_or_less_is_told(tmp_path):
    lock, final = production(tmp_path / "first")
    again, made = production(tmp_path / "second")
    fewer = {path: item for path, item in again.products.items() if path != "scores.csv"}
    found = outcome(lock, final, again.model_copy(update={"products": fewer}), made, [])
    assert found.differing == {"scores.csv": "is not made any more"}
    found = outcome(lock.model_copy(update={"products": fewer}), final, again, made, [])
    assert found.differing == {"scores.csv": "was not there before"}
    # What tells of products is none: it has hours, and is another each time.
    fewer = {path: item for path, item in again.products.items() if item.content}
    found = outcome(lock.model_copy(update={"products": fewer}), final, again, made, [])
    assert found.differing == {}


def test_inputs_are_held_against_the_lock(tmp_path):
    from iota2_tools.core.contents import digest

    for name in ("same", "changed", "new"):
        (tmp_path / name).write_text(name)
    known = {
        "same": InputFile(4, digest(tmp_path / "same")),
        "changed": InputFile(7, digest(tmp_path / "same")),
        "new": InputFile(None, None),
        "never": InputFile(None, None),
    }
    places = Places(tmp_path, "")
    assert list(changes_of_inputs(known, places)) == [
        "input changed: its content is another", "input new: is there now",
    ]  # fmt: skip
    with pytest.raises(InputDataError, match=r"gone: no file .*gone\nFetch them"):
        list(changes_of_inputs(known | {"gone": InputFile(1, "x")}, places))


def test_all_bytes_of_inputs_count_where_that_is_asked_for_and_are_read_once(tmp_path, monkeypatch):
    """FIPS 180-4's example: the message abc."""
    from iota2_tools.publishing import about

    monkeypatch.chdir(tmp_path)
    Path("a").write_bytes(b"abc")
    given = {"a": InputFile(3, "x"), "gone": InputFile(None, None)}
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    found = about.with_whole_checksums(given, "kept.json")
    assert found == {"a": InputFile(3, "x", expected), "gone": InputFile(None, None)}
    monkeypatch.setattr(about, "sha256_of", lambda path: "read again")
    assert about.with_whole_checksums(given, "kept.json") == found
    Path("a").write_bytes(b"abd")
    os.utime("a", ns=(0, 0))
    assert about.with_whole_checksums(given, "kept.json")["a"].sha256 == "read again"


def test_a_change_that_parts_do_not_show_is_found_by_all_bytes(tmp_path):
    from iota2_tools.core.contents import digest

    (tmp_path / "a").write_text("x")
    known = digest(tmp_path / "a")
    for sha256, changes in ((sha256_of(tmp_path / "a"), 0), ("0" * 64, 1), (None, 0)):
        inputs = {"a": InputFile(1, known, sha256)}
        assert len(list(changes_of_inputs(inputs, Places(tmp_path, "")))) == changes


@pytest.mark.parametrize(
    ("given", "path", "place"),
    [
        (["s2/a.tif"], "s2/a.tif", "/copy/s2/a.tif"),
        (["/d/s2/a.tif", "/d/classes.csv"], "/d/s2/a.tif", "/copy/s2/a.tif"),
        (["/d/classes.csv"], "/d/classes.csv", "/copy/classes.csv"),
        (["/d/s2/a.tif", "classes.csv"], "classes.csv", "/copy/classes.csv"),
    ],
)
def test_inputs_are_looked_for_in_the_folder_that_is_named(tmp_path, given, path, place):
    lock, _ = production(tmp_path)
    lock = lock.model_copy(update={"inputs": {name: InputFile(1, "x") for name in given}})
    assert Places.of(lock, Publication(), Path("/copy")).place_of(path) == place


def test_a_reproduction_is_not_made_over_its_original(tmp_path):
    _, final = production(tmp_path)
    with pytest.raises(ConfigError, match="holds the production of this lock"):
        check_output(str(tmp_path), final / "production.lock")
    (final / "production.lock").touch()
    for place in (final, final / "again"):
        with pytest.raises(ConfigError, match="lies among the products of"):
            check_output(str(place), final / "production.lock")
    check_output(str(tmp_path / "other"), final / "production.lock")


def test_a_record_of_files_is_read_once_and_prepared_ones_are_no_inputs(tmp_path, monkeypatch):
    from dataclasses import replace

    from iota2_tools.core.contents import digest, write_record

    monkeypatch.chdir(tmp_path)
    for path in ("s2/a.tif", "prepared/a.tif", "classes.csv"):
        with whole_file(path) as temporary:
            Path(temporary).write_text(path)
    write_record("a.record", ["s2/a.tif", "s2/gone.tif", "prepared/a.tif"], 0)
    about = replace(ABOUT, records=["a.record", "none"], files=["classes.csv"], prepared="prepared")
    assert about.inputs() == {
        "classes.csv": InputFile(11, digest("classes.csv")),
        "s2/a.tif": InputFile(8, digest("s2/a.tif")),
        "s2/gone.tif": InputFile(None, None),
    }
    # A file that a job has recorded is what it was then, whatever it is now.
    Path("s2/a.tif").write_text("another")
    named = replace(about, files=["classes.csv", "s2/a.tif"])
    assert named.inputs()["s2/a.tif"] == about.inputs()["s2/a.tif"]
    Path("s2/a.tif").write_text("s2/a.tif")
    # As the configuration has them, where it was read from another folder.
    moved = replace(about, written={"s2": "data/2018"})
    assert set(moved.inputs()) == {"classes.csv", "data/2018/a.tif", "data/2018/gone.tif"}
    whole = replace(moved, publication={"checksums": "whole"}, output="results")
    assert whole.inputs()["data/2018/a.tif"].sha256 == sha256_of("s2/a.tif")
    assert Path("results/input_checksums.json").is_file()


def test_what_is_made_again_shares_no_folder_and_compares_with_no_other_map(tmp_path, monkeypatch):
    """Prepared products of other productions, and maps that its report showed, may not be there."""
    monkeypatch.chdir(tmp_path)
    given = {
        "output": "results", "prepared": "shared", "tiles": ["T31TCJ"], "nomenclature": "classes.csv",
        "sensors": {"sentinel2": {"path": "s2"}}, "reference": {"path": "fields.gpkg", "field": "code"},
        "report": {"compare": ["results_2017"]},
    }  # fmt: skip
    whole = complete_configuration(given).as_dict()
    lock, _ = production(tmp_path / "first", about=replace(ABOUT, configuration=whole))
    changed, configfile = prepare(lock.model_copy(update={"inputs": {}}), None, "again")
    assert changed == []
    assert configfile == Path("again", "reproduce.yaml")
    found = complete_configuration(yaml.safe_load(configfile.read_text()))
    assert (found.output, found.prepared, found.report.compare) == ("again", None, [])
    assert found.sensors.sentinel2.path == str(tmp_path / "s2")
    assert found.nomenclature == str(tmp_path / "classes.csv")
