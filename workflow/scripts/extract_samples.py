"""Snakemake adapter of iota2_tools.training.write_samples."""

from iota2_tools.logs import log_to
from iota2_tools.training import write_samples

with log_to(snakemake.log[0]):
    write_samples(
        selection=snakemake.input.selection,
        inventory=snakemake.input.inventory,
        settings=snakemake.params.features,
        masks=dict(zip(snakemake.params.features, snakemake.input.masks, strict=True)),
        budget_mb=snakemake.params.window_mb,
        threads=snakemake.threads,
        output=snakemake.output.samples,
    )
