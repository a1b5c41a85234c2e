"""Where the products of a production are, for the end of a run."""

import re
from pathlib import Path

import pandas as pd

from iota2_tools.core.errors import InputDataError


def summary(results: Path) -> str:
    """A few lines: map, picture, what else there is, and the accuracy over the seeds.

    Raises
    ------
    InputDataError
        If the production is not complete.
    """
    final = results / "final"
    wanted = {
        "map": final / "Classif_Seed_0.tif",
        "picture": final / "Classif_Seed_0.png",
        "confidence": final / "Confidence_Seed_0.tif",
        "validity": final / "PixelsValidity.tif",
        "accuracy": final / "RESULTS.txt",
    }
    absent = [str(path) for path in wanted.values() if not path.exists()]
    if absent:
        raise InputDataError(
            f"the production is not complete, {absent[0]} is missing; `iota2 run` goes on with it"
        )
    others = {
        "report": "report/index.html", "in QGIS": "production.qgz", "fused map": "Classifications_fusion.tif",
        "polygons": "LandCover.gpkg", "delivery": "delivery", "of jobs": "report.html",
    }  # fmt: skip
    wanted |= {name: final / file for name, file in others.items() if (final / file).exists()}
    lines = [f"  {name:<11}{path}" for name, path in wanted.items()]
    return "\n".join([*lines, "", *_accuracy_lines(final / "RESULTS.txt")])


def _accuracy_lines(path: Path) -> list[str]:
    wanted = ("Overall accuracy", "Kappa", "Accuracy   ")
    return [
        f"  {line}"
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith(wanted)
    ]


def job_figures(results: Path) -> pd.DataFrame:
    """What each job asked for and took, from its log and its benchmark.

    Returns
    -------
    DataFrame
        `rule`, `job` (path of the log without its end), `asked_mb`, `peak_mb`, `seconds`,
        `cpu_seconds`; one line a finished job.
    """
    rows = []
    for log in sorted((results / "logs").rglob("*.log")):
        text = log.read_text(encoding="utf-8", errors="replace")
        asked, peak = (
            re.search(pattern + r" (\d+) MB", text)
            for pattern in ("asked for: .* and", "peak memory")
        )
        name = log.relative_to(results / "logs").with_suffix("")
        benchmark = results / "benchmarks" / f"{name}.tsv"
        if not (asked and peak and benchmark.exists()):
            continue
        took = pd.read_csv(benchmark, sep="\t", na_values="-").iloc[0]
        rows.append(
            {
                "rule": name.parts[0], "job": str(name), "asked_mb": int(asked[1]),
                "peak_mb": int(peak[1]), "seconds": took["s"], "cpu_seconds": took["cpu_time"],
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
