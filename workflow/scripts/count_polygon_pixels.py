"""Snakemake adapter of iota2_tools.reference.statistics.write_statistics."""

from iota2_tools.core.jobs import job
from iota2_tools.reference.pixels import ReferencePixels
from iota2_tools.reference.statistics import write_statistics

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_statistics(
        pixels=ReferencePixels(
            polygons=snakemake.input.polygons,
            regions=snakemake.input.regions,
            validity=snakemake.input.validity,
            footprint=snakemake.input.footprint,
            numbers=snakemake.params.numbers,
            cloud_threshold=snakemake.params.cloud_threshold,
        ),
        splits=snakemake.input.splits,
        seeds=snakemake.params.seeds,
        output=snakemake.output.statistics,
    )
