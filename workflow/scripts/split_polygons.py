"""Snakemake adapter of iota2_tools.reference.splits.write_splits."""

from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.config.sampling import Reference, Regions, Sampling
from iota2_tools.core.jobs import job
from iota2_tools.geo.grid import Grid
from iota2_tools.reference.splits import SplitPlan, write_splits

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    regions = snakemake.params.regions
    write_splits(
        SplitPlan(
            reference=Reference(**snakemake.params.reference),
            sampling=Sampling(**snakemake.params.sampling),
            regions=Regions(**regions) if regions else None,
            nomenclature=read_nomenclature(snakemake.params.nomenclature),
            grids=[Grid(**grid) for grid in snakemake.params.grids],
            used_regions=snakemake.params.used_regions,
            held_back=snakemake.params.get("held_back"),
            parts=snakemake.params.get("parts") or {},
            folds=bool(snakemake.params.get("folds")),
        ),
        snakemake.output.splits,
    )
