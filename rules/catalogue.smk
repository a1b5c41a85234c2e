"""Catalogue: what tells of the final products, for QGIS, for catalogues, for archives; and their lock."""

FINAL_PRODUCTS = with_side_files(
    [
        *rules.mosaic.input,
        *MEASURED,
        *VALIDATED,
        *SUSPICIOUS,
        *FEATURE_MAPS,
        *REGULARISED,
        *FUSED_MAPS,
        *POLYGONS,
        *DELIVERED,
    ],
    judged=REFERENCED,
)
STAC_ITEMS = [
    "collection",
    *(f"seed_{seed}" for seed in SEEDS),
    *(["fusion"] if FUSED_MAPS else []),
    *(["delivery"] if DELIVERED else []),
]
DESCRIBED = [
    "<results>/final/production.lock",
    "<results>/final/production.qgz",
    "<results>/final/ro-crate-metadata.json",
    *(f"<results>/final/stac/{name}.json" for name in STAC_ITEMS),
]


# Apart, so that a reason to run again does not tell of what is as it was.
APART = {key: parameters.about[key] for key in ("configuration", "tiles")}
APART["about"] = {
    key: value for key, value in parameters.about.items() if key not in APART
}


rule catalogue:
    input:
        DESCRIBED,
    message:
        "Stage catalogue is complete"


rule describe_production:
    input:
        products=FINAL_PRODUCTS,
        inventories=expand("<results>/tiles/{tile}/inventory.json", tile=TILES),
    output:
        lock="<results>/final/production.lock",
        project="<results>/final/production.qgz",
        crate="<results>/final/ro-crate-metadata.json",
        stac=expand("<results>/final/stac/{name}.json", name=STAC_ITEMS),
    log:
        "<logs>/describe_production.log",
    benchmark:
        "<benchmarks>/describe_production.tsv"
    threads: 2
    resources:
        **needs("describe_production"),
    params:
        **APART,
        algorithm=versions("catalogue"),
    message:
        "Describing the production for QGIS, catalogues and archives, and locking it"
    script:
        "../workflow/scripts/describe_production.py"
