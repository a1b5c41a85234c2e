"""Each stage runs by itself, on what the stages before it have made, and writes the same again."""

import copy
import hashlib
import shutil
import zipfile
from pathlib import Path

import pytest
from conftest import Workflow, job_counts
from rule_texts import rules_of_file

STAGES = (
    "prepare",
    "init",
    "sampling",
    "features",
    "learning",
    "classification",
    "mosaic",
    "validation",
    "regularisation",
    "fusion",
    "fusion_validation",
)


def test_every_file_of_rules_is_a_stage_of_these():
    assert set(STAGES) == {name for name in STAGES if rules_of_file(name)}


@pytest.fixture(scope="module")
def products(small_production) -> list[tuple[str, str]]:
    """Every product of the production, with its rule."""
    summary = small_production.run("all", "features", "--summary").stdout.splitlines()[1:]
    return [(path, rule) for path, _, rule, *_ in (line.split("\t") for line in summary)]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_runs_alone_and_writes_the_same(stage, small_production, products, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(small_production.folder, folder)
    workflow = Workflow(folder, copy.deepcopy(small_production.config))
    rules = rules_of_file(stage)
    outputs = [path for path, rule in products if rule in rules]
    assert outputs
    before = digests(folder, outputs)
    for path in outputs:
        shutil.rmtree(folder / path) if (folder / path).is_dir() else (folder / path).unlink()
    done = workflow.run(*outputs, "--allowed-rules", *rules)
    assert set(job_counts(done)) <= set(rules)
    assert digests(folder, outputs) == before


def digests(folder: Path, paths: list[str]) -> dict[str, str]:
    """Digest of each file, those in folders of models too."""
    files = [
        file
        for path in paths
        for file in sorted(
            (folder / path).rglob("*") if (folder / path).is_dir() else [folder / path]
        )
    ]
    return {str(path): digest(path) for path in files}


def digest(path: Path) -> str:
    """Of the content of a file; of a model, of its arrays.

    skops numbers its parts at random, and the packed trees name their model by its digest.
    """
    if path.suffix in (".skops", ".npz"):
        by_chance = ("schema.json", "of.npy")
        with zipfile.ZipFile(path) as model:
            return str(
                sorted(item.CRC for item in model.infolist() if item.filename not in by_chance)
            )
    return hashlib.sha256(path.read_bytes()).hexdigest()
