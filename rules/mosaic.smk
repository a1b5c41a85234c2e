"""Mosaic: the final maps, their styles and their picture."""


rule mosaic:
    input:
        expand(
            "<results>/final/{layer}_{seed}.{kind}",
            layer=["Classif_Seed", "Confidence_Seed"],
            seed=SEEDS,
            kind=["tif", "qml"],
        ),
        expand(
            "<results>/final/ProbabilityMap_seed_{seed}.tif",
            seed=SEEDS if PROBABILITY_MAP else [],
        ),
        expand(
            "<results>/final/Classif_raw_Seed_{seed}.{kind}",
            seed=SEEDS if SMOOTHED else [],
            kind=["tif", "qml"],
        ),
        expand(
            "<results>/final/Choice_Seed_{seed}.{kind}",
            seed=SEEDS if "choice" in LAYERS else [],
            kind=["tif", "qml"],
        ),
        expand(
            "<results>/final/PredictionSets_Seed_{seed}.{kind}",
            seed=SEEDS if "sets" in LAYERS else [],
            kind=["tif", "qml"],
        ),
        expand("<results>/final/Classif_Seed_{seed}.png", seed=SEEDS),
        "<results>/final/PixelsValidity.tif",
        "<results>/final/PixelsValidity.qml",
    message:
        "Stage mosaic is complete"


# A layer of quantities has no legend.
ON_THE_MAP = {
    "grid": production.mosaic_grid.as_dict(),
    "tags": parameters.provenance,
    "legend": None,
}


rule mosaic_classes:
    input:
        pieces=pieces_of_map("classes"),
    output:
        mosaic="<results>/final/Classif_Seed_{seed}.tif",
        style="<results>/final/Classif_Seed_{seed}.qml",
        names="<results>/final/Classif_Seed_{seed}.tif.aux.xml",
    log:
        "<logs>/mosaic_classes/{seed}.log",
    benchmark:
        "<benchmarks>/mosaic_classes/{seed}.tsv"
    threads: 2
    resources:
        **needs("mosaic_classes"),
    params:
        **ON_THE_MAP | {"legend": parameters.legend},
        algorithm=versions("mosaic", "style"),
        layer="class_map",
    message:
        "Assembling the map of seed {wildcards.seed}"
    script:
        "../workflow/scripts/mosaic_classes.py"


use rule mosaic_classes as mosaic_raw_classes with:
    input:
        pieces=pieces_of_map("classes", raw_pieces),
    output:
        mosaic="<results>/final/Classif_raw_Seed_{seed}.tif",
        style="<results>/final/Classif_raw_Seed_{seed}.qml",
        names="<results>/final/Classif_raw_Seed_{seed}.tif.aux.xml",
    log:
        "<logs>/mosaic_raw_classes/{seed}.log",
    benchmark:
        "<benchmarks>/mosaic_raw_classes/{seed}.tsv"
    resources:
        **needs("mosaic_raw_classes"),
    params:
        **ON_THE_MAP | {"legend": parameters.legend},
        algorithm=versions("mosaic", "style"),
        layer="class_map",
    message:
        "Assembling the map of seed {wildcards.seed} as it was before smoothing"


use rule mosaic_classes as mosaic_confidence with:
    input:
        pieces=pieces_of_map("confidence"),
    output:
        mosaic="<results>/final/Confidence_Seed_{seed}.tif",
        style="<results>/final/Confidence_Seed_{seed}.qml",
    log:
        "<logs>/mosaic_confidence/{seed}.log",
    benchmark:
        "<benchmarks>/mosaic_confidence/{seed}.tsv"
    resources:
        **needs("mosaic_confidence"),
    params:
        **ON_THE_MAP,
        algorithm=versions("mosaic", "style"),
        layer="confidence",
    message:
        "Assembling the confidence of seed {wildcards.seed}"


use rule mosaic_classes as mosaic_probabilities with:
    input:
        pieces=pieces_of_map("probabilities"),
    output:
        mosaic="<results>/final/ProbabilityMap_seed_{seed}.tif",
    log:
        "<logs>/mosaic_probabilities/{seed}.log",
    benchmark:
        "<benchmarks>/mosaic_probabilities/{seed}.tsv"
    resources:
        **needs("mosaic_probabilities"),
    params:
        **ON_THE_MAP,
        algorithm=versions("mosaic"),
        layer="probability",
        bands=[item.name for item in production.nomenclature.classes],
    message:
        "Assembling the probabilities of seed {wildcards.seed}"


use rule mosaic_classes as mosaic_choice with:
    input:
        pieces=pieces_of_map("choice"),
    output:
        mosaic="<results>/final/Choice_Seed_{seed}.tif",
        style="<results>/final/Choice_Seed_{seed}.qml",
    log:
        "<logs>/mosaic_choice/{seed}.log",
    benchmark:
        "<benchmarks>/mosaic_choice/{seed}.tsv"
    resources:
        **needs("mosaic_choice"),
    params:
        **ON_THE_MAP,
        algorithm=versions("mosaic", "style"),
        layer="choice",
    message:
        "Assembling which sensors the map of seed {wildcards.seed} follows"


use rule mosaic_classes as mosaic_sets with:
    input:
        pieces=pieces_of_map("sets"),
    output:
        mosaic="<results>/final/PredictionSets_Seed_{seed}.tif",
        style="<results>/final/PredictionSets_Seed_{seed}.qml",
    log:
        "<logs>/mosaic_sets/{seed}.log",
    benchmark:
        "<benchmarks>/mosaic_sets/{seed}.tsv"
    resources:
        **needs("mosaic_sets"),
    params:
        **ON_THE_MAP,
        algorithm=versions("mosaic", "style"),
        layer="prediction_sets",
        maximum=len(CODES),
    message:
        "Assembling how many classes cannot be excluded in the map of seed {wildcards.seed}"


rule clip_validity:
    input:
        validity="<results>/tiles/{tile}/validity.tif",
        regions="<results>/tiles/{tile}/regions.tif",
        footprint="<results>/tiles/{tile}/footprint.tif",
    output:
        validity="<results>/tiles/{tile}/validity_mapped.tif",
    log:
        "<logs>/clip_validity/{tile}.log",
    benchmark:
        "<benchmarks>/clip_validity/{tile}.tsv"
    group:
        "tile"
    resources:
        **needs("clip_validity"),
    params:
        algorithm=versions("validation"),
        dtype=parameters.validity_type,
    message:
        "Clipping the validity of {wildcards.tile} to what it maps"
    script:
        "../workflow/scripts/clip_validity.py"


use rule mosaic_classes as mosaic_validity with:
    input:
        pieces=expand("<results>/tiles/{tile}/validity_mapped.tif", tile=TILES),
    output:
        mosaic="<results>/final/PixelsValidity.tif",
        style="<results>/final/PixelsValidity.qml",
    log:
        "<logs>/mosaic_validity.log",
    benchmark:
        "<benchmarks>/mosaic_validity.tsv"
    resources:
        **needs("mosaic_validity"),
    params:
        **ON_THE_MAP,
        algorithm=versions("mosaic", "style"),
        layer="validity",
        maximum=parameters.largest_validity,
    message:
        "Assembling the validity"


# What the user calls the maps, if anything.
TITLED = {}
if config["publication"] and config["publication"]["title"]:
    TITLED["title"] = config["publication"]["title"]


rule preview_map:
    input:
        classes="<results>/final/Classif_Seed_{seed}.tif",
    output:
        picture=report(
            "<results>/final/Classif_Seed_{seed}.png",
            caption="../workflow/report/map.rst",
            category="Maps",
            labels={"seed": "{seed}", "product": "land cover"},
        ),
    log:
        "<logs>/preview_map/{seed}.log",
    benchmark:
        "<benchmarks>/preview_map/{seed}.tsv"
    resources:
        **needs("preview_map"),
    params:
        **TITLED,
        algorithm=versions("preview"),
        legend=parameters.legend,
    message:
        "Drawing the picture of the map of seed {wildcards.seed}"
    script:
        "../workflow/scripts/preview_map.py"
