"""The section of the configuration on the report."""

from pydantic import Field

from iota2_tools.config.section import PathText, Section


class ReportSection(Section):
    """The page `final/report/index.html`; docs/report.md."""

    compare: list[PathText] = Field(
        [],
        description=(
            "Output folders of other productions, such as that of last year, whose maps the page can show beside "
            "this one: `[results_2017]`."
        ),
    )
    pixels: int = Field(
        4096,
        ge=512,
        le=32768,
        description=(
            "Most pixels along a side of the map in the page; larger maps are shown by their overviews. Four times "
            "the size for twice as many."
        ),
    )
