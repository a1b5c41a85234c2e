"""`iota2 sample`: random points of a map, for a person to look at."""

import argparse
import shlex

from iota2_tools.core.errors import ConfigError


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "sample",
        help="draw random points of a map, for a person to look at",
        description="A stratified random sample of the pixels of a map, as points for QGIS.",
        epilog="example: iota2 sample results/final/Classif_Seed_0.tif points.gpkg --points 600",
    )
    parser.add_argument("map", help="class map, as final/Classif_Seed_0.tif")
    parser.add_argument("output", help="GeoPackage to write")
    parser.add_argument("--points", type=int, help="points in all; by default what --error needs")
    parser.add_argument(
        "--error", type=float, default=0.015, metavar="SHARE",
        help="wanted standard error of the overall accuracy (0.015)",
    )  # fmt: skip
    parser.add_argument(
        "--allocation", choices=("proportional", "equal", "neyman"), default="proportional",
        help="how points are shared among the classes",
    )  # fmt: skip
    parser.add_argument(
        "--minimum", type=int, default=50, metavar="N", help="points of a class at least (50)"
    )
    parser.add_argument(
        "--expected", action="append", default=[], metavar="[CLASS=]SHARE",
        help="share of what is mapped that is expected to be right (0.85), also of one class, by code or name; "
        "may be given several times",
    )  # fmt: skip
    parser.add_argument("--strata", metavar="RASTER", help="draw by another raster than the map")
    parser.add_argument("--seed", type=int, default=0, help="other numbers give other points (0)")
    parser.add_argument(
        "--show-class", action="store_true",
        help="tell what the map says at each point; by default it is hidden from who looks",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Draw them, and tell how many of each stratum; exit code."""
    from iota2_tools.assessing.points import PointsWanted, write_points
    from iota2_tools.reporting.assessment import design_text

    accuracy, accuracies = expectations(arguments.expected)
    wanted = PointsWanted(
        arguments.map,
        arguments.strata,
        arguments.points,
        arguments.error,
        arguments.allocation,
        arguments.minimum,
        accuracy,
        accuracies,
        arguments.seed,
    )
    design = write_points(wanted, arguments.output, hidden=not arguments.show_class)
    print(design_text(design))
    print(
        f"{arguments.output}: {design.sizes.sum()} points. Fill in their field `reference`, then: "
        f"iota2 assess {shlex.quote(str(arguments.map))} {shlex.quote(str(arguments.output))}"
        + (f" --strata {shlex.quote(arguments.strata)}" if arguments.strata else "")
    )
    return 0


def expectations(given: list[str], usual: float = 0.85) -> tuple[float, dict[str, float]]:
    """Expected accuracies from what was typed: of all strata, and of single ones.

    Raises
    ------
    ConfigError
        If something is no share, or stands twice.

    >>> expectations(["0.9", "Urban=0.7"])
    (0.9, {'Urban': 0.7})
    """
    found: dict[str, float] = {}
    for text in given:
        name, _, value = text.rpartition("=")
        if name in found:
            raise ConfigError(f"--expected {text}: {name or 'that of all classes'} stands twice")
        try:
            found[name] = float(value)
        except ValueError:
            raise ConfigError(
                f"--expected {text}: write a share, or CLASS=SHARE, as Urban=0.7"
            ) from None
    return found.pop("", usual), found
