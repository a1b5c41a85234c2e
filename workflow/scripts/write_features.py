"""Snakemake adapter of iota2_tools.features.stack.write_stack."""

from iota2_tools.core.jobs import job
from iota2_tools.features.stack import write_stack

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_stack(
        inventory=snakemake.input.inventory,
        settings=snakemake.params.features,
        masks=dict(zip(snakemake.params.features, snakemake.input.masks, strict=True)),
        external=snakemake.params.external,
        budget_mb=snakemake.resources.window_mb,
        threads=snakemake.threads,
        output=snakemake.output.features,
    )
