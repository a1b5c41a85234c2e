"""Snakemake adapter of iota2_tools.timeseries.masks.write_validity."""

from iota2_tools.core.jobs import job
from iota2_tools.timeseries.masks import write_validity

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_validity(
        inventory=snakemake.input.inventory,
        masks=list(snakemake.input.masks),
        footprints=list(snakemake.input.footprints),
        validity=snakemake.output.validity,
        footprint=snakemake.output.footprint,
        least=snakemake.params.least,
    )
