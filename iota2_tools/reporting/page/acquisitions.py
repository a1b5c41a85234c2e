"""When each tile was seen, and how clear it was."""

from collections.abc import Iterator, Mapping, Sequence

from iota2_tools.geo.raster import open_raster
from iota2_tools.reporting.page.model import Acquired, LeftOut
from iota2_tools.timeseries.inventory import Inventory


def acquired(
    inventories: Sequence[Inventory], masks: Mapping[tuple[str, str], str]
) -> Iterator[Acquired]:
    """Each acquisition of each tile, with the share of the tile it saw, and how much of that was clear.

    The shares are those that `write_clear_masks` counted on every pixel. Masks of an earlier version
    tell none: then they are None.

    Parameters
    ----------
    inventories : sequence of Inventory
        Of all tiles.
    masks : mapping
        Clear-sky masks by tile and series.
    """
    for stock in inventories:
        pixels = stock.grid.rows * stock.grid.cols
        for series, items in stock.series.items():
            dataset = open_raster(masks[stock.tile, series])
            for number, item in enumerate(items, start=1):
                told = dataset.GetRasterBand(number).GetMetadata()
                seen, clear = (int(told.get(name, -1)) for name in ("SEEN_PIXELS", "CLEAR_PIXELS"))
                yield Acquired(
                    tile=stock.tile,
                    series=series,
                    day=item.day,
                    product=item.name,
                    counts=item.counts,
                    seen=None if seen < 0 else seen / pixels,
                    clear=clear / seen if seen > 0 else None,
                )


def left_out(inventories: Sequence[Inventory]) -> list[LeftOut]:
    """Products that were not read, and why."""
    return [
        LeftOut(tile=stock.tile, product=product, reason=reason)
        for stock in inventories
        for product, reason in stock.left_out.items()
    ]
