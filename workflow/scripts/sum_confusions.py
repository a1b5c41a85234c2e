"""Snakemake adapter of iota2_tools.reporting.confusion.write_sum."""

from iota2_tools.core.jobs import job
from iota2_tools.reporting.confusion import write_sum
from iota2_tools.reporting.reliability import write_reliability

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    title = snakemake.params.get("title", "Seed {}").format(snakemake.wildcards.get("seed"))
    write_sum(
        confusions=list(snakemake.input.confusions),
        nomenclature=snakemake.params.legend["path"],
        output=snakemake.output.matrix,
        figure=snakemake.output.figure,
        title=title,
    )
    if snakemake.output.get("reliability"):
        write_reliability(
            tables=list(snakemake.input.reliability),
            output=snakemake.output.reliability,
            figure=snakemake.output.curve,
            title=f"{title}, what the confidence is worth",
        )
