"""Features: the stack of a tile, written on demand only."""


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
    params:
        algorithm=versions(*FEATURE_MODULES),
        features=lambda wildcards: parameters.features_of(series_of(wildcards)),
        external=parameters.external,
        window_mb=lookup("classification/window_mb", within=config),
    message:
        "Writing the features of {wildcards.tile}"
    script:
        "../workflow/scripts/write_features.py"
