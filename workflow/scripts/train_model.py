"""Snakemake adapter of iota2_tools.learning.train."""

from iota2_tools.learning import train
from iota2_tools.logs import log_to

with log_to(snakemake.log[0]):
    train(
        samples=list(snakemake.input.samples),
        region=snakemake.wildcards.region,
        seed=int(snakemake.wildcards.seed),
        learning=snakemake.params.learning,
        random_seed=snakemake.params.random_seed,
        threads=snakemake.threads,
        output=snakemake.output.model,
    )
