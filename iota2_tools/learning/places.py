"""Where the models of another production stand; the plan waits for no learner."""

from collections.abc import Sequence
from pathlib import Path

from iota2_tools.core.contents import digest


def borrowed_models(output: str, region: str, draws: Sequence[int]) -> list[str]:
    """Folders of the models of a region, draw by draw, in the output of another production.

    >>> borrowed_models("results_2018", "1", range(2))
    ['results_2018/models/region_1_seed_0', 'results_2018/models/region_1_seed_1']
    """
    return [f"{output}/models/region_{region}_seed_{draw}" for draw in draws]


def files_of_models(output: str, regions: Sequence[str], draws: Sequence[int]) -> list[str]:
    """All files of the models, in order, but Snakemake's own; an absent model has none."""
    folders = [Path(f) for region in regions for f in borrowed_models(output, region, draws)]
    files = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]
    return [str(path) for path in files if path.is_file() and not path.name.startswith(".")]


def contents_of_models(output: str, regions: Sequence[str], draws: Sequence[int]) -> list[str]:
    """Digests of all files of the models, in order; an absent model has none."""
    return [digest(path) for path in files_of_models(output, regions, draws)]
