"""Classification: each region of each tile, one pass over the images for all draws."""

SMOOTH_MAPS = [
    path
    for tile in TILES
    for layer in ["classes", "confidence"]
    for path in pieces(layer, tile, SEEDS)
]


rule classification:
    input:
        [
            f"<results>/classification/{tile}/region_{region}/{layer}_seed_{seed}.tif"
            for tile in TILES
            for region in REGIONS_OF_TILES[tile]
            for seed in SEEDS
            for layer in LAYERS
        ],
        SMOOTH_MAPS if SMOOTHED else [],
    message:
        "Stage classification is complete"


# Parameters of productions alone in which several models map a region.
TOGETHER = {}
if production.fused_sensors or production.fused_parts or production.boundaries:
    TOGETHER["fused_by"] = versions("fusion", "folds")
if production.fused_sensors or production.fused_parts:
    TOGETHER["together"] = lambda wildcards: parameters.together(wildcards.region)
if production.boundaries:
    TOGETHER["border"] = lambda wildcards: parameters.border(
        wildcards.tile, wildcards.region
    )


# Of productions alone that map how many classes cannot be excluded.
EXCLUDING = {}
if PREDICTION_SETS is not None:
    EXCLUDING = {"excluded_by": versions("sets"), "errors": PREDICTION_SETS}


rule classify_tile:
    input:
        inventory="<results>/tiles/{tile}/inventory.json",
        masks=of_series("clear"),
        validity="<results>/tiles/{tile}/validity.tif",
        footprint="<results>/tiles/{tile}/footprint.tif",
        regions="<results>/tiles/{tile}/regions.tif",
        models=lambda wildcards: models_of(wildcards.region),
        confusions=confusions_of_sources,
        neighbours=models_of_neighbours,
        folds=folds_of_models,
    output:
        **{
            layer: expand(
                f"<results>/classification/{{{{tile}}}}/region_{{{{region}}}}/{layer}_seed_{{seed}}.tif",
                seed=SEEDS,
            )
            for layer in LAYERS
        },
    log:
        "<logs>/classify_tile/{tile}_region_{region}.log",
    benchmark:
        "<benchmarks>/classify_tile/{tile}_region_{region}.tsv"
    threads: 2
    resources:
        **needs("classify_tile", reads=["models", "neighbours"]),
        window_mb=lookup("classification/window_mb", within=config),
    params:
        **TOGETHER,
        **EXCLUDING,
        **parameters.borrowed,
        algorithm=versions(
            "classification", "boosting", "forest", "learning", *FEATURE_MODULES
        ),
        features=lambda wildcards: parameters.features_of(series_of(wildcards)),
        external=parameters.external,
        number=lambda wildcards: production.regions.index(wildcards.region) + 1,
        codes=CODES,
        dtype=production.nomenclature.dtype,
        minimum_clear_dates=lookup("classification/minimum_clear_dates", within=config),
    message:
        "Mapping region {wildcards.region} of {wildcards.tile}"
    script:
        "../workflow/scripts/classify_tile.py"


rule smooth_tile:
    input:
        own=lambda wildcards: raw_pieces("probabilities", wildcards.tile, SEEDS),
        around=probabilities_around,
    output:
        classes=expand(
            "<results>/smoothing/{{tile}}/classes_seed_{seed}.tif", seed=SEEDS
        ),
        confidence=expand(
            "<results>/smoothing/{{tile}}/confidence_seed_{seed}.tif", seed=SEEDS
        ),
    log:
        "<logs>/smooth_tile/{tile}.log",
    benchmark:
        "<benchmarks>/smooth_tile/{tile}.tsv"
    threads: 2
    resources:
        **needs("smooth_tile"),
    params:
        algorithm=versions("smoothing"),
        codes=CODES,
        dtype=production.nomenclature.dtype,
        beta=lookup("classification/smoothing/beta", within=config),
        iterations=lookup("classification/smoothing/iterations", within=config),
    message:
        "Smoothing the map of {wildcards.tile}"
    script:
        "../workflow/scripts/smooth_tile.py"
