"""Snakemake adapter of iota2_tools.classifying.smoothing.smooth_tile."""

from iota2_tools.classifying.markov import Field
from iota2_tools.classifying.smoothing import DrawFiles, smooth_tile
from iota2_tools.core.jobs import job

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    outputs = list(zip(snakemake.output.classes, snakemake.output.confidence, strict=True))
    smooth_tile(
        [
            DrawFiles(
                own=list(snakemake.input.own[number :: len(outputs)]),
                around=list(snakemake.input.around[number :: len(outputs)]),
                classes=classes,
                confidence=confidence,
            )
            for number, (classes, confidence) in enumerate(outputs)
        ],
        codes=snakemake.params.codes,
        dtype=snakemake.params.dtype,
        field=Field(snakemake.params.beta, snakemake.params.iterations),
        threads=snakemake.threads,
    )
