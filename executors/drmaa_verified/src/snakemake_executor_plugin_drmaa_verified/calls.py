"""Calls of a library that may never return: made one at a time, waited for a stated time."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class NoAnswer(Exception):
    """A call did not return in time. It may still do its work."""


class Calls:
    """Makes calls in a thread of its own, which a call that never returns may keep for ever.

    Parameters
    ----------
    seconds : float
        How long an answer is waited for.
    """

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._waiting: queue.SimpleQueue = queue.SimpleQueue()
        # Not of a pool: Python waits for the threads of pools at its end.
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            answer, function, arguments = self._waiting.get()
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                answer.set_result(function(*arguments))
            except BaseException as error:
                answer.set_exception(error)

    def __call__(self, function: Callable[..., T], *arguments: object) -> T:
        """Call a function; what it returns or raises.

        Raises
        ------
        NoAnswer
            If that takes too long. If it had not begun, for an earlier call was not over, it
            never will.
        """
        answer: Future[T] = Future()
        self._waiting.put((answer, function, arguments))
        try:
            return answer.result(self._seconds)
        except TimeoutError:
            if answer.done():
                return answer.result()  # it ended at this very moment, or raised this itself
            answer.cancel()
            raise NoAnswer(f"no answer in {self._seconds:g} s") from None
