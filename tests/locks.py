"""What the lock of a production tells, for tests that compare productions."""

import json
from pathlib import Path


def locked_contents(results: Path) -> dict[str, dict]:
    """What each final product of a production holds, as its lock tells."""
    lock = json.loads((results / "final" / "production.lock").read_text(encoding="utf-8"))
    found = {path: product["content"] for path, product in lock["products"].items()}
    return {path: content for path, content in found.items() if content}
