"""inkdigits: a handwriting reader you can read.

>>> import inkdigits as ink
>>> model = ink.train("blink", ink.load("mnist:train"), seed=1)
>>> model.evaluate(ink.load("mnist:test")).accuracy > 0.97
True

The names below are loaded when they are first used: `inkdigits --help` needs none of them.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inkdigits.dataset import Dataset
    from inkdigits.errors import (
        DataError,
        Diverged,
        FileError,
        InkdigitsError,
        Interrupted,
        ModelError,
        PictureError,
        ShapeError,
        TrainingError,
    )
    from inkdigits.model import Model
    from inkdigits.reading import Reading
    from inkdigits.sources import load
    from inkdigits.training import train
    from inkdigits.version import __version__

__all__ = [
    "DataError",
    "Dataset",
    "Diverged",
    "FileError",
    "InkdigitsError",
    "Interrupted",
    "Model",
    "ModelError",
    "PictureError",
    "ShapeError",
    "TrainingError",
    "__version__",
    "load",
    "read",
    "train",
]

_HOMES = {
    "Dataset": "inkdigits.dataset",
    "Model": "inkdigits.model",
    "__version__": "inkdigits.version",
    "load": "inkdigits.sources",
    "train": "inkdigits.training",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'inkdigits' has no attribute {name!r}")
    home = importlib.import_module(_HOMES.get(name, "inkdigits.errors"))
    value = globals()[name] = getattr(home, name)
    return value


def read(picture: str | Path, *, model: Model | str | Path = "reader") -> Reading:
    """The numbers in a picture, read by the model that comes with inkdigits, or by another.

    Raises:
        FileError: there is no such picture or model.
        PictureError: the picture cannot be read.
        ModelError: the file holds no model.
    """
    from inkdigits.formats import load_model
    from inkdigits.reading import read_picture

    return read_picture(picture, load_model(model) if isinstance(model, str | Path) else model)
