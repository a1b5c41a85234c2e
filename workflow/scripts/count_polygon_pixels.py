"""Snakemake adapter of iota2_tools.samples.write_statistics."""

from iota2_tools.logs import log_to
from iota2_tools.samples import write_statistics

with log_to(snakemake.log[0]):
    write_statistics(
        splits=snakemake.input.splits,
        regions=snakemake.input.regions,
        validity=snakemake.input.validity,
        numbers=snakemake.params.numbers,
        seeds=snakemake.params.seeds,
        cloud_threshold=snakemake.params.cloud_threshold,
        output=snakemake.output.statistics,
    )
