"""The report in a browser, as a reader opens it: from the folder, on a desk and on a phone."""

import re
import shutil

import numpy as np
import pyproj
import pytest
from browsers import DESKTOP, PHONE, opened
from independent import pixels
from osgeo import gdal
from test_rules_validation import nomenclature

SCREENS = {"desktop": (DESKTOP, False), "phone": (PHONE, True)}
LOADED = "return document.querySelectorAll('.leaflet-tile-loaded').length"
MAP = "#map .leaflet-tile-pane canvas"
COLOURS = """
const seen = new Set();
for (const canvas of document.querySelectorAll(arguments[0])) {
  const copy = document.createElement('canvas');
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const context = copy.getContext('2d', {willReadFrequently: true});
  context.drawImage(canvas, 0, 0);
  const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] === 255) seen.add([data[i], data[i + 1], data[i + 2]].join(','));
  }
}
return [...seen];
"""


@pytest.fixture(scope="module", params=SCREENS)
def page(request, whole_production):
    size, mobile = SCREENS[request.param]
    with opened(size, mobile=mobile) as browser:
        browser.open(whole_production.results / "final/report/index.html")
        browser.wait(LOADED)
        browser.name = request.param
        yield browser


@pytest.fixture
def quiet(page):
    """Nothing is complained of in the console while a test goes on."""
    yield page
    assert page.complaints() == []


def colours_of(results, file: str) -> set[str]:
    table = nomenclature(results).set_index("code")["colour"]
    codes = np.unique(pixels(results / "final" / file))
    return {
        ",".join(map(str, bytes.fromhex(table[code].lstrip("#"))))
        for code in codes
        if code in table
    }


def test_the_first_screen_holds_the_map_and_how_right_it_is(quiet, whole_production):
    width, height = quiet.run("return [window.innerWidth, window.innerHeight]")
    for selector in ("#map", "#headline strong"):
        left, top, right, bottom = quiet.run(
            "window.scrollTo(0, 0); const box = document.querySelector(arguments[0]).getBoundingClientRect();"
            "return [box.left, box.top, box.right, box.bottom]",
            selector,
        )
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
    assert quiet.text("#headline strong").endswith(" %")
    assert "ha" in quiet.text("#legend")


def test_nothing_is_wider_than_the_screen(quiet):
    """A phone would widen its page instead, and make all of it smaller."""
    width = SCREENS[quiet.name][0][0]
    assert (
        quiet.run("return [document.documentElement.scrollWidth, window.innerWidth]") == [width] * 2
    )


def test_layers_are_drawn_in_the_colours_of_their_legends(quiet, whole_production):
    results = whole_production.results
    for layer, file in (
        ("classif_seed_1", "Classif_Seed_1.tif"),
        ("classifications_fusion", "Classifications_fusion.tif"),
    ):
        quiet.choose("#layer", layer)
        expected = colours_of(results, file)
        quiet.wait(
            f"{LOADED} && (() => {{{COLOURS}}})(...arguments).length >= {len(expected)}", MAP
        )
        assert set(quiet.run(COLOURS, MAP)) == expected
        assert quiet.run("return document.querySelector('#other-legend').hidden")
    quiet.choose("#layer", "confidence_seed_0")
    quiet.wait(f"{LOADED} && (() => {{{COLOURS}}})(...arguments).includes('253,231,37')", MAP)
    assert "100 %" in quiet.text("#other-legend")
    quiet.choose("#layer", "diff_seed_0")
    quiet.wait(f"{LOADED} && (() => {{{COLOURS}}})(...arguments).includes('0,114,178')", MAP)
    assert "validation, wrong" in quiet.text("#other-legend")
    quiet.choose("#layer", "classif_seed_0")


def test_a_class_is_seen_alone_and_all_again(quiet, whole_production):
    quiet.choose("#layer", "classif_seed_0")
    quiet.wait(LOADED)
    every = set(quiet.run(COLOURS, MAP))
    assert len(every) > 2
    quiet.press("#legend button")
    quiet.wait(f"{LOADED} && (() => {{{COLOURS}}})(...arguments).length === 1", MAP)
    quiet.press("#legend button")
    quiet.wait(f"{LOADED} && (() => {{{COLOURS}}})(...arguments).length === {len(every)}", MAP)


def test_the_map_stands_on_paper_too(quiet, whole_production):
    quiet.choose("#layer", "classif_seed_1")
    expected = colours_of(whole_production.results, "Classif_Seed_1.tif")
    quiet.wait(f"return (() => {{{COLOURS}}})(...arguments).length >= {len(expected)}", "#paper")
    assert set(quiet.run(COLOURS, "#paper")) == expected
    display = "return [...document.querySelectorAll('#map, #paper')].map(e => getComputedStyle(e).display)"
    for medium, visible in (("print", ["none", "block"]), ("", ["block", "none"])):
        quiet.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": medium})
        assert quiet.run(display) == visible
    quiet.choose("#layer", "classif_seed_0")


def test_a_page_that_keeps_no_tiles_draws_them_all(whole_production, tmp_path):
    """Map and paper ask for the same tiles while others come: none may be forgotten that somebody waits for."""
    shutil.copytree(whole_production.results / "final/report", tmp_path / "report")
    page = tmp_path / "report/index.html"
    text = page.read_text(encoding="utf-8")
    assert text.count("const MOST_TILES = 80;") == 1
    page.write_text(text.replace("MOST_TILES = 80", "MOST_TILES = 0"), encoding="utf-8")
    with opened(DESKTOP) as browser:
        browser.open(page)
        asked = "document.querySelectorAll('#map .leaflet-tile').length"
        browser.wait(f"return {asked} > 0 && {LOADED.removeprefix('return ')} === {asked}")
        expected = colours_of(whole_production.results, "Classif_Seed_0.tif")
        browser.wait(
            f"return (() => {{{COLOURS}}})(...arguments).length >= {len(expected)}", "#paper"
        )
        assert browser.complaints() == []


def test_two_layers_meet_where_the_slider_stands(quiet):
    quiet.choose("#layer", "classif_seed_0")
    quiet.choose("#beside", "classif_regularised_seed_0")
    quiet.wait("return document.querySelectorAll('.leaflet-tile-pane .leaflet-layer').length === 2")
    clips = "return [...document.querySelectorAll('.leaflet-tile-pane .leaflet-layer')].map(l => l.style.clip)"
    for value in (500, 250):
        quiet.run(
            "const slider = document.querySelector('#swipe'); slider.value = arguments[0];"
            "slider.dispatchEvent(new Event('input'))",
            value,
        )
        # Top, right, bottom and left of what is seen of each.
        left, right = (
            [float(n) for n in re.findall(r"-?[\d.]+(?=px)", clip)] for clip in quiet.run(clips)
        )
        assert left[1] == right[3]
        share = (left[1] - left[3]) / (right[1] - left[3])
        assert share == pytest.approx(value / 1000, abs=0.005)
    quiet.choose("#beside", "other_0")
    quiet.wait("return !document.querySelector('#other-legend').hidden")
    assert quiet.text("#other-legend").splitlines()[:2] == ["Land cover of last_year", "Kind 1"]
    quiet.choose("#beside", "")
    quiet.wait("return document.querySelector('#swipe').hidden")


def test_a_click_tells_what_every_map_holds_there(quiet, whole_production):
    """On places all over the map, many of them beside a boundary."""
    final = whole_production.results / "final"
    names = nomenclature(whole_production.results).set_index("code")["name"]
    files = (
        "Classif_Seed_0",
        "Classif_Seed_1",
        "Classifications_fusion",
        "Confidence_Seed_0",
        "PixelsValidity",
    )
    values = {file: pixels(final / f"{file}.tif") for file in files}
    other = pixels(whole_production.folder / "last_year/final/Classif_Seed_0.tif")
    left, step, _, top, _, _ = gdal.Open(str(final / "Classif_Seed_0.tif")).GetGeoTransform()
    to_degrees = pyproj.Transformer.from_crs(32631, 4326)
    width, height = quiet.run(
        "const m = document.querySelector('#map'); return [m.clientWidth, m.clientHeight]"
    )
    places = set()
    for across in np.linspace(0.25, 0.75, 7):
        for down in np.linspace(0.25, 0.75, 7):
            told = told_at(quiet, across * width, down * height)
            x, y = map(float, told["EPSG:32631"].split(", "))
            row, col = int((top - y) // step), int((x - left) // step)
            here = {file: array[row, col] for file, array in values.items()}
            if not here["Classif_Seed_0"]:
                continue
            places.add((row, col))
            assert told["Land cover, draw 0"] == names[here["Classif_Seed_0"]]
            assert told["Land cover, draw 1"] == names[here["Classif_Seed_1"]]
            assert told["Land cover, all draws as one"] == names[here["Classifications_fusion"]]
            assert told["Confidence, draw 0"] == f"{here['Confidence_Seed_0']} %"
            assert told["Clear dates"] == f"{here['PixelsValidity']} clear dates"
            year_before = f"Kind {other[row, col]}" if col < other.shape[1] else "no data"
            assert told["Land cover of last_year"] == year_before
            degrees = [float(number) for number in told["Latitude, longitude"].split(", ")]
            assert degrees == pytest.approx(to_degrees.transform(x, y), abs=2e-5)
    assert len(places) > 30


def told_at(page, x: float, y: float) -> dict[str, str]:
    """What the page says of a place of the map."""
    page.run("document.querySelector('#values').textContent = ''")
    page.click_at("#map", x, y)
    rows = "return [...document.querySelectorAll('#values tr')].map(r => [...r.cells].map(c => c.innerText))"
    return dict(page.wait(rows))


def test_figures_and_tables_answer(quiet):
    quiet.choose("#matrix-choice", "1")
    shown = "return [...document.querySelectorAll('.matrix')].filter(m => !m.hidden).map(m => m.dataset.matrix)"
    assert quiet.run(shown) == ["1"]
    cell = ".matrix:not([hidden]) td"
    assert "%" in "".join(
        quiet.run("return [...document.querySelectorAll(arguments[0])].map(c => c.innerText)", cell)
    )
    quiet.press("#matrix-shares")
    cells = quiet.run(
        "return [...document.querySelectorAll(arguments[0])].map(c => c.innerText)", cell
    )
    assert "%" not in "".join(cells)
    quiet.press("#matrix-shares")
    count = quiet.run("return document.querySelectorAll('.profile').length")
    assert count >= 13  # ten bands, two or three indices
    quiet.choose("#quantity", str(count - 1))
    assert quiet.run("return document.querySelectorAll('.profile:not([hidden])').length") == 1
    visible = (
        "return [...document.querySelectorAll('.profile:not([hidden]) .wide')]"
        ".filter(e => getComputedStyle(e).display !== 'none').length"
    )
    assert quiet.run(visible) == 0
    quiet.press("#profile-legend button")
    assert quiet.run(visible) == 1
    quiet.press("#profile-legend button")
    assert quiet.run(visible) == 0


@pytest.fixture
def report_of_snakemake(whole_production):
    """Beside the maps, which it shows; away again, for it is no product."""
    report = whole_production.results / "final/report.html"
    whole_production.run("all", "--report", str(report))
    yield report
    report.unlink()


def test_the_report_of_snakemake_opens_on_text_and_map_and_not_on_a_graph(report_of_snakemake):
    report = report_of_snakemake
    with opened(DESKTOP) as browser:
        browser.open(report)
        browser.wait("return document.querySelector('#rulegraph canvas, #rulegraph svg')")
        browser.wait("return document.querySelector('.prose img')?.naturalWidth > 0")
        box = "return document.querySelector(arguments[0]).getBoundingClientRect()"
        picture, graph = (browser.run(box, selector) for selector in (".prose img", "#rulegraph"))
        assert 0 <= picture["top"] < picture["bottom"] <= graph["top"]
        assert picture["bottom"] <= DESKTOP[1]
        assert "report/index.html" in browser.text(".prose")


def test_missing_tiles_are_told(quiet, whole_production, tmp_path):
    """A page that was sent without its folder says so; all else stands."""
    alone = tmp_path / "index.html"
    alone.write_bytes((whole_production.results / "final/report/index.html").read_bytes())
    quiet.open(alone)
    quiet.wait("return document.querySelector('#map-note').innerText.includes('keep the folder')")
    assert quiet.text("#headline strong").endswith(" %")
    assert quiet.complaints()  # the browser itself tells of each file
    quiet.open(whole_production.results / "final/report/index.html")
    quiet.wait(LOADED)
