"""Snakemake adapter of iota2_tools.reporting.results and of the figure of the scores."""

from dataclasses import replace

from iota2_tools.assessing.areas import read_areas
from iota2_tools.assessing.clusters import accuracy_half_width, read_polygon_counts
from iota2_tools.assessing.confidence import read_curve_error
from iota2_tools.assessing.scores import read_matrix_csv
from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.core.jobs import job
from iota2_tools.geo.vectors import read_layer
from iota2_tools.learning.engines import describe
from iota2_tools.reference.separation import metres_kept
from iota2_tools.reporting.figures import write_scores_figure
from iota2_tools.reporting.remarks import Evidence, gather
from iota2_tools.reporting.results import Certainty, Results, write_results, write_scores_csv
from iota2_tools.timeseries.inventory import read_inventory

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    seeds = snakemake.params.seeds
    plain = [read_matrix_csv(path)[0] for path in snakemake.input.get("plain", [])]
    polygons = read_layer(snakemake.input.splits)
    evidence = Evidence(
        inventories=[read_inventory(path) for path in snakemake.input.inventories],
        polygons=polygons,
        matrices={
            seed: read_matrix_csv(path)[0]
            for seed, path in zip(seeds, snakemake.input.matrices, strict=True)
        },
        areas={
            seed: read_areas(path) for seed, path in zip(seeds, snakemake.input.areas, strict=True)
        },
        nomenclature=read_nomenclature(snakemake.params.legend["path"]),
        regularised=snakemake.params.get("regularised", False),
        distances=metres_kept(polygons, seeds),
        plain=[sum(plain[number :: len(seeds)]) for number in range(len(seeds) if plain else 0)],
    )
    suspicious = snakemake.input.get("suspicious", [])
    if suspicious:
        listed = read_layer(suspicious[0], columns=["polygon", "dropped"], read_geometry=False)
        evidence = replace(evidence, suspicious=len(listed), dropped=bool(listed["dropped"].any()))
    learnt = [describe(path).get("learnt_from", []) for path in snakemake.input.get("models", [])]
    if learnt:
        others = [item for item in learnt[0] if item["path"]]
        left_out = sum(item["left_out"] for model in learnt for item in model)
        evidence = replace(evidence, other_years=(len(others), left_out))
    matrices, nomenclature = evidence.matrices, evidence.nomenclature
    raw = {
        seed: read_matrix_csv(path)[0]
        for seed, path in zip(seeds, snakemake.input.get("raw_matrices", []), strict=False)
    }
    by_polygon = list(snakemake.input.by_polygon)
    certainty = Certainty(
        [
            accuracy_half_width(read_polygon_counts(by_polygon[number :: len(seeds)]))
            for number in range(len(seeds))
        ],
        [read_curve_error(path) for path in snakemake.input.get("reliability", [])],
    )
    results = Results(
        matrices,
        gather(evidence),
        evidence.areas,
        raw,
        certainty,
        title=f"Accuracy of the {'regularised ' if evidence.regularised else ''}land-cover map",
    )
    write_results(results, nomenclature, snakemake.output.results)
    for path in snakemake.output.get("raw_scores", []):
        write_scores_csv(raw, nomenclature, path)
    write_scores_csv(matrices, nomenclature, snakemake.output.scores)
    write_scores_figure(matrices, nomenclature, snakemake.output.figure)
