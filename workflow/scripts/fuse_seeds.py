"""Snakemake adapter of iota2_tools.fusing.tile.write_fused, for the maps of all draws."""

from itertools import islice

from iota2_tools.assessing.scores import read_matrix_csv
from iota2_tools.core.jobs import job
from iota2_tools.fusing.known import known_sources
from iota2_tools.fusing.methods import FusionRules
from iota2_tools.fusing.tile import RegionMaps, write_fused


def parts(files, sizes):
    """A list in parts of some sizes; empty parts of an empty list."""
    left = iter(files)
    return [list(islice(left, size)) for size in sizes]


with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    rules, seeds = snakemake.params.rules, len(snakemake.params.seeds)
    counts = snakemake.params.models_of_draw
    models = parts(snakemake.input.models, [seeds * count for count in counts])
    layers = {
        name: parts(snakemake.input[name], [seeds] * len(counts))
        for name in ("classes", "confidence", "probabilities", "confusions")
    }
    regions = [
        RegionMaps(
            layers["classes"][number],
            layers["confidence"][number],
            known_sources(
                [f"seed {seed}" for seed in snakemake.params.seeds],
                snakemake.params.codes,
                models=parts(models[number], [count] * seeds) if models[number] else (),
                matrices=[read_matrix_csv(path)[0] for path in layers["confusions"][number]],
                masses=rules["masses"],
            ),
            layers["probabilities"][number],
        )
        for number, count in enumerate(counts)
    ]
    write_fused(
        regions,
        FusionRules(
            rules["method"],
            rules["undecided"],
            rules["undecided_label"],
            weights=tuple(rules.get("weights", ())),
        ),
        snakemake.params.dtype,
        dict(snakemake.output.items()),
    )
