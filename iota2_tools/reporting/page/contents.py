"""What the report tells, gathered from the products of a production."""

import csv
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from iota2_tools.assessing.areas import ClassAreas, mean_areas, read_areas
from iota2_tools.assessing.clusters import accuracy_half_width, read_polygon_counts
from iota2_tools.assessing.confidence import read_curve_error
from iota2_tools.assessing.scores import (
    Estimate,
    first_confusions,
    mean_matrix,
    read_matrix_csv,
    scores,
    scores_over_seeds,
)
from iota2_tools.config.nomenclature import Nomenclature, read_nomenclature
from iota2_tools.core.contents import read_record
from iota2_tools.geo.raster import open_raster
from iota2_tools.learning.engines import describe
from iota2_tools.maps.preview import read_decimated
from iota2_tools.reporting.page import model
from iota2_tools.reporting.page.acquisitions import acquired, left_out
from iota2_tools.reporting.page.samples import FeatureName, read_profiles
from iota2_tools.reporting.page.tiles import read_layers
from iota2_tools.reporting.page.work import by_rule, finished_jobs, warnings_of
from iota2_tools.reporting.results import root_mean_square
from iota2_tools.timeseries.inventory import Inventory, read_inventory

SAMPLED = 1600
"""Pixels along a side of the largest tile of which the clear dates are counted, at most."""
PACKAGES = (
    "iota2-tools", "snakemake", "numpy", "numba", "pandas", "pyarrow", "scikit-learn", "scipy",
    "scikit-image", "shapely", "pyogrio", "pyproj", "matplotlib",
)  # fmt: skip


@dataclass(frozen=True)
class Sources:
    """Products that the report is made from; lists of draws are in the order of `seeds`.

    Parameters
    ----------
    seeds : sequence of int
        Draws.
    matrices, areas : sequence of str
        Confusion matrix and areas of each draw, CSV. No matrices: there is no reference.
    others : mapping of str to sequence of str
        Confusion matrices of other maps, by their kind (`model.MapAccuracy`): a draw each, or one. Empty: not made.
    by_tile : mapping of str to sequence of str
        Confusion matrices of each tile, draw by draw.
    by_region : mapping of str to sequence of str
        Tables of `assessing.comparison.write_regions` of each tile, draw by draw; empty where there
        is one region.
    by_polygon : sequence of sequence of str
        Pixels of each draw by polygon (`assessing.clusters`), of all tiles.
    reliability : sequence of str
        Tables ``bin,n,mean confidence,accuracy`` of each draw; may be empty.
    results : str
        RESULTS.txt.
    inventories : sequence of str
        Of all tiles.
    masks : mapping
        Clear-sky masks by tile and series.
    validity : mapping of str to str
        Clear dates of the mapped pixels, by tile.
    counts, profiles : str, optional
        Of `samples.write_description`; None where models learn a table of the user.
    models : sequence of str
        Folders of the models.
    tiles : str
        Folder of `tiles.write_tiles`.
    nomenclature : str
        Its path.
    """

    seeds: Sequence[int]
    matrices: Sequence[str]
    areas: Sequence[str]
    others: Mapping[str, Sequence[str]]
    by_tile: Mapping[str, Sequence[str]]
    by_region: Mapping[str, Sequence[str]]
    by_polygon: Sequence[Sequence[str]]
    reliability: Sequence[str]
    results: str
    inventories: Sequence[str]
    masks: Mapping[tuple[str, str], str]
    validity: Mapping[str, str]
    counts: str | None
    profiles: str | None
    models: Sequence[str]
    tiles: str
    nomenclature: str


@dataclass(frozen=True)
class About:
    """What is told of the production beside its products.

    Parameters
    ----------
    results : str
        Output folder.
    configuration : mapping
        All of it, defaults too.
    config_sha256 : str
        Digest of what decides the maps.
    contents : mapping of str to sequence of str
        Digests of the user's files, by what they are.
    command : str
        What makes the production again.
    days : mapping of str to str
        Day (ISO) of each ending that names of features tell a day by.
    own_rules : frozenset of str
        Rules of the report itself, whose jobs are left out.
    """

    results: str
    configuration: Mapping[str, Any]
    config_sha256: str
    contents: Mapping[str, Sequence[str]]
    command: str
    days: Mapping[str, str]
    own_rules: frozenset[str] = frozenset()


def gather(sources: Sources, about: About) -> model.Report:
    """All that the report tells."""
    nomenclature = read_nomenclature(sources.nomenclature)
    inventories = [read_inventory(path) for path in sources.inventories]
    return model.Report(
        production=_production(inventories, about),
        classes=[
            model.LegendEntry(
                code=item.code, name=item.name, colour=item.hex_colour, parent=item.parent
            )
            for item in nomenclature.classes
        ],
        accuracy=_accuracy(sources, nomenclature) if sources.matrices else None,
        areas=_areas(sources, nomenclature),
        maps=model.Maps(**read_layers(sources.tiles)),
        data=_data(sources, inventories, about),
        work=_work(inventories, about, sources.models),
    )


def known(value: float) -> float | None:
    """A number, or None where there is none (NaN)."""
    return None if math.isnan(value) else float(value)


def _production(inventories: Sequence[Inventory], about: About) -> model.Production:
    config = about.configuration
    days = [
        item.day
        for stock in inventories
        for items in stock.series.values()
        for item in items
        if item.counts
    ]
    sensors = list(config["sensors"]) + (["user features"] if config["user_features"] else [])
    return model.Production(
        output=config["output"],
        tiles=[stock.tile for stock in inventories],
        sensors=sensors,
        first_day=min(days, default=None),
        last_day=max(days, default=None),
        learner=config["learning"]["learner"],
        draws=config["sampling"]["runs"],
        config_sha256=about.config_sha256,
    )


def _score(value: Estimate) -> model.Score:
    return model.Score(mean=known(value.mean), half_width=known(value.half_width), draws=value.runs)


def _accuracy(sources: Sources, nomenclature: Nomenclature) -> model.Accuracy:
    matrices = {
        seed: read_matrix_csv(path)[0]
        for seed, path in zip(sources.seeds, sources.matrices, strict=True)
    }
    found, mean = scores_over_seeds(matrices), mean_matrix(matrices)
    classes = [
        model.ClassScores(
            code=code,
            precision=_score(found.precision[row]),
            recall=_score(found.recall[row]),
            f_score=_score(found.f_score[row]),
            confused=[(nomenclature.codes[col], share) for col, share in confused],
        )
        for row, (code, confused) in enumerate(
            zip(nomenclature.codes, first_confusions(mean), strict=True)
        )
    ]
    told = [("mean", mean), *((str(seed), matrix) for seed, matrix in matrices.items())]
    return model.Accuracy(
        overall_accuracy=_score(found.overall_accuracy),
        half_width_by_polygons=known(
            root_mean_square(
                [accuracy_half_width(read_polygon_counts(paths)) for paths in sources.by_polygon]
            )
        ),
        calibration_error=_mean([read_curve_error(path) for path in sources.reliability]),
        kappa=_score(found.kappa),
        classes=classes,
        matrices=[model.Matrix(name=name, pixels=matrix.tolist()) for name, matrix in told],
        other_maps=list(_other_maps(sources)),
        places=[*_tiles(sources), *_regions(sources, nomenclature)],
        reliability=list(_reliability(sources)),
        remarks=remarks_of(sources.results),
    )


def _other_maps(sources: Sources) -> Iterator[model.MapAccuracy]:
    for kind, paths in sources.others.items():
        matrices = {number: read_matrix_csv(path)[0] for number, path in enumerate(paths)}
        if matrices:
            found = scores_over_seeds(matrices)
            yield model.MapAccuracy(
                kind=kind,
                pixels=float(np.mean([matrix.sum() for matrix in matrices.values()])),
                overall_accuracy=_score(found.overall_accuracy),
                kappa=_score(found.kappa),
            )


def _place(kind: str, name: str, matrices: Sequence[np.ndarray]) -> model.PlaceAccuracy:
    """Scores of the matrices of a place, means over the draws that have a value."""
    every = [scores(matrix) for matrix in matrices]
    f_scores = [item.f_score[~np.isnan(item.f_score)] for item in every]
    return model.PlaceAccuracy(
        kind=kind,
        name=name,
        pixels=float(np.mean([matrix.sum() for matrix in matrices])),
        overall_accuracy=_mean([item.overall_accuracy for item in every]),
        f_score=_mean([float(values.mean()) for values in f_scores if values.size]),
    )


def _mean(values: Sequence[float]) -> float | None:
    have = [value for value in values if not math.isnan(value)]
    return float(np.mean(have)) if have else None


def _tiles(sources: Sources) -> Iterator[model.PlaceAccuracy]:
    for tile, paths in sources.by_tile.items():
        yield _place("tile", tile, [read_matrix_csv(path)[0] for path in paths])


def _regions(sources: Sources, nomenclature: Nomenclature) -> Iterator[model.PlaceAccuracy]:
    """Regions over all tiles."""
    tables = [
        pd.read_csv(path, dtype={"region": str}).assign(draw=draw)
        for paths in sources.by_region.values()
        for draw, path in enumerate(paths)
    ]
    if not tables:
        return
    table = pd.concat(tables, ignore_index=True)
    rows = {code: row for row, code in enumerate(nomenclature.codes)}
    columns = rows | {0: len(rows)}
    for region, part in sorted(table.groupby("region")):
        matrices = np.zeros((len(sources.seeds), len(rows), len(rows) + 1), dtype=np.int64)
        places = part["draw"], part["reference"].map(rows), part["mapped"].map(columns)
        np.add.at(matrices, tuple(map(np.asarray, places)), part["pixels"].to_numpy())
        yield _place("region", str(region), list(matrices))


def _reliability(sources: Sources) -> Iterator[model.Bin]:
    """Steps of the curves that have pixels."""
    for seed, path in zip(sources.seeds, sources.reliability, strict=False):
        with Path(path).open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        for row in rows:
            told = dict(zip(header, row, strict=True))
            if int(told["n"]):
                yield model.Bin(
                    draw=seed,
                    pixels=int(told["n"]),
                    confidence=float(told["mean_confidence"]),
                    accuracy=float(told["accuracy"]),
                )


def remarks_of(results: str) -> list[str]:
    """The remarks of RESULTS.txt, one a line."""
    text = Path(results).read_text(encoding="utf-8")
    _, _, after = text.partition("\nRemarks\n-------\n")
    lines = after.partition("\n\n")[0].splitlines()
    return [line.removeprefix("- ") for line in lines if line.startswith("- ")]


def _areas(sources: Sources, nomenclature: Nomenclature) -> list[model.ClassArea]:
    every = {
        seed: read_areas(path) for seed, path in zip(sources.seeds, sources.areas, strict=True)
    }
    mean: ClassAreas = mean_areas(every)
    pixels = np.mean([item.pixels for item in every.values()], axis=0)
    return [
        model.ClassArea(
            code=code,
            pixels=float(pixels[row]),
            share=known(mean.share[row]),
            mapped_ha=known(mean.mapped[row]),
            corrected_ha=known(mean.corrected[row]),
            corrected_max_ha=known(mean.corrected_most[row]),
            half_width_ha=known(mean.half_width[row]),
        )
        for row, code in enumerate(nomenclature.codes)
    ]


def _data(sources: Sources, inventories: Sequence[Inventory], about: About) -> model.Data:
    days = {stamp: date.fromisoformat(day) for stamp, day in about.days.items()}
    items, how = importances(sources.models, days)
    return model.Data(
        acquisitions=list(acquired(inventories, sources.masks)),
        left_out=left_out(inventories),
        clear_dates=_clear_dates(sources.validity),
        samples=_samples(sources.counts) if sources.counts else [],
        profiles=list(_profiles(sources.profiles, days)) if sources.profiles else [],
        importance=items,
        importance_of=how,
    )


def _clear_dates(validity: Mapping[str, str]) -> list[model.ClearDates]:
    """Sampled pixels of each tile by number of clear dates, without those that are not mapped.

    The share that is sampled is the same of all tiles, however large, so that they can be added up.
    """
    images = {tile: open_raster(path) for tile, path in validity.items()}
    longest = max((max(i.RasterYSize, i.RasterXSize) for i in images.values()), default=0)
    step = max(longest / SAMPLED, 1)
    found = []
    for tile, image in images.items():
        rows, cols = (max(round(n / step), 1) for n in (image.RasterYSize, image.RasterXSize))
        values = read_decimated(validity[tile], rows, cols, "nearest")
        nodata = image.GetRasterBand(1).GetNoDataValue()
        counts = np.bincount(values[values != nodata]).tolist()
        found.append(model.ClearDates(tile=tile, pixels=counts))
    return found


def _samples(path: str) -> list[model.SampleCount]:
    table = pd.read_csv(path, dtype={"region": str})
    return [model.SampleCount(**row) for row in table.to_dict("records")]


def _profiles(path: str, days: Mapping[str, date]) -> Iterator[model.Profile]:
    """Quantities with several days, class by class."""
    table = read_profiles(path, days)
    dated = table[table["day"].notna()]
    for (quantity, code), part in dated.groupby(["quantity", "code"], sort=False):
        ordered = part.sort_values("day")
        if len(ordered) > 1:
            values = {
                name: ordered[name].round(2).tolist()
                for name in ("mean", "q05", "q25", "q50", "q75", "q95")
            }
            yield model.Profile(
                code=code, quantity=quantity, days=ordered["day"].tolist(), **values
            )


def importances(
    models: Sequence[str], days: Mapping[str, date]
) -> tuple[list[model.Importance], str]:
    """Importance of each feature, mean over the models that tell it, and what it is.

    Of a model that lacks a feature others have, it is 0.
    """
    told = [describe(path) for path in models]
    having = [item["importances"] for item in told if item.get("importances")]
    if not having:
        learner = told[0]["learner"] if told else "the learner"
        return [], f"{learner} tells none."
    names = dict.fromkeys(name for item in having for name in item["values"])
    found = []
    for name in names:
        of = FeatureName.of(name, days)
        value = float(np.mean([item["values"].get(name, 0.0) for item in having]))
        found.append(model.Importance(feature=name, quantity=of.quantity, day=of.day, value=value))
    return found, having[0]["how"]


def _work(inventories: Sequence[Inventory], about: About, models: Sequence[str]) -> model.Work:
    results = Path(about.results)
    jobs = list(finished_jobs(results, about.own_rules))
    inputs = [
        model.InputDigest(name=name, files=len(digests), digest=joined(digests))
        for name, digests in about.contents.items()
        if digests
    ]
    for stock in inventories:
        record = read_record(results / "tiles" / stock.tile / "inventory.record")
        digests = [state.digest for _, state in sorted(record.files.items()) if state]
        name = f"images of {stock.tile}"
        inputs.append(model.InputDigest(name=name, files=len(digests), digest=joined(digests)))
    return model.Work(
        rules=by_rule(jobs),
        warnings=warnings_of(jobs),
        versions=_versions(),
        configuration=dict(about.configuration),
        inputs=inputs,
        command=about.command,
    )


def joined(digests: Sequence[str]) -> str:
    """One digest of several: the only one itself, else that of all, one a line."""
    if len(digests) == 1:
        return digests[0]
    return hashlib.blake2b("\n".join(digests).encode(), digest_size=16).hexdigest()


def _versions() -> dict[str, str]:
    """Of Python, GDAL and the packages that compute."""
    import platform

    from osgeo import gdal

    found = {"python": platform.python_version(), "gdal": gdal.VersionInfo("RELEASE_NAME")}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
