"""Learning samples: which pixels (OTB SampleSelection), and their features."""

import logging
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from iota2_tools import otb
from iota2_tools.core.draws import generator
from iota2_tools.core.errors import unwritable
from iota2_tools.core.files import whole_file, whole_folder
from iota2_tools.core.scratch import scratch
from iota2_tools.geo.burning import Burner
from iota2_tools.geo.grid import Grid, grid_of
from iota2_tools.geo.raster import create_raster, open_raster, read_window
from iota2_tools.geo.vectors import read_layer, write_layer
from iota2_tools.reference.splits import LEARN

logger = logging.getLogger(__name__)


def burn_polygons(splits: str, regions: str, output: str) -> None:
    """Write which reference polygon each pixel of a tile lies in.

    Parameters
    ----------
    splits : str
        Polygons of the production (`reference.write_splits`).
    regions : str
        Region raster of the tile: pixels outside its envelope hold no polygon.
    output : str
        Raster to write: uint32, polygon id, 0 where there is none.
    """
    grid = grid_of(regions)
    polygons = read_layer(splits, bbox=grid.bounds)
    burner = Burner(polygons.geometry.to_numpy(), polygons["polygon"].to_numpy(), grid)
    region_file = open_raster(regions)
    with create_raster(output, grid, "uint32", nodata=0) as raster:
        for window in grid.windows(256):
            inside = read_window(region_file, window, 1) > 0
            raster.write(burner.burn(window) * inside, window)


def _usable(regions: str, validity: str, region: int, cloud_threshold: int, output: str) -> None:
    """Mask of the pixels of a region that were clear often enough, for OTB."""
    grid = grid_of(regions)
    region_file, validity_file = open_raster(regions), open_raster(validity)
    with create_raster(output, grid, "uint8") as raster:
        for window in grid.windows(256):
            mask = read_window(region_file, window, 1) == region
            mask &= read_window(validity_file, window, 1) >= cloud_threshold
            raster.write(mask.astype(np.uint8), window)


def _room(regions: str, splits: str) -> float:
    """Megabytes for the mask of a tile, and for polygons and points of all draws."""
    return (grid_of(regions).window.size + 10 * Path(splits).stat().st_size) / 1e6


def _learning_polygons(splits: gpd.GeoDataFrame, seed: int, output: str) -> bool:
    """Write the polygons that learn, for OTB; False if there is none."""
    learning = splits[splits[f"seed_{seed}"].str.contains(LEARN)]
    if learning.empty:
        return False
    write_layer(learning[["polygon", "code", "geometry"]], output)
    return True


def write_statistics(
    splits: str,
    regions: str,
    validity: str,
    numbers: dict[str, int],
    seeds: list[int],
    cloud_threshold: int,
    output: str,
) -> None:
    """Count the pixels of each class and polygon of a tile (OTB PolygonClassStatistics).

    Parameters
    ----------
    splits, regions, validity : str
        Polygons of the production; region and validity rasters of the tile.
    numbers : dict of str to int
        Regions of the tile with their numbers in the region raster.
    seeds : list of int
        Draws.
    cloud_threshold : int
        Fewest clear dates of a pixel.
    output : str
        Folder to write, with one XML file a region and draw where there is something to learn.
    """
    polygons = read_layer(splits, bbox=grid_of(regions).bounds)
    room = _room(regions, splits)
    with whole_folder(output) as folder, scratch(room, output) as drafts:
        for region, number in numbers.items():
            mask = f"{drafts}/{region}.tif"
            _usable(regions, validity, number, cloud_threshold, mask)
            for seed in seeds:
                vector = f"{drafts}/{region}_{seed}.gpkg"
                if not _learning_polygons(polygons, seed, vector):
                    continue
                counts = f"{folder}/{statistics_name(region, seed)}"
                otb.run(
                    "PolygonClassStatistics",
                    {"in": validity, "mask": mask, "vec": vector, "field": ["code"], "out": counts},
                    refresh_after="vec",
                )
                class_counts(counts)  # OTB says nothing of a file it could not write to its end


def statistics_name(region: str, seed: int) -> str:
    """File of one region and draw among the statistics of a tile."""
    return f"region_{region}_seed_{seed}.xml"


def class_counts(statistics: str) -> dict[int, int]:
    """Pixels of each class in a file of OTB PolygonClassStatistics.

    Raises
    ------
    OutputError
        If the file is not whole.
    """
    try:
        root = ElementTree.parse(statistics).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise unwritable(str(statistics), f"cut off: {error}") from None
    classes = root.find("./Statistic[@name='samplesPerClass']")
    return (
        {int(item.get("key")): int(item.get("value")) for item in classes}
        if classes is not None
        else {}
    )


def write_rates(
    region: str, statistics: dict[str, str], seeds: list[int], sampling: dict, output: str
) -> None:
    """Share the samples of a region among its tiles (OTB MultiImageSamplingRate).

    Parameters
    ----------
    statistics : dict of str to str
        Folder of `write_statistics` of each tile.
    sampling : dict
        Section of the configuration.
    output : str
        Folder to write, with one CSV file a tile and draw.
    """
    with whole_folder(output) as folder, scratch(10, output) as drafts:
        for seed in seeds:
            files = {
                tile: Path(path) / statistics_name(region, seed)
                for tile, path in statistics.items()
            }
            files = {
                tile: str(path)
                for tile, path in files.items()
                if path.exists() and class_counts(path)
            }
            if not files:
                continue
            base = f"{drafts}/rates_{seed}.csv"
            parameters = {"il": list(files.values()), "out": base, "mim": "proportional"}
            otb.run("MultiImageSamplingRate", parameters | _strategy(sampling, drafts, shared=True))
            written = sorted(
                Path(drafts).glob(f"rates_{seed}_*.csv"), key=lambda p: int(p.stem.split("_")[-1])
            )
            for tile, path in zip(files, written, strict=True):
                _check_rates(path, class_counts(files[tile]))
                Path(folder, f"{tile}_seed_{seed}.csv").write_bytes(path.read_bytes())


def _check_rates(path: Path, counts: dict[int, int]) -> None:
    """Raise OutputError unless a table of MultiImageSamplingRate holds every class of the tile."""
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    found = {int(line.split("\t")[0]) for line in lines if line.count("\t") == 3}
    if missing := set(counts) - found:
        raise unwritable(str(path), f"cut off before class {min(missing)}")


def _strategy(sampling: dict, drafts: str, shared: bool) -> dict:
    """OTB's parameters of the sampling strategy."""
    strategy = sampling["strategy"]
    parameters: dict = {"strategy": strategy}
    if strategy == "byclass":
        required = f"{drafts}/byclass.csv"
        lines = [f"{code};{count}" for code, count in sampling["byclass"].items()]
        Path(required).write_text("#className;requiredSamples\n" + "\n".join(lines) + "\n")
        parameters["strategy.byclass.in"] = [required] if shared else required
    elif strategy == "constant":
        parameters["strategy.constant.nb"] = (
            str(sampling["constant"]) if shared else sampling["constant"]
        )
    elif strategy == "total":
        parameters["strategy.total.v"] = str(sampling["total"]) if shared else sampling["total"]
    elif strategy == "percent":
        parameters["strategy.percent.p"] = float(sampling["percent"])
    return parameters


def write_selection(
    tile: str,
    splits: str,
    regions: str,
    validity: str,
    statistics: str,
    rates: dict[str, str],
    numbers: dict[str, int],
    seeds: list[int],
    sampling: dict,
    output: str,
) -> None:
    """Choose the learning pixels of a tile, for all its regions and draws (OTB SampleSelection).

    Parameters
    ----------
    splits, regions, validity : str
        As in `write_statistics`.
    statistics : str
        Folder of `write_statistics`.
    rates : dict of str to str
        Folder of `write_rates` of each region, for strategies that look at several tiles.
    output : str
        Parquet table: `row`, `col`, `polygon`, `code`, `region`, and `seed_S` (bool).
    """
    grid = grid_of(regions)
    polygons = read_layer(splits, bbox=grid.bounds)
    chosen = []
    with scratch(_room(regions, splits), output) as drafts:
        for region, number in numbers.items():
            mask = f"{drafts}/{region}.tif"
            _usable(regions, validity, number, sampling["cloud_threshold"], mask)
            for seed in seeds:
                counts = Path(statistics, statistics_name(region, seed))
                vector = f"{drafts}/{region}_{seed}.gpkg"
                if (
                    not counts.exists()
                    or not class_counts(str(counts))
                    or not _learning_polygons(polygons, seed, vector)
                ):
                    continue
                points = f"{drafts}/{region}_{seed}_points.gpkg"
                draw = int(
                    generator(sampling["random_seed"], "selection", seed, region, tile).integers(
                        2**31 - 1
                    )
                )
                given = {
                    "in": validity, "mask": mask, "vec": vector, "field": ["code"], "instats": str(counts),
                    "out": points, "sampler": sampling["sampler"], "rand": draw,
                }  # fmt: skip
                if region in rates:
                    table = Path(rates[region], f"{tile}_seed_{seed}.csv")
                    given |= {"strategy": "byclass", "strategy.byclass.in": str(table)}
                else:
                    given |= _strategy(sampling, drafts, shared=False)
                otb.run("SampleSelection", given, refresh_after="vec")
                chosen.append(_pixels_of(points, grid, region, seed))
    table = _one_row_a_pixel(chosen, seeds)
    logger.info("%s: %d pixels chosen", tile, len(table))
    with whole_file(output) as temporary:
        table.to_parquet(temporary, index=False)


def _pixels_of(points: str, grid: Grid, region: str, seed: int) -> pd.DataFrame:
    """Pixels of OTB's sample points."""
    frame = read_layer(points)
    x, y = frame.geometry.x.to_numpy(), frame.geometry.y.to_numpy()
    return pd.DataFrame(
        {
            "row": np.floor((grid.top - y) / grid.resolution).astype(np.int32),
            "col": np.floor((x - grid.left) / grid.resolution).astype(np.int32),
            "polygon": frame["polygon"].astype(np.int64).to_numpy(),
            "code": frame["code"].astype(np.int64).to_numpy(),
            "region": region,
            "seed": seed,
        }
    )


def _one_row_a_pixel(chosen: list[pd.DataFrame], seeds: list[int]) -> pd.DataFrame:
    """Gather the draws: a pixel and polygon stands once, with the seeds that chose it."""
    columns = ["row", "col", "polygon", "code", "region"]
    if not chosen:
        empty = pd.DataFrame(
            {name: pd.Series(dtype="int64") for name in columns[:-1]}
            | {"region": pd.Series(dtype=str)}
        )
        return empty.assign(**{f"seed_{seed}": pd.Series(dtype=bool) for seed in seeds})
    every = pd.concat(chosen)
    for seed in seeds:
        every[f"seed_{seed}"] = every["seed"] == seed
    return every.groupby(columns, sort=True)[[f"seed_{seed}" for seed in seeds]].any().reset_index()
