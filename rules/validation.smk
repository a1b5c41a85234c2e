"""Validation: the maps against the validation polygons, and the scores over all draws."""


rule validation:
    input:
        expand("<results>/final/diff_seed_{seed}.tif", seed=SEEDS),
        expand(
            "<results>/final/Confusion_Matrix_Classif_Seed_{seed}.{kind}",
            seed=SEEDS,
            kind=["csv", "png"],
        ),
        expand("<results>/final/Areas_Seed_{seed}.csv", seed=SEEDS),
        "<results>/final/RESULTS.txt",
        "<results>/final/scores.csv",
        "<results>/final/scores.png",
    message:
        "Stage validation is complete"


# Confusions of the maps without what neighbouring regions say, where they do.
PLAIN_CONFUSIONS = {}
if production.boundaries:
    PLAIN_CONFUSIONS["plain"] = "confusion_plain_seed_{seed}.csv"


rule compare_tile:
    input:
        splits="<results>/sampling/polygons.gpkg",
        polygons="<results>/tiles/{tile}/polygons.tif",
        validity="<results>/tiles/{tile}/validity.tif",
        footprint="<results>/tiles/{tile}/footprint.tif",
        maps=maps_of_tile,
        plain=plain_maps_of_tile,
    output:
        **{
            name: expand(f"<results>/validation/{{{{tile}}}}/{file}", seed=SEEDS)
            for name, file in PLAIN_CONFUSIONS.items()
        },
        confusions=expand(
            "<results>/validation/{{tile}}/confusion_seed_{seed}.csv", seed=SEEDS
        ),
        differences=expand(
            "<results>/validation/{{tile}}/diff_seed_{seed}.tif", seed=SEEDS
        ),
    log:
        "<logs>/compare_tile/{tile}.log",
    benchmark:
        "<benchmarks>/compare_tile/{tile}.tsv"
    resources:
        **needs("compare_tile"),
    params:
        algorithm=versions("validation", "accuracy"),
        nomenclature=config["nomenclature"],
        seeds=SEEDS,
        codes=CODES,
        cloud_threshold=CLOUD_THRESHOLD,
    message:
        "Comparing the maps of {wildcards.tile} with the reference"
    script:
        "../workflow/scripts/compare_tile.py"


rule sum_confusions:
    input:
        confusions=expand(
            "<results>/validation/{tile}/confusion_seed_{{seed}}.csv", tile=TILES
        ),
    output:
        matrix="<results>/final/Confusion_Matrix_Classif_Seed_{seed}.csv",
        figure=report(
            "<results>/final/Confusion_Matrix_Classif_Seed_{seed}.png",
            caption="../workflow/report/confusion.rst",
            category="Accuracy",
            labels={"seed": "{seed}", "product": "confusion matrix"},
        ),
    log:
        "<logs>/sum_confusions/{seed}.log",
    benchmark:
        "<benchmarks>/sum_confusions/{seed}.tsv"
    resources:
        **needs("sum_confusions"),
    params:
        algorithm=versions("accuracy", "figures"),
        legend=parameters.legend,
    message:
        "Adding up the confusion matrices of seed {wildcards.seed}"
    script:
        "../workflow/scripts/sum_confusions.py"


use rule mosaic_classes as mosaic_differences with:
    input:
        pieces=expand("<results>/validation/{tile}/diff_seed_{{seed}}.tif", tile=TILES),
    output:
        mosaic="<results>/final/diff_seed_{seed}.tif",
        style="<results>/final/diff_seed_{seed}.qml",
    log:
        "<logs>/mosaic_differences/{seed}.log",
    benchmark:
        "<benchmarks>/mosaic_differences/{seed}.tsv"
    resources:
        **needs("mosaic_differences"),
    params:
        **ON_THE_MAP,
        algorithm=versions("mosaic", "style"),
        layer="difference",
    message:
        "Assembling where the map of seed {wildcards.seed} is right"


rule measure_areas:
    input:
        classes="<results>/final/Classif_Seed_{seed}.tif",
        matrix="<results>/final/Confusion_Matrix_Classif_Seed_{seed}.csv",
    output:
        areas="<results>/final/Areas_Seed_{seed}.csv",
    log:
        "<logs>/measure_areas/{seed}.log",
    benchmark:
        "<benchmarks>/measure_areas/{seed}.tsv"
    resources:
        **needs("measure_areas"),
    params:
        algorithm=versions("areas", "accuracy"),
        legend=parameters.legend,
    message:
        "Measuring the areas of the classes of seed {wildcards.seed}"
    script:
        "../workflow/scripts/measure_areas.py"


rule report_accuracy:
    input:
        matrices=expand(
            "<results>/final/Confusion_Matrix_Classif_Seed_{seed}.csv", seed=SEEDS
        ),
        areas=expand("<results>/final/Areas_Seed_{seed}.csv", seed=SEEDS),
        inventories=expand("<results>/tiles/{tile}/inventory.json", tile=TILES),
        splits="<results>/sampling/polygons.gpkg",
        plain=[
            f"<results>/validation/{tile}/{file}".format(seed=seed)
            for file in PLAIN_CONFUSIONS.values()
            for tile in TILES
            for seed in SEEDS
        ],
    output:
        results=report(
            "<results>/final/RESULTS.txt",
            caption="../workflow/report/results.rst",
            category="Accuracy",
            labels={"seed": "all", "product": "scores"},
        ),
        scores="<results>/final/scores.csv",
        figure=report(
            "<results>/final/scores.png",
            caption="../workflow/report/scores.rst",
            category="Accuracy",
            labels={"seed": "all", "product": "F-scores"},
        ),
    log:
        "<logs>/report_accuracy.log",
    benchmark:
        "<benchmarks>/report_accuracy.tsv"
    resources:
        **needs("report_accuracy"),
    params:
        algorithm=versions("accuracy", "areas", "figures"),
        legend=parameters.legend,
        seeds=SEEDS,
    message:
        "Writing the accuracy report"
    script:
        "../workflow/scripts/report_accuracy.py"
