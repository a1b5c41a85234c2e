"""The page as text: what it says, that it needs nothing from elsewhere, that its JSON is as told."""

import json
import re
from datetime import date, timedelta
from html.parser import HTMLParser

import jsonschema
import pytest
import yaml
from conftest import ROOT

from iota2_tools.core.errors import MissingSoftwareError
from iota2_tools.reporting.page import figures, writing
from iota2_tools.reporting.page.model import (
    Accuracy,
    Acquired,
    Bin,
    ClassArea,
    ClassScores,
    ClearDates,
    Data,
    Importance,
    InputDigest,
    LegendEntry,
    MapAccuracy,
    MapGrid,
    Maps,
    Matrix,
    PlaceAccuracy,
    Production,
    Profile,
    Report,
    RuleWork,
    SampleCount,
    Score,
    ShownClass,
    ShownLayer,
    Warned,
    Work,
)
from iota2_tools.reporting.page.samples import STATISTICS
from iota2_tools.reporting.page.writing import (
    duration,
    hectares,
    percent,
    score_text,
    tint,
    write_report,
)

EVIL = "Forêt </script> & <b>pins</b>"
DAYS = [date(2018, 1, 1) + timedelta(days=30 * number) for number in range(4)]
NONE = Score(mean=None, half_width=None, draws=0)


def score(mean, half_width=None, draws=2) -> Score:
    return Score(mean=mean, half_width=half_width, draws=draws)


def acquisition(day, product, **shares) -> Acquired:
    return Acquired(
        tile="T31TCJ", series="sentinel2", day=day, product=product, counts=True, **shares
    )


def shown_class(code) -> ShownClass:
    return ShownClass(code=code, name=f"by the map {code}", colour="#010203")


def layer(name, kind, largest, foreign=False, legend=()) -> ShownLayer:
    return ShownLayer(
        name=name, title=name, kind=kind, foreign=foreign, wide=False, nodata=0, largest=largest,
        legend=list(legend),
    )  # fmt: skip


def report(**changes) -> Report:
    """A report of two classes, one of them never judged."""
    grid = MapGrid(
        crs="EPSG:32631", left=0, top=20, resolution=10, factor=1, rows=2, cols=2, levels=1, side=512, metres=10,
        angles=False, nodes=[[(0, 0), (1, 0)], [(0, 1), (1, 1)]],
    )  # fmt: skip
    maps = Maps(
        grid=grid,
        layers=[
            layer("classes", "class", 31, legend=[shown_class(11), shown_class(254)]),
            layer("last_year", "class", 7, foreign=True, legend=[shown_class(7)]),
            layer("validity", "validity", 9),
            layer("diff", "difference", 4),
            layer("sets", "set", 3),
        ],
    )
    wave = [1.0, 2.5, 4.0, 1.5]
    parts = {
        "production": Production(
            output="results", tiles=["T31TCJ"], sensors=["sentinel2"], first_day=DAYS[0],
            last_day=DAYS[-1], learner="RandomForestClassifier", draws=2, config_sha256="c0ffee",
        ),
        "classes": [
            LegendEntry(code=11, name=EVIL, colour="#009600"),
            LegendEntry(code=31, name="Water", colour="#0000ff"),
        ],
        "accuracy": Accuracy(
            overall_accuracy=score(0.8777), half_width_by_polygons=0.0321, calibration_error=0.051, kappa=score(0.7),
            classes=[
                ClassScores(code=11, precision=score(0.9), recall=score(0.8), f_score=score(0.85),
                            confused=[(31, 0.125)]),
                ClassScores(code=31, precision=NONE, recall=NONE, f_score=NONE, confused=[]),
            ],
            matrices=[Matrix(name="mean", pixels=[[1234, 166, 100], [0, 0, 0]])],
            other_maps=[MapAccuracy(kind="fusion", pixels=808, overall_accuracy=score(0.9123), kappa=score(0.81))],
            places=[PlaceAccuracy(kind="region", name="hills", pixels=8, overall_accuracy=None, f_score=None)],
            reliability=[Bin(draw=0, pixels=9, confidence=0.5, accuracy=0.6)],
            remarks=["A product was left out."],
        ),
        "areas": [
            ClassArea(code=31, pixels=100, share=0.25, mapped_ha=12.34, corrected_ha=None,
                      corrected_max_ha=112.3, half_width_ha=None),
            ClassArea(code=11, pixels=300, share=0.75, mapped_ha=1234.56, corrected_ha=1200,
                      corrected_max_ha=1300, half_width_ha=None),
        ],
        "maps": maps,
        "data": Data(
            acquisitions=[
                acquisition(DAYS[0], "P1", seen=1, clear=0.25),
                acquisition(DAYS[1], "P2", seen=None, clear=None),
            ],
            left_out=[],
            clear_dates=[ClearDates(tile="T31TCJ", pixels=[0, 3, 1])],
            samples=[SampleCount(seed=0, region="1", code=11, samples=40, polygons=7)],
            profiles=[
                Profile(code=11, quantity=quantity, days=DAYS, **dict.fromkeys(STATISTICS, wave))
                for quantity in ("S B4", "S NDVI")
            ],
            importance=[
                Importance(feature="S_B4_20180101", quantity="S B4", day=DAYS[0], value=0.9),
                Importance(feature="dem", quantity="dem", day=None, value=0.1),
            ],
            importance_of="By trees.",
        ),
        "work": Work(
            rules=[RuleWork(rule="mask_series", jobs=2, hours=0.5, longest_seconds=900, cpu_hours=1,
                            peak_mb=321, asked_mb=1000, repeated=3)],
            warnings=[Warned(text="X is left out", times=2, first="take_inventory/T31TCJ")],
            versions={"numpy": "2.0"},
            configuration={"output": "results", "tiles": ["T31TCJ"]},
            inputs=[InputDigest(name="reference", files=1, digest="abc")],
            command="snakemake --profile local",
        ),
    }  # fmt: skip
    return Report(**(parts | changes))


class Words(HTMLParser):
    """Text of a page, and what its elements refer to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.told, self.addresses, self._inside = "", [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self._inside = [tag]
        wanted = ("src", "href", "xlink:href")
        self.addresses += [(tag, value) for name, value in attrs if name in wanted]

    def handle_data(self, data):
        if self._inside not in (["script"], ["style"]):
            self.told += f" {' '.join(data.split())}"


@pytest.fixture(scope="module")
def page():
    return writing.page_of(report())


def test_the_first_screen_says_how_right_the_map_is_and_how_much_land_each_class_has(page):
    words = " ".join(Words(page).told.split())
    first, _, rest = words.partition(" Accuracy The map was compared")
    assert "of the pixels that were checked have the right class" in first
    assert "87.8 % ± 3.2 %" in first
    assert "Hectares: mean of 2 draws." in first
    assert (
        "by how the polygons differ. The map of all draws as one: 91.2 %, on polygons that no draw has learnt."
        in first
    )
    assert "1 235 ha 75.0 %" in first
    assert first.index("1 235 ha") < first.index("12.3 ha")  # the largest first
    assert "Land-cover map 1 tile (T31TCJ) from Sentinel-2, 1 January 2018 to 1 April 2018" in first
    assert (
        "Land cover, mean of the draws 0.878 0.700 1 500 Land cover, all draws as one 0.912 0.810 808 "
        in rest
    )
    for told in ("Water 12.5 %", "1 200 to 1 300", "at most 112", "region hills", "A product was left out.",
                 "321 MB", "X is left out", "numpy 2.0", "snakemake --profile local", "By trees.",
                 "40 in 7", "c0ffee", "off by 0.051", "too few for an interval"):  # fmt: skip
        assert told in rest, told


def test_a_key_in_a_remark_is_shown_as_code_and_nothing_of_it_is_markup():
    judged = report().accuracy.model_copy(
        update={"remarks": ["`sampling.buffer: 9` for <b>Wood</b>"]}
    )
    text = writing.page_of(report(accuracy=judged))
    assert "<li><code>sampling.buffer: 9</code> for &lt;b&gt;Wood&lt;/b&gt;</li>" in text


@pytest.mark.parametrize(("pixels", "drawn"), [([0, 3], True), ([4], False), ([], False)])
def test_clear_dates_are_drawn_where_a_pixel_has_one(pixels, drawn):
    """Not of a production by rasters of the user alone, whose pixels have none."""
    data = report().data.model_copy(
        update={"clear_dates": [ClearDates(tile="T31TCJ", pixels=pixels)]}
    )
    assert ("<h3>Clear dates</h3>" in writing.page_of(report(data=data))) == drawn


@pytest.mark.parametrize(
    ("least", "most", "half", "told"),
    [
        (16.31, 16.8, 4.18, "16.3 to 16.8 ± 4.2"),
        (1.81, 1.84, 3.9, "1.8 ± 3.9"),
        (1200, 1200, None, "1 200"),
        (None, 112.3, 2, "at most 112"),
        (None, None, None, "-"),
    ],
)
def test_a_corrected_area_keeps_its_interval_when_it_is_known_within_bounds_only(
    least, most, half, told
):
    area = ClassArea(
        code=1, pixels=9, share=1, mapped_ha=9, corrected_ha=least, corrected_max_ha=most, half_width_ha=half
    )  # fmt: skip
    assert f"<td>{told}</td></tr>" in writing.page_of(
        report(areas=[area.model_copy(update={"code": 11})])
    )


def test_the_title_is_that_of_the_publication_if_it_has_one():
    own = report().work.model_copy(
        update={"configuration": {"publication": {"title": "Land of <Oc>", "producer": None}}}
    )
    text = writing.page_of(report(work=own))
    assert "<h1>Land of &lt;Oc&gt;</h1>" in text
    assert "<title>Land of &lt;Oc&gt;</title>" in text


def test_days_below_a_heat_map_stand_as_far_apart_as_their_words_need():
    days = [date(2018, 1, 1) + timedelta(days=10 * n) for n in range(19)]
    items = [Importance(feature=f"S_B4_{n}", quantity="S B4", day=day, value=0.05)
             for n, day in enumerate(days)]  # fmt: skip
    text = figures.importance(items, "S")
    shown = re.findall(r">(\d+ \w{3})</text>", text)
    assert shown == [f"{day.day} {day:%b}" for day in days[::2]]


def test_the_page_needs_nothing_from_elsewhere(page):
    """Links of the reader are no need; styles, scripts and pictures stand inside, but for the tiles."""
    for tag, address in Words(page).addresses:
        inside = address.startswith(("#", "data:")) or tag == "a"
        assert inside, (tag, address)
    styles = "".join(re.findall(r"<style>(.*?)</style>", page, re.DOTALL))
    assert "@import" not in styles
    assert "L.map(" in page
    assert "Leaflet 1.9" in page


def test_what_users_write_cannot_become_a_part_of_the_page(page):
    assert EVIL not in page
    assert "<b>pins" not in page
    data = re.search(r'id="map-data">(.*?)</script>', page, re.DOTALL)[1]
    assert json.loads(data)["layers"][0]["legend"][0]["name"] == EVIL


def test_the_ndvi_is_the_first_profile_that_is_shown(page):
    shown = re.findall(r'<div class="profile drawn" data-quantity="(\d)"( hidden)?>', page)
    assert shown == [("0", ""), ("1", " hidden")]
    assert re.findall(r'<option value="\d">(S \w+)</option>', page) == ["S NDVI", "S B4"]


def test_of_two_sensors_the_ndvi_of_the_most_days_is_shown_first():
    told = report()
    item = told.data.profiles[-1]
    few = item.model_copy(update={"quantity": "A NDVI", "days": item.days[:2]} | {
        name: getattr(item, name)[:2] for name in ("mean", "q05", "q25", "q75", "q95")
    })  # fmt: skip
    data = told.data.model_copy(update={"profiles": [few, *told.data.profiles]})
    text = writing.page_of(report(data=data))
    assert re.findall(r'<option value="\d">(\w \w+)</option>', text) == ["S NDVI", "A NDVI", "S B4"]


def test_each_layer_has_its_legend_or_its_ramp(page):
    data = json.loads(re.search(r'id="map-data">(.*?)</script>', page, re.DOTALL)[1])
    classes, last_year, validity, difference, sets = data["layers"]
    # Names are those of the nomenclature; what only the map knows, such as undecided pixels, is added.
    assert [item["code"] for item in classes["legend"]] == [11, 31, 254]
    assert [item["name"] for item in classes["legend"]] == [EVIL, "Water", "by the map 254"]
    assert [item["name"] for item in last_year["legend"]] == ["by the map 7"]
    assert (validity["maximum"], validity["unit"]) == (9, "clear dates")
    assert (sets["maximum"], sets["unit"]) == (3, "classes")
    assert validity["ramp"][0] == "#00224e"
    assert [item["name"] for item in difference["legend"]][:2] == [
        "validation, wrong",
        "validation, right",
    ]


def test_the_json_is_as_the_schema_tells_and_the_configuration_is_whole(tmp_path):
    told = report()
    paths = [str(tmp_path / name) for name in ("index.html", "report.json", "configuration.yaml")]
    write_report(told, *paths)
    schema = yaml.safe_load(
        (ROOT / "workflow/schemas/report.schema.yaml").read_text(encoding="utf-8")
    )
    data = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    jsonschema.validate(data, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data | {"areas": [{"code": "eleven"}]}, schema)
    assert data["classes"][0]["name"] == EVIL
    configuration = yaml.safe_load((tmp_path / "configuration.yaml").read_text(encoding="utf-8"))
    assert configuration == told.work.configuration


def test_a_production_without_images_validation_or_samples_has_its_page():
    empty = report()
    data = Data(acquisitions=[], left_out=[], clear_dates=[], samples=[], profiles=[], importance=[],
                importance_of="SVC tells none.")  # fmt: skip
    accuracy = empty.accuracy.model_copy(
        update={
            "overall_accuracy": NONE, "kappa": NONE,
            "half_width_by_polygons": None, "calibration_error": None, "reliability": [], "places": [], "remarks": [],
            "classes": [item.model_copy(update={"f_score": NONE}) for item in empty.accuracy.classes],
        }
    )  # fmt: skip
    production = empty.production.model_copy(update={"first_day": None, "last_day": None})
    words = Words(writing.page_of(report(data=data, accuracy=accuracy, production=production))).told
    assert "No images" in words
    assert "learning.samples" in words
    assert "SVC tells none." in words
    assert "None" not in words


def test_the_page_of_a_map_without_reference_tells_its_areas_and_no_accuracy(tmp_path):
    told = report(accuracy=None)
    page = writing.page_of(told)
    words = Words(page).told
    assert "There is no reference: how right the map is, is not known." in words
    assert "not corrected for the errors of the map" in words
    for word in ("Overall accuracy", "F-score", "Corrected, ha", "Confusion matrix", "None", "nan"):
        assert word not in words
    assert told.areas[0].mapped_ha is not None
    assert writing.hectares(told.areas[0].mapped_ha) in words


def test_hundreds_of_classes_fit_into_a_page(monkeypatch):
    monkeypatch.setattr(writing, "MOST_CLASSES", 1)
    monkeypatch.setattr(writing, "MOST_LINES", 2)
    page = writing.page_of(report())
    words = Words(page).told
    assert "2 classes are too many for a page" in words
    assert 'data-matrix="mean"' not in page
    assert "1 more quantities stand in report.json" in " ".join(words.split())
    assert "S B4" not in re.findall(r'<option value="\d">(S \w+)</option>', page)


def test_the_same_report_is_the_same_page(page):
    assert writing.page_of(report()) == page


def test_a_map_library_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(writing, "MAP_LIBRARY", "no_such_library")
    with pytest.raises(MissingSoftwareError, match="pip install django-js-lib-leaflet"):
        writing.library_file("leaflet.js")


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.8777, "87.8 %"), (None, "-"), (0, "0.0 %"), (0.0004, "< 0.1 %"), (1, "100.0 %")],
)
def test_shares_are_percents_and_what_there_is_is_never_zero(share, text):
    assert percent(share) == text


def test_numbers_are_written_as_a_reader_wants_them():
    assert [hectares(value) for value in (1234.56, 12.34, None)] == ["1 235", "12.3", "-"]
    assert score_text(score(0.81)) == "0.810"
    assert score_text(score(0.81, 0.02, 5)) == "0.810 ± 0.020"
    assert score_text(NONE) == "-"
    times = [duration(seconds) for seconds in (0, 3.21, 59.97, 75, 3600, 10861, 360000)]
    assert times == ["0.0 s", "3.2 s", "60.0 s", "1 min 15 s", "1 h", "3 h 1 min", "100 h"]
    assert tint(None) == "rgba(213,94,0,0.000)"
    assert tint(1.0, right=True) == "rgba(31,120,180,0.750)"


def test_profiles_draw_each_class_by_its_code_with_its_ranges():
    told = report()
    drawn = figures.profiles(told.data.profiles[:1], {item.code: item for item in told.classes})
    for part in ("mean", "narrow", "wide"):
        assert f'class="{part} of-11"' in drawn
    assert 'id="mean-11"' not in drawn  # it would stand twice in the page


@pytest.mark.slow
def test_a_calendar_of_a_country_becomes_one_picture():
    few = [Acquired(tile=f"T{number}", series="s", day=DAYS[0], product="P", counts=True, seen=1, clear=0.5)
           for number in range(4)]  # fmt: skip
    many = [
        item.model_copy(update={"tile": f"T{tile}", "day": DAYS[0] + timedelta(days=number)})
        for tile in range(120)
        for number, item in enumerate(few * 10)
    ]
    # The bar of the colours is one picture anyhow.
    assert figures.calendar(few).count("data:image/png") == 1
    drawn = figures.calendar(many)
    assert drawn.count("data:image/png") == 2
    assert len(drawn) < 400_000
    assert "120 tiles and series" in drawn
