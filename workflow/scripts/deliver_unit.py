"""Snakemake adapter of iota2_tools.vectors.delivery.deliver_unit."""

from iota2_tools.core.jobs import job
from iota2_tools.geo.units import Units
from iota2_tools.vectors.delivery import Coverage, deliver_unit

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    coverage = Coverage.of(
        snakemake.input.polygons, snakemake.input.measures, **snakemake.params.coverage
    )
    deliver_unit(
        coverage=coverage,
        unit=(Units(**snakemake.params.layer["units"]), snakemake.params.unit),
        outputs=[path for path in snakemake.output.files if not path.endswith(".qml")],
        summary=snakemake.output.summary,
        tags=snakemake.params.tags,
    )
