"""The job that `classification.py` measures: a process that imports what the chain's job does, and no more.

Usage: python benchmarks/classification_job.py JOB.json, which `classification.compare_job` writes.
"""

import json
import resource
import sys
from pathlib import Path

from iota2_tools.classifying.tile import MappingSettings, TileSources, classify_tile


def main() -> None:
    """Map the tile, tell the CPU time and the peak memory."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    classify_tile(
        TileSources(**job["sources"]),
        MappingSettings(1, tuple(range(1, 22)), "uint8", 1, 400),
        [job["model"]],
        [job["layers"]],
        job["threads"],
    )
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss // 1024}))


if __name__ == "__main__":
    main()
