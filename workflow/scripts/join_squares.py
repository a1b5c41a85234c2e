"""Snakemake adapter of iota2_tools.vectors.joining.join_squares."""

from iota2_tools.core.jobs import job
from iota2_tools.geo.squares import bundles, divided, files_in_bundles
from iota2_tools.vectors.joining import join_squares

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    squares = divided(snakemake.params.division)
    join_squares(
        traces=files_in_bundles(snakemake.input.traces, squares, "npz"),
        squares=squares,
        folders=dict(zip(snakemake.output.squares, bundles(squares).values(), strict=True)),
        table=snakemake.output.table,
    )
