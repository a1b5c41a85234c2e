"""Where the products of a production are, for the end of a run."""

from pathlib import Path

import pandas as pd

from iota2_tools.errors import InputDataError


def summary(results: Path) -> str:
    """A few lines: map, picture, report, and the accuracy over the seeds.

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
            f"the production is not complete, {absent[0]} is missing; run snakemake again"
        )
    if (final / "report.html").exists():
        wanted["report"] = final / "report.html"
    lines = [f"  {name:<11}{path}" for name, path in wanted.items()]
    return "\n".join([*lines, "", *_accuracy_lines(final / "RESULTS.txt")])


def _accuracy_lines(path: Path) -> list[str]:
    wanted = ("Overall accuracy", "Kappa")
    return [
        f"  {line}"
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith(wanted)
    ]


def slowest_rules(results: Path, count: int = 5) -> pd.DataFrame:
    """Rules by total time over their jobs, from the benchmark files: seconds, jobs, peak MB."""
    rows = []
    for path in (results / "benchmarks").rglob("*.tsv"):
        table = pd.read_csv(path, sep="\t", na_values="-")
        rule = path.relative_to(results / "benchmarks").parts[0].removesuffix(".tsv")
        rows.append({"rule": rule, "seconds": table["s"].sum(), "peak_mb": table["max_rss"].max()})
    table = (
        pd.DataFrame(rows)
        .groupby("rule")
        .agg(jobs=("rule", "size"), seconds=("seconds", "sum"), peak_mb=("peak_mb", "max"))
    )
    return table.sort_values("seconds", ascending=False).head(count)
