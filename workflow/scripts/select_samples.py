"""Snakemake adapter of iota2_tools.reference.selection.write_selection."""

from pathlib import Path

from iota2_tools.core.jobs import job
from iota2_tools.reference.pixels import ReferencePixels
from iota2_tools.reference.selection import Choice, write_selection

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_selection(
        choice=Choice(
            tile=snakemake.wildcards.tile,
            seeds=snakemake.params.seeds,
            sampling=snakemake.params.sampling,
        ),
        pixels=ReferencePixels(
            polygons=snakemake.input.polygons,
            regions=snakemake.input.regions,
            validity=snakemake.input.validity,
            footprint=snakemake.input.footprint,
            numbers=snakemake.params.numbers,
            cloud_threshold=snakemake.params.cloud_threshold,
        ),
        splits=snakemake.input.splits,
        statistics=snakemake.input.statistics,
        rates={Path(path).stem.removeprefix("region_"): path for path in snakemake.input.rates},
        around={Path(path).parent.name: path for path in snakemake.input.around},
        output=snakemake.output.selection,
    )
