"""Snakemake adapter of iota2_tools.timeseries.preparation.prepare_batch."""

from iota2_tools.core.contents import write_record
from iota2_tools.core.jobs import job
from iota2_tools.timeseries.batches import Batch
from iota2_tools.timeseries.preparation import files_of, prepare_batch

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    batch = Batch.from_dict(snakemake.params.batch)
    write_record(
        snakemake.params.record, files_of(batch), snakemake.params.revision, snakemake.threads
    )
    prepare_batch(batch, snakemake.output.marker, snakemake.params.damaged, snakemake.threads)
