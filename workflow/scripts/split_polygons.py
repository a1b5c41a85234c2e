"""Snakemake adapter of iota2_tools.reference.write_splits."""

from iota2_tools.grid import Grid
from iota2_tools.logs import log_to
from iota2_tools.reference import write_splits

with log_to(snakemake.log[0]):
    write_splits(
        reference=snakemake.params.reference,
        regions=snakemake.params.regions,
        sampling=snakemake.params.sampling,
        nomenclature=snakemake.input.nomenclature,
        grids=[Grid(**grid) for grid in snakemake.params.grids],
        used_regions=snakemake.params.used_regions,
        output=snakemake.output.splits,
    )
