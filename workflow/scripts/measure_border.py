"""Snakemake adapter of iota2_tools.vectors.measuring.measure_border."""

from iota2_tools.core.jobs import job
from iota2_tools.geo.squares import divided, files_in_bundles
from iota2_tools.vectors.measuring import measure_border

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    squares = divided(snakemake.params.division)
    measure_border(
        measures=files_in_bundles(snakemake.input.measures, squares, "parquet"),
        squares=squares,
        joined=snakemake.input.table,
        output=snakemake.output.measures,
    )
