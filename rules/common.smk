"""The production, known from the configuration and the inputs; helpers the rules share."""

import os
from importlib.metadata import version

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from iota2_tools.core.versions import FEATURES as FEATURE_MODULES
from iota2_tools.core.versions import versions
from iota2_tools.config.settings import SHARED_STRATEGIES, complete_config, config_digest
from iota2_tools.core.errors import Iota2Error
from iota2_tools.features.plan import sensor_features
from iota2_tools.planning.checks import check
from iota2_tools.planning.needs import Size, megabytes_on_disk, resources
from iota2_tools.planning.production import Production

if not config and os.path.exists("config/config.yaml"):

    configfile: "config/config.yaml"


def load_production():
    """Complete `config` in place and plan the production; all problems in one message."""
    source = ", ".join(map(str, workflow.configfiles)) or "configuration"
    if not config:
        raise WorkflowError(
            "no configuration: copy config/minimal.yaml to config/config.yaml and fill it in, "
            "or name yours with --configfile"
        )
    try:
        config.update(complete_config(config, source))
        plan = Production(config)
        if workflow.is_main_process:
            check(plan, source)
        return plan, plan.target_dates, plan.regions_of_tiles
    except Iota2Error as error:
        raise WorkflowError(str(error)) from None


production, TARGET_DATES, REGIONS_OF_TILES = load_production()

TILES = production.tiles
SENSORS = production.sensors
REGIONS = production.used_regions
SEEDS = list(production.seeds)
CODES = production.nomenclature.codes
# User features alone have no dates: nothing is left out for having too few.
CLOUD_THRESHOLD = config["sampling"]["cloud_threshold"] if SENSORS else 0
LAYERS = ["classes", "confidence"]
if config["classification"]["probability_map"]:
    LAYERS.append("probabilities")


def feature_settings():
    """What the features of a tile depend on, beside its images."""
    keys = ("keep_bands", "indices", "additional_features")
    return {
        sensor: {key: config["sensors"][sensor][key] for key in keys}
        | {"dates": TARGET_DATES[sensor]}
        for sensor in SENSORS
    }


FEATURES = feature_settings()


def products_of(wildcards):
    """Products to read of a tile; a new folder changes this, and what depends on it runs again."""
    return {
        sensor: {
            "folder": production.sensor_folder(sensor, wildcards.tile),
            "names": production.product_names(sensor, wildcards.tile),
            "level": config["sensors"][sensor]["level"],
            "bands": list(
                sensor_features(
                    sensor, FEATURES[sensor], FEATURES[sensor]["dates"]
                ).bands
            ),
        }
        for sensor in SENSORS
    }


def region_numbers(wildcards):
    """Regions of a tile with their numbers in its region raster."""
    return {
        name: production.regions.index(name) + 1
        for name in REGIONS_OF_TILES[wildcards.tile]
    }


def clear_masks(wildcards):
    """Clear-sky masks of the sensors of a tile, in stack order."""
    return expand(
        "<results>/tiles/{tile}/{sensor}_clear.tif", tile=wildcards.tile, sensor=SENSORS
    )


def strategy_settings(*others):
    """What the choice of samples depends on: the strategy, its own parameter, and `others`."""
    sampling = config["sampling"]
    keys = ("strategy", sampling["strategy"], *others)
    return {key: sampling[key] for key in keys if key in sampling}


def shared_rates(wildcards):
    """Sampling rates of the regions of a tile, for strategies that look at several tiles."""
    if config["sampling"]["strategy"] not in SHARED_STRATEGIES:
        return []
    return expand(
        "<results>/sampling/rates/region_{region}.csv",
        region=REGIONS_OF_TILES[wildcards.tile],
    )


def tiles_of_region(pattern):
    """Input function: a product of all tiles a region touches."""

    def files(wildcards):
        return expand(pattern, tile=production.tiles_of(wildcards.region))

    return files


def pieces_of_map(layer):
    """Input function: a layer of one draw, of all regions of all tiles."""

    def files(wildcards):
        return [
            f"<results>/classification/{tile}/region_{region}/{layer}_seed_{wildcards.seed}.tif"
            for tile in TILES
            for region in REGIONS_OF_TILES[tile]
        ]

    return files


def maps_of_tile(wildcards):
    """Class maps of a tile: all regions, draw by draw."""
    return expand(
        "<results>/classification/{tile}/region_{region}/classes_seed_{seed}.tif",
        tile=wildcards.tile,
        region=REGIONS_OF_TILES[wildcards.tile],
        seed=SEEDS,
    )


def feature_count():
    """Features of a pixel; a raster of the user counts as one."""
    own = (
        sensor_features(name, FEATURES[name], FEATURES[name]["dates"])
        for name in SENSORS
    )
    return sum(len(item.names) for item in own) + len(
        (config["user_features"] or {}).get("patterns", [])
    )


FEATURE_COUNT = feature_count()


def job_size(wildcards, files):
    """What a job works on: its tile, or the whole map, and the files it reads whole."""
    tile = wildcards.get("tile")
    grid = production.grid(tile) if tile else production.mosaic_grid
    tiles = [tile] if tile else TILES
    return Size(
        pixels=grid.rows * grid.cols,
        columns=grid.cols,
        acquisitions=max(
            sum(len(production.product_names(s, name)) for s in SENSORS)
            for name in tiles
        ),
        bands=max(
            (len(config["sensors"][s]["keep_bands"]) for s in SENSORS), default=0
        ),
        features=FEATURE_COUNT,
        classes=len(CODES),
        draws=len(SEEDS),
        window_mb=config["classification"]["window_mb"],
        pieces=len(TILES) * len(REGIONS),
        input_mb=megabytes_on_disk(files),
        trees=config["learning"]["parameters"].get("n_estimators", 100),
        learner=config["learning"]["learner"],
    )


def listed(files):
    """Paths of a named input, be it one file or several."""
    return [files] if isinstance(files, str) else list(files)


def ranks_of(rule):
    """Ranks of MPI that each of its jobs runs on, set by `--set-resources RULE:tasks=N`."""
    return workflow.get_rule(rule).resources.get("tasks").value or 1


def tell_of_cut(rule, quantity, wanted):
    """Warn once a rule that its jobs need more than they may have; Snakemake cuts it in silence."""
    limit = workflow.global_resources.get(quantity).value
    if limit and wanted > limit and (rule, quantity) not in CUT:
        CUT.add((rule, quantity))
        if workflow.is_main_process:
            logger.warning(
                f"{rule} needs {quantity}={wanted} and gets no more than {limit}: "
                "it may be killed for that, or find too little"
            )


CUT = set()
STEPS_OF_GROUP = 5


def share_of_group(rule, quantity, wanted):
    """What a retry may ask for in a group, whose run times add up; Snakemake cuts only jobs."""
    limit = workflow.global_resources.get(quantity).value
    if quantity == "runtime" and limit and workflow.get_rule(rule).group:
        return min(wanted, max(limit // STEPS_OF_GROUP, 1))
    return wanted


def needs(rule, reads=()):
    """Resources of a rule, from the size of each job and of the inputs it `reads` whole."""

    def asked(quantity):
        def value(wildcards, input, attempt):
            files = [path for name in reads for path in listed(input[name])]
            size = job_size(wildcards, files)
            wanted = resources(rule, size, attempt, ranks_of(rule))[quantity]
            if attempt == 1:
                tell_of_cut(rule, quantity, wanted)
                return wanted
            return share_of_group(rule, quantity, wanted)

        return value

    return {quantity: asked(quantity) for quantity in ("mem_mb", "runtime", "disk_mb")}


LARGEST_VALIDITY = max(
    sum(len(production.product_names(s, tile)) for s in SENSORS) for tile in TILES
)
# 255 and 65535 mean no data.
VALIDITY_TYPE = "uint8" if LARGEST_VALIDITY < 255 else "uint16"
PROVENANCE = {
    "SOFTWARE": f"iota2-tools {version('iota2-tools')}",
    "CONFIG_SHA256": config_digest(config),
    "TILES": " ".join(TILES),
    "SENSORS": " ".join(SENSORS) or "user features",
    "DATES": " ".join(
        f"{s}:{TARGET_DATES[s][0]}/{TARGET_DATES[s][-1]}" for s in SENSORS
    ),
    "LEARNER": config["learning"]["learner"],
    "NOMENCLATURE": os.path.basename(config["nomenclature"]),
    "REFERENCE": os.path.basename(config["reference"]["path"]),
}
