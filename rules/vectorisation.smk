"""Vectorisation: the polygons of the map, square by square, joined exactly, with their attributes.

Squares are parts of the map that one job works on; the result does not depend on them.
"""

VECTORS = production.vectorisation
SQUARES = list(VECTORS.squares) if VECTORS else []
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
TABLES = [*SQUARES, "border"] if SQUARES else []
POLYGONS = VECTORS.layer_files("<results>/final/LandCover") if VECTORS else []


rule vectorisation:
    input:
        POLYGONS or no_vectors,
    message:
        "Stage vectorisation is complete"


rule trace_square:
    input:
        classes=VECTORISED,
    output:
        trace="<results>/vectors/trace/{square}.npz",
    log:
        "<logs>/trace_square/{square}.log",
    benchmark:
        "<benchmarks>/trace_square/{square}.tsv"
    resources:
        **needs("trace_square"),
    params:
        algorithm=versions("polygons"),
        division=parameters.division,
    message:
        "Tracing the boundaries in square {wildcards.square}"
    script:
        "../workflow/scripts/trace_square.py"


rule join_squares:
    input:
        traces=expand("<results>/vectors/trace/{square}.npz", square=SQUARES)
        or no_vectors,
    output:
        table="<results>/vectors/components.npz",
        squares=expand("<results>/vectors/joined/{square}.npz", square=SQUARES),
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


rule shape_square:
    input:
        classes=VECTORISED,
        trace="<results>/vectors/trace/{square}.npz",
        joined="<results>/vectors/joined/{square}.npz",
    output:
        polygons="<results>/vectors/polygons/{square}.parquet",
        border="<results>/vectors/arcs/{square}.npz",
    log:
        "<logs>/shape_square/{square}.log",
    benchmark:
        "<benchmarks>/shape_square/{square}.tsv"
    resources:
        **needs("shape_square"),
    params:
        algorithm=versions("polygons"),
        division=parameters.division,
        shape=parameters.polygon_shape,
    message:
        "Shaping the polygons in square {wildcards.square}"
    script:
        "../workflow/scripts/shape_square.py"


rule shape_border:
    input:
        classes=VECTORISED,
        table="<results>/vectors/components.npz",
        arcs=expand("<results>/vectors/arcs/{square}.npz", square=SQUARES),
    output:
        polygons="<results>/vectors/polygons/border.parquet",
    log:
        "<logs>/shape_border.log",
    benchmark:
        "<benchmarks>/shape_border.tsv"
    resources:
        **needs("shape_border", reads=["arcs"]),
    params:
        algorithm=versions("polygons"),
        division=parameters.division,
    message:
        "Shaping the polygons that lie in several squares"
    script:
        "../workflow/scripts/shape_border.py"


rule write_polygons:
    input:
        polygons=expand("<results>/vectors/polygons/{table}.parquet", table=TABLES)
        or no_vectors,
        measures=expand("<results>/vectors/measures/{table}.parquet", table=TABLES),
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
