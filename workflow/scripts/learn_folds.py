"""Snakemake adapter of iota2_tools.learning.folds.write_folds, and of the matrix of the folds."""

from iota2_tools.core.jobs import job
from iota2_tools.learning.folds import FoldFiles, write_folds
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.reporting.confusion import write_confusion_of_folds

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    write_folds(
        samples=list(snakemake.input.samples),
        key=ModelKey(
            snakemake.wildcards.region,
            int(snakemake.wildcards.seed),
            snakemake.params.random_seed,
        ),
        settings=LearningSettings.of(snakemake.params.learning),
        threads=snakemake.threads,
        features=snakemake.params.features,
        files=FoldFiles(
            snakemake.output.predictions, snakemake.output.polygons, snakemake.output.calibration
        ),
    )
    write_confusion_of_folds(
        snakemake.output.predictions, snakemake.params.nomenclature, snakemake.output.confusion
    )
