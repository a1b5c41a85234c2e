"""Snakemake adapter of iota2_tools.vectors.joining.join_squares."""

from iota2_tools.core.jobs import job
from iota2_tools.geo.squares import divided
from iota2_tools.vectors.joining import join_squares

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    squares = divided(snakemake.params.division)
    join_squares(
        traces=dict(zip(squares, snakemake.input.traces, strict=True)),
        squares=squares,
        outputs=dict(zip(squares, snakemake.output.squares, strict=True)),
        table=snakemake.output.table,
    )
