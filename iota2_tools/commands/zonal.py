"""`iota2 zonal`: areas of the classes of a map, and statistics of other rasters, by zone."""

import argparse

from iota2_tools.core.errors import ConfigError


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "zonal", help="areas of the classes of a map, and statistics of rasters, by zone"
    )
    parser.add_argument("map", help="class map, as final/Classif_Seed_0.tif")
    parser.add_argument("zones", help="vector file of polygons, in any CRS")
    parser.add_argument("field", help="field that names the zone")
    parser.add_argument("output", help="CSV table to write")
    parser.add_argument("--layer", help="layer of the file; by default the only one")
    parser.add_argument(
        "--raster",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="raster whose mean, deviation and limits are told too; may be given several times",
    )
    parser.add_argument(
        "--rule",
        choices=["centre", "fraction"],
        default="centre",
        help="pixels whose centre lies in the zone, or each by the part that does (%(default)s)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the table; exit code."""
    from iota2_tools.geo.units import Units
    from iota2_tools.vectors.measuring import Quantity
    from iota2_tools.vectors.zones import write_zones

    quantities = [Quantity(name, path) for name, path in rasters_of(arguments.raster).items()]
    zones = Units(arguments.zones, arguments.layer, arguments.field)
    found = write_zones(arguments.map, zones, quantities, arguments.output, arguments.rule)
    print(f"{arguments.output}: {len(found)} zone(s)")
    return 0


def rasters_of(given: list[str]) -> dict[str, str]:
    """Rasters by name, from what was typed.

    Raises
    ------
    ConfigError
        If something is no `NAME=FILE`, or a name stands twice.

    >>> rasters_of(["relief=dem.tif"])
    {'relief': 'dem.tif'}
    """
    found: dict[str, str] = {}
    for text in given:
        name, sign, path = text.partition("=")
        if not (name and sign and path):
            raise ConfigError(f"--raster {text}: write NAME=FILE, as relief=data/dem.tif")
        if name in found:
            raise ConfigError(f"--raster {text}: {name} stands twice")
        found[name] = path
    return found
