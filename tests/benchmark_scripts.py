"""Scripts of benchmarks/, imported for their tests."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@contextmanager
def benchmark(name: str) -> Iterator[ModuleType]:
    """The script; its import, which clears some of the environment, is undone at the end."""
    path = list(sys.path)
    own = {each.stem for each in BENCHMARKS.glob("*.py")}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        for variable in [each for each in os.environ if each.startswith("OPENBLAS_")]:
            patch.delenv(variable)
        yield importlib.import_module(name)
    sys.path[:] = path
    for module in own & set(sys.modules):
        del sys.modules[module]
