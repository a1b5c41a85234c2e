"""Vectorisation: the polygons of the map, square by square, joined exactly, with their attributes.

Squares are parts of the map, and one job works on a bundle of them; the result does not depend on either.
"""

VECTORS = production.vectorisation
# The map that becomes polygons, and the maps that describe them.
MAP = VECTORS.map if VECTORS else "Seed_0"
VECTORISED = MAPS[MAP] if VECTORS else no_vectors
if VECTORS and production.regularisation:
    VECTORISED = f"<results>/final/Classif_Regularised_{MAP}.tif"
DESCRIBING = {
    "classes": MAPS[MAP],
    "confidence": f"<results>/final/Confidence_{MAP}.tif",
    "validity": "<results>/final/PixelsValidity.tif",
}
BUNDLES = list(VECTORS.bundles) if VECTORS else []
TABLES = [*BUNDLES, "border.parquet"] if BUNDLES else []
POLYGONS = VECTORS.layer_files("<results>/final/LandCover") if VECTORS else []


rule vectorisation:
    input:
        POLYGONS or no_vectors,
    message:
        "Stage vectorisation is complete"


rule trace_squares:
    input:
        classes=VECTORISED,
    output:
        traces=directory("<results>/vectors/trace/{bundle}"),
    log:
        "<logs>/trace_squares/{bundle}.log",
    benchmark:
        "<benchmarks>/trace_squares/{bundle}.tsv"
    resources:
        **needs("trace_squares"),
    params:
        algorithm=versions("polygons"),
        division=parameters.division,
    message:
        "Tracing the boundaries in squares, from {wildcards.bundle} on"
    script:
        "../workflow/scripts/trace_squares.py"


rule join_squares:
    input:
        traces=expand("<results>/vectors/trace/{bundle}", bundle=BUNDLES) or no_vectors,
    output:
        table="<results>/vectors/components.npz",
        squares=directory(expand("<results>/vectors/joined/{bundle}", bundle=BUNDLES)),
    log:
        "<logs>/join_squares.log",
    benchmark:
        "<benchmarks>/join_squares.tsv"
    resources:
        **needs("join_squares", reads=["traces"]),
    params:
        algorithm=versions("polygons"),
        division=parameters.division,
    message:
        "Joining the squares of the map"
    script:
        "../workflow/scripts/join_squares.py"


rule shape_squares:
    input:
        classes=VECTORISED,
        traces="<results>/vectors/trace/{bundle}",
        joined="<results>/vectors/joined/{bundle}",
    output:
        polygons=directory("<results>/vectors/polygons/{bundle}"),
        borders=directory("<results>/vectors/arcs/{bundle}"),
    log:
        "<logs>/shape_squares/{bundle}.log",
    benchmark:
        "<benchmarks>/shape_squares/{bundle}.tsv"
    resources:
        **needs("shape_squares"),
    params:
        algorithm=versions("polygons"),
        division=parameters.division,
        shape=parameters.polygon_shape,
    message:
        "Shaping the polygons in squares, from {wildcards.bundle} on"
    script:
        "../workflow/scripts/shape_squares.py"


rule shape_border:
    input:
        classes=VECTORISED,
        table="<results>/vectors/components.npz",
        borders=expand("<results>/vectors/arcs/{bundle}", bundle=BUNDLES),
    output:
        polygons="<results>/vectors/polygons/border.parquet",
    log:
        "<logs>/shape_border.log",
    benchmark:
        "<benchmarks>/shape_border.tsv"
    resources:
        **needs("shape_border", reads=["borders"]),
    params:
        algorithm=versions("polygons"),
        division=parameters.division,
    message:
        "Shaping the polygons that lie in several squares"
    script:
        "../workflow/scripts/shape_border.py"


rule write_polygons:
    input:
        polygons=expand("<results>/vectors/polygons/{table}", table=TABLES)
        or no_vectors,
        measures=expand("<results>/vectors/measures/{table}", table=TABLES),
    output:
        files=POLYGONS or "<results>/vectors/none.gpkg",
    log:
        "<logs>/write_polygons.log",
    benchmark:
        "<benchmarks>/write_polygons.tsv"
    resources:
        **needs("write_polygons", reads=["polygons", "measures"]),
    params:
        algorithm=versions("polygons", "polygon_statistics", "delivery"),
        coverage=parameters.coverage,
        tags=parameters.vector_tags,
    message:
        "Writing the polygons of the map"
    script:
        "../workflow/scripts/write_polygons.py"
