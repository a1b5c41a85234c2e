"""Snakemake adapter of iota2_tools.preview.write_preview."""

from iota2_tools.logs import log_to
from iota2_tools.nomenclature import read_nomenclature
from iota2_tools.preview import write_preview

with log_to(snakemake.log[0]):
    write_preview(
        snakemake.input.classes,
        read_nomenclature(snakemake.input.nomenclature),
        snakemake.output.picture,
    )
