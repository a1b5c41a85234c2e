"""What the samples of a production look like: how many there are, and the features of each class."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from iota2_tools.core.files import whole_file
from iota2_tools.core.tables import write_csv
from iota2_tools.reference.table import feature_columns

logger = logging.getLogger(__name__)

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
STATISTICS = ("mean", *(f"q{round(100 * share):02d}" for share in QUANTILES))
BUDGET_MB = 200
"""Of the values that are held at once."""


@dataclass(frozen=True)
class FeatureName:
    """A feature as its name tells it: a quantity, and the day it is of; None: it has none."""

    quantity: str
    day: date | None

    @classmethod
    def of(cls, name: str, days: Mapping[str, date]) -> "FeatureName":
        """Read a name.

        Parameters
        ----------
        days : mapping of str to date
            Day of each ending that tells one (`features.plan.SeriesFeatures.stamps`).

        >>> FeatureName.of("Sentinel2_NDVI_D161", {"D161": date(2018, 6, 10)})
        FeatureName(quantity='Sentinel2 NDVI', day=datetime.date(2018, 6, 10))
        """
        quantity, _, stamp = name.rpartition("_")
        if quantity and stamp in days:
            return cls(quantity.replace("_", " "), days[stamp])
        return cls(name, None)


def write_description(
    samples: Sequence[str], seeds: Sequence[int], counts: str, profiles: str
) -> None:
    """Describe the samples of all tiles.

    Parameters
    ----------
    samples : sequence of str
        Tables of `reference.table.write_samples`.
    seeds : sequence of int
        Draws.
    counts : str
        CSV to write: ``seed,region,code,samples,polygons``, of what each draw learns.
    profiles : str
        Parquet to write: ``feature, code, samples`` and `STATISTICS` over the samples of a class in
        all regions and draws, each pixel once, in the unit of the feature; quantiles are
        interpolated (Hyndman and Fan's type 7). Missing values (NaN) are left out.
    """
    keys = pd.concat(
        [
            pq.read_table(path, columns=_keys(seeds)).to_pandas().assign(table=number)
            for number, path in enumerate(samples)
        ],
        ignore_index=True,
    )
    write_csv(list(_counted(keys, seeds)), counts)
    logger.info("%d samples of %d tiles", len(keys), len(samples))
    _write_profiles(samples, keys, profiles)


def _keys(seeds: Sequence[int]) -> list[str]:
    return ["code", "region", "polygon", *(f"seed_{seed}" for seed in seeds)]


def _counted(keys: pd.DataFrame, seeds: Sequence[int]) -> Iterator[Sequence]:
    """Header, then a row for each draw, region and class with samples."""
    yield "seed", "region", "code", "samples", "polygons"
    for seed in seeds:
        learnt = keys[keys[f"seed_{seed}"]]
        for (region, code), part in learnt.groupby(["region", "code"], observed=True):
            yield seed, region, code, len(part), part["polygon"].nunique()


def _write_profiles(samples: Sequence[str], keys: pd.DataFrame, output: str) -> None:
    """Statistics of each feature and class, some features at a time."""
    names: dict[str, None] = {}
    having = [feature_columns(path) for path in samples]
    for columns in having:
        names |= dict.fromkeys(columns)
    schema = pa.schema(
        [("feature", pa.string()), ("code", pa.int64()), ("samples", pa.int64())]
        + [(name, pa.float64()) for name in STATISTICS]
    )
    step = max(1, int(BUDGET_MB * 1e6 / (8 * max(len(keys), 1))))
    ordered = list(names)
    with whole_file(output) as temporary, pq.ParquetWriter(temporary, schema) as file:
        for first in range(0, len(ordered), step):
            rows = _statistics(samples, having, keys, ordered[first : first + step])
            table = pd.DataFrame(rows, columns=schema.names)
            file.write_table(pa.Table.from_pandas(table, schema, preserve_index=False))


def _statistics(
    samples: Sequence[str], having: Sequence[list[str]], keys: pd.DataFrame, names: list[str]
) -> list[list]:
    """Rows of the table for some features; what a tile does not have is missing there."""
    parts = []
    for path, columns in zip(samples, having, strict=True):
        here = [name for name in names if name in columns]
        parts.append(pq.read_table(path, columns=here).to_pandas().reindex(columns=names))
    values = pd.concat(parts, ignore_index=True).to_numpy(dtype=np.float64)
    rows: list[list] = []
    for code, places in sorted(keys.groupby("code").indices.items()):
        of_class = values[places]
        known = len(places) - np.isnan(of_class).sum(axis=0)
        told_of = np.flatnonzero(known)
        found = of_class[:, told_of]
        # Those of whole columns are ten times as quick as those that look for what is missing.
        whole = known[told_of].min(initial=len(places)) == len(places)
        means = (np.mean if whole else np.nanmean)(found, axis=0)
        quantiles = (np.quantile if whole else np.nanquantile)(found, QUANTILES, axis=0)
        for number, column in enumerate(told_of.tolist()):
            told = [means[number], *quantiles[:, number]]
            rows.append([names[column], code, int(known[column]), *told])
    return rows


def read_profiles(path: str, days: Mapping[str, date]) -> pd.DataFrame:
    """Read the profiles of `write_description`, with ``quantity`` and ``day`` of each feature.

    Parameters
    ----------
    days : mapping of str to date
        See `FeatureName.of`.
    """
    table = pd.read_parquet(path)
    told = {name: FeatureName.of(name, days) for name in table["feature"].unique()}
    table["quantity"] = table["feature"].map(lambda name: told[name].quantity)
    table["day"] = table["feature"].map(lambda name: told[name].day)
    return table
