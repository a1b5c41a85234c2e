"""Snakemake adapter of iota2_tools.assessing.areas.write_areas."""

from iota2_tools.assessing.areas import write_areas
from iota2_tools.core.jobs import job

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_areas(
        classes=snakemake.input.classes,
        matrix=snakemake.input.matrix or None,
        polygons=list(snakemake.input.polygons),
        nomenclature=snakemake.params.legend["path"],
        output=snakemake.output.areas,
    )
