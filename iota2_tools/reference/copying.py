"""Samples of one region's model that another one learns as well."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from iota2_tools.reference.management import Copy
from iota2_tools.reference.table import TrainingTable

logger = logging.getLogger(__name__)


def with_copies(
    table: TrainingTable,
    copies: Sequence[Copy],
    read: Callable[[str], TrainingTable],
    draw: Callable[[Copy], np.random.Generator],
) -> tuple[TrainingTable, list[int]]:
    """Samples of a model with those that are copied to it, in the order of the copies.

    Parameters
    ----------
    read : callable
        Learning samples of a region in the same draw, with the features of `table`.
    draw : callable
        Generator of random numbers of a copy.

    Returns
    -------
    table : TrainingTable
    taken : list of int
        Samples of each copy: fewer than its quantity where there are not so many.
    """
    sources = {source: read(source) for source in {copy.source for copy in copies}}
    parts, taken = [table], []
    for copy in copies:
        source = sources[copy.source]
        rows = np.flatnonzero(source.codes == copy.code)
        if copy.quantity is not None and copy.quantity < len(rows):
            rows = np.sort(draw(copy).choice(rows, copy.quantity, replace=False))
        elif copy.quantity is not None and copy.quantity > len(rows):
            logger.warning(
                "class %d: region %s has %d samples, not %d, to give to region %s",
                *(copy.code, copy.source, len(rows), copy.quantity, copy.destination),
            )
        parts.append(
            replace(
                source,
                features=source.features[rows],
                codes=source.codes[rows],
                polygons=source.polygons[rows],
            )
        )
        taken.append(len(rows))
    joined = replace(
        table,
        features=np.concatenate([part.features for part in parts]),
        codes=np.concatenate([part.codes for part in parts]),
        polygons=np.concatenate([part.polygons for part in parts]),
    )
    return joined, taken
