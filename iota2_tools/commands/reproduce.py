"""`iota2 reproduce`: a production made again from its lock, and compared with it."""

import argparse
from pathlib import Path


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command; the others are Snakemake's."""
    parser = commands.add_parser(
        "reproduce",
        help="make a production again from its lock, and say what differs, where and why",
        description="Checks the inputs against a lock, makes the production again, and compares every final "
        "product by what it holds. Options that it does not know are Snakemake's. Exit code 1 if something differs.",
        epilog="example: iota2 reproduce results/final/production.lock --inputs /mnt/copy --cores 4",
    )
    parser.add_argument("lock", help="production.lock, or the folder of a production or an archive")
    parser.add_argument(
        "--inputs",
        type=Path,
        metavar="FOLDER",
        help="where the inputs lie now: relative paths from there; it also stands for the folder that all "
        "inputs with absolute paths lie in (default: as the lock says, from this folder)",
    )
    parser.add_argument(
        "--output", default="reproduced", help="folder of what is made (%(default)s)"
    )
    parser.set_defaults(run=run, options=[])


def run(arguments: argparse.Namespace) -> int:
    """Make it again and print what differs; exit code."""
    from iota2_tools.commands.run import run_production
    from iota2_tools.planning.whereabouts import place_of
    from iota2_tools.publishing.lock import final_of, lock_in, read_lock
    from iota2_tools.publishing.reproduction import check_output, outcome, prepare

    path = lock_in(arguments.lock)
    lock = read_lock(path)
    check_output(arguments.output, path)
    changed, configfile = prepare(lock, arguments.inputs, arguments.output)
    print(f"{len(lock.inputs)} input(s) looked at, {len(changed)} changed")
    for change in changed:
        print(f"  {change}")
    # The products and their lock alone: the report is no product.
    code = run_production(place_of(configfile), ["catalogue", *arguments.options])
    made = Path(arguments.output, "final")
    if code:
        return code
    again = read_lock(lock_in(made))
    original = final_of(path)
    found = outcome(lock, original, again, made, changed)
    print(f"\n{found.same} product(s) hold the same, {len(found.differing)} differ")
    for name, where in found.differing.items():
        print(f"  {name}: {where}")
    for name, where in found.altered.items():
        print(f"  {original / name}: was altered since: {where}")
    if found.differing:
        print("not as it was:" if found.reasons else "all that is known is as it was")
        for reason in found.reasons:
            print(f"  {reason}")
    return 1 if found.differing or found.altered else 0
