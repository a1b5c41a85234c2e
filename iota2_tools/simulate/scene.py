"""A whole scene in a folder: tiles, reference and truth, in any number of processes."""

import json
import logging
import multiprocessing
import shutil
from collections.abc import Callable
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
    plan_products,
    write_product,
    write_truth,
)
from iota2_tools.simulate.reference import write_reference
from iota2_tools.simulate.settings import SceneSettings, acquisitions, tile_window

LOGGER = logging.getLogger(__name__)

ALGORITHM = 1
BLOCK_ROWS = 512
FINISHED = "scene.json"
UNFINISHED = ".scene_in_progress.json"
WORK = ".work"

Task = tuple[Callable, tuple]


def simulate_scene(
    settings: SceneSettings, out: str | Path, *, jobs: int = 1, block_rows: int = BLOCK_ROWS
) -> Path:
    """Write a year of Sentinel-2 of some tiles, with reference and truth.

    The bytes of every file depend on `settings` alone. A finished scene of the same settings is
    left as it is; an unfinished one is taken up where it stopped.

    Parameters
    ----------
    settings : SceneSettings
        What to simulate.
    out : str or Path
        Folder to fill: new, empty, or holding the same scene.
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
        If `out` holds anything else, or `jobs` or `block_rows` cannot be used.
    """
    out = Path(out)
    _check_machine(jobs, block_rows)
    if _is_finished(settings, out):
        (out / UNFINISHED).unlink(missing_ok=True)
        LOGGER.info("%s: this scene is there already", out)
        return out
    LOGGER.info(
        "%s: %d tile(s) of %d px, %d dates, seed %d, %d process(es)",
        out, len(settings.tiles), settings.size, settings.dates, settings.seed, jobs,
    )  # fmt: skip
    _make_folder(out)
    _write_json(out / UNFINISHED, _description(settings))
    _compile()
    _run(_land_tasks(settings, out, block_rows), jobs)
    tasks, products = _writing_tasks(settings, out, block_rows)
    _run(tasks, jobs)
    shutil.rmtree(out / WORK)
    _write_json(out / FINISHED, {**_description(settings), "products": products})
    (out / UNFINISHED).unlink()
    return out


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


def _is_finished(settings: SceneSettings, out: Path) -> bool:
    """Whether `out` holds this scene whole; refuse a folder that holds something else."""
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file; give the name of a folder")
    if not out.is_dir() or not any(out.iterdir()):
        return False
    for name in (FINISHED, UNFINISHED):
        if (out / name).is_file():
            _check_same_scene(settings, out, out / name)
            return name == FINISHED
    raise ConfigError(
        f"{out} is not empty and holds no simulated scene; nothing was touched: "
        "give another folder, or empty this one"
    )


def _check_same_scene(settings: SceneSettings, out: Path, path: Path) -> None:
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


def _compile() -> None:
    """Let numba compile (or load) everything before processes are forked."""
    settings = SceneSettings(size=64)
    corner = tile_window(settings, settings.tiles[0])
    land = describe_land(settings, Window(corner.row, corner.col, 8, 8))
    take_image(settings, land, parcel_traits(land), acquisitions(settings)[0])


def _land_tasks(settings: SceneSettings, out: Path, block_rows: int) -> list[Task]:
    """The land of all tiles, block by block, kept in a folder that is new."""
    shutil.rmtree(out / WORK, ignore_errors=True)
    return [
        (keep_land, (settings, window, land_file(out / WORK, tile, block)))
        for tile in settings.tiles
        for block, window in enumerate(blocks_of(settings, tile, block_rows))
    ]


def _writing_tasks(
    settings: SceneSettings, out: Path, block_rows: int
) -> tuple[list[Task], dict[str, list[str]]]:
    """What is left to write, the longest first, and the names of all products by tile."""
    for name in ("reference", "truth"):
        shutil.rmtree(out / name, ignore_errors=True)
    tasks: list[Task] = [(write_reference, (settings, out / "reference"))]
    names = {}
    for tile in settings.tiles:
        count = len(blocks_of(settings, tile, block_rows))
        lands = [land_file(out / WORK, tile, block) for block in range(count)]
        tasks.append((write_truth, (settings, tile, lands, out / "truth" / f"{tile}_class.tif")))
        folder = out / "sentinel2" / tile
        products = plan_products(settings, tile)
        names[tile] = [product.name for product in products]
        missing = [product for product in products if not (folder / product.name).is_dir()]
        tasks += [(write_product, (settings, product, lands, folder)) for product in missing]
        LOGGER.info(
            "%s: %d products, %d of them there already",
            tile,
            len(products),
            len(products) - len(missing),
        )
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
