"""What the jobs of a production asked for, against what they took.

Usage: python benchmarks/needs.py RESULTS [RESULTS …]     (output folders of productions)

Memory is the peak of the job's process, plus what the Snakemake that starts it on a cluster
takes; the ratio is asked / (peak + that). Time is in seconds of CPU.
"""

import argparse
from pathlib import Path

import pandas as pd

from iota2_tools.planning.needs import SNAKEMAKE
from iota2_tools.reporting.summary import job_figures

ROW = "{:<22}{:>6}{:>10}{:>10}{:>8}{:>12}{:>14}"


def main() -> None:
    """Print a table for each production."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", nargs="+", type=Path)
    for results in parser.parse_args().results:
        print(f"\n{results}")
        print(ROW.format("rule", "jobs", "peak MB", "asked MB", "ratio", "CPU s", "wall s"))
        for rule, job in by_rule(job_figures(results)).iterrows():
            print(
                ROW.format(
                    rule, int(job.jobs), int(job.peak_mb), int(job.asked_mb), f"{job.ratio:.2f}",
                    f"{job.cpu_seconds:.1f}", f"{job.seconds:.1f}",
                )
            )  # fmt: skip


def by_rule(jobs: pd.DataFrame) -> pd.DataFrame:
    """The hungriest job of each rule, with the ratio of what it asked for."""
    hungriest = jobs.sort_values("peak_mb").groupby("rule").last()
    hungriest["jobs"] = jobs.groupby("rule").size()
    hungriest["ratio"] = hungriest["asked_mb"] / (hungriest["peak_mb"] + SNAKEMAKE)
    return hungriest.sort_values("peak_mb", ascending=False)


if __name__ == "__main__":
    main()
