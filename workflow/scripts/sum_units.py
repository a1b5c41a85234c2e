"""Snakemake adapter of iota2_tools.vectors.delivery.write_tables."""

from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.core.jobs import job
from iota2_tools.vectors.delivery import write_tables

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_tables(
        summaries=snakemake.input.summaries,
        classes=read_nomenclature(snakemake.params.legend["path"]),
        areas=snakemake.output.areas,
        checksums=snakemake.output.checksums,
    )
