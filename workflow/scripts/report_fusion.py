"""Snakemake adapter of iota2_tools.reporting.fusion.write_fused_results."""

from iota2_tools.assessing.areas import read_areas
from iota2_tools.assessing.clusters import accuracy_half_width, read_polygon_counts
from iota2_tools.assessing.scores import read_matrix_csv
from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.core.jobs import job
from iota2_tools.reference.sets import read_polygon_table
from iota2_tools.reporting.fusion import FusedEvidence, described, write_fused_results

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    seeds = snakemake.params.seeds
    matrices = [read_matrix_csv(path)[0] for path in snakemake.input.confusions]
    evidence = FusedEvidence(
        matrix=read_matrix_csv(snakemake.input.matrix)[0],
        of_seeds={seed: sum(matrices[number :: len(seeds)]) for number, seed in enumerate(seeds)},
        polygons=read_polygon_table(snakemake.input.splits, seeds),
        areas=read_areas(snakemake.input.areas),
        nomenclature=read_nomenclature(snakemake.params.legend["path"]),
        half_width=accuracy_half_width(read_polygon_counts(list(snakemake.input.by_polygon))),
    )
    write_fused_results(
        evidence,
        described(snakemake.params.rules),
        snakemake.output.results,
        regularised=snakemake.params.get("regularised", False),
    )
