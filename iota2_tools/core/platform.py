"""What depends on the operating system; all of it stands here."""

import resource

SPARE_FILES = 64
"""Files that libraries, logs and outputs of a job keep open."""


def files_allowed() -> int:
    """How many files this process may keep open beside those it needs anyhow; 8 at least."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(soft - SPARE_FILES, 8) if soft != resource.RLIM_INFINITY else 1 << 20
