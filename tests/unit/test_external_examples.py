"""The examples of functions that give features, on curves and squares computed by hand."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from iota2_tools.features.block import Outline
from iota2_tools.features.external import ExternalFeatures, ExternalFunction
from iota2_tools.features.plan import series_features
from iota2_tools.features.user_modules import load_function

CONFIG = Path(__file__).parents[2] / "config"
DATES = (date(2018, 1, 1), date(2018, 1, 11), date(2018, 1, 21), date(2018, 1, 31), date(2018, 2, 10))  # fmt: skip


def season(curve, **parameters):
    """Start, length and peak of one pixel."""
    ndvi = np.array(curve, np.float32)[:, None, None]
    series = SimpleNamespace(dates=DATES, index={"NDVI": ndvi}.get)
    block = SimpleNamespace(
        series={"sentinel2": series}, parameters={"threshold": 0.5} | parameters
    )
    found = load_function(str(CONFIG / "phenology.py"), "season")(block)
    assert {values.dtype for values in found.values()} == {np.dtype("int16")}
    return [int(found[f"Season_{name}"][0, 0]) for name in ("start", "length", "peak")]


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        # Days 1, 11, 21, 31, 41. Level 500: reached on day 16, left on day 31.
        ((0, 0, 1000, 500, 0), (16, 15, 1000)),
        # Level 300: on day 11 exactly; left at 31 + 10 * 300/600 = 36.
        ((0, 300, 400, 600, 0), (11, 25, 600)),
        # It is above the level from the first date, or up to the last one.
        ((900, 1000, 600, 100, 0), (1, 22, 1000)),
        ((0, 100, 600, 1000, 900), (19, 22, 1000)),
        # A second rise is another season.
        ((0, 1000, 0, 900, 900), (6, 10, 1000)),
        # Flat, and never clear.
        ((300, 310, 350, 330, 399), (0, 0, 399)),
        ((0, 0, 0, 0, 0), (0, 0, 0)),
        # The last date is the highest.
        ((0, 0, 0, 0, 800), (36, 5, 800)),
    ],
)
def test_a_season_lies_between_the_crossings_of_half_its_amplitude(curve, expected):
    assert season(curve) == list(expected)


def test_threshold_and_amplitude_are_parameters():
    # Levels 250 and 750 of a rise by 1000 in ten days: days 13.5 and 18.5; the fall alike.
    assert season((0, 0, 1000, 0, 0), threshold=0.25)[1] == 15
    assert season((0, 0, 1000, 0, 0), threshold=0.75)[1] == 5
    assert season((0, 0, 50, 0, 0))[:2] == [0, 0]
    assert season((0, 0, 50, 0, 0), amplitude=50)[:2] == [16, 10]


def test_days_go_on_into_the_next_year():
    series = SimpleNamespace(
        dates=(date(2018, 10, 1), date(2019, 1, 1), date(2019, 1, 11)),
        index={"NDVI": np.array([0, 0, 1000], np.float32)[:, None, None]}.get,
    )
    block = SimpleNamespace(series={"x": series}, parameters={"threshold": 0.5, "series": "x"})
    found = load_function(str(CONFIG / "phenology.py"), "season")(block)
    assert found["Season_start"][0, 0] == 365 + 6


@pytest.mark.parametrize("margin", [1, 2])
def test_texture_is_the_standard_deviation_of_each_square(margin):
    rng = np.random.default_rng(0)
    band = rng.integers(-3000, 9000, (3, 7, 8)).astype(np.float32)
    series = SimpleNamespace(dates=DATES[:3], band={"nir": band}.get)
    block = SimpleNamespace(series={"sentinel2": series}, parameters={"band": "nir"}, margin=margin)
    found = load_function(str(CONFIG / "texture.py"), "deviation")(block)["Texture_nir"]
    assert found.shape == (7 - 2 * margin, 8 - 2 * margin)
    mean = band.mean(axis=0, dtype=np.float64)
    for row, col in np.ndindex(found.shape):
        square = mean[row : row + 2 * margin + 1, col : col + 2 * margin + 1]
        assert found[row, col] == pytest.approx(square.std(), rel=1e-5)


def test_the_examples_pass_the_trial():
    settings = {
        "sensor": "sentinel2", "part": "", "options": {"level": "FRE"}, "keep_bands": ["B4", "B8"],
        "indices": [], "additional_features": {}, "dates": [day.isoformat() for day in DATES],
    }  # fmt: skip
    outline = Outline({"sentinel2": series_features("sentinel2", settings)}, {}, 10)
    found = ExternalFeatures(
        [
            ExternalFunction(str(CONFIG / "phenology.py"), "season", {"threshold": 0.5}),
            ExternalFunction(str(CONFIG / "texture.py"), "deviation", {"band": "nir"}, 2),
        ],
        outline,
        [],
    )
    assert found.names == ["Season_start", "Season_length", "Season_peak", "Texture_nir"]
    assert found.margin == 2
