"""Files of the project that git knows or would take, found without git, as a copy of the project has none."""

import os
from functools import cache
from pathlib import Path

import pathspec


@cache
def files_of_project(root: Path) -> list[str]:
    """Their paths below a folder."""
    lines = (root / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = pathspec.PathSpec.from_lines("gitignore", [*lines, ".git/"])
    names = []
    for folder, folders, files in os.walk(root):
        inside = Path(folder).relative_to(root)
        folders[:] = [name for name in folders if not ignored.match_file(f"{inside / name}/")]
        names += [str(inside / name) for name in files]
    return [name for name in names if not ignored.match_file(name)]
