"""Classification of a tile by this code and by that of another commit, in turns.

Both do the same measurement (`classification.compare_job`: the whole job, one thread, CPU time) on
a scene that each made itself; the first run of each, which compiles, does not count. Prints the
rates of each turn, their ratio, and how many pixels have the same class in both maps.

Usage: python benchmarks/pair.py COMMIT [--runs 5] [--size 2048] [--samples 20000]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from classification import processor

from iota2_tools.geo.raster import read_raster

PROJECT = Path(__file__).parents[1]
PREPARE = """
import sys
from pathlib import Path
from classification import prepare
Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
prepare(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
"""
MEASURE = """
import json, sys
from pathlib import Path
from classification import compare_job
print(json.dumps(compare_job(Path(sys.argv[1]), 1)))
"""


@dataclass(frozen=True)
class Side:
    """One of the two: its code, and the folder of its scene and models."""

    name: str
    code: Path
    data: Path

    def run(self, program: str, *arguments: str) -> str:
        """Run a program with the benchmark and the package of this side; what it printed."""
        path = os.pathsep.join([str(self.code), str(self.code / "benchmarks")])
        command = [sys.executable, "-c", program, str(self.data), *arguments]
        environment = os.environ | {"PYTHONPATH": path}
        done = subprocess.run(
            command, cwd=self.code, env=environment, check=True, text=True, stdout=subprocess.PIPE
        )
        return done.stdout

    def rate(self) -> float:
        """Pixels per CPU second of one run."""
        return json.loads(self.run(MEASURE).strip().splitlines()[-1])["rate"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("commit", help="the other commit")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--folder", help="where scenes and models are kept (a temporary folder)")
    given = parser.parse_args()
    folder = Path(given.folder or Path(tempfile.gettempdir()) / f"iota2_pair_{given.size}")
    with code_of(given.commit) as other:
        sides = (
            Side("this code", PROJECT, folder / head_of(PROJECT)),
            Side(given.commit, other, folder / head_of(other)),
        )
        for side in sides:
            side.run(PREPARE, str(given.size), str(given.samples))
            side.rate()  # compiles what is not compiled yet
        print(processor())
        ratios = [turn(*sides) for _ in range(given.runs)]
    print(f"median of {given.runs} ratios {statistics.median(ratios):.3f}")
    maps = [read_raster(str(side.data / "classes.tif")) for side in sides]
    print(f"pixels of the same class: {(maps[0] == maps[1]).mean():.4%}")


def turn(new: Side, old: Side) -> float:
    """One run of each; the ratio of their rates."""
    rates = [side.rate() for side in (new, old)]
    print(
        *(
            f"{side.name} {rate:,.0f} px / CPU s"
            for side, rate in zip((new, old), rates, strict=True)
        ),
        f"ratio {rates[0] / rates[1]:.3f}",
        sep="   ",
        flush=True,
    )
    return rates[0] / rates[1]


def head_of(tree: Path) -> str:
    """Commit of a work tree, by which its scene is kept: later code may write another one."""
    command = ["git", "-C", str(tree), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


@contextmanager
def code_of(commit: str) -> Iterator[Path]:
    """The project as it was at a commit, in a work tree of git that is removed at the end."""
    with tempfile.TemporaryDirectory() as place:
        tree = str(Path(place) / "tree")
        git = ["git", "-C", str(PROJECT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", tree, commit], check=True)
        try:
            yield Path(tree)
        finally:
            subprocess.run([*git, "remove", "--force", tree], check=True)


if __name__ == "__main__":
    main()
