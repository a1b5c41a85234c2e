"""`iota2 consistency`: maps of several years that agree with one another."""

import argparse
import re

from iota2_tools.core.errors import ConfigError


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "consistency",
        help="maps of several years, each given what the others say",
        epilog="example: iota2 consistency 2018=results_2018 2019=results_2019 2020=results_2020 --output consistent",
    )
    parser.add_argument(
        "years",
        nargs="+",
        metavar="NAME=OUTPUT",
        help="output folders of productions with probability_map, in order of time",
    )
    parser.add_argument("--output", required=True, metavar="FOLDER", help="folder for the maps")
    parser.add_argument("--draw", help="number of the draw, or `fusion`, as for `iota2 change`")
    chain = parser.add_mutually_exclusive_group()
    chain.add_argument(
        "--caution",
        type=float,
        default=15.0,
        metavar="TIMES",
        help="how many times likelier a class stays than becomes one other: the more, the less false change, and the "
        "more true change is hidden (%(default)s)",
    )
    chain.add_argument(
        "--change",
        type=float,
        metavar="SHARE",
        help="share of each class that becomes another from year to year, in place of --caution",
    )
    chain.add_argument(
        "--transitions",
        metavar="TABLE",
        help="probabilities from class to class, as CSV matrix; `found`: looked for in the maps",
    )
    parser.add_argument(
        "--neighbours",
        type=float,
        default=4.0,
        metavar="PIXELS",
        help="for how many pixels those around that look alike count; 0: each pixel is alone (%(default)s)",
    )
    parser.add_argument("--threads", type=int, default=1, help="(%(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the maps; exit code."""
    from iota2_tools.core.locks import refuse_among_products
    from iota2_tools.years.consistency import chain_of, series_of, write_consistent
    from iota2_tools.years.maps import year_map

    if arguments.change is not None and not 0 < arguments.change < 1:
        raise ConfigError(f"--change {arguments.change:g}: give a share between 0 and 1")
    if not 1 <= arguments.caution <= 1e6:
        raise ConfigError(f"--caution {arguments.caution:g}: give a number from 1 to 1000000")
    if not 0 <= arguments.neighbours <= 24:
        raise ConfigError(f"--neighbours {arguments.neighbours:g}: give a number from 0 to 24")
    if arguments.threads < 1:
        raise ConfigError(f"--threads {arguments.threads}: give 1 or more")
    refuse_among_products(arguments.output)
    maps = [
        year_map(folder, arguments.draw, name=name)
        for name, folder in named(arguments.years).items()
    ]
    series = series_of(maps)
    chain = chain_of(series, arguments.caution, arguments.change, arguments.transitions)
    pairs = write_consistent(
        series, chain, arguments.output, arguments.neighbours, arguments.threads
    )
    for (both, changed), first, second in zip(pairs, maps, maps[1:], strict=False):
        share = f"{100 * changed / both:.2f} %" if both else "no pixel in common"
        print(f"{first.name} to {second.name}: {share} of the pixels are of another class")
    print(f"{arguments.output}: maps of {len(maps)} years")
    return 0


def named(given: list[str]) -> dict[str, str]:
    """Folders by the name of the year, in order.

    Raises
    ------
    ConfigError
        If something is no `NAME=OUTPUT`, or a name stands twice.

    >>> named(["2018=a", "2019=b"])
    {'2018': 'a', '2019': 'b'}
    """
    found: dict[str, str] = {}
    for text in given:
        name, sign, folder = text.partition("=")
        if not (sign and folder and re.fullmatch(r"\w[\w-]*", name)):
            raise ConfigError(
                f"{text}: write NAME=OUTPUT, as 2018=results_2018; NAME becomes part of the name of a file"
            )
        if name in found:
            raise ConfigError(f"{text}: {name} stands twice")
        found[name] = folder
    return found
