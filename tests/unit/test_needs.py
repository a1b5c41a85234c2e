"""What jobs ask for: how it grows, and that no rule is forgotten."""

from dataclasses import replace

import pytest
from rule_texts import rules_with_scripts

from iota2_tools.planning.needs import (
    GROWTH,
    LEAST,
    NEEDS,
    SNAKEMAKE,
    Size,
    megabytes_on_disk,
    resources,
)

TILE = Size(
    pixels=10980**2, columns=10980, acquisitions=70, bands=10, features=481, classes=20, draws=5,
    window_mb=400, pieces=240, input_mb=20,
)  # fmt: skip


def test_every_rule_with_a_script_has_its_need():
    assert set(rules_with_scripts()) == set(NEEDS)


@pytest.mark.parametrize("rule", NEEDS)
def test_a_further_attempt_asks_for_more_memory_and_time(rule):
    first, second = (resources(rule, TILE, attempt) for attempt in (1, 2))
    assert second["mem_mb"] == pytest.approx(GROWTH * first["mem_mb"], abs=100)
    assert second["runtime"] >= 2 * first["runtime"] - 1


@pytest.mark.parametrize("rule", sorted(set(NEEDS) - {"split_polygons", "train_model"}))
def test_memory_does_not_follow_the_size_of_the_tile(rule):
    """Twice as many rows: every step goes over them by windows."""
    larger = Size(**{**TILE.__dict__, "pixels": 2 * TILE.pixels})
    assert resources(rule, larger)["mem_mb"] == resources(rule, TILE)["mem_mb"]


def test_the_masks_of_many_dates_have_memory_enough_and_not_twice_too_much():
    """1531 MB, measured on a whole tile of 70 dates, each 10 bands and 3 masks in ZSTD."""
    assert 1531 <= NEEDS["mask_series"](TILE).memory <= 1.5 * 1531
    small = replace(TILE, pixels=400**2, columns=400)  # no image holds more than it has
    assert NEEDS["mask_series"](small).memory < 400


def test_time_of_the_inventory_follows_the_acquisitions_that_are_moved():
    moved = Size(**{**TILE.__dict__, "registered": 70})
    before, after = (resources("take_inventory", size)["runtime"] for size in (TILE, moved))
    assert after >= before + 70 * 6 * 6 / 60 - 1


@pytest.mark.parametrize(
    "rule", ["mask_series", "extract_samples", "classify_tile", "write_features"]
)
def test_images_that_are_moved_are_read_more_slowly(rule):
    moved = Size(**{**TILE.__dict__, "registered": 70})
    seconds = [NEEDS[rule](size).seconds for size in (TILE, moved)]
    # 0.1 s a band and million pixels, measured; 70 dates of 10 bands.
    assert seconds[1] - seconds[0] == pytest.approx(0.1 * 700 * 120.6, rel=0.01)


def test_models_that_answer_together_need_their_time():
    one, four = (NEEDS["classify_tile"](replace(TILE, models=count)) for count in (1, 4))
    # Six seconds a million pixels for each forest of 100 trees, of five draws.
    assert four.seconds - one.seconds == pytest.approx(3 * 6 * 5 * 120.56, rel=0.01)


def test_time_and_disk_follow_the_size_of_the_tile():
    larger = Size(**{**TILE.__dict__, "pixels": 2 * TILE.pixels})
    small, large = (resources("classify_tile", size) for size in (TILE, larger))
    assert large["runtime"] == pytest.approx(2 * small["runtime"], rel=0.05)
    assert large["disk_mb"] == pytest.approx(2 * small["disk_mb"], rel=0.01)


# Measured by benchmarks/learners.py with 10 classes: samples, features, model on disk (MB);
# learning: CPU seconds, peak (MB); mapping: CPU seconds for a million pixels, peak (MB).
MEASURED = {
    "RandomForestClassifier": (20000, 150, 85.5, 16.3, 577, 7.3, 635),
    "ExtraTreesClassifier": (20000, 150, 196.3, 6.3, 805, 7.9, 918),
    "HistGradientBoostingClassifier": (20000, 150, 7.3, 22.1, 462, 16.3, 416),
    "LogisticRegression": (5000, 400, 0.0, 2.3, 382, 3.8, 421),
    "LinearSVC": (5000, 400, 0.1, 48.0, 447, 7.8, 472),
    "SVC": (20000, 150, 8.4, 28.0, 433, 660.4, 416),
    "KNeighborsClassifier": (20000, 150, 12.2, 1.7, 414, 213.5, 399),
    "MLPClassifier": (5000, 400, 0.8, 2.8, 381, 4.2, 429),
    "GaussianNB": (5000, 400, 0.0, 1.7, 370, 14.0, 445),
    "QuadraticDiscriminantAnalysis": (20000, 150, 0.9, 1.9, 384, 11.2, 402),
    "otb-rf": (20000, 150, 67.5, 22.4, 397, 127.9, 359),
    "otb-libsvm": (20000, 150, 5.1, 120.9, 407, 301.5, 324),
    "otb-knn": (20000, 150, 59.4, 24.2, 378, 1092.9, 337),
    "otb-bayes": (20000, 150, 13.0, 2.8, 373, 72.5, 313),
}


@pytest.mark.parametrize("learner", MEASURED)
def test_each_learner_has_time_and_memory_enough_and_not_twice_too_much(learner):
    samples, features, model, learn_s, learn_mb, map_s, map_mb = MEASURED[learner]
    size = {"features": features, "classes": 10, "draws": 1, "learner": learner}
    table = samples * features / 1e6
    learning = resources("train_model", Size(input_mb=table, **size))
    tile = Size(pixels=120 * 10**6, columns=1000, input_mb=model, **size)
    mapping = resources("classify_tile", tile)
    assert learning["runtime"] * 60 > 2 * learn_s
    assert mapping["runtime"] * 60 > 2 * map_s * 120
    for asked, peak in ((learning, learn_mb), (mapping, map_mb)):
        assert peak + SNAKEMAKE < asked["mem_mb"] < max(2 * (peak + SNAKEMAKE), LEAST + 1)


def test_a_tile_of_64_bands_of_the_user_has_memory_enough_and_not_twice_too_much():
    """benchmarks/embeddings.py: 2048 x 2048 pixels, 100 trees, 20 classes; peak of 1620 MB."""
    size = Size(
        pixels=2048**2, columns=2048, features=64, user=64, classes=20, draws=1, window_mb=400, input_mb=20
    )  # fmt: skip
    asked = resources("classify_tile", size)["mem_mb"]
    assert 1620 + SNAKEMAKE < asked < 2 * (1620 + SNAKEMAKE)
    # Interpolated, a pixel took 1/26000 s.
    minutes = resources("classify_tile", Size(**{**size.__dict__, "pixels": 120 * 10**6}))[
        "runtime"
    ]
    assert minutes * 60 > 2 * 120e6 / 26_000


@pytest.mark.parametrize(("side", "peak"), [(2745, 264), (5490, 449)])
def test_a_regularised_block_has_memory_enough_and_not_twice_too_much(side, peak):
    """Noisy maps of 20 classes, a component in 8 pixels; peak of the job, MB."""
    size = Size(pixels=side**2, columns=side, regularised=side**2)
    asked = resources("regularise_blocks", size)["mem_mb"]
    assert peak + SNAKEMAKE < asked < max(2 * (peak + SNAKEMAKE), LEAST + 1)


@pytest.mark.parametrize(
    ("rule", "side", "map_side", "peak"),
    [
        ("join_squares", 4096, 10980, 241),
        ("join_squares", 256, 4096, 212),
        ("measure_border", 4096, 10980, 349),
        ("measure_border", 256, 4096, 256),
    ],
)
def test_jobs_over_all_squares_need_what_they_took(rule, side, map_side, peak):
    """A map of parcels; peaks of `benchmarks/product.py`, MB."""
    seams = 2 * (map_side // side - (map_side % side == 0)) * map_side
    estimate = NEEDS[rule](Size(square=side**2, seams=seams, input_mb=130)).memory
    assert peak < estimate < 2 * peak


@pytest.mark.parametrize("rule", ["join_squares", "measure_border"])
def test_jobs_over_all_squares_of_a_country_keep_to_two_gigabytes(rule):
    """120 tiles in rows of twelve: 30 x 25 squares, their files 20 GB."""
    seams = 24 * 120_000 + 29 * 100_000
    asked = resources(rule, Size(square=4096**2, seams=seams, input_mb=20_000))["mem_mb"]
    assert LEAST < asked <= 2200
    assert asked < resources(rule, Size(square=4096**2, seams=4 * seams))["mem_mb"]


def test_size_of_files_folders_and_absent_files(tmp_path):
    (tmp_path / "model" / "part").mkdir(parents=True)
    (tmp_path / "model" / "part" / "a").write_bytes(b"0" * 1_500_000)
    (tmp_path / "b").write_bytes(b"0" * 500_000)
    paths = [str(tmp_path / name) for name in ("model", "b", "absent")]
    assert megabytes_on_disk(paths) == 2.0


def test_functions_of_the_user_need_their_block_and_its_margin():
    """Blocks of 128 pixels: 128 + 2 * 50 a side; images of 10 dates x 3 bands and 2 features of theirs."""
    size = Size(
        pixels=10**8, columns=10**4, acquisitions=10, bands=3, features=32, external=2, margin=50,
        window_mb=1,
    )  # fmt: skip
    pixels = (128 + 2 * 50) ** 2
    assert size.image_bytes == 10 * (2 * 3 + 1) + 2 * 4 + 16
    assert size.window == pytest.approx(pixels * size.image_bytes / 1e6)
    assert size.called == pytest.approx(pixels * 30 * 2 * 4 / 1e6)  # twice all others, float32
    without = replace(size, external=0)
    assert (without.window, without.called) == (1, 0)
    for rule in ("classify_tile", "write_features", "extract_samples"):
        assert NEEDS[rule](size).memory >= NEEDS[rule](without).memory + size.called
