"""The errors are the tree that their docstring draws, and every public name is real."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re

import pytest

import inkdigits
from inkdigits import errors
from inkdigits.errors import Diverged, InkdigitsError, Interrupted
from inkdigits.model import Model

MODULES = [
    module.name
    for module in pkgutil.walk_packages(inkdigits.__path__, "inkdigits.")
    if module.name != "inkdigits.__main__"
]


def drawn() -> dict[str, str]:
    """Each error in the docstring's tree with its parent, by the column it stands in."""
    parents: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for line in str(errors.__doc__).splitlines():
        found = re.match(r"    [│├└─ ]*([A-Z]\w+)", line)
        if found is None:
            continue
        column, name = found.start(1), found[1]
        while path and path[-1][0] >= column:
            path.pop()
        parents[name] = path[-1][1] if path else "Exception"
        path.append((column, name))
    return parents


def test_the_tree_in_the_docstring_is_the_real_tree() -> None:
    real = {
        name: value.__base__.__name__
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert drawn() == real
    assert sorted(real) == sorted(errors.__all__)


def test_what_ends_a_training_early_carries_its_model(blink: Model) -> None:
    for error in (Diverged("why", blink), Interrupted("why", blink)):
        assert error.model is blink
        assert str(error) == "why"
        assert isinstance(error, InkdigitsError)
    assert Diverged("at once", None).model is None


def test_every_name_in_all_is_real_and_in_its_place() -> None:
    wrong = []
    for name in MODULES:
        module = importlib.import_module(name)
        names = getattr(module, "__all__", [])
        if len(set(names)) != len(names):
            wrong.append(f"{name} names something twice")
        wrong += [f"{name}.{public}" for public in names if not hasattr(module, public)]
        # A module of its own has an `__all__`, but for the one that holds a version alone, and for
        # folders whose first page only says what is in them.
        folder = hasattr(module, "__path__") and not ast.parse(inspect.getsource(module)).body[1:]
        if not (names or folder or name == "inkdigits.version"):
            wrong.append(f"{name} has no __all__")
    assert wrong == []


def test_every_class_and_function_of_the_top_is_the_one_of_its_module() -> None:
    from inkdigits.dataset import Dataset
    from inkdigits.sources import load
    from inkdigits.training import train
    from inkdigits.version import __version__

    assert inkdigits.Dataset is Dataset
    assert inkdigits.Model is Model
    assert inkdigits.load is load
    assert inkdigits.train is train
    assert inkdigits.__version__ == __version__
    for name in errors.__all__:
        assert getattr(inkdigits, name) is getattr(errors, name)
    rest = {"Dataset", "Model", "__version__", "load", "read", "train"}
    assert set(inkdigits.__all__) == rest | set(errors.__all__)


def test_a_name_that_is_not_public_is_no_attribute_of_the_top() -> None:
    with pytest.raises(AttributeError, match="module 'inkdigits' has no attribute 'predict'"):
        _ = inkdigits.predict  # type: ignore[attr-defined]
