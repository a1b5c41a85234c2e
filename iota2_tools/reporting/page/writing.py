"""The report of a production as a page, as JSON, and the configuration to make it again."""

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from iota2_tools.assessing.scores import ABSENT
from iota2_tools.config.nomenclature import LandCoverClass
from iota2_tools.core.errors import MissingSoftwareError
from iota2_tools.core.files import whole_file
from iota2_tools.core.words import number
from iota2_tools.maps.layers import DIFFERENCE
from iota2_tools.maps.preview import sensors_told
from iota2_tools.maps.style import CIVIDIS, VIRIDIS
from iota2_tools.reporting.page import figures
from iota2_tools.reporting.page.model import ClassArea, LegendEntry, Report, Score, ShownLayer

if TYPE_CHECKING:
    from markupsafe import Markup

MAP_LIBRARY = "js_lib_leaflet"
"""Module of the package `django-js-lib-leaflet`, which carries Leaflet and needs no Django."""


MOST_CLASSES = 60
"""Of a matrix that the page shows; larger ones stand in `report.json` and in their tables."""
MOST_LINES = 600
"""Of all profiles that are drawn: classes times quantities."""


def write_report(report: Report, page: str, data: str, configuration: str) -> None:
    """Write the report.

    Parameters
    ----------
    report : Report
        What it tells.
    page : str
        HTML to write. It shows the tiles of the folder ``tiles`` beside it, and needs nothing else.
    data : str
        JSON to write, as ``workflow/schemas/report.schema.yaml`` says.
    configuration : str
        YAML to write: the whole configuration, for the command that makes the production again.

    Raises
    ------
    MissingSoftwareError
        If the map library is not installed.
    """
    with whole_file(data) as temporary:
        Path(temporary).write_text(report.model_dump_json(indent=1), encoding="utf-8")
    text = yaml.safe_dump(report.work.configuration, sort_keys=False, allow_unicode=True)
    with whole_file(configuration) as temporary:
        Path(temporary).write_text(text, encoding="utf-8")
    with whole_file(page) as temporary:
        Path(temporary).write_text(page_of(report), encoding="utf-8")


NAMES_OF_MAPS = {
    "raw": "Land cover before smoothing",
    "regularised": "Land cover without small areas",
    "fusion": "Land cover, all draws as one",
    "regularised_fusion": "Land cover without small areas, all draws as one",
}
"""Maps beside those of the draws, as the list of the layers calls them."""


def page_of(report: Report) -> str:
    """The page as HTML."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("iota2_tools.reporting.page", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "percent": percent, "hectares": hectares, "corrected": corrected, "coded": coded,
        "score": score_text, "amount": amount,
        "duration": duration, "sensors": sensors_told,
        "tint": tint, "yaml": lambda value: yaml.safe_dump(value, sort_keys=False, allow_unicode=True),
    }  # fmt: skip
    classes = {item.code: item for item in report.classes}
    drawn = {name: Markup(text) for name, text in _figures(report).items()}
    return environment.get_template("index.html.j2").render(
        report=report,
        classes=classes,
        figures=drawn,
        profiles=_profile_figures(report),
        heat_maps=[Markup(text) for text in _heat_maps(report)],
        areas=sorted(report.areas, key=lambda item: -item.pixels),
        map_data=_map_data(report),
        most_classes=MOST_CLASSES,
        names_of_maps=NAMES_OF_MAPS,
        quantities=len({item.quantity for item in report.data.profiles}),
        library={name: Markup(library_file(name)) for name in ("leaflet.js", "leaflet.css")},
        own={name: Markup(_template(name)) for name in ("report.js", "report.css")},
    )


def library_file(name: str) -> str:
    """A file of the map library.

    Raises
    ------
    MissingSoftwareError
        If it is not installed.
    """
    try:
        return (files(MAP_LIBRARY) / "static" / MAP_LIBRARY / name).read_text(encoding="utf-8")
    except (ModuleNotFoundError, FileNotFoundError):
        raise MissingSoftwareError(
            f"the map library of the report is missing ({name}): "
            "`pip install django-js-lib-leaflet`, or repeat the installation"
        ) from None


def _template(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")


def percent(share: float | None, decimals: int = 1) -> str:
    """A share as text, in percent; `-` for none.

    >>> percent(0.8777), percent(None)
    ('87.8 %', '-')
    """
    if share is not None and 0 < share < 0.5 * 10 ** (-2 - decimals):
        return f"< {10**-decimals:g} %"
    return ABSENT if share is None else f"{number(100 * share, decimals)} %"


def hectares(value: float | None) -> str:
    """An area as text, hectares; whole ones above 100.

    >>> hectares(1234.56), hectares(12.34)
    ('1 235', '12.3')
    """
    if value is None:
        return ABSENT
    return number(value, 0 if abs(value) >= 100 else 1, apart=" ")


def corrected(area: ClassArea) -> str:
    """A corrected area as text, hectares: one figure, both of its bounds, or the upper one; and its interval.

    >>> some = {"code": 1, "pixels": 1, "share": 1, "mapped_ha": 1}
    >>> corrected(ClassArea(**some, corrected_ha=7.1, corrected_max_ha=7.6, half_width_ha=6))
    '7.1 to 7.6 ± 6.0'
    """
    least, most = hectares(area.corrected_ha), hectares(area.corrected_max_ha)
    if least == ABSENT != most:
        return f"at most {most}"
    told = least if least == most else f"{least} to {most}"
    return told if area.half_width_ha is None else f"{told} ± {hectares(area.half_width_ha)}"


def coded(text: str) -> "Markup":
    """Words of the user's files and ours as HTML; what stands between backticks is code.

    >>> coded("`a: <b>` or 1 < 2")
    Markup('<code>a: &lt;b&gt;</code> or 1 &lt; 2')
    """
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def score_text(score: Score) -> str:
    """A score and its interval, 0-1; `-` for none.

    >>> score_text(Score(mean=0.81, half_width=None, draws=2))
    '0.810'
    """
    if score.mean is None:
        return ABSENT
    wide = "" if score.half_width is None else f" ± {number(score.half_width, 3)}"
    return f"{number(score.mean, 3)}{wide}"


def duration(seconds: float) -> str:
    """A time as text, in its two largest units.

    >>> duration(3.21), duration(75), duration(3 * 3600 + 61), duration(100 * 3600)
    ('3.2 s', '1 min 15 s', '3 h 1 min', '100 h')
    """
    if seconds < 60:
        return f"{number(seconds, 1)} s"
    whole = round(seconds)
    units = (
        ("h", whole // 3600),
        ("min", whole // 60 % 60),
        ("s", whole % 60 if whole < 3600 else 0),
    )
    return " ".join(f"{value} {unit}" for unit, value in units if value)


def amount(value: float | None, decimals: int = 0) -> str:
    """A number as text, thousands apart; `-` for none."""
    return ABSENT if value is None else number(value, decimals, apart=" ")


def tint(share: float | None, right: bool = False) -> str:
    """Colour behind a share of a matrix: blue where the map is right, red where it is wrong."""
    strength = 0 if share is None else min(max(share, 0), 1) ** 0.5
    return f"rgba({'31,120,180' if right else '213,94,0'},{number(0.75 * strength, 3)})"


def _figures(report: Report) -> dict[str, str]:
    """Figures of which there is one each, where there is something to draw."""
    found = {}
    if report.accuracy:
        found["f_scores"] = figures.f_scores(report.classes, report.accuracy.classes)
    if report.accuracy and report.accuracy.reliability:
        found["reliability"] = figures.reliability(report.accuracy.reliability)
    if report.data.acquisitions:
        found["calendar"] = figures.calendar(report.data.acquisitions)
    if any(sum(tile.pixels[1:]) for tile in report.data.clear_dates):
        found["clear_dates"] = figures.clear_dates(report.data.clear_dates)
    return found


def _profile_figures(report: Report) -> list[tuple[str, Any]]:
    """Quantity and figure; the NDVI of the most days first, for it is looked at first."""
    from markupsafe import Markup

    classes = {item.code: item for item in report.classes}
    groups = defaultdict(list)
    for item in report.data.profiles:
        groups[item.quantity].append(item)
    ndvi = [name for name in groups if name.endswith("NDVI")]
    ndvi.sort(key=lambda name: -len(groups[name][0].days))
    ordered = [*ndvi, *(name for name in groups if name not in ndvi)]
    ordered = ordered[: max(1, MOST_LINES // len(classes))]
    return [(name, Markup(figures.profiles(groups[name], classes))) for name in ordered]


def _heat_maps(report: Report) -> list[str]:
    """Importance of the features of each series that has several days."""
    series = defaultdict(list)
    for item in report.data.importance:
        if item.day:
            series[item.quantity.rpartition(" ")[0]].append(item)
    return [figures.importance(items, name) for name, items in series.items()]


def _map_data(report: Report) -> str:
    """What the page must know to draw the map, as JSON that may stand in a script element."""
    layers = [layer.model_dump() | _colours(layer, report.classes) for layer in report.maps.layers]
    text = json.dumps({"grid": report.maps.grid.model_dump(), "layers": layers})
    return text.replace("<", "\\u003c")


def _colours(layer: ShownLayer, classes: Sequence[LegendEntry]) -> dict[str, Any]:
    """Legend of a layer of codes, or ramp of a layer of quantities."""
    if layer.kind == "class":
        told = [item.model_dump() for item in layer.legend]
        if layer.foreign:
            return {"legend": told}
        own = [item.model_dump(include={"code", "name", "colour"}) for item in classes]
        codes = {item.code for item in classes}
        return {"legend": own + [item for item in told if item["code"] not in codes]}
    if layer.kind == "difference":
        assert DIFFERENCE.classes is not None
        return {"legend": _legend(DIFFERENCE.classes.classes)}
    if layer.kind == "confidence":
        return {"legend": None, "ramp": list(VIRIDIS), "maximum": 100, "unit": "%"}
    unit = {"validity": "clear dates", "set": "classes"}[layer.kind]
    ramp = {"ramp": list(CIVIDIS), "maximum": max(layer.largest, 1), "unit": unit}
    return {"legend": None} | ramp


def _legend(classes: Sequence[LandCoverClass]) -> list[dict[str, Any]]:
    return [{"code": item.code, "name": item.name, "colour": item.hex_colour} for item in classes]
