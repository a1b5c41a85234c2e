"""Snakemake adapter of iota2_tools.reporting.histograms.write_histograms."""

from iota2_tools.core.jobs import job
from iota2_tools.reporting.histograms import write_histograms

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_histograms(
        tables=list(snakemake.input.counts),
        output=snakemake.output.table,
        figure=snakemake.output.figure,
        title=f"Right and wrong pixels, seed {snakemake.wildcards.seed}",
    )
