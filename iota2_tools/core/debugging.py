"""Python's debugger inside a job, at a terminal: what a job prints goes to its log."""

import os
import pdb
import sys
import traceback
from bdb import BdbQuit
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from iota2_tools.core.errors import ConfigError

TERMINAL = "IOTA2_DEBUGGER"
"""Variable of the environment that names a terminal (`/dev/tty`); unset or empty: no debugger."""

# Between the script of a job and this module.
_SURROUNDINGS = ("bdb", "contextlib", "iota2_tools.core.jobs", __name__)


@contextmanager
def debugged() -> Iterator[None]:
    """Stop where the work of a job begins, at each `breakpoint()`, and where it fails.

    Does nothing unless `IOTA2_DEBUGGER` names a terminal. What the job starts is not debugged.

    Raises
    ------
    ConfigError
        If that cannot be opened.
    """
    terminal = os.environ.pop(TERMINAL, "")
    if not terminal:
        yield
        return
    try:
        # Not one file for both: a terminal cannot be sought in.
        with (
            open(terminal, encoding="utf-8") as typed,
            open(terminal, "w", encoding="utf-8") as shown,
        ):
            debugger = pdb.Pdb(stdin=typed, stdout=shown, skip=_SURROUNDINGS, nosigint=True)
            with _stopping(debugger):
                yield
    except OSError as error:
        if error.filename != terminal:
            raise
        raise ConfigError(
            f"{TERMINAL} is {terminal}, which cannot be opened ({error.strerror}): "
            "start the job from a terminal"
        ) from None


@contextmanager
def _stopping(debugger: pdb.Pdb) -> Iterator[None]:
    """Stop at the caller's next line; show where an error comes from before it goes on."""
    hook = sys.breakpointhook
    sys.breakpointhook = lambda *_, **__: debugger.set_trace(sys._getframe(1))
    script = _frame_of_the_script()
    debugger.set_trace(script)
    _stop_at_lines_only(debugger, script)
    try:
        yield
    except BdbQuit:
        raise SystemExit(1) from None
    except Exception as error:
        sys.settrace(None)
        print(*traceback.format_exception(error), sep="", file=debugger.stdout)
        debugger.reset()
        debugger.interaction(None, error.__traceback__)
        raise
    finally:
        sys.settrace(None)
        sys.breakpointhook = hook


def _stop_at_lines_only(debugger: pdb.Pdb, frame: FrameType | None) -> None:
    """Not within the line that begins the work, as Python 3.13 would."""
    debugger.set_step()
    while frame:
        frame.f_trace_opcodes = False
        frame = frame.f_back


def _frame_of_the_script() -> FrameType:
    frame = sys._getframe()
    while frame.f_globals.get("__name__") in _SURROUNDINGS and frame.f_back:
        frame = frame.f_back
    return frame
