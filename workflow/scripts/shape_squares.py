"""Snakemake adapter of iota2_tools.vectors.shaping.shape_squares."""

from iota2_tools.core.jobs import job
from iota2_tools.geo.squares import bundle_of
from iota2_tools.vectors.shaping import shape_squares
from iota2_tools.vectors.simplification import Shape

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    shape_squares(
        classes=snakemake.input.classes,
        squares=bundle_of(snakemake.params.division, snakemake.wildcards.bundle),
        traces=snakemake.input.traces,
        joined=snakemake.input.joined,
        shape=Shape(**snakemake.params.shape),
        folder=snakemake.output.polygons,
        borders=snakemake.output.borders,
    )
