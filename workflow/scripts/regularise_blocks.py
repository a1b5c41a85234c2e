"""Snakemake adapter of iota2_tools.vectors.regularisation.write_blocks."""

from iota2_tools.core.jobs import job
from iota2_tools.geo.grid import Window
from iota2_tools.vectors.regularisation import Regularisation, write_blocks

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_blocks(
        source=snakemake.input.classes,
        blocks={name: Window(*place) for name, place in snakemake.params.blocks.items()},
        settings=Regularisation.of(snakemake.params.settings),
        folder=snakemake.output.blocks,
    )
