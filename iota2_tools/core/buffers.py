"""Memory that is taken once for the windows of a job."""

import math
import sys

import numpy as np
from numpy.typing import DTypeLike


class Buffer:
    """Memory for an array of each window, one after the other.

    The system clears memory before it gives it, and takes it back when an array of this size is
    dropped. For the images of a window that takes as long as to decode them.
    """

    def __init__(self) -> None:
        self._memory = np.empty(0, np.uint8)
        self._unused = self._references()

    def _references(self) -> int:
        """References to the memory; how many there are without any array depends on the interpreter."""
        return sys.getrefcount(self._memory)

    def array(self, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
        """An array, C-contiguous, not cleared.

        It takes the place of the one before, unless something still refers to that one or to a
        part of it.
        """
        size = math.prod(shape) * np.dtype(dtype).itemsize
        in_use = self._references() > self._unused
        if in_use or size > self._memory.size:
            self._memory = np.empty(0, np.uint8)  # what was there is given back before
            self._memory = np.empty(size, np.uint8)
        return self._memory[:size].view(dtype).reshape(shape)
