"""Sampling: which polygons learn and validate, which pixels are taken, their features."""


rule sampling:
    input:
        expand("<results>/tiles/{tile}/samples.parquet", tile=TILES)
        if REFERENCED
        else no_reference,
    message:
        "Stage sampling is complete"


rule split_polygons:
    input:
        given=[] if REFERENCED else no_reference,
    output:
        splits="<results>/sampling/polygons.gpkg",
    log:
        "<logs>/split_polygons.log",
    benchmark:
        "<benchmarks>/split_polygons.tsv"
    resources:
        **needs("split_polygons", files=REFERENCE_FILES),
    params:
        **parameters.fusion_splits,
        algorithm=versions("reference"),
        reference=config["reference"],
        regions=config["regions"],
        nomenclature=config["nomenclature"],
        reference_or_regions_contents=parameters.reference_contents,
        sampling={
            key: config["sampling"][key]
            for key in ("runs", "ratio", "random_seed", "single_polygon")
        }
        | production.config.sampling.separation,
        # Names decide which polygons belong to a class; colours do not.
        classes={item.name: item.code for item in production.nomenclature.classes},
        grids=[grid.as_dict() for grid in production.grids.values()],
        used_regions=REGIONS,
    message:
        "Drawing the learning and validation polygons"
    script:
        "../workflow/scripts/split_polygons.py"


rule burn_polygons:
    input:
        splits="<results>/sampling/polygons.gpkg",
        regions="<results>/tiles/{tile}/regions.tif",
    output:
        polygons="<results>/tiles/{tile}/polygons.tif",
    log:
        "<logs>/burn_polygons/{tile}.log",
    benchmark:
        "<benchmarks>/burn_polygons/{tile}.tsv"
    group:
        "tile"
    resources:
        **needs("burn_polygons"),
    params:
        algorithm=versions("vectors"),
    message:
        "Burning the reference polygons of {wildcards.tile}"
    script:
        "../workflow/scripts/burn_polygons.py"


rule count_polygon_pixels:
    input:
        splits="<results>/sampling/polygons.gpkg",
        polygons="<results>/tiles/{tile}/polygons.tif",
        regions="<results>/tiles/{tile}/regions.tif",
        validity="<results>/tiles/{tile}/validity.tif",
        footprint="<results>/tiles/{tile}/footprint.tif",
    output:
        statistics="<results>/tiles/{tile}/polygon_statistics.csv",
    log:
        "<logs>/count_polygon_pixels/{tile}.log",
    benchmark:
        "<benchmarks>/count_polygon_pixels/{tile}.tsv"
    group:
        "tile"
    resources:
        **needs("count_polygon_pixels", reads=["splits"]),
    params:
        algorithm=versions("samples"),
        numbers=region_numbers,
        seeds=SEEDS,
        cloud_threshold=CLOUD_THRESHOLD,
    message:
        "Counting the pixels of the reference polygons of {wildcards.tile}"
    script:
        "../workflow/scripts/count_polygon_pixels.py"


rule share_samples:
    input:
        statistics=tiles_of_region("<results>/tiles/{tile}/polygon_statistics.csv"),
    output:
        rates="<results>/sampling/rates/region_{region}.csv",
    log:
        "<logs>/share_samples/{region}.log",
    benchmark:
        "<benchmarks>/share_samples/{region}.tsv"
    resources:
        **needs("share_samples"),
    params:
        algorithm=versions("samples"),
        tiles=lambda wildcards: production.tiles_of(wildcards.region),
        seeds=SEEDS,
        sampling=lambda wildcards: parameters.strategy(wildcards.region),
    message:
        "Sharing the samples of region {wildcards.region} among its tiles"
    script:
        "../workflow/scripts/share_samples.py"


rule select_samples:
    input:
        splits="<results>/sampling/polygons.gpkg",
        polygons="<results>/tiles/{tile}/polygons.tif",
        regions="<results>/tiles/{tile}/regions.tif",
        validity="<results>/tiles/{tile}/validity.tif",
        footprint="<results>/tiles/{tile}/footprint.tif",
        statistics="<results>/tiles/{tile}/polygon_statistics.csv",
        rates=shared_rates,
        around=statistics_of_tiles,
    output:
        selection="<results>/tiles/{tile}/selection.parquet",
    log:
        "<logs>/select_samples/{tile}.log",
    benchmark:
        "<benchmarks>/select_samples/{tile}.tsv"
    resources:
        **needs("select_samples", reads=["splits"]),
    params:
        algorithm=versions("samples"),
        numbers=region_numbers,
        seeds=SEEDS,
        cloud_threshold=CLOUD_THRESHOLD,
        sampling=lambda wildcards: parameters.choice_of_samples(wildcards.tile),
    message:
        "Choosing the learning pixels of {wildcards.tile}"
    script:
        "../workflow/scripts/select_samples.py"


rule extract_samples:
    input:
        selection="<results>/tiles/{tile}/selection.parquet",
        inventory="<results>/tiles/{tile}/inventory.json",
        masks=of_series("clear"),
    output:
        samples="<results>/tiles/{tile}/samples.parquet",
    log:
        "<logs>/extract_samples/{tile}.log",
    benchmark:
        "<benchmarks>/extract_samples/{tile}.tsv"
    threads: 2
    resources:
        **needs("extract_samples", reads=["selection"]),
        window_mb=lookup("classification/window_mb", within=config),
    params:
        algorithm=versions("training", *FEATURE_MODULES),
        features=lambda wildcards: parameters.features_of(series_of(wildcards)),
        external=parameters.external,
    message:
        "Reading the features of the samples of {wildcards.tile}"
    script:
        "../workflow/scripts/extract_samples.py"
