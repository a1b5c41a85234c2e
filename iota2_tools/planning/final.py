"""The files of `final`: those that stages name, and those that their rules write beside them."""

import re
from collections.abc import Iterable, Iterator

_BESIDE = (
    (r"(Classif\w*)\.tif", (r"\1.qml", r"\1.tif.aux.xml")),
    (r"((?:Confidence|Choice|diff|PixelsValidity)\w*)\.tif", (r"\1.qml",)),
    (r"(Classif_raw_Seed_\d+)\.tif", (r"Confusion_Matrix_\1.csv", r"Confusion_Matrix_\1.png")),
    (
        r"(Classif_Regularised_\w+)\.tif",
        (r"Confusion_Matrix_\1.csv", r"Confusion_Matrix_\1.png"),
    ),
    (r"RESULTS_Regularised\.txt", ("scores_Regularised.csv", "scores_Regularised.png")),
)
"""Name of a product, and those of what stands beside it."""


def with_side_files(products: Iterable[str], *, judged: bool = True) -> list[str]:
    """Final products and what their rules write beside them, each once, by path.

    Parameters
    ----------
    judged : bool
        Whether there is a reference, and so a matrix beside each map.

    >>> with_side_files(["results/final/diff_seed_0.tif"])
    ['results/final/diff_seed_0.qml', 'results/final/diff_seed_0.tif']
    """
    found = {path for product in products for path in [product, *_beside(product)]}
    return sorted(path for path in found if judged or "/Confusion_Matrix_" not in path)


def _beside(product: str) -> Iterator[str]:
    folder, _, name = product.rpartition("/")
    for pattern, others in _BESIDE:
        if found := re.fullmatch(pattern, name):
            yield from (f"{folder}/{found.expand(other)}" for other in others)
