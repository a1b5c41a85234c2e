"""The machine of a production: memory, room, temporary files, processors that may be used."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from iota2_tools.core.findings import Finding
from iota2_tools.core.platform import (
    SHARED_MEMORY,
    allowed_cores,
    allowed_memory_mb,
    semaphores_work,
    usable_cores,
)
from iota2_tools.planning.needs import NEEDS, resources
from iota2_tools.planning.parameters import Parameters

OF_TILES = ("mask_series", "count_valid_dates", "burn_polygons", "extract_samples", "classify_tile")
OF_MAPS = ("mosaic_classes", "mosaic_confidence", "mosaic_differences")
"""Rules whose products take room, and whose jobs take memory."""


def machine_findings(parameters: Parameters) -> Iterator[Finding]:
    """What the machine lacks for a production; on a cluster its nodes count, so nothing stops."""
    yield from _temporary_files()
    yield from _cores()
    yield from _memory(parameters)
    yield from _room(parameters)


def _temporary_files() -> Iterator[Finding]:
    given = os.environ.get("TMPDIR")
    if given and not (os.path.isdir(given) and os.access(given, os.W_OK | os.X_OK)):
        yield Finding(
            "TMPDIR", "", f"{given} is no folder that can be written to",
            "make it, or unset the variable; another folder is taken meanwhile", "warning",
        )  # fmt: skip
    if not semaphores_work():
        yield Finding(
            SHARED_MEMORY, "", "cannot be written to, so that processes share no memory",
            "mount it (docker run --shm-size=1g); the chain itself does without", "warning",
        )  # fmt: skip


def _cores() -> Iterator[Finding]:
    allowed, usable = allowed_cores(), usable_cores()
    if allowed and allowed < usable:
        yield Finding(
            "cgroup", "", f"{usable} processors are counted and {allowed:g} may be used",
            f"start with --cores {max(int(allowed), 1)}: more jobs at once would only wait", "warning",
        )  # fmt: skip


def _memory(parameters: Parameters) -> Iterator[Finding]:
    """Jobs that ask for more memory than there is; a model's need is known with its samples only."""
    there = allowed_memory_mb()
    asked = {
        (rule, tile): resources(rule, parameters.job_size(tile, []))["mem_mb"]
        for tile in parameters.production.tiles
        for rule in OF_TILES
    } | {(rule, None): resources(rule, parameters.job_size(None, []))["mem_mb"] for rule in OF_MAPS}
    (rule, tile), most = max(asked.items(), key=lambda item: item[1])
    if there and most > there:
        yield Finding(
            "memory", f"{rule} {tile or ''}".strip(),
            f"asks for {most} MB, this machine allows {there} MB",
            "lower classification.window_mb, or run it where there is more (docs/clusters.md)", "warning",
        )  # fmt: skip


def _room(parameters: Parameters) -> Iterator[Finding]:
    """Less room on the disk than all products are estimated to take."""
    folder = Path(os.path.abspath(parameters.config.output))
    while not folder.exists():
        folder = folder.parent
    needed, free = disk_mb(parameters), shutil.disk_usage(folder).free / 1e6
    if needed > free:  # what stands there already is looked at only now: there may be many files
        needed -= _megabytes(Path(parameters.config.output))
    if needed > free:
        yield Finding(
            "", "output",
            f"the products take some {max(needed / 1000, 0.01):.3g} GB, and {free / 1000:.3g} GB are free on the "
            f"disk of {folder}",
            "make room, or name another folder", "warning",
        )  # fmt: skip


def disk_mb(parameters: Parameters) -> float:
    """Room that the products of a production take, MB, by the estimates that its jobs ask for."""
    plan = parameters.production
    total = 0.0
    for tile in plan.tiles:
        size = parameters.job_size(tile, [])
        regions = len(plan.regions_of_tiles[tile])
        total += NEEDS["mask_series"](size).disk + NEEDS["count_valid_dates"](size).disk
        total += NEEDS["classify_tile"](size).disk * min(regions, 1)
        total += NEEDS["prepare_batch"](size).disk * _months_to_prepare(parameters, tile)
    whole = parameters.job_size(None, [])
    return total + sum(NEEDS[rule](whole).disk for rule in OF_MAPS) * len(plan.seeds)


def _months_to_prepare(parameters: Parameters, tile: str) -> int:
    """Months of the sensors of a tile whose products are prepared: one job each."""
    plan = parameters.production
    months = set()
    for name in plan.series_of_tile(tile):
        ready = set(plan.ready(name, tile))
        sensor = plan.series[name].sensor
        months |= {
            (sensor, f"{item.day:%Y%m}") for item in plan.products(name, tile) if item.name in ready
        }
    return len(months)


def _megabytes(folder: Path) -> float:
    """What stands in a folder; a run may take files away meanwhile."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.stat(os.path.join(place, name)).st_size
    return total / 1e6
