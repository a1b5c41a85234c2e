"""Faults of the chain itself: one line for the user, the traceback in a log."""

import os
import sys
import tempfile
import traceback
from contextlib import suppress
from datetime import datetime
from pathlib import Path

FAULT = 70
"""Exit code: EX_SOFTWARE of sysexits.h."""


def one_line(error: BaseException, log: str) -> str:
    """What a user is told of a fault.

    >>> one_line(KeyError("B4"), "iota2.log")
    "a fault of the chain, KeyError: 'B4' (log: iota2.log); please report it, with that log"
    """
    reason = " ".join(str(error).split())
    told = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
    where = f"log: {log}" if log else "no log could be written"
    if isinstance(error, MemoryError):
        return f"too little memory, {told} ({where}); give it more (a job: --set-resources RULE:mem_mb=…)"
    return f"a fault of the chain, {told} ({where}); please report it, with that log"


def fault(error: BaseException) -> int:
    """Write the traceback of a fault into a log, tell the user in a line; exit code."""
    print(f"iota2: {one_line(error, written(error))}", file=sys.stderr)
    return FAULT


def written(error: BaseException) -> str:
    """Write a traceback into a log of its own; its path, empty if no folder takes one."""
    text = " ".join(sys.argv) + "\n" + "".join(traceback.format_exception(error))
    name = f"iota2_{datetime.now():%Y%m%d_%H%M%S}_{os.getpid()}.log"
    for folder in _folders():
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
            return str(folder / name)
    return ""


def _folders() -> list[Path]:
    """Where logs of faults go: the user's cache, else the temporary folder."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    home = os.path.expanduser("~")
    cache = Path(given) if os.path.isabs(given) else Path(home) / ".cache"
    return [cache / "iota2-tools" / "faults", Path(tempfile.gettempdir())]
