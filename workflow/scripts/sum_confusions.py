"""Snakemake adapter of iota2_tools.reporting.confusion.write_sum."""

from iota2_tools.core.jobs import job
from iota2_tools.reporting.confusion import write_sum

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_sum(
        confusions=list(snakemake.input.confusions),
        nomenclature=snakemake.params.legend["path"],
        output=snakemake.output.matrix,
        figure=snakemake.output.figure,
        title=snakemake.params.get("title", "Seed {}").format(snakemake.wildcards.get("seed")),
    )
