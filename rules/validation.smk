"""Validation: the maps against the validation polygons, and the scores over all draws."""

# Of the maps as they were before smoothing, where they are smoothed.
RAW_MATRICES = expand(
    "<results>/final/Confusion_Matrix_Classif_raw_Seed_{seed}.csv",
    seed=SEEDS if SMOOTHED else [],
)
HISTOGRAMS = expand(
    "<results>/final/Histograms_Seed_{seed}.{kind}",
    seed=SEEDS if config["classification"]["histograms"] else [],
    kind=["csv", "png"],
)
RAW_SCORES = ["<results>/final/scores_raw.csv"] if SMOOTHED else []
# What is told of the maps, with a reference or without one.
MEASURED = expand("<results>/final/Areas_Seed_{seed}.csv", seed=SEEDS) + [
    "<results>/final/RESULTS.txt"
]
# What a reference tells of them.
VALIDATED = judged(
    expand("<results>/final/diff_seed_{seed}.tif", seed=SEEDS)
    + expand(
        "<results>/final/Confusion_Matrix_Classif_Seed_{seed}.{kind}",
        seed=SEEDS,
        kind=["csv", "png"],
    )
    + expand(
        "<results>/final/reliability_seed_{seed}.{kind}",
        seed=SEEDS,
        kind=["csv", "png"],
    )
    + ["<results>/final/scores.csv", "<results>/final/scores.png"]
    + RAW_SCORES
    + HISTOGRAMS
)


rule validation:
    input:
        MEASURED + VALIDATED if REFERENCED else no_reference,
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
        maps=maps_of_tile(pieces),
        confidence=maps_of_tile(pieces, "confidence"),
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
        polygons=expand(
            "<results>/validation/{{tile}}/polygons_seed_{seed}.csv", seed=SEEDS
        ),
        reliability=expand(
            "<results>/validation/{{tile}}/reliability_seed_{seed}.csv", seed=SEEDS
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


use rule compare_tile as compare_raw_tile with:
    input:
        splits="<results>/sampling/polygons.gpkg",
        polygons="<results>/tiles/{tile}/polygons.tif",
        validity="<results>/tiles/{tile}/validity.tif",
        footprint="<results>/tiles/{tile}/footprint.tif",
        maps=maps_of_tile(raw_pieces),
    output:
        confusions=expand(
            "<results>/validation/{{tile}}/confusion_raw_seed_{seed}.csv", seed=SEEDS
        ),
    log:
        "<logs>/compare_raw_tile/{tile}.log",
    benchmark:
        "<benchmarks>/compare_raw_tile/{tile}.tsv"
    resources:
        **needs("compare_raw_tile"),
    params:
        algorithm=versions("validation", "accuracy"),
        nomenclature=config["nomenclature"],
        seeds=SEEDS,
        codes=CODES,
        cloud_threshold=CLOUD_THRESHOLD,
    message:
        "Comparing the maps of {wildcards.tile} before smoothing with the reference"


rule sum_confusions:
    input:
        confusions=expand(
            "<results>/validation/{tile}/confusion_seed_{{seed}}.csv", tile=TILES
        ),
        reliability=expand(
            "<results>/validation/{tile}/reliability_seed_{{seed}}.csv", tile=TILES
        ),
    output:
        matrix="<results>/final/Confusion_Matrix_Classif_Seed_{seed}.csv",
        figure=report(
            "<results>/final/Confusion_Matrix_Classif_Seed_{seed}.png",
            caption="../workflow/report/confusion.rst",
            category="Accuracy",
            labels={"seed": "{seed}", "product": "confusion matrix"},
        ),
        reliability="<results>/final/reliability_seed_{seed}.csv",
        curve=report(
            "<results>/final/reliability_seed_{seed}.png",
            caption="../workflow/report/reliability.rst",
            category="Accuracy",
            labels={"seed": "{seed}", "product": "reliability of the confidence"},
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


use rule sum_confusions as sum_raw_confusions with:
    input:
        confusions=expand(
            "<results>/validation/{tile}/confusion_raw_seed_{{seed}}.csv", tile=TILES
        ),
    output:
        matrix="<results>/final/Confusion_Matrix_Classif_raw_Seed_{seed}.csv",
        figure="<results>/final/Confusion_Matrix_Classif_raw_Seed_{seed}.png",
    log:
        "<logs>/sum_raw_confusions/{seed}.log",
    benchmark:
        "<benchmarks>/sum_raw_confusions/{seed}.tsv"
    resources:
        **needs("sum_raw_confusions"),
    params:
        algorithm=versions("accuracy", "figures"),
        legend=parameters.legend,
    message:
        "Adding up the confusion matrices of seed {wildcards.seed} before smoothing"


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


rule count_values:
    input:
        differences=expand(
            "<results>/validation/{{tile}}/diff_seed_{seed}.tif", seed=SEEDS
        ),
        confidence=maps_of_tile(pieces, "confidence"),
        validity="<results>/tiles/{tile}/validity.tif",
    output:
        values=expand(
            "<results>/validation/{{tile}}/values_seed_{seed}.csv", seed=SEEDS
        ),
    log:
        "<logs>/count_values/{tile}.log",
    benchmark:
        "<benchmarks>/count_values/{tile}.tsv"
    resources:
        **needs("count_values"),
    params:
        algorithm=versions("histograms"),
    message:
        "Counting the confidence of right and wrong pixels of {wildcards.tile}"
    script:
        "../workflow/scripts/count_values.py"


rule draw_histograms:
    input:
        counts=expand(
            "<results>/validation/{tile}/values_seed_{{seed}}.csv", tile=TILES
        ),
    output:
        table="<results>/final/Histograms_Seed_{seed}.csv",
        figure=report(
            "<results>/final/Histograms_Seed_{seed}.png",
            caption="../workflow/report/histograms.rst",
            category="Accuracy",
            labels={"seed": "{seed}", "product": "histograms"},
        ),
    log:
        "<logs>/draw_histograms/{seed}.log",
    benchmark:
        "<benchmarks>/draw_histograms/{seed}.tsv"
    resources:
        **needs("draw_histograms"),
    params:
        algorithm=versions("histograms", "figures"),
    message:
        "Drawing the histograms of seed {wildcards.seed}"
    script:
        "../workflow/scripts/draw_histograms.py"


rule measure_areas:
    input:
        classes="<results>/final/Classif_Seed_{seed}.tif",
        matrix=judged("<results>/final/Confusion_Matrix_Classif_Seed_{seed}.csv"),
        polygons=judged(
            expand(
                "<results>/validation/{tile}/polygons_seed_{{seed}}.csv", tile=TILES
            )
        ),
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
        raw_matrices=RAW_MATRICES,
        areas=expand("<results>/final/Areas_Seed_{seed}.csv", seed=SEEDS),
        inventories=expand("<results>/tiles/{tile}/inventory.json", tile=TILES),
        splits="<results>/sampling/polygons.gpkg",
        suspicious=SUSPICIOUS,
        by_polygon=expand(
            "<results>/validation/{tile}/polygons_seed_{seed}.csv",
            tile=TILES,
            seed=SEEDS,
        ),
        reliability=expand("<results>/final/reliability_seed_{seed}.csv", seed=SEEDS),
        # What they have learnt of other years, and what not.
        models=(
            [path for region in REGIONS for path in models_of(region)]
            if parameters.sources
            else []
        ),
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
        raw_scores=RAW_SCORES,
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


rule report_areas:
    input:
        areas=expand("<results>/final/Areas_Seed_{seed}.csv", seed=SEEDS),
        inventories=expand("<results>/tiles/{tile}/inventory.json", tile=TILES),
    output:
        results=report(
            "<results>/final/RESULTS.txt",
            caption="../workflow/report/areas.rst",
            category="Accuracy",
            labels={"seed": "all", "product": "areas"},
        ),
    log:
        "<logs>/report_areas.log",
    benchmark:
        "<benchmarks>/report_areas.tsv"
    resources:
        **needs("report_areas"),
    params:
        algorithm=versions("areas"),
        legend=parameters.legend,
        seeds=SEEDS,
    message:
        "Writing what is known of a map without reference"
    script:
        "../workflow/scripts/report_areas.py"


if REFERENCED:

    ruleorder: report_accuracy > report_areas

else:

    ruleorder: report_areas > report_accuracy
