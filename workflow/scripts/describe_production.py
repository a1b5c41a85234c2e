"""Snakemake adapter of iota2_tools.publishing.describing.write_documents."""

from pathlib import Path

from iota2_tools.core.jobs import job
from iota2_tools.publishing.about import About
from iota2_tools.publishing.describing import write_documents

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_documents(
        about=About.from_dict(
            {
                "configuration": snakemake.params.configuration,
                "tiles": snakemake.params.tiles,
                **snakemake.params.about,
            }
        ),
        products=snakemake.input.products,
        final=str(Path(snakemake.output.lock).parent),
        threads=snakemake.threads,
    )
