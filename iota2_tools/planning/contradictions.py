"""Choices of a configuration that are each right and cannot stand together."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from iota2_tools.config.fusion import Fusion
from iota2_tools.config.sensors import SensorSection
from iota2_tools.config.vectorisation import OWN_QUANTITIES
from iota2_tools.config.yaml_files import Place
from iota2_tools.features.plan import INDICES
from iota2_tools.learning.traits import traits_of
from iota2_tools.products import format_of
from iota2_tools.timeseries.dates import DAYS_OF_YEAR, interpolation_dates

if TYPE_CHECKING:
    from iota2_tools.planning.configuration import Configuration


def contradictions(config: "Configuration") -> Iterator[str]:
    """Choices that are each right and cannot stand together."""
    for name, values in _lists(config):
        twice = sorted({str(value) for value in values if values.count(value) > 1})
        if twice:
            yield f"{name}: {', '.join(twice)} stands twice"
    for described in config.vectorisation.rasters if config.vectorisation else ():
        if described.name.lower() in OWN_QUANTITIES:
            yield (
                f"vectorisation.rasters: {described.name!r} names columns that the polygons have anyway, those of the "
                "map itself; give it another name"
            )
    if not config.sensors.given and not config.user_features:
        yield "sensors: give at least one sensor, or user_features"
    for raster in config.user_features.patterns if config.user_features else ():
        if raster.path and raster.dated:
            yield (
                f"user_features: {raster.name!r} is one file over all tiles, and dated ones are several in the "
                "folder of each tile: leave `path` or `dated` out"
            )
    if config.user_features and not config.user_features.path:
        for raster in config.user_features.patterns:
            if not raster.path:
                yield (
                    f"user_features: {raster.name!r} is looked for in the folder of each tile: give the path "
                    "of these folders, or that of one raster over all tiles to this one"
                )
    for name, sensor in config.sensors.given.items():
        first, last = sensor.first_date, sensor.last_date
        if first and last and first > last:
            yield f"sensors.{name}: first_date {first} is after last_date {last}"
        yield from (f"sensors.{name}.{problem}" for problem in sensor.contradictions())
        yield from _travelling_problems(name, sensor)
        yield from _unknown_roles(name, sensor)
        yield from _same_names(name, sensor)
    yield from _same_labels(config)
    if config.inputs.missing_series == "leave_out" and config.external_features:
        yield (
            "inputs.missing_series: leave_out and external_features: functions would lack a series in some "
            "regions; fetch the series, or leave one of both out"
        )
    yield from _fusion_contradictions(config)
    yield from _separation_contradictions(config)
    yield from _unreferenced_contradictions(config)
    sampling = config.sampling
    if sampling.strategy == "byclass" and not sampling.byclass:
        yield "sampling.byclass: strategy `byclass` needs the number of pixels of each class"
    if config.delivery and not config.vectorisation:
        yield "delivery: there are no polygons to deliver; add the section, `vectorisation: {}`"
    yield from _not_together(config)
    yield from _years_contradictions(config)
    yield from _fold_contradictions(config)
    if config.learning.samples and sampling.management:
        yield "sampling.management: `learning.samples` has the samples of each region already; leave one of both out"
    if config.learning.search.used and not config.learning.search.parameters:
        yield "learning.search: name the parameters and their values (`parameters: {max_depth: [10, 20]}`)"
    made = sampling.augmentation
    if made.used and made.to == "byclass" and not made.byclass:
        yield "sampling.augmentation: `to: byclass` needs the number of samples of each class (`byclass`)"
    for region in sampling.per_region:
        own = sampling.of_region(region)
        if own["strategy"] == "byclass" and not own["byclass"]:
            yield (
                f"sampling.per_region.{region}: strategy `byclass` needs the number of pixels of each class "
                "(`byclass`)"
            )
    if (
        sampling.ratio == 1
        and sampling.runs > 1
        and config.reference
        and not config.reference.splits
    ):
        yield "sampling.runs: with ratio 1 all draws are the same; set runs to 1"


def _separation_contradictions(config: "Configuration") -> Iterator[str]:
    """Ways to keep learning and validation apart that need something, or have no say."""
    sampling, fusion = config.sampling, config.fusion or Fusion()
    in_blocks = sampling.split_by == "block"
    if in_blocks and not sampling.block:
        yield "sampling.block: `split_by: block` needs the side of the blocks, metres; give it"
    if sampling.block and not in_blocks:
        yield (
            f"sampling.block: nothing is done with it, for `split_by` is {sampling.split_by}; set "
            "`split_by: block`, or leave it out"
        )
    if config.reference and config.reference.splits and sampling.separation:
        yield (
            f"sampling.{next(iter(sampling.separation))} and reference.splits: the splits are given and not drawn; "
            "leave one of both out"
        )
    if sampling.buffer and sampling.single_polygon == "both":
        yield (
            "sampling.buffer and sampling.single_polygon: both: a polygon that does both lies at no distance from "
            "itself; leave one of both out"
        )
    across = sampling.split_by not in ("polygon", "touching")
    if across and fusion.seeds and fusion.seeds.held_back:
        yield (
            f"sampling.split_by: {sampling.split_by} and fusion.seeds.held_back: polygons are held back class by "
            "class; set `held_back: 0`, or split by polygon or touching"
        )


DRAWN = (
    "ratio", "split_by", "block", "buffer", "single_polygon", "cloud_threshold", "strategy", "sampler", "percent",
    "constant", "total", "byclass", "max_per_polygon", "per_region",
)  # fmt: skip
"""Choices of `sampling` about the polygons of a reference and their pixels."""
OF_REFERENCE: tuple[Place, ...] = (
    *(("sampling", key) for key in DRAWN),
    ("classification", "histograms"),
    ("learning", "own_weight"),
)
"""Places of choices that mean nothing without a reference."""
OF_LEARNING: tuple[Place, ...] = (
    ("learning", "samples"),
    ("learning", "own_weight"),
    ("learning", "search"),
    ("learning", "reduction"),
    ("learning", "calibration"),
    ("sampling", "augmentation"),
    ("sampling", "management"),
    ("sampling", "suspicious_polygons"),
    ("classification", "prediction_sets"),
)
"""Places of choices that mean nothing where models of another production map."""


def _unreferenced_contradictions(config: "Configuration") -> Iterator[str]:
    """What cannot be, or is of no use, where there is no reference."""
    if config.reference:
        return
    learning, sampling = config.learning, config.sampling
    if not (learning.models or learning.samples):
        yield (
            "reference: there is none, and nothing else to learn from; name the reference polygons, or models or "
            "samples of another production (`learning.models`, `learning.samples`)"
        )
        return
    usual = type(sampling).model_fields
    for key in DRAWN:
        if getattr(sampling, key) != usual[key].default:
            yield (
                f"sampling.{key}: there is no reference whose polygons it is about; leave it out, or give a reference"
            )
    if config.classification.histograms:
        yield (
            "classification.histograms: there is no reference that tells right pixels from wrong ones; leave it "
            "out, or give a reference"
        )


def _fusion_contradictions(config: "Configuration") -> Iterator[str]:
    """Methods of fusion that lack what they need."""
    fusion = config.fusion or Fusion()
    seeds, sensors, regions = fusion.seeds, fusion.sensors, fusion.regions
    learner = config.learning.learner
    traits = traits_of(learner)
    if seeds and config.sampling.runs < 2:
        yield "fusion.seeds: one draw has nothing to be fused with; set sampling.runs to 2 or more"
    if seeds and seeds.method == "mean" and not config.classification.probability_map:
        yield (
            "fusion.seeds.method: mean needs the probabilities of each draw; set "
            "classification.probability_map to true, or take another method"
        )
    if seeds and seeds.method == "confidence" and not traits.confidence:
        yield (
            f"fusion.seeds.method: confidence: {learner} tells none; take another method, or another learner"
        )
    for name, section in (("seeds", seeds), ("sensors", sensors)):
        if section and section.weights and section.method != "mean":
            yield (
                f"fusion.{name}.weights: {section.method} has none; set `method: mean`, or leave them out"
            )
    if seeds and seeds.weights and len(seeds.weights) != config.sampling.runs:
        yield (
            f"fusion.seeds.weights: {len(seeds.weights)} for {config.sampling.runs} draws (sampling.runs); give "
            "one for each"
        )
    if sensors and sensors.method == "mean" and not traits.probabilities:
        yield (
            f"fusion.sensors.method: mean: {learner} gives no probabilities; take dempster_shafer, or another "
            "learner"
        )
    if regions and regions.method == "mean" and not traits.probabilities:
        yield (
            f"fusion.regions.method: mean: {learner} gives no probabilities; take majority, or another learner"
        )
    if regions and regions.method == "confidence" and not traits.confidence:
        yield (
            f"fusion.regions.method: confidence: {learner} tells none; take majority, or another learner"
        )
    if regions and sensors:
        yield (
            "fusion.regions and fusion.sensors: a region is learnt in parts or by sensors; leave one of both out"
        )
    if fusion.boundaries:
        yield from _boundary_contradictions(config)
    if seeds and (sensors or regions) and seeds.method == "dempster_shafer":
        yield (
            "fusion.seeds.method: dempster_shafer: of maps that are themselves fused (fusion.sensors, "
            "fusion.regions) no folds tell how far they are to be believed; take another method, or leave "
            "that out"
        )


def _boundary_contradictions(config: "Configuration") -> Iterator[str]:
    """What boundaries between regions need."""
    fusion, learner = config.fusion or Fusion(), config.learning.learner
    if not config.regions:
        yield "fusion.boundaries: there is one region alone; give regions, or leave it out"
    if not traits_of(learner).probabilities:
        yield (
            f"fusion.boundaries: {learner} gives no probabilities to average; take another learner, or leave "
            "it out"
        )
    if fusion.sensors or fusion.regions:
        yield (
            "fusion.boundaries: of regions with several models (fusion.sensors, fusion.regions) none are "
            "averaged; leave one of both out"
        )
    if config.inputs.missing_series == "leave_out":
        yield (
            "fusion.boundaries and inputs.missing_series: leave_out: neighbours may have learnt other series; "
            "fetch the series, or leave one of both out"
        )


def _not_together(config: "Configuration") -> Iterator[str]:
    """Choices of samples and smoothing that the fusion does not know."""
    fusion, sampling = config.fusion or Fusion(), config.sampling
    managed = {
        "sampling.augmentation": sampling.augmentation.used,
        "sampling.management": bool(sampling.management),
        "learning.samples": bool(config.learning.samples),
    }
    several = {
        "fusion.sensors": fusion.sensors is not None,
        "fusion.regions": fusion.regions is not None,
    }
    for name, used in managed.items():
        for other, fused in several.items():
            if used and fused:
                yield f"{name} and {other}: such models learn samples as they are; leave one of both out"
    if config.learning.samples and fusion.seeds:
        yield (
            "learning.samples and fusion.seeds: nothing tells which polygons no draw has learnt; leave one of both out"
        )
    if config.learning.models:
        yield from _borrowed_contradictions(config)
    if config.classification.smoothing.used and fusion.boundaries:
        yield (
            "classification.smoothing and fusion.boundaries: scores with and without neighbours would tell of both; "
            "leave one of both out"
        )


def _travelling_problems(name: str, sensor: SensorSection) -> Iterator[str]:
    """What keeps features from being named by the day of the year."""
    first, last = sensor.first_date, sensor.last_date
    if not sensor.travelling:
        return
    if not (first and last):
        yield (
            f"sensors.{name}.dates: day_of_year: the days must be the same in every year; set first_date and last_date"
        )
    elif first <= last and len(interpolation_dates(first, last, 1, leap_days=False)) > DAYS_OF_YEAR:
        yield (
            f"sensors.{name}.dates: day_of_year: from {first} to {last} is more than a year, so that days would stand "
            "twice; bring last_date forward"
        )


def _fold_contradictions(config: "Configuration") -> Iterator[str]:
    """Choices that folds of the learning polygons are needed for."""
    wishes = {
        "learning.calibration: temperature": config.learning.calibration == "temperature",
        "sampling.suspicious_polygons: drop": config.sampling.suspicious_polygons == "drop",
        "classification.prediction_sets": config.classification.prediction_sets is not None,
    }
    for wish in [name for name, used in wishes.items() if used]:
        if not traits_of(config.learning.learner).probabilities:
            yield f"{wish}: {config.learning.learner} gives no probabilities; take another learner, or leave it out"
        if config.fusion:
            yield (
                f"{wish} and fusion: fused maps decide by probabilities as the learner gives them; leave one of both "
                "out"
            )
    if config.classification.prediction_sets is not None and config.classification.smoothing.used:
        yield (
            "classification.prediction_sets and classification.smoothing: sets are of the probabilities before "
            "smoothing, and need not hold the class of the map; leave one of both out"
        )
    if config.sampling.suspicious_polygons == "drop" and config.learning.samples:
        yield (
            "sampling.suspicious_polygons: drop and learning.samples: a table of your own is learnt as it is; leave "
            "one of both out"
        )


def _years_contradictions(config: "Configuration") -> Iterator[str]:
    """Samples of other years that are none, and weights without use."""
    learning = config.learning
    paths = [os.path.abspath(item.path) for item in learning.other_years]
    if os.path.abspath(config.output) in paths:
        yield (
            "learning.samples: the output of this production itself is among them; leave it out, and set "
            "`learning.own_weight`"
        )
    for path in sorted({path for path in paths if paths.count(path) > 1}):
        yield f"learning.samples: {path} stands twice; give it a weight instead"
    if learning.own_weight and not learning.other_years:
        yield (
            "learning.own_weight: there are no samples of other productions to weigh it against "
            "(`learning.samples: [results_2017]`); leave it out"
        )
    if learning.own_weight and not config.reference:
        yield (
            "learning.own_weight: there is no reference, and so no sample of this production; leave it out, or "
            "give a reference"
        )


def _borrowed_contradictions(config: "Configuration") -> Iterator[str]:
    """Choices of learning that models of another production leave without use."""
    fusion, sampling, learning = config.fusion or Fusion(), config.sampling, config.learning
    if os.path.abspath(str(learning.models)) == os.path.abspath(config.output):
        yield "learning.models: these are the models of this production itself; leave it out"
    unused = {
        "learning.samples": learning.samples,
        "learning.own_weight": learning.own_weight,
        "learning.search": learning.search.used,
        "learning.reduction": learning.reduction.used,
        "sampling.augmentation": sampling.augmentation.used,
        "sampling.management": sampling.management,
        "sampling.suspicious_polygons: drop": sampling.suspicious_polygons == "drop",
        "learning.calibration: temperature": learning.calibration == "temperature",
        "classification.prediction_sets": config.classification.prediction_sets is not None,
        "fusion.sensors": fusion.sensors,
        "fusion.regions": fusion.regions,
    }
    for name, used in unused.items():
        if used:
            yield f"learning.models and {name}: nothing is learnt; leave one of both out"
    if fusion.seeds and fusion.seeds.method == "dempster_shafer":
        yield (
            "learning.models and fusion.seeds.method: dempster_shafer: models of another production have no folds "
            "here; take another method"
        )


def _unknown_roles(name: str, sensor: SensorSection) -> Iterator[str]:
    """Indices of bands that a sensor does not have."""
    roles = format_of(name, sensor.options).roles
    for index in sensor.indices:
        missing = [role for role in INDICES.get(index, ()) if role not in roles]
        if index not in INDICES:
            yield f"sensors.{name}.indices: {index!r} is none of {', '.join(INDICES)}"
        elif missing:
            yield f"sensors.{name}.indices: {index} needs a band called {' and '.join(missing)}"


def _same_names(name: str, sensor: SensorSection) -> Iterator[str]:
    """Features of a sensor that would have one name."""
    features = [*sensor.kept, *sensor.indices, *sensor.additional_features]
    lower = [feature.lower() for feature in features]  # tables tell no capitals apart
    for feature in sorted(set(lower)):
        if lower.count(feature) > 1:
            found = dict.fromkeys(item for item in features if item.lower() == feature)
            yield (
                f"sensors.{name}: {' and '.join(sorted(found))} would be the name of two features, of bands, "
                "indices and additional_features; give one of them another"
            )


def _same_labels(config: "Configuration") -> Iterator[str]:
    """Sensors whose features would have the same names."""
    owners: dict[str, list[str]] = {}
    for name, sensor in config.sensors.given.items():
        owners.setdefault(format_of(name, sensor.options).label, []).append(name)
    for label, names in owners.items():
        if len(names) > 1:
            yield f"sensors: {' and '.join(names)} both name their features {label}; take one of them"


def _lists(config: "Configuration") -> Iterator[tuple[str, list[Any]]]:
    """Lists in which nothing may stand twice, by their place."""
    yield "tiles", config.tiles
    for name, sensor in config.sensors.given.items():
        yield f"sensors.{name}.keep_bands", sensor.kept
        yield f"sensors.{name}.indices", sensor.indices
    if config.vectorisation:
        yield "vectorisation.formats", list(config.vectorisation.formats)
        yield "vectorisation.rasters", [item.name.lower() for item in config.vectorisation.rasters]
    if config.delivery:
        yield "delivery.values", config.delivery.values
    if config.feature_maps:
        yield "feature_maps.features", list(config.feature_maps.features)
    if config.user_features:
        words = [item.name for item in config.user_features.patterns]
        first = {word.lower(): word for word in reversed(words)}  # tables tell no capitals apart
        yield "user_features.patterns", [first[word.lower()] for word in words]
