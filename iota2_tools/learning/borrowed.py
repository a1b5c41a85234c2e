"""Models of another production, which map this one."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from iota2_tools.core.errors import Iota2Error
from iota2_tools.core.locks import problems_of_lock
from iota2_tools.learning.engines import describe, load
from iota2_tools.learning.places import borrowed_models
from iota2_tools.reference.sources import Demands


def borrowed_problems(output: str, demands: Demands) -> Iterator[str]:
    """What keeps models of another production from mapping this one, a sentence each.

    All are looked at; the first one is loaded as well, as the job does.

    Parameters
    ----------
    output : str
        Output folder of the other production, or an archive of it.
    """
    if not Path(output, "models").is_dir():
        yield f"there is no folder {output}/models; name the output folder of a finished production"
        return
    yield from problems_of_lock(output)
    learnt: set[int] = set()
    loaded = False
    for region in demands.regions:
        for folder in borrowed_models(output, region, range(demands.runs)):
            problems = list(_problems(folder, demands.features))
            yield from problems
            if problems:
                continue
            learnt |= set(map(int, describe(folder)["classes"]))
            if not loaded:
                loaded = True
                try:
                    load(folder)
                except Iota2Error as error:
                    yield str(error)
    from iota2_tools.reference.other_years import class_problems, pixel_problems

    yield from class_problems(output, sorted(learnt), demands.nomenclature)
    yield from pixel_problems(output, demands)


def _problems(folder: str, features: Sequence[str]) -> Iterator[str]:
    from iota2_tools.features.stack import check_same_features  # most productions borrow none

    if not Path(folder).is_dir():
        known = sorted(path.name for path in Path(folder).parent.glob("region_*"))
        yield (
            f"there is no {folder} (there are {', '.join(known[:6]) or 'none'}); regions must have the same names, "
            "and as many draws or more (sampling.runs)"
        )
        return
    try:
        told = describe(folder)
        check_same_features(told["features"], list(features), folder)
    except Iota2Error as error:
        yield str(error).replace("; delete the model to learn it anew", "")
