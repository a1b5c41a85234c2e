"""The progress of a run on a terminal, or as plain lines where there is none."""

import shutil
import time
from collections.abc import Iterable
from datetime import datetime
from typing import TextIO

from iota2_tools.core.words import duration, wildcards_told
from iota2_tools.planning.progress import Progress

CLEAR = "\r\x1b[K"
SECONDS_BETWEEN = 30
"""Between two plain lines, but for the end of a stage."""


class Shown:
    """Shows messages and progress.

    Parameters
    ----------
    stream : TextIO
        Where to; a terminal gets one line that is written again, others a line now and then.
    progress : Progress
        What is known so far.
    """

    def __init__(self, stream: TextIO, progress: Progress) -> None:
        self._stream, self._progress = stream, progress
        self._terminal = stream.isatty()
        self._last, self._said = 0.0, ""
        self._stage: tuple[str, ...] = ()
        self._failed: set[int] = set()
        self._looked = 0.0
        self._stopped = False

    def stop(self) -> None:
        """Say that the run is stopped by the user; what jobs tell of it from here on is left out."""
        if not self._stopped:
            self._print("stopping: jobs at work are ended; what is done is kept")
        self._stopped = True

    def message(self, line: str) -> None:
        """Show a line of the run; the progress goes below it."""
        if not self._stopped and (line.strip() or not self._terminal):
            self._print(line)

    def take(self, lines: Iterable[str]) -> None:
        """Take lines of the journal, and show how far it is."""
        self._progress.feed(lines)
        if self._stopped:
            return
        for item in self._progress.failed:
            if item["job"] not in self._failed:
                self._failed.add(item["job"])
                told = wildcards_told(item["wildcards"])
                where = f"; log: {item['log'][0]}" if item["log"] else ""
                self._print(f"failed: {item['rule']}{told}{where}")
        if self._progress.begun and not self._progress.ended:
            self._redraw() if self._terminal else self._now_and_then()

    def _print(self, line: str) -> None:
        before = CLEAR if self._terminal and self._said else ""
        self._stream.write(f"{before}{line}\n")
        self._said = ""
        self._stream.flush()

    def _redraw(self) -> None:
        if time.time() - self._looked < 0.5 and self._said:
            return
        self._looked = time.time()
        width = shutil.get_terminal_size().columns - 1
        line = f"{self._progress.line()}"[:width]
        if line != self._said:
            self._stream.write(f"{CLEAR}{line}")
            self._stream.flush()
            self._said = line

    def _now_and_then(self) -> None:
        complete = tuple(
            stage for stage, (done, total) in self._progress.by_stage().items() if done == total
        )
        now = time.time()
        if not self._last or now - self._last >= SECONDS_BETWEEN or complete != self._stage:
            self._last, self._stage = now, complete
            self._print(f"{datetime.now():%H:%M:%S} {self._progress.line()}")

    def end(self, code: int) -> None:
        """Say how it ended."""
        progress = self._progress
        if not progress.begun:
            self._print("nothing to be done: all is up to date" if code == 0 else "nothing was run")
        elif self._stopped and code:
            self._print(
                f"stopped: {progress.done.total()} of {progress.total} jobs done; the same command goes on from there"
            )
        elif code == 0:
            took = duration(progress.last - progress.begun)
            self._print(f"complete: {progress.done.total()} jobs in {took}")
        else:
            self._print(
                f"not complete: {progress.done.total()} of {progress.total} jobs done, "
                f"{len(progress.failed)} failed; what is done is kept, the same command goes on from there"
            )
