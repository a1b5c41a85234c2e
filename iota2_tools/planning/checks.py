"""Checks of the inputs before the first job: all problems at once, each with its remedy."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from iota2_tools.config.vectorisation import DescribingRaster
from iota2_tools.core.environment import environment_problems, environment_remarks
from iota2_tools.core.errors import (
    ConfigError,
    InputDataError,
    Iota2Error,
    MissingSoftwareError,
    one_message,
)
from iota2_tools.core.findings import Finding, Severity, findings_in
from iota2_tools.core.words import suggest
from iota2_tools.features.expressions import parse_expression
from iota2_tools.features.plan import REFERENCE, chosen_names
from iota2_tools.features.user_modules import load_function
from iota2_tools.geo.grid import Grid, metres, spatial_reference
from iota2_tools.geo.raster import open_raster
from iota2_tools.geo.vectors import read_fields, shown
from iota2_tools.learning.settings import LearningSettings, Purpose
from iota2_tools.learning.tried import problems_of_learner
from iota2_tools.planning.calendars import calendar_findings, clear_date_findings
from iota2_tools.planning.configuration import SECTIONS
from iota2_tools.planning.grids import grid_findings
from iota2_tools.planning.images import header_findings
from iota2_tools.planning.machine import machine_findings
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.places import place_findings
from iota2_tools.planning.production import Production
from iota2_tools.products import FORMATS, Request
from iota2_tools.reference.regions import region_remarks
from iota2_tools.reference.sources import Demands
from iota2_tools.timeseries.headers import reference_faults
from iota2_tools.timeseries.user_rasters import covered_share

NEARLY_ALL = 0.99
"""Share of a tile that a raster may cover without a word: tiles in another projection are compared by boxes."""


def check_environment() -> None:
    """Refuse what other software has left in the environment, before anything is read.

    Raises
    ------
    MissingSoftwareError
        Listing every variable or package that is in the way, each with its remedy.
    """
    problems = environment_problems()
    if problems:
        raise MissingSoftwareError(one_message("the environment", problems))


def check(production: Production, source: str, headers: bool = False) -> None:
    """Raise one ConfigError that lists everything wrong with the inputs.

    Parameters
    ----------
    source : str
        Name of the configuration, for the message.
    headers : bool
        Whether each image is opened as well, as the jobs of `take_inventory` do.
    """
    problems = input_problems(production)
    if headers and not problems:
        problems = header_problems(production)
    if problems:
        raise ConfigError(one_message(source, problems))


def input_problems(production: Production) -> list[str]:
    """Everything wrong with the inputs of a production that headers and tables tell, as sentences."""
    return _sentences(_errors(input_findings(production)))


def header_problems(production: Production) -> list[str]:
    """Everything wrong with the images of the tiles that their headers tell, as sentences."""
    return _sentences(_errors(header_findings(production)))


def input_warnings(production: Production) -> list[str]:
    """What is strange about the inputs and does not stop a production, as sentences."""
    found = [*warning_findings(production), *machine_findings(Parameters(production))]
    return _sentences(found)


def _errors(findings: Iterable[Finding]) -> Iterator[Finding]:
    return (item for item in findings if item.severity == "error")


def _warnings(findings: Iterable[Finding]) -> Iterator[Finding]:
    return (item for item in findings if item.severity == "warning")


def _sentences(findings: Iterable[Finding]) -> list[str]:
    return list(dict.fromkeys(map(str, findings)))


def warning_findings(production: Production, about: str = "") -> list[Finding]:
    """What is strange about the inputs and does not stop a production."""
    looks: tuple[Callable[[Production], Iterable[str | Finding]], ...] = (
        lambda _: [
            Finding("environment", "", told, "", "warning") for told in environment_remarks()
        ],
        lambda plan: plan.reference_findings.remarks,
        _lacking_series,
        _product_remarks,
        _region_remarks,
        _strangers,
        _user_cover,
        lambda plan: plan.vectorisation.remarks() if plan.vectorisation else (),
        _classes,
        calendar_findings,
        lambda plan: _warnings(clear_date_findings(plan)),
        lambda plan: _warnings(place_findings(plan.config)),
        lambda plan: _warnings(grid_findings(plan)),
    )
    return [item for look in looks for item in _told(look, production, about, "warning")]


def _told(
    look: Callable[[Production], Iterable[str | Finding]],
    production: Production,
    about: str,
    severity: Severity,
) -> list[Finding]:
    """What a look finds; that it cannot look is a finding as well, but if others tell of the error."""
    try:
        found = list(look(production))
    except Iota2Error as error:
        found = [error.args[0]] if severity == "error" else []
    return [item for told in found for item in findings_in(told, about, severity, SECTIONS)]


def _lacking_series(production: Production) -> Iterator[str]:
    """Series that some tiles do not have."""
    for name in production.series:
        lacking = [tile for tile in production.tiles if not production.has(name, tile)]
        without = [
            region for region in production.used_regions
            if name not in production.series_of_region(region)
        ]  # fmt: skip
        if lacking:
            yield (
                f"{name} has no acquisition over {', '.join(lacking)}: region(s) {', '.join(without)} learn "
                "and are mapped without it"
            )


def _strangers(production: Production) -> Iterator[Finding]:
    """Entries of the folders of tiles that look like products and are not read."""
    for tile in production.tiles:
        for sensor in production.sensors:
            folder = production.sensor_folder(sensor, tile)
            if not production.listed(sensor, tile):
                continue
            strangers = production.listing(sensor, tile).strangers
            stopping = _stopping(production, sensor, tile)
            strangers = {name: told for name, told in strangers.items() if name not in stopping}
            for reason in sorted(set(strangers.values())):
                names = [name for name, other in strangers.items() if other == reason]
                shown = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
                what, _, remedy = f"{len(names)} not read, {reason}".partition("; ")
                yield Finding(folder, "", f"{what}: {shown}", remedy, "warning")
            yield from _of_other_formats(production, sensor, folder)


def _stopping(production: Production, sensor: str, tile: str) -> list[str]:
    """Products of the period of which not even the place and the direction can be read, where that is an error."""
    if production.config.inputs.damaged_acquisition != "stop":
        return []
    period = production.period(sensor)
    damaged = production.listing(sensor, tile).damaged
    return [name for name, day in damaged.items() if period.reads(day)]


def _damaged(production: Production) -> Iterator[Finding]:
    for tile in production.tiles:
        for sensor in production.sensors:
            with contextlib.suppress(Iota2Error):  # told by `_tiles`
                for name in _stopping(production, sensor, tile):
                    told = production.listing(sensor, tile).strangers[name]
                    what, _, remedy = told.partition("; ")
                    remedy += ", or set `inputs: {damaged_acquisition: skip}`"
                    yield Finding(production.sensor_folder(sensor, tile), "", what, remedy)


def _of_other_formats(production: Production, sensor: str, folder: str) -> Iterator[Finding]:
    """Products of another sensor or level, which nobody reads where they lie."""
    if not os.path.isdir(folder):
        return
    own = production.format(sensor)
    found: dict[str, list[str]] = {}
    for name in sorted(os.listdir(folder)):
        if own.recognise(name):
            continue
        others = [
            key for key, known in FORMATS.items() if not known.configured and known.recognise(name)
        ]
        if others and not set(others) & set(production.sensors):  # which may share the folder
            found.setdefault(others[0], []).append(name)
    for other, names in found.items():
        shown = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
        yield Finding(
            folder, "", f"{len(names)} not read, of the format {other}: {shown}",
            f"give them a folder and a section `{other}` of their own, or leave them", "warning",
        )  # fmt: skip


def _product_remarks(production: Production) -> list[str]:
    """What a user should know of how the first product of each tile is read."""
    remarks: dict[str, None] = {}
    for tile in production.tiles:
        for sensor in production.sensors:
            known = production.format(sensor)
            if not known.remarks or not production.listed(sensor, tile):
                continue
            for item in production.listing(sensor, tile).products[:1]:
                section = production.section(sensor)
                folder = Path(production.sensor_folder(sensor, tile))
                request = Request(folder, item.name, known.band_names, section.options)
                remarks |= {f"sensors.{sensor}: {text}": None for text in known.remarks(request)}
    return list(remarks)


def input_findings(production: Production, about: str = "") -> list[Finding]:
    """Everything wrong with the inputs of a production that headers and tables tell.

    Parameters
    ----------
    about : str
        Name of the configuration, for findings that are about no other file.
    """
    checks: tuple[Callable[[Production], Iterable[str | Finding]], ...] = (
        lambda plan: place_findings(plan.config),
        _tiles,
        _damaged,
        _coregistration,
        _regions,
        _samples,
        _reference,
        _nomenclature,
        _fusion,
        _features,
        _user_bands,
        _external,
        _feature_maps,
        _regularisation,
        _vectors,
        _report,
        _learner,
    )
    found = [item for check in checks for item in _told(check, production, about, "error")]
    return list(dict.fromkeys(_errors(found)))


def _first_error(action: Callable, *arguments: object) -> Iterator[str]:
    """The message of an action that fails, as it is: a `Listed` remembers its problems."""
    try:
        action(*arguments)
    except Iota2Error as error:
        yield error.args[0]


def _tiles(production: Production) -> Iterator[str | Finding]:
    before = 0
    for tile in production.tiles:
        for sensor in production.sensors:
            for problem in _first_error(production.listed, sensor, tile):
                before += 1
                yield problem
        for problem in _first_error(production.user_feature_files, tile):
            before += 1
            yield problem
    if before:
        return
    for series in production.series:
        for tile in filter(lambda name: production.has(series, name), production.tiles):
            for problem in _first_error(production.product_names, series, tile):
                before += 1
                yield problem
    if not before:
        wrong = list(_first_error(lambda: production.mosaic_grid))
        yield from wrong
        yield from _first_error(lambda: production.target_dates)
        if not wrong:
            yield from grid_findings(production)
        yield from clear_date_findings(production)
    for region in production.used_regions if not before and production.series else ():
        if not production.series_of_region(region) and not production.user_rasters:
            yield f"region {region}: no series has acquisitions over all its tiles; nothing is left to learn from"


def _coregistration(production: Production) -> Iterator[str]:
    for sensor in production.sensors:
        section = production.section(sensor).coregistration
        if not section:
            continue
        place = f"sensors.{sensor}.coregistration"
        known = production.format(sensor).band_names
        if section.sensor_band not in known:
            hint = suggest(section.sensor_band, known, f"it has {', '.join(known)}")
            yield f"{place}.sensor_band: no band {section.sensor_band!r}, {hint}"
        for tile in production.tiles:
            faults = reference_faults(
                section.reference, section.reference_band, production.grid(tile)
            )
            yield from (f"{place}.reference: {tile}: {fault}" for fault in faults)


def _regions(production: Production) -> Iterator[str]:
    section = production.config.regions
    if not section:
        return
    if not os.path.exists(section.path):
        yield f"regions.path: no file {section.path}; check its path"
        return
    try:
        _ = production.grids
    except Iota2Error:  # told by their own check
        yield from _first_error(read_fields, section.path, section.layer, {"name": section.field})
        return
    try:
        used = production.used_regions
    except Iota2Error as error:
        yield error.args[0]
        return
    if not used:
        yield f"{section.path}: no region touches a tile; check its coordinate reference system"


def _region_remarks(production: Production) -> Iterator[str]:
    """Regions that overlap by more than a pixel, or were repaired."""
    section = production.config.regions
    if section:
        grid = production.mosaic_grid
        yield from region_remarks(
            section.path, section.layer, section.field, grid.crs, grid.resolution**2
        )


def _samples(production: Production) -> Iterator[str]:
    """Choices for single regions or classes that the production does not have."""
    sampling = production.config.sampling
    with contextlib.suppress(Iota2Error):
        for region in sampling.per_region:
            if region not in production.used_regions:
                yield f"sampling.per_region: {_no_region(production, region)}"
        for region in sampling.augmentation.regions:
            if region not in production.used_regions:
                yield f"sampling.augmentation.regions: {_no_region(production, region)}"
    with contextlib.suppress(Iota2Error):
        codes = production.nomenclature.codes
        numbers = {"": sampling.byclass, "augmentation.": sampling.augmentation.byclass}
        numbers |= {
            f"per_region.{name}.": own.byclass
            for name, own in sampling.per_region.items()
            if own.byclass
        }
        for place, asked in numbers.items():
            for code in asked:
                if int(code) not in codes:
                    hint = suggest(code, codes, f"codes are {', '.join(map(str, codes))}")
                    yield f"sampling.{place}byclass: the nomenclature has no code {code}, {hint}"
    yield from _copies(production)
    yield from _own_samples(production)
    yield from _borrowed_models(production)


def _borrowed_models(production: Production) -> Iterator[str]:
    """Models of another production that do not fit; known where the features themselves are."""
    output = production.config.learning.models
    if not output:
        return
    from iota2_tools.learning.borrowed import borrowed_problems  # most productions borrow none

    with contextlib.suppress(Iota2Error):
        for problem in borrowed_problems(output, _demands(production)):
            yield f"learning.models: {problem}"


def _demands(production: Production) -> Demands:
    """What samples and models of others are held against."""
    return Demands(
        Parameters(production).feature_names,
        production.used_regions,
        production.nomenclature,
        production.config.sampling.runs,
        metres(production.mosaic_grid),
    )


def _own_samples(production: Production) -> Iterator[str]:
    """A table of samples of the user that lacks something; known where the features themselves are."""
    yield from _samples_of_years(production)
    path = production.config.learning.own_table
    if not path:
        return
    if not os.path.exists(path):
        yield f"learning.samples: no file {path}; check its path"
        return
    from iota2_tools.reference.own_samples import own_problems  # most productions have none

    with contextlib.suppress(Iota2Error):
        demands = _demands(production)
        try:
            problems = list(own_problems(path, demands))
        except Iota2Error as error:
            problems = [str(error)]
        yield from (f"learning.samples: {problem}" for problem in problems)


def _samples_of_years(production: Production) -> Iterator[str]:
    """Samples of other productions that do not fit; known where the features themselves are."""
    parameters = Parameters(production)
    if not parameters.sources:
        return
    from iota2_tools.reference.other_years import source_problems  # most productions have none

    with contextlib.suppress(Iota2Error):
        demands = _demands(production)
        for source in parameters.sources:
            for problem in source_problems(source, demands):
                yield f"learning.samples: {problem}"


def _copies(production: Production) -> Iterator[str]:
    """A table of copies that is wrong, or asks for features that a region does not have."""
    path = production.config.sampling.management
    if not path:
        return
    if not os.path.exists(path):
        yield f"sampling.management: no file {path}; check its path"
        return
    try:
        copies = production.copies
    except Iota2Error as error:
        yield f"sampling.management: {error}"
        return
    for source, destination in dict.fromkeys(copy[:2] for copy in copies):
        had = production.series_of_region(source)
        lacking = [name for name in production.series_of_region(destination) if name not in had]
        if lacking:
            yield (
                f"sampling.management: {path}: region {source} has no {', '.join(lacking)}, which region "
                f"{destination} learns; leave these lines out"
            )


def _no_region(production: Production, region: str) -> str:
    known = production.used_regions
    hint = suggest(region, known, f"they are {', '.join(known)}")
    return f"no region {region!r} touches a tile, {hint}"


def _reference(production: Production) -> Iterator[str]:
    section = production.config.reference
    if not section:
        return
    files = {"path": section.path, "splits": section.splits}
    absent = [key for key, path in files.items() if path and not os.path.exists(path)]
    yield from (f"reference.{key}: no file {files[key]}; check its path" for key in absent)
    if not absent:
        yield from production.reference_findings.problems
        if not production.config.learning.samples and not production.config.sampling.management:
            yield from production.reference_findings.poor


def _nomenclature(production: Production) -> Iterator[str]:
    yield from _first_error(lambda: production.nomenclature)


def _classes(production: Production) -> Iterator[str]:
    """Classes that a reader of the map cannot tell apart, or that nothing is mapped as."""
    path, classes = production.config.nomenclature, production.nomenclature.classes
    names: dict[str, list[str]] = {}
    for item in classes:
        names.setdefault(item.hex_colour, []).append(item.name)
    for colour, same in names.items():
        if len(same) > 1:
            yield f"{path}: {shown(same)} have one colour, {colour}; give each its own"
    found = production.reference_findings.classes
    unused = [f"{item.name} ({item.code})" for item in classes if item.code not in found]
    if found and unused and not production.config.learning.samples:
        yield (
            f"{path}: no polygon on the tiles is of {shown(unused)}, and nothing will be mapped as that; add "
            "polygons, or take the class out"
        )


def _fusion(production: Production) -> Iterator[str]:
    """A label of undecided pixels that is a class; late fusion where there is nothing to fuse."""
    if production.fused_sensors:
        yield from _lacking_sources(production)
    if production.boundaries:
        yield from _boundaries_in_degrees(production)
    if production.fused_parts:
        yield from _first_error(lambda: production.parts)
    seeds = production.fused_seeds
    if seeds and seeds.keeps_undecided and seeds.undecided_label in production.nomenclature.codes:
        name = production.nomenclature.name_of(seeds.undecided_label)
        yield (
            f"fusion.seeds.undecided_label: {seeds.undecided_label} is the class {name}; take a number that is "
            "no code of the nomenclature"
        )


def _boundaries_in_degrees(production: Production) -> Iterator[str]:
    with contextlib.suppress(Iota2Error):  # of the tiles: told by their own check
        if not spatial_reference(production.mosaic_grid.crs).IsProjected():
            yield (
                "fusion.boundaries: the coordinates of the map are angles, so that distances in metres are none; "
                "set grid.projection to one in metres"
            )


def _lacking_sources(production: Production) -> Iterator[str]:
    sensors = [production.section(sensor).radar for sensor in production.sensors]
    if len(set(sensors)) < 2:
        yield (
            f"fusion.sensors: the sensors ({', '.join(production.sensors) or 'none'}) are not of both kinds, radar "
            "and optical; add one of the other, or leave fusion.sensors out"
        )
        return
    with contextlib.suppress(Iota2Error):  # of the tiles: told by their own check
        for region in production.used_regions:
            for source, series in production.sources_of_region(region).items():
                if not series:
                    yield (
                        f"fusion.sensors: region {region} has no {source} acquisitions over all its tiles; fetch "
                        "them, take the region out, or leave fusion.sensors out"
                    )


def _features(production: Production) -> Iterator[str]:
    for sensor in production.sensors:
        expressions = production.section(sensor).additional_features
        known = production.format(sensor)
        relative = production.section(sensor).ratios.get("relative_reflectance")
        if relative and REFERENCE not in known.roles:
            yield f"sensors.{sensor}.relative_reflectance: none of its bands has the role {REFERENCE}"
        for name, text in expressions.items():
            for problem in _first_error(parse_expression, text, known.band_names, known.roles):
                yield f"sensors.{sensor}.additional_features.{name}: {problem}"


def _user_bands(production: Production) -> Iterator[str]:
    """Rasters of the user with another number of bands than over the first tile: their features would be others."""
    counts: dict[str, tuple[str, int]] = {}
    for tile in production.tiles:
        with contextlib.suppress(Iota2Error):  # told where the files are looked at
            for word, path in production.user_feature_files(tile).items():
                found = open_raster(path).RasterCount
                first, wanted = counts.setdefault(word, (path, found))
                if found != wanted:
                    yield (
                        f"user_features: {path}: has {found} band(s), {first} has {wanted}; each band is a feature, "
                        "and all tiles need the same"
                    )


def _user_cover(production: Production) -> Iterator[str]:
    """Tiles that a raster of the user covers in part, where nothing is mapped without it."""
    for tile in production.tiles:
        for word, path in production.user_feature_files(tile).items():
            if production.user_rasters[word].missing != "leave_out":
                continue
            share = covered_share(path, production.grid(tile))
            if share < NEARLY_ALL:
                yield (
                    f"user_features: {path}: covers {max(share, 0):.0%} of {tile}, the rest is neither learnt nor "
                    "mapped; give one that covers it, or say what stands there (`missing`)"
                )


def _external(production: Production) -> Iterator[str]:
    """Try the user's functions, as each job does; without images, only whether they can be loaded."""
    parameters = Parameters(production)
    if not parameters.external:
        return
    unknown = list(_unknown_bands(production))
    yield from unknown
    trial = None
    with contextlib.suppress(Iota2Error):
        trial = parameters.external_trial if not unknown else None
    if trial:
        yield from trial.problems()
        return
    for section in production.config.external_features:
        yield from _first_error(load_function, section.module, section.function)


def _unknown_bands(production: Production) -> Iterator[str]:
    for number, section in enumerate(production.config.external_features):
        for sensor, bands in section.reads.items():
            place = f"external_features.{number}.reads"
            if sensor not in production.sensors:
                hint = suggest(
                    sensor, production.sensors, f"it has {', '.join(production.sensors) or 'none'}"
                )
                yield f"{place}: the production has no sensor {sensor!r}, {hint}"
                continue
            known = (*production.format(sensor).band_names, *production.format(sensor).roles)
            for band in bands:
                if band not in known:
                    hint = suggest(band, known, f"it has {', '.join(known)}")
                    yield f"{place}.{sensor}: no band {band!r}, {hint}"


def _feature_maps(production: Production) -> Iterator[str]:
    """Features that are to be maps and are none; known where the features themselves are."""
    if not production.config.feature_maps:
        return
    parameters = Parameters(production)
    with contextlib.suppress(Iota2Error):
        names = parameters.feature_names
        yield from _first_error(chosen_names, production.config.feature_maps.features, names)
        strange = [name for name in parameters.chosen_features if "/" in name]
        yield from (f"feature_maps.features: {name!r} cannot name a file" for name in strange)


def _regularisation(production: Production) -> Iterator[str]:
    """Units, groups and water that the map and the nomenclature do not have."""
    if production.regularisation:
        yield from production.regularisation.problems()


def _vectors(production: Production) -> Iterator[str]:
    plan = production.vectorisation
    if not plan:
        return
    yield from plan.problems(production.seeds)
    for item in plan.section.rasters:
        place = f"vectorisation.rasters: {item.name}: "
        for problem in _first_error(_describing_raster, item, plan.grid):
            yield place + problem.removeprefix("user_features: ")


def _report(production: Production) -> Iterator[str]:
    """Productions to compare with that hold no map of this place."""
    yield from Parameters(production).report.problems()


def _describing_raster(item: DescribingRaster, grid: Grid) -> None:
    """Look at a raster that describes polygons, as `measure_square` reads it.

    Raises
    ------
    InputDataError
        If it cannot be read, has several bands, or lies elsewhere than the map.
    """
    from iota2_tools.timeseries.user_rasters import look_at_user_raster

    found = look_at_user_raster(item.path, item.interpolation, "keep", grid)
    if len(found.types) > 1:
        raise InputDataError(
            f"{item.path}: has {len(found.types)} bands, one is needed; take it out (gdal_translate -b)"
        )


def _learner(production: Production) -> Iterator[str]:
    """Try the learner; with made-up classes and features where the others cannot be known."""
    codes: tuple[int, ...] = (1, 2, 3, 4)
    n_features = len(codes)
    with contextlib.suppress(Iota2Error):
        codes = production.nomenclature.codes
    with contextlib.suppress(Iota2Error):
        n_features = Parameters(production).feature_count
    rasters = production.user_rasters
    purpose = Purpose(
        codes,
        n_features,
        production.config.classification.probability_map,
        tuple(word for word, raster in rasters.items() if raster.missing == "keep"),
        production.config.classification.smoothing.used,
        production.config.learning.weighted,
    )
    settings = LearningSettings.of(production.config.learning.as_dict())
    yield from problems_of_learner(settings, purpose)
