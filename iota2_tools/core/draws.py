"""Random draws that depend on the seed and on the names of what is drawn alone."""

import hashlib

import numpy as np


def generator(random_seed: int, *names: object) -> np.random.Generator:
    """Random generator that depends on the seed and on the names of what it draws only.

    So a class or region more leaves the draws of the others as they were.
    """
    text = "/".join(str(name) for name in (random_seed, *names))
    return np.random.Generator(
        np.random.PCG64(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16]))
    )
