"""What the recipes reached when they were measured: written by the benchmarks, shown by `info`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["MEASURED", "as_json", "measured"]

MEASURED = Path(__file__).with_name("measured.json")


def measured() -> dict[str, dict[str, Any]]:
    """By the recipe's name: the mean accuracy on the test set, its 95 % interval, the first and the
    last seed, the median of the seconds of training, and the machine.
    """
    found: dict[str, dict[str, Any]] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return found


def as_json(new: dict[str, Any]) -> str:
    """The file's content with these recipes in place of what was known of them."""
    return json.dumps(measured() | new, indent=1) + "\n"
