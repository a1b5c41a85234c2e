"""A stage that runs by itself, on what the stages before it have made."""

import copy
import hashlib
import shutil
import zipfile
from pathlib import Path

from conftest import Workflow, job_counts
from rule_texts import rules_of_file


def products_of(production: Workflow) -> list[tuple[str, str]]:
    """Every product of a production, with its rule."""
    summary = production.run("all", "features", "--summary").stdout.splitlines()[1:]
    return [(path, rule) for path, _, rule, *_ in (line.split("\t") for line in summary)]


def runs_alone(
    stage: str, production: Workflow, products: list[tuple[str, str]], folder: Path
) -> None:
    """A copy of the production without what a stage has made: its rules alone write the same again."""
    shutil.copytree(production.folder, folder)
    workflow = Workflow(folder, copy.deepcopy(production.config))
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
        if file.is_file()
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
