"""Snakemake adapter of iota2_tools.features.write_stack."""

from iota2_tools.features import write_stack
from iota2_tools.logs import log_to

with log_to(snakemake.log[0]):
    write_stack(
        inventory=snakemake.input.inventory,
        settings=snakemake.params.features,
        masks=dict(zip(snakemake.params.features, snakemake.input.masks, strict=True)),
        budget_mb=snakemake.params.window_mb,
        threads=snakemake.threads,
        output=snakemake.output.features,
    )
