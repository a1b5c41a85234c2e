"""Snakemake adapter of iota2_tools.fusing.tile.write_fused, for the maps of all draws."""

from iota2_tools.assessing.scores import read_matrix_csv
from iota2_tools.core.jobs import job
from iota2_tools.fusing.known import known_sources
from iota2_tools.fusing.methods import FusionRules
from iota2_tools.fusing.tile import RegionMaps, write_fused

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    rules, seeds = snakemake.params.rules, len(snakemake.params.seeds)

    def of_region(files, number):
        return list(files)[number * seeds : (number + 1) * seeds]

    regions = []
    for number in range(len(snakemake.input.classes) // seeds):
        matrices = of_region(snakemake.input.confusions, number)
        known = known_sources(
            [f"seed {seed}" for seed in snakemake.params.seeds],
            snakemake.params.codes,
            models=of_region(snakemake.input.models, number),
            matrices=[read_matrix_csv(path)[0] for path in matrices],
            masses=rules["masses"],
        )
        layers = {
            layer: of_region(snakemake.input[layer], number)
            for layer in ("classes", "confidence", "probabilities")
        }
        regions.append(RegionMaps(known=known, **layers))
    write_fused(
        regions,
        FusionRules(rules["method"], rules["undecided"], rules["undecided_label"]),
        snakemake.params.dtype,
        dict(snakemake.output.items()),
    )
