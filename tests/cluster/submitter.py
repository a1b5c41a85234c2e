"""Snakemake on the Slurm of the tests, through one of the profiles for Slurm."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from cluster import EXECUTORS, ROOT, Snakemake
from slurm import Slurm

CODE = ":".join([str(ROOT), *(f"{ROOT}/executors/{name}/src" for name in EXECUTORS)])


@dataclass
class Submitter:
    """Snakemake with one of the profiles, on a Slurm.

    Attributes
    ----------
    quick : bool
        Whether it looks sooner than the profile says.
    """

    slurm: Slurm
    profile: str = "slurm-native"
    before: Sequence[str] = ()
    quick: bool = True

    def start(self, folder: Path, snakefile: Path, *arguments: str, **site: object) -> Snakemake:
        """Start Snakemake in a folder, with what the site file holds."""
        site_file = folder / "site.yaml"
        site_file.write_text(yaml.safe_dump(site), encoding="utf-8")
        often = {
            "slurm-native": ["--slurm-patient-init-seconds-before-status-checks", "1"],
            "slurm": ["--seconds-between-status-checks", "1"],
        }
        quick = often[self.profile] if self.quick else []
        command = [
            *self.before,
            # A shell that starts the tests in the background leaves SIGINT ignored.
            "env", "--default-signal=INT",
            sys.executable, "-m", "snakemake", "--snakefile", str(snakefile),
            "--profile", str(ROOT / "profiles" / self.profile), *quick, *arguments,
        ]  # fmt: skip
        environment = self.slurm.environment | {
            "IOTA2_SITE": str(site_file),
            "PYTHONPATH": CODE,
            "PATH": f"{Path(sys.executable).parent}:{self.slurm.environment['PATH']}",
        }
        with open(folder / "printed.txt", "w", encoding="utf-8") as output:
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        return Snakemake(process, folder)

    def run(self, folder: Path, snakefile: Path, *arguments: str, **site: object) -> str:
        """Run Snakemake, which must end well; what it printed."""
        snakemake = self.start(folder, snakefile, *arguments, **site)
        assert snakemake.finish(540) == 0, snakemake.printed
        return snakemake.printed
