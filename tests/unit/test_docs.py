"""Documents that are generated, or name what the code holds."""

import re
from pathlib import Path

import pytest
from rule_texts import rule_texts, rules_with_scripts

from iota2_tools.cluster.site import site_schema
from iota2_tools.planning.configuration import configuration_page, configuration_schema
from iota2_tools.products.page import sensors_page
from iota2_tools.publishing.lock import lock_schema
from iota2_tools.reporting.page.model import report_schema

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("docs/configuration.md", configuration_page),
        ("docs/sensors.md", sensors_page),
        ("workflow/schemas/config.schema.yaml", configuration_schema),
        ("workflow/schemas/site.schema.yaml", site_schema),
        ("workflow/schemas/lock.schema.yaml", lock_schema),
        ("workflow/schemas/report.schema.yaml", report_schema),
    ],
)
def test_generated_files_are_those_of_the_models(path, expected):
    assert (ROOT / path).read_text(encoding="utf-8") == expected(), "run `make docs`"


def test_every_rule_has_its_log_and_benchmark_and_its_script_that_of_its_first_name():
    """Of `use rule mosaic_classes as mosaic_confidence` the script is that of mosaic_classes."""
    rules = rules_with_scripts()
    assert len(rules) > 20
    for name, (base, body) in rules.items():
        assert f"../workflow/scripts/{base}.py" in rules[base].body, name
        assert base == name or "script:" not in body, name
        assert f"<logs>/{name}" in body
        assert f"<benchmarks>/{name}" in body
        assert f'needs("{name}"' in body
        assert "algorithm=" in body


def test_every_script_is_that_of_a_rule():
    scripts = {path.stem for path in (ROOT / "workflow" / "scripts").glob("*.py")}
    assert scripts == {rule.base for rule in rules_with_scripts().values()}


def test_the_catalogue_names_every_final_product():
    catalogue = (ROOT / "docs" / "products.md").read_text(encoding="utf-8")
    for name in ("Classif_Seed_", "Confidence_Seed_", "ProbabilityMap_seed_", "PixelsValidity", "diff_seed_",
                 "Confusion_Matrix_Classif_Seed_", "Areas_Seed_", "RESULTS.txt", "scores.csv", "Classifications_fusion",
                 "Choice_Seed_", "RESULTS_seeds.txt", "production.lock", "production.qgz", "ro-crate-metadata.json",
                 "stac/"):  # fmt: skip
        assert name in catalogue


def test_files_of_the_user_are_no_inputs_of_snakemake():
    """Snakemake looks at dates; what these files hold is a parameter instead."""
    for name, rule in rule_texts().items():
        inputs = re.search(r"^    input:\n((?:        .*\n)+)", rule.body, re.MULTILINE)
        assert not inputs or "config" not in inputs[1], name
