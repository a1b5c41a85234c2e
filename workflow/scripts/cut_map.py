"""Snakemake adapter of iota2_tools.reporting.page.tiles.write_tiles."""

from iota2_tools.core.jobs import job
from iota2_tools.reporting.page.tiles import MapLayer, write_tiles

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    layers = [
        MapLayer(path=path, **layer)
        for path, layer in zip(snakemake.input.maps, snakemake.params.layers, strict=True)
    ]
    layers += [
        MapLayer(item["name"], item["title"], item["kind"], item["path"], other=True)
        for item in snakemake.params.others
    ]
    write_tiles(layers, snakemake.params.pixels, snakemake.output.tiles)
