"""Reading thousands of pictures as a job that may be killed at any moment, and goes on from there.

A folder keeps the job: `manifest.json` says what is read and how, and `readings` holds the lines
of JSON, a file for each hundred pictures, in their order. Such a file is there whole or not at all,
and what is there is not read again. So a job that ended early loses what was in progress and no
more, and each picture is there once in the end, as a reading or as an error that names it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from inkdigits.errors import FileError, PictureError
from inkdigits.files import written_whole
from inkdigits.model import Model
from inkdigits.parallel import available_threads
from inkdigits.reading.crew import Portion, read_portions
from inkdigits.reading.manifest import FORMAT, READINGS, Manifest, begun, fingerprint, held
from inkdigits.reading.worker import LoadModel, Task, identity
from inkdigits.version import __version__

__all__ = ["Job"]

SHARD = 100  # pictures a file: two seconds of work, and a thousand files of 100,000 pictures
PATIENCE = 60.0  # seconds of computing that a picture may take; a page takes one


class Job:
    """A job's folder, held by this process alone until it is closed; made by `Job.open`.

    Attributes:
        folder: where the job is kept.
        manifest: what is read.
        added: how many pictures have come since the job was begun; they are not read.
    """

    def __init__(self, folder: Path, manifest: Manifest, added: int, lock: BinaryIO) -> None:
        self.folder = folder
        self.manifest = manifest
        self.added = added
        self._lock = lock

    @classmethod
    def open(
        cls,
        folder: str | Path,
        pictures: Iterable[str],
        model: Model,
        *,
        inputs: Sequence[str],
        threshold: float | None = None,
        single: bool = False,
    ) -> Job:
        """Begins a job, or goes on with the one in `folder`.

        The list of pictures is that of the beginning. One that has gone since is an error in its
        place; those that have come since are counted in `added`, and not read.

        Args:
            folder: made where there is none; it should not lie among the pictures.
            pictures: their names, in the order of the readings; each is read once.
            model: what answers.
            inputs: what the pictures were named by: their folder, for one. A job goes on with the
                same inputs alone.
            threshold: of the confidence; None for the model's own.
            single: one digit a picture.

        Raises:
            FileError: the folder cannot be used, holds something else, or another process reads
                there.
            ModelError: the job was begun with another model.
            PictureError: it was begun with other pictures or read them otherwise, or there are
                none.
        """
        folder = Path(folder)
        names = list(dict.fromkeys(map(str, pictures)))
        if not names:
            raise PictureError(
                f"expected pictures for the job in {folder}, got none: name a folder of pictures"
            )
        wanted = Manifest(
            format=FORMAT,
            version=__version__,
            base=os.getcwd(),
            inputs=[os.path.abspath(name) for name in inputs],
            model=identity(model),
            threshold=threshold,
            single=single,
            shard=SHARD,
            count=len(names),
            fingerprint=fingerprint(names),
            pictures=names,
        )
        lock = held(folder)
        try:
            manifest = begun(folder, wanted)
            added = 0
            if manifest is not wanted:
                known = set(manifest.places)
                added = sum(place not in known for place in wanted.places)
            return cls(folder, manifest, added, lock)
        except BaseException:
            lock.close()
            raise

    def __enter__(self) -> Job:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets others use the folder, as the system does when this process ends in any way."""
        self._lock.close()

    @property
    def readings(self) -> Path:
        """The folder of the lines: its files, in the order of their names, are the readings."""
        return self.folder / READINGS

    @property
    def total(self) -> int:
        """How many pictures there are."""
        return self.manifest.count

    @property
    def done(self) -> int:
        """How many have been read."""
        missing = sum(len(self.manifest.shard_names(number)) for number in self.missing())
        return self.total - missing

    def missing(self) -> list[int]:
        """The numbers of the files that are still to be written."""
        there = {path.name for path in self.readings.iterdir()}
        return [number for number in self.manifest.shards if shard_name(number) not in there]

    def run(
        self,
        load_model: LoadModel,
        *,
        workers: int | None = None,
        progress: Callable[[int], None] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """Reads what has not been read yet; when it is broken off, the same call goes on.

        Args:
            load_model: called once in each process, for the model that the job was opened with;
                something that pickle can send there, as a `functools.partial`.
            workers: processes; None for as many as the machine can run at once. The readings are
                the same for any number.
            progress: called with how many pictures are done, at the beginning and after each.
            patience: seconds of computing that a picture may take (where the system can tell).

        Raises:
            FileError: the readings cannot be written, perhaps for want of room, or no process can
                be started. What was written stays.
            ModelError: the model cannot be loaded, or is another by now.
        """
        missing, done = self.missing(), self.done
        report = progress or (lambda done: None)
        report(done)

        def one_more() -> None:
            nonlocal done
            done += 1
            report(done)

        limit = available_threads() if workers is None else workers
        read_portions(
            (Portion(number, self.manifest.shard_names(number)) for number in missing),
            Task(
                load_model=load_model,
                model=self.manifest.model,
                base=self.manifest.base,
                threshold=self.manifest.threshold,
                single=self.manifest.single,
                patience=patience,
            ),
            max(1, limit),
            finished=self._keep,
            progress=one_more,
        )

    def _keep(self, portion: Portion) -> None:
        try:
            with written_whole(self.readings / shard_name(portion.number)) as temporary:
                temporary.write_text("\n".join([*portion.lines, ""]), "ascii")
        except FileError as error:
            raise FileError(
                f"{error}: see to it, and run the job again, which goes on from here"
            ) from error

    def lines(self) -> Iterator[str]:
        """The lines of JSON, one a picture in the manifest's order; one file at a time in memory.

        Raises:
            FileError: the job is not done, or a file of readings was changed by somebody else.
        """
        if missing := self.missing():
            raise FileError(
                f"expected all readings in {self.readings}, got none yet for {len(missing):,} of "
                f"{len(self.manifest.shards):,} files: run the job again"
            )
        for number in self.manifest.shards:
            path = self.readings / shard_name(number)
            try:
                lines = path.read_text("ascii").splitlines()
                names = [json.loads(line)["path"] for line in lines]
            except (OSError, ValueError, KeyError, TypeError):
                names = None
            if names != self.manifest.shard_names(number):
                raise FileError(
                    f"expected {path} to hold the readings of {self.manifest.shard} pictures as "
                    "they were written, got something else: remove it and run the job again"
                )
            yield from lines


def shard_name(number: int) -> str:
    return f"{number:06}.jsonl"
