"""What takes the space, what `iota2 clean` takes away and leaves, what an archive holds."""

import io
import json
import os
import shutil
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from test_lock import ABOUT, production

from iota2_tools.commands.cli import main
from iota2_tools.core.errors import ConfigError, InputDataError, OutputError
from iota2_tools.planning.needs import NEEDS
from iota2_tools.planning.ownership import Owner
from iota2_tools.planning.whereabouts import owner_of
from iota2_tools.publishing.housekeeping import (
    GROUPS,
    archive,
    files_of,
    group_of,
    kept_groups,
    remove,
    to_remove,
    usage,
)
from iota2_tools.publishing.lock import lock_in, read_lock, write_lock
from iota2_tools.publishing.verification import verify

MADE = {
    "models/region_1_seed_0/model.json": "models",
    "models/region_1_seed_0/model.skops": "models",
    "sampling/polygons.gpkg": "samples",
    "report/samples.csv": "samples",
    "tiles/T31TCJ/samples.parquet": "samples",
    "tiles/T31TCJ/inventory.json": "records",
    "tiles/T31TCJ/inventory.record": "records",
    "prepared/sentinel2/T31TCJ/201806-0123456789.record": "records",
    "prepared/sentinel2/T31TCJ/201806-0123456789.json": "prepared",
    "prepared/sentinel2/T31TCJ/PRODUCT/B4.tif": "prepared",
    "tiles/T31TCJ/sentinel2_clear.tif": "masks",
    "classification/T31TCJ/region_1/classes_seed_0.tif": "classification",
    "folds/region_1_seed_0/predictions.parquet": "models",
    "folds/region_1_seed_0/confusion.csv": "models",
    "regularisation/Seed_0/0_0/0_1.tif": "regularisation",
    "regularisation/Seed_0/0_0/.snakemake_timestamp": "regularisation",
    "regularisation/Seed_0/seams.json": "regularisation",
    "vectors/trace/r0c0/r0c0.npz": "vectors",
    "vectors/measures/r0c0/.snakemake_timestamp": "vectors",
    "vectors/polygons/border.parquet": "vectors",
    "logs/classify_tile/T31TCJ_region_1.log": "logs",
    "logs/run.jsonl": "logs",
    "benchmarks/works.json": "benchmarks",
    "benchmarks/classify_tile/T31TCJ_region_1.tsv": "benchmarks",
    "benchmarks/train_model/region_1_seed_0.tsv": "benchmarks",
}
OF_THE_USER = [
    "notes.txt",
    "classification/mine.tif",
    "final/notes.md",
    "models/other.json",
    "data/a.tif",
]


@pytest.fixture
def output(tmp_path):
    """A finished production with files of the user among its own."""
    folder = tmp_path / "results"
    production(folder)
    for name in [*MADE, *OF_THE_USER]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("s\tcpu_time\n9\t1800\n" if name.endswith(".tsv") else "x" * 5000)
    return folder


def names_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_each_file_is_of_one_group_and_what_is_not_ours_of_none(output):
    assert {name: group_of(name) for name in MADE} == MADE
    assert {group_of(name) for name in OF_THE_USER} == {"others"}
    assert group_of("final/Classif_Seed_0.tif") == group_of("final/production.lock") == "final"


def test_every_rule_is_in_one_group():
    rules = Counter(rule for group in GROUPS for rule in group.rules)
    assert set(rules) == set(NEEDS)
    assert set(rules.values()) == {1}


def test_space_and_costs_are_told_by_group(output):
    rows = {row.group: row for row in usage(output)}
    assert rows["models"].files == 4
    assert rows["models"].size == 4 * 8192  # two blocks of 4096 bytes each
    assert rows["models"].cpu_hours == 0.5  # one job of 1800 s
    assert rows["classification"].cpu_hours == 0.5
    assert rows["masks"].cpu_hours is None
    assert rows["others"].files == len(OF_THE_USER)
    assert sum(row.files for row in rows.values()) == len(names_in(output))


def test_clean_takes_what_was_made_and_leaves_the_rest(output, capsys):
    before = names_in(output)
    assert main(["clean", str(output), "--keep", "final,models,samples", "--yes"]) == 0
    kept = {name for name, group in MADE.items() if group in ("models", "samples", "records")}
    assert names_in(output) == (before - set(MADE)) | kept
    assert "removed 15 file(s)" in capsys.readouterr().out
    assert not (output / "vectors").exists()
    assert (output / "classification" / "mine.tif").exists()
    assert verify(read_lock(lock_in(output)), output / "final") != []  # the note is told, no more
    assert main(["clean", str(output), "--keep", "final,models,samples", "--yes"]) == 0
    assert "nothing to remove" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "code", "left"), [("n\n", 1, True), ("", 1, True), ("y\n", 0, False)]
)
def test_clean_asks_before_it_removes(output, monkeypatch, answer, code, left):
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    assert main(["clean", str(output)]) == code
    assert (output / "vectors" / "trace" / "r0c0" / "r0c0.npz").exists() == left
    assert (output / "logs" / "classify_tile" / "T31TCJ_region_1.log").exists()


def test_clean_refuses_what_is_no_production_or_at_work(output, tmp_path):
    with pytest.raises(InputDataError, match="holds no production"):
        to_remove(tmp_path, kept_groups(""))
    with pytest.raises(ConfigError, match="--keep modles: no such group, did you mean 'models'"):
        kept_groups("final,modles")
    (output / ".snakemake" / "locks").mkdir(parents=True)
    (output / ".snakemake" / "locks" / "0.output.lock").write_text("x")
    with pytest.raises(InputDataError, match="Snakemake is at work here"):
        to_remove(output, kept_groups("final"))


def test_a_snakemake_that_works_in_this_folder_is_left_alone_too(output, tmp_path, monkeypatch):
    """Plain snakemake has its locks where it was started."""
    (tmp_path / "here" / ".snakemake" / "locks").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    assert to_remove(output, kept_groups("final"))
    (tmp_path / "here" / ".snakemake" / "locks" / "0.input.lock").write_text("x")
    with pytest.raises(InputDataError, match="here: Snakemake is at work here, or was killed"):
        to_remove(output, kept_groups("final"))


def test_what_is_being_planned_is_left_alone(output):
    """A run that plans its jobs has no lock of Snakemake yet."""
    owner_of(output).parent.mkdir()
    owner_of(output).write_text(json.dumps(vars(Owner.of_process(os.getpid()))))
    with pytest.raises(InputDataError, match=f"is being made by .*process {os.getpid()}"):
        to_remove(output, kept_groups("final"))
    owner_of(output).write_text(json.dumps(vars(Owner.of_process(os.getpid())) | {"start": "x"}))
    assert to_remove(output, kept_groups("final"))


def test_links_are_left_alone(output, tmp_path):
    (tmp_path / "elsewhere.npz").write_text("x")
    (output / "vectors" / "trace" / "r0c0" / "r0c1.npz").symlink_to(tmp_path / "elsewhere.npz")
    assert "vectors/trace/r0c0/r0c1.npz" not in to_remove(output, kept_groups("final"))


def test_what_a_job_takes_away_meanwhile_is_left_out(output):
    """`iota2 disk` while the production runs: temporary files go."""
    (output / "tiles" / "T31TCJ" / ".part-a-1-x.tif").write_text("x")
    found = files_of(output / "tiles")
    first, _ = next(found)
    for path in (output / "tiles").rglob("*"):
        if path.is_file() and path.relative_to(output / "tiles").as_posix() != first:
            path.unlink()
    assert list(found) == []


def test_what_may_not_be_removed_is_named(output, monkeypatch):
    def refused(path, missing_ok=False):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(OutputError, match=r"model\.json: cannot be removed \(Permission denied\)"):
        remove(output, ["models/region_1_seed_0/model.json"])


def test_a_production_that_is_being_made_is_not_archived(output, tmp_path):
    """Its models may be newer than its maps, which alone are verified."""
    owner_of(output).parent.mkdir()
    owner_of(output).write_text(json.dumps(vars(Owner.of_process(os.getpid()))))
    with pytest.raises(InputDataError, match=f"is being made by .*process {os.getpid()}"):
        archive(output, tmp_path / "archive")
    assert not (tmp_path / "archive").exists()


@pytest.mark.parametrize("folder", ["models", "tiles", "models/region_1_seed_0"])
def test_what_an_archive_needs_is_never_left_out_because_it_is_a_link(output, tmp_path, folder):
    shutil.move(output / folder, tmp_path / "elsewhere")
    (output / folder).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputDataError, match=rf"{folder}: is a link, .* copies none"):
        archive(output, tmp_path / "archive")
    assert not (tmp_path / "archive").exists()


def test_an_archive_stands_alone_and_is_verified(output, tmp_path):
    target = tmp_path / "archive"
    archive(output, target)
    kept = {
        name
        for name, group in MADE.items()
        if group in ("models", "samples", "records", "benchmarks")
    }
    final = {name for name in names_in(output) if name.startswith("final/")} - {"final/notes.md"}
    assert names_in(target) == kept | final | {"production.yaml"}
    lock = read_lock(lock_in(target))
    assert verify(lock, target / "final") == []
    assert yaml.safe_load((target / "production.yaml").read_text()) == lock.configuration


def test_a_copy_that_is_not_whole_is_no_archive(output, tmp_path, monkeypatch):
    """A disk that loses what it is given."""
    copy = shutil.copy2

    def lost(source, target):
        copy(source, target)
        if target.name == "RESULTS.txt":
            target.write_bytes(b"")

    monkeypatch.setattr(shutil, "copy2", lost)
    with pytest.raises(InputDataError, match=r"RESULTS\.txt was altered"):
        archive(output, tmp_path / "archive")
    assert not (tmp_path / "archive").exists()


def test_what_cannot_be_archived_whole_is_refused(output, tmp_path):
    target = tmp_path / "archive"
    with pytest.raises(ConfigError, match="is not empty"):
        archive(output, output)
    with pytest.raises(ConfigError, match="is a file; name a new folder"):
        archive(output, output / "notes.txt")
    with pytest.raises(ConfigError, match="name a folder that is beside it"):
        archive(output, output / "final/archive")
    assert not (output / "final/archive").exists()
    (output / "models/region_1_seed_0/model.json").unlink()
    with pytest.raises(InputDataError, match=r"region_1_seed_0: has no model\.json"):
        archive(output, target)
    (output / "models/region_1_seed_0/model.json").write_text("{}")
    (output / "final" / "RESULTS.txt").write_text("better")
    with pytest.raises(
        InputDataError,
        match=r"results/final: 1 file\(s\) are not as the lock says, RESULTS\.txt was altered",
    ):
        archive(output, target)
    (output / "final" / "RESULTS.txt").write_text("Overall accuracy 0.9\n")
    (output / "tiles/T31TCJ/samples.parquet").unlink()
    with pytest.raises(InputDataError, match="has no tiles"):
        archive(output, target)
    (output / "models/region_1_seed_0").rename(output / "models/region_1_seed_01")
    with pytest.raises(InputDataError, match="has no model of draw 0"):
        archive(output, target)
    assert not target.exists()


def test_a_production_that_maps_by_other_models_is_archived_without_any(tmp_path):
    """It has learnt nothing: it has neither models nor samples."""
    configuration = {"output": "results", "learning": {"models": "results_2018"}}
    production(tmp_path / "results", about=replace(ABOUT, configuration=configuration))
    assert "final/Classif_Seed_0.tif" in archive(tmp_path / "results", tmp_path / "archive")


def test_an_archive_has_models_of_several_sources(output, tmp_path):
    (output / "models/region_1_seed_0").rename(output / "models/region_1_seed_0_optical")
    assert "models/region_1_seed_0_optical/model.json" in archive(output, tmp_path / "archive")


@pytest.mark.parametrize(
    ("learning", "lacking"),
    [
        ({"models": "results_2017"}, ["models/region_1_seed_0", "tiles/T31TCJ/samples.parquet"]),
        ({"samples": [{"path": "results_2017", "weight": 1}]}, ["tiles/T31TCJ/samples.parquet"]),
    ],
)
def test_what_is_of_other_productions_is_not_asked_of_an_archive(
    output, tmp_path, learning, lacking
):
    lock = read_lock(lock_in(output))
    changed = lock.model_copy(update={"configuration": lock.configuration | {"learning": learning}})
    changed = changed.model_copy(update={"sha256": changed.own_digest})
    write_lock(changed, str(lock_in(output)))
    for name in lacking:
        shutil.move(output / name, tmp_path / Path(name).name)
    archive(output, tmp_path / "archive")
    assert (tmp_path / "archive" / "final" / "production.lock").is_file()
    if "samples" in learning:  # own samples, where they join, are its own
        learning |= {"own_weight": 1.0}
        changed = lock.model_copy(
            update={"configuration": lock.configuration | {"learning": learning}}
        )
        write_lock(changed.model_copy(update={"sha256": changed.own_digest}), str(lock_in(output)))
        with pytest.raises(InputDataError, match="has no tiles"):
            archive(output, tmp_path / "again")
