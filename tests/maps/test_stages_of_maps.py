"""Each stage runs by itself, on what the stages before it have made, and writes the same again."""

import pytest
from stages import products_of, runs_alone

STAGES = (
    "regularisation",
    "fusion",
    "fusion_validation",
    "vectorisation",
    "statistics",
    "delivery",
)
"""Not the report: it tells when jobs ran."""


@pytest.fixture(scope="module")
def products(whole_production) -> list[tuple[str, str]]:
    return products_of(whole_production)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_runs_alone_and_writes_the_same(stage, whole_production, products, tmp_path):
    runs_alone(stage, whole_production, products, tmp_path / "copy")
