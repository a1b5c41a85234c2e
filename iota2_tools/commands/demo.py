"""`iota2 demo`: the whole chain on a simulated scene, in the current folder: a first map."""

import argparse
import os
import shlex
from pathlib import Path

# As config/demo.yaml names them.
SCENE = "demo/scene"
RESULTS = "demo/results"
SEED = 0
"""As `iota2 simulate` takes it."""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "demo", help="the whole chain on a simulated scene, in this folder: a first map"
    )
    parser.add_argument(
        "--size", type=int, default=400, help="side of a tile, pixels of 10 m (%(default)s)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make the map; exit code."""
    return demo(arguments.size)


def demo(size: int) -> int:
    """Simulate a scene in `demo/scene`, make maps and polygons in `demo/results`, and say where they are.

    What an earlier run has finished is kept.

    Parameters
    ----------
    size : int
        Side of a tile, pixels of 10 m.

    Returns
    -------
    int
        0, or the exit code of Snakemake where a job has failed.

    Raises
    ------
    OutputError
        If nothing can be written here.
    """
    from iota2_tools.commands.engine import snakemake
    from iota2_tools.commands.run import run_production
    from iota2_tools.core.errors import OutputError
    from iota2_tools.core.places import CONFIG
    from iota2_tools.planning.whereabouts import place_of
    from iota2_tools.reporting.summary import summary
    from iota2_tools.simulate import SceneSettings, simulate_scene

    if not os.access(".", os.W_OK):
        raise OutputError(
            f"{Path.cwd()}: may not be written to; start `iota2 demo` in a folder of yours"
        )
    simulate_scene(SceneSettings(seed=SEED, size=size), SCENE, jobs=min(2, os.cpu_count() or 1))
    place = place_of(CONFIG / "demo.yaml", Path.cwd())
    options = ["--workflow-profile", "none"]
    report = ["--report", f"{RESULTS}/final/report.html"]
    code = run_production(place, options)
    if code == 0:
        code = snakemake(place, ["--quiet", "all", *options, *report])
        if code:
            words = [str(place.configfile), "--directory", str(place.folder), "--", *report]
            print(f"the report is missing; what stops it: iota2 run {shlex.join(words)}")
        print(f"\n{summary(Path(RESULTS))}")
    return code
