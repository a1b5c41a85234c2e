"""Regularisation: the maps without small areas, their styles, pictures and scores.

Blocks are windows of the whole map: tiles overlap, and the map alone tells whose pixel stands where.
"""

BLOCKS = production.regularisation.blocks if production.regularisation else {}
# What one job works on, by the name of its first block.
BUNDLES_OF_BLOCKS = bundles(BLOCKS)
# What is regularised, by its name in the products.
MAPS = {f"Seed_{seed}": f"<results>/final/Classif_Seed_{seed}.tif" for seed in SEEDS}
if production.fused_seeds:
    MAPS["fusion"] = "<results>/final/Classifications_fusion.tif"
ON_THE_REGULARISED_MAP = parameters.on_regularised_map | {"legend": None}

# What is said of the fused map, as of those of the draws: fusion_validation.smk.
REGULARISED_FUSION = (
    ["<results>/final/Areas_Regularised_fusion.csv"]
    + judged(
        [
            "<results>/final/diff_Regularised_fusion.tif",
            "<results>/final/RESULTS_Regularised_fusion.txt",
        ]
    )
    if production.fused_seeds
    else []
)
REGULARISED = (
    expand(
        "<results>/final/Classif_Regularised_{map}.{kind}",
        map=MAPS,
        kind=["tif", "qml", "png"],
    )
    + judged(expand("<results>/final/diff_Regularised_seed_{seed}.tif", seed=SEEDS))
    + expand("<results>/final/Areas_Regularised_Seed_{seed}.csv", seed=SEEDS)
    + judged(["<results>/final/RESULTS_Regularised.txt"])
    + REGULARISED_FUSION
    if BLOCKS
    else []
)


rule regularisation:
    input:
        REGULARISED or no_regularisation,
    message:
        "Stage regularisation is complete"


rule regularise_blocks:
    input:
        classes=map_to_regularise,
    output:
        blocks=directory("<results>/regularisation/{map}/{bundle}"),
    log:
        "<logs>/regularise_blocks/{map}_{bundle}.log",
    benchmark:
        "<benchmarks>/regularise_blocks/{map}_{bundle}.tsv"
    threads: 1
    resources:
        **needs("regularise_blocks"),
    params:
        algorithm=versions("regularisation"),
        blocks=lambda wildcards: {
            name: list(BLOCKS[name]) for name in BUNDLES_OF_BLOCKS[wildcards.bundle]
        },
        settings=parameters.regularisation,
        water_mask_contents=parameters.water_contents,
    message:
        "Regularising blocks of {wildcards.map}, from {wildcards.bundle} on"
    script:
        "../workflow/scripts/regularise_blocks.py"


rule compare_seams:
    input:
        blocks=expand(
            "<results>/regularisation/{{map}}/{bundle}", bundle=BUNDLES_OF_BLOCKS
        )
        or no_regularisation,
    output:
        seams="<results>/regularisation/{map}/seams.json",
    log:
        "<logs>/compare_seams/{map}.log",
    benchmark:
        "<benchmarks>/compare_seams/{map}.tsv"
    threads: 1
    resources:
        **needs("compare_seams"),
    params:
        algorithm=versions("regularisation"),
        names=list(BLOCKS),
        margin=parameters.regularisation.get("margin"),
    message:
        "Comparing the blocks of {wildcards.map} where they meet"
    script:
        "../workflow/scripts/compare_seams.py"


use rule mosaic_classes as mosaic_regularised with:
    input:
        pieces=expand(
            "<results>/regularisation/{{map}}/{bundle}", bundle=BUNDLES_OF_BLOCKS
        ),
        seams="<results>/regularisation/{map}/seams.json",
    output:
        mosaic="<results>/final/Classif_Regularised_{map}.tif",
        style="<results>/final/Classif_Regularised_{map}.qml",
        names="<results>/final/Classif_Regularised_{map}.tif.aux.xml",
    log:
        "<logs>/mosaic_regularised/{map}.log",
    benchmark:
        "<benchmarks>/mosaic_regularised/{map}.tsv"
    resources:
        **needs("mosaic_regularised"),
    params:
        **ON_THE_REGULARISED_MAP | {"legend": legend_of_map},
        algorithm=versions("mosaic", "style"),
        layer="regularised_map",
        blocks=list(BLOCKS),
    message:
        "Assembling the regularised map of {wildcards.map}"


use rule preview_map as preview_regularised with:
    input:
        classes="<results>/final/Classif_Regularised_{map}.tif",
    output:
        picture=report(
            "<results>/final/Classif_Regularised_{map}.png",
            caption="../workflow/report/regularised.rst",
            category="Maps",
            labels={"seed": "{map}", "product": "land cover, regularised"},
        ),
    log:
        "<logs>/preview_regularised/{map}.log",
    benchmark:
        "<benchmarks>/preview_regularised/{map}.tsv"
    resources:
        **needs("preview_regularised"),
    params:
        algorithm=versions("preview"),
        legend=legend_of_map,
        title="Land cover, regularised",
    message:
        "Drawing the picture of the regularised map of {wildcards.map}"


use rule compare_tile as compare_regularised_tile with:
    input:
        splits="<results>/sampling/polygons.gpkg",
        polygons="<results>/tiles/{tile}/polygons.tif",
        validity="<results>/tiles/{tile}/validity.tif",
        footprint="<results>/tiles/{tile}/footprint.tif",
        maps=expand("<results>/final/Classif_Regularised_Seed_{seed}.tif", seed=SEEDS),
    output:
        confusions=expand(
            "<results>/validation/{{tile}}/confusion_regularised_seed_{seed}.csv",
            seed=SEEDS,
        ),
        differences=expand(
            "<results>/validation/{{tile}}/diff_regularised_seed_{seed}.tif",
            seed=SEEDS,
        ),
        polygons=expand(
            "<results>/validation/{{tile}}/polygons_regularised_seed_{seed}.csv",
            seed=SEEDS,
        ),
    log:
        "<logs>/compare_regularised_tile/{tile}.log",
    benchmark:
        "<benchmarks>/compare_regularised_tile/{tile}.tsv"
    resources:
        **needs("compare_regularised_tile"),
    params:
        algorithm=versions("validation", "accuracy"),
        nomenclature=config["nomenclature"],
        seeds=SEEDS,
        codes=CODES,
        cloud_threshold=CLOUD_THRESHOLD,
    message:
        "Comparing the regularised maps of {wildcards.tile} with the reference"


use rule sum_confusions as sum_regularised_confusions with:
    input:
        confusions=expand(
            "<results>/validation/{tile}/confusion_regularised_seed_{{seed}}.csv",
            tile=TILES,
        ),
    output:
        matrix="<results>/final/Confusion_Matrix_Classif_Regularised_Seed_{seed}.csv",
        figure=report(
            "<results>/final/Confusion_Matrix_Classif_Regularised_Seed_{seed}.png",
            caption="../workflow/report/regularised_confusion.rst",
            category="Accuracy",
            labels={"seed": "{seed}", "product": "confusion matrix, regularised"},
        ),
    log:
        "<logs>/sum_regularised_confusions/{seed}.log",
    benchmark:
        "<benchmarks>/sum_regularised_confusions/{seed}.tsv"
    resources:
        **needs("sum_regularised_confusions"),
    params:
        algorithm=versions("accuracy", "figures"),
        legend=parameters.legend,
        title="Seed {}, regularised",
    message:
        "Adding up the confusion matrices of the regularised map of seed {wildcards.seed}"


use rule mosaic_classes as mosaic_regularised_differences with:
    input:
        pieces=expand(
            "<results>/validation/{tile}/diff_regularised_seed_{{seed}}.tif",
            tile=TILES,
        ),
    output:
        mosaic="<results>/final/diff_Regularised_seed_{seed}.tif",
        style="<results>/final/diff_Regularised_seed_{seed}.qml",
    log:
        "<logs>/mosaic_regularised_differences/{seed}.log",
    benchmark:
        "<benchmarks>/mosaic_regularised_differences/{seed}.tsv"
    resources:
        **needs("mosaic_regularised_differences"),
    params:
        **ON_THE_MAP,
        algorithm=versions("mosaic", "style"),
        layer="difference",
    message:
        "Assembling where the regularised map of seed {wildcards.seed} is right"


use rule measure_areas as measure_regularised_areas with:
    input:
        classes="<results>/final/Classif_Regularised_Seed_{seed}.tif",
        matrix=judged(
            "<results>/final/Confusion_Matrix_Classif_Regularised_Seed_{seed}.csv"
        ),
        polygons=judged(
            expand(
                "<results>/validation/{tile}/polygons_regularised_seed_{{seed}}.csv",
                tile=TILES,
            )
        ),
    output:
        areas="<results>/final/Areas_Regularised_Seed_{seed}.csv",
    log:
        "<logs>/measure_regularised_areas/{seed}.log",
    benchmark:
        "<benchmarks>/measure_regularised_areas/{seed}.tsv"
    resources:
        **needs("measure_regularised_areas"),
    params:
        algorithm=versions("areas", "accuracy"),
        legend=parameters.legend,
    message:
        "Measuring the areas of the classes of the regularised map of seed {wildcards.seed}"


use rule report_accuracy as report_regularised_accuracy with:
    input:
        matrices=expand(
            "<results>/final/Confusion_Matrix_Classif_Regularised_Seed_{seed}.csv",
            seed=SEEDS,
        ),
        areas=expand("<results>/final/Areas_Regularised_Seed_{seed}.csv", seed=SEEDS),
        inventories=expand("<results>/tiles/{tile}/inventory.json", tile=TILES),
        splits="<results>/sampling/polygons.gpkg",
        by_polygon=expand(
            "<results>/validation/{tile}/polygons_regularised_seed_{seed}.csv",
            tile=TILES,
            seed=SEEDS,
        ),
    output:
        results=report(
            "<results>/final/RESULTS_Regularised.txt",
            caption="../workflow/report/regularised_results.rst",
            category="Accuracy",
            labels={"seed": "all", "product": "scores, regularised"},
        ),
        scores="<results>/final/scores_Regularised.csv",
        figure=report(
            "<results>/final/scores_Regularised.png",
            caption="../workflow/report/scores.rst",
            category="Accuracy",
            labels={"seed": "all", "product": "F-scores, regularised"},
        ),
    log:
        "<logs>/report_regularised_accuracy.log",
    benchmark:
        "<benchmarks>/report_regularised_accuracy.tsv"
    resources:
        **needs("report_regularised_accuracy"),
    params:
        algorithm=versions("accuracy", "areas", "figures"),
        legend=parameters.legend,
        seeds=SEEDS,
        regularised=True,
    message:
        "Writing the accuracy report of the regularised maps"
