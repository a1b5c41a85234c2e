"""The learner of a production, tried once and not at every start.

Trying one of scikit-learn's takes two seconds, most of them to import it. Those of OTB are tried
each time: OTB itself may be gone.
"""

from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError
from typing import Any

from iota2_tools.core.remembered import has_passed, keep_passed, makers
from iota2_tools.learning.settings import LearningSettings, Purpose
from iota2_tools.learning.traits import is_otb

PACKAGES = ("scikit-learn", "numpy", "scipy", "skops", "joblib", "threadpoolctl")
"""What the answer of a classifier of scikit-learn depends on."""


def problems_of_learner(settings: LearningSettings, purpose: Purpose) -> Iterator[str]:
    """As `engines.learner_problems`; a learner that was tried in vain before is tried again."""
    look = _look(settings, purpose)
    if look and has_passed(look):
        return
    from iota2_tools.learning.engines import learner_problems

    found = list(learner_problems(settings, purpose))
    if look and not found:
        keep_passed(look)
    yield from found


def _look(settings: LearningSettings, purpose: Purpose) -> dict[str, Any]:
    """All that the trial depends on; nothing where it is made each time."""
    if is_otb(settings.learner):
        return {}
    try:
        made_by = makers(PACKAGES)
    except PackageNotFoundError:  # the trial says what is missing
        return {}
    return {
        "look": "learner",
        "settings": asdict(settings),
        "purpose": asdict(purpose),
        "made by": made_by,
    }
