"""Snakemake adapter of iota2_tools.reference.selection.write_statistics."""

from iota2_tools.core.jobs import job
from iota2_tools.reference.selection import write_statistics

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_statistics(
        splits=snakemake.input.splits,
        regions=snakemake.input.regions,
        validity=snakemake.input.validity,
        numbers=snakemake.params.numbers,
        seeds=snakemake.params.seeds,
        cloud_threshold=snakemake.params.cloud_threshold,
        output=snakemake.output.statistics,
    )
