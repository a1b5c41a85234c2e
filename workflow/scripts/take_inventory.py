"""Snakemake adapter of iota2_tools.timeseries.inventory.write_inventory."""

from iota2_tools.core.contents import write_record
from iota2_tools.core.jobs import job
from iota2_tools.timeseries.inputs import TileInputs
from iota2_tools.timeseries.inventory import write_inventory

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    inputs = TileInputs.from_dict(snakemake.params.inputs)
    write_inventory(inputs, snakemake.params.damaged, snakemake.output.inventory)
    write_record(
        snakemake.params.record, inputs.files, snakemake.params.revision, snakemake.threads
    )
