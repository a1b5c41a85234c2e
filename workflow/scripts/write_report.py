"""Snakemake adapter of iota2_tools.reporting.page.writing.write_report."""

from iota2_tools.core.jobs import job
from iota2_tools.reporting.page.contents import About, Sources, gather
from iota2_tools.reporting.page.writing import write_report

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    files, params = snakemake.input, snakemake.params
    draws = len(params.seeds)

    def by_place(paths, places):
        """Files of each place, draw by draw."""
        return {
            place: list(paths[draws * number : draws * (number + 1)])
            for number, place in enumerate(places)
        }

    own = [(tile, series) for tile in params.tiles for series in params.series[tile]]
    sources = Sources(
        seeds=params.seeds,
        matrices=list(files.matrices),
        areas=list(files.areas),
        others={
            "raw": list(files.raw),
            "regularised": list(files.regularised),
            "fusion": list(files.fused),
            "regularised_fusion": list(files.regularised_fused),
        },
        by_tile=by_place(files.by_tile, params.tiles),
        by_region=by_place(files.by_region, params.judged),
        by_polygon=[list(files.by_polygon[number::draws]) for number in range(draws)],
        reliability=list(files.reliability),
        results=files.results,
        inventories=list(files.inventories),
        masks=dict(zip(own, files.masks, strict=True)),
        validity=dict(zip(params.tiles, files.validity, strict=True)),
        counts=files.numbers or None,
        profiles=files.profiles or None,
        models=list(files.models),
        tiles=files.tiles,
        nomenclature=params.legend["path"],
    )
    about = About(**params.about, own_rules=frozenset(params.own_rules))
    write_report(
        gather(sources, about),
        page=snakemake.output.page,
        data=snakemake.output.data,
        configuration=snakemake.output.configuration,
    )
