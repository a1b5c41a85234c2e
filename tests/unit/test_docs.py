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


RULE = re.compile(r"^(?:rule (\w+)|use rule (\w+) as (\w+) with):", flags=re.MULTILINE)


def rules() -> dict[str, tuple[str, str]]:
    """Each rule that runs a script: the rule whose script that is, and its own text."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "rules").glob("*.smk"))
    heads = list(RULE.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    found = {}
    for head, end in zip(heads, ends, strict=True):
        name, base, own_name = head.groups()
        body = text[head.end() : end]
        if base or "script:" in body:
            found[own_name or name] = (base or name, body)
    return found


def test_every_rule_has_its_log_and_benchmark_and_its_script_that_of_its_first_name():
    """Of `use rule mosaic_classes as mosaic_confidence` the script is that of mosaic_classes."""
    assert len(rules()) > 20
    for name, (base, body) in rules().items():
        script = "../workflow/scripts/{}.py"
        assert script.format(base) in rules()[base][1], name
        assert base == name or "script:" not in body, name
        assert f"<logs>/{name}" in body
        assert f"<benchmarks>/{name}" in body
        assert f'needs("{name}"' in body
        assert "algorithm=" in body


def test_every_script_is_that_of_a_rule():
    scripts = {path.stem for path in (ROOT / "workflow" / "scripts").glob("*.py")}
    assert scripts == {base for base, _ in rules().values()}


def test_the_catalogue_names_every_final_product():
    catalogue = (ROOT / "docs" / "products.md").read_text(encoding="utf-8")
    for name in ("Classif_Seed_", "Confidence_Seed_", "ProbabilityMap_seed_", "PixelsValidity", "diff_seed_",
                 "Confusion_Matrix_Classif_Seed_", "Areas_Seed_", "RESULTS.txt", "scores.csv"):  # fmt: skip
        assert name in catalogue
