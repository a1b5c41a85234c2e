"""Snakemake adapter of iota2_tools.samples.burn_polygons."""

from iota2_tools.logs import log_to
from iota2_tools.samples import burn_polygons

with log_to(snakemake.log[0]):
    burn_polygons(
        splits=snakemake.input.splits,
        regions=snakemake.input.regions,
        output=snakemake.output.polygons,
    )
