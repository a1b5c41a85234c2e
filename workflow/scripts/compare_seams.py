"""Snakemake adapter of iota2_tools.vectors.regularisation.write_seams."""

from iota2_tools.core.jobs import job
from iota2_tools.geo.squares import files_in_bundles
from iota2_tools.vectors.regularisation import write_seams

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_seams(
        blocks=files_in_bundles(snakemake.input.blocks, snakemake.params.names, "tif"),
        margin=snakemake.params.margin,
        output=snakemake.output.seams,
    )
