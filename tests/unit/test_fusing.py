"""Several classifications become one: hand values of each rule, and OTB's own answers."""

import numpy as np
import pytest
from strangers import impossible
from tiny import values_of, write_image

from iota2_tools.core.errors import InputDataError
from iota2_tools.fusing.kernels import combine
from iota2_tools.fusing.masses import KINDS, masses_of, masses_of_sources
from iota2_tools.fusing.methods import METHODS, FusionRules, Known, Sources, fuse

CODES = (1, 2, 3)
FIRST = np.array([[8, 1, 1], [2, 6, 2], [0, 1, 9]])
SECOND = np.array([[6, 2, 2], [3, 5, 2], [1, 1, 8]])
PAIRS = [(1, 2), (2, 1), (1, 1), (2, 2), (3, 1), (0, 1), (1, 0), (0, 0), (3, 3), (2, 3)]


def columns(pixels, dtype=np.uint8) -> np.ndarray:
    """Sources by rows, from one tuple a pixel."""
    return np.array(pixels, dtype=dtype).T


def fused(
    pixels, method="majority", confidence=None, masses=None, samples=None, codes=CODES, **rules
):
    """What becomes of some pixels, each a tuple of what the sources say."""
    labels = columns(pixels)
    sure = np.where(labels > 0, 50, 0) if confidence is None else columns(confidence)
    known = Known(codes, samples or [1] * len(labels), masses)
    return fuse(Sources(labels, sure.astype(np.uint8)), known, FusionRules(method, **rules))


def kept(pixels, method="majority", label=9, **more):
    """Labels, `label` where they stay undecided."""
    found = fused(pixels, method, undecided="undecided", undecided_label=label, **more)
    return found.classes.tolist()


def test_the_label_of_most_votes_wins_and_nodata_does_not_vote():
    votes = [(1, 2, 1), (2, 1, 3), (3, 1, 2), (0, 1, 2), (1, 0, 1), (0, 0, 0), (0, 0, 1)]
    assert kept(votes) == [1, 9, 9, 9, 1, 0, 1]


def test_a_tie_for_the_second_place_is_no_tie():
    assert kept([(1, 1, 1, 2, 2, 3, 3), (3, 3, 2, 2, 1, 1, 1), (1, 1, 2, 2, 3, 3, 0)]) == [1, 1, 9]


def test_votes_weigh_as_much_as_their_confidence():
    pixels = [(1, 2, 2), (1, 2, 2), (1, 2, 2), (1, 1, 0)]
    confidence = [(90, 40, 40), (80, 40, 40), (70, 40, 40), (0, 0, 0)]
    assert kept(pixels, "confidence", confidence=confidence) == [1, 9, 2, 1]


def test_weights_of_many_sources_do_not_wrap():
    assert kept([(1,) * 4 + (2,)], "confidence", confidence=[(75,) * 4 + (99,)]) == [1]


def test_what_is_undecided_follows_the_most_confident_source_and_of_equal_ones_the_first():
    pixels = [(2, 1), (2, 1), (2, 1), (0, 0)]
    confidence = [(50, 51), (51, 50), (50, 50), (0, 0)]
    assert fused(pixels, confidence=confidence).classes.tolist() == [1, 2, 2, 0]


def test_what_is_undecided_follows_the_source_that_learnt_most_and_of_equal_ones_the_first():
    pixels, confidence = [(2, 1, 3), (0, 1, 3), (0, 2, 1)], [(90, 10, 10)] * 3
    found = fused(
        pixels, confidence=confidence, samples=[5, 9, 9], undecided="most_samples"
    ).classes
    assert found.tolist() == [1, 1, 2]


def test_what_stays_undecided_has_its_own_label_and_is_not_nodata():
    found = fused([(1, 2), (0, 0)], undecided="undecided", undecided_label=255)
    assert found.classes.tolist() == [255, 0]
    assert found.choice.tolist() == [255, 0]
    assert found.confidence.tolist() == [0, 0]


BY_HAND = [  # what the sources say, with which mass; label and belief
    ([(1, 0.8), (2, 0.6)], 1, 0.32 / 0.52),
    ([(1, 0.5), (2, 0.5)], -1, 0.25 / 0.75),
    ([(1, 0.6), (1, 0.6), (2, 0.8)], 1, 0.168 / 0.328),
    ([(1, 0.8), (1, 0.6)], 1, 0.92),
    ([(0, 0.9), (2, 0.4)], 2, 0.4),
    ([(1, 1.0), (2, 1.0)], -1, 0.0),  # total conflict
    ([(1, 0.0), (2, 0.0)], -1, 0.0),  # no opinion
    ([(1, 0.0), (1, 0.0)], -1, 0.0),
    ([(1, 0.0), (2, 0.3)], 2, 0.3),
    ([(1, 1.0), (2, 0.6)], 1, 1.0),
    ([(0, 0.9), (0, 0.9)], 0, 0.0),
    # 1 - 0.28 and 0.9 x 0.8 differ in the last bit: equal all the same.
    ([(1, 0.1), (2, 0.28), (1, 0.2)], -1, None),
]


@pytest.mark.parametrize(("said", "label", "belief"), BY_HAND)
def test_dempsters_rule_gives_the_label_and_belief_of_hand_computation(said, label, belief):
    labels = columns([[code for code, _ in said]])
    masses = np.array([[mass] * len(CODES) for _, mass in said])
    decided, found = np.empty(1, np.int32), np.empty(1)
    combine(labels, masses, Known(CODES, [1] * len(said)).positions, decided, found)
    assert decided[0] == label
    if belief is not None:
        assert found[0] == pytest.approx(belief, abs=1e-6)


BY_OTB = {  # of OTB 8.1.1, matrices FIRST and SECOND, pixels PAIRS; 9 undecided
    "precision": [1, 2, 1, 2, 3, 1, 1, 0, 3, 2],
    "recall": [1, 9, 1, 2, 3, 1, 1, 0, 3, 3],
    "accuracy": [1, 2, 1, 2, 3, 1, 1, 0, 3, 2],
    "kappa": [1, 2, 1, 2, 3, 1, 1, 0, 3, 2],
}


@pytest.mark.parametrize("kind", KINDS)
def test_dempster_shafer_gives_the_labels_of_otb(kind):
    masses = np.array([masses_of(FIRST, kind), masses_of(SECOND, kind)])
    assert kept(PAIRS, "dempster_shafer", masses=masses) == BY_OTB[kind]


def test_two_sources_of_equal_masses_are_undecided_wherever_they_differ():
    masses = np.array([masses_of(FIRST, "accuracy")] * 2)
    assert kept(PAIRS, "dempster_shafer", masses=masses) == [9, 9, 1, 2, 9, 1, 1, 0, 3, 9]


def test_masses_are_those_of_the_matrix():
    assert masses_of(FIRST, "precision").tolist() == [8 / 10, 6 / 8, 9 / 12]
    assert masses_of(FIRST, "recall").tolist() == [8 / 10, 6 / 10, 9 / 10]
    assert masses_of(FIRST, "accuracy") == pytest.approx([23 / 30] * 3)
    # By chance: (10 x 10 + 8 x 10 + 12 x 10) / 900 = 1/3; (23/30 - 1/3) / (2/3) = 0.65
    assert masses_of(FIRST, "kappa") == pytest.approx([0.65] * 3)


def test_pixels_without_class_are_no_column_of_the_masses():
    with_lost = np.column_stack([FIRST, [100, 100, 100]])
    for kind in KINDS:
        assert masses_of(with_lost, kind).tolist() == masses_of(FIRST, kind).tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_never_said_has_no_opinion_and_no_mass_is_below_zero_or_nan(kind, caplog):
    never = np.array([[5, 0, 2], [1, 0, 3], [0, 0, 4]])
    with caplog.at_level("INFO"):
        (masses,) = masses_of_sources([never], kind, CODES, ["seed 0"])
    assert masses[1] == 0
    assert (masses[[0, 2]] > 0).all()
    assert "seed 0 has no opinion when it says class 2" in caplog.text
    for worse in (np.array([[0, 9], [9, 0]]), np.zeros((2, 2), int), np.diag([3, 0])):
        assert np.isfinite(masses_of(worse, kind)).all()
        assert masses_of(worse, kind).min() >= 0


def test_the_choice_tells_which_source_is_followed():
    pixels = [(0, 0), (1, 1), (1, 2), (2, 1), (1, 0), (0, 2)]
    masses = np.array([[0.9] * 3, [0.4] * 3])
    found = fused(pixels, "dempster_shafer", masses=masses)
    assert found.choice.tolist() == [0, 1, 2, 2, 2, 3]


def test_confidence_is_the_largest_where_all_agree_and_else_that_of_the_source_chosen():
    masses = np.array([[0.9] * 3, [0.4] * 3])
    pixels, confidence = [(1, 1), (1, 1), (1, 2), (0, 2)], [(40, 70), (70, 40), (30, 95), (0, 60)]
    found = fused(pixels, "dempster_shafer", masses=masses, confidence=confidence)
    assert found.confidence.tolist() == [70, 70, 30, 60]


def test_confidence_of_votes_is_the_mean_of_those_that_agree_and_of_the_rest_of_the_others():
    pixels = [(1, 1, 2), (1, 1, 1), (1, 1, 0), (1, 1, 1), (1, 1, 2), (1, 2, 2)]
    confidence = [(80, 60, 30), (90, 80, 71), (50, 51, 0), (0, 0, 0), (60, 0, 0), (100, 1, 1)]
    # (80 + 60 + 70) / 3 = 70; 80.3; 50.5; none has one; only the first has one; (0 + 1 + 1) / 3.
    assert fused(pixels, confidence=confidence).confidence.tolist() == [70, 80, 50, 0, 60, 1]


def mean_of(values, weights=None, classes=None):
    """Fused pixels of `values`, shape (n_sources, n_classes, n_pixels); sources say their argmax."""
    values = np.array(values, dtype=np.uint16)
    codes = np.array([11, 12, 300][: values.shape[1]])
    absent = values[:, 0] == 65535
    said = np.where(absent, 0, codes[np.argmax(np.where(values == 65535, 0, values), axis=1)])
    sure = np.where(absent, 0, values.max(axis=1, where=values != 65535, initial=0) // 10)
    sources = Sources(said.astype(np.uint16), sure.astype(np.uint8), values)
    return fuse(sources, Known(codes.tolist(), [1] * len(values)), FusionRules("mean"), weights)


def test_the_mean_is_rounded_half_up_and_the_smaller_code_wins_a_tie():
    found = mean_of([[[700], [301], [0]], [[100], [500], [400]]])
    assert found.probabilities.ravel().tolist() == [400, 401, 200]  # 400.5 → 401
    assert found.classes.tolist() == [12]
    assert found.confidence.tolist() == [40]
    assert mean_of([[[450], [450], [100]]]).classes.tolist() == [11]


def test_a_source_without_the_pixel_does_not_count_in_the_mean():
    found = mean_of([[[600, 65535], [400, 65535]], [[65535, 65535], [65535, 65535]]])
    assert found.probabilities.tolist() == [[600, 65535], [400, 65535]]
    assert found.classes.tolist() == [11, 0]
    assert found.confidence.tolist() == [60, 0]
    assert found.choice.tolist() == [2, 0]


def test_the_mean_is_weighted_and_its_class_may_be_that_of_no_source():
    values = [[[900], [0], [100]], [[0], [520], [480]]]
    assert mean_of(values, np.array([[3.0], [1.0]])).probabilities.ravel().tolist() == [
        675,
        130,
        195,
    ]
    none = mean_of([[[510], [0], [490]], [[0], [510], [490]]])
    assert (none.classes.tolist(), none.choice.tolist()) == ([300], [254])
    # Without weight nobody has the pixel.
    assert mean_of(values, np.zeros((2, 1))).classes.tolist() == [0]


def test_weights_of_the_rules_are_those_of_the_sources_in_order():
    values = np.array([[[700, 65535], [300, 65535]], [[400, 400], [600, 600]]], dtype=np.uint16)
    said = np.array([[11, 0], [12, 12]], np.uint16)
    sources, known = (
        Sources(said, np.array([[70, 0], [60, 60]], np.uint8), values),
        Known((11, 12), [1, 1]),
    )
    found = fuse(sources, known, FusionRules("mean", weights=(1, 2)))
    # (700 + 800) / 3 and (300 + 1200) / 3; of the second pixel the second source knows alone.
    assert found.probabilities.tolist() == [[500, 400], [500, 600]]
    assert found.classes.tolist() == [11, 12]
    found = fuse(sources, known, FusionRules("mean", weights=(3, 1)))
    assert found.probabilities.tolist() == [[625, 400], [375, 600]]  # (2100 + 400) / 4
    given = fuse(sources, known, FusionRules("mean", weights=(3, 1)), np.array([[1.0], [2.0]]))
    assert given.probabilities[0].tolist() == [500, 400]  # what is given for the pixels counts


def test_probabilities_are_those_of_the_source_chosen_and_of_equal_ones_the_first():
    labels = columns([(1, 1), (1, 1), (1, 2), (0, 0)])
    confidence = columns([(40, 70), (50, 50), (30, 95), (0, 0)])
    values = np.array([[[40, 50, 30, 65535]] * 3, [[70, 55, 95, 65535]] * 3], dtype=np.uint16)
    known = Known(CODES, [1, 1], np.array([[0.9] * 3, [0.4] * 3]))
    found = fuse(Sources(labels, confidence, values), known, FusionRules("dempster_shafer"))
    assert found.probabilities.tolist() == [[70, 50, 30, 65535]] * 3


@pytest.mark.parametrize("method", METHODS)
def test_codes_above_255_and_windows_of_any_shape(method):
    """A class of 16 bits comes out as it went in, and each pixel by itself."""
    rng = np.random.default_rng(0)
    codes = (11, 300, 65535)
    labels = np.array([0, *codes], np.uint16)[rng.integers(0, 4, (3, 5, 7))]
    values = rng.integers(0, 334, (3, 3, 5, 7)).astype(np.uint16)
    values[np.broadcast_to(labels[:, np.newaxis] == 0, values.shape)] = 65535
    confidence = np.where(labels > 0, rng.integers(1, 101, labels.shape), 0).astype(np.uint8)
    known = Known(codes, [1, 2, 3], rng.random((3, 3)))
    whole = fuse(Sources(labels, confidence, values), known, FusionRules(method))
    assert set(np.unique(whole.classes)) <= {0, *codes}
    for row, col in np.ndindex(5, 7):
        one = np.s_[..., row : row + 1, col : col + 1]
        part = fuse(Sources(labels[one], confidence[one], values[one]), known, FusionRules(method))
        for name in ("classes", "confidence", "choice", "probabilities"):
            assert getattr(part, name) == pytest.approx(getattr(whole, name)[one])


def test_a_label_that_is_no_class_is_refused():
    for label in (4, 200):
        with pytest.raises(InputDataError, match=f"class {label}, which is not in the nomencl"):
            fused([(1, label)])


@pytest.fixture(scope="module")
def otb():
    """OTB, if it is here."""
    from iota2_tools import otb
    from iota2_tools.core.errors import MissingSoftwareError

    try:
        otb.create("FusionOfClassifications")
    except MissingSoftwareError as error:
        impossible(str(error))
    return otb


def write_otb_matrix(path, matrix) -> str:
    """A matrix in the layout of OTB's ComputeConfusionMatrix."""
    names = ",".join(map(str, CODES))
    rows = "\n".join(",".join(map(str, row)) for row in matrix)
    path.write_text(
        f"#Reference labels (rows):{names}\n#Produced labels (columns):{names}\n{rows}\n"
    )
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_otb_gives_the_same_labels_for_two_sources(otb, kind, tmp_path):
    """For more than two OTB takes the rest of a mass as support for the contrary, we as ignorance."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, (2, 20, 20)).astype(np.uint8)
    matrices = {"first.csv": FIRST, "second.csv": SECOND}
    files = [write_otb_matrix(tmp_path / name, matrix) for name, matrix in matrices.items()]
    theirs = fused_by_otb(
        otb, labels, tmp_path, method="dempstershafer",
        **{"method.dempstershafer.cmfl": files, "method.dempstershafer.mob": kind},
    )  # fmt: skip
    masses = np.array([masses_of(matrix, kind) for matrix in matrices.values()])
    assert np.array_equal(fused_by_us(labels, "dempster_shafer", masses), theirs)


def contrary(labels, masses) -> int:
    """Label where what a mass leaves supports the contrary: sources that agree are multiplied."""
    said = {code: masses[labels == code, code - 1] for code in set(labels.tolist()) - {0}}
    if not said:
        return 0
    joint = {c: m.prod() / (m.prod() + (1 - m).prod()) for c, m in said.items()}
    others = {c: np.prod([1 - joint[u] for u in joint if u != c]) for c in joint}
    scores = {c: joint[c] * others[c] for c in joint}
    best = [c for c in scores if abs(scores[c] - max(scores.values())) < 1e-12]
    return best[0] if len(best) == 1 else 9


@pytest.mark.slow
def test_otb_takes_what_a_mass_leaves_for_the_contrary_where_sources_agree(otb, tmp_path):
    """The difference that docs/merging.md tells of; two sources that differ come to the same."""
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 4, (3, 40, 40)).astype(np.uint8)
    matrices = [FIRST, SECOND, np.array([[9, 3, 2], [4, 8, 5], [1, 6, 9]])]
    files = [write_otb_matrix(tmp_path / f"{n}.csv", matrix) for n, matrix in enumerate(matrices)]
    theirs = fused_by_otb(
        otb, labels, tmp_path, method="dempstershafer",
        **{"method.dempstershafer.cmfl": files, "method.dempstershafer.mob": "precision"},
    )  # fmt: skip
    masses = np.array([masses_of(matrix, "precision") for matrix in matrices])
    expected = [contrary(labels[:, row, col], masses) for row, col in np.ndindex(40, 40)]
    assert theirs.ravel().tolist() == expected
    assert not np.array_equal(fused_by_us(labels, "dempster_shafer", masses), theirs)


@pytest.mark.slow
def test_otb_counts_the_same_votes_where_one_source_at_most_lacks_the_pixel(otb, tmp_path):
    """Of OTB's votes nodata is a label as the others: (0, 0, 1) gives 0 there, 1 here."""
    labels = np.random.default_rng(1).integers(0, 4, (3, 20, 20)).astype(np.uint8)
    theirs = fused_by_otb(otb, labels, tmp_path, method="majorityvoting")
    comparable = (labels == 0).sum(axis=0) != 2
    ours = fused_by_us(labels, "majority")
    assert np.array_equal(ours[comparable], theirs[comparable])
    assert (ours[~comparable] == labels.max(axis=0)[~comparable]).all()


def fused_by_otb(otb, labels, folder, **given) -> np.ndarray:
    paths = [write_image(folder / f"{n}.tif", band) for n, band in enumerate(labels)]
    out = str(folder / "out.tif")
    given |= {"il": paths, "nodatalabel": 0, "undecidedlabel": 9, "out": out}
    otb.run("FusionOfClassifications", given)
    return values_of(out)


def fused_by_us(labels, method, masses=None) -> np.ndarray:
    known = Known(CODES, [1] * len(labels), masses)
    sources = Sources(labels, np.zeros_like(labels))
    return fuse(sources, known, FusionRules(method, "undecided", 9)).classes
