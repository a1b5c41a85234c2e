"""The confusion matrix of a map, as a table and as a figure."""

import numpy as np
import pandas as pd

from iota2_tools.assessing.scores import confusion, read_matrix_csv, write_matrix_csv
from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.reporting.figures import write_matrix_figure


def write_sum(
    confusions: list[str], nomenclature: str, output: str, figure: str, title: str
) -> None:
    """Add up the confusion matrices of all tiles; write the sum as a table and a figure."""
    classes = read_nomenclature(nomenclature)
    total = np.sum([read_matrix_csv(path)[0] for path in confusions], axis=0)
    write_matrix_csv(total, classes, output)
    write_matrix_figure(total, classes, figure, title)


def write_confusion_of_folds(predictions: str, nomenclature: str, output: str) -> None:
    """Count what models say of learning polygons that they have not learnt.

    Samples of a class of a single polygon, of which nothing is said, do not count.

    Parameters
    ----------
    predictions : str
        Table of `learning.folds.write_folds`.
    """
    classes = read_nomenclature(nomenclature)
    table = pd.read_parquet(predictions, columns=["code", "said"])
    reference = np.where(table["said"] > 0, table["code"], 0)
    matrix = confusion(reference, table["said"].to_numpy(), classes.codes)
    write_matrix_csv(matrix, classes, output)
