"""Snakemake adapter of iota2_tools.reference.splits.write_splits."""

from iota2_tools.core.jobs import job
from iota2_tools.geo.grid import Grid
from iota2_tools.reference.splits import write_splits

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_splits(
        reference=snakemake.params.reference,
        regions=snakemake.params.regions,
        sampling=snakemake.params.sampling,
        nomenclature=snakemake.input.nomenclature,
        grids=[Grid(**grid) for grid in snakemake.params.grids],
        used_regions=snakemake.params.used_regions,
        output=snakemake.output.splits,
    )
