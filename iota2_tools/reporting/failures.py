"""What the jobs of a run that failed say, gathered from their logs for its end."""

import re
from pathlib import Path

ERROR = re.compile(r"^\S+ \S+ ERROR\s+\S+: (.*?)(?=^\d{4}-\d\d-\d\d \d\d:|\Z)", re.M | re.S)
"""An error as `logs.FORMAT` writes it, with all its lines."""


def told_failures(logs: Path, since: float) -> str:
    """Messages of the jobs that failed, each under the log it is from; empty if none tells one.

    A job that was killed says nothing; of an unexpected exception the last line is given.

    Parameters
    ----------
    logs : Path
        Folder of the logs of a production.
    since : float
        Seconds since the epoch; logs written before are of earlier runs.
    """
    parts = []
    for log in sorted(logs.rglob("*.log")):
        if log.stat().st_mtime < since:
            continue
        found = ERROR.findall(log.read_text(encoding="utf-8", errors="replace"))
        if found:
            parts.append(f"{log}:\n{_indented(_message(found[-1]))}")
    return "\n".join(parts)


def _message(error: str) -> str:
    """The message itself, or what an unexpected exception says."""
    lines = error.rstrip().splitlines()
    if any(line.startswith("Traceback") for line in lines):
        return lines[-1]
    return "\n".join(lines)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
