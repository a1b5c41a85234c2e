"""Where samples of other years stand, and what is asked of them; the plan waits for no table."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from iota2_tools.config.nomenclature import Nomenclature
from iota2_tools.core.errors import InputDataError

POLYGONS = Path("sampling", "polygons.gpkg")
"""Of a production: the polygons that its samples lie in."""


def sample_tables(results: Path) -> dict[str, str]:
    """Table of samples of each tile of a production.

    Raises
    ------
    InputDataError
        If there is none.
    """
    found = {
        path.parent.name: str(path) for path in sorted(results.glob("tiles/*/samples.parquet"))
    }
    if not found:
        raise InputDataError(
            f"{results}: holds no samples (tiles/*/samples.parquet); name the output folder of a production, and "
            "make them with `snakemake sampling`"
        )
    return found


@dataclass(frozen=True)
class Demands:
    """What a production asks of samples and models that are not its own.

    Parameters
    ----------
    features : sequence of str
        Names of the features that its models learn, in order.
    regions : sequence of str
        Its regions.
    nomenclature : Nomenclature
        Its classes.
    runs : int
        Number of its draws.
    pixel_metres : float or None
        Side of its pixels, metres; None: not known, and not looked at.
    """

    features: Sequence[str]
    regions: Sequence[str]
    nomenclature: Nomenclature
    runs: int = 1
    pixel_metres: float | None = None


@dataclass(frozen=True)
class Source:
    """Samples to learn from.

    Parameters
    ----------
    path : str
        Output folder of a production, an archive of it, or a table of the user's own.
    weight : float
        Of each sample, against those of other sources.
    """

    path: str
    weight: float = 1.0

    @property
    def is_production(self) -> bool:
        """Whether it is a folder, not a table."""
        return Path(self.path).is_dir()

    @property
    def tables(self) -> list[str]:
        """Its tables.

        Raises
        ------
        InputDataError
            If a folder holds none.
        """
        return list(sample_tables(Path(self.path)).values()) if self.is_production else [self.path]

    @property
    def polygons(self) -> str:
        """Where the polygons of a production are."""
        return str(Path(self.path, POLYGONS))

    @property
    def files(self) -> list[str]:
        """All that is read of it; what is absent is left out."""
        if not self.is_production:
            return [self.path]
        tables = sorted(Path(self.path).glob("tiles/*/samples.parquet"))
        return [str(path) for path in (*tables, Path(self.polygons)) if path.is_file()]
