"""What can go wrong, as one small tree.

Every message says what was expected, what came, and what to do::

    InkdigitsError
    ├── FileError        a file is missing, or cannot be read or written
    ├── DataError        an array or a file that should hold digits does not
    ├── ShapeError       layers, or a layer and its input, do not fit together
    ├── ModelError       a file that should hold a model does not, or its model does not fit
    ├── PictureError     a picture that should hold handwriting cannot be read
    └── TrainingError    training cannot start with these settings
        ├── Diverged     the loss left all bounds; carries the last good model
        └── Interrupted  training was stopped by the user; carries the model so far
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from inkdigits.model import Model

__all__ = [
    "DataError",
    "Diverged",
    "FileError",
    "InkdigitsError",
    "Interrupted",
    "ModelError",
    "PictureError",
    "ShapeError",
    "TrainingError",
]


class InkdigitsError(Exception):
    """The root of every error that this package raises on purpose."""


class FileError(InkdigitsError):
    """A file is missing, or cannot be read or written."""


class DataError(InkdigitsError):
    """An array or a file that should hold digits does not."""


class ShapeError(InkdigitsError):
    """Layers, or a layer and its input, do not fit together."""


class ModelError(InkdigitsError):
    """A file that should hold a model does not, or its model does not fit."""


class PictureError(InkdigitsError):
    """A picture that should hold handwriting cannot be read."""


class TrainingError(InkdigitsError):
    """Training cannot start with these settings."""


class Diverged(TrainingError):
    """The loss left all bounds at a step; `model` is the last good one, None if there was none."""

    def __init__(self, message: str, model: Model | None) -> None:
        super().__init__(message)
        self.model = model


class Interrupted(TrainingError):
    """The user stopped the training; `model` has the weights after the last whole step.

    `checkpoint` is the file to go on from, None where there is none.
    """

    def __init__(self, message: str, model: Model, checkpoint: Path | None = None) -> None:
        super().__init__(message)
        self.model = model
        self.checkpoint = checkpoint
