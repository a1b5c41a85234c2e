"""A whole scene in a folder: tiles, reference and truth, in any number of processes."""

import json
import logging
import multiprocessing
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from iota2_tools.core.errors import ConfigError, OutputError
from iota2_tools.core.files import whole_file
from iota2_tools.core.platform import die_with_parent, semaphores_work
from iota2_tools.geo.grid import Window
from iota2_tools.simulate.imaging import take_image
from iota2_tools.simulate.landscape import describe_land
from iota2_tools.simulate.phenology import parcel_traits
from iota2_tools.simulate.products import (
    blocks_of,
    keep_land,
    land_file,
    write_truth,
)
from iota2_tools.simulate.reference import DEPARTMENTS, write_departments, write_reference
from iota2_tools.simulate.sensors import SENTINEL2, Sensor, chosen_sensors
from iota2_tools.simulate.settings import SceneSettings, acquisitions, tile_window

LOGGER = logging.getLogger(__name__)

ALGORITHM = 1
BLOCK_ROWS = 512
FINISHED = "scene.json"
UNFINISHED = ".scene_in_progress.json"
WORK = ".work"

Task = tuple[Callable, tuple]


def simulate_scene(
    settings: SceneSettings,
    out: str | Path,
    *,
    sensors: Iterable[str] = (SENTINEL2,),
    jobs: int = 1,
    block_rows: int = BLOCK_ROWS,
) -> Path:
    """Write a year of some tiles as some sensors see it, with reference and truth.

    The bytes of every file depend on `settings` alone. A finished scene of the same settings is
    left as it is, or given the sensors that it lacks; an unfinished one is taken up where it
    stopped.

    Parameters
    ----------
    settings : SceneSettings
        What to simulate.
    out : str or Path
        Folder to fill: new, empty, or holding the same scene.
    sensors : iterable of str
        Keys of `sensors.SENSORS`.
    jobs : int
        Processes.
    block_rows : int
        Rows computed at once, a multiple of 512; a process needs about 100 bytes for each of
        their pixels.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    ConfigError
        If `out` holds anything else, or `sensors`, `jobs` or `block_rows` cannot be used.
    """
    out = Path(out)
    _check_machine(jobs, block_rows)
    chosen = chosen_sensors(sensors)
    held = _held_sensors(settings, out)
    departments = out / "reference" / DEPARTMENTS
    if held is not None and not departments.exists():  # a scene from before there were any
        write_departments(settings, departments)
    if held is not None and chosen.keys() <= held:
        (out / UNFINISHED).unlink(missing_ok=True)
        LOGGER.info("%s: this scene is there already", out)
        return out
    LOGGER.info(
        "%s: %s, %d tile(s) of %d px, %d dates, seed %d, %d process(es)",
        out, " ".join(chosen), len(settings.tiles), settings.size, settings.dates, settings.seed,
        jobs,
    )  # fmt: skip
    _make_folder(out)
    _write_json(out / UNFINISHED, _description(settings))
    _compile(chosen)
    everything = chosen_sensors({*chosen, *(held or ())})
    _run(_land_tasks(settings, everything, out, block_rows), jobs)
    tasks = [] if held else _truth_tasks(settings, out, block_rows)
    products, names = _product_tasks(settings, everything, out, block_rows)
    _run([*tasks, *products], jobs)
    shutil.rmtree(out / WORK)
    _write_json(out / FINISHED, {**_description(settings), **_listed(names)})
    (out / UNFINISHED).unlink()
    return out


def _listed(names: dict[str, dict[str, list[str]]]) -> dict:
    """Names of the products by tile; those of sensors other than Sentinel-2 by sensor first."""
    others = {sensor: listed for sensor, listed in names.items() if sensor != SENTINEL2}
    return {"products": names.get(SENTINEL2, {})} | ({"sensors": others} if others else {})


def _check_machine(jobs: int, block_rows: int) -> None:
    if not isinstance(jobs, int) or jobs < 1:
        raise ConfigError(f"jobs: {jobs!r} is not a number of processes; give 1 or more")
    if not isinstance(block_rows, int) or block_rows < 512 or block_rows % 512:
        raise ConfigError(f"block_rows: {block_rows!r} is not a multiple of 512")


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{out}: cannot be made ({error.strerror}); give a folder where you may write"
        ) from None


def _held_sensors(settings: SceneSettings, out: Path) -> set[str] | None:
    """Sensors whose products `out` holds whole, None if it is new or unfinished.

    A folder that holds something else is refused.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file; give the name of a folder")
    if not out.is_dir() or not any(out.iterdir()):
        return None
    for name in (FINISHED, UNFINISHED):
        if (out / name).is_file():
            found = _check_same_scene(settings, out, out / name)
            if name == UNFINISHED:
                return None
            sentinel2 = {SENTINEL2} if found.get("products") else set()
            return sentinel2 | found.get("sensors", {}).keys()
    raise ConfigError(
        f"{out} is not empty and holds no simulated scene; nothing was touched: "
        "give another folder, or empty this one"
    )


def _check_same_scene(settings: SceneSettings, out: Path, path: Path) -> dict:
    """What the file says of its scene, if that is this scene."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        held = {"algorithm": found["algorithm"], **found["settings"]}
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path} cannot be understood ({error!r}); empty {out} and run again"
        ) from None
    wanted = {"algorithm": ALGORITHM, **settings.as_dict()}
    differing = [key for key in wanted if held.get(key) != wanted[key]]
    if differing:
        key = differing[0]
        raise ConfigError(
            f"{out} holds another scene: {key} is {held.get(key)!r} there and {wanted[key]!r} "
            "here; nothing was touched: give another folder, or delete this one"
        )
    return found


def _description(settings: SceneSettings) -> dict:
    """Settings and versions."""
    versions: dict[str, str | None] = {}
    for package in ("iota2-tools", "numpy", "numba", "gdal"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {"algorithm": ALGORITHM, "settings": settings.as_dict(), "versions": versions}


def _write_json(path: Path, content: dict) -> None:
    with whole_file(str(path)) as temporary:
        Path(temporary).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _compile(sensors: dict[str, Sensor]) -> None:
    """Let numba compile (or load) everything before processes are forked."""
    settings = SceneSettings(size=64)
    corner = tile_window(settings, settings.tiles[0])
    land = describe_land(settings, Window(corner.row, corner.col, 8, 8))
    take_image(settings, land, parcel_traits(land), acquisitions(settings)[0])
    for sensor in sensors.values():
        if sensor.observe is not None:
            place = sensor.places(settings)[0]
            sensor.observe(settings, sensor.plan(settings, place)[0])


def _land_tasks(
    settings: SceneSettings, sensors: dict[str, Sensor], out: Path, block_rows: int
) -> list[Task]:
    """The land of all places, block by block, kept in a folder that is new."""
    shutil.rmtree(out / WORK, ignore_errors=True)
    windows = [tile_window(settings, tile) for tile in settings.tiles]
    for sensor in sensors.values():
        windows += [sensor.window(settings, place) for place in sensor.places(settings)]
    return [
        (keep_land, (settings, block, land_file(out / WORK, window, number)))
        for window in dict.fromkeys(windows)
        for number, block in enumerate(blocks_of(window, block_rows))
    ]


def _lands(out: Path, window: Window, block_rows: int) -> list[Path]:
    """Files of the land of a window."""
    count = len(blocks_of(window, block_rows))
    return [land_file(out / WORK, window, number) for number in range(count)]


def _truth_tasks(settings: SceneSettings, out: Path, block_rows: int) -> list[Task]:
    """Reference and true classes, the longest first."""
    for name in ("reference", "truth"):
        shutil.rmtree(out / name, ignore_errors=True)
    tasks: list[Task] = [(write_reference, (settings, out / "reference"))]
    for tile in settings.tiles:
        lands = _lands(out, tile_window(settings, tile), block_rows)
        tasks.append((write_truth, (settings, tile, lands, out / "truth" / f"{tile}_class.tif")))
    return tasks


def _product_tasks(
    settings: SceneSettings, sensors: dict[str, Sensor], out: Path, block_rows: int
) -> tuple[list[Task], dict[str, dict[str, list[str]]]]:
    """Products left to write, and names of all products by sensor and place."""
    tasks: list[Task] = []
    names: dict[str, dict[str, list[str]]] = {}
    for key, sensor in sensors.items():
        names[key] = {}
        for place in sensor.places(settings):
            lands = _lands(out, sensor.window(settings, place), block_rows)
            folder = out / sensor.folder / place
            products = sensor.plan(settings, place)
            names[key][place] = [product.name for product in products]
            missing = [product for product in products if not (folder / product.name).exists()]
            tasks += [(sensor.write, (settings, product, lands, folder)) for product in missing]
            LOGGER.info(
                "%s %s: %d products, %d of them there already",
                sensor.folder, place, len(products), len(products) - len(missing),
            )  # fmt: skip
    return tasks, names


def _run(tasks: list[Task], jobs: int) -> None:
    """Do all tasks, the first failure ending the others."""
    if jobs > 1 and not semaphores_work():
        LOGGER.info("no semaphores here (is /dev/shm closed?): one process does all")
        jobs = 1
    if jobs == 1:
        for function, arguments in tasks:
            function(*arguments)
        return
    context = multiprocessing.get_context("fork")
    # An orphan would write beside the run that takes the scene up again.
    with ProcessPoolExecutor(jobs, context, die_with_parent) as pool:
        futures = [pool.submit(function, *arguments) for function, arguments in tasks]
        try:
            for future in as_completed(futures):
                future.result()
        except BrokenProcessPool:
            raise OutputError(
                "a process was ended from outside, often for lack of memory; run again with "
                "fewer jobs: what is finished is kept"
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
