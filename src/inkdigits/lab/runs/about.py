"""About: what `run.json` says of a run, which nobody but the lab should have written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from inkdigits.errors import FileError
from inkdigits.lab.runs.files import is_number, record_in
from inkdigits.lab.runs.settings import LessonSettings, RunSettings

__all__ = ["ABOUT", "About", "read_about"]

ABOUT = "run.json"
FACTS = ("epochs", "steps", "parameters")
KINDS = ("training", "lesson")

T = TypeVar("T", RunSettings, LessonSettings)


@dataclass(frozen=True)
class About:
    """A run as it was asked for.

    Args:
        folder: of the run.
        data: all that its `run.json` says.
    """

    folder: Path
    data: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.data["name"])

    @property
    def kind(self) -> str:
        """training or lesson."""
        return str(self.data["kind"])

    @property
    def settings(self) -> dict[str, Any]:
        """As they were written: those of another version may mean nothing to this one."""
        return dict(self.data["settings"])

    @property
    def created(self) -> str:
        return str(self.data.get("created", ""))

    def training(self) -> RunSettings:
        """What is trained by: in a lesson the settings of the run that made its model.

        Raises:
            FileError: they are not settings of this version.
        """
        given = self.settings
        return self.checked(RunSettings, given.get("training") if self.kind == "lesson" else given)

    def seed(self) -> int:
        """Of all random numbers; errors as those of `training`."""
        if self.kind != "lesson":
            return self.training().seed
        given = {name: value for name, value in self.settings.items() if name != "training"}
        return self.checked(LessonSettings, given).seed

    def checked(self, kind: type[T], given: Any) -> T:
        try:
            return kind.model_validate(given)
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, fault["loc"])) or "all of them"
            raise FileError(
                f"expected settings that this version knows in run {self.folder.name}, got others "
                f"({where}: {fault['msg']:.120}): start a new run"
            ) from None


def read_about(folder: Path) -> About | None:
    """What a run's folder says of it; None where that is missing or damaged."""
    data = record_in(folder / ABOUT)
    if data is None or not all(is_number(data[name]) for name in FACTS if name in data):
        return None
    words = all(isinstance(data.get(name), str) for name in ("name", "kind"))
    known = words and data["kind"] in KINDS and isinstance(data.get("settings"), dict)
    return About(folder, data) if known else None
