"""Snakemake adapter of iota2_tools.maps.mosaic.write_mosaic, for every layer of the final maps."""

from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.core.jobs import job
from iota2_tools.geo.grid import Grid
from iota2_tools.maps.layers import LAYERS
from iota2_tools.maps.mosaic import write_mosaic
from iota2_tools.maps.style import write_attribute_table, write_class_style, write_ramp_style

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    layer = LAYERS[snakemake.params.layer]
    table = snakemake.input.get("nomenclature")
    nomenclature = read_nomenclature(table) if table else None
    write_mosaic(
        sources=list(snakemake.input.pieces),
        output=snakemake.output.mosaic,
        layer=layer,
        grid=Grid(**snakemake.params.grid),
        tags=snakemake.params.tags,
        colours=nomenclature,
        bands=snakemake.params.get("bands"),
        threads=snakemake.threads,
    )
    style = snakemake.output.get("style")
    if style and nomenclature:
        write_class_style(nomenclature, style)
        write_attribute_table(nomenclature, snakemake.output.names)
    elif style:
        write_ramp_style(layer, style, maximum=snakemake.params.get("maximum"))
