"""Snakemake adapter of iota2_tools.vectors.regularisation.write_block."""

from iota2_tools.core.jobs import job
from iota2_tools.geo.grid import Window
from iota2_tools.vectors.regularisation import Regularisation, write_block

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_block(
        source=snakemake.input.classes,
        block=Window(*snakemake.params.block),
        settings=Regularisation.of(snakemake.params.settings),
        output=snakemake.output.classes,
    )
