"""Features: the stack of a tile, written on demand only; maps of those that are chosen."""


rule features:
    input:
        expand("<results>/features/{tile}.tif", tile=TILES),
    message:
        "Stage features is complete"


rule write_features:
    input:
        inventory="<results>/tiles/{tile}/inventory.json",
        masks=of_series("clear"),
    output:
        features="<results>/features/{tile}.tif",
    log:
        "<logs>/write_features/{tile}.log",
    benchmark:
        "<benchmarks>/write_features/{tile}.tsv"
    threads: 2
    resources:
        **needs("write_features"),
        window_mb=lookup("classification/window_mb", within=config),
    params:
        algorithm=versions(*FEATURE_MODULES),
        features=lambda wildcards: parameters.features_of(series_of(wildcards)),
        external=parameters.external,
    message:
        "Writing the features of {wildcards.tile}"
    script:
        "../workflow/scripts/write_features.py"


FEATURE_MAPS = expand(
    "<results>/final/features/{feature}.tif", feature=parameters.chosen_features
)


rule feature_maps:
    input:
        FEATURE_MAPS or no_feature_maps,
    message:
        "The feature maps are complete"


rule write_chosen_features:
    input:
        inventory="<results>/tiles/{tile}/inventory.json",
        masks=masks_of_chosen,
        regions="<results>/tiles/{tile}/regions.tif",
        footprint="<results>/tiles/{tile}/footprint.tif",
    output:
        features="<results>/feature_maps/{tile}.tif",
    log:
        "<logs>/write_chosen_features/{tile}.log",
    benchmark:
        "<benchmarks>/write_chosen_features/{tile}.tsv"
    threads: 2
    resources:
        **needs("write_chosen_features"),
        window_mb=lookup("classification/window_mb", within=config),
    params:
        algorithm=versions("feature_maps", *FEATURE_MODULES),
        choice=parameters.choice,
        series=lambda wildcards: parameters.chosen_series(wildcards.tile),
    message:
        "Writing the chosen features of {wildcards.tile}"
    script:
        "../workflow/scripts/write_chosen_features.py"


use rule mosaic_classes as mosaic_features with:
    input:
        pieces=expand("<results>/feature_maps/{tile}.tif", tile=TILES),
    output:
        mosaic="<results>/final/features/{feature}.tif",
    log:
        "<logs>/mosaic_features/{feature}.log",
    benchmark:
        "<benchmarks>/mosaic_features/{feature}.tsv"
    resources:
        **needs("mosaic_features"),
    params:
        **ON_THE_MAP,
        algorithm=versions("mosaic"),
        layer="feature",
        shown=lambda wildcards: wildcards.feature,
    message:
        "Assembling {wildcards.feature}"
