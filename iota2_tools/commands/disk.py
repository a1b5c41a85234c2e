"""`iota2 disk`: what takes the space in a production, and what it would cost to make it again."""

import argparse


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "disk",
        help="what takes the space in a production, and what it costs to make it again",
        epilog="example: iota2 disk results",
    )
    parser.add_argument("output", help="output folder of a production, or its configuration")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a table; exit code."""
    from iota2_tools.commands.production import output_folder
    from iota2_tools.core.words import number
    from iota2_tools.publishing.housekeeping import ALWAYS_KEPT, OTHERS, usage

    rows = usage(output_folder(arguments.output))
    width = max(len(row.group) for row in rows)
    print(f"{'':<{width}}  {'files':>8}  {'MB':>10}  {'CPU hours':>9}")
    for row in rows:
        hours = "-" if row.cpu_hours is None else number(row.cpu_hours, 2)
        size = number(row.size / 1e6, 1)
        print(f"{row.group:<{width}}  {row.files:>8}  {size:>10}  {hours:>9}  {row.about}")
    total = number(sum(row.size for row in rows) / 1e6, 1)
    print(f"{'all':<{width}}  {sum(row.files for row in rows):>8}  {total:>10}")
    print(
        f"\nCPU hours: what the jobs took that made it, to make it again. `iota2 clean` removes all but "
        f"{', '.join(ALWAYS_KEPT)}, {OTHERS} and what is kept by name."
    )
    return 0
