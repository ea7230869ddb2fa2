"""The numbers committed as PyTorch's are PyTorch's."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_goldens.py"


def leaves(tree: Any, path: str = "") -> dict[str, Any]:
    """The numbers of nested dicts and lists, by the path that leads to each."""
    if not isinstance(tree, dict | list):
        return {path: tree}
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return {
        at: leaf for key, branch in pairs for at, leaf in leaves(branch, f"{path}/{key}").items()
    }


def test_torch_still_gives_the_committed_numbers(golden: dict[str, Any]) -> None:
    """1e-12: another processor or version of PyTorch may round the last bits differently."""
    pytest.importorskip("torch")
    specification = importlib.util.spec_from_file_location("make_goldens", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    script = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)
    fresh, committed = leaves(script.goldens()), leaves(golden)
    assert list(fresh) == list(committed)
    np.testing.assert_allclose(
        list(fresh.values()), list(committed.values()), rtol=1e-12, atol=1e-12
    )
