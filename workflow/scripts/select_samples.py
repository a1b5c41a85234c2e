"""Snakemake adapter of iota2_tools.samples.write_selection."""

from iota2_tools.logs import log_to
from iota2_tools.samples import write_selection

with log_to(snakemake.log[0]):
    write_selection(
        tile=snakemake.wildcards.tile,
        splits=snakemake.input.splits,
        regions=snakemake.input.regions,
        validity=snakemake.input.validity,
        statistics=snakemake.input.statistics,
        rates=dict(zip(snakemake.params.numbers, snakemake.input.rates, strict=False)),
        numbers=snakemake.params.numbers,
        seeds=snakemake.params.seeds,
        sampling=snakemake.params.sampling,
        output=snakemake.output.selection,
    )
