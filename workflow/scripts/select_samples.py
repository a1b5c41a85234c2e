"""Snakemake adapter of iota2_tools.reference.selection.write_selection."""

from iota2_tools.core.jobs import job
from iota2_tools.reference.selection import write_selection

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_selection(
        tile=snakemake.wildcards.tile,
        splits=snakemake.input.splits,
        regions=snakemake.input.regions,
        validity=snakemake.input.validity,
        statistics=snakemake.input.statistics,
        rates=dict(zip(snakemake.params.numbers, snakemake.input.rates, strict=False)),
        numbers=snakemake.params.numbers,
        seeds=snakemake.params.seeds,
        sampling=snakemake.params.sampling,
        output=snakemake.output.selection,
    )
