"""Snakemake adapter of iota2_tools.vectors.delivery.write_tables."""

from iota2_tools.config.nomenclature import read_legend
from iota2_tools.core.jobs import job
from iota2_tools.vectors.delivery import write_tables

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_tables(
        summaries=snakemake.input.summaries,
        classes=read_legend(snakemake.params.legend),
        areas=snakemake.output.areas,
        checksums=snakemake.output.checksums,
    )
