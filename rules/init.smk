"""Init: what each tile has, where and how often it was seen, and who maps which pixel."""

from dataclasses import asdict


rule init:
    input:
        expand("<results>/tiles/{tile}/validity.tif", tile=TILES),
        expand("<results>/tiles/{tile}/footprint.tif", tile=TILES),
        expand("<results>/tiles/{tile}/regions.tif", tile=TILES),
    message:
        "Stage init is complete"


rule take_inventory:
    input:
        prepared=lambda wildcards: list(parameters.batches(wildcards.tile)),
    output:
        inventory="<results>/tiles/{tile}/inventory.json",
    log:
        "<logs>/take_inventory/{tile}.log",
    benchmark:
        "<benchmarks>/take_inventory/{tile}.tsv"
    group:
        "tile"
    resources:
        **needs("take_inventory"),
    params:
        algorithm=versions("inventory", "coregistration"),
        inputs=lambda wildcards: asdict(parameters.tile_inputs(wildcards.tile)),
        revision=lambda wildcards: parameters.revision(record_of_tile(wildcards)),
        record=record_of_tile,
        damaged=lookup("inputs/damaged_acquisition", within=config),
    message:
        "Looking at the acquisitions of {wildcards.tile}"
    script:
        "../workflow/scripts/take_inventory.py"


rule mask_series:
    input:
        inventory="<results>/tiles/{tile}/inventory.json",
    output:
        masks="<results>/tiles/{tile}/{series}_clear.tif",
        footprint="<results>/tiles/{tile}/{series}_footprint.tif",
    log:
        "<logs>/mask_series/{tile}_{series}.log",
    benchmark:
        "<benchmarks>/mask_series/{tile}_{series}.tsv"
    group:
        "tile"
    threads: 2
    resources:
        **needs("mask_series"),
    params:
        algorithm=versions("masks", "resampling"),
    message:
        "Masking clouds, saturation and edges of {wildcards.series} over {wildcards.tile}"
    script:
        "../workflow/scripts/mask_series.py"


rule count_valid_dates:
    input:
        inventory="<results>/tiles/{tile}/inventory.json",
        masks=of_series("clear"),
        footprints=of_series("footprint"),
    output:
        validity="<results>/tiles/{tile}/validity.tif",
        footprint="<results>/tiles/{tile}/footprint.tif",
    log:
        "<logs>/count_valid_dates/{tile}.log",
    benchmark:
        "<benchmarks>/count_valid_dates/{tile}.tsv"
    group:
        "tile"
    resources:
        **needs("count_valid_dates"),
    params:
        algorithm=versions("masks"),
        least=parameters.least_dates,
    message:
        "Counting the clear dates of {wildcards.tile}"
    script:
        "../workflow/scripts/count_valid_dates.py"


rule draw_regions:
    output:
        regions="<results>/tiles/{tile}/regions.tif",
    log:
        "<logs>/draw_regions/{tile}.log",
    benchmark:
        "<benchmarks>/draw_regions/{tile}.tsv"
    group:
        "tile"
    resources:
        **needs("draw_regions"),
    params:
        algorithm=versions("envelopes", "vectors"),
        grids=lambda wildcards: {
            tile: grid.as_dict()
            for tile, grid in production.neighbourhood(wildcards.tile).items()
        },
        margin=lookup("sampling/envelope_margin", within=config),
        regions=config["regions"],
        regions_contents=parameters.region_contents,
        names=production.regions,
    message:
        "Drawing the envelope and the regions of {wildcards.tile}"
    script:
        "../workflow/scripts/draw_regions.py"
