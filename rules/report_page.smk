"""Report: the page of a production, `final/report/index.html`, and the same as JSON."""

OWN_RULES = ["compare_regions", "cut_map", "describe_samples", "write_report"]

REPORT = expand(
    "<results>/final/report/{file}",
    file=["index.html", "report.json", "configuration.yaml"],
)
# Accuracy by region, where there are several.
JUDGED_TILES = judged(TILES) if len(REGIONS) > 1 else []
# Of the maps of all draws, where they are made.
FUSED_MATRIX = (
    ["<results>/final/Confusion_Matrix_Classifications_fusion.csv"]
    if FUSED_MAPS
    else []
)
REGULARISED_FUSED_MATRIX = (
    ["<results>/final/Confusion_Matrix_Classif_Regularised_fusion.csv"]
    if FUSED_MAPS and BLOCKS
    else []
)
# Samples are described where models learn those of the tiles.
DESCRIBED_SAMPLES = not (OWN_SAMPLES or config["learning"]["models"])


rule report_page:
    input:
        REPORT,
    message:
        "Stage report_page is complete"


rule describe_samples:
    input:
        samples=expand("<results>/tiles/{tile}/samples.parquet", tile=TILES),
    output:
        numbers="<results>/report/samples.csv",
        profiles="<results>/report/profiles.parquet",
    log:
        "<logs>/describe_samples.log",
    benchmark:
        "<benchmarks>/describe_samples.tsv"
    resources:
        **needs("describe_samples", reads=["samples"]),
    params:
        algorithm=versions("report"),
        seeds=SEEDS,
    message:
        "Describing the samples"
    script:
        "../workflow/scripts/describe_samples.py"


rule compare_regions:
    input:
        splits="<results>/sampling/polygons.gpkg",
        polygons="<results>/tiles/{tile}/polygons.tif",
        validity="<results>/tiles/{tile}/validity.tif",
        footprint="<results>/tiles/{tile}/footprint.tif",
        regions="<results>/tiles/{tile}/regions.tif",
        maps=maps_of_tile(pieces),
    output:
        confusions=expand(
            "<results>/validation/{{tile}}/regions_seed_{seed}.csv", seed=SEEDS
        ),
    log:
        "<logs>/compare_regions/{tile}.log",
    benchmark:
        "<benchmarks>/compare_regions/{tile}.tsv"
    resources:
        **needs("compare_regions"),
    params:
        algorithm=versions("validation"),
        seeds=SEEDS,
        regions=region_numbers,
        cloud_threshold=CLOUD_THRESHOLD,
    message:
        "Comparing the maps of {wildcards.tile} with the reference, region by region"
    script:
        "../workflow/scripts/compare_regions.py"


rule cut_map:
    input:
        maps=[f"<results>/final/{file}" for file in parameters.report.maps],
    output:
        tiles=directory("<results>/final/report/tiles"),
    log:
        "<logs>/cut_map.log",
    benchmark:
        "<benchmarks>/cut_map.tsv"
    resources:
        **needs("cut_map"),
    params:
        algorithm=versions("report"),
        layers=list(parameters.report.maps.values()),
        others=parameters.report.others,
        pixels=lookup("report/pixels", within=config),
    message:
        "Cutting the maps into tiles for the report"
    script:
        "../workflow/scripts/cut_map.py"


rule write_report:
    input:
        tiles="<results>/final/report/tiles",
        matrices=judged(
            expand(
                "<results>/final/Confusion_Matrix_Classif_Seed_{seed}.csv", seed=SEEDS
            )
        ),
        areas=expand("<results>/final/Areas_Seed_{seed}.csv", seed=SEEDS),
        raw=judged(RAW_MATRICES),
        regularised=judged(
            expand(
                "<results>/final/Confusion_Matrix_Classif_Regularised_Seed_{seed}.csv",
                seed=SEEDS if BLOCKS else [],
            )
        ),
        fused=judged(FUSED_MATRIX),
        regularised_fused=judged(REGULARISED_FUSED_MATRIX),
        reliability=judged(
            expand("<results>/final/reliability_seed_{seed}.csv", seed=SEEDS)
        ),
        by_polygon=expand(
            "<results>/validation/{tile}/polygons_seed_{seed}.csv",
            tile=judged(TILES),
            seed=SEEDS,
        ),
        by_tile=expand(
            "<results>/validation/{tile}/confusion_seed_{seed}.csv",
            tile=judged(TILES),
            seed=SEEDS,
        ),
        by_region=expand(
            "<results>/validation/{tile}/regions_seed_{seed}.csv",
            tile=JUDGED_TILES,
            seed=SEEDS,
        ),
        results="<results>/final/RESULTS.txt",
        inventories=expand("<results>/tiles/{tile}/inventory.json", tile=TILES),
        masks=[
            f"<results>/tiles/{tile}/{series}_clear.tif"
            for tile in TILES
            for series in production.series_of_tile(tile)
        ],
        validity=expand("<results>/tiles/{tile}/validity_mapped.tif", tile=TILES),
        numbers="<results>/report/samples.csv" if DESCRIBED_SAMPLES else [],
        profiles="<results>/report/profiles.parquet" if DESCRIBED_SAMPLES else [],
        models=[path for region in REGIONS for path in models_of(region)],
    output:
        page="<results>/final/report/index.html",
        data="<results>/final/report/report.json",
        configuration="<results>/final/report/configuration.yaml",
    log:
        "<logs>/write_report.log",
    benchmark:
        "<benchmarks>/write_report.tsv"
    resources:
        **needs("write_report"),
    params:
        algorithm=versions("report", "accuracy", "areas"),
        seeds=SEEDS,
        tiles=TILES,
        judged=JUDGED_TILES,
        series={tile: production.series_of_tile(tile) for tile in TILES},
        legend=parameters.legend,
        # A key that it adds, see `planning.whereabouts`.
        about=parameters.about_report(by_iota2_run="relative_to" in config),
        own_rules=OWN_RULES,
    message:
        "Writing the report"
    script:
        "../workflow/scripts/write_report.py"
