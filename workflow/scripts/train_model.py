"""Snakemake adapter of iota2_tools.learning.engines.train."""

from iota2_tools.core.jobs import job
from iota2_tools.learning.engines import train

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    train(
        samples=list(snakemake.input.samples),
        region=snakemake.wildcards.region,
        seed=int(snakemake.wildcards.seed),
        learning=snakemake.params.learning,
        random_seed=snakemake.params.random_seed,
        threads=snakemake.threads,
        output=snakemake.output.model,
    )
