"""Delivery: the polygons cut by the units of a layer, with tables of areas and digests."""

UNITS = VECTORS.units if VECTORS else {}
PREFIX = production.config.delivery.prefix if production.config.delivery else "unit"
UNIT_FILE = f"<results>/final/delivery/{PREFIX}_{{unit}}"
CUTS = [
    name for unit in UNITS for name in VECTORS.layer_files(UNIT_FILE.format(unit=unit))
]
TABLES_OF_UNITS = (
    ["<results>/final/delivery/areas.csv", "<results>/final/delivery/SHA256SUMS"]
    if UNITS
    else []
)
DELIVERED = [*CUTS, *TABLES_OF_UNITS]


rule delivery:
    input:
        DELIVERED or no_delivery,
        POLYGONS,
    message:
        "Stage delivery is complete"


rule deliver_unit:
    input:
        polygons=tables_of_unit("polygons"),
        measures=tables_of_unit("measures"),
    output:
        files=VECTORS.layer_files(UNIT_FILE) if VECTORS else f"{UNIT_FILE}.gpkg",
        summary="<results>/vectors/units/{unit}.json",
    log:
        "<logs>/deliver_unit/{unit}.log",
    benchmark:
        "<benchmarks>/deliver_unit/{unit}.tsv"
    resources:
        **needs("deliver_unit"),
    params:
        algorithm=versions("polygons", "polygon_statistics", "delivery", "vectors"),
        coverage=parameters.coverage,
        tags=parameters.vector_tags,
        layer=parameters.delivery_layer,
        unit=lambda wildcards: UNITS[wildcards.unit],
    message:
        "Cutting the polygons by unit {wildcards.unit}"
    script:
        "../workflow/scripts/deliver_unit.py"


rule sum_units:
    input:
        summaries=expand("<results>/vectors/units/{unit}.json", unit=UNITS)
        or no_delivery,
    output:
        areas="<results>/final/delivery/areas.csv",
        checksums="<results>/final/delivery/SHA256SUMS",
    log:
        "<logs>/sum_units.log",
    benchmark:
        "<benchmarks>/sum_units.tsv"
    resources:
        **needs("sum_units"),
    params:
        algorithm=versions("delivery"),
        legend=parameters.vector_legend,
    message:
        "Writing the areas of the units"
    script:
        "../workflow/scripts/sum_units.py"
