"""Random numbers that are a function of a key and a place, and noise made of them.

No generator state: the number at (x, y) is a hash of (key, x, y), hence the same in whatever
order, block or process it is asked for. Keys come from `stream_key`, one per phenomenon.

References
----------
Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators (splitmix64).
"""

import hashlib
from statistics import NormalDist

import numpy as np

from iota2_tools.core.kernels import kernel

GAUSSIAN_BITS = 10


def stream_key(seed: int, *names: object) -> np.uint64:
    """Key of one stream of random numbers, e.g. ``stream_key(1, "cloud", "2018-05-04")``."""
    text = "/".join(str(part) for part in (seed, *names))
    return np.uint64(
        int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
    )


def gaussian_table() -> np.ndarray:
    """Quantiles of the standard normal law, shape (1024,), float32.

    Indexed by ten random bits it draws a normal deviate between -3.3 and 3.3.
    """
    count = 1 << GAUSSIAN_BITS
    law = NormalDist()
    return np.array([law.inv_cdf((i + 0.5) / count) for i in range(count)], dtype=np.float32)


@kernel
def mix(value):
    """Finaliser of splitmix64: a bijection of 64 bits that looks random."""
    value = np.uint64(value) + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@kernel
def hash_at(key, x, y):
    """64 random bits of an integer place (x, y), which may be negative."""
    first = mix(np.uint64(key) ^ (np.uint64(np.int64(x)) * np.uint64(0xD6E8FEB86659FD93)))
    return mix(first ^ (np.uint64(np.int64(y)) * np.uint64(0xA0761D6478BD642F)))


@kernel
def uniform(bits):
    """Number in [0, 1) from 64 random bits."""
    return np.float64(np.uint64(bits) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@kernel
def normal(bits):
    """Nearly normal number in (-4.9, 4.9), mean 0, deviation 1: a sum of eight bytes.

    (Irwin and Hall's approximation; exact in integers, hence the same on any machine.)
    """
    bits = np.uint64(bits)
    total = 0.0
    for _ in range(8):
        total += np.float64(bits & np.uint64(255))
        bits = bits >> np.uint64(8)
    return (total - 1020.0) / 209.0178


@kernel
def value_noise(key, x, y):
    """Smooth noise in (-1, 1) on a lattice of unit spacing (quintic interpolation).

    Parameters
    ----------
    key : uint64
        Stream.
    x, y : float
        Position in lattice units (pixels divided by the wavelength).
    """
    left = np.floor(x)
    top = np.floor(y)
    u = x - left
    v = y - top
    u = u * u * u * (u * (u * 6.0 - 15.0) + 10.0)
    v = v * v * v * (v * (v * 6.0 - 15.0) + 10.0)
    i = np.int64(left)
    j = np.int64(top)
    upper = uniform(hash_at(key, i, j)) * (1.0 - u) + uniform(hash_at(key, i + 1, j)) * u
    lower = uniform(hash_at(key, i, j + 1)) * (1.0 - u) + uniform(hash_at(key, i + 1, j + 1)) * u
    return 2.0 * (upper * (1.0 - v) + lower * v) - 1.0
