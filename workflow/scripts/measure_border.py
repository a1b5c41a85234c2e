"""Snakemake adapter of iota2_tools.vectors.measuring.measure_border."""

from iota2_tools.core.jobs import job
from iota2_tools.vectors.measuring import measure_border

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    measure_border(
        measures=snakemake.input.measures,
        joined=snakemake.input.table,
        output=snakemake.output.measures,
    )
