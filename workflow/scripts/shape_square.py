"""Snakemake adapter of iota2_tools.vectors.shaping.shape_square."""

from iota2_tools.core.jobs import job
from iota2_tools.geo.squares import divided
from iota2_tools.vectors.shaping import shape_square
from iota2_tools.vectors.simplification import Shape

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    shape_square(
        classes=snakemake.input.classes,
        square=divided(snakemake.params.division)[snakemake.wildcards.square],
        trace=snakemake.input.trace,
        joined=snakemake.input.joined,
        shape=Shape(**snakemake.params.shape),
        output=snakemake.output.polygons,
        border=snakemake.output.border,
    )
