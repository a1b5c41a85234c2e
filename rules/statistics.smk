"""Statistics: what the pixels of each polygon are."""


rule statistics:
    input:
        expand("<results>/vectors/measures/{table}.parquet", table=TABLES) or no_vectors,
    message:
        "Stage statistics is complete"


rule measure_square:
    input:
        **DESCRIBING,
        vectorised=VECTORISED,
    output:
        measures="<results>/vectors/measures/{square}.parquet",
    log:
        "<logs>/measure_square/{square}.log",
    benchmark:
        "<benchmarks>/measure_square/{square}.tsv"
    resources:
        **needs("measure_square"),
    params:
        algorithm=versions("polygon_statistics"),
        division=parameters.division,
        rasters=parameters.vector_rasters,
    message:
        "Measuring the polygons in square {wildcards.square}"
    script:
        "../workflow/scripts/measure_square.py"


rule measure_border:
    input:
        table="<results>/vectors/components.npz",
        measures=expand("<results>/vectors/measures/{square}.parquet", square=SQUARES)
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
