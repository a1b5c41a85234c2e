"""Snakemake adapter of iota2_tools.validation.write_sum."""

from iota2_tools.logs import log_to
from iota2_tools.validation import write_sum

with log_to(snakemake.log[0]):
    write_sum(
        confusions=list(snakemake.input.confusions),
        nomenclature=snakemake.input.nomenclature,
        output=snakemake.output.matrix,
        figure=snakemake.output.figure,
        title=f"Seed {snakemake.wildcards.seed}",
    )
