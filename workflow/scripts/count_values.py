"""Snakemake adapter of iota2_tools.assessing.histograms.write_values."""

from iota2_tools.assessing.histograms import TileValues, write_values
from iota2_tools.core.jobs import job

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    draws = len(snakemake.output.values)
    for number, output in enumerate(snakemake.output.values):
        tile = TileValues(
            difference=snakemake.input.differences[number],
            confidence=list(snakemake.input.confidence[number::draws]),
            validity=snakemake.input.validity,
        )
        write_values(tile, output)
