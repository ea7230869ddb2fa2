"""The routes of the Train view: runs are started, steered, followed, compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Header, HTTPException, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field, model_validator

from inkdigits.lab.runs.duel import Duels
from inkdigits.lab.runs.estimates import estimate
from inkdigits.lab.runs.events import follow
from inkdigits.lab.runs.plans import recipes
from inkdigits.lab.runs.runs import Busy, Runs
from inkdigits.lab.runs.settings import (
    DEFAULT,
    Change,
    LessonSettings,
    Name,
    RunSettings,
    Strict,
    options,
)

__all__ = ["training_router"]


T = TypeVar("T")


class Simple(Strict):
    """A command that needs nothing more."""

    do: Literal["pause", "go", "stop"]


class More(Strict):
    """Some epochs more, after those that were planned."""

    do: Literal["more"]
    epochs: Annotated[int, Field(ge=1, le=200)] = 1


class Changed(Change):
    """Another rate, batch or augmentation from the next step on."""

    do: Literal["change"]

    @model_validator(mode="after")
    def of_something(self) -> Changed:
        if not self.model_dump(exclude={"do"}, exclude_none=True):
            raise ValueError(
                "expected a change of rate, batch or augmentation, got none: name one of them"
            )
        return self


class Paced(Strict):
    """Slow motion; None for full speed."""

    do: Literal["pace"]
    steps_per_second: Annotated[float, Field(ge=0.1, le=1000)] | None


Command = Annotated[Simple | More | Changed | Paced, Field(discriminator="do")]
Model = Annotated[str, Query(max_length=80, description="`reader`, or a run's id")]


class NewName(Strict):
    """What a run is to be called."""

    name: Name


def training_router(runs: Runs) -> APIRouter:
    """The routes of the Train view.

    Args:
        runs: the user's.
    """
    router = APIRouter(prefix="/api/lab", tags=["train"])
    duels = Duels(runs.shelf)

    @router.get("/recipes")
    def get_recipes() -> dict[str, Any]:
        """The recipes there are, what there is to choose from, and what to begin with."""
        return {
            "recipes": recipes(),
            "options": options(),
            "default": DEFAULT.model_dump(mode="json"),
        }

    @router.post("/estimate")
    def get_estimate(settings: RunSettings) -> dict[str, Any]:
        """How large a run would be, and how long it would take here."""
        return estimate(settings)

    @router.get("/runs")
    def get_runs() -> dict[str, Any]:
        """All runs, the oldest first."""
        return {"runs": runs.summaries()}

    @router.post("/runs")
    def start_run(settings: RunSettings) -> dict[str, Any]:
        """Starts a run."""
        return allowed(lambda: runs.create(settings).summary())

    @router.post("/learn")
    def start_lesson(lesson: LessonSettings) -> dict[str, Any]:
        """Teaches the corrections to a model."""
        return allowed(lambda: runs.learn(lesson).summary())

    @router.get("/runs/{run}")
    def get_run(run: str) -> dict[str, Any]:
        """One run."""
        return runs.summary(run)

    @router.patch("/runs/{run}")
    def rename_run(run: str, new: NewName) -> dict[str, Any]:
        """Gives a run another name."""
        return runs.rename(run, new.name)

    @router.delete("/runs/{run}")
    def remove_run(run: str) -> dict[str, Any]:
        """Removes a run that has ended, with its model."""
        allowed(lambda: runs.remove(run))
        return {"removed": True}

    @router.post("/runs/{run}/commands", status_code=202)
    def command_run(run: str, command: Command) -> dict[str, Any]:
        """Tells a run what to do."""
        allowed(lambda: runs.command(run, command.model_dump(mode="json", exclude_none=True)))
        return {"accepted": True}

    @router.get("/runs/{run}/events", response_class=EventStream)
    async def follow_run(
        request: Request,
        run: str,
        after: Annotated[int, Query(ge=0, description="the last id that was seen")] = 0,
        last_event_id: Annotated[str | None, Header(description="as `after`, by browsers")] = None,
    ) -> StreamingResponse:
        """What happened to a run and what happens, as server-sent events."""
        record = await to_thread.run_sync(runs.record, run)
        seen = last_event_id or ""
        if seen.isascii() and seen.isdigit():  # a browser's, and newer than the address
            after = max(after, int(seen[:18]))
        server = getattr(request.app.state, "closing", runs.closing)

        def closing() -> bool:
            return runs.closing.is_set() or bool(server.is_set())

        return EventStream(follow(record.folder, after=after, closing=closing))

    @router.get("/duel")
    def get_duel(a: Model, b: Model) -> dict[str, Any]:
        """Two models on the validation digits, which no run learns from."""
        return duels.duel(a, b)

    return router


class EventStream(StreamingResponse):
    """Server-sent events, which nobody on the way may keep or gather."""

    media_type = "text/event-stream"


def allowed(ask: Callable[[], T]) -> T:
    """What `ask` answers, or 409 where the state of the runs does not allow it."""
    try:
        return ask()
    except Busy as error:
        raise HTTPException(409, str(error)) from error
