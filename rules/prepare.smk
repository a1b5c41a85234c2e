"""Prepare: products that cannot be read as they are (JPEG 2000, archives, radar), once for all."""

from dataclasses import asdict


rule prepare:
    input:
        [marker for tile in TILES for marker in parameters.batches(tile)],
    message:
        "Stage prepare is complete"


rule prepare_batch:
    output:
        marker="<prepared>/{sensor}/{tile}/{batch}.json",
    log:
        "<logs>/prepare_batch/{sensor}_{tile}_{batch}.log",
    benchmark:
        "<benchmarks>/prepare_batch/{sensor}_{tile}_{batch}.tsv"
    threads: 2
    resources:
        **needs("prepare_batch"),
    params:
        algorithm=versions("preparation", "radar"),
        batch=lambda wildcards: asdict(parameters.batch(**wildcards)),
        record=lambda wildcards: parameters.record_of_batch(**wildcards),
        revision=lambda wildcards: parameters.revision(
            parameters.record_of_batch(**wildcards)
        ),
        damaged=lookup("inputs/damaged_acquisition", within=config),
    message:
        "Preparing products of {wildcards.sensor} over {wildcards.tile}, {wildcards.batch}"
    script:
        "../workflow/scripts/prepare_batch.py"
