"""Snakemake adapter of iota2_tools.maps.preview.write_preview."""

from iota2_tools.config.nomenclature import read_legend
from iota2_tools.core.jobs import job
from iota2_tools.maps.preview import write_preview

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_preview(
        snakemake.input.classes,
        read_legend(snakemake.params.legend),
        snakemake.output.picture,
        title=snakemake.params.get("title", "Land cover"),
    )
