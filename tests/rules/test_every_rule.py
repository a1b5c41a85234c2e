"""No rule without a test of its own."""

import re
from pathlib import Path

import pytest
from conftest import ROOT

HERE = Path(__file__).parent
TESTS = re.findall(
    r"^def (test_\w+)", "\n".join(path.read_text() for path in HERE.glob("test_rules_*.py")), re.M
)


def rules_with_outputs() -> list[str]:
    """Rules that write something; the others are names for what others write."""
    found = []
    for path in sorted((ROOT / "rules").glob("*.smk")):
        pattern = r"^(?:use rule \w+ as|rule) (\w+)(?: with)?:\n((?:    .*\n|\n)+)"
        for name, body in re.findall(pattern, path.read_text(), re.M):
            if re.search(r"^    output:", body, re.M):
                found.append(name)
    return found


@pytest.mark.parametrize("rule", rules_with_outputs())
def test_each_rule_has_a_test_here_that_begins_with_its_name(rule):
    assert any(name.startswith(f"test_{rule}_") for name in TESTS), (
        f"rule {rule} is run by no test of tests/rules; write one named test_{rule}_…"
    )
