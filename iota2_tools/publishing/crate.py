"""The provenance of a production as an RO-Crate: which program made the maps, of what, when.

References
----------
RO-Crate 1.1; Process Run Crate 0.5 of the Workflow Run RO-Crate profiles.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from iota2_tools.core.files import whole_file
from iota2_tools.core.locks import NAME as LOCK
from iota2_tools.publishing.about import About, InputFile, hour_of
from iota2_tools.publishing.lock import software
from iota2_tools.publishing.products import Product, is_document
from iota2_tools.publishing.stac import MEDIA_TYPES, title_of

NAME = "ro-crate-metadata.json"
CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"},
]
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
SPECIFICATION = "https://w3id.org/ro/crate/1.1"
METHOD = "https://doi.org/10.3390/rs9010095"
"""Where the method is described."""
LICENCES = "https://spdx.org/licenses/"
NO_LICENCE = "No licence is stated: ask who made the maps"
HOMES = {
    "python": "https://www.python.org/",
    "gdal": "https://gdal.org/",
    "proj": "https://proj.org/",
    "geos": "https://libgeos.org/",
}
"""Software that is no Python package; the others go by their package URL (purl)."""

Entity = dict[str, Any]


def write_crate(
    path: str,
    about: About,
    products: Sequence[Product],
    inputs: Mapping[str, InputFile],
    final: str | Path,
) -> None:
    """Write `ro-crate-metadata.json`; the folder `final` is then the crate.

    Parameters
    ----------
    path : str
        File to write, in `final`.
    about : About
        What the production is.
    products : sequence of Product
        All files of the crate, but the lock and this one.
    inputs : mapping of str to InputFile
        What it was made of; files of one folder stand together.
    final : str or Path
        Where the products lie.
    """
    hours = sorted(
        hour_of(Path(final, item.path)).replace("Z", "+00:00")
        for item in products
        if not is_document(item.path)  # which are written anew now
    )
    used = _inputs(inputs)
    made = [_file(item) for item in products]
    lock = {"@id": LOCK, "@type": "File", "name": "Lock of the production",
            "encodingFormat": "application/json"}  # fmt: skip
    graph = [
        _descriptor(),
        _root(about, [*made, lock], hours[-1]),
        _action(about, used, [*made, lock], hours),
        *_software(),
        *_context(about),
        *made,
        lock,
        *used,
    ]
    content = {"@context": CONTEXT, "@graph": graph}
    with whole_file(path) as temporary:
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        Path(temporary).write_text(text, encoding="utf-8")


def _link(entity: Entity) -> Entity:
    return {"@id": entity["@id"]}


def _descriptor() -> Entity:
    return {
        "@id": NAME,
        "@type": "CreativeWork",
        "conformsTo": {"@id": SPECIFICATION},
        "about": {"@id": "./"},
    }


def _root(about: About, parts: Sequence[Entity], hour: str) -> Entity:
    publication = about.publication
    licence, producer = publication.get("licence"), _producer(about)
    return {
        "@id": "./",
        "@type": "Dataset",
        "conformsTo": {"@id": PROFILE},
        "name": about.title,
        "description": about.description,
        "datePublished": hour,
        "license": {"@id": LICENCES + licence} if licence else NO_LICENCE,
        **({"author": producer, "publisher": producer} if producer else {}),
        **({"temporalCoverage": "/".join(about.dates)} if about.dates else {}),
        "hasPart": [_link(item) for item in parts],
        "mentions": {"@id": "#run"},
    }


def _action(
    about: About, used: Sequence[Entity], made: Sequence[Entity], hours: Sequence[str]
) -> Entity:
    """The run: from the first final product to the last, for those are the hours that are known."""
    producer = _producer(about)
    return {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "Production of the land-cover maps",
        "description": "startTime and endTime are those of the first and the last final product.",
        "instrument": _link(_software()[0]),
        "startTime": hours[0],
        "endTime": hours[-1],
        "actionStatus": "http://schema.org/CompletedActionStatus",
        **({"agent": producer} if producer else {}),
        "object": [_link(item) for item in used],
        "result": [_link(item) for item in made],
    }


def _software() -> list[Entity]:
    versions = software()
    found: list[Entity] = [
        {
            "@id": HOMES.get(name, f"pkg:pypi/{name}@{number}"),
            "@type": "SoftwareApplication",
            "name": name,
            "softwareVersion": number,
        }
        for name, number in versions.items()
    ]
    main, *others = found
    main |= {
        "description": "Snakemake workflow for land-cover maps from satellite image time series",
        "url": METHOD,
        "license": {"@id": f"{LICENCES}Apache-2.0"},
        "softwareRequirements": [_link(item) for item in others],
    }
    return [main, *others]


def _producer(about: About) -> Entity | None:
    """Who answers for the maps; without a word of the configuration nobody is named."""
    return {"@id": "#producer"} if about.publication.get("producer") else None


def _context(about: About) -> list[Entity]:
    """What else is named: producer, licence, the profile."""
    given = about.publication
    profile = {
        "@id": PROFILE,
        "@type": "CreativeWork",
        "name": "Process Run Crate",
        "version": "0.5",
    }
    found = [profile]
    if given.get("producer"):
        url = {"url": given["url"]} if given.get("url") else {}
        found.append(
            {"@id": "#producer", "@type": "Organization", "name": given["producer"], **url}
        )
    if given.get("licence"):
        name = given["licence"]
        found.append({"@id": LICENCES + name, "@type": "CreativeWork", "name": name})
    return found


def _file(product: Product) -> Entity:
    end = Path(product.path).suffix
    return {
        "@id": quote(product.path),
        "@type": "File",
        "name": title_of(product.path),
        "encodingFormat": MEDIA_TYPES.get(end, "application/octet-stream").partition(";")[0],
        "contentSize": str(product.size),
        "sha256": product.sha256,
    }


def _inputs(inputs: Mapping[str, InputFile]) -> list[Entity]:
    """Inputs by folder, which of images is one acquisition; the files stand in the lock."""
    folders: dict[str, list[InputFile]] = {}
    for path, item in inputs.items():
        if item.size is not None:
            folders.setdefault(str(Path(path).parent), []).append(item)
    return [
        {
            "@id": f"#input/{quote(folder)}",
            "@type": "CreativeWork",
            "name": Path(folder).name or folder,
            "description": f"{len(items)} file(s) that were read; each with its checksum in {LOCK}",
            "contentSize": str(sum(item.size or 0 for item in items)),
        }
        for folder, items in sorted(folders.items())
    ]
