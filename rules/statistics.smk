"""Statistics: what the pixels of each polygon are."""


rule statistics:
    input:
        expand("<results>/vectors/measures/{table}", table=TABLES) or no_vectors,
    message:
        "Stage statistics is complete"


rule measure_squares:
    input:
        **DESCRIBING,
        vectorised=VECTORISED,
    output:
        measures=directory("<results>/vectors/measures/{bundle}"),
    log:
        "<logs>/measure_squares/{bundle}.log",
    benchmark:
        "<benchmarks>/measure_squares/{bundle}.tsv"
    resources:
        **needs("measure_squares"),
    params:
        algorithm=versions("polygon_statistics"),
        division=parameters.division,
        rasters=parameters.vector_rasters,
    message:
        "Measuring the polygons in squares, from {wildcards.bundle} on"
    script:
        "../workflow/scripts/measure_squares.py"


rule measure_border:
    input:
        table="<results>/vectors/components.npz",
        measures=expand("<results>/vectors/measures/{bundle}", bundle=BUNDLES)
        or no_vectors,
    output:
        measures="<results>/vectors/measures/border.parquet",
    log:
        "<logs>/measure_border.log",
    benchmark:
        "<benchmarks>/measure_border.tsv"
    resources:
        **needs("measure_border", reads=["measures"]),
    params:
        algorithm=versions("polygon_statistics"),
        division=parameters.division,
    message:
        "Adding up the polygons that lie in several squares"
    script:
        "../workflow/scripts/measure_border.py"
