"""Snakemake adapter of iota2_tools.learning.suspicious.write_suspicious."""

from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.core.jobs import job
from iota2_tools.learning.suspicious import write_suspicious

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    models = [tuple(pair) for pair in snakemake.params.models]
    write_suspicious(
        tables=dict(zip(models, snakemake.input.polygons, strict=True)),
        splits=snakemake.input.splits,
        nomenclature=read_nomenclature(snakemake.params.legend["path"]),
        output=snakemake.output.suspicious,
        dropped=snakemake.params.dropped,
    )
