"""The report in a browser, as a reader opens it: from the folder, on a desk and on a phone."""

import numpy as np
import pytest
from browsers import DESKTOP, PHONE, opened
from independent import pixels
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


def test_two_layers_meet_where_the_slider_stands(quiet):
    quiet.choose("#layer", "classif_seed_0")
    quiet.choose("#beside", "classif_regularised_seed_0")
    quiet.wait("return document.querySelectorAll('.leaflet-tile-pane .leaflet-layer').length === 2")
    widths = "return [...document.querySelectorAll('.leaflet-tile-pane .leaflet-layer')].map(l => l.style.clip)"
    before = quiet.run(widths)
    assert all(clip.startswith("rect(") for clip in before)
    quiet.run(
        "const s = document.querySelector('#swipe'); s.value = 250; s.dispatchEvent(new Event('input'))"
    )
    assert quiet.run(widths) != before
    quiet.choose("#beside", "")
    quiet.wait("return document.querySelector('#swipe').hidden")


def test_a_click_tells_what_every_map_holds_there(quiet, whole_production):
    results = whole_production.results
    names = nomenclature(results).set_index("code")["name"]
    width, height = quiet.run(
        "const m = document.querySelector('#map'); return [m.clientWidth, m.clientHeight]"
    )
    quiet.click_at("#map", 0.55 * width, 0.5 * height)
    quiet.wait("return !document.querySelector('#values').hidden")
    told = dict(
        quiet.run(
            "return [...document.querySelectorAll('#values tr')].map(r => [r.cells[0].innerText, r.cells[1].innerText])"
        )
    )
    x, y = map(float, told["EPSG:32631"].split(", "))
    left, step, _, top, _, _ = transform(results / "final/Classif_Seed_0.tif")
    col, row = int((x - left) // step), int((top - y) // step)

    def value(file):
        return pixels(results / "final" / file)[row, col]

    for seed in (0, 1):
        assert told[f"Land cover, draw {seed}"] == names[value(f"Classif_Seed_{seed}.tif")]
        assert told[f"Confidence, draw {seed}"] == f"{value(f'Confidence_Seed_{seed}.tif')} %"
    assert told["Clear dates"] == f"{value('PixelsValidity.tif')} clear dates"
    assert told["Land cover, all draws as one"] == names[value("Classifications_fusion.tif")]


def transform(path) -> tuple[float, ...]:
    from osgeo import gdal

    return gdal.Open(str(path)).GetGeoTransform()


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


def test_the_report_of_snakemake_opens_on_text_and_map_and_not_on_a_graph(whole_production):
    report = whole_production.results / "final/report.html"
    whole_production.run("all", "--report", str(report))
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
