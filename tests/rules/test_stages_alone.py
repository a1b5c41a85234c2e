"""Each stage runs by itself, on what the stages before it have made, and writes the same again."""

import pytest
from stages import products_of, runs_alone

STAGES = (
    "prepare",
    "init",
    "sampling",
    "features",
    "learning",
    "classification",
    "mosaic",
    "validation",
    "catalogue",
)


@pytest.fixture(scope="module")
def products(small_production) -> list[tuple[str, str]]:
    return products_of(small_production)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_runs_alone_and_writes_the_same(stage, small_production, products, tmp_path):
    runs_alone(stage, small_production, products, tmp_path / "copy")
