"""The confusion matrix of a map, as a table and as a figure."""

import numpy as np

from iota2_tools.assessing.scores import read_matrix_csv, write_matrix_csv
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
