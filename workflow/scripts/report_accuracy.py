"""Snakemake adapter of iota2_tools.accuracy.write_results."""

from iota2_tools.accuracy import read_matrix_csv, write_results, write_scores_csv
from iota2_tools.logs import log_to
from iota2_tools.nomenclature import read_nomenclature
from iota2_tools.remarks import remarks

with log_to(snakemake.log[0]):
    nomenclature = read_nomenclature(snakemake.input.nomenclature)
    matrices = {
        seed: read_matrix_csv(path)[0]
        for seed, path in zip(snakemake.params.seeds, snakemake.input.matrices, strict=True)
    }
    told = remarks(
        list(snakemake.input.inventories),
        snakemake.input.splits,
        snakemake.params.seeds,
        nomenclature,
    )
    write_results(matrices, nomenclature, snakemake.output.results, told)
    write_scores_csv(matrices, nomenclature, snakemake.output.scores)
