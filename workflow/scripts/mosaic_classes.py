"""Snakemake adapter of iota2_tools.maps.mosaic.write_mosaic, for every layer of the final maps."""

from iota2_tools.config.nomenclature import read_legend
from iota2_tools.core.jobs import job
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.squares import files_in_bundles
from iota2_tools.maps.layers import LAYERS
from iota2_tools.maps.mosaic import FinalMap, write_mosaic
from iota2_tools.maps.style import write_attribute_table, write_class_style, write_ramp_style

with job(snakemake.log[0], snakemake.threads, snakemake.resources.mem_mb):
    legend = snakemake.params.legend
    final = FinalMap(
        layer=LAYERS[snakemake.params.layer],
        grid=Grid(**snakemake.params.grid),
        tags=snakemake.params.tags,
        classes=read_legend(legend) if legend else None,
        bands=snakemake.params.get("bands"),
        shown=snakemake.params.get("shown"),
    )
    pieces = list(snakemake.input.pieces)
    blocks = snakemake.params.get("blocks")
    if blocks:
        pieces = list(files_in_bundles(pieces, blocks, "tif").values())
    write_mosaic(pieces, snakemake.output.mosaic, final, threads=snakemake.threads)
    style = snakemake.output.get("style")
    if style and final.classes:
        write_class_style(final.classes, style)
        write_attribute_table(final.classes, snakemake.output.names)
    elif style:
        write_ramp_style(final.layer, style, maximum=snakemake.params.get("maximum"))
