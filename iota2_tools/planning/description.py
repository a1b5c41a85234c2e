"""What final maps and documents tell of a production: tags, title, inputs."""

import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iota2_tools.config.paths import paths_of, written_paths
from iota2_tools.features.user_modules import sources_of
from iota2_tools.learning.places import files_of_models
from iota2_tools.timeseries.batches import record_of

if TYPE_CHECKING:
    from iota2_tools.planning.parameters import Parameters


def provenance_of(parameters: "Parameters") -> Mapping[str, str]:
    """Tags of the final maps: what made them, and of what."""
    plan = parameters.production
    dates = plan.target_dates
    functions = [
        f"{os.path.basename(item['module'])}:{item['function']}:{item['contents'][:8]}"
        for item in parameters.external
    ]
    return {
        "SOFTWARE": f"iota2-tools {version('iota2-tools')}",
        "CONFIG_SHA256": parameters.config.digest,
        "TILES": " ".join(plan.tiles),
        "SENSORS": " ".join(plan.sensors) or "user features",
        "DATES": " ".join(f"{name}:{days[0]}/{days[-1]}" for name, days in dates.items()),
        **({"EXTERNAL_FEATURES": " ".join(functions)} if functions else {}),
        "LEARNER": parameters.config.learning.learner,
        "NOMENCLATURE": os.path.basename(parameters.config.nomenclature),
        **_tag_of_reference(parameters),
    }


def _tag_of_reference(parameters: "Parameters") -> dict[str, str]:
    reference = parameters.config.reference
    return {"REFERENCE": os.path.basename(reference.path)} if reference else {}


def about_of(parameters: "Parameters") -> dict[str, Any]:
    """What the documents of a production tell of it (`publishing.about.About`)."""
    plan, config = parameters.production, parameters.config
    days = [day for dates in plan.target_dates.values() for day in dates]
    dates = [min(days), max(days)] if days else None
    given = config.publication.as_dict() if config.publication else {}
    return {
        "title": given.get("title") or f"Land cover{_years(dates)}",
        "configuration": _as_read(parameters),
        "written": written_paths(config.as_written, config),
        "output": config.output,
        "digest": config.digest,
        "seeds": list(plan.seeds),
        "tiles": {tile: grid.as_dict() for tile, grid in plan.grids.items()},
        "dates": dates,
        "sensors": plan.sensors,
        "records": _records(parameters),
        "files": user_files(parameters),
        "prepared": plan.prepared,
        "publication": given,
    }


def _as_read(parameters: "Parameters") -> dict[str, Any]:
    """The configuration; of a sensor in season it ends with the last acquisition that was read.

    So what is made of it again is the same when more acquisitions have come.
    """
    plain = parameters.config.as_written.as_dict()
    for series in parameters.production.series.values():
        sensor = plain["sensors"][series.sensor]
        if sensor["in_season"]:
            sensor["last_date"] = parameters.production.last_day(series.sensor).isoformat()
    return plain


def _records(parameters: "Parameters") -> list[str]:
    """What jobs keep of the files of the user that they read."""
    of_tiles = [
        f"{parameters.config.output}/tiles/{tile}/inventory.record"
        for tile in parameters.config.tiles
    ]
    of_batches = [
        record_of(batch, Path(marker).name[:6], str(Path(marker).parent))
        for tile in parameters.config.tiles
        for marker, batch in parameters.batches(tile).items()
    ]
    return of_tiles + of_batches


def user_files(parameters: "Parameters") -> list[str]:
    """Other files that the configuration names, and what modules of the user import beside them."""
    folders = [item.path for item in parameters.config.sensors.given.values()]
    named = [path for path in paths_of(parameters.config) if path not in folders]
    imported = [
        os.path.join(os.path.dirname(section.module), os.path.relpath(file, folder))
        for section in parameters.config.external_features
        for folder in [os.path.dirname(os.path.abspath(section.module))]
        for file in sources_of(section.module)
    ]
    every = [*named, *imported, *_borrowed_files(parameters)]
    return [path for path in dict.fromkeys(every) if not os.path.isdir(path)]


def _borrowed_files(parameters: "Parameters") -> list[str]:
    """Files of other productions that decide the maps of this one."""
    output, plan = parameters.config.learning.models, parameters.production
    models = files_of_models(output, plan.used_regions, plan.seeds) if output else []
    return models + [file for source in parameters.sources for file in source.files]


def _years(dates: list[str] | None) -> str:
    """Year of some dates, or first and last year, after a space.

    >>> _years(["2017-12-01", "2018-11-30"])
    ' 2017-2018'
    """
    if not dates:
        return ""
    first, last = (day[:4] for day in dates)
    return f" {first}" if first == last else f" {first}-{last}"
