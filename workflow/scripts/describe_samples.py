"""Snakemake adapter of iota2_tools.reporting.page.samples.write_description."""

from iota2_tools.core.jobs import job
from iota2_tools.reporting.page.samples import write_description

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_description(
        samples=list(snakemake.input.samples),
        seeds=snakemake.params.seeds,
        counts=snakemake.output.numbers,
        profiles=snakemake.output.profiles,
    )
