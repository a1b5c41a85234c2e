"""What the report of a production shows: its maps, and those of other productions."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from iota2_tools.core.contents import digest
from iota2_tools.core.errors import Iota2Error
from iota2_tools.geo.grid import grid_of, reprojected
from iota2_tools.planning.production import Production

MAPS_OF_OTHERS = ("Classifications_fusion.tif", "Classif_Seed_0.tif")
"""Map of another production that is shown: the first one there is."""


@dataclass(frozen=True)
class ReportPlan:
    """The maps of a report.

    Parameters
    ----------
    production : Production
        The plan.
    """

    production: Production

    @cached_property
    def maps(self) -> dict[str, dict[str, str]]:
        """Layers by the file in `final` that each shows: name, title and kind (`page.tiles.MapLayer`)."""
        plan = self.production
        several = len(plan.seeds) > 1
        found: dict[str, dict[str, str]] = {}

        def add(file: str, title: str, kind: str) -> None:
            name = file.removesuffix(".tif").lower()
            found[file] = {"name": name, "title": title, "kind": kind}

        if plan.fused_seeds:
            add("Classifications_fusion.tif", "Land cover, all draws as one", "class")
            if plan.regularisation:
                title = "Land cover without small areas, all draws as one"
                add("Classif_Regularised_fusion.tif", title, "class")
        for seed in plan.seeds:
            draw = f", draw {seed}" if several else ""
            add(f"Classif_Seed_{seed}.tif", f"Land cover{draw}", "class")
            if plan.regularisation:
                title = f"Land cover without small areas{draw}"
                add(f"Classif_Regularised_Seed_{seed}.tif", title, "class")
        if plan.fused_seeds:
            add("Confidence_fusion.tif", "Confidence, all draws as one", "confidence")
        for seed in plan.seeds:
            draw = f", draw {seed}" if several else ""
            add(f"Confidence_Seed_{seed}.tif", f"Confidence{draw}", "confidence")
        if plan.config.classification.prediction_sets is not None:
            for seed in plan.seeds:
                draw = f", draw {seed}" if several else ""
                title = f"Classes that cannot be excluded{draw}"
                add(f"PredictionSets_Seed_{seed}.tif", title, "set")
        add("PixelsValidity.tif", "Clear dates", "validity")
        for seed in plan.seeds if plan.config.reference else ():
            draw = f", draw {seed}" if several else ""
            add(f"diff_seed_{seed}.tif", f"Against the reference{draw}", "difference")
        if plan.fused_seeds and plan.config.reference:
            add("diff_fusion.tif", "Against the reference, all draws as one", "difference")
        return found

    @cached_property
    def others(self) -> list[dict[str, Any]]:
        """Maps of other productions: layers with their path, and the digest of each."""
        found = []
        folders = self.production.config.report.compare
        for number, (folder, name) in enumerate(zip(folders, names_apart(folders), strict=True)):
            path = map_of(folder)
            if path:
                found.append(
                    {
                        "name": f"other_{number}",
                        "title": f"Land cover of {name}",
                        "kind": "class",
                        "path": path,
                        "contents": digest(path),
                    }
                )
        return found

    def problems(self) -> Iterator[str]:
        """What is wrong with the productions to compare with, a sentence each."""
        output = Path(self.production.config.output)
        for folder in self.production.config.report.compare:
            place = f"report.compare: {folder}"
            path = map_of(folder)
            if not Path(folder).is_dir():
                yield f"{place}: no such folder; give the output folder of another production"
            elif Path(folder).resolve() == output.resolve():
                yield f"{place}: is the output of this production; give that of another one"
            elif not path:
                yield (
                    f"{place}: holds no final/{' or final/'.join(MAPS_OF_OTHERS)}; give the output folder of a "
                    "production that is complete"
                )
            else:
                yield from self._apart(place, path)

    def _apart(self, place: str, path: str) -> Iterator[str]:
        """A map that cannot be read, or shares no ground with this one."""
        own = self.production.mosaic_grid
        try:
            other = reprojected(grid_of(path), own.crs, own.resolution)
        except Iota2Error as error:
            yield f"{place}: {error}"
            return
        apart = (
            other.left >= own.right or other.right <= own.left
            or other.bottom >= own.top or other.top <= own.bottom
        )  # fmt: skip
        if apart:
            yield f"{place}: its map shares no ground with this one; compare maps of the same place"


def names_apart(folders: Sequence[str]) -> list[str]:
    """Short names of folders: the last part of each path, or as many as tell them apart.

    >>> names_apart(["a/2017", "a/2018/"]), names_apart(["2017/results", "2018/results"])
    (['2017', '2018'], ['2017/results', '2018/results'])
    """
    parts = [Path(os.path.abspath(folder)).parts for folder in folders]
    longest = max(map(len, parts), default=1)
    for count in range(1, longest + 1):
        names = ["/".join(item[-count:]) for item in parts]
        if len(set(names)) == len(set(parts)):
            break
    return names if parts else []


def map_of(folder: str) -> str | None:
    """The map of a production that is shown beside another one; None if there is none."""
    for name in MAPS_OF_OTHERS:
        path = Path(folder, "final", name)
        if path.is_file():
            return str(path)
    return None
