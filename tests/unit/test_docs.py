"""Documents that are generated, or name what the code holds."""

import re
from pathlib import Path

import pytest

from iota2_tools.cluster.site import site_schema
from iota2_tools.planning.configuration import configuration_page, configuration_schema

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("docs/configuration.md", configuration_page),
        ("workflow/schemas/config.schema.yaml", configuration_schema),
        ("workflow/schemas/site.schema.yaml", site_schema),
    ],
)
def test_generated_files_are_those_of_the_models(path, expected):
    assert (ROOT / path).read_text(encoding="utf-8") == expected(), "run `make docs`"


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
