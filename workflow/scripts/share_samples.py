"""Snakemake adapter of iota2_tools.reference.rates.write_rates."""

from iota2_tools.core.jobs import job
from iota2_tools.reference.rates import write_rates

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_rates(
        region=snakemake.wildcards.region,
        statistics=dict(zip(snakemake.params.tiles, snakemake.input.statistics, strict=True)),
        seeds=snakemake.params.seeds,
        sampling=snakemake.params.sampling,
        output=snakemake.output.rates,
    )
