"""From the parameters of IOTA² to those of this chain: names, units, effects.

What is carried over is the effect: a key that had none unless another was set is left out, and a
default of IOTA² that is not ours is written out.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

VERSION = "IOTA² of 2020"
"""Its defaults are assumed where a configuration gives none."""

SENSORS = {
    "s2path": "sentinel2",
    "s2s2cpath": "sentinel2_sen2cor",
    "s2l3apath": "sentinel2_l3a",
    "l8path": "landsat8",
    "l8pathold": "landsat8_old",
    "l5pathold": "landsat5",
    "l8usgspath": "landsat8_usgs",
    "l8usgsopticalpath": "landsat8_usgs",
}
"""Sensor of each folder of images."""
SECTIONS = {
    "sentinel2": "sentinel2",
    "sentinel2s2c": "sentinel2_sen2cor",
    "sentinel2l3a": "sentinel2_l3a",
    "landsat8": "landsat8",
    "landsat8old": "landsat8_old",
    "landsat5old": "landsat5",
    "landsat8usgs": "landsat8_usgs",
    "landsat8usgsoptical": "landsat8_usgs",
}
"""Sensor of each section on one."""
STEPS = {"landsat8": 16, "landsat8_old": 16, "landsat5": 16, "landsat8_usgs": 16, "sentinel1": 10}
"""Temporal resolution, days, where none is given; 10 for the others."""
MONTHLY = ("sentinel2_l3a",)
OTB_LEARNERS = {
    "rf": "otb-rf",
    "libsvm": "otb-libsvm",
    "dt": "otb-dt",
    "bayes": "otb-bayes",
    "knn": "otb-knn",
}


@dataclass
class Converted:
    """A configuration of ours, and what a person must know of it.

    Parameters
    ----------
    config : dict
        What the YAML file shall hold.
    assumed : list of str
        Values that were not given and are those of IOTA².
    changed : list of str
        What means something else here.
    without : list of str
        What has no counterpart.
    nomenclature, colours, management : str
        Tables of IOTA² that have to be converted too; empty if there is none.
    """

    config: dict[str, Any] = field(default_factory=dict)
    assumed: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    nomenclature: str = ""
    colours: str = ""
    management: str = ""

    def put(self, path: str, value: Any) -> None:
        """Set a value by the keys that lead to it, `sampling.runs`."""
        *sections, last = path.split(".")
        place = self.config
        for name in sections:
            place = place.setdefault(name, {})
        place[last] = value


def plain(name: str) -> str:
    """A name in either spelling: `listTile` and `list_tile` are the same."""
    return name.lower().replace("_", "")


def truth(value: Any) -> bool | None:
    """What a value means where True or False is asked for, as Python or between quotes; None: neither.

    >>> truth("False"), truth(1), truth("maybe")
    (False, True, None)
    """
    return {"true": True, "false": False, "1": True, "0": False}.get(str(value).strip().lower())


class _Given:
    """Fields of a configuration, whatever their spelling and section; remembers which were used."""

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        self.fields: dict[tuple[str, str], tuple[str, Any]] = {}
        for section, content in cfg.items():
            if isinstance(content, Mapping):
                for name, value in content.items():
                    self.fields[plain(section), plain(name)] = (f"{section}.{name}", value)
            else:
                self.fields["", plain(section)] = (section, content)
        self.used: set[tuple[str, str]] = set()
        self.unread: dict[str, str] = {}
        """What is said of values that mean neither True nor False, by the place of each."""

    def get(self, name: str, default: Any = None, section: str | None = None) -> Any:
        """A value by its name; empty text and None are as if it was not given.

        Where the default is True or False, so is the value, also between quotes.
        """
        for key, (written, value) in self.fields.items():
            if key[1] == plain(name) and section in (None, key[0]):
                self.used.add(key)
                if value in (None, "", "None"):
                    return default
                return self._truth(written, value, default) if isinstance(default, bool) else value
        return default

    def _truth(self, written: str, value: Any, default: bool) -> bool:
        found = truth(value)
        if found is None:
            self.unread[written] = (
                f"{written}: {value!r} is neither True nor False; taken as {default}, its default"
            )
            return default
        return found

    def section(self, name: str) -> dict[str, Any]:
        """Fields of a section that are left, by their plain names."""
        return {key[1]: value for key, (_, value) in self.fields.items() if key[0] == name}

    def left(self) -> Iterator[tuple[str, str, str, Any]]:
        """Fields that were not used: section, plain name, name as it was written, value."""
        for key, (written, value) in self.fields.items():
            if key not in self.used:
                yield *key, written, value


def converted(cfg: Mapping[str, Any]) -> Converted:
    """A configuration of IOTA² as one of ours.

    Parameters
    ----------
    cfg : mapping
        Its sections with their fields (`iota2_cfg.read_cfg`), in either spelling.
    """
    given, found = _Given(cfg), Converted()
    for step in (
        _inputs,
        _sensors,
        _user_rasters,
        _grid,
        _sampling,
        _selection,
        _learning,
        _fusion,
    ):
        step(given, found)
    for step in (_maps, _vectors, _management):
        step(given, found)
    for section, name, written, value in given.left():
        _tell_of(section, name, written, value, found)
    found.without += given.unread.values()
    return found


def _inputs(given: _Given, found: Converted) -> None:
    found.put("output", given.get("output_path", "results"))
    tiles = given.get("list_tile", [])
    found.put("tiles", tiles.split() if isinstance(tiles, str) else [str(tile) for tile in tiles])
    found.put("reference.path", given.get("ground_truth", ""))
    found.put("reference.field", given.get("data_field", ""))
    found.nomenclature = given.get("nomenclature_path", "")
    found.colours = given.get("color_table", "")
    found.put("nomenclature", "nomenclature.csv")
    regions = given.get("region_path")
    field_name = given.get("region_field", "region")
    if regions:
        found.put("regions", {"path": regions, "field": field_name})


def _sensors(given: _Given, found: Converted) -> None:
    """Sections of the sensors, with what had an effect alone."""
    for key, sensor in SENSORS.items():
        path = given.get(key)
        if path:
            found.put(f"sensors.{sensor}.path", path)
            _tell_of_usgs(key, found)
    indices = given.get("features", ["NDVI", "NDWI", "Brightness"], "globchain")
    auto = given.get("auto_date", True)
    expressions = given.get("use_additional_features", False)
    extract = given.get("extract_bands", False)
    for sensor in list(found.config.get("sensors", {})):
        section = next(
            (name for name, own in SECTIONS.items() if own == sensor and given.section(name)), ""
        )
        place = f"sensors.{sensor}"
        if list(indices) != ["NDVI", "NDWI", "Brightness"]:
            found.put(f"{place}.indices", list(indices))
        _dates(given, found, sensor, section, bool(auto))
        bands = given.get("keep_bands", None, section)
        if bands and extract:
            found.put(f"{place}.keep_bands", list(bands))
        elif bands:
            found.changed.append(
                f"{sensor}: keepBands had no effect, extractBands was not set: all bands are kept"
            )
        texts = given.get("additional_features", "", section)
        if texts and expressions:
            names = dict(zip(map("X{}".format, range(1, 100)), _expressions(texts), strict=False))
            found.put(f"{place}.additional_features", names)
            found.changed.append(
                f"{sensor}: additionalFeatures have names here: X1, X2, … stand for yours; functions are those of "
                "docs/configuration.md"
            )
        elif texts:
            found.changed.append(
                f"{sensor}: additionalFeatures had no effect, useAdditionalFeatures was not set: left out"
            )
        _ratios(given, found, place)
    _radar(given, found)


def _tell_of_usgs(key: str, found: Converted) -> None:
    if key == "l8usgspath":
        found.changed.append("landsat8_usgs: surface reflectance alone is read, no thermal bands")


def _dates(given: _Given, found: Converted, sensor: str, section: str, auto: bool) -> None:
    place = f"sensors.{sensor}"
    first = given.get("start_date", None, section)
    last = given.get("end_date", None, section)
    step = given.get("temporal_resolution", None, section)
    if sensor in MONTHLY:
        return
    if step is None:
        step = STEPS.get(sensor, 10)
        found.assumed.append(f"{place}.temporal_resolution: {step}")
    found.put(f"{place}.temporal_resolution", int(step))
    if auto and (first or last):
        found.changed.append(
            f"{sensor}: startDate and endDate had no effect, autoDate was set: all acquisitions are used"
        )
    if auto:
        return
    for key, day in (("first_date", first), ("last_date", last)):
        if day:
            found.put(f"{place}.{key}", re.sub(r"^(\d{4})(\d\d)(\d\d)$", r"\1-\2-\3", str(day)))
    if first and last:
        found.put(f"{place}.margin_days", 366)
        found.changed.append(
            f"{sensor}: acquisitions before first_date and after last_date were read too: margin_days 366 does that; "
            "here they do not count as clear dates"
        )


def _expressions(texts: Any) -> list[str]:
    """Expressions apart by commas that stand in no bracket."""
    if not isinstance(texts, str):
        return [str(text) for text in texts]
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(texts):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(texts[start:place].strip())
            start = place + 1
    return [part for part in [*parts, texts[start:].strip()] if part]


def _ratios(given: _Given, found: Converted, place: str) -> None:
    for key, name, usual in (
        ("relrefl", "relative_reflectance", False),
        ("keepduplicates", "keep_duplicates", True),
        ("acorfeat", "robust_indices", False),
    ):
        value = given.get(key, usual)
        if bool(value) != usual:
            found.put(f"{place}.{name}", bool(value))


def _radar(given: _Given, found: Converted) -> None:
    path = given.get("s1_path")
    if path:
        found.without.append(
            f"S1Path: {path}: its settings stand in a file of their own; give `sensors.sentinel1` its folder of "
            "SAFE products, `dem` and `geoid` by hand (docs/radar.md)"
        )


def _user_rasters(given: _Given, found: Converted) -> None:
    path = given.get("user_feat_path")
    patterns = given.get("patterns", "", "userfeat")
    given.get("arbo", "", "userfeat")
    if path:
        words = patterns.split(",") if isinstance(patterns, str) else patterns
        found.put("user_features.path", path)
        found.put(
            "user_features.patterns", [str(word).strip() for word in words if str(word).strip()]
        )
        found.changed.append(
            "user_features: pixels without data (nodata, NaN) are left out; IOTA² took their values: "
            "`missing` of each pattern says what becomes of them"
        )
    module = given.get("module", None, "externalfeatures")
    names = given.get("functions", "", "externalfeatures")
    if module and names:
        words = names.split() if isinstance(names, str) else names
        functions = [word if isinstance(word, str) else word[0] for word in words]
        found.put("external_features", [{"module": module, "function": name} for name in functions])
        found.changed.append(
            "external_features: functions have another form here, see docs/external-features.md: rewrite them"
        )


def _grid(given: _Given, found: Converted) -> None:
    projection = given.get("proj")
    if projection:
        found.put("grid.projection", str(projection))
    size = given.get("spatial_resolution")
    if isinstance(size, list):
        if len(set(map(float, size))) > 1:
            found.changed.append(
                f"spatialResolution: pixels are square here, {size[0]:g} of {' x '.join(f'{side:g}' for side in size)}"
            )
        size = size[0] if size else None
    if size:
        found.put("grid.spatial_resolution", float(size))


def _sampling(given: _Given, found: Converted) -> None:
    runs, ratio = given.get("runs", 1), given.get("ratio", 0.5)
    found.put("sampling.runs", int(runs))
    if given.get("split_ground_truth", True) is False:
        found.put("sampling.ratio", 1.0)
        given.get("ratio")
        found.changed.append(
            "splitGroundTruth False: all polygons learn (ratio 1); they do not validate too, so there are no scores"
        )
    else:
        found.put("sampling.ratio", float(ratio))
    seed = given.get("random_seed")
    if seed is None:
        found.changed.append(
            "random_seed: none was given, so that each run of IOTA² drew otherwise; here it is 0, and each run the same"
        )
    else:
        found.put("sampling.random_seed", int(seed))
    found.put("sampling.single_polygon", "both")
    found.changed.append(
        "sampling.single_polygon: both, as in IOTA²: a class with one polygon learns and validates by it, which "
        "flatters its score; `learn` is the default here"
    )
    threshold = given.get("cloud_threshold")
    if threshold is None:
        threshold = 0
        found.assumed.append(
            "sampling.cloud_threshold: 0 (the documentation of later versions says 1)"
        )
    found.put("sampling.cloud_threshold", int(threshold))


def _selection(given: _Given, found: Converted) -> None:
    chosen = given.get("sample_selection", {})
    if isinstance(chosen, Mapping) and chosen:
        _one_selection(chosen, "sampling", found)
        for own in chosen.get("per_models", chosen.get("per_model", [])):
            region = str(own.get("target_model"))
            _one_selection(own, f"sampling.per_region.{region}", found)
    made = given.get("sample_augmentation", {})
    if isinstance(made, Mapping) and truth(made.get("activate")):
        _augmentation(made, found)


def _one_selection(chosen: Mapping[str, Any], place: str, found: Converted) -> None:
    strategy = str(chosen.get("strategy", "all"))
    if "sampler" in chosen:
        found.put(f"{place}.sampler", str(chosen["sampler"]))
    found.put(f"{place}.strategy", strategy)
    value = {
        "percent": chosen.get("strategy.percent.p"),
        "constant": chosen.get("strategy.constant.nb"),
        "total": chosen.get("strategy.total.v"),
    }.get(strategy)
    if value is not None:
        found.put(f"{place}.{strategy}", float(value) if strategy == "percent" else int(value))
    if strategy == "byclass":
        table = chosen.get("strategy.byclass.in", "")
        found.put(f"{place}.byclass", {})
        found.without.append(f'{place}.byclass: put the table {table} here, as {{"11": 500}}')


def _augmentation(made: Mapping[str, Any], found: Converted) -> None:
    place = "sampling.augmentation"
    method = str(made.get("strategy", "smote"))
    found.put(f"{place}.method", method)
    to = {"minNumber": "number", "balance": "balance", "byClass": "byclass"}
    goal = to.get(str(made.get("samples.strategy", "balance")), "balance")
    found.put(f"{place}.to", goal)
    if goal == "number":
        found.put(f"{place}.number", int(made.get("samples.strategy.minNumber", 1000)))
    if goal == "byclass":
        found.put(f"{place}.byclass", {})
        found.without.append(
            f'{place}.byclass: put the table {made.get("samples.strategy.byClass", "")} here, as {{"11": 500}}'
        )
    if method == "jitter":
        factor = float(made.get("strategy.jitter.stdfactor", 10))
        found.put(f"{place}.jitter", 1 / factor)
    if method == "smote":
        found.put(f"{place}.neighbours", int(made.get("strategy.smote.neighbors", 5)))
    models = [str(model) for model in made.get("target_models", ["all"])]
    if models != ["all"]:
        found.put(f"{place}.regions", models)


def _learning(given: _Given, found: Converted) -> None:
    scikit = {**given.section("scikitmodelsparameters")}
    for name in scikit:
        given.get(name, None, "scikitmodelsparameters")
    if scikit.get("modeltype"):
        _scikit(given, found)
        return
    name = str(given.get("classifier", "rf"))
    options = given.get("options", given.get("otb_classifier_options", ""))
    parameters = _otb_options(options)
    if name == "sharkrf":
        _shark(parameters, found)
        return
    learner = OTB_LEARNERS.get(name)
    if not learner:
        found.put("learning.learner", "RandomForestClassifier")
        found.without.append(
            f"classifier {name}: there is none; a forest of scikit-learn stands for it"
        )
        return
    found.put("learning.learner", learner)
    if name == "rf" and not options:
        parameters = {"min": 5, "max": 25}
        found.assumed.append("learning.parameters: {min: 5, max: 25}, of otb-rf")
    if parameters:
        found.put("learning.parameters", parameters)
    found.changed.append(
        f"{learner} needs the Orfeo ToolBox; RandomForestClassifier, the default here, does not"
    )


def _otb_options(options: Any) -> dict[str, Any]:
    """Options of OTB's training application, without their prefix: `-classifier.rf.min 5`."""
    if isinstance(options, Mapping):
        pairs = list(options.items())
    else:
        pairs = re.findall(r"-?(?:classifier\.)?([\w.]+)\s+([^\s-]\S*|-\d\S*)", str(options))
    return {str(name).split(".")[-1]: _number(value) for name, value in pairs}


def _number(value: Any) -> Any:
    text = str(value)
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


def _shark(parameters: Mapping[str, Any], found: Converted) -> None:
    found.put("learning.learner", "RandomForestClassifier")
    given = {
        "n_estimators": parameters.get("nbtrees", 100),
        "min_samples_leaf": parameters.get("nodesize", 25),
    }
    if parameters.get("mtry"):
        given["max_features"] = parameters["mtry"]
    found.put("learning.parameters", given)
    found.changed.append(
        "sharkrf: a forest of scikit-learn with as many trees and samples in a leaf; of trees learnt by another "
        "programme the maps differ in single pixels"
    )


def _scikit(given: _Given, found: Converted) -> None:
    section = "scikitmodelsparameters"
    written = {
        key[1]: (name.partition(".")[2], value)
        for key, (name, value) in given.fields.items()
        if key[0] == section
    }
    found.put("learning.learner", str(written["modeltype"][1]))
    known = ("modeltype", "standardization", "crossvalidationparameters", "crossvalidationfolds",
             "crossvalidationgrouped")  # fmt: skip
    parameters = {
        name: value
        for key, (name, value) in written.items()
        if key not in known and value is not None
    }
    if parameters:
        found.put("learning.parameters", parameters)
    if "standardization" in written:
        found.put("learning.standardise", bool(written["standardization"][1]))
    tried = written.get("crossvalidationparameters", ("", None))[1]
    if tried:
        search: dict[str, Any] = {"method": "grid", "parameters": dict(tried)}
        if "crossvalidationfolds" in written:
            search["folds"] = int(written["crossvalidationfolds"][1])
        found.put("learning.search", search)
        if not written.get("crossvalidationgrouped", ("", False))[1]:
            found.changed.append(
                "learning.search: folds are of whole polygons here (cross_validation_grouped)"
            )


def _fusion(given: _Given, found: Converted) -> None:
    seeds = given.get("merge_final_classifications", False)
    method = given.get("merge_final_classifications_method", "majorityvoting")
    label = given.get("merge_final_classifications_undecidedlabel", 255)
    share = given.get("merge_final_classifications_ratio", 0.1)
    masses = given.get("dempstershafer_mob", "precision")
    if seeds:
        found.put("fusion.seeds", _method(str(method), str(masses)) | {
            "undecided": "undecided", "undecided_label": int(label), "held_back": float(share),
        })  # fmt: skip
    mode = given.get("classif_mode", "separate")
    area = given.get("mode_outside_region_split", 0.1)
    options = str(given.get("fusion_options", "-nodatalabel 0 -method majorityvoting"))
    undecided = given.get("no_label_management", "maxConfidence")
    if mode == "fusion":
        found.put("fusion.regions", {
            "above_km2": float(area),
            "undecided": "most_samples" if undecided == "learningPriority" else "most_confident",
        })  # fmt: skip
        found.changed.append(
            "fusion.regions: a region is measured by the area that tiles cover of it, not by that of its learning "
            "polygons: choose above_km2 anew"
        )
        if "dempstershafer" in options.lower():
            found.without.append(
                "fusionOptions: dempstershafer of models of one region; majority stands for it"
            )
    if given.get("dempster_shafer_sar_opt_fusion", False):
        found.put("fusion.sensors", {"method": "dempster_shafer", "masses": str(masses)})
    if given.get("enable_boundary_fusion", False):
        outer = float(given.get("boundary_exterior_buffer_size", 0))
        found.put(
            "fusion.boundaries",
            {"exterior": outer, "interior": float(given.get("boundary_interior_buffer_size", 0))},
        )


def _method(method: str, masses: str) -> dict[str, Any]:
    if method == "dempstershafer":
        return {"method": "dempster_shafer", "masses": masses}
    return {"method": "majority"}


def _maps(given: _Given, found: Converted) -> None:
    if given.get("enable_probability_map", False):
        found.put("classification.probability_map", True)
    if given.get("output_statistics", False):
        found.put("classification.histograms", True)
    if given.get("dim_red", False):
        found.put("learning.reduction", {
            "method": "pca",
            "by": str(given.get("reduction_mode", "global")),
            "components": int(given.get("target_dimension", 4)),
        })  # fmt: skip


def _finest(found: Converted) -> float:
    """Pixels of the map where no size is given, metres: those of the finest sensor."""
    sensors = found.config.get("sensors", {})
    return 30.0 if sensors and all(name.startswith("landsat") for name in sensors) else 10.0


def _vectors(given: _Given, found: Converted) -> None:
    first, second = given.get("umc1"), given.get("umc2")
    size = float(given.get("rssize", 20))
    water = given.get("inland")
    pixel = found.config.get("grid", {}).get("spatial_resolution") or _finest(found)
    if first:
        found.put(
            "regularisation", {"minimum_mapping_unit_m2": int(first) * pixel**2, "resolution": size}
        )
        if second:
            found.put("regularisation.second_minimum_mapping_unit_m2", int(second) * size**2)
        found.changed.append(
            f"regularisation: units are square metres here; umc1 {first} counts pixels of {pixel:g} m"
        )
        if water:
            found.without.append(
                f"inland {water}: burn it into a raster and name that with the code of water, "
                "`regularisation.water_mask: {path: …, code: …}`"
            )
    clip, name = given.get("clipfile"), given.get("clipfield")
    if given.get("douglas") or given.get("hermite") or clip or given.get("gridsize"):
        given.get("mmu"), given.get("grasslib"), given.get("angle")
        found.put("vectorisation", {"names": "oso"})
        found.changed.append(
            "vectorisation: boundaries are simplified within a tolerance and a limit of area, without GRASS: "
            "docs/vectors.md; douglas, hermite, mmu and angle are not carried over"
        )
    if clip and name:
        found.put("delivery", {"path": clip, "field": name})
        value, prefix = given.get("clipvalue"), given.get("outprefix")
        if value:
            found.put("delivery.values", [str(value)])
        if prefix:
            found.put("delivery.prefix", str(prefix))


def _management(given: _Given, found: Converted) -> None:
    table = given.get("sample_management")
    if table:
        found.management = str(table)
        found.put("sampling.management", "management.csv")


NEEDLESS = {
    "removeoutputpath": "nothing is erased; what is not up to date is made again",
    "checkinputs": "inputs are always checked (`iota2 check`)",
    "logfilelevel": "logs are in logs/ of the output",
    "jobspath": "jobs are described nowhere but by the workflow",
    "otbpath": "the chain needs no Orfeo ToolBox but for its own learners",
    "pyapppath": "the package is installed",
    "firststep": "stages are targets: `iota2 run CONFIG classification`",
    "laststep": "stages are targets: `iota2 run CONFIG classification`",
    "removetmpfiles": "intermediate files stay, so that what changes is made again alone",
    "writeoutputs": "the features are written by the target `features`",
    "usegapfilling": "series are always gap-filled",
    "writereprojectresampledinputdatesstack": "nothing is written of the images",
    "copyinput": "bands are always features; leave some out by keep_bands",
    "forcestandardlabels": "features have their names",
    "keeprunsresults": "the scores of the draws stay",
    "buildersclassname": "stages are targets of one workflow",
    "builderspaths": "stages are targets of one workflow",
    "allowedretry": "profiles say how often a job is tried again",
    "enablecrossvalidation": "it was refused by IOTA² already",
    "pathmodel": "models are in models/ of the output",
    "numberofchunks": "memory: classification.window_mb",
    "chunksizemode": "memory: classification.window_mb",
    "bandref": "reference_band of sensors.*.coregistration",
}
"""What needs no counterpart, and why."""
ABSENT = {
    "enableautocontext": "auto-context (superpixels)",
    "autocontextiterations": "auto-context (superpixels)",
    "cropmix": "samples of annual crops of another year",
    "samplesclassifmix": "samples taken from an earlier map",
    "annualcrop": "samples of annual crops of another year",
    "acroplabelreplacement": "samples of annual crops of another year",
    "prevfeatures": "samples of annual crops of another year",
    "obiasegmentationpath": "classification of objects",
    "dlname": "neural networks",
    "deeplearningparameters": "neural networks",
    "pretrainedmodel": "models learnt elsewhere",
    "l8usgsthermalpath": "thermal bands of Landsat",
    "l8usgsinfraredpath": "bands of Landsat's level 1",
    "fusionofclassificationallsamplesvalidation": "validation of the fused map on learning polygons too",
    "vhrpath": "co-registration by SIFT points: sensors.*.coregistration finds shifts against a reference image",
}
"""What has no counterpart."""


def _tell_of(section: str, name: str, written: str, value: Any, found: Converted) -> None:
    if name in NEEDLESS:
        found.without.append(f"{written}: not needed; {NEEDLESS[name]}")
    elif name in ABSENT:
        if value not in (None, False, "", [], {}):
            found.without.append(f"{written}: there is no counterpart ({ABSENT[name]})")
    elif name == "activate" or value in (None, "", [], {}):
        return
    elif section in SECTIONS and SECTIONS[section] not in found.config.get("sensors", {}):
        found.without.append(f"{written}: left out, its sensor has no folder of images")
    else:
        found.without.append(f"{written}: {value!r} is not known here; see docs/from-iota2.md")
