"""Snakemake adapter of iota2_tools.vectors.measuring.measure_squares."""

from iota2_tools.core.jobs import job
from iota2_tools.geo.squares import bundle_of
from iota2_tools.vectors.measuring import Quantity, Sources, measure_squares

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    quantities = [
        Quantity("confidence", snakemake.input.confidence),
        Quantity("validity", snakemake.input.validity),
        *(
            Quantity(item["name"], item["path"], item["continuous"])
            for item in snakemake.params.rasters
        ),
    ]
    measure_squares(
        vectorised=snakemake.input.vectorised,
        squares=bundle_of(snakemake.params.division, snakemake.wildcards.bundle),
        sources=Sources(snakemake.input.classes, quantities),
        folder=snakemake.output.measures,
    )
