"""Where the workflow lies that belongs to this package: its rules, schemas, profiles and examples.

In a checkout these folders stand beside the package. A wheel carries them inside it, in `shipped/`
(`setup.py` puts them there), with the same relations among them: the Snakefile includes
`../rules/`. Nothing else asks where it was installed.
"""

import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def root_of(package: Path) -> Path:
    """The folder that holds `workflow/`, `rules/`, `profiles/`, `config/` and `envs/`.

    Parameters
    ----------
    package : Path
        Folder of the package `iota2_tools`.
    """
    shipped = package / "shipped"
    return shipped if shipped.is_dir() else package.parent


def site_file_of(package: Path, prefix: Path) -> Path:
    """The site file of an installation where no other is named.

    Parameters
    ----------
    package : Path
        Folder of the package `iota2_tools`.
    prefix : Path
        Folder of the Python environment: in an installed package the next update would remove
        what a user has put there, so the file stands in `etc/iota2/` of the environment.
    """
    root = root_of(package)
    if root == package / "shipped":
        return prefix / "etc" / "iota2" / "site.yaml"
    return root / "config" / "site.yaml"


ROOT = root_of(PACKAGE)
IS_CHECKOUT = PACKAGE.parent == ROOT
SNAKEFILE = ROOT / "workflow" / "Snakefile"
PROFILES = ROOT / "profiles"
CONFIG = ROOT / "config"
SITE_FILE = site_file_of(PACKAGE, Path(sys.prefix))
