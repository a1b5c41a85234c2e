"""Snakemake adapter of iota2_tools.vectors.tracing.trace_squares."""

from iota2_tools.core.jobs import job
from iota2_tools.geo.squares import bundle_of
from iota2_tools.vectors.tracing import trace_squares

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    trace_squares(
        classes=snakemake.input.classes,
        squares=bundle_of(snakemake.params.division, snakemake.wildcards.bundle),
        folder=snakemake.output.traces,
    )
