"""One job again, by its log: what `iota2 job` says is typed as it stands, at a terminal."""

import shutil
import subprocess
import sys
from pathlib import Path

from conftest import job_counts, product_times
from terminals import Terminal


def test_the_command_of_iota2_job_runs_that_job_alone_under_the_debugger(
    small_production, tmp_path
):
    folder = tmp_path / "copy"
    shutil.copytree(small_production.folder, folder)
    before = product_times(folder / "results")
    log = "results/logs/train_model/region_1_seed_1.log"
    said = subprocess.run(
        [sys.executable, "-m", "iota2_tools.commands.cli", "job", log, "--configfile",
         "config.yaml"],
        cwd=folder, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    terminal = Terminal("p snakemake.wildcards.region, snakemake.rule\ncontinue\n")
    done = subprocess.run(
        said.replace("/dev/tty", terminal.name), shell=True, cwd=folder,
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert job_counts(done) == {"train_model": 1}
    assert "('1', 'train_model')" in terminal.shown()
    after = product_times(folder / "results")
    changed = {Path(name).parts[:2] for name, time in after.items() if before.get(name) != time}
    assert changed == {("models", "region_1_seed_1"), ("folds", "region_1_seed_1")}
