"""What products take on disk, by hand."""

from dataclasses import replace

import pytest

from iota2_tools.planning.disk import SMALL, kept_mb
from iota2_tools.planning.forecast import Forecast, Job
from iota2_tools.planning.needs import NEEDS, Size

TILE = Size(pixels=120_000_000, acquisitions=50, classes=10, draws=2, features=100)


@pytest.mark.parametrize(
    ("rule", "megabytes"),
    [
        ("classify_tile", 2 * 0.96 * 120),
        ("smooth_tile", 2 * 0.96 * 120),
        ("mask_series", 0.003 * 50 * 120),
        ("mosaic_classes", 1.2 * 0.19 * 120),
        ("mosaic_confidence", 1.2 * 0.77 * 120),
        ("mosaic_probabilities", 1.2 * 0.51 * 10 * 120),
        ("mosaic_differences", 0.02 * 120),
        ("preview_map", 0),
    ],
)
def test_rasters_take_bytes_a_pixel(rule, megabytes):
    assert kept_mb(rule, TILE) == pytest.approx(megabytes + SMALL)


def test_probabilities_count_where_they_are_written():
    more = kept_mb("classify_tile", replace(TILE, probable=10)) - kept_mb("classify_tile", TILE)
    assert more == pytest.approx(2 * 10 * 0.51 * 120)


def test_squares_and_blocks_of_a_bundle_add_up():
    assert kept_mb("trace_squares", Size(square=10**6, squares=3)) == pytest.approx(5.1 + SMALL)
    assert kept_mb("regularise_blocks", Size(regularised=10**7, blocks=2)) == pytest.approx(
        0.19 * 20 + SMALL
    )


def test_feature_stacks_take_what_they_ask_for():
    assert kept_mb("write_features", TILE) == 2 * 100 * 120


def test_samples_take_two_bytes_a_feature():
    assert kept_mb("extract_samples", TILE, 10_000) == pytest.approx(2 + SMALL)


def test_a_forest_takes_disk_by_its_trees():
    assert kept_mb("train_model", replace(TILE, trees=200)) == 10


def test_trees_grow_with_the_samples_that_they_learn():
    """Models of the benchmark's lands: 14.7 MB of 19 839 samples, 8.7 MB of 8806, 5 MB of 3500."""
    for samples, megabytes in ((19_839, 14.7), (8_806, 8.65), (3_500, 5.0)):
        assert kept_mb("train_model", TILE, samples) == pytest.approx(megabytes, rel=0.05)
    extra = replace(TILE, learner="ExtraTreesClassifier")
    assert kept_mb("train_model", extra, 3_500) == pytest.approx(10)


def test_the_regions_of_a_tile_share_its_disk(tmp_path):
    size = replace(TILE, regions=2)
    one = Job(0, "classify_tile", {}, 1, True, (), size, "a", {})
    assert Forecast([one], tmp_path).cost(one).disk == pytest.approx(
        kept_mb("classify_tile", TILE) / 2
    )


def test_no_rule_is_told_to_take_more_than_it_asks_for():
    for rule, need in NEEDS.items():
        assert kept_mb(rule, TILE) <= max(need(TILE).disk, 50), rule
