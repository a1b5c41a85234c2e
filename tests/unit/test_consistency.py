"""Classes over years: the recursion by enumeration of all sequences, maps by windows."""

from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from test_change import NAMES, class_map
from tiny import values_of, write_image

from iota2_tools.commands.cli import main
from iota2_tools.core.errors import InputDataError
from iota2_tools.years import consistency
from iota2_tools.years.agreement import most_probable, reach
from iota2_tools.years.chains import (
    Chain,
    cautious_change,
    estimate_chain,
    likelihoods,
    shares_of,
    steady,
)
from iota2_tools.years.consistency import read_transitions, series_of
from iota2_tools.years.maps import year_map

UNKNOWN = 65535
SHARES = np.array([0.5, 0.3, 0.2])
TRANSITIONS = np.array([[0.9, 0.07, 0.03], [0.2, 0.75, 0.05], [0.0, 0.1, 0.9]])


def enumerated(said: np.ndarray, shares=SHARES, transitions=TRANSITIONS, least=0.5) -> np.ndarray:
    """Probability of each class in each year, summed over all sequences; one pixel."""
    years, classes = said.shape
    found = np.zeros((years, classes))
    for sequence in product(range(classes), repeat=years):
        weight = shares[sequence[0]]
        for first, second in pairwise(sequence):
            weight *= transitions[first, second]
        for year, k in enumerate(sequence):
            if said[year, 0] != UNKNOWN:
                weight *= max(said[year, k], least) / (1000 * shares[k])
        for year, k in enumerate(sequence):
            found[year, k] += weight
    return found / found.sum(axis=1, keepdims=True)


def alone(said: np.ndarray, chain: Chain) -> tuple[np.ndarray, np.ndarray]:
    """Of pixels without neighbours, shape (n_years, n_pixels)."""
    place, belief = most_probable(said[:, :, np.newaxis], chain)
    return place[:, 0], belief[:, 0]


def pooled(said: np.ndarray, neighbours: float) -> np.ndarray:
    """What is seen of each pixel of a whole image and of those around that look alike, not summing to 1."""
    rows, cols = said.shape[2:]
    seen = said[:, 0] != UNKNOWN
    share = np.where(seen[:, np.newaxis], said / 1000, 0.0)
    found = np.full(share.shape, np.nan)
    for i, j in product(range(rows), range(cols)):
        near = [(a, b) for a in range(max(i - 2, 0), min(i + 3, rows))
                for b in range(max(j - 2, 0), min(j + 3, cols)) if (a, b) != (i, j)]  # fmt: skip
        likeness = {}
        for a, b in near:
            both = seen[:, i, j] & seen[:, a, b]
            alike = np.sqrt(share[:, :, i, j] * share[:, :, a, b]).sum(axis=1)
            likeness[a, b] = np.exp(-max([0, *(1 - alike)[both]]) / 0.1)
        for year in np.flatnonzero(seen[:, i, j]):
            voices = [place for place in near if seen[(year, *place)]]
            total = sum(likeness[place] for place in voices)
            mean = sum(likeness[a, b] * np.log(share[year, :, a, b] + 0.01) for a, b in voices)
            found[year, :, i, j] = np.log(share[year, :, i, j] + 0.01) + neighbours * mean / max(
                total, 1
            )
    return np.exp(found)


def random_probabilities(years, pixels, seed=3) -> np.ndarray:
    generator = np.random.default_rng(seed)
    said = generator.dirichlet([0.6, 0.6, 0.6], size=(years, pixels))
    values = np.round(1000 * np.moveaxis(said, 2, 1)).astype(np.uint16)
    values[generator.random((years, 3, pixels)) < 0.05] = 0
    return values


def test_most_probable_classes_are_those_of_the_sum_over_all_sequences():
    said = random_probabilities(4, 60)
    said[1, :, ::7] = UNKNOWN
    place, belief = alone(said, Chain(SHARES, TRANSITIONS))
    for pixel in range(said.shape[2]):
        wanted = enumerated(said[:, :, pixel].astype(float))
        for year in range(4):
            if said[year, 0, pixel] == UNKNOWN:
                assert (place[year, pixel], belief[year, pixel]) == (0, 0)
            else:
                assert place[year, pixel] == wanted[year].argmax() + 1
                assert belief[year, pixel] == pytest.approx(100 * wanted[year].max(), abs=0.5001)


def test_a_year_alone_says_what_its_classifier_said():
    """Likelihood times share is the probability again."""
    said = np.array([[[700, 200], [200, 300], [100, 500]]], np.uint16)
    place, belief = alone(said, Chain(SHARES, TRANSITIONS))
    assert place.tolist() == [[1, 3]]
    assert belief.tolist() == [[70, 50]]


@pytest.mark.parametrize("neighbours", [0, 4])
@pytest.mark.parametrize(("first", "second"), [(9, 6), (6, 9), (16, 12)])
def test_many_years_that_contradict_one_another_and_may_not_change(neighbours, first, second):
    """Whatever class it is, it is so in all years: the one that more years are sure of."""
    margin = reach(neighbours)
    said = np.zeros((first + second, 2, 1 + 2 * margin, 1 + 2 * margin), np.uint16)
    said[:first, 0] = said[first:, 1] = 1000
    place, belief = most_probable(said, Chain(np.array([0.5, 0.5]), np.eye(2)), neighbours)
    assert place.ravel().tolist() == [1 if first > second else 2] * (first + second)
    assert belief.ravel().tolist() == [100] * (first + second)


def test_more_years_than_can_be_weighed_still_have_a_class_of_theirs():
    said = np.zeros((120, 3, 5, 5), np.uint16)
    said[:60, 1] = said[60:, 2] = 1000
    place, belief = most_probable(said, Chain(np.full(3, 1 / 3), np.eye(3)), 4)
    assert set(place.ravel().tolist()) <= {2, 3}
    assert (belief >= 50).all()


def test_of_equal_classes_the_first_is_taken():
    said = np.full((2, 2, 1), 500, np.uint16)
    place, belief = alone(said, Chain(np.array([0.5, 0.5]), steady(np.array([0.5, 0.5]), 0.1)))
    assert place.tolist() == [[1], [1]]
    assert belief.tolist() == [[50], [50]]


def test_one_doubtful_year_between_two_sure_ones_follows_them_and_a_sure_one_does_not():
    shares = np.array([0.5, 0.5])
    chain = Chain(shares, steady(shares, 0.05))
    doubtful = np.array([[[900], [100]], [[450], [550]], [[900], [100]]], np.uint16)
    assert alone(doubtful, chain)[0][:, 0].tolist() == [1, 1, 1]
    sure = np.array([[[1000], [0]], [[0], [1000]], [[1000], [0]]], np.uint16)
    assert alone(sure, chain)[0][:, 0].tolist() == [1, 2, 1]


def test_neighbours_by_hand():
    """Two classes, shares 1/2, change 1/10; nine pixels that say 0.806 and 0.194, a year later the other way.

    With the floor of 0.01 the ratio of the classes is 0.816 / 0.204 = 4 of the pixel, and as much of those around:
    counted as two pixels, 64 together. Sequences 12 : 11 : 22 : 21 as 0.1 * 64 * 64 : 0.9 * 64 : 0.9 * 64 : 0.1, so
    class 1 in the first year has (409.6 + 57.6) / 524.9 = 0.890. Alone: 0.806 / 0.194 = 4.1546;
    1.726 : 3.739 : 3.739 : 0.1, 5.465 / 9.304 = 0.587.
    """
    said = np.full((2, 2, 5, 5), UNKNOWN, np.uint16)
    said[:, :, 1:4, 1:4] = np.array([[806, 194], [194, 806]])[:, :, np.newaxis, np.newaxis]
    shares = np.array([0.5, 0.5])
    chain = Chain(shares, steady(shares, 0.1))
    place, belief = most_probable(said, chain, 2)
    assert (place.tolist(), belief.tolist()) == ([[[1]], [[2]]], [[[89]], [[89]]])
    assert most_probable(said[:, :, 2:3, 2:3], chain)[1].tolist() == [[[59]], [[59]]]


def test_a_neighbour_says_the_less_the_less_it_is_alike():
    """The pixel says 0.806 and 0.194, a year later the other way, and has one neighbour, which counts for a pixel.

    Likewise: weight 1, together 4 * 4 = 16. 12 : 11 : 22 : 21 as 25.6 : 14.4 : 14.4 : 0.1, class 1 in the first year
    40 / 54.5 = 0.734.
    Surer, 0.9 and 0.1: H^2 = 1 - sqrt(0.806 * 0.9) - sqrt(0.194 * 0.1) = 0.00902 in both years, weight
    exp(-0.0902) = 0.9137, ratio 0.91 / 0.11 = 8.273: 4 * 8.273^0.9137 = 27.58. 76.05 : 24.82 : 24.82 : 0.1, 0.802.
    """
    said = np.full((2, 2, 5, 5), UNKNOWN, np.uint16)
    said[:, :, 2, 2] = said[:, :, 2, 3] = [[806, 194], [194, 806]]
    shares = np.array([0.5, 0.5])
    chain = Chain(shares, steady(shares, 0.1))
    assert most_probable(said, chain, 1)[1].tolist() == [[[73]], [[73]]]
    said[:, :, 2, 3] = [[900, 100], [100, 900]]
    assert most_probable(said, chain, 1)[1].tolist() == [[[80]], [[80]]]


def test_the_year_that_differs_most_says_how_much_a_neighbour_is_alike():
    """Years apart by transitions of 1/2, so that each is judged by itself; the neighbour is in doubt in the second.

    H^2 = 1 - sqrt(0.806 * 0.5) - sqrt(0.194 * 0.5) = 0.0537, weight exp(-0.537) = 0.5845: 4 * 4^0.5845 = 8.994 in the
    first year, 0.900; 4 * 1 in the second, 0.8. Not mapped there: weight 1 in the first, 16 / 17 = 0.941.
    """
    said = np.full((2, 2, 5, 5), UNKNOWN, np.uint16)
    said[:, :, 2, 2] = [[806, 194], [194, 806]]
    said[:, :, 2, 3] = [[806, 194], [500, 500]]
    shares = np.array([0.5, 0.5])
    apart = Chain(shares, np.full((2, 2), 0.5))
    assert most_probable(said, apart, 1)[1].tolist() == [[[90]], [[80]]]
    said[1, :, 2, 3] = UNKNOWN
    assert most_probable(said, apart, 1)[1].tolist() == [[[94]], [[80]]]


def test_change_of_a_parcel_is_found_and_that_of_a_pixel_is_not():
    """All say 0.9 of their class; alone, both would be called changed."""
    shares = np.array([0.5, 0.5])
    chain = Chain(shares, steady(shares, 0.2))
    said = np.empty((2, 2, 20, 20), np.uint16)
    said[:, 0], said[:, 1] = 900, 100
    parcel, pixel = (slice(5, 10), slice(5, 10)), (15, 15)
    for place in (parcel, pixel):
        said[(1, 0, *place)], said[(1, 1, *place)] = 100, 900
    both = np.ones((2, 20, 20), np.uint16)
    both[(1, *parcel)] = 2
    around = np.pad(said, ((0, 0), (0, 0), (2, 2), (2, 2)), constant_values=UNKNOWN)
    assert most_probable(around, chain, 4)[0].tolist() == both.tolist()
    both[(1, *pixel)] = 2
    assert most_probable(said, chain)[0].tolist() == both.tolist()


def test_shares_by_hand():
    """Three pixels of two years, one of them not mapped; 0 counts half a per mille."""
    said = np.array([[[1000, UNKNOWN], [0, UNKNOWN]], [[400, 600], [600, 400]]], np.uint16)
    assert shares_of(said) == pytest.approx(np.array([2000, 1000.5]) / 3000.5)


def test_a_pixel_that_is_not_mapped_is_as_likely_of_each_class():
    """Else the probability of the class over its share: 0.8 / 0.4 and 0.2 / 0.6."""
    said = np.array([[[800, UNKNOWN], [200, UNKNOWN]]], np.uint16)
    expected = np.array([[[2, 1], [1 / 3, 1]]])
    assert likelihoods(said, np.array([0.4, 0.6])) == pytest.approx(expected)


def drawn(chain: Chain, pixels: int, years: int, quality: float) -> tuple[np.ndarray, np.ndarray]:
    """Classes of a chain, and what a classifier says that is right so often and knows it."""
    generator = np.random.default_rng(11)
    classes = len(chain.shares)
    truth = np.empty((years, pixels), dtype=int)
    truth[0] = generator.choice(classes, pixels, p=chain.shares)
    for year in range(1, years):
        cumulated = chain.transitions.cumsum(axis=1)[truth[year - 1]]
        truth[year] = (generator.random(pixels)[:, np.newaxis] > cumulated).sum(axis=1)
    said = np.where(
        generator.random(truth.shape) < quality, truth, generator.integers(0, classes, truth.shape)
    )
    right = quality + (1 - quality) / classes
    likelihood = np.full((years, classes, pixels), (1 - right) / (classes - 1))
    np.put_along_axis(likelihood, said[:, np.newaxis], right, axis=1)
    posterior = likelihood * chain.shares[:, np.newaxis]
    posterior /= posterior.sum(axis=1, keepdims=True)
    return truth, np.round(1000 * posterior).astype(np.uint16)


def test_the_chain_is_found_again_in_what_classifiers_say():
    """5 % change; classifiers err at 4 % of the pixels, so that maps differ at 12 %."""
    shares = np.full(3, 1 / 3)
    transitions = np.array([[0.95, 0.05, 0.0], [0.0, 0.95, 0.05], [0.05, 0.0, 0.95]])
    truth, said = drawn(Chain(shares, transitions), 20_000, 4, 0.94)
    raw = said.argmax(axis=1)
    assert (raw[0] != raw[1]).mean() > 0.11
    found = estimate_chain(said)
    assert np.abs(found.transitions - transitions).max() < 0.02
    place, _ = alone(said, found)
    changed = truth[:-1] != truth[1:]
    wrong_before = (raw != truth).mean()
    assert (place - 1 != truth).mean() < 0.6 * wrong_before
    told = place[:-1] != place[1:]
    assert told.mean() < 0.6 * (raw[:-1] != raw[1:]).mean()
    assert told[changed].mean() > 0.6


@pytest.fixture
def productions(tmp_path):
    """Two years of 8 x 8 pixels with probabilities; the second is a row lower."""
    said = random_probabilities(2, 64).reshape(2, 3, 8, 8)
    said[0, :, 3, 3] = UNKNOWN
    names = [name for name, _ in NAMES.values()]
    for number, year in enumerate((2018, 2019)):
        final = tmp_path / str(year) / "final"
        place = {"top": 4_900_020 - 10 * number}
        codes = np.array(list(NAMES))[said[number].argmax(axis=0)]
        class_map(final / "Classif_Seed_0.tif", codes, **place)
        path = write_image(final / "ProbabilityMap_seed_0.tif", said[number], **place)
        name_bands(path, names)
    return tmp_path, said


def name_bands(path, names):
    from osgeo import gdal

    dataset = gdal.Open(str(path), gdal.GA_Update)
    for number, name in enumerate(names, start=1):
        dataset.GetRasterBand(number).SetDescription(name)
    dataset = None


@pytest.mark.parametrize("neighbours", [0, 4])
@pytest.mark.parametrize(
    ("windows", "part", "threads"), [((7, 8), 256, 1), ((2, 3), 256, 1), ((3, 8), 3, 2)]
)
def test_maps_of_years_in_any_windows(
    productions, monkeypatch, windows, part, threads, neighbours, capsys
):
    folder, said = productions
    monkeypatch.setattr(consistency, "_shape_of_windows", lambda series: windows)
    monkeypatch.setattr(consistency, "PART", part)
    out = folder / "out"
    given = [f"{year}={folder}/{year}" for year in (2018, 2019)]
    options = ["--change", "0.2", "--neighbours", str(neighbours), "--threads", str(threads)]
    assert main(["consistency", *given, "--output", str(out), *options]) == 0
    common = np.stack([said[0][:, 1:], said[1][:, :7]])
    shares = shares_of(common.reshape(2, 3, 56))
    chain = Chain(shares, steady(shares, 0.2))
    wanted = np.empty(common.shape)
    said = 1000 * pooled(common, neighbours) if neighbours else common.astype(float)
    said[np.broadcast_to(common[:, :1] == UNKNOWN, said.shape)] = UNKNOWN
    for i, j in product(range(7), range(8)):
        least = 0 if neighbours else 0.5
        wanted[:, :, i, j] = enumerated(said[:, :, i, j], shares, chain.transitions, least)
    expected = np.array(list(NAMES))[wanted.argmax(axis=1)]
    expected[common[:, 0] == UNKNOWN] = 0
    for number, year in enumerate((2018, 2019)):
        found = values_of(out / f"Classif_{year}.tif")
        assert found.tolist() == expected[number].tolist()
        assert (values_of(out / f"Confidence_{year}.tif") > 0).tolist() == (found > 0).tolist()
        belief = np.where(expected[number] > 0, 100 * wanted[number].max(axis=0), 0)
        assert values_of(out / f"Confidence_{year}.tif") == pytest.approx(belief, abs=0.8)
    both = (expected > 0).all(axis=0)
    share = 100 * (expected[0] != expected[1])[both].mean()
    assert f"2018 to 2019: {share:.2f} % of the pixels" in capsys.readouterr().out
    with open(out / "transition_probabilities.csv", encoding="utf-8") as file:
        assert file.readline() == "from / to,Wheat,Maize,Town\n"


def test_caution_is_what_a_change_into_a_class_of_usual_share_must_overcome():
    """Three classes of a third: stays 0.5, becomes each other one 0.25. Nearly one class alone: hardly ever changes."""
    third = np.full(3, 1 / 3)
    assert steady(third, cautious_change(third, 2)) == pytest.approx(
        np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5]])
    )
    # 1 / (0.98^2 + 2 * 0.01^2) = 1.04102 classes: 0.04102 / 2.04102
    assert cautious_change(np.array([0.98, 0.01, 0.01]), 2) == pytest.approx(0.020096, abs=1e-6)


def test_transitions_are_found_in_the_maps_where_that_is_asked_for(productions):
    folder, said = productions
    out = folder / "out"
    given = [f"{year}={folder}/{year}" for year in (2018, 2019)]
    assert main(["consistency", *given, "--output", str(out), "--transitions", "found"]) == 0
    common = np.stack([said[0][:, 1:], said[1][:, :7]]).reshape(2, 3, 56)
    wanted = estimate_chain(common).transitions
    table = np.genfromtxt(out / "transition_probabilities.csv", delimiter=",", skip_header=1)
    assert table[:, 1:] == pytest.approx(wanted, abs=1e-6)


def test_the_chain_is_found_from_a_lattice_of_the_map(productions, monkeypatch):
    folder, said = productions
    monkeypatch.setattr(consistency, "SAMPLE_PIXELS", 14)
    series = series_of([year_map(str(folder / str(year))) for year in (2018, 2019)])
    found = consistency.sample_of(series)
    assert found.shape == (2, 3, 12)  # each second row and column of 7 x 8, from the second on
    assert found[0, :, 0].tolist() == said[0][:, 2, 1].tolist()


def test_pixels_that_some_year_has_count_for_the_chain(productions):
    """Of 7 x 8 pixels one is not mapped in the first year, and it is the second that tells of it."""
    folder, _ = productions
    series = series_of([year_map(str(folder / str(year))) for year in (2018, 2019)])
    found = consistency.sample_of(series)
    assert found.shape == (2, 3, 56)
    assert (found[0, 0] == UNKNOWN).sum() == 1


def test_years_that_do_not_fit_are_refused(productions, capsys):
    folder, _ = productions
    given = [f"{year}={folder}/{year}" for year in (2018, 2019)]
    out = ["--output", str(folder / "out")]
    assert main(["consistency", given[0], *out]) == 2
    assert "one year has no other" in capsys.readouterr().err
    assert main(["consistency", "2018", given[1], *out]) == 2
    assert "write NAME=OUTPUT" in capsys.readouterr().err
    assert main(["consistency", given[0], given[0], *out]) == 2
    assert "2018 stands twice" in capsys.readouterr().err
    assert main(["consistency", *given, *out, "--change", "1"]) == 2
    assert "give a share between 0 and 1" in capsys.readouterr().err
    assert main(["consistency", *given, *out, "--caution", "0.5"]) == 2
    assert "--caution 0.5: give a number from 1" in capsys.readouterr().err
    assert main(["consistency", *given, *out, "--neighbours", "nan"]) == 2
    assert "--neighbours nan: give a number from 0 to 24" in capsys.readouterr().err
    name_bands(folder / "2019" / "final" / "ProbabilityMap_seed_0.tif", ["Wheat", "Town", "Maize"])
    assert main(["consistency", *given, *out]) == 2
    assert "its bands are Wheat, Town, Maize" in capsys.readouterr().err
    Path(folder, "2018", "final", "ProbabilityMap_seed_0.tif").unlink()
    assert main(["consistency", *given, *out]) == 2
    assert "has no map of probabilities beside it" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_a_table_of_transitions_is_read_by_name(tmp_path, productions):
    legend = year_map(str(productions[0] / "2018")).legend
    path = tmp_path / "table.csv"
    path.write_text("x,Town,Wheat,Maize\nMaize,0.1,0.2,0.7\nTown,1,0,0\nWheat,0,0.9,0.1\n")
    assert read_transitions(str(path), legend) == pytest.approx(
        np.array([[0.9, 0.1, 0], [0.2, 0.7, 0.1], [0, 0, 1]])
    )
    rounded = "x,Town,Wheat,Maize\nMaize,0.333,0.333,0.333\nTown,1,0,0\nWheat,0,0.9,0.1\n"
    path.write_text(rounded)
    assert read_transitions(str(path), legend)[1] == pytest.approx(np.full(3, 1 / 3))
    for wrong, words in (
        (rounded.replace("0.9,0.1", "0.9,0.09"), "row Wheat sums to 0.99"),
        (
            "x,Town,Wheat,Maize\nMaize,0.1,0.2,0.7\nTown,1,0,0\nWheat,0,0.9,0.2\n",
            "row Wheat sums to 1.1",
        ),
        (
            "x,Town,Wheat,Maize\nMaize,0.1,0.2,a\nTown,1,0,0\nWheat,0,0.9,0.1\n",
            "row Maize: give 3 numbers",
        ),
        ("x,Town,Wheat\nTown,1,0\nWheat,0,1\n", "are not the classes of the maps"),
    ):
        path.write_text(wrong)
        with pytest.raises(InputDataError, match=words):
            read_transitions(str(path), legend)


def test_changes_of_maps_that_agree_are_those_that_were_told(productions, capsys):
    folder, _ = productions
    out = folder / "out"
    given = [f"{year}={folder}/{year}" for year in (2018, 2019)]
    assert main(["consistency", *given, "--output", str(out)]) == 0
    told = capsys.readouterr().out
    maps = [str(out / f"Classif_{year}.tif") for year in (2018, 2019)]
    assert main(["change", *maps, str(folder / "change")]) == 0
    changed = values_of(folder / "change" / "Changed.tif")
    share = 100 * (changed == 2).sum() / (changed > 0).sum()
    assert f"2018 to 2019: {share:.2f} % of the pixels" in told
