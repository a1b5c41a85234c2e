"""`iota2 assess`: accuracy and areas of a map, from points that a person has looked at."""

import argparse

from iota2_tools.core.errors import ConfigError


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "assess",
        help="accuracy and areas of a map, with intervals, from points that were looked at",
        description="Accuracy and areas of a map with 95 % intervals, from a random sample of points.",
        epilog="example: iota2 assess results/final/Classif_Seed_0.tif points.gpkg --output assessment",
    )
    parser.add_argument("map", help="class map, as final/Classif_Seed_0.tif")
    parser.add_argument("points", help="vector file of points, as `iota2 sample` draws them")
    parser.add_argument("--layer", help="layer of the points; by default the only one")
    parser.add_argument(
        "--field",
        default="reference",
        help="field with what was seen, a code or a name (reference)",
    )
    parser.add_argument(
        "--strata", metavar="RASTER", help="raster the points were drawn by, if not the map"
    )
    parser.add_argument(
        "--nomenclature", help="table of the classes; by default the names that the map holds"
    )
    parser.add_argument("--regions", metavar="FILE", help="polygons of regions, judged apart too")
    parser.add_argument("--region-field", default="region", help="field with their names (region)")
    parser.add_argument("--output", metavar="FOLDER", help="also write text and tables there")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Judge the map and print it; exit code."""
    from pathlib import Path

    from iota2_tools.assessing.assessment import Judged, judge
    from iota2_tools.geo.units import Units
    from iota2_tools.reporting.assessment import assessment_text, write_assessment

    if arguments.output and Path(arguments.output).is_file():
        raise ConfigError(f"--output {arguments.output}: is a file; name a folder")
    regions = None
    if arguments.regions:
        regions = Units(arguments.regions, None, arguments.region_field)
    judged = Judged(
        arguments.map,
        arguments.points,
        arguments.layer,
        arguments.field,
        arguments.strata,
        arguments.nomenclature,
        regions,
    )
    found = judge(judged)
    title = f"Accuracy of {Path(arguments.map).name}"
    print(assessment_text(found, title))
    if arguments.output:
        write_assessment(found, title, arguments.output)
    return 0
