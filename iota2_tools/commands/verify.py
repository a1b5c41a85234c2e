"""`iota2 verify`: whether the final products are those that their lock tells of."""

import argparse


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "verify",
        help="whether the final products are those that their lock tells of",
        description="Whether the files of `final` are those that production.lock tells of: none altered, "
        "none missing, none of another run. Exit code 1 if not.",
        epilog="example: iota2 verify results",
    )
    parser.add_argument(
        "output",
        help="output folder of a production or its configuration, its archive, or its lock",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; exit code."""
    from iota2_tools.commands.production import output_folder
    from iota2_tools.publishing.lock import final_of, lock_in, read_lock
    from iota2_tools.publishing.verification import verify

    path = lock_in(output_folder(arguments.output))
    lock = read_lock(path)
    final = final_of(path)
    found = verify(lock, final)
    for finding in found:
        print(f"{final / finding.path}: {finding.what}")
    wrong = sum(finding.fatal for finding in found)
    if wrong:
        print(f"{wrong} file(s) are not as {path} says")
        return 1
    print(f"{final}: {len(lock.products)} file(s) are what {path.name} says")
    return 0
