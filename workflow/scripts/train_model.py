"""Snakemake adapter of iota2_tools.learning.engines.train, and of the matrix of the folds."""

from iota2_tools.core.jobs import job
from iota2_tools.learning.engines import train
from iota2_tools.learning.folds import FoldFiles, FoldsWanted
from iota2_tools.learning.managed import Managed
from iota2_tools.learning.settings import LearningSettings, ModelKey
from iota2_tools.reference.dealing import PartOfRegion
from iota2_tools.reporting.confusion import write_confusion_of_folds

part = snakemake.params.get("part")

# Contents are there for Snakemake; the polygons are none without a reference.
of_others = {
    name: {key: value for key, value in given.items() if key != "contents"}
    | {"splits": next(iter(snakemake.input.splits), None)}
    for name in ("own", "years")
    if (given := snakemake.params.get(name))
}

folds = snakemake.params.get("folds")
wanted = None
if folds:
    files = (snakemake.output.predictions, snakemake.output.polygons, snakemake.output.calibration)
    wanted = FoldsWanted(FoldFiles(*files), folds["tempered"], folds["drop"])

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    train(
        samples=list(snakemake.input.samples),
        key=ModelKey(
            snakemake.wildcards.region,
            int(snakemake.wildcards.seed),
            snakemake.params.random_seed,
        ),
        settings=LearningSettings.of(snakemake.params.learning),
        threads=snakemake.threads,
        features=snakemake.params.features,
        managed=Managed(
            copies=snakemake.params.get("copies", ()),
            tables=list(snakemake.input.get("copied", [])),
            augmentation=snakemake.params.get("augmentation"),
            part=PartOfRegion(snakemake.input.splits, **part) if part else None,
            **of_others,
        ),
        folds=wanted,
        output=snakemake.output.model,
    )
    if folds:
        write_confusion_of_folds(
            snakemake.output.predictions, folds["nomenclature"], snakemake.output.confusion
        )
