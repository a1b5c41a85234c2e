"""What describes a production: QGIS project, STAC catalogue, RO-Crate, and the lock above all."""

from collections.abc import Sequence
from pathlib import Path

from iota2_tools.core.locks import NAME
from iota2_tools.publishing import crate, lock, qgis, stac
from iota2_tools.publishing.about import About
from iota2_tools.publishing.products import look_at_all

PROJECT = "production.qgz"
CATALOGUE = "stac"


def write_documents(about: About, products: Sequence[str], final: str, threads: int = 1) -> None:
    """Look at the final products once, and write all that tells of them; the lock also beside those of earlier runs.

    Parameters
    ----------
    about : About
        What the production is.
    products : sequence of str
        The final products.
    final : str
        Their folder, which the documents are written to.
    threads : int
        Products that are looked at together.

    Raises
    ------
    InputDataError
        If a product cannot be read.
    """
    folder = Path(final)
    names = [Path(path).relative_to(folder).as_posix() for path in products]
    found = look_at_all(folder, names, threads)
    inputs = about.inputs(threads)
    qgis.write_project(str(folder / PROJECT), about.title, found, folder)
    items = stac.write_catalogue(str(folder / CATALOGUE), about, found, folder)
    written = [PROJECT, *(f"{CATALOGUE}/{name}" for name in items)]
    found += look_at_all(folder, written)
    crate.write_crate(str(folder / crate.NAME), about, found, inputs, folder)
    found += look_at_all(folder, [crate.NAME])
    locked = lock.lock_of(about, inputs, found)
    lock.write_lock(locked, str(folder / NAME))
    lock.keep_lock(locked, folder.parent)
