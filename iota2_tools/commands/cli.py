"""The `iota2` command: scenes to try the chain on, and looks at machine and configuration.

Maps are made by `snakemake`; nothing here starts a production.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from iota2_tools.core.errors import Iota2Error


def _simulate(arguments: argparse.Namespace) -> int:
    from iota2_tools.simulate import SceneSettings, simulate_scene

    settings = SceneSettings(
        seed=arguments.seed,
        tiles=tuple(arguments.tiles),
        size=arguments.size,
        year=arguments.year,
        dates=arguments.dates,
    )
    simulate_scene(settings, arguments.folder, jobs=arguments.jobs)
    print(
        f"scene in {arguments.folder}: native products in sentinel2/, polygons and nomenclature in reference/"
    )
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from iota2_tools.commands.doctor import examine, print_findings

    findings = examine()
    if arguments.profile:
        from iota2_tools.commands.trial import examine_profile

        findings += examine_profile(arguments.profile, arguments.folder, arguments.seconds)
    print_findings(findings)
    return 1 if any(finding.fatal for finding in findings) else 0


def _check(arguments: argparse.Namespace) -> int:
    from iota2_tools.config.settings import read_config
    from iota2_tools.planning.production import Production, describe_grid

    production = Production(read_config(arguments.config))
    production.check(arguments.config)
    print(f"{arguments.config}: no problem found")
    for tile in production.tiles:
        counts = ", ".join(
            f"{len(production.product_names(sensor, tile))} {sensor}"
            for sensor in production.sensors
        )
        regions = " ".join(production.regions_of_tiles[tile]) or "none"
        print(
            f"  {tile}: {counts or 'user features'}; {describe_grid(production.grid(tile))}; regions {regions}"
        )
    return 0


def _config_reference(_arguments: argparse.Namespace) -> int:
    from iota2_tools.config.settings import describe_schema

    sys.stdout.write(describe_schema())
    return 0


def _summary(arguments: argparse.Namespace) -> int:
    from iota2_tools.reporting.summary import summary

    print(summary(Path(arguments.results)))
    return 0


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    main_parser = argparse.ArgumentParser(prog="iota2", description=__doc__.split("\n")[0])
    commands = main_parser.add_subparsers(required=True, metavar="COMMAND")

    simulate = commands.add_parser(
        "simulate",
        help="write a scene of Sentinel-2 products in the native THEIA layout, with its reference",
    )
    simulate.add_argument("folder", help="where to write it")
    simulate.add_argument(
        "--size", type=int, default=1000, help="side of a tile, pixels of 10 m (%(default)s)"
    )
    simulate.add_argument(
        "--tiles", nargs="+", default=["T31TCJ", "T31TDJ"], help="names (%(default)s)"
    )
    simulate.add_argument(
        "--dates", type=int, default=36, help="acquisitions in the year (%(default)s)"
    )
    simulate.add_argument("--year", type=int, default=2018, help="(%(default)s)")
    simulate.add_argument("--seed", type=int, default=0, help="same seed, same bytes (%(default)s)")
    simulate.add_argument(
        "--jobs", type=int, default=2, help="processes; the result does not depend on it"
    )
    simulate.set_defaults(run=_simulate)

    doctor = commands.add_parser(
        "doctor", help="versions, and what is missing or broken on this machine"
    )
    doctor.add_argument(
        "--profile", metavar="NAME", help="also submit a trial job through this profile"
    )
    doctor.add_argument(
        "--folder", type=Path, default=Path(),
        help="where the trial job works: where you start productions (this folder)",
    )  # fmt: skip
    doctor.add_argument(
        "--seconds",
        type=float,
        default=300,
        help="for the trial job, waiting included (%(default)s)",
    )
    doctor.set_defaults(run=_doctor)

    check = commands.add_parser(
        "check", help="check a configuration and its inputs; nothing is started"
    )
    check.add_argument("config", help="YAML file")
    check.set_defaults(run=_check)

    reference = commands.add_parser(
        "config-reference", help="print the reference page of the configuration"
    )
    reference.set_defaults(run=_config_reference)

    results = commands.add_parser(
        "summary", help="where the products of a production are, and its accuracy"
    )
    results.add_argument("results", help="output folder of the production")
    results.set_defaults(run=_summary)
    return main_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; a user's mistake ends with exit code 2 and no traceback."""
    given = parser().parse_args(arguments)
    try:
        return given.run(given)
    except Iota2Error as error:
        print(f"iota2: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
