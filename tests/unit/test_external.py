"""External features: what a function of the user gets, what it may give, and how it is tried."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from iota2_tools.core.errors import UserCodeError
from iota2_tools.features.block import Outline, Place
from iota2_tools.features.external import ExternalFeatures, ExternalFunction, problems_of
from iota2_tools.features.plan import series_features
from iota2_tools.geo.grid import Window
from iota2_tools.products import FORMATS, format_of

DATES = ("2018-01-01", "2018-01-11", "2018-01-21", "2018-01-31", "2018-02-10")
SERIES = series_features(
    "sentinel2",
    {
        "sensor": "sentinel2", "part": "", "options": {"level": "FRE"}, "keep_bands": ["B4", "B8"],
        "indices": ["NDVI"], "additional_features": {"Sum": "B4 + B8"}, "dates": DATES,
    },
)  # fmt: skip
OUTLINE = Outline({"sentinel2": SERIES}, {"ALT_band_1": False, "SOIL_band_1": True}, 10)
TILE = Window(0, 0, 6, 7)


class Given:
    """Arrays of a tile that a test gives; each is noted when it is asked for."""

    def __init__(self, window=TILE, **arrays):
        self.window, self.arrays, self.asked = window, arrays, []

    def __getattr__(self, kind):
        def get(*key):
            self.asked.append((kind, *key))
            return self.arrays["_".join((kind, *key))][(..., *self.window.slices)]

        return get

    def acquired(self, series):
        return [date(2018, 1, 3), date(2018, 1, 3)]


def numbers(layers=5, start=0):
    shape = (layers, TILE.rows, TILE.cols)
    return np.arange(start, start + np.prod(shape), dtype=np.float32).reshape(shape)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a module with one function `f`, and gives it as the configuration names it."""
    monkeypatch.chdir(tmp_path)

    def make(body, margin=0, missing=None, **parameters):
        lines = "\n".join("    " + line for line in body.splitlines())
        Path("mine.py").write_text(f"import numpy as np\n\ndef f(block):\n{lines}\n")
        return ExternalFunction("mine.py", "f", parameters, margin, missing)

    return make


@pytest.fixture
def features(write):
    return lambda body, **how: ExternalFeatures([write(body, **how)], OUTLINE, ["ALT_band_1"])


def computed(features, window=TILE, tile=TILE, **arrays):
    place = Place(window, features.margin, tile)
    with np.errstate(all="ignore"):
        return features.compute(Given(place.clipped, **arrays), place)


def test_a_band_by_its_name_and_by_its_role(features):
    found = features(
        "s = block.series['sentinel2']\nreturn {'A': s.band('B8')[0], 'B': s.band('nir')[4]}"
    )
    band = numbers()
    out = computed(found, band_sentinel2_B8=band)
    assert found.names == ["A", "B"]
    np.testing.assert_array_equal(out, band[[0, 4]])
    assert out.dtype == found.dtype == "float32"


def test_all_that_a_block_has(features):
    """Each value is asked for and put into a feature of its own."""
    found = features(
        "s = block.series['sentinel2']\n"
        "r = s.raw\n"
        "return np.stack([\n"
        "    s.index('NDVI')[1], s.index('Sum')[2], r.band('red')[1], r.clear[0], r.seen[1],\n"
        "    block.user_features['ALT_band_1'], np.full(block.shape, block.parameters['k']),\n"
        "    np.full(block.shape, block.resolution), block.inside,\n"
        "]), [f'F{n}' for n in range(9)]",
        missing=-1, k=2.5,
    )  # fmt: skip
    raw = numbers(2, 1000)
    clear, seen = np.indices((2, 6, 7)).sum(axis=0) % 2 == 0, np.indices((2, 6, 7))[1] < 3
    out = computed(
        found, index_sentinel2_NDVI=numbers(), index_sentinel2_Sum=numbers(start=500),
        raw_sentinel2_B4=raw, clear_sentinel2=clear, seen_sentinel2=seen, user_ALT_band_1=numbers(1)[0],
    )  # fmt: skip
    expected = [
        numbers()[1], numbers(start=500)[2], raw[1], clear[0], seen[1], numbers(1)[0],
        np.full((6, 7), 2.5), np.full((6, 7), 10), np.ones((6, 7)),
    ]  # fmt: skip
    np.testing.assert_array_equal(out, np.array(expected, np.float32))


def test_dates_are_those_of_the_series_and_of_the_acquisitions(write):
    body = """s = block.series['sentinel2']
block.parameters['kept'][:] = [s.dates, s.raw.dates, s.bands, s.roles]
return {'A': block.inside}"""
    kept = []
    computed(ExternalFeatures([write(body, kept=kept)], OUTLINE, []))
    assert kept == [
        tuple(date.fromisoformat(day) for day in DATES),
        (date(2018, 1, 3), date(2018, 1, 3)),
        ("B4", "B8"),
        {"red": "B4", "nir": "B8"},
    ]


def test_what_is_not_asked_for_is_not_made_and_what_is_asked_for_is_made_once(write):
    body = "s = block.series['sentinel2']\ns.band('B8')\nreturn {block.parameters['n']: s.band('nir')[0]}"
    functions = [write(body, n="A"), write(body, n="B")]
    found = ExternalFeatures(functions, OUTLINE, [])
    given = Given(band_sentinel2_B8=numbers())
    found.compute(given, Place(TILE, 0, TILE))
    assert given.asked == [("band", "sentinel2", "B8")]


def test_a_function_cannot_change_what_others_get(features):
    with pytest.raises(UserCodeError, match=r"mine\.py, line 5, in f \(`b\[0\] = 0`\).*read-only"):
        features("b = block.series['sentinel2'].band('B8')\nb[0] = 0\nreturn {'A': b[0]}")


def test_beyond_the_tile_its_nearest_pixel_is_repeated(features):
    found = features(
        "b = block.series['sentinel2'].band('B8')\nreturn {'A': b[0, 4:, 4:]}", margin=2
    )
    # The pixel two rows below and two columns to the right.
    rows, cols = np.minimum(np.arange(6) + 2, 5), np.minimum(np.arange(7) + 2, 6)
    expected = numbers()[0][np.ix_(rows, cols)]
    np.testing.assert_array_equal(computed(found, band_sentinel2_B8=numbers())[0], expected)
    found = features("return {'A': block.inside[4:, 4:]}", margin=2)
    assert computed(found)[0].tolist() == [[1] * 5 + [0] * 2] * 4 + [[0] * 7] * 2


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 7), (6, 1)])
def test_a_value_does_not_depend_on_the_block_also_where_that_is_smaller_than_the_margin(
    features, shape
):
    body = """b = block.series['sentinel2'].band('B8')[0]
m = block.margin
return {'A': sum(b[m+i:b.shape[0]-m+i, m+j:b.shape[1]-m+j] for i in (-m, 0, m) for j in (-m, 0, m))}"""
    found = features(body, margin=3)
    padded = np.pad(numbers()[0], 3, mode="edge")
    expected = sum(padded[i : i + 6, j : j + 7] for i in (0, 3, 6) for j in (0, 3, 6))
    for row in range(0, 6, shape[0]):
        for col in range(0, 7, shape[1]):
            window = Window(row, col, min(shape[0], 6 - row), min(shape[1], 7 - col))
            out = computed(found, window, band_sentinel2_B8=numbers())
            np.testing.assert_array_equal(out[0], expected[window.slices])


def test_each_function_has_its_own_margin(write):
    body = """b = block.series['sentinel2'].band('B8')[0]
assert b.shape == block.shape
return {block.parameters['n']: b}"""
    functions = [write(body, n="A"), write(body, n="B", margin=2), write(body, n="C", margin=1)]
    found = ExternalFeatures(functions, OUTLINE, [])
    assert found.margin == 2
    for window in (TILE, Window(2, 3, 2, 2)):
        out = computed(found, window, band_sentinel2_B8=numbers())
        np.testing.assert_array_equal(out, [numbers()[0][window.slices]] * 3)


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ("np.full(block.shape, 7, np.int16)", "int16", 7),
        ("np.full(block.shape, -7, np.int8)", "int16", -7),
        ("np.full(block.shape, 255, np.uint8)", "int16", 255),
        ("np.ones(block.shape, bool)", "int16", 1),
        ("np.full(block.shape, 40000, np.uint16)", "float32", 40000),
        ("np.full(block.shape, 7)", "float32", 7),
        ("np.full(block.shape, 0.5)", "float32", 0.5),
        ("np.full(block.shape, 2**24)", "float32", 2**24),
    ],
)
def test_small_whole_numbers_stay_int16_and_all_others_become_float32(
    features, values, dtype, expected
):
    found = features(f"return {{'A': {values}}}")
    assert found.dtype == dtype
    out = computed(found)
    assert out.dtype == dtype
    assert (out == expected).all()


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("None", "returns a NoneType: return a dictionary"),
        ("np.zeros(block.shape)", "returns a ndarray: return a dictionary"),
        ("{}", "returns 0 features with 0 names"),
        ("(np.zeros((2, *block.shape)), ['A'])", "returns 2 features with 1 names"),
        ("(np.zeros(block.shape), 'A')", "returns a tuple"),
        ("{'A': np.zeros((3, 3))}", "gives A the shape 3 x 3 for a block of 8 x 9 pixels;"),
        ("{'A': 1}", "gives A the shape a single number for a block of 8 x 9 pixels"),
        ("{'A': np.zeros((1, *block.shape))}", "gives A the shape 1 x 8 x 9"),
        ("{'A': np.zeros(block.shape, complex)}", "the type complex128; features are numbers"),
        ("{'A': np.full(block.shape, 'x')}", "the type <U1; features are numbers"),
        ("{'A': np.full(block.shape, np.nan)}", "no finite value at 72 of 72 pixels"),
        ("{'A': np.full(block.shape, 1e39)}", "no finite value at 72 of 72 pixels"),
        ("{'A': np.full(block.shape, 2**24 + 1)}", "whole numbers beyond 16777216"),
        ("{'A': np.full(block.shape, -2**24 - 1)}", "whole numbers beyond 16777216"),
        ("{'A-1': np.zeros(block.shape)}", "the name 'A-1'; names begin with a letter"),
        ("{'': np.zeros(block.shape)}", "the name ''"),
        ("{1: np.zeros(block.shape)}", "the name 1"),
        ("{'seed_0': np.zeros(block.shape)}", "the name 'seed_0'"),
        ("{'Code': np.zeros(block.shape)}", "the name 'Code', which is that of a column"),
        ("{'alt_band_1': np.zeros(block.shape)}", "'alt_band_1', which is that of another feature"),
        ("(np.zeros((2, *block.shape)), ['A', 'A'])", "gives two features the name 'A'"),
    ],
)  # fmt: skip
def test_what_no_feature_can_be_is_refused_before_the_first_job(features, result, expected):
    with pytest.raises(UserCodeError) as caught:
        features(f"return {result}")
    assert str(caught.value).startswith("external_features: mine.py: f ")
    assert expected in str(caught.value)


def test_names_of_two_functions_may_not_be_the_same(write):
    functions = [write("return {block.parameters['n']: block.inside}", n=n) for n in ("A", "a")]
    with pytest.raises(UserCodeError, match="gives a feature the name 'a', which is that of anoth"):
        ExternalFeatures(functions, OUTLINE, [])
    assert problems_of(functions, OUTLINE, []) == [
        "external_features: mine.py: f gives a feature the name 'a', which is that of another feature"
    ]


def test_names_of_one_function_may_not_differ_in_capitals_alone(write):
    functions = [write("return {'A': block.inside, 'a': block.inside}")]
    (problem,) = problems_of(functions, OUTLINE, [])
    assert "f gives two features the name 'A'" in problem


@pytest.mark.parametrize(
    "body",
    [
        "b = block.series['sentinel2'].band('B8')[0]\nreturn {'A': np.where(b > 0, np.log(b), -9)}",
        "b = block.series['sentinel2'].band('B8')[0]\nreturn {'A': np.ma.masked_less_equal(b, 0)}",
    ],
)
def test_the_user_names_a_value_for_what_is_not_finite_or_masked(features, body):
    found = features(body, missing=-5)
    out = computed(found, band_sentinel2_B8=numbers() - 2)[0]
    expected = -9 if "log" in body else -5
    assert out[0, :3].tolist() == [expected] * 3
    assert np.isfinite(out).all()


def test_a_pixel_that_was_never_clear_is_among_those_a_function_is_tried_on(features):
    body = "s = block.series['sentinel2']\nb = s.band('B8')[0]\nreturn {'A': s.band('B4')[0] / b}"
    with pytest.raises(UserCodeError, match=r"no finite value at 1 of 72 pixels; .* `missing`"):
        features(body)
    out = computed(
        features(body, missing=7), band_sentinel2_B4=numbers(), band_sentinel2_B8=0 * numbers()
    )
    assert (out == 7).all()


@pytest.mark.parametrize(
    ("body", "margin"),
    [
        ("b = block.series['sentinel2'].band('B8')[0]\nreturn {'A': b - b.mean()}", 0),
        ("b = block.series['sentinel2'].band('B8')[0]\nreturn {'A': b / b.max()}", 5),
        ("b = block.series['sentinel2'].band('B8')[0]\nreturn {'A': np.roll(b, 1, axis=1)}", 0),
        ("b = block.series['sentinel2'].band('B8')[0]\nreturn {'A': np.roll(b, 3, axis=0)}", 2),
        ("b = block.series['sentinel2'].band('B8')[0]\nreturn {'A': np.roll(b, -3, axis=1)}", 2),
        ("return {'A': np.random.default_rng().random(block.shape)}", 0),
        ("return {'A': np.arange(block.shape[0] * block.shape[1]).reshape(block.shape)}", 1),
    ],
)
def test_a_function_that_looks_farther_than_its_margin_is_refused(features, body, margin):
    with pytest.raises(UserCodeError, match=f"another window.*margin of {margin} pixels"):
        features(body, margin=margin)


def test_a_function_that_looks_as_far_as_its_margin_is_not(features):
    features(
        "b = block.series['sentinel2'].band('B8')[0]\nreturn {'A': np.roll(b, 2, axis=0)}", margin=2
    )


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("block.series['sentinel1']", "no series 'sentinel1', did you mean 'sentinel2'"),
        ("block.series['sentinel2'].band('B99')", "sentinel2 has no band 'B99'"),
        ("block.series['sentinel2'].band('B2')", "band 'B2' of sentinel2 is not read; add it to `reads`"),
        ("block.series['sentinel2'].raw.band('blue')", "band 'blue' of sentinel2 is not read"),
        ("block.series['sentinel2'].index('NVDI')", "sentinel2 has no index 'NVDI', did you mean 'NDVI'"),
        ("block.series['sentinel2'].index('NDWI')", "sentinel2 has no index 'NDWI'"),
        ("block.user_features['ALT']", "no user feature 'ALT'"),
        ("block.parameters['threshold']", "no parameter 'threshold', there are limit"),
    ],
)  # fmt: skip
def test_what_a_block_does_not_have_is_told_by_the_line_of_the_user(features, asked, expected):
    with pytest.raises(UserCodeError) as caught:
        features(f"x = {asked}\nreturn {{'A': x}}", limit=1)
    assert f"external_features: mine.py, line 4, in f (`x = {asked}`): " in str(caught.value)
    assert expected in str(caught.value)


def test_what_a_block_may_lack_can_be_asked(features):
    found = features(
        "u = block.user_features\n"
        "assert 'ALT_band_1' in u and 'DEM' not in u and u.get('DEM') is None and len(u) == 2\n"
        "assert list(u) == ['ALT_band_1', 'SOIL_band_1']\n"
        "assert block.parameters.get('x', 3) == 3 and 'sentinel1' not in block.series\n"
        "return {'A': u.get('ALT_band_1')}"
    )
    np.testing.assert_array_equal(computed(found, user_ALT_band_1=numbers(1)[0]), numbers(1))


def test_missing_values_of_user_features_are_among_those_a_function_is_tried_on(features):
    features("return {'A': block.user_features['ALT_band_1']}")
    with pytest.raises(UserCodeError, match="no finite value"):
        features("return {'A': block.user_features['SOIL_band_1']}")


def test_names_that_depend_on_the_acquisitions_are_refused(features):
    body = "n = len(block.series['sentinel2'].raw.dates)\nreturn {f'A{n}': block.inside}"
    found = features(body)
    with pytest.raises(UserCodeError, match="gives the features A2 here and A6 when it was tried"):
        computed(found)


def test_a_type_that_depends_on_the_values_is_refused(features):
    body = "b = block.series['sentinel2'].band('B8')[0]\nreturn {'A': b if b.max() == 5 else b.astype(np.int16)}"
    found = features(body)
    assert found.dtype == "int16"
    with pytest.raises(UserCodeError, match="gives A as float32 here and as int16 when it was"):
        computed(found, band_sentinel2_B8=np.full((5, 6, 7), 5, np.float32))


def test_an_error_of_a_job_names_the_line_of_the_user(features):
    found = features(
        "b = block.series['sentinel2'].band('B8')[0]\nif b.max() == 5:\n    raise ValueError('five')\nreturn {'A': b}"
    )
    with pytest.raises(UserCodeError, match=r"mine\.py, line 6, in f .*: ValueError: five"):
        computed(found, band_sentinel2_B8=np.full((5, 6, 7), 5, np.float32))


def test_an_iota2_error_of_the_plan_does_not_hide_the_others(write):
    good = write("return {'A': block.inside}")
    bad = replace(good, module="absent.py")
    problems = problems_of([bad, good, bad], OUTLINE, [])
    assert problems == ["external_features: no file absent.py"] * 2


def plan_of(sensor, part="", **options):
    known = format_of(sensor, options)
    settings = {
        "sensor": sensor, "part": part, "options": options, "keep_bands": known.band_names,
        "indices": [], "additional_features": {}, "dates": DATES[:2],
    }  # fmt: skip
    return series_features(f"{sensor}_{part}".rstrip("_"), settings)


@pytest.mark.parametrize("sensor", sorted(set(FORMATS) - {"own_series", "stac"}))
def test_every_band_of_every_format_can_be_asked_for(write, sensor):
    options = {"calibration": "sigma"}
    outline = Outline({sensor: plan_of(sensor, **options)}, {}, 10)
    body = """s = next(iter(block.series.values()))
bands = [s.band(name)[0] for name in (*s.bands, *s.roles)]
return np.array(bands), [f'F{n}' for n in range(len(bands))]"""
    known = format_of(sensor, options)
    found = ExternalFeatures([write(body)], outline, [])
    assert len(found.names) == len(known.bands) + len(known.roles)


def test_series_of_radar_and_optics_stand_side_by_side(write):
    plans = {plan.series: plan for plan in (plan_of("sentinel1", "asc"), plan_of("sentinel2"))}
    outline = Outline(plans, {}, 10)
    body = "a, b = block.series['sentinel1_asc'], block.series['sentinel2']\n"
    found = ExternalFeatures(
        [write(body + "return {'A': a.band('vv')[0] - b.index('NDVI')[1], 'B': a.index('Ratio')[1]}")],
        outline, [],
    )  # fmt: skip
    vv, ndvi, ratio = (numbers(2, start) for start in (0, 1000, 5000))
    out = computed(
        found, band_sentinel1_asc_VV=vv, index_sentinel2_NDVI=ndvi, index_sentinel1_asc_Ratio=ratio
    )
    np.testing.assert_array_equal(out, [vv[0] - ndvi[1], ratio[1]])
    for name in ("Brightness", "NDVI"):
        with pytest.raises(
            UserCodeError, match=f"sentinel1_asc has no index '{name}', it has Ratio"
        ):
            ExternalFeatures([write(body + f"return {{'A': a.index('{name}')[0]}}")], outline, [])
