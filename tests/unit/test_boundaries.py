"""Boundaries between regions: weights by signed distance, and the mean of both sides."""

from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import pytest
from osgeo import gdal
from shapely import box
from tiny import LEFT, TOP, name_of, write_product

from iota2_tools.classifying.tile import MappingSettings, TileMapper
from iota2_tools.core.errors import ConfigError
from iota2_tools.fusing.boundaries import Border, Boundaries, signed_distance, weight
from iota2_tools.geo.burning import Burner
from iota2_tools.geo.grid import Grid, Window
from iota2_tools.learning.model import most_probable
from iota2_tools.planning.checks import input_problems
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.parameters import Parameters
from iota2_tools.planning.production import Production

CODES = (1, 2, 5)
GRID = Grid("EPSG:32631", LEFT, TOP, 10, 8, 8)
WHOLE = Window(0, 0, 8, 8)


def sides(edge):
    """Regions west and east of a line, some metres from the left of the tile."""
    west = box(LEFT - 900, TOP - 900, LEFT + edge, TOP + 900)
    return [west, box(LEFT + edge, TOP - 900, LEFT + 900, TOP + 900)]


def test_distance_is_that_of_the_centre_to_the_edge_and_negative_outside():
    inside = np.broadcast_to(np.arange(6) < 3, (2, 6))
    assert signed_distance(inside, 10.0)[0].tolist() == [25, 15, 5, -5, -15, -25]
    assert np.isposinf(signed_distance(np.ones((2, 2), bool), 10.0)).all()
    assert np.isneginf(signed_distance(np.zeros((2, 2), bool), 10.0)).all()


@pytest.mark.parametrize(
    ("distance", "exterior", "interior", "expected"),
    [
        (0, 100, 100, 0.5),  # at the edge both sides count alike
        (100, 100, 100, 1),
        (-100, 100, 100, 0),
        (50, 100, 100, 0.75),
        (-30, 100, 100, 0.35),
        (0, 100, 0, 1),  # without interior: the full say from the edge inwards
        (-50, 100, 0, 0.5),
        (5, 100, 300, 0.2625),
        (np.inf, 100, 100, 1),
        (-np.inf, 100, 100, 0),
    ],
)
def test_weights_fall_from_the_interior_to_the_exterior_distance(
    distance, exterior, interior, expected
):
    assert weight(np.array([distance]), exterior, interior)[0] == pytest.approx(expected)


class Fixed:
    """A model that says the same of every pixel."""

    def __init__(self, codes, shares):
        self.codes, self._shares = np.array(codes, np.uint16), np.array([shares])

    def predict(self, features, probabilities=False):
        return most_probable(self.codes, np.repeat(self._shares, len(features), 0), probabilities)


class Features:
    def of(self, pixels):
        return pixels[:, None]


class Stack:
    series = ()

    def read(self, *_):
        return Features()


OWN, OTHER = Fixed([1, 2], [0.7, 0.3]), Fixed([2, 5], [0.8, 0.2])


def border(region="west", exterior=20, interior=20, other=OTHER, edge=40) -> Border:
    names = ["east", "west"]
    neighbour = "east" if region == "west" else "west"
    about = Boundaries({}, names, region, {neighbour: [""]}, CODES, exterior, interior)
    return Border(about, [[other]], Burner(sides(edge), [2, 1], GRID), 10.0)


def layers(window=WHOLE, region="west", own=OWN, **more):
    """Layers of a draw over a window of the tile, near the boundary in its middle."""
    rasters = {}
    regions = np.where(np.arange(8) < 4, 2, 1) * np.ones((8, 1))
    for name, values in (("regions", regions), ("footprint", 1), ("validity", 1)):
        rasters[name] = gdal.GetDriverByName("MEM").Create("", 8, 8, 1, gdal.GDT_UInt16)
        rasters[name].GetRasterBand(1).WriteArray(np.broadcast_to(values, (8, 8)).astype(np.uint16))
    settings = MappingSettings(2 if region == "west" else 1, CODES, "uint8", 0, 100)
    mapper = TileMapper(Stack(), rasters, [own], settings, True, border(region, **more))
    with ThreadPoolExecutor(2) as pool:
        return (mapper.layers(window, pool) or [None])[0]


def test_a_pixel_near_the_boundary_gets_the_mean_of_both_sides_by_their_weights():
    """Centres lie 35, 25, 15 and 5 m inside. Weights of the own region: 1, 1, 35/40, 25/40; of the
    other one: 0, 0, 5/40, 15/40."""
    found = layers()
    west = found["probabilities"][:, 0, :4]
    own, other = np.array([700, 300, 0]), np.array([0, 800, 200])
    for col, (inner, outer) in enumerate(((1, 0), (1, 0), (35, 5), (25, 15))):
        mean = (inner * own + outer * other) / (inner + outer)
        assert west[:, col].tolist() == np.floor(mean + 0.5).tolist()
    assert found["classes"][0].tolist() == [1, 1, 1, 2, 0, 0, 0, 0]
    assert found["plain"][0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    # 70, 70; (35 · 700 + 5 · 0) / 40 = 612.5; class 2: (25 · 300 + 15 · 800) / 40 = 487.5
    assert found["confidence"][0].tolist() == [70, 70, 61, 48, 0, 0, 0, 0]


def test_probabilities_meet_at_the_boundary_of_two_regions():
    """Both sides see the same two models: the step between the pixels beside the edge is small."""
    west = layers(exterior=40, interior=40)["probabilities"][:, 0, 3]
    east = layers(region="east", own=OTHER, other=OWN, exterior=40, interior=40)
    east = east["probabilities"][:, 0, 4]
    plain = np.abs(np.array([700, 300, 0]) - np.array([0, 800, 200]))
    assert (np.abs(west.astype(int) - east.astype(int)) <= plain * 10 / 80 + 1).all()


def test_what_a_window_holds_does_not_count():
    whole = layers()
    for window in GRID.windows(3, 3):
        part = layers(window)
        rows, cols = window.slices
        if part is None:
            continue
        for name, values in part.items():
            assert np.array_equal(values, whole[name][..., rows, cols]), name


def test_a_boundary_beyond_the_tile_counts_too():
    weights = border(edge=90).weights(Window(0, 0, 1, 8))
    # The last centre lies 15 m inside.
    assert weights[0, 0, -1] == pytest.approx(35 / 40)
    assert weights[1, 0, -1] == pytest.approx(5 / 40)


def test_far_from_all_boundaries_no_neighbour_is_asked():
    found = layers(edge=800, other=None)  # it would fail
    assert (found["classes"] == found["plain"]).all()


# The plan.


@pytest.fixture
def production(tmp_path):
    """Makes the plan of a production over one tile of 80 m; a region far from it, and one beside."""
    write_product(tmp_path / "s2" / "T31TCJ", name_of("20180105"), {"B4": 1, "B8": 1})
    shapes = {
        "west": box(LEFT, TOP - 80, LEFT + 40, TOP),
        "east": box(LEFT + 40, TOP - 80, LEFT + 70, TOP),
        "edge": box(LEFT + 70, TOP - 80, LEFT + 80, TOP),
    }
    frame = gpd.GeoDataFrame(
        {"region": list(shapes)}, geometry=list(shapes.values()), crs="EPSG:32631"
    )
    frame.to_file(tmp_path / "regions.gpkg")
    boxes = [box(LEFT + 10 * n, TOP - 20, LEFT + 10 * n + 10, TOP - 10) for n in range(8)]
    codes = gpd.GeoDataFrame({"code": [1, 2] * 4}, geometry=boxes, crs="EPSG:32631")
    codes.to_file(tmp_path / "reference.gpkg")
    (tmp_path / "classes.csv").write_text("code,name\n1,Wheat\n2,Maize\n")

    def make(fusion, **sections):
        sensor = {"path": str(tmp_path / "s2"), "keep_bands": ["B4", "B8"], "indices": []}
        given = {
            "output": str(tmp_path / "results"),
            "tiles": ["T31TCJ"],
            "nomenclature": str(tmp_path / "classes.csv"),
            "sensors": {"sentinel2": sensor},
            "reference": {"path": str(tmp_path / "reference.gpkg"), "field": "code"},
            "regions": {"path": str(tmp_path / "regions.gpkg")},
            "sampling": {"envelope_margin": 0},
        }
        return Production(complete_configuration(given | sections | {"fusion": fusion}))

    return make


def test_neighbours_are_the_regions_within_the_exterior_distance(production):
    near = production({"boundaries": {"exterior": 5}})
    assert near.neighbours("T31TCJ", "west") == ["east"]
    assert near.neighbours("T31TCJ", "east") == ["edge", "west"]
    assert production({"boundaries": {"exterior": 30}}).neighbours("T31TCJ", "west") == ["east", "edge"]  # fmt: skip
    assert production(None).neighbours("T31TCJ", "west") == []
    parameters = Parameters(near)
    about = parameters.border("T31TCJ", "west")
    assert (about["names"], about["neighbours"]) == (["east", "edge", "west"], ["east"])
    assert about["contents"] == parameters.region_contents
    assert Parameters(production(None)).border("T31TCJ", "west") is None


@pytest.mark.parametrize(
    ("fusion", "sections", "words"),
    [
        ({}, {"regions": None}, "there is one region alone"),
        ({}, {"learning": {"learner": "otb-rf"}}, "otb-rf gives no probabilities"),
        ({"regions": {"above_km2": 1}}, {}, "regions with several models"),
        ({}, {"inputs": {"missing_series": "leave_out"}}, "may have learnt other series"),
        ({"boundaries": {"exterior": 0}}, {}, "exterior"),
    ],
)
def test_boundaries_that_lack_what_they_need_are_refused(production, fusion, sections, words):
    with pytest.raises(ConfigError, match=words):
        production({"boundaries": {"exterior": 50}} | fusion, **sections)


def test_distances_need_a_map_in_metres(production):
    degrees = {"projection": "EPSG:4326", "spatial_resolution": 0.0001}
    plan = production({"boundaries": {"exterior": 50}}, grid=degrees)
    assert any("distances in metres are none" in problem for problem in input_problems(plan))
