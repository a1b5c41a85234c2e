"""Snakemake adapter of iota2_tools.vectors.delivery.write_whole."""

from iota2_tools.core.jobs import job
from iota2_tools.vectors.delivery import Coverage, write_whole

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    coverage = Coverage.of(
        snakemake.input.polygons, snakemake.input.measures, **snakemake.params.coverage
    )
    write_whole(
        coverage=coverage,
        outputs=[path for path in snakemake.output.files if not path.endswith(".qml")],
        tags=snakemake.params.tags,
    )
