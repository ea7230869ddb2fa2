"""Checkpoints: a run between two steps as a file, to go on from as if nothing had happened.

A file is written whole or not at all, and says of itself the SHA-256 of all that is in it, so that
a single flipped bit is found. Of a run the last few are kept, `step-000001200-3f2a9c01.safetensors`
after step 1,200; the last part of the name stands for all that decides the outcome. So two runs do
not touch each other's files in one folder, and any of a run's own is good for it: whoever does the
same steps has the same bits. What was changed on the way (`steering`) is on the card, not in the
name: the run goes on under it.
"""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from inkdigits.errors import FileError, ModelError, TrainingError
from inkdigits.files import existing
from inkdigits.formats.container import DTYPES, read_about, read_header, tensors, write_container
from inkdigits.formats.model_file import FORMAT as MODEL_FORMAT
from inkdigits.formats.model_file import card_from
from inkdigits.model import Card, Model
from inkdigits.network.layers import Array
from inkdigits.training.loop import Snapshot
from inkdigits.version import __version__

__all__ = [
    "Checkpoint",
    "Checkpoints",
    "Weights",
    "checkpoint_folder",
    "latest_checkpoint",
    "load_checkpoint",
]

FORMAT = "inkdigits checkpoint 1"  # other versions too have a format and a checksum
NAME = re.compile(r"step-(\d{9,})-([0-9a-f]{8})\.safetensors")
TORN = re.compile(r"\.step-(\d{9,})-([0-9a-f]{8})\.safetensors\.[0-9a-f]+\.part")
KEPT = "kept."  # before the names of the vectors of the kept model

Weights = tuple[Array, Array]  # parameters (P,) and state (S,)
Warn = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A run between two steps.

    Args:
        card: of the model so far, with the history of whole epochs and the seconds of all steps.
        layers: of the network, as they are written.
        snapshot: of the trainer.
        kept: parameters (P,) and state (S,) of the model to end with if the next epoch fails; None
            in the first.
        epoch_began: the run's seconds when this epoch began.
        path: of the file.
    """

    card: Card
    layers: list[str]
    snapshot: Snapshot
    kept: Weights | None
    epoch_began: float
    path: Path | None = None

    @property
    def run(self) -> str:
        """A short name for all that decides the outcome of the run."""
        return run_name(self.card, self.layers)

    def difference(self, card: Card, layers: list[str]) -> str | None:
        """Where a run with this card and these layers is another one, in words; None where not."""
        ours, theirs = (
            {"recipe": c.recipe, "layers": own, **c.settings, "seed": c.seed, "data": c.data}
            for c, own in ((card, layers), (self.card, self.layers))
        )
        for name in {**theirs, **ours}:
            if theirs.get(name) != ours.get(name):
                return f"{name} {theirs.get(name)!s:.200}, and this run has {ours.get(name)!s:.200}"
        return None


@dataclass(kw_only=True)
class Checkpoints:
    """Where a run leaves checkpoints, and how often; when Ctrl-C stops it, in any case.

    They stay until `remove`: who saves the model then knows that they are of no more use.

    Args:
        folder: made when the first is written.
        every_steps: so many steps apart. The post's training counts records, in blocks of 32.
        every_minutes: so many minutes of the run's clock apart.
        keep: how many of the run are kept.
        warn: told in a line when one could not be written; the run goes on.

    Attributes:
        latest: the last one written.
        spent: the name of a run that diverged, whose checkpoints all lead there again.
    """

    folder: Path
    every_steps: int | None = None
    every_minutes: float | None = None
    keep: int = 3
    warn: Warn = warnings.warn
    latest: Path | None = field(default=None, init=False)
    spent: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        for name in ("every_steps", "every_minutes", "keep"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise TrainingError(f"expected {name} of more than 0, got {value}")

    def due(self, steps: int, seconds: float) -> bool:
        """Whether it is time for one, so many steps and seconds after the last."""
        return (self.every_steps is not None and steps >= self.every_steps) or (
            self.every_minutes is not None and seconds >= 60 * self.every_minutes
        )

    def write(self, checkpoint: Checkpoint) -> Path | None:
        """Writes one, and then removes those of the run that are too old; None if it cannot be.

        Weights that are no numbers any more are not written: the next step will say so.
        """
        if not all(np.isfinite(array).all() for array in vectors_of(checkpoint).values()):
            return None
        name = f"step-{checkpoint.snapshot.step:09}-{checkpoint.run}.safetensors"
        path = self.folder / name
        try:
            self.folder.mkdir(exist_ok=True)
            save_checkpoint(checkpoint, path)
            old = checkpoint_files(self.folder, checkpoint.run)[: -self.keep]
            old = [file for file in old if file != path]
            for file in [*old, *torn_files(self.folder, checkpoint.run)]:
                file.unlink(missing_ok=True)
        except (FileError, ModelError) as error:
            self.warn(f"no checkpoint after step {checkpoint.snapshot.step}: {error}")
            return None
        except OSError as error:
            self.warn(f"no checkpoint in {self.folder}: {error.strerror or error}")
            return None
        self.latest = path
        return path

    def remove(self, model: Model) -> None:
        """Removes the checkpoints of the run that ended with this model, and an empty folder."""
        self.remove_run(run_name(model.card, written(model.network.layers)))

    def remove_spent(self) -> None:
        """Removes the checkpoints of a run that diverged, once its last good model is safe."""
        if self.spent is not None:
            self.remove_run(self.spent)

    def remove_run(self, run: str) -> None:
        """Removes the checkpoints of a run, what was left of torn ones, and an empty folder."""
        if not self.folder.is_dir():
            return
        try:
            for file in [*checkpoint_files(self.folder, run), *torn_files(self.folder, run)]:
                file.unlink(missing_ok=True)
            if not any(self.folder.iterdir()):
                self.folder.rmdir()
        except OSError as error:
            self.warn(f"cannot remove the checkpoints in {self.folder}: {error.strerror or error}")


def checkpoint_folder(model: str | Path) -> Path:
    """Where the checkpoints of a run go whose model is to be in this file: beside it."""
    model = Path(model)
    return model.parent / f"{model.stem}.checkpoints"


def written(layers: tuple[Any, ...]) -> list[str]:
    """Layers as a checkpoint has them."""
    return [repr(layer) for layer in layers]


def run_name(card: Card, layers: list[str]) -> str:
    """Eight letters that stand for all that decides the outcome of a run."""
    about = [card.recipe, card.settings, card.seed, card.data, card.started_from, layers]
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:8]


def checkpoint_files(folder: Path, run: str | None = None) -> list[Path]:
    """The checkpoints in a folder, of one run or of all, in the order they were written.

    Not by their steps: a run that was begun anew is back at low ones.
    """
    found = [(path, name) for path in folder.iterdir() if (name := NAME.fullmatch(path.name))]
    if run is not None:
        found = [(path, name) for path, name in found if name[2] == run]
    found.sort(key=lambda file: (file[0].stat().st_mtime_ns, int(file[1][1])))
    return [path for path, _ in found]


def torn_files(folder: Path, run: str) -> list[Path]:
    """What a run left behind that was killed while it wrote a checkpoint."""
    found = [(path, name) for path in folder.iterdir() if (name := TORN.fullmatch(path.name))]
    return [path for path, name in found if name[2] == run]


def vectors_of(checkpoint: Checkpoint) -> dict[str, Array]:
    """All arrays of a checkpoint, by the names that they have in its file."""
    vectors = dict(checkpoint.snapshot.vectors)
    if checkpoint.kept is not None:
        vectors[KEPT + "parameters"], vectors[KEPT + "state"] = checkpoint.kept
    return vectors


def checksum(about: Mapping[str, Any], vectors: Mapping[str, Array]) -> str:
    """SHA-256 of all that a file says and holds, but of this sum itself."""
    said = {name: value for name, value in about.items() if name != "checksum"}
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    for name, array in sorted(vectors.items()):
        digest.update(f"{name} {array.dtype.name} {array.shape}".encode())
        digest.update(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    return digest.hexdigest()


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Writes a checkpoint, whole or not at all.

    Raises:
        FileError: it cannot be written.
        ModelError: its history is too long to be read again.
    """
    vectors = vectors_of(checkpoint)
    about = {
        "format": FORMAT,
        "card": asdict(checkpoint.card),
        "layers": checkpoint.layers,
        "step": checkpoint.snapshot.step,
        "epoch_loss": checkpoint.snapshot.epoch_loss,
        "first_loss": checkpoint.snapshot.first_loss,
        "epoch_began": checkpoint.epoch_began,
    }
    write_container(path, vectors, about | {"checksum": checksum(about, vectors)})


def load_checkpoint(path: str | Path) -> Checkpoint:
    """The checkpoint in a file that a run wrote.

    Raises:
        FileError: there is no such file, or it cannot be read.
        ModelError: it is damaged, or no checkpoint at all.
        TrainingError: it is whole, and of another version of the format.
    """
    path = existing(path)
    header = read_header(path, "checkpoint")
    about = read_about(path, header) or {}
    came = about.get("format")
    if came == MODEL_FORMAT:
        raise TrainingError(
            f"expected a checkpoint, got the model {path}: start from its weights with --from"
        )
    if "checksum" not in about:
        raise ModelError(
            f"{path} is a safetensors file, but no checkpoint: expected the format {FORMAT!r} in "
            f"its metadata, got {came!r:.80}"
        )
    for name, record in header.items():
        if name != "__metadata__" and (
            not isinstance(record, dict) or record.get("dtype") not in DTYPES
        ):
            raise ModelError(
                f"{path} is damaged: expected numbers of {', '.join(DTYPES)} in {name}"
            )
    vectors = dict(tensors(path))
    if checksum(about, vectors) != about["checksum"]:
        raise ModelError(f"{path} is damaged: what is in it does not have the checksum it names")
    if came != FORMAT:
        raise TrainingError(
            f"{path} is of another version: expected the format {FORMAT!r}, got {came!r:.80}: go "
            "on with the version that wrote it, or start from a model with --from"
        )
    try:
        kept = None
        if KEPT + "parameters" in vectors:
            kept = (vectors.pop(KEPT + "parameters"), vectors.pop(KEPT + "state"))
        first_loss = about["first_loss"]
        return Checkpoint(
            card=card_from(about["card"]),
            layers=[str(layer) for layer in about["layers"]],
            snapshot=Snapshot(
                step=int(about["step"]),
                epoch_loss=float(about["epoch_loss"]),
                first_loss=None if first_loss is None else float(first_loss),
                vectors=vectors,
            ),
            kept=kept,
            epoch_began=float(about["epoch_began"]),
            path=path,
        )
    except (ModelError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is damaged: {type(error).__name__}: {error}") from error


def latest_checkpoint(path: str | Path, *, warn: Warn = warnings.warn) -> Checkpoint:
    """The checkpoint to go on from.

    Args:
        path: a checkpoint; or a folder of them, or the model that the run was to end with: then the
            one that was written last, or where it is damaged the one before it of the same run.
        warn: told in a line of each that is damaged, and of one from another version of inkdigits.

    Raises:
        FileError: there is none.
        ModelError: all are damaged.
        TrainingError: it is of another version of the format.
    """
    folder = next((f for f in (Path(path), checkpoint_folder(path)) if f.is_dir()), None)
    if folder is None:
        return version_checked(load_checkpoint(path), warn)
    everything = checkpoint_files(folder)
    if not everything:
        raise FileError(f"there is no checkpoint in {folder}: start anew, without --resume")
    newest = NAME.fullmatch(everything[-1].name)
    assert newest is not None
    files = checkpoint_files(folder, newest[2])
    for file in reversed(files):
        try:
            return version_checked(load_checkpoint(file), warn)
        except (FileError, ModelError) as error:
            warn(f"{error}; the one before it is tried")
    others = "" if len(files) == len(everything) else ", or name a checkpoint of another run in it"
    raise ModelError(
        f"none of the {len(files)} checkpoints of the last run in {folder} is whole: start anew, "
        f"without --resume{others}"
    )


def version_checked(checkpoint: Checkpoint, warn: Warn) -> Checkpoint:
    if checkpoint.card.version != __version__:
        warn(
            f"{checkpoint.path} was written by inkdigits {checkpoint.card.version}, this is "
            f"{__version__}: the last bits may differ from those of an uninterrupted run"
        )
    return checkpoint


def continued(checkpoint: Checkpoint, card: Card, layers: list[str]) -> Card:
    """The card to go on with, for a run that would have `card` if it began now.

    Raises:
        TrainingError: it is another run than the checkpoint's.
    """
    difference = checkpoint.difference(card, layers)
    if difference is not None:
        raise TrainingError(
            f"the checkpoint {checkpoint.path} is of another run: it has {difference}. Name the "
            "same, or start from a model's weights with --from"
        )
    return replace(checkpoint.card, version=card.version)
