"""A scheduler that does not answer: said once, waited for, never taken for a verdict."""

import time

from snakemake_interface_executor_plugins.logging import LoggerExecutorInterface

from .errors import ExecutorError


class Silence:
    """What the user is told of it.

    Parameters
    ----------
    limit : float
        How long it is borne, seconds.
    """

    def __init__(self, limit: float, logger: LoggerExecutorInterface):
        self._limit = limit
        self._logger = logger
        self._told = False

    def bear(self, since: float, words: str) -> None:
        """Tell of a silence since that monotonic time; an error once it is too long."""
        if time.monotonic() - since > self._limit:
            raise ExecutorError(
                f"the scheduler has not answered for {self._limit} s ({words}). Its jobs may "
                "still run and are recorded: start again when it is back; they are ended first, "
                "and what they did is done again"
            )
        if not self._told:
            self._told = True
            self._logger.info(
                f"The scheduler does not answer ({words}). "
                f"No job is judged by that; it is waited for, {self._limit} s at most."
            )

    def broken(self) -> None:
        """Tell that the scheduler answered, if it had been told silent."""
        if self._told:
            self._told = False
            self._logger.info("The scheduler answers again.")
