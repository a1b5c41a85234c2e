"""Snakemake adapter of iota2_tools.vectors.shaping.shape_border."""

from iota2_tools.core.jobs import job
from iota2_tools.geo.squares import divided, files_in_bundles
from iota2_tools.vectors.shaping import shape_border

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    squares = divided(snakemake.params.division)
    shape_border(
        classes=snakemake.input.classes,
        squares=squares,
        borders=files_in_bundles(snakemake.input.borders, squares, "npz"),
        table=snakemake.input.table,
        output=snakemake.output.polygons,
    )
