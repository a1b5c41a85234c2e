"""Section of the configuration for those who find the maps: what they are called, who answers for them."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from iota2_tools.config.section import Section

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, pattern=r"^[^\r\n]+$")]
Licence = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.+-]+$")]
Address = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]


class Publication(Section):
    """What catalogues and pictures tell of the maps; docs/catalogue.md. Empty: what is known without."""

    title: Line | None = Field(
        None, description="Name of the maps. Empty: `Land cover` and the year of the features."
    )
    description: Line | None = Field(
        None, description="One sentence. Empty: tiles, sensors, dates."
    )
    producer: Line | None = Field(None, description="Who answers for the maps: an organisation.")
    url: Address | None = Field(None, description="Page of the producer.")
    licence: Licence | None = Field(
        None,
        description="Licence of the maps by its SPDX identifier (`CC-BY-4.0`). Empty: not stated.",
    )
    checksums: Literal["parts", "whole"] = Field(
        "parts",
        description=(
            "What the lock tells of inputs above 32 MB: the checksum of their ends and 64 parts, or also the "
            "SHA-256 of all their bytes, for which every input is read once more, and once only."
        ),
    )
