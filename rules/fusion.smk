"""Fusion: what is known of each model by folds, and the maps of all draws as one."""


rule folds:
    input:
        [path for region in REGIONS for path in folds_of(region)],
    message:
        "Stage folds is complete"


rule fusion:
    input:
        FUSED_MAPS,
    message:
        "Stage fusion is complete"


rule learn_folds:
    input:
        samples=tiles_of_region("<results>/tiles/{tile}/samples.parquet"),
    output:
        predictions="<results>/folds/region_{region}_seed_{seed}/predictions.parquet",
        polygons="<results>/folds/region_{region}_seed_{seed}/polygons.csv",
        calibration="<results>/folds/region_{region}_seed_{seed}/calibration.csv",
        confusion="<results>/folds/region_{region}_seed_{seed}/confusion.csv",
    log:
        "<logs>/learn_folds/region_{region}_seed_{seed}.log",
    benchmark:
        "<benchmarks>/learn_folds/region_{region}_seed_{seed}.tsv"
    threads: 2
    resources:
        **needs("learn_folds", reads=["samples"]),
    params:
        algorithm=versions("folds", "forest", "boosting", "learning", "training"),
        learning=production.config.counted("learning"),
        features=lambda wildcards: parameters.learnt_features(wildcards.region),
        random_seed=lookup("sampling/random_seed", within=config),
        nomenclature=config["nomenclature"],
        codes=CODES,
    message:
        "Judging the learner of region {wildcards.region}, seed {wildcards.seed}, by folds"
    script:
        "../workflow/scripts/learn_folds.py"


use rule learn_folds as learn_folds_of_source with:
    output:
        predictions="<results>/folds/region_{region}_seed_{seed}_{source}/predictions.parquet",
        polygons="<results>/folds/region_{region}_seed_{seed}_{source}/polygons.csv",
        calibration="<results>/folds/region_{region}_seed_{seed}_{source}/calibration.csv",
        confusion="<results>/folds/region_{region}_seed_{seed}_{source}/confusion.csv",
    log:
        "<logs>/learn_folds_of_source/region_{region}_seed_{seed}_{source}.log",
    benchmark:
        "<benchmarks>/learn_folds_of_source/region_{region}_seed_{seed}_{source}.tsv"
    resources:
        **needs("learn_folds_of_source", reads=["samples"]),
    params:
        algorithm=versions("folds", "forest", "boosting", "learning", "training"),
        learning=production.config.counted("learning"),
        features=features_of_source,
        random_seed=lookup("sampling/random_seed", within=config),
        nomenclature=config["nomenclature"],
        codes=CODES,
    message:
        "Judging the {wildcards.source} learner of region {wildcards.region}, seed {wildcards.seed}, by folds"


rule fuse_seeds:
    input:
        classes=maps_to_fuse("classes"),
        confidence=maps_to_fuse("confidence"),
        probabilities=maps_to_fuse("probabilities"),
        confusions=folds_to_fuse,
        models=models_to_fuse,
    output:
        **{
            layer: f"<results>/fusion/{{tile}}/{layer}.tif"
            for layer in LAYERS
            if layer not in ("choice", "plain")
        },
    log:
        "<logs>/fuse_seeds/{tile}.log",
    benchmark:
        "<benchmarks>/fuse_seeds/{tile}.tsv"
    resources:
        **needs("fuse_seeds"),
    params:
        algorithm=versions("fusion"),
        rules=parameters.seed_rules,
        seeds=SEEDS,
        models_of_draw=lambda wildcards: [
            len(production.model_names(region))
            for region in REGIONS_OF_TILES[wildcards.tile]
        ],
        codes=CODES,
        dtype=parameters.fused_type,
    message:
        "Fusing the maps of all draws of {wildcards.tile}"
    script:
        "../workflow/scripts/fuse_seeds.py"


use rule mosaic_classes as mosaic_fusion with:
    input:
        pieces=expand("<results>/fusion/{tile}/classes.tif", tile=MAPPED_TILES),
    output:
        mosaic="<results>/final/Classifications_fusion.tif",
        style="<results>/final/Classifications_fusion.qml",
        names="<results>/final/Classifications_fusion.tif.aux.xml",
    log:
        "<logs>/mosaic_fusion.log",
    benchmark:
        "<benchmarks>/mosaic_fusion.tsv"
    resources:
        **needs("mosaic_fusion"),
    params:
        **ON_THE_MAP | {"legend": parameters.fused_legend},
        algorithm=versions("mosaic", "style"),
        layer="class_map",
    message:
        "Assembling the fused map"


use rule mosaic_classes as mosaic_fused_confidence with:
    input:
        pieces=expand("<results>/fusion/{tile}/confidence.tif", tile=MAPPED_TILES),
    output:
        mosaic="<results>/final/Confidence_fusion.tif",
        style="<results>/final/Confidence_fusion.qml",
    log:
        "<logs>/mosaic_fused_confidence.log",
    benchmark:
        "<benchmarks>/mosaic_fused_confidence.tsv"
    resources:
        **needs("mosaic_fused_confidence"),
    params:
        **ON_THE_MAP,
        algorithm=versions("mosaic", "style"),
        layer="confidence",
    message:
        "Assembling the confidence of the fused map"


use rule mosaic_classes as mosaic_fused_probabilities with:
    input:
        pieces=expand("<results>/fusion/{tile}/probabilities.tif", tile=MAPPED_TILES),
    output:
        mosaic="<results>/final/ProbabilityMap_fusion.tif",
    log:
        "<logs>/mosaic_fused_probabilities.log",
    benchmark:
        "<benchmarks>/mosaic_fused_probabilities.tsv"
    resources:
        **needs("mosaic_fused_probabilities"),
    params:
        **ON_THE_MAP,
        algorithm=versions("mosaic"),
        layer="probability",
        bands=[item.name for item in production.nomenclature.classes],
    message:
        "Assembling the probabilities of the fused map"


use rule preview_map as preview_fusion with:
    input:
        classes="<results>/final/Classifications_fusion.tif",
    output:
        picture=report(
            "<results>/final/Classifications_fusion.png",
            caption="../workflow/report/map.rst",
            category="Maps",
            labels={"seed": "fusion", "product": "land cover"},
        ),
    log:
        "<logs>/preview_fusion.log",
    benchmark:
        "<benchmarks>/preview_fusion.tsv"
    resources:
        **needs("preview_fusion"),
    params:
        **TITLED,
        algorithm=versions("preview"),
        legend=parameters.fused_legend,
    message:
        "Drawing the picture of the fused map"
