"""The page `docs/sensors.md`: what is known of each format."""

from collections.abc import Iterator, Mapping

from iota2_tools.products import FORMATS
from iota2_tools.products.format import ProductFormat

HEAD = """# Sensors and formats

Made by `iota2 config-reference --sensors` from the formats themselves; keys of each are in
[configuration.md](configuration.md).

A production may name several sensors, also several formats of one satellite. Their features stand
in the order of this page, then those of the user's rasters. The sensor with the finest pixels gives
the grid of a tile, unless `grid` says otherwise. A pixel is mapped where every series saw the ground.
Folders are `path/TILE/`; the T of a Sentinel-2 tile may be missing. Products may be in their zip.
A new format: [architecture.md](architecture.md#where-to-add-things).

"""


def sensors_page(formats: Mapping[str, ProductFormat] = FORMATS) -> str:
    """The page, one section a format, in stack order."""
    return HEAD + "\n".join(line for key in formats for line in _section(key, formats[key])) + "\n"


def _section(key: str, known: ProductFormat) -> Iterator[str]:
    pixels = known.pixels
    yield f"## `{key}`"
    yield ""
    yield " ".join((known.section.__doc__ or "").split())
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| Product | `{known.example.format(tile='T31TCJ')}` |"
    yield f"| From | {known.source} |"
    yield f"| Features | `{known.label}_BAND_YYYYMMDD`{_parts(known)}, {_dates(known)} |"
    nodata = "" if pixels.nodata is None else f"; {pixels.nodata:g} is no data"
    yield f"| Pixels | {', '.join(pixels.types[:1])}, {pixels.meaning}{nodata} |"
    yield f"| Masks | {known.masks} |"
    yield f"| Placed | {'on one grid a tile' if known.on_tile else 'anywhere; brought to the tile'} |"
    if known.must_be_prepared:
        yield "| Prepared | once, before it is read |"
    yield ""
    if known.bands:
        yield "| Band | Pixels, m | Role |"
        yield "|---|---|---|"
        yield from (f"| {band.name} | {band.resolution:g} | {band.role} |" for band in known.bands)
        yield ""


def _parts(known: ProductFormat) -> str:
    """Parts of the names of features, where a sensor has several series."""
    if known.parts == ("",):
        return ""
    names = ", ".join(f"`{known.label}_{part.upper()}_…`" for part in known.parts)
    return f", a series each: {names}"


def _dates(known: ProductFormat) -> str:
    return "dates of the products" if known.own_dates else "regular dates"
