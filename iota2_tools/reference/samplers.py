"""Which pixels of a class are taken, one batch of them after the other."""

from collections.abc import Callable
from typing import Protocol

import numpy as np


class Sampler(Protocol):
    """Takes a given number of the pixels of a class, which come to it in batches of any size."""

    def take(self, number: int) -> np.ndarray:
        """Which of the next `number` pixels are taken, bool, shape (number,)."""


class PeriodicSampler:
    """Takes pixels at equal intervals, as OTB's periodic sampler without jitter does.

    The arithmetic is OTB's in double precision: of `pixels`, one more than `samples` is taken where
    ``samples / pixels`` has been rounded up. So the number of samples is OTB's in every case.

    Parameters
    ----------
    samples : int
        Pixels to take.
    pixels : int
        Pixels that will come, at least `samples`.
    """

    def __init__(self, samples: int, pixels: int) -> None:
        self._rate = samples / pixels
        self._seen = 0

    def take(self, number: int) -> np.ndarray:
        """See `Sampler`."""
        position = np.arange(self._seen, self._seen + number + 1, dtype=np.float64)
        self._seen += number
        return np.diff(np.ceil(position * self._rate)) > 0


class RandomSampler:
    """Takes pixels by chance: each set of `samples` of the `pixels` is as likely as any other.

    It goes through blocks of `BLOCK` pixels, whatever the batches are: how many of a block are
    taken is a hypergeometric number, which ones are drawn among them. Memory is that of a block.

    Parameters
    ----------
    samples, pixels : int
        Pixels to take, and pixels that will come.
    random : numpy Generator
        Of this class alone.
    """

    BLOCK = 4096

    def __init__(self, samples: int, pixels: int, random: np.random.Generator) -> None:
        self._wanted = samples
        self._left = pixels
        self._random = random
        self._block = np.zeros(0, dtype=bool)

    def take(self, number: int) -> np.ndarray:
        """See `Sampler`."""
        taken = np.zeros(number, dtype=bool)
        done = 0
        while done < number and (self._left or len(self._block)):
            if not len(self._block):
                self._block = self._draw_block()
            part = self._block[: number - done]
            taken[done : done + len(part)] = part
            self._block = self._block[len(part) :]
            done += len(part)
        return taken

    def _draw_block(self) -> np.ndarray:
        size = min(self.BLOCK, self._left)
        chosen = self._random.hypergeometric(self._wanted, self._left - self._wanted, size)
        block = np.zeros(size, dtype=bool)
        block[self._random.choice(size, chosen, replace=False, shuffle=False)] = True
        self._wanted -= chosen
        self._left -= size
        return block


def sampler(
    kind: str, samples: int, pixels: int, random: Callable[[], np.random.Generator]
) -> Sampler:
    """A sampler by its name in the configuration: ``random`` or ``periodic``."""
    if kind == "periodic":
        return PeriodicSampler(samples, pixels)
    return RandomSampler(samples, pixels, random())
