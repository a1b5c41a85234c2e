"""A production that no file stands behind: what the workflow is read with by `snakemake --lint`.

The linter looks at the rules, and a catalogue of workflows runs it where there is no
configuration. One tile, one class table, one raster of the user; nothing is opened.
"""

from iota2_tools.core.places import CONFIG
from iota2_tools.geo.grid import Grid
from iota2_tools.planning.configuration import complete_configuration
from iota2_tools.planning.production import Production

TILE = "T31TCJ"


def example_production() -> Production:
    """The plan of a production of one tile, of which nothing is on disk but the nomenclature."""
    config = complete_configuration(
        {
            "output": "results",
            "tiles": [TILE],
            "sensors": {},
            "user_features": {"path": "data/user", "patterns": ["ALT"]},
            "reference": {"path": "data/reference.gpkg", "field": "code"},
            "nomenclature": str(CONFIG / "nomenclature.csv"),
        },
        "example",
    )
    return Production(config, {TILE: Grid("EPSG:32631", 300000, 4900020, 10, 10980, 10980)})
