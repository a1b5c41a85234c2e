"""Errors that a user can mend.

Everything derived from `Iota2Error` says what was found, where, and what to do. It is shown
without traceback; any other exception is a fault of the chain itself.
"""

from collections.abc import Iterable


class Iota2Error(Exception):
    """A problem of configuration, input or machine, told to the user as it is."""


class ConfigError(Iota2Error):
    """The configuration file asks for something impossible."""


class InputDataError(Iota2Error):
    """An image, mask, vector or table given by the user cannot be used."""


class UserCodeError(Iota2Error):
    """A Python function of the user cannot be loaded, fails, or gives what no feature can be."""


class OutputError(Iota2Error):
    """A product could not be written whole: disk full, quota, permission."""


def unwritable(path: str, reason: object) -> OutputError:
    """The error of a file that could not be written."""
    return OutputError(
        f"{path}: cannot be written ({reason}); check the free space, the quota and the "
        "permissions of that folder, then run again"
    )


def unopened(path: str, reason: object, remedy: str) -> Iota2Error:
    """The error of an image that could not be opened; not its own fault where it may not be.

    Parameters
    ----------
    path : str
        The image.
    reason : object
        What GDAL says.
    remedy : str
        What to do where nothing else explains it.
    """
    if "Too many open files" in str(reason):
        return Iota2Error(
            f"{path}: cannot be opened ({reason}): this process may open no more at once; ask for a "
            "higher limit (`ulimit -Hn` tells the present one)"
        )
    if "Permission denied" in str(reason):
        remedy = "its permissions, or those of its folder, do not let you read it"
    return InputDataError(f"{path}: cannot be opened ({reason}); {remedy}")


class SeamError(Iota2Error):
    """Parts of a map that were made apart do not agree where they meet."""


class LearningError(Iota2Error):
    """A model cannot be learnt from, or applied to, what it was given."""


class MissingSoftwareError(Iota2Error):
    """A program or library the chain needs is absent or cannot be loaded."""


class ClusterError(Iota2Error):
    """The scheduler of a cluster refuses, is silent, or still runs what must not run twice."""


class Listed(str):
    """A message of several problems, which remembers them.

    Parameters
    ----------
    subject : str
        What has them.
    problems : iterable
        One sentence each, or what `str` makes one of (`core.findings.Finding`).
    advice : str
        What to do about each that does not say so itself; the last line.
    """

    subject: str
    problems: tuple[object, ...]
    advice: str

    def __new__(cls, subject: str, problems: Iterable[object], advice: str = "") -> "Listed":
        """Write the message."""
        every = tuple(problems)
        plural = "" if len(every) == 1 else "s"
        lines = [f"{subject} has {len(every)} problem{plural}:"]
        lines += ["  " + str(problem).replace("\n", "\n    ") for problem in every]
        lines += [advice] if advice else []
        message = super().__new__(cls, "\n".join(lines))
        message.subject, message.problems, message.advice = subject, every, advice
        return message


def one_message(title: str, problems: Iterable[object], advice: str = "") -> Listed:
    """Gather problems under a title, one indented line each.

    >>> print(one_message("config.yaml", ["tiles: empty"]))
    config.yaml has 1 problem:
      tiles: empty
    """
    return Listed(title, problems, advice)
