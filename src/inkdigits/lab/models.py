"""The shelf: the models that can be asked, by name, each loaded when it is first wanted."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkdigits.errors import FileError
from inkdigits.formats import MODEL_SUFFIX, load_model, model_file, shipped_models
from inkdigits.lab.runs.about import read_about
from inkdigits.lab.store import Store
from inkdigits.model import Model

__all__ = ["ModelShelf", "Summary"]

Version = tuple[int, int]  # of a file: when it was written, in ns, and its size

LOADED = 4  # models that are kept in memory: a duel of two, the reader, and one more


@dataclass(frozen=True)
class Summary:
    """What a list of models says of each.

    Args:
        recipe: the name of the recipe that made it.
        parameters: how many it has.
        tells_digits: whether it knows what is no digit.
        calibrated: whether it is known what its confidence is worth.
        scores: what was measured at the end of its training, by the name of the data.
    """

    recipe: str
    parameters: int
    tells_digits: bool
    calibrated: bool
    scores: dict[str, Any]


class ModelShelf:
    """The models that come with the package, and those of the runs; for any number of threads.

    Args:
        store: where the runs are.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = threading.Lock()
        self._loaded: OrderedDict[Path, tuple[Version, Model]] = OrderedDict()
        self._summaries: dict[Path, tuple[Version, Summary]] = {}

    def names(self) -> list[str]:
        """Of all models, the shipped ones first, then those of the runs by their names."""
        with suppress(OSError):
            runs = [folder.name for folder in self.store.runs.iterdir() if self.has(folder.name)]
            return [*shipped_models(), *sorted(runs)]
        return shipped_models()

    def has(self, name: str) -> bool:
        """Whether there is a model of this name."""
        return self.path(name) is not None

    def path(self, name: str) -> Path | None:
        """The file of the model of this name; None where there is none."""
        if name in shipped_models():
            return model_file.SHIPPED / f"{name}{MODEL_SUFFIX}"
        folder = self.store.run(name)
        path = None if folder is None else folder / f"model{MODEL_SUFFIX}"
        return path if path is not None and path.is_file() else None

    def title(self, name: str) -> str:
        """What people call the model: a run has the name that its user gave it."""
        folder = self.store.run(name)
        about = None if folder is None else read_about(folder)
        return name if about is None else about.name

    def model(self, name: str) -> Model:
        """The model of this name, as its file is now.

        Args:
            name: `reader`, or the id of a run.

        Raises:
            FileError: there is none.
            ModelError: its file is damaged.
        """
        path, version = self.found(name)
        with self._lock:
            if path not in self._loaded or self._loaded[path][0] != version:
                self._loaded[path] = version, load_model(path)
            self._loaded.move_to_end(path)
            while len(self._loaded) > LOADED:
                self._loaded.popitem(last=False)
            return self._loaded[path][1]

    def summary(self, name: str) -> Summary:
        """What a list says of the model of this name; errors as those of `model`."""
        path, version = self.found(name)
        if path not in self._summaries or self._summaries[path][0] != version:
            model = self.model(name)
            self._summaries[path] = (
                version,
                Summary(
                    recipe=model.card.recipe,
                    parameters=model.network.parameters.size,
                    tells_digits=model.tells_digits,
                    calibrated=model.card.calibration is not None,
                    scores=model.card.scores,
                ),
            )
        return self._summaries[path][1]

    def found(self, name: str) -> tuple[Path, Version]:
        """The file of a model and its version; errors as those of `model`."""
        path = self.path(name)
        try:
            if path is not None:
                status = path.stat()
                return path, (status.st_mtime_ns, status.st_size)
        except FileNotFoundError:  # removed just now
            pass
        raise FileError(
            f"expected the name of a model, got {name!r:.80}: /api/models has those there are"
        )
