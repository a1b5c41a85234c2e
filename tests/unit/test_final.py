"""Files of `final` beside those that stages name."""

import pytest

from iota2_tools.planning.final import with_side_files


@pytest.mark.parametrize(
    ("product", "beside"),
    [
        ("r/final/Classif_Seed_0.tif", ["Classif_Seed_0.qml", "Classif_Seed_0.tif.aux.xml"]),
        (
            "r/final/Classifications_fusion.tif",
            ["Classifications_fusion.qml", "Classifications_fusion.tif.aux.xml"],
        ),
        (
            "r/final/Classif_raw_Seed_12.tif",
            [
                "Classif_raw_Seed_12.qml", "Classif_raw_Seed_12.tif.aux.xml",
                "Confusion_Matrix_Classif_raw_Seed_12.csv", "Confusion_Matrix_Classif_raw_Seed_12.png",
            ],
        ),
        (
            "r/final/Classif_Regularised_fusion.tif",
            [
                "Classif_Regularised_fusion.qml", "Classif_Regularised_fusion.tif.aux.xml",
                "Confusion_Matrix_Classif_Regularised_fusion.csv",
                "Confusion_Matrix_Classif_Regularised_fusion.png",
            ],
        ),
        ("r/final/diff_seed_0.tif", ["diff_seed_0.qml"]),
        ("r/final/PixelsValidity.tif", ["PixelsValidity.qml"]),
        ("r/final/ProbabilityMap_seed_0.tif", []),
        ("r/final/features/Classif.tif_x", []),
        ("r/final/RESULTS_Regularised.txt", ["scores_Regularised.csv", "scores_Regularised.png"]),
    ],
)  # fmt: skip
def test_what_rules_write_beside_a_product(product, beside):
    folder = product.rpartition("/")[0]
    assert with_side_files([product]) == sorted([product, *(f"{folder}/{name}" for name in beside)])


def test_each_file_is_named_once():
    given = ["r/final/diff_seed_0.tif", "r/final/diff_seed_0.qml"]
    assert with_side_files(given) == sorted(given)


def test_without_a_reference_no_matrix_stands_beside_a_map():
    found = with_side_files(["r/final/Classif_Regularised_fusion.tif"], judged=False)
    assert found == [
        "r/final/Classif_Regularised_fusion.qml",
        "r/final/Classif_Regularised_fusion.tif",
        "r/final/Classif_Regularised_fusion.tif.aux.xml",
    ]
