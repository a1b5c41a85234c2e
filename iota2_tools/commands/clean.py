"""`iota2 clean`: remove what a production has made on the way to its maps."""

import argparse
from pathlib import Path


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "clean",
        help="remove what a production has made on the way to its maps",
        description="Removes files of a production by group, after a question. Never what it did not make, and never "
        "the records of its inputs, without which all would be made again.",
        epilog="example: iota2 clean results --keep final,models,samples",
    )
    parser.add_argument("output", help="output folder of a production, or its configuration")
    parser.add_argument(
        "--keep",
        default="final,models,samples,logs,benchmarks",
        metavar="GROUP,…",
        help="groups to keep, by the names that `iota2 disk` tells (default: %(default)s)",
    )
    parser.add_argument("--yes", action="store_true", help="remove without a question")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask, and remove; exit code."""
    from iota2_tools.commands.production import output_folder
    from iota2_tools.core.words import number
    from iota2_tools.publishing.housekeeping import group_of, kept_groups, remove, to_remove

    output = output_folder(arguments.output)
    keep = kept_groups(arguments.keep)
    paths = to_remove(output, keep)
    if not paths:
        print("nothing to remove")
        return 0
    size = sum(Path(output, path).stat().st_blocks * 512 for path in paths)
    groups = ", ".join(dict.fromkeys(group_of(path) for path in paths))
    what = f"{len(paths)} file(s), {number(size / 1e6, 1)} MB: {groups}"
    if not arguments.yes and not _agreed(f"Remove {what}? [y/N] "):
        print("nothing was removed")
        return 1
    remove(output, paths)
    print(f"removed {what}")
    return 0


def _agreed(question: str) -> bool:
    """Whether the user says yes; no answer, as where there is no terminal, is no."""
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False
