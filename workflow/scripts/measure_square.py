"""Snakemake adapter of iota2_tools.vectors.measuring.measure_square."""

from iota2_tools.core.jobs import job
from iota2_tools.geo.squares import divided
from iota2_tools.vectors.measuring import Quantity, Sources, measure_square

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    quantities = [
        Quantity("confidence", snakemake.input.confidence),
        Quantity("validity", snakemake.input.validity),
        *(
            Quantity(item["name"], item["path"], item["continuous"])
            for item in snakemake.params.rasters
        ),
    ]
    measure_square(
        vectorised=snakemake.input.vectorised,
        square=divided(snakemake.params.division)[snakemake.wildcards.square],
        sources=Sources(snakemake.input.classes, quantities),
        output=snakemake.output.measures,
    )
