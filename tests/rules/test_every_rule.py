"""No rule without a test of its own."""

import re
from pathlib import Path

import pytest
from rule_texts import rule_texts

HERE = Path(__file__).parent
FILES = [*HERE.glob("test_rules_*.py"), *HERE.parent.glob("maps/test_rules_*.py")]
TESTS = re.findall(r"^def (test_\w+)", "\n".join(path.read_text() for path in FILES), re.M)


WRITERS = [name for name, rule in rule_texts().items() if "    output:\n" in rule.body]
"""The other rules are names for what these write."""


@pytest.mark.parametrize("rule", WRITERS)
def test_each_rule_has_a_test_here_that_begins_with_its_name(rule):
    assert any(name.startswith(f"test_{rule}_") for name in TESTS), (
        f"rule {rule} is run by no test of tests/rules or tests/maps; write one named test_{rule}_…"
    )
