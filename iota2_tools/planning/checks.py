"""Checks of the inputs before the first job: all problems at once, each with its remedy."""

import os
from collections.abc import Callable, Iterator

from iota2_tools.core.errors import ConfigError, Iota2Error, one_message
from iota2_tools.features.expressions import parse_expression
from iota2_tools.geo.vectors import layer_fields, read_layer
from iota2_tools.planning.production import Production
from iota2_tools.products import FORMATS
from iota2_tools.reference.polygons import unknown_classes


def check(production: Production, source: str) -> None:
    """Raise one ConfigError that lists all `input_problems`.

    Parameters
    ----------
    source : str
        Name of the configuration, for the message.
    """
    problems = input_problems(production)
    if problems:
        raise ConfigError(one_message(source, problems))


def input_problems(production: Production) -> list[str]:
    """Everything wrong with the inputs of a production that headers and tables tell."""
    checks = (_tiles, _regions, _reference, _nomenclature, _splits, _features, _learner)
    problems: list[str] = []
    for check in checks:
        try:
            found = list(check(production))
        except Iota2Error as error:
            found = [str(error)]
        problems += [problem for problem in found if problem not in problems]
    return problems


def _first_error(action: Callable, *arguments: object) -> Iterator[str]:
    try:
        action(*arguments)
    except Iota2Error as error:
        yield str(error)


def _tiles(production: Production) -> Iterator[str]:
    before = 0
    for tile in production.tiles:
        for sensor in production.sensors:
            for problem in _first_error(production.product_names, sensor, tile):
                before += 1
                yield problem
        for problem in _first_error(production.user_feature_files, tile):
            before += 1
            yield problem
    if not before:
        yield from _first_error(lambda: production.mosaic_grid)
        yield from _first_error(lambda: production.target_dates)


def _regions(production: Production) -> Iterator[str]:
    settings = production.config["regions"]
    if not settings:
        return
    if not os.path.exists(settings["path"]):
        yield f"regions.path: no file {settings['path']}"
        return
    try:
        used = production.used_regions
    except Iota2Error as error:
        yield str(error)
        return
    if not used:
        yield f"{settings['path']}: no region touches a tile; check its coordinate reference system"


def _reference(production: Production) -> Iterator[str]:
    settings = production.config["reference"]
    path, field = settings["path"], settings["field"]
    if not os.path.exists(path):
        yield f"reference.path: no file {path}"
        return
    header = layer_fields(path, settings["layer"])
    if header["crs"] is None:
        yield f"{path}: has no coordinate reference system; assign it (ogr2ogr -a_srs)"
    if "Polygon" not in str(header["geometry_type"]) and header["geometry_type"] not in (
        None,
        "Unknown",
    ):
        yield f"{path}: holds {header['geometry_type']}, polygons are needed"
    if field not in header["fields"]:
        yield f"{path}: no field {field!r} (reference.field), found {', '.join(header['fields'])}"
        return
    values = read_layer(path, settings["layer"], columns=[field], read_geometry=False)[
        field
    ].unique()
    unknown = [value for value in values if production.nomenclature.code_of(value) is None]
    if unknown:
        yield unknown_classes(path, field, unknown)


def _nomenclature(production: Production) -> Iterator[str]:
    yield from _first_error(lambda: production.nomenclature)


def _splits(production: Production) -> Iterator[str]:
    path = production.config["reference"]["splits"]
    if path and not os.path.exists(path):
        yield f"reference.splits: no file {path}"


def _features(production: Production) -> Iterator[str]:
    for sensor in production.sensors:
        expressions = production.config["sensors"][sensor]["additional_features"]
        for name, text in expressions.items():
            for problem in _first_error(parse_expression, text, FORMATS[sensor].bands):
                yield f"sensors.{sensor}.additional_features.{name}: {problem}"


def _learner(production: Production) -> Iterator[str]:
    from iota2_tools.learning.engines import check_learner

    settings = production.config["learning"]
    yield from _first_error(check_learner, settings["learner"], settings["parameters"])
