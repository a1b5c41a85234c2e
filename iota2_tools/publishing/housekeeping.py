"""What takes the space in a production, what may go, and a copy of what must stay."""

import csv
import os
import re
import shutil
import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from iota2_tools.core.errors import ConfigError, InputDataError, OutputError
from iota2_tools.core.files import whole_folder
from iota2_tools.core.words import suggest
from iota2_tools.planning.ownership import Owner
from iota2_tools.planning.whereabouts import owner_of
from iota2_tools.publishing.lock import Lock, lock_in, read_lock
from iota2_tools.publishing.verification import MADE, verify


@dataclass(frozen=True)
class Group:
    """Files of a production that stand or go together.

    Parameters
    ----------
    name : str
        As users say it.
    about : str
        What they are.
    pattern : str
        Regular expression of their paths in the output folder: what a production makes, and nothing else.
    rules : tuple of str
        Rules that make them.
    """

    name: str
    about: str
    pattern: str
    rules: tuple[str, ...]

    def holds(self, path: str) -> bool:
        """Whether a path in the output folder is one of them."""
        return re.fullmatch(self.pattern, path) is not None


_TIF = r"[^/]+\.tif(\.aux\.xml)?"
_MARK = r"\.snakemake_timestamp"
GROUPS = (
    Group("final", "the maps, their scores, what tells of them",
          rf"final/((?:{MADE.pattern}).*|report/.*|production\.(lock|qgz)|ro-crate-metadata\.json|report\.html)",
          ("mosaic_classes", "mosaic_raw_classes", "mosaic_confidence", "mosaic_choice", "mosaic_validity",
           "mosaic_differences", "mosaic_probabilities", "mosaic_features", "mosaic_regularised",
           "mosaic_regularised_differences", "mosaic_fusion", "mosaic_fused_confidence",
           "mosaic_fused_differences", "mosaic_fused_probabilities", "preview_map", "preview_regularised",
           "preview_fusion", "sum_confusions", "sum_raw_confusions", "sum_regularised_confusions", "sum_fusion",
           "sum_regularised_fusion", "mosaic_regularised_fused_differences", "measure_regularised_fused_areas",
           "report_regularised_fusion",
           "measure_areas", "measure_regularised_areas", "measure_fused_areas", "report_accuracy", "report_areas",
           "report_regularised_accuracy", "report_fusion", "draw_histograms", "write_polygons", "deliver_unit",
           "sum_units", "describe_production", "mosaic_sets", "list_suspicious_polygons", "cut_map", "write_report")),
    Group("models", "what was learnt, and what models say of polygons they have not learnt",
          rf"models/region_[^/]+/([^/]+\.(json|skops|npz|csv|otb|xml)|{_MARK})|"
          rf"folds/region_[^/]+/([^/]+\.(parquet|csv)|{_MARK})",
          ("train_model", "train_source", "learn_folds", "learn_folds_of_source")),
    Group("samples", "polygons, their splits, pixels chosen and their features",
          r"sampling/(polygons\.gpkg|rates/region_[^/]+\.csv)|"
          r"tiles/[^/]+/(selection\.parquet|samples\.parquet|polygons\.tif|polygon_statistics\.csv)|"
          r"report/(samples\.csv|profiles\.parquet)",
          ("split_polygons", "burn_polygons", "count_polygon_pixels", "share_samples", "select_samples",
           "extract_samples", "describe_samples")),
    Group("records", "what the plan keeps of the inputs: small, never removed",
          r"tiles/[^/]+/inventory\.(json|record)|prepared/.*\.record|(delivery_units|external_features|input_checksums)\.json|"
          r"reproduce\.yaml|production\.yaml|locks/[^/]+\.lock",
          ("take_inventory",)),
    Group("masks", "clear pixels, validity and regions of the tiles",
          r"tiles/[^/]+/([a-z0-9_]+_(clear|footprint)|validity|validity_mapped|footprint|regions)\.tif",
          ("mask_series", "count_valid_dates", "draw_regions", "clip_validity")),
    Group("prepared", "decoded images, archives and radar",
          rf"prepared/[^/]+/[^/]+/([^/]+/({_TIF}|prepared\.json)|\d{{6}}-[0-9a-f]+\.json)", ("prepare_batch",)),
    Group("features", "feature stacks", rf"(features|feature_maps)/{_TIF}",
          ("write_features", "write_chosen_features")),
    Group("classification", "maps of each tile, as classified, smoothed and fused",
          rf"(classification/[^/]+/region_[^/]+|smoothing/[^/]+|fusion/[^/]+)/{_TIF}",
          ("classify_tile", "smooth_tile", "fuse_seeds")),
    Group("validation", "maps of each tile against the reference", rf"validation/[^/]+/({_TIF}|[^/]+\.csv)",
          ("compare_tile", "compare_raw_tile", "compare_regularised_tile", "compare_fusion",
           "compare_regularised_fusion", "count_values", "compare_regions")),
    Group("regularisation", "blocks of the regularised maps",
          rf"regularisation/[^/]+/((\d+_\d+/)?({_TIF}|{_MARK})|seams\.json)",
          ("regularise_blocks", "compare_seams")),
    Group("vectors", "polygons, square by square",
          r"vectors/(components\.npz|(trace|joined|arcs|polygons|measures|units)/"
          rf"(r\d+c\d+/)?([^/]+\.(npz|parquet|json)|{_MARK}))",
          ("trace_squares", "join_squares", "shape_squares", "shape_border", "measure_squares", "measure_border")),
    Group("logs", "what the jobs said", r"logs/(.*\.log|run\.jsonl)", ()),
    Group("benchmarks", "time and memory of the jobs", r"benchmarks/(.*\.tsv|works\.json)", ()),
)  # fmt: skip
ALWAYS_KEPT = ("records",)
OTHERS = "others"
ARCHIVED = ("final", "models", "samples", "records", "benchmarks")


@dataclass(frozen=True)
class Usage:
    """What a group takes.

    Parameters
    ----------
    files, size : int
        How many, and bytes on the disk.
    cpu_hours : float, optional
        What its rules took, by their benchmarks; None where nothing is known.
    """

    group: str
    about: str
    files: int
    size: int
    cpu_hours: float | None


def group_of(path: str) -> str:
    """Group of a path in the output folder; `others` for what no production makes."""
    return next((group.name for group in GROUPS if group.holds(path)), OTHERS)


def files_of(output: str | Path) -> Iterator[tuple[str, os.stat_result]]:
    """Files of a production by their path in its folder, and what the system says of them.

    What Snakemake keeps for itself (`.snakemake`), and links, are left out; so is what a job takes away meanwhile.
    """
    for place, folders, names in os.walk(output):
        folders[:] = [name for name in folders if name != ".snakemake"]
        for name in names:
            path = Path(place, name)
            with suppress(FileNotFoundError):
                about = path.lstat()
                if not stat.S_ISLNK(about.st_mode):
                    yield path.relative_to(output).as_posix(), about


def usage(output: str | Path) -> list[Usage]:
    """What each group of a production takes, the largest first.

    Raises
    ------
    InputDataError
        If the folder holds no production.
    """
    check_production(output)
    found: dict[str, tuple[int, int]] = {}
    for path, about in files_of(output):
        files, size = found.get(group_of(path), (0, 0))
        found[group_of(path)] = (files + 1, size + about.st_blocks * 512)
    told = {group.name: group for group in GROUPS}
    rows = [
        Usage(
            name,
            told[name].about if name in told else "not of this production",
            files,
            size,
            _cpu_hours(output, told[name].rules) if name in told else None,
        )
        for name, (files, size) in found.items()
    ]
    return sorted(rows, key=lambda row: -row.size)


def check_production(output: str | Path) -> None:
    """Raise InputDataError if a folder holds no production."""
    folder = Path(output)
    marks = ["final/production.lock", "sampling/polygons.gpkg", "tiles/*/inventory.json"]
    if not any(next(folder.glob(mark), None) for mark in marks):
        raise InputDataError(f"{folder}: holds no production; name the `output` folder of one")


def _cpu_hours(output: str | Path, rules: Sequence[str]) -> float | None:
    """CPU time that the jobs of some rules took, hours; None where no benchmark tells."""
    seconds = [
        time
        for rule in rules
        for path in [
            *Path(output, "benchmarks").glob(f"{rule}.tsv"),
            *Path(output, "benchmarks", rule).rglob("*.tsv"),
        ]
        if (time := _cpu_seconds(path)) is not None
    ]
    return sum(seconds) / 3600 if seconds else None


def _cpu_seconds(path: Path) -> float | None:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            row = next(csv.DictReader(file, delimiter="\t"))
        return float(row["cpu_time"])
    except (OSError, StopIteration, KeyError, ValueError, TypeError):
        return None


def kept_groups(words: str) -> set[str]:
    """Groups to keep, from what was typed: names with commas between them.

    Raises
    ------
    ConfigError
        If one is unknown.

    >>> sorted(kept_groups("final,models"))
    ['final', 'models', 'records']
    """
    names = [group.name for group in GROUPS]
    given = [word.strip() for word in words.split(",") if word.strip()]
    for word in given:
        if word not in names:
            hint = suggest(word, names, f"they are {', '.join(names)}")
            raise ConfigError(f"--keep {word}: no such group, {hint}")
    return {*given, *ALWAYS_KEPT}


def to_remove(output: str | Path, keep: Collection[str]) -> list[str]:
    """Files that a production has made and that are not to be kept, by path in its folder.

    Raises
    ------
    InputDataError
        If the folder holds no production, or one that is at work.
    """
    check_production(output)
    _check_at_rest(output)
    return sorted(
        path
        for path, _ in files_of(output)
        if (group := group_of(path)) != OTHERS and group not in keep
    )


def _check_at_rest(output: str | Path) -> None:
    """Raise InputDataError if somebody makes the production, or Snakemake was killed in its folder."""
    owner = Owner.read(owner_of(output))
    if owner and owner.runs is not False:
        raise InputDataError(
            f"{output}: is being made by {owner}; wait for its end, or if it has ended: "
            "`iota2 run CONFIG --unlock`"
        )
    for place in (Path(output), Path.cwd()):
        if any(Path(place, ".snakemake", "locks").glob("*")):
            raise InputDataError(
                f"{place}: Snakemake is at work here, or was killed; wait for its end, or unlock it "
                "(`snakemake --unlock`)"
            )


def remove(output: str | Path, paths: Sequence[str]) -> None:
    """Remove files of a production, and the folders that are empty then.

    Raises
    ------
    OutputError
        If one may not be removed; those before it are gone.
    """
    folders: set[Path] = set()
    try:
        for path in paths:
            Path(output, path).unlink(missing_ok=True)
            folders.update(Path(path).parents)
        for folder in sorted(folders, key=lambda item: -len(item.parts)):
            place = Path(output, folder)
            if folder.parts and place.is_dir() and not any(place.iterdir()):
                place.rmdir()
    except OSError as error:
        raise OutputError(
            f"{error.filename or output}: cannot be removed ({error.strerror}); check the permissions of its "
            "folder, then clean again"
        ) from None


def archive(output: str | Path, target: str | Path) -> list[str]:
    """Copy what must outlive a production into a folder that stands alone.

    Final products, models, samples, records, benchmarks, the lock, and the complete configuration
    as `production.yaml`.

    Parameters
    ----------
    output : str or Path
        Folder of a finished production.
    target : str or Path
        Folder to make; it appears only once all is copied.

    Returns
    -------
    list of str
        Files that were copied.

    Raises
    ------
    InputDataError
        If the production is not what its lock says, lacks models or samples, or is being made: its
        models may be newer than its maps.
    ConfigError
        If the target is there already.
    """
    lock_file = lock_in(output)
    lock = read_lock(lock_file)
    folder = lock_file.parent.parent
    if Path(target).exists() and not Path(target).is_dir():
        raise ConfigError(f"{target}: is a file; name a new folder")
    if Path(target).exists() and any(Path(target).iterdir()):
        raise ConfigError(f"{target}: is not empty; name a new folder")
    if Path(target).resolve().is_relative_to(folder.resolve()):
        raise ConfigError(f"{target}: lies in {folder} itself; name a folder that is beside it")
    _check_at_rest(folder)
    _check_complete(lock, folder)
    _check_no_link(folder)
    wanted = [path for path, _ in files_of(folder) if group_of(path) in ARCHIVED]
    with whole_folder(str(target)) as temporary:
        for path in wanted:
            place = Path(temporary, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(folder / path, place)
        text = yaml.safe_dump(lock.configuration, sort_keys=False, allow_unicode=True)
        Path(temporary, "production.yaml").write_text(text, encoding="utf-8")
        _check_verified(lock, Path(temporary, "final"))
    return sorted(wanted)


def _check_no_link(folder: Path) -> None:
    """Raise InputDataError if something that an archive holds is a link: it would not stand alone."""
    for place, folders, names in os.walk(folder):
        for path in (Path(place, name) for name in (*folders, *names)):
            inside = path.relative_to(folder).as_posix()
            # A folder is of a group if all that may lie in it is.
            if path.is_symlink() and {group_of(inside), *_groups_below(path, inside)} & set(
                ARCHIVED
            ):
                raise InputDataError(
                    f"{path}: is a link, and an archive copies none; put what it leads to in its place"
                )


def _groups_below(link: Path, inside: str) -> Iterator[str]:
    """Groups of the files that a link to a folder leads to, by the path that they have through it."""
    for place, _, names in os.walk(link):
        below = Path(inside, Path(place).relative_to(link))
        yield from (group_of((below / name).as_posix()) for name in names)


def _check_complete(lock: Lock, folder: Path) -> None:
    """Raise InputDataError if a production cannot be archived whole."""
    learning = lock.configuration.get("learning", {})
    if not learning.get("models"):  # else it has learnt nothing itself
        others = learning.get("samples") and not learning.get("own_weight")
        _check_learnt(lock, folder, own_samples=bool(others))
    _check_verified(lock, folder / "final")


def _check_learnt(lock: Lock, folder: Path, *, own_samples: bool) -> None:
    """Raise InputDataError if models, or the samples they have learnt, are missing."""
    models = list((folder / "models").glob("region_*_seed_*"))
    for seed in lock.seeds:
        if not any(re.search(rf"_seed_{seed}(_|$)", item.name) for item in models):
            raise InputDataError(
                f"{folder}: has no model of draw {seed} in models/; make it again (`snakemake learning`)"
            )
    for item in models:
        if not (item / "model.json").is_file():
            raise InputDataError(
                f"{item}: has no model.json; make the model again (`snakemake {item}`)"
            )
    if not own_samples and not any((folder / "tiles").glob("*/samples.parquet")):
        raise InputDataError(
            f"{folder}: has no tiles/*/samples.parquet; make them again (`snakemake sampling`)"
        )


def _check_verified(lock: Lock, final: Path) -> None:
    wrong = [finding for finding in verify(lock, final) if finding.fatal]
    if wrong:
        first = wrong[0]
        raise InputDataError(
            f"{final}: {len(wrong)} file(s) are not as the lock says, {first.path} {first.what}; "
            "make them again (`snakemake`) before they are archived"
        )
