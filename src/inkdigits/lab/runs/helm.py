"""The helm: how the lab steers a run, and how the run tells the lab of itself.

All that goes between the two are files in the run's folder: commands come in by one, events and the
picture of the moment go out by two others. A run looks for commands after each step, which takes it
some microseconds, and lets its crew go home only when there is something to decide.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from inkdigits.errors import TrainingError
from inkdigits.lab.runs.commands import Commands
from inkdigits.lab.runs.events import Journal, write_now
from inkdigits.lab.runs.hints import Seen, hints
from inkdigits.lab.runs.plans import rate_of
from inkdigits.lab.runs.points import Pace, Points, Sight, epochs_done, numbers
from inkdigits.lab.runs.settings import AUGMENTATIONS, augmentation_of
from inkdigits.training import STOP, Change, Progress
from inkdigits.training.steering import Stop

__all__ = ["MOST_EPOCHS", "Helm"]

POLL = 0.05  # seconds between two looks at the commands, in a pause or in slow motion
TOLD_APART = 0.2
LAB_APART = 1.0  # seconds between two looks whether the lab is still there
MOST_EPOCHS = 1_000


class Helm:
    """Steers a run as the lab says, and tells the lab of it. A `training.Steering`.

    Args:
        folder: of the run.
        journal: to tell in.
        sight: to look at the run with.
        points: when to.
        seen: what is known of the run to give hints by: all but points, epochs and figures.
        lab: the process that the run belongs to; None for nobody.
        clock: gives seconds.
        sleep: waits for some.
    """

    def __init__(
        self,
        folder: Path,
        journal: Journal,
        sight: Sight,
        points: Points,
        *,
        seen: Seen,
        lab: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.folder, self.journal, self.sight, self.points = folder, journal, sight, points
        self.seen, self.lab, self.clock, self.sleep = seen, lab, clock, sleep
        self.commands = Commands(folder)
        self.pace = Pace()
        self.now: dict[str, Any] = {"state": "running", "phase": "learning", "hints": []}
        self.steps_per_second: float | None = None
        self.paused = self.stopping = False
        self.wanted: dict[str, Any] = {}  # a change that was not made yet
        self.made: dict[str, Any] | None = None  # one that was, but is not in the journal
        self.ending = self.busy = False  # whether to end, and whether that has to wait
        self.began = self.looked = clock()
        self.told = -1.0
        self.loss_sum, self.loss_samples, self.last = 0.0, 0, (0, 0)

    # What `train` asks

    def wants_the_wheel(self, progress: Progress) -> bool:
        with self.undisturbed():
            self.read_commands(progress)
            self.watch(progress)
            self.slow_down(progress)
            if self.is_over(progress):
                self.close(progress)
        return self.paused or self.stopping or bool(self.wanted)

    def decide(self, progress: Progress) -> Change | Stop | None:
        with self.undisturbed():
            while True:
                if self.paused and not self.stopping:
                    self.pause(progress)
                if self.ending or not self.is_over(progress):
                    break
                self.close(progress)
                if self.is_over(progress):
                    break
            if self.stopping:
                return STOP
            wanted, self.wanted = self.wanted, {}
            change = change_from(wanted)
            if change is not None:
                self.made = {"step": progress.step, "epoch": epochs_done(progress), **wanted}
        return change

    def pause(self, progress: Progress) -> None:
        """Waits until the run is to go on, or to end."""
        self.say_state("paused", progress)
        began = self.clock()
        while self.paused and not self.stopping and not self.ending:
            self.sleep(POLL)
            self.check_lab()
            if self.read_commands(progress):
                self.tell(progress)
        self.began += self.clock() - began
        self.pace.pause()
        if not self.stopping and not self.ending:
            self.say_state("running", progress)

    def is_over(self, progress: Progress) -> bool:
        """Whether the run ends here, unless a command comes."""
        last = progress.record is not None and progress.epoch >= progress.epochs
        return self.stopping or (last and not self.paused and not self.wanted)

    def close(self, progress: Progress) -> None:
        """Lets no more commands come, unless the last of them keep the run from its end."""
        self.commands.close()
        self.read_commands(progress)
        if not self.is_over(progress):
            self.commands.open()

    # Commands

    def read_commands(self, progress: Progress) -> bool:
        """Takes in what was commanded since; says whether there was anything."""
        commands = self.commands.new()
        for command in commands:
            match command.get("do"):
                case "pause":
                    self.paused = True
                case "go":
                    self.paused = False
                case "stop":
                    self.stopping = True
                case "pace":
                    self.steps_per_second = command.get("steps_per_second")
                case "more":
                    epochs = self.wanted.get("epochs", progress.epochs) + command["epochs"]
                    self.want(progress, {"epochs": min(epochs, MOST_EPOCHS)})
                    self.paused = False
                case "change":
                    values = {name: value for name, value in command.items() if name != "do"}
                    self.want(progress, {k: v for k, v in values.items() if v is not None})
        return bool(commands)

    def want(self, progress: Progress, values: dict[str, Any]) -> None:
        """Notes a change for the next step, or says why it cannot be made."""
        wanted = {**self.wanted, **values}
        change = change_from(wanted)
        if change is None:
            return
        try:
            progress.check(change)
        except TrainingError as error:
            state = "paused" if self.paused else "running"
            self.say_state(state, progress, message=str(error))
        else:
            self.wanted = wanted

    def slow_down(self, progress: Progress) -> None:
        """Waits until a step of slow motion is over; commands cut it short."""
        began = self.clock()
        while self.steps_per_second is not None and not self.ending:
            rest = 1 / self.steps_per_second - (self.clock() - began)
            if rest <= 0 or self.paused or self.stopping or self.wanted:
                return
            self.sleep(min(POLL, rest))
            self.check_lab()
            if self.read_commands(progress):
                self.tell(progress)

    # Endings

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """A block that a signal does not break off; it ends the run after it."""
        self.busy = True
        try:
            self.check_lab()
            yield
        finally:
            self.busy = False
        if self.ending:
            raise KeyboardInterrupt

    def check_lab(self) -> None:
        """Whether the lab's process is still there, once a second."""
        if self.lab is not None and self.clock() - self.looked >= LAB_APART:
            self.looked = self.clock()
            self.ending = self.ending or os.getppid() != self.lab

    def end(self, number: int, frame: FrameType | None) -> None:
        """What SIGTERM does: the same as Ctrl-C, which `train` knows how to end by."""
        self.ending = True
        if not self.busy:
            signal.raise_signal(signal.SIGINT)

    # What is told

    def watch(self, progress: Progress) -> None:
        """Writes what is due of points, epochs, changes and the moment."""
        if self.made is not None:  # now there is a checkpoint that knows of it
            self.journal.append("change", self.made)
            if "augmentation" in self.made:
                self.seen = replace(self.seen, changed=self.made["step"])
            self.made = None
        self.add_loss(progress)
        now = self.clock()
        self.pace.mark(now, epochs_done(progress) * progress.samples, progress.step)
        if self.points.due(progress.step, progress.steps, now - self.began):
            self.say_point(progress)
            self.points.spent += self.clock() - now
        elif now - self.told >= TOLD_APART:
            self.tell(progress)
        if progress.record is not None:  # last: what it says of all digits is worth most
            self.say_epoch(progress)

    def add_loss(self, progress: Progress) -> None:
        """Adds a step's loss to those since the last point."""
        epoch, done = self.last
        samples = progress.done - (done if progress.epoch == epoch else 0)
        self.last = (progress.epoch, progress.done)
        if progress.loss is not None and progress.record is None:
            self.loss_sum += progress.loss * samples
            self.loss_samples += samples

    def say_epoch(self, progress: Progress) -> None:
        assert progress.record is not None
        record = {"step": progress.step, **progress.record}
        self.journal.append("epoch", record)
        self.seen = replace(self.seen, epochs=[*self.seen.epochs, record])

    def say_point(self, progress: Progress) -> None:
        model = progress.model()
        loss = self.loss_sum / self.loss_samples if self.loss_samples else progress.loss
        self.loss_sum, self.loss_samples, self.points.last = 0.0, 0, progress.step
        point = self.sight.point(model, progress, loss)
        self.journal.append("point", point)
        self.now |= self.sight.details(model, progress)
        self.seen = replace(
            self.seen,
            points=[*self.seen.points, point],
            layers=self.now["layers"],
            rate=progress.rate,
            peak=rate_of(progress.recipe),
            augmentation=augmentation_of(getattr(progress.recipe, "augmentation", None)),
        )
        self.give_hints()
        self.tell(progress)

    def give_hints(self) -> None:
        self.now["hints"] = [hint.as_data() for hint in hints(self.seen)]

    def tell(self, progress: Progress) -> None:
        """Writes what the page shows of this moment; what is wanted counts as made."""
        self.told = self.clock()
        shown = {key: value for key, value in self.wanted.items() if key != "epochs"}
        self.now |= numbers(progress, self.pace) | shown | {"pace": self.steps_per_second}
        self.write()

    def write(self, **values: Any) -> None:
        self.now |= values
        with suppress(OSError):  # it is of this moment: what is worth keeping is in the journal
            write_now(self.folder, self.now)

    def finish(self, *, diverged: bool = False) -> None:
        """From here on hints are for other runs."""
        rate = self.now.get("rate", self.seen.rate)
        self.seen = replace(self.seen, running=False, diverged=diverged, rate=rate)
        self.give_hints()

    def say_state(self, state: str, progress: Progress | None = None, **more: Any) -> None:
        """Tells a state, and that of the moment with it."""
        self.now["state"] = state
        if progress is not None:
            self.tell(progress)
        elif "steps" in self.now:  # else there is nothing to show yet
            self.write()
        step = self.now.get("step", 0) if progress is None else progress.step
        self.journal.append("state", {"state": state, "step": step, **more})


def change_from(wanted: Mapping[str, Any]) -> Change | None:
    """What was commanded, as `train` takes it; None for nothing."""
    if not wanted:
        return None
    values = dict(wanted)
    if "augmentation" in values:
        values["augmentation"] = AUGMENTATIONS[values["augmentation"]]
    return Change(**values)
