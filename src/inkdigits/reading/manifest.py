"""The folder of a job: what it says of itself, and who may use it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from inkdigits.errors import FileError, ModelError, PictureError
from inkdigits.files import taken, written_whole

__all__ = ["FORMAT", "READINGS", "Manifest", "begun", "fingerprint", "held"]

FORMAT = 1  # of the folder
MANIFEST = "manifest.json"
READINGS = "readings"
LOCK = "lock"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What is read, and all that its readings depend on.

    Args:
        format: of the job's folder.
        version: of the program.
        base: the folder that the names are relative to.
        inputs: what the pictures were named by, as absolute paths.
        model: `worker.identity` of the model.
        threshold: of the confidence; None for the model's own.
        single: one digit a picture.
        shard: pictures a file.
        count: of the pictures.
        fingerprint: SHA-256 of their names.
        pictures: their names, in the order of the readings.
    """

    format: int
    version: str
    base: str
    inputs: list[str]
    model: str
    threshold: float | None
    single: bool
    shard: int
    count: int
    fingerprint: str
    pictures: list[str]

    def shard_names(self, number: int) -> list[str]:
        """The names of the pictures whose lines are in a file."""
        return self.pictures[number * self.shard : (number + 1) * self.shard]

    @property
    def places(self) -> Iterator[str]:
        """Where each picture is, however it was named."""
        return (os.path.normpath(os.path.join(self.base, name)) for name in self.pictures)

    @property
    def shards(self) -> range:
        """The numbers of the files."""
        return range(-(-self.count // self.shard))


def fingerprint(names: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()


def begun(folder: Path, wanted: Manifest) -> Manifest:
    """The manifest in a folder that is held, if a job was begun there as `wanted`; or `wanted`."""
    path = folder / MANIFEST
    try:
        (folder / READINGS).mkdir(exist_ok=True)
        for torn in (*folder.glob(".*.part"), *(folder / READINGS).glob(".*.part")):
            torn.unlink()  # of a job that was killed as it wrote
        content = path.read_bytes() if path.exists() else None
    except OSError as error:
        raise unusable(folder, error.strerror or str(error)) from error
    if content is None:
        if any((folder / READINGS).iterdir()):
            raise unusable(folder, f"readings without the {MANIFEST} that says of what")
        with written_whole(path) as temporary:
            temporary.write_text(json.dumps(asdict(wanted)), "ascii")
        return wanted
    try:
        found = json.loads(content)
        if found["format"] != FORMAT:
            raise unusable(folder, f"one of format {found['format']!r}, where we write {FORMAT}")
        manifest = Manifest(**found)
        whole = manifest.fingerprint == fingerprint(manifest.pictures)
    except (ValueError, KeyError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise unusable(folder, f"one whose {MANIFEST} is damaged")
    compare(folder, manifest, wanted)
    return manifest


def compare(folder: Path, had: Manifest, wanted: Manifest) -> None:
    """Refuses to go on with what would be read otherwise than it was begun."""
    advice = "name another folder for this one"

    def own(threshold: float | None) -> str:
        return "the model's own" if threshold is None else f"{threshold:.4f}"

    if had.model != wanted.model:
        raise ModelError(
            f"expected the model that the job in {folder} was begun with ({had.model[:12]}…), got "
            f"another ({wanted.model[:12]}…): {advice}"
        )
    for what, first, then in (
        ("pictures", ", ".join(had.inputs), ", ".join(wanted.inputs)),
        ("threshold", own(had.threshold), own(wanted.threshold)),
        ("pictures of", *(("numbers", "one digit")[each.single] for each in (had, wanted))),
        ("inkdigits", had.version, wanted.version),
    ):
        if first != then:
            raise PictureError(
                f"expected the job in {folder} to go on as it was begun, with {what} {first}, got "
                f"{then}: {advice}"
            )


def held(folder: Path) -> BinaryIO:
    """The open lock of a job's folder, which the system lets go of however the process ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / MANIFEST).exists():
            others = {path.name for path in folder.iterdir()} - {LOCK, READINGS}
            others = {name for name in others if not name.endswith(".part")}
            if others:
                raise unusable(folder, f"one that holds other things, as {min(others)}")
        file = (folder / LOCK).open("a+b")
    except OSError as error:
        raise unusable(folder, error.strerror or str(error)) from error
    if not taken(file):
        file.seek(0)
        process = file.read(20).decode("ascii", "replace").strip() or "unknown"
        file.close()
        raise FileError(
            f"expected nobody else to read in {folder}, got process {process}, which does: wait "
            "for it, or end it"
        )
    with suppress(OSError):  # a note for the message above; a full disk is found out later
        file.truncate(0)
        file.write(f"{os.getpid()}\n".encode())
        file.flush()
    return file


def unusable(folder: Path, what: str) -> FileError:
    return FileError(
        f"expected {folder} to be a new folder or that of a job, got {what}: name another"
    )
