"""The production, known from the configuration and the inputs; helpers the rules share."""

import os

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from iota2_tools.core.errors import Iota2Error
from iota2_tools.core.faults import one_line, written
from iota2_tools.core.versions import FEATURES as FEATURE_MODULES
from iota2_tools.core.versions import versions
from iota2_tools.geo.squares import bundles
from iota2_tools.planning.final import with_side_files
from iota2_tools.learning.places import borrowed_models
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.requests import Asking, Requests, listed
from iota2_tools.planning.start import begin
from iota2_tools.planning.journal import MARK, WATCHED, end_refused


include: "snakemake_inside.smk"


if os.environ.get(WATCHED):  # the end of what Snakemake says before
    os.write(2, f"{MARK}\n".encode())

if not config and os.path.exists("config/config.yaml"):

    configfile: "config/config.yaml"


try:
    production = begin(
        config,
        configuration_files(),
        logger,
        checked=is_main_process(),
        only_read=is_only_read(),
    )
except Iota2Error as error:
    end_refused(error)
    raise WorkflowError(str(error)) from None
except Exception as error:
    raise WorkflowError(one_line(error, written(error))) from None

config.update(production.config.as_dict())
parameters = Parameters(production)
requests = Requests(limit_of, logger.warning if is_main_process() else logger.debug)

TILES = production.tiles
SERIES = list(production.series)
REGIONS = production.used_regions
SEEDS = list(production.seeds)
CODES = production.nomenclature.codes
REGIONS_OF_TILES = production.regions_of_tiles
# Nothing is mapped of a tile that no region touches.
MAPPED_TILES = [tile for tile in TILES if REGIONS_OF_TILES[tile]]
# Without a reference nothing is drawn, sampled or judged.
REFERENCED = production.config.reference is not None
REFERENCE_FILES = [config["reference"]["path"]] if REFERENCED else []
# User features alone have no dates: nothing is left out for having too few.
CLOUD_THRESHOLD = config["sampling"]["cloud_threshold"] if SERIES else 0
PROBABILITY_MAP = config["classification"]["probability_map"]
SMOOTHED = production.config.classification.smoothing.used
LAYERS = ["classes", "confidence"]
if PROBABILITY_MAP or SMOOTHED:
    LAYERS.append("probabilities")
if production.fused_sensors:
    LAYERS.append("choice")  # which of its models a map follows
PREDICTION_SETS = config["classification"]["prediction_sets"]
if PREDICTION_SETS is not None:
    LAYERS.append("sets")  # how many classes cannot be excluded
if production.boundaries:
    LAYERS.append("plain")  # the classes without the neighbours, to compare
SUSPICIOUS = []
if production.suspects:
    SUSPICIOUS = ["<results>/final/Suspicious_Polygons.gpkg"]
FUSED_MAPS = []
if production.fused_seeds:
    FUSED_MAPS = [f"<results>/final/{name}" for name in parameters.fused_products]


def models_of(region, folder="models"):
    """What stands in a folder of each model of a region: draw by draw, in each of them all.

    Models of another production count by their content, whatever their dates.
    """
    if config["learning"]["models"] and folder == "models":
        borrowed = borrowed_models(config["learning"]["models"], region, SEEDS)
        return [ancient(path) for path in borrowed]
    names = [f"_{name}" if name else "" for name in production.model_names(region)]
    return [
        f"<results>/{folder}/region_{region}_seed_{seed}{name}"
        for seed in SEEDS
        for name in names
    ]


def matrices_of(region):
    """Confusion matrix of the folds of each model of a region, in the same order."""
    return [f"{folder}/confusion.csv" for folder in models_of(region, "folds")]


def features_of_source(wildcards):
    """Features that one of the models of a region learns."""
    return parameters.source_features(wildcards.region, wildcards.source)


def splits_of_parts(wildcards):
    """Polygons of the production, for models that learn a part of a region."""
    in_parts = wildcards.region in production.parts
    return "<results>/sampling/polygons.gpkg" if in_parts else []


def folds_of(region):
    """Matrices of the folds of the models of a region; parts of a region are not judged by folds."""
    if region in production.parts:
        return expand(
            "<results>/folds/region_{region}_seed_{seed}/confusion.csv",
            region=region,
            seed=SEEDS,
        )
    return matrices_of(region)


def folds_of_models(wildcards):
    """What folds say of the samples of each model of a region, if classes are excluded by that."""
    if PREDICTION_SETS is None:
        return []
    return [
        f"{folder}/predictions.parquet"
        for folder in models_of(wildcards.region, "folds")
    ]


def polygons_of_folds(wildcards):
    """What the folds of all models say of each polygon: region by region, draw by draw."""
    if not production.suspects:
        raise WorkflowError(
            "suspicious polygons are not looked for: see `sampling.suspicious_polygons`"
        )
    return [
        f"{folder}/polygons.csv"
        for region in REGIONS
        for folder in models_of(region, "folds")
    ]


def region_numbers(wildcards):
    """Regions of a tile with their numbers in its region raster."""
    return production.region_numbers(wildcards.tile)


def series_of(wildcards):
    """Series that a job reads, in stack order: those of its region, else those of its tile."""
    if "region" in wildcards.keys():
        return production.series_of_region(wildcards.region)
    return production.series_of_tile(wildcards.tile)


def of_series(product):
    """Input function: a product of each series of a tile that a job reads."""

    def files(wildcards):
        return expand(
            f"<results>/tiles/{{tile}}/{{series}}_{product}.tif",
            tile=wildcards.tile,
            series=series_of(wildcards),
        )

    return files


def masks_of_chosen(wildcards):
    """Clear-sky masks of the series of a tile that the feature maps come from."""
    return expand(
        "<results>/tiles/{tile}/{series}_clear.tif",
        tile=wildcards.tile,
        series=parameters.chosen_series(wildcards.tile),
    )


def judged(files):
    """What only a production with a reference has."""
    return files if REFERENCED else []


def no_reference(wildcards):
    """Input function of what needs a reference, where there is none."""
    raise WorkflowError(
        "there is no reference, so that nothing is drawn, sampled or judged: name its polygons in the "
        "configuration, `reference: {path: polygons.gpkg, field: code}`"
    )


def no_feature_maps(wildcards):
    """Input function of the feature maps where none are asked for."""
    raise WorkflowError(
        "no feature maps are chosen: name some in the configuration, "
        "`feature_maps: {features: [...]}`; those of a tile stand in `snakemake features`"
    )


def no_regularisation(wildcards):
    """Input function of the regularised maps where none are asked for."""
    raise WorkflowError(
        "no regularisation is asked for: give the configuration its section, "
        "`regularisation: {minimum_mapping_unit_m2: 1000}`"
    )


def map_to_regularise(wildcards):
    """Input function: the map of a draw, or that of all draws."""
    if wildcards.map not in MAPS:
        raise WorkflowError(f"there is no map {wildcards.map}: {', '.join(MAPS)}")
    return MAPS[wildcards.map]


def legend_of_map(wildcards):
    """Legend of a regularised map: the fused one may have undecided pixels."""
    fused = wildcards.map == "fusion"
    return parameters.fused_legend if fused else parameters.legend


def no_vectors(wildcards):
    """Input function of the polygons where none are asked for."""
    raise WorkflowError(
        "no polygons are asked for: give the configuration their section, `vectorisation: {}`"
    )


def no_delivery(wildcards):
    """Input function of the delivery where none is asked for."""
    raise WorkflowError(
        "no delivery is asked for: name the layer that the polygons are cut by, "
        "`delivery: {path: departments.gpkg, field: code}`"
    )


def tables_of_unit(kind):
    """Input function: tables of the squares that a unit touches, in their bundles, and of the border."""

    def files(wildcards):
        if not VECTORS:
            return no_vectors(wildcards)
        names = [*VECTORS.bundles_of_unit(wildcards.unit), "border.parquet"]
        return [f"<results>/vectors/{kind}/{name}" for name in names]

    return files


def shared_rates(wildcards):
    """Sampling rates of the regions of a tile, for strategies that look at several tiles."""
    return [
        f"<results>/sampling/rates/region_{region}.csv"
        for region in REGIONS_OF_TILES[wildcards.tile]
        if production.config.sampling.shared(region)
    ]


def statistics_of_tiles(wildcards):
    """Pixels of the polygons of all tiles that share a region with a tile, where polygons have a limit."""
    regions = REGIONS_OF_TILES[wildcards.tile]
    limited = [r for r in regions if "max_per_polygon" in parameters.strategy(r)]
    tiles = {tile for region in limited for tile in production.tiles_of(region)}
    return expand("<results>/tiles/{tile}/polygon_statistics.csv", tile=sorted(tiles))


def samples_copied(wildcards):
    """Samples of the tiles of other regions that the model of a region learns from as well."""
    sources = {copy["source"] for copy in parameters.copies_to(wildcards.region)}
    tiles = {tile for region in sources for tile in production.tiles_of(region)}
    return expand("<results>/tiles/{tile}/samples.parquet", tile=sorted(tiles))


def tiles_of_region(pattern):
    """Input function: a product of all tiles a region touches."""

    def files(wildcards):
        return expand(pattern, tile=production.tiles_of(wildcards.region))

    return files


def raw_pieces(layer, tile, seeds):
    """A layer of a tile as the classifier made it: all regions, draw by draw."""
    return [
        f"<results>/classification/{tile}/region_{region}/{layer}_seed_{seed}.tif"
        for region in REGIONS_OF_TILES[tile]
        for seed in seeds
    ]


def pieces(layer, tile, seeds):
    """A layer of the map of a tile: smoothed if that is asked for, else as the classifier made it."""
    if SMOOTHED and layer != "probabilities" and REGIONS_OF_TILES[tile]:
        return [f"<results>/smoothing/{tile}/{layer}_seed_{seed}.tif" for seed in seeds]
    return raw_pieces(layer, tile, seeds)


def pieces_of_map(layer, of_tile=pieces):
    """Input function: a layer of one draw, of all tiles."""

    def files(wildcards):
        return [
            path for tile in TILES for path in of_tile(layer, tile, [wildcards.seed])
        ]

    return files


def maps_of_tile(of_tile, layer="classes"):
    """Input function: class maps of a tile, or another layer, draw by draw."""

    def files(wildcards):
        return of_tile(layer, wildcards.tile, SEEDS)

    return files


def probabilities_around(wildcards):
    """Probabilities of the tiles near a tile, whose pixels count when it is smoothed."""
    margin = config["classification"]["smoothing"]["iterations"]
    return [
        path
        for tile in production.near(wildcards.tile, margin)
        for path in raw_pieces("probabilities", tile, SEEDS)
    ]


def plain_maps_of_tile(wildcards):
    """The same without what neighbouring regions say, where they do."""
    return raw_pieces("plain", wildcards.tile, SEEDS) if production.boundaries else []


def maps_to_fuse(layer):
    """Input function: a layer of a tile, region by region, in each of them draw by draw."""

    def files(wildcards):
        if not production.fused_seeds:
            raise WorkflowError(
                "nothing is fused: say so in the configuration, `fusion: {seeds: {}}`"
            )
        if layer not in LAYERS:
            return []
        return expand(
            f"<results>/classification/{{tile}}/region_{{region}}/{layer}_seed_{{seed}}.tif",
            tile=wildcards.tile,
            region=REGIONS_OF_TILES[wildcards.tile],
            seed=SEEDS,
        )

    return files


def models_of_neighbours(wildcards):
    """Models of the regions that have a say near the boundaries of a region of a tile."""
    names = production.neighbours(wildcards.tile, wildcards.region)
    return [path for name in names for path in models_of(name)]


def confusions_of_sources(wildcards):
    """Matrices of the folds of both models of each draw of a region, if the late fusion reads them."""
    together = parameters.together(wildcards.region) or {}
    wanted = together.get("method") == "dempster_shafer"
    return matrices_of(wildcards.region) if wanted else []


def fused_map_of_tile(wildcards):
    """Fused map of a tile; none where nothing is mapped."""
    return [
        f"<results>/fusion/{tile}/classes.tif"
        for tile in MAPPED_TILES
        if tile == wildcards.tile
    ]


def folds_to_fuse(wildcards):
    """Matrices of the folds of the models of a tile, if the fusion of draws reads them."""
    wanted = parameters.seed_rules.get("method") == "dempster_shafer"
    regions = REGIONS_OF_TILES[wildcards.tile] if wanted else []
    return [path for region in regions for path in folds_of(region)]


def models_to_fuse(wildcards):
    """Models of a tile, if the fusion of draws asks how much they have learnt."""
    wanted = parameters.seed_rules.get("undecided") == "most_samples"
    regions = REGIONS_OF_TILES[wildcards.tile] if wanted else []
    return [path for region in regions for path in models_of(region)]


READ_WHOLE = {}  # by rule, what `needs` was told


def needs(rule, reads=(), files=()):
    """Resources of a rule, from the size of each job, of inputs it `reads` whole, and of `files`."""
    READ_WHOLE[rule] = (reads, files)

    def asked(quantity):
        def amount(wildcards, input, attempt):
            whole = [*files, *(path for name in reads for path in listed(input[name]))]
            size = parameters.job_size(wildcards.get("tile"), whole)
            ranks = given_resource(rule, "tasks") or 1
            return requests.amount(
                Asking(rule, ranks, is_grouped(rule)), quantity, size, attempt
            )

        return amount

    return {quantity: asked(quantity) for quantity in ("mem_mb", "runtime", "disk_mb")}


def record_of_tile(wildcards):
    """Where the inventory of a tile keeps what its files held."""
    return f"{config['output']}/tiles/{wildcards.tile}/inventory.record"
