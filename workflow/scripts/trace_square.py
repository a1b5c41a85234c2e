"""Snakemake adapter of iota2_tools.vectors.tracing.trace_square."""

from iota2_tools.core.jobs import job
from iota2_tools.geo.squares import divided
from iota2_tools.vectors.tracing import trace_square

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    trace_square(
        classes=snakemake.input.classes,
        square=divided(snakemake.params.division)[snakemake.wildcards.square],
        output=snakemake.output.trace,
    )
