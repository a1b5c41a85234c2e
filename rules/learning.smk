"""Learning: one model for each region and draw."""


rule learning:
    input:
        [path for region in REGIONS for path in models_of(region)],
        SUSPICIOUS,
    message:
        "Stage learning is complete"


# What completes the samples of a region, where it is asked for.
MANAGED = {}
if config["sampling"]["management"]:
    MANAGED["copies"] = lambda wildcards: parameters.copies_to(wildcards.region)
if production.config.sampling.augmentation.used:
    MANAGED["augmentation"] = lambda wildcards: parameters.augmentation(
        wildcards.region
    )
OWN_SAMPLES = parameters.sample_files
if parameters.sources:
    MANAGED["years"] = lambda wildcards: parameters.year_samples
elif OWN_SAMPLES:
    MANAGED["own"] = parameters.own_samples
LEARNS_TILES = bool(not OWN_SAMPLES or config["learning"]["own_weight"])


# What folds of its polygons say of a model, made as it is learnt. With fusion: `learn_folds`, on demand.
FOLDS_OF_MODEL = {}
if production.folded:
    MANAGED["judged_by"] = versions(
        "folds", *(["dropping"] if parameters.folds["drop"] else [])
    )
    MANAGED["folds"] = parameters.folds
    FOLDS_OF_MODEL = {
        name: f"<results>/folds/region_{{region}}_seed_{{seed}}/{file}"
        for name, file in {
            "predictions": "predictions.parquet",
            "polygons": "polygons.csv",
            "calibration": "calibration.csv",
            "confusion": "confusion.csv",
        }.items()
    }


rule train_model:
    input:
        samples=(
            tiles_of_region("<results>/tiles/{tile}/samples.parquet")
            if LEARNS_TILES
            else []
        ),
        copied=samples_copied,
        splits=judged(["<results>/sampling/polygons.gpkg"]) if OWN_SAMPLES else [],
    output:
        **FOLDS_OF_MODEL,
        model=directory("<results>/models/region_{region}_seed_{seed}"),
    log:
        "<logs>/train_model/region_{region}_seed_{seed}.log",
    benchmark:
        "<benchmarks>/train_model/region_{region}_seed_{seed}.tsv"
    threads: 2
    resources:
        **needs("train_model", reads=["samples", "copied"], files=OWN_SAMPLES),
    params:
        **MANAGED,
        algorithm=versions("learning", "training"),
        learning=production.config.counted("learning"),
        features=lambda wildcards: parameters.features_of_model(wildcards.region),
        random_seed=lookup("sampling/random_seed", within=config),
    message:
        "Learning the model of region {wildcards.region}, seed {wildcards.seed}"
    script:
        "../workflow/scripts/train_model.py"


use rule train_model as train_source with:
    input:
        samples=tiles_of_region("<results>/tiles/{tile}/samples.parquet"),
        splits=splits_of_parts,
    output:
        model=directory("<results>/models/region_{region}_seed_{seed}_{source}"),
    log:
        "<logs>/train_source/region_{region}_seed_{seed}_{source}.log",
    benchmark:
        "<benchmarks>/train_source/region_{region}_seed_{seed}_{source}.tsv"
    resources:
        **needs("train_source", reads=["samples"]),
    params:
        algorithm=versions("folds", "learning", "training"),
        learning=production.config.counted("learning"),
        features=features_of_source,
        part=lambda wildcards: parameters.part(wildcards.region, wildcards.source),
        random_seed=lookup("sampling/random_seed", within=config),
    message:
        "Learning the {wildcards.source} model of region {wildcards.region}, seed {wildcards.seed}"


if production.folded:

    ruleorder: train_model > learn_folds


rule list_suspicious_polygons:
    input:
        polygons=polygons_of_folds,
        splits="<results>/sampling/polygons.gpkg",
    output:
        suspicious="<results>/final/Suspicious_Polygons.gpkg",
    log:
        "<logs>/list_suspicious_polygons.log",
    benchmark:
        "<benchmarks>/list_suspicious_polygons.tsv"
    resources:
        **needs("list_suspicious_polygons"),
    params:
        algorithm=versions("folds"),
        legend=parameters.legend,
        models=[(region, seed) for region in REGIONS for seed in SEEDS],
        dropped=parameters.folds.get("drop", False),
    message:
        "Listing learning polygons whose label looks wrong"
    script:
        "../workflow/scripts/list_suspicious_polygons.py"
