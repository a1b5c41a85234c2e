"""Validation of the fused map, and of the same regularised: on polygons that no draw has learnt."""


rule compare_fusion:
    input:
        splits="<results>/sampling/polygons.gpkg",
        polygons="<results>/tiles/{tile}/polygons.tif",
        validity="<results>/tiles/{tile}/validity.tif",
        footprint="<results>/tiles/{tile}/footprint.tif",
        fused=fused_map_of_tile,
        maps=maps_of_tile(raw_pieces),
    output:
        confusion="<results>/validation/{tile}/confusion_fusion.csv",
        difference="<results>/validation/{tile}/diff_fusion.tif",
        by_polygon="<results>/validation/{tile}/polygons_fusion.csv",
        confusions=expand(
            "<results>/validation/{{tile}}/confusion_unlearnt_seed_{seed}.csv",
            seed=SEEDS,
        ),
    log:
        "<logs>/compare_fusion/{tile}.log",
    benchmark:
        "<benchmarks>/compare_fusion/{tile}.tsv"
    resources:
        **needs("compare_fusion"),
    params:
        algorithm=versions("validation", "accuracy"),
        nomenclature=config["nomenclature"],
        seeds=SEEDS,
        codes=CODES,
        cloud_threshold=CLOUD_THRESHOLD,
        undecided=parameters.fused_legend.get("undecided", 0),
    message:
        "Comparing the fused map of {wildcards.tile} with polygons that no draw has learnt"
    script:
        "../workflow/scripts/compare_fusion.py"


use rule sum_confusions as sum_fusion with:
    input:
        confusions=expand(
            "<results>/validation/{tile}/confusion_fusion.csv", tile=TILES
        ),
    output:
        matrix="<results>/final/Confusion_Matrix_Classifications_fusion.csv",
        figure=report(
            "<results>/final/Confusion_Matrix_Classifications_fusion.png",
            caption="../workflow/report/confusion.rst",
            category="Accuracy",
            labels={"seed": "fusion", "product": "confusion matrix"},
        ),
    log:
        "<logs>/sum_fusion.log",
    benchmark:
        "<benchmarks>/sum_fusion.tsv"
    resources:
        **needs("sum_fusion"),
    params:
        algorithm=versions("accuracy", "figures"),
        legend=parameters.legend,
        title="Fusion of all seeds",
    message:
        "Adding up the confusion matrices of the fused map"


use rule mosaic_classes as mosaic_fused_differences with:
    input:
        pieces=expand("<results>/validation/{tile}/diff_fusion.tif", tile=TILES),
    output:
        mosaic="<results>/final/diff_fusion.tif",
        style="<results>/final/diff_fusion.qml",
    log:
        "<logs>/mosaic_fused_differences.log",
    benchmark:
        "<benchmarks>/mosaic_fused_differences.tsv"
    resources:
        **needs("mosaic_fused_differences"),
    params:
        **ON_THE_MAP,
        algorithm=versions("mosaic", "style"),
        layer="difference",
    message:
        "Assembling where the fused map is right"


use rule measure_areas as measure_fused_areas with:
    input:
        classes="<results>/final/Classifications_fusion.tif",
        matrix=judged("<results>/final/Confusion_Matrix_Classifications_fusion.csv"),
        polygons=judged(
            expand("<results>/validation/{tile}/polygons_fusion.csv", tile=TILES)
        ),
    output:
        areas="<results>/final/Areas_fusion.csv",
    log:
        "<logs>/measure_fused_areas.log",
    benchmark:
        "<benchmarks>/measure_fused_areas.tsv"
    resources:
        **needs("measure_fused_areas"),
    params:
        algorithm=versions("areas", "accuracy"),
        legend=parameters.legend,
    message:
        "Measuring the areas of the classes of the fused map"


rule report_fusion:
    input:
        matrix="<results>/final/Confusion_Matrix_Classifications_fusion.csv",
        confusions=expand(
            "<results>/validation/{tile}/confusion_unlearnt_seed_{seed}.csv",
            tile=TILES,
            seed=SEEDS,
        ),
        areas="<results>/final/Areas_fusion.csv",
        by_polygon=expand("<results>/validation/{tile}/polygons_fusion.csv", tile=TILES),
        splits="<results>/sampling/polygons.gpkg",
    output:
        results=report(
            "<results>/final/RESULTS_seeds.txt",
            caption="../workflow/report/results.rst",
            category="Accuracy",
            labels={"seed": "fusion", "product": "scores"},
        ),
    log:
        "<logs>/report_fusion.log",
    benchmark:
        "<benchmarks>/report_fusion.tsv"
    resources:
        **needs("report_fusion"),
    params:
        algorithm=versions("accuracy", "areas"),
        legend=parameters.legend,
        seeds=SEEDS,
        rules=parameters.seed_rules,
    message:
        "Writing the accuracy report of the fused map"
    script:
        "../workflow/scripts/report_fusion.py"


use rule compare_fusion as compare_regularised_fusion with:
    input:
        splits="<results>/sampling/polygons.gpkg",
        polygons="<results>/tiles/{tile}/polygons.tif",
        validity="<results>/tiles/{tile}/validity.tif",
        footprint="<results>/tiles/{tile}/footprint.tif",
        fused=["<results>/final/Classif_Regularised_fusion.tif"],
        maps=expand("<results>/final/Classif_Regularised_Seed_{seed}.tif", seed=SEEDS),
    output:
        confusion="<results>/validation/{tile}/confusion_regularised_fusion.csv",
        difference="<results>/validation/{tile}/diff_regularised_fusion.tif",
        by_polygon="<results>/validation/{tile}/polygons_regularised_fusion.csv",
        confusions=expand(
            "<results>/validation/{{tile}}/confusion_regularised_unlearnt_seed_{seed}.csv",
            seed=SEEDS,
        ),
    log:
        "<logs>/compare_regularised_fusion/{tile}.log",
    benchmark:
        "<benchmarks>/compare_regularised_fusion/{tile}.tsv"
    resources:
        **needs("compare_regularised_fusion"),
    params:
        algorithm=versions("validation", "accuracy"),
        nomenclature=config["nomenclature"],
        seeds=SEEDS,
        codes=CODES,
        cloud_threshold=CLOUD_THRESHOLD,
        undecided=parameters.fused_legend.get("undecided", 0),
    message:
        "Comparing the regularised fused map of {wildcards.tile} with polygons that no draw has learnt"


use rule sum_confusions as sum_regularised_fusion with:
    input:
        confusions=expand(
            "<results>/validation/{tile}/confusion_regularised_fusion.csv", tile=TILES
        ),
    output:
        matrix="<results>/final/Confusion_Matrix_Classif_Regularised_fusion.csv",
        figure=report(
            "<results>/final/Confusion_Matrix_Classif_Regularised_fusion.png",
            caption="../workflow/report/confusion.rst",
            category="Accuracy",
            labels={"seed": "fusion", "product": "confusion matrix, regularised"},
        ),
    log:
        "<logs>/sum_regularised_fusion.log",
    benchmark:
        "<benchmarks>/sum_regularised_fusion.tsv"
    resources:
        **needs("sum_regularised_fusion"),
    params:
        algorithm=versions("accuracy", "figures"),
        legend=parameters.legend,
        title="Fusion of all seeds, regularised",
    message:
        "Adding up the confusion matrices of the regularised fused map"


use rule mosaic_classes as mosaic_regularised_fused_differences with:
    input:
        pieces=expand(
            "<results>/validation/{tile}/diff_regularised_fusion.tif", tile=TILES
        ),
    output:
        mosaic="<results>/final/diff_Regularised_fusion.tif",
        style="<results>/final/diff_Regularised_fusion.qml",
    log:
        "<logs>/mosaic_regularised_fused_differences.log",
    benchmark:
        "<benchmarks>/mosaic_regularised_fused_differences.tsv"
    resources:
        **needs("mosaic_regularised_fused_differences"),
    params:
        **ON_THE_MAP,
        algorithm=versions("mosaic", "style"),
        layer="difference",
    message:
        "Assembling where the regularised fused map is right"


use rule measure_areas as measure_regularised_fused_areas with:
    input:
        classes="<results>/final/Classif_Regularised_fusion.tif",
        matrix=judged("<results>/final/Confusion_Matrix_Classif_Regularised_fusion.csv"),
        polygons=judged(
            expand(
                "<results>/validation/{tile}/polygons_regularised_fusion.csv",
                tile=TILES,
            )
        ),
    output:
        areas="<results>/final/Areas_Regularised_fusion.csv",
    log:
        "<logs>/measure_regularised_fused_areas.log",
    benchmark:
        "<benchmarks>/measure_regularised_fused_areas.tsv"
    resources:
        **needs("measure_regularised_fused_areas"),
    params:
        algorithm=versions("areas", "accuracy"),
        legend=parameters.legend,
    message:
        "Measuring the areas of the classes of the regularised fused map"


use rule report_fusion as report_regularised_fusion with:
    input:
        matrix="<results>/final/Confusion_Matrix_Classif_Regularised_fusion.csv",
        confusions=expand(
            "<results>/validation/{tile}/confusion_regularised_unlearnt_seed_{seed}.csv",
            tile=TILES,
            seed=SEEDS,
        ),
        areas="<results>/final/Areas_Regularised_fusion.csv",
        splits="<results>/sampling/polygons.gpkg",
        by_polygon=expand(
            "<results>/validation/{tile}/polygons_regularised_fusion.csv", tile=TILES
        ),
    output:
        results=report(
            "<results>/final/RESULTS_Regularised_fusion.txt",
            caption="../workflow/report/results.rst",
            category="Accuracy",
            labels={"seed": "fusion", "product": "scores, regularised"},
        ),
    log:
        "<logs>/report_regularised_fusion.log",
    benchmark:
        "<benchmarks>/report_regularised_fusion.tsv"
    resources:
        **needs("report_regularised_fusion"),
    params:
        algorithm=versions("accuracy", "areas"),
        legend=parameters.legend,
        seeds=SEEDS,
        rules=parameters.seed_rules,
        regularised=True,
    message:
        "Writing the accuracy report of the regularised fused map"
