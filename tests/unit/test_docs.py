"""Documents that are generated, or name what the code holds."""

import re
from pathlib import Path

from iota2_tools.config.settings import describe_schema

ROOT = Path(__file__).parents[2]


def test_the_configuration_page_is_that_of_the_schema():
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == describe_schema(), "run `make docs`"


def test_every_rule_has_its_script_log_and_benchmark_of_the_same_name():
    shared = {
        "mosaic_classes",
        "mosaic_confidence",
        "mosaic_probabilities",
        "mosaic_validity",
        "mosaic_differences",
    }
    text = "".join(
        path.read_text(encoding="utf-8") for path in sorted((ROOT / "rules").glob("*.smk"))
    )
    bodies = re.split(r"^rule (\w+):", text, flags=re.MULTILINE)[1:]
    for name, body in zip(bodies[::2], bodies[1::2], strict=True):
        if "script:" not in body:
            continue
        script = "mosaic_tiles" if name in shared else name
        assert f"../workflow/scripts/{script}.py" in body
        assert f"<logs>/{name}" in body
        assert f"<benchmarks>/{name}" in body
        assert "algorithm=" in body


def test_the_catalogue_names_every_final_product():
    catalogue = (ROOT / "docs" / "products.md").read_text(encoding="utf-8")
    for name in ("Classif_Seed_", "Confidence_Seed_", "ProbabilityMap_seed_", "PixelsValidity", "diff_seed_",
                 "Confusion_Matrix_Classif_Seed_", "RESULTS.txt", "scores.csv"):  # fmt: skip
        assert name in catalogue
