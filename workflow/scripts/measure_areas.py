"""Snakemake adapter of iota2_tools.areas.write_areas."""

from iota2_tools.areas import write_areas
from iota2_tools.logs import log_to

with log_to(snakemake.log[0]):
    write_areas(
        classes=snakemake.input.classes,
        matrix=snakemake.input.matrix,
        nomenclature=snakemake.input.nomenclature,
        output=snakemake.output.areas,
    )
