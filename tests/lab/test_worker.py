"""A run in a process of its own: whatever it is told, and whatever befalls it, nothing is lost."""

from __future__ import annotations

import base64
import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from learning import about, come_to, ended, journal, of_type, point_at, states, tiny, until

from circumstances import needs_blas_in_hand
from inkdigits.errors import Interrupted
from inkdigits.formats import load_model
from inkdigits.lab.models import ModelShelf
from inkdigits.lab.runs import worker
from inkdigits.lab.runs.commands import Commands, begin, tell
from inkdigits.lab.runs.events import Journal, read_now, what_stands
from inkdigits.lab.runs.helm import Helm
from inkdigits.lab.runs.hints import Seen
from inkdigits.lab.runs.plans import dataset_of, recipe_of, steps_of
from inkdigits.lab.runs.points import COST, FEWEST, POINTS, Points, Sight, first_pictures
from inkdigits.lab.runs.runs import Busy, Runs
from inkdigits.lab.runs.settings import AUGMENTATIONS, DEFAULT, LessonSettings, RunSettings
from inkdigits.lab.runs.work import reconciled
from inkdigits.lab.store import Store
from inkdigits.model import Model
from inkdigits.network import Conv2d, Dense, Downsample, Flatten, Network
from inkdigits.parallel import blas_can_be_held
from inkdigits.sources import load, save
from inkdigits.training import Change, Checkpoint, Checkpoints, Progress, load_checkpoint, train
from inkdigits.training.steering import Stop


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def runs(store: Store) -> Iterator[Runs]:
    found = Runs(store, ModelShelf(store))
    yield found
    found.close()


def slow(runs: Runs, **other: Any) -> Path:
    """A run in slow motion; its folder."""
    record = runs.create(tiny(**other))
    runs.command(record.id, {"do": "pace", "steps_per_second": 20})
    return record.folder


def told_once(folder: Path) -> None:
    """Every epoch and every point that stands is there once, in order."""
    standing = what_stands(journal(folder))
    epochs = [data["epoch"] for data in of_type(standing, "epoch")]
    steps = [data["step"] for data in of_type(standing, "point")]
    assert epochs == list(range(1, len(epochs) + 1))
    assert steps == sorted(set(steps))


@needs_blas_in_hand
def test_a_run_ends_with_its_story_told_and_the_weights_that_training_gives(runs: Runs) -> None:
    record = runs.create(tiny())
    summary = ended(runs, record.id)
    assert states(record.folder) == ["starting", "running", "done"]
    told_once(record.folder)
    events = journal(record.folder)
    assert len(of_type(events, "epoch")) == 3
    steps = [data["step"] for data in of_type(events, "point")]
    assert (steps[0], steps[-1]) == (0, 30)
    assert len(steps) >= FEWEST
    model = load_model(record.folder / "model.safetensors")
    plain = train(recipe_of(tiny()), dataset_of(tiny()), watch=load("mnist:validation"))
    assert model.fingerprint == plain.fingerprint
    assert model.card.changes == []
    assert model.card.scores["validation"]["accuracy"] == summary["accuracy"]
    assert summary["accuracy"] == plain.card.history[-1]["accuracy"]
    assert summary["has_model"] is True
    assert (summary["state"], summary["epoch"], summary["step"]) == ("done", 3.0, 30)


def test_what_is_shown_of_the_moment_is_whole(runs: Runs) -> None:
    record = runs.create(tiny(epochs=1))
    ended(runs, record.id)
    now = read_now(record.folder)
    assert now is not None
    assert now.keys() >= {
        "step", "steps", "epoch", "epochs", "done", "samples", "loss", "rate", "batch",
        "augmentation", "pace", "seconds", "left", "per_second", "layers", "weights", "wrong",
        "hints",
    }  # fmt: skip
    assert (now["step"], now["steps"], now["left"], now["batch"]) == (10, 10, 0, 50)
    assert [figures["layer"] for figures in now["layers"]] == [2, 3, 4]
    pixels = base64.b64decode(now["weights"]["pixels"])
    assert (now["weights"]["count"], now["weights"]["side"], len(pixels)) == (16, 28, 16 * 784)
    validation = load("mnist:validation")
    assert 0 < len(now["wrong"]) <= 12
    for wrong in now["wrong"]:
        assert wrong["label"] == validation.known_labels[wrong["index"]] != wrong["answer"]
    confidences = [wrong["confidence"] for wrong in now["wrong"]]
    assert confidences == sorted(confidences, reverse=True)


@needs_blas_in_hand
def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_happened(runs: Runs) -> None:
    folder = slow(runs)
    come_to(folder, 13)
    runs.command(folder.name, {"do": "pause"})  # leaves a checkpoint, amid the second epoch
    until(lambda: "paused" in states(folder), "it pauses")
    step = of_type(journal(folder), "state")[-1]["step"]
    runs.command(folder.name, {"do": "go"})
    come_to(folder, step + 3)
    assert runs.learner.process is not None
    os.kill(runs.learner.process.pid, signal.SIGKILL)
    summary = ended(runs, folder.name)
    assert summary["state"] == "interrupted"
    assert "from outside" in summary["message"]
    runs.command(folder.name, {"do": "go"})
    assert ended(runs, folder.name)["state"] == "done"
    assert of_type(journal(folder), "rewound") == [{"step": step}]
    told_once(folder)
    assert len(of_type(what_stands(journal(folder)), "epoch")) == 3
    plain = train(recipe_of(tiny()), dataset_of(tiny()))
    assert load_model(folder / "model.safetensors").fingerprint == plain.fingerprint


def test_a_run_that_is_killed_before_its_first_checkpoint_begins_anew(runs: Runs) -> None:
    folder = slow(runs)
    come_to(folder, 4)
    assert runs.learner.process is not None
    os.kill(runs.learner.process.pid, signal.SIGKILL)
    ended(runs, folder.name)
    runs.command(folder.name, {"do": "go"})
    assert ended(runs, folder.name)["state"] == "done"
    assert of_type(journal(folder), "rewound") == [{"step": -1}]
    told_once(folder)


def test_what_is_changed_while_it_learns_is_on_the_card_and_in_the_journal(runs: Runs) -> None:
    folder = slow(runs)
    come_to(folder, 3)
    change = {"rate": 0.005, "batch": 25, "augmentation": "hand"}
    runs.command(folder.name, {"do": "change", **change})
    runs.command(folder.name, {"do": "pace"})
    summary = ended(runs, folder.name)
    told = of_type(journal(folder), "change")
    assert len(told) == 1
    assert told[0] == {"step": told[0]["step"], "epoch": told[0]["epoch"], **change}
    assert told[0]["step"] >= 3
    card = load_model(folder / "model.safetensors").card
    assert [record["step"] for record in card.changes] == [told[0]["step"]]
    assert (card.changes[0]["rate"], card.changes[0]["batch"]) == (0.005, 25)
    assert summary["steps"] == summary["step"] > 30
    now = read_now(folder)
    assert now is not None
    assert (now["rate"], now["batch"], now["augmentation"]) == (0.005, 25, "hand")


def test_a_change_that_cannot_be_made_is_said_and_the_run_goes_on(runs: Runs) -> None:
    folder = slow(runs)
    come_to(folder, 1)
    runs.command(folder.name, {"do": "change", "batch": 800})  # of 500 images
    until(lambda: any("message" in data for data in of_type(journal(folder), "state")), "it says")
    runs.command(folder.name, {"do": "pace"})
    assert ended(runs, folder.name)["state"] == "done"
    messages = [data["message"] for data in of_type(journal(folder), "state") if "message" in data]
    assert messages == [messages[0]]
    assert "at most the 500 samples" in messages[0]
    assert of_type(journal(folder), "change") == []


def test_what_is_changed_in_a_pause_is_made_when_it_goes_on(runs: Runs) -> None:
    folder = slow(runs)
    come_to(folder, 3)
    runs.command(folder.name, {"do": "pause"})
    until(lambda: "paused" in states(folder), "it pauses")
    step = of_type(journal(folder), "state")[-1]["step"]
    runs.command(folder.name, {"do": "change", "rate": 0.01})
    runs.command(folder.name, {"do": "change", "batch": 100})
    until(lambda: (read_now(folder) or {}).get("batch") == 100, "the page shows what is to be")
    assert of_type(journal(folder), "change") == []
    runs.command(folder.name, {"do": "pace"})
    runs.command(folder.name, {"do": "go"})
    assert ended(runs, folder.name)["state"] == "done"
    told = of_type(journal(folder), "change")
    assert [(data["step"], data["rate"], data["batch"]) for data in told] == [(step, 0.01, 100)]


def test_a_run_that_is_stopped_keeps_its_model_and_may_go_on(runs: Runs) -> None:
    folder = slow(runs)
    come_to(folder, 3)
    runs.command(folder.name, {"do": "stop"})
    summary = ended(runs, folder.name)
    assert (summary["state"], summary["has_model"]) == ("stopped", True)
    assert 3 <= summary["step"] < 30
    assert load_model(folder / "model.safetensors").card.changes[-1]["stopped"] is True
    runs.command(folder.name, {"do": "go"})
    assert ended(runs, folder.name)["state"] == "done"
    told_once(folder)
    plain = train(recipe_of(tiny()), dataset_of(tiny()))
    model = load_model(folder / "model.safetensors")
    assert model.card.epochs == 3
    if blas_can_be_held():
        assert model.fingerprint == plain.fingerprint


def test_one_more_epoch_after_the_end_and_amid_the_run(runs: Runs) -> None:
    folder = slow(runs, epochs=1)
    come_to(folder, 2)
    runs.command(folder.name, {"do": "more", "epochs": 1})
    runs.command(folder.name, {"do": "pace"})
    summary = ended(runs, folder.name)
    assert (summary["state"], summary["epoch"], summary["epochs"]) == ("done", 2.0, 2)
    runs.command(folder.name, {"do": "more", "epochs": 2})
    summary = ended(runs, folder.name)
    assert (summary["state"], summary["epoch"], summary["epochs"]) == ("done", 4.0, 4)
    told_once(folder)
    assert [data["epoch"] for data in of_type(journal(folder), "epoch")] == [1, 2, 3, 4]
    assert [data["epochs"] for data in of_type(journal(folder), "change")] == [2, 4]
    assert load_model(folder / "model.safetensors").card.epochs == 4
    assert of_type(journal(folder), "rewound") == []


@needs_blas_in_hand
def test_closing_the_lab_interrupts_a_run_that_another_lab_takes_up(
    runs: Runs, store: Store
) -> None:
    folder = slow(runs)
    come_to(folder, 12)
    runs.close()
    assert states(folder)[-1] == "interrupted"
    assert runs.summary(folder.name)["step"] >= 12
    again = Runs(store, ModelShelf(store))
    again.command(folder.name, {"do": "go"})
    assert ended(again, folder.name)["state"] == "done"
    assert of_type(journal(folder), "rewound") == []  # the checkpoint was of the very last step
    told_once(folder)
    plain = train(recipe_of(tiny()), dataset_of(tiny()))
    assert load_model(folder / "model.safetensors").fingerprint == plain.fingerprint
    again.close()


def test_a_pause_may_be_ended_by_the_lab_too(runs: Runs) -> None:
    folder = slow(runs)
    come_to(folder, 2)
    runs.command(folder.name, {"do": "pause"})
    until(lambda: "paused" in states(folder), "it pauses")
    runs.close()
    assert states(folder)[-1] == "interrupted"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell a parent's end")
def test_a_process_whose_lab_is_gone_leaves_a_checkpoint_and_ends(runs: Runs) -> None:
    folder = slow(runs)
    come_to(folder, 2)
    runs.command(folder.name, {"do": "stop"})
    ended(runs, folder.name)
    (folder / "commands.jsonl").write_text('{"do": "pause"}\n')
    nobody = str(os.getpid() + 1)  # not the parent
    line = [sys.executable, "-m", "inkdigits.lab.runs.worker", str(folder), nobody]
    subprocess.run(line, check=True, timeout=300)
    assert states(folder)[-1] == "interrupted"
    assert list((folder / "model.checkpoints").iterdir())


def test_two_processes_never_do_the_same_run(runs: Runs) -> None:
    folder = slow(runs)
    come_to(folder, 1)
    before = len(journal(folder))
    line = [sys.executable, "-m", "inkdigits.lab.runs.worker", str(folder)]
    assert subprocess.run(line, timeout=300).returncode == 1
    assert states(folder)[-1] == "running"
    assert len(journal(folder)) >= before


def test_a_run_that_diverges_says_so_and_names_the_rate(runs: Runs) -> None:
    record = runs.create(tiny(rate=10.0, schedule="constant"))
    summary = ended(runs, record.id)
    assert summary["state"] == "diverged"
    assert "learning rate is too high" in summary["message"]
    now = read_now(record.folder)
    assert now is not None
    assert [(hint["kind"], hint["fix"]) for hint in now["hints"]] == [
        ("rate_too_high", {"settings": {"rate": 1.0}})
    ]


def test_an_error_is_an_event_and_its_traceback_is_kept(runs: Runs) -> None:
    record = runs.create(tiny(epochs=1))
    ended(runs, record.id)
    begin(record.folder, {"do": "more"})  # which the lab does not say without a number
    line = [sys.executable, "-m", "inkdigits.lab.runs.worker", str(record.folder)]
    subprocess.run(line, check=True, timeout=300)
    summary = runs.summary(record.id)
    assert summary["state"] == "failed"
    assert "worker.log" in summary["message"]
    assert "Traceback" in (record.folder / "worker.log").read_text()


def test_other_digits_than_those_of_the_checkpoint_are_refused_in_words(runs: Runs) -> None:
    record = runs.create(tiny(epochs=1))
    ended(runs, record.id)
    other = about(record.folder)
    other["settings"]["images"] = 400
    (record.folder / "run.json").write_text(json.dumps(other))
    runs.command(record.id, {"do": "more", "epochs": 1})
    summary = ended(runs, record.id)
    assert summary["state"] == "failed"
    assert "is of another run" in summary["message"]


@pytest.mark.parametrize("do", ["more", "pause", "change", "stop"])
def test_whoever_has_learned_all_hears_no_more_and_the_lab_says_so(runs: Runs, do: str) -> None:
    record = runs.create(tiny(epochs=1))
    commands = record.folder / "commands.jsonl"
    until(lambda: not commands.exists() or record.ended, "it has learned all")
    if not record.ended:
        with pytest.raises(Busy, match=r"about to end|that is done"):
            runs.command(record.id, {"do": do, "epochs": 1})
    assert ended(runs, record.id)["state"] == "done"
    assert not commands.exists()


def full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_process_that_finds_the_disk_full_says_so(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = runs.create(tiny(epochs=1))
    ended(runs, record.id)
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)
    monkeypatch.setattr(worker, "Work", full)
    assert worker.main([str(record.folder)]) == 0
    assert runs.summary(record.id)["message"] == worker.NO_ROOM_SAID
    monkeypatch.setattr(Journal, "append", full)
    assert worker.main([str(record.folder)]) == worker.NO_ROOM


# The post's own recipe, and lessons


def test_the_posts_recipe_is_told_too(runs: Runs) -> None:
    record = runs.create(RunSettings(recipe="classic", images=600, epochs=2))
    summary = ended(runs, record.id)
    assert (summary["state"], summary["step"], summary["steps"]) == ("done", 1200, 1200)
    told_once(record.folder)
    losses = [data["loss"] for data in of_type(journal(record.folder), "point")]
    assert losses[-1] < losses[0] / 2
    now = read_now(record.folder)
    assert now is not None
    assert (now["batch"], now["augmentation"], now["layers"]) == (1, "none", [])
    assert now["weights"]["count"] == 64


def test_a_lesson_tells_what_it_changed(runs: Runs, store: Store) -> None:
    base = runs.create(tiny(images=2000, batch=20))
    ended(runs, base.id)
    save(load("mnist:test").subset(slice(30)), store.corrections)
    lesson = runs.learn(LessonSettings(model=base.id))
    summary = ended(runs, lesson.id)
    assert (summary["kind"], summary["state"]) == ("lesson", "done"), summary["message"]
    for scores in (summary["before"], summary["after"]):
        assert scores["mnist"]["total"] == 10_000
        assert scores["own"]["total"] == 6
    end = of_type(journal(lesson.folder), "state")[-1]
    assert (end["before"], end["after"]) == (summary["before"], summary["after"])
    model, start = (load_model(r.folder / "model.safetensors") for r in (lesson, base))
    assert summary["before"]["mnist"]["accuracy"] == start.card.scores["validation"]["accuracy"]
    assert summary["after"]["mnist"]["accuracy"] == model.card.scores["validation"]["accuracy"]
    assert model.card.started_from == start.fingerprint
    assert model.card.settings["own_digits"] == 24
    again = runs.learn(LessonSettings(model=lesson.id))  # of a lesson, by the recipe of its model
    assert ended(runs, again.id)["state"] == "done"


# Parts that need no process


@pytest.fixture
def left(tmp_path: Path) -> Checkpoint:
    """A checkpoint of a run with a change in its first epoch, after the second, at step 20."""

    class Once:
        def wants_the_wheel(self, progress: Progress) -> bool:
            return progress.step in (4, 20)

        def decide(self, progress: Progress) -> Change | Stop | None:
            if progress.step == 20:
                raise KeyboardInterrupt
            return Change(rate=0.01, augmentation=AUGMENTATIONS["shift"])

    checkpoints = Checkpoints(folder=tmp_path / "left")
    with pytest.raises(Interrupted):
        train(recipe_of(tiny()), dataset_of(tiny()), checkpoints=checkpoints, steering=Once())
    assert checkpoints.latest is not None
    return load_checkpoint(checkpoints.latest)


def reconciled_to(folder: Path, checkpoint: Checkpoint | None, *told: tuple[str, int]) -> list[Any]:
    """What is added to a journal of these events (type, step) when a run goes on."""
    journal = Journal(folder)
    for kind, step in told:
        more = {"epoch": {"epoch": step // 10}, "state": {"state": "running"}}
        data = point_at(step) if kind == "point" else {"step": step, **more.get(kind, {})}
        journal.append(kind, data)
    standing = reconciled(Journal(folder), checkpoint, 500)
    written = list(Journal(folder).new())
    assert [e.data for e in standing] == [
        e.data for e in what_stands(written) if e.type != "rewound"
    ]
    return [(event.type, event.data["step"]) for event in written[len(told) :]]


TOLD = (("point", 2), ("change", 4), ("epoch", 10), ("point", 16), ("epoch", 20))


def test_a_journal_that_says_what_the_checkpoint_knows_is_left_alone(
    tmp_path: Path, left: Checkpoint
) -> None:
    assert reconciled_to(tmp_path, left, *TOLD) == []


def test_what_was_told_after_the_checkpoint_is_taken_back(tmp_path: Path, left: Checkpoint) -> None:
    assert reconciled_to(tmp_path, left, *TOLD, ("point", 21)) == [("rewound", 20)]


def test_an_epoch_told_that_the_checkpoint_has_not_scored_is_taken_back_to_come_again(
    tmp_path: Path, left: Checkpoint
) -> None:
    card = replace(left.card, history=left.card.history[:1])
    assert reconciled_to(tmp_path, replace(left, card=card), *TOLD) == [("rewound", 19)]


def test_what_the_checkpoint_knows_and_nobody_was_told_is_told(
    tmp_path: Path, left: Checkpoint
) -> None:
    assert reconciled_to(tmp_path, left, TOLD[0], TOLD[2]) == [("change", 4), ("epoch", 20)]
    change = of_type(journal(tmp_path), "change")[0]
    assert change == {"step": 4, "epoch": 0.4, "rate": 0.01, "augmentation": "shift"}


def test_without_a_checkpoint_all_is_taken_back(tmp_path: Path) -> None:
    assert reconciled_to(tmp_path, None, ("state", 0), ("point", 0)) == [("rewound", -1)]


def test_a_run_that_begins_takes_nothing_back(tmp_path: Path) -> None:
    assert reconciled_to(tmp_path, None, ("state", 0)) == []


class Still:
    """A run that stands where it is: what a helm needs of a progress."""

    def __init__(self, step: int = 0) -> None:
        self.step, self.steps, self.epoch, self.epochs = step, 100, 1, 2
        self.done, self.samples, self.seconds, self.rate = step * 10, 500, 1.0, 0.1
        self.loss: float | None = 1.0
        self.record: dict[str, Any] | None = None
        self.recipe = recipe_of(tiny())
        self.model = None

    def check(self, change: Any) -> None:
        """Anything goes."""


def helm_of(folder: Path, **options: Any) -> Helm:
    digits = load("mnist:validation").subset(slice(50))
    points = Points(100, last=0)
    return Helm(
        folder, Journal(folder), Sight(digits, digits), points, seen=Seen(points=()), **options
    )


def test_a_pause_sleeps_and_does_nothing_else(tmp_path: Path) -> None:
    slept = []
    commands = tmp_path / "commands.jsonl"

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 50:
            commands.write_text(commands.read_text() + '{"do": "go"}\n')

    helm = helm_of(tmp_path, sleep=sleep)
    commands.write_text('{"do": "pause"}\n')
    still: Any = Still()
    assert helm.wants_the_wheel(still) is True
    assert helm.decide(still) is None
    assert slept == [0.05] * 50
    assert states(tmp_path) == ["paused", "running"]
    assert helm.wants_the_wheel(still) is False


class Late(Helm):
    """To which a command comes just when it has looked for the last time."""

    late: dict[str, Any] | None = None

    def close(self, progress: Progress) -> None:
        if self.late is not None:
            assert tell(self.folder, self.late)
            self.late = None
        super().close(progress)


def at_its_end(folder: Path, late: dict[str, Any] | None) -> tuple[Any, Any, Helm]:
    """A run after its last step, and a command that comes at the very last moment."""
    digits = load("mnist:validation").subset(slice(50))
    points = Points(100, last=100)
    sight = Sight(digits, digits)
    helm = Late(folder, Journal(folder), sight, points, seen=Seen(points=()), sleep=lambda _: None)
    helm.late = late
    begin(folder)
    still: Any = Still(100)
    still.epoch, still.record = 2, {"epoch": 2, "loss": 0.1, "accuracy": 0.9}
    return still, helm.wants_the_wheel(still), helm


def test_more_epochs_at_the_very_last_moment_are_learned(tmp_path: Path) -> None:
    still, wants, helm = at_its_end(tmp_path, {"do": "more", "epochs": 3})
    assert wants is True
    assert helm.decide(still) == Change(epochs=5)
    assert tell(tmp_path, {"do": "pause"})  # it listens again
    assert [command["do"] for command in helm.commands.new()] == ["pause"]


def test_a_run_that_ends_hears_nothing_more_and_whoever_tells_it_knows(tmp_path: Path) -> None:
    _, wants, _ = at_its_end(tmp_path, None)
    assert wants is False
    assert tell(tmp_path, {"do": "more", "epochs": 1}) is False


def test_a_pause_after_the_last_step_waits_and_then_the_run_ends(tmp_path: Path) -> None:
    still, wants, helm = at_its_end(tmp_path, {"do": "pause"})
    assert wants is True
    helm.sleep = lambda _: tell(tmp_path, {"do": "go"}) and None
    assert helm.decide(still) is None
    assert states(tmp_path) == ["paused", "running"]
    assert tell(tmp_path, {"do": "pause"}) is False


def test_damaged_commands_are_none(tmp_path: Path) -> None:
    (tmp_path / "commands.jsonl").write_bytes(b'{"do": "pa\n7\n' + b"[" * 9999 + b"\n{")
    assert tell(tmp_path, {"do": "pause"})
    assert Commands(tmp_path).new() == [{"do": "pause"}]


def test_the_loss_of_a_point_is_the_mean_of_samples_and_not_of_steps(tmp_path: Path) -> None:
    helm = helm_of(tmp_path)
    still: Any = Still()
    for done, loss in ((50, 1.0), (100, 2.0), (125, 4.0)):
        still.done, still.loss = done, loss
        helm.add_loss(still)
    assert helm.loss_sum / helm.loss_samples == pytest.approx((50 * 1 + 50 * 2 + 25 * 4) / 125)


def test_commands_are_read_once_and_only_when_their_line_is_whole(tmp_path: Path) -> None:
    commands = Commands(tmp_path)
    assert commands.new() == []
    path = tmp_path / "commands.jsonl"
    path.write_text('{"do": "pause"}\n{"do": "g')
    assert commands.new() == [{"do": "pause"}]
    assert commands.new() == []
    path.write_text('{"do": "pause"}\n{"do": "go"}\n')
    assert commands.new() == [{"do": "go"}]


def test_points_are_some_hundreds_and_cost_a_quarter_but_a_dozen_are_there_always() -> None:
    def told(steps: int, seconds_a_step: float, cost: float) -> int:
        points, count = Points(steps), 0
        for step in range(steps + 1):
            if points.due(step, steps, step * seconds_a_step + points.spent):
                points.last = step
                points.spent += cost
                count += 1
        return count

    assert POINTS <= told(30_000, 0.01, 0.0001) <= POINTS + 2
    assert FEWEST <= told(400, 0.0001, 1.0) <= FEWEST + 2
    assert told(20, 1.0, 0.0) == 21
    seconds = 10_000 * 0.01
    dear = told(10_000, 0.01, 1.0)
    assert FEWEST < dear <= COST * (seconds + dear) + 2


def test_longer_runs_have_points_as_close_together() -> None:
    points = Points(3000, last=3000)
    assert not points.due(3009, 6000, 1e9)
    assert points.due(3010, 6000, 1e9)


def test_the_first_weights_are_pictures_of_dense_layers_and_of_kernels() -> None:
    for layers, count, side in (
        ((Flatten(), Dense(784, 70), Dense(70, 10)), 64, 28),
        ((Downsample(2), Flatten(), Dense(196, 7), Dense(7, 10)), 7, 14),
        ((Conv2d(1, 6, 5), Flatten(), Dense(3456, 10)), 6, 5),
    ):
        network = Network(layers)
        network.initialise(np.random.default_rng(0))
        found = first_pictures(network)
        assert found is not None
        pixels = np.frombuffer(base64.b64decode(found["pixels"]), np.uint8)
        assert (found["count"], found["side"], pixels.size) == (count, side, count * side * side)
        views = next(view for view in network.views(network.parameters) if view)
        weights = views["weight"].reshape(-1, side * side)[:count]
        units = pixels.reshape(count, -1)
        assert ((units > 128) <= (weights > 0)).all()
        assert ((units < 128) <= (weights < 0)).all()
        assert (np.abs(units.astype(int) - 128).max(axis=1) == 127).all()
    network.parameters[:] = 0
    zero = first_pictures(network)
    assert zero is not None
    assert set(base64.b64decode(zero["pixels"])) == {128}


def hints_of(folder: Path, settings: RunSettings) -> tuple[Model, set[str], dict[str, Any]]:
    """What a run of these settings comes to, the hints on its way, and those at its end."""
    heard: set[str] = set()

    class Listening(Helm):
        def give_hints(self) -> None:
            super().give_hints()
            heard.update(hint["kind"] for hint in self.now["hints"])

    recipe, data, validation = recipe_of(settings), dataset_of(settings), load("mnist:validation")
    steps = steps_of(recipe, len(data))
    network = None if settings.network is None else settings.network.model_dump(mode="json")
    seen = Seen(
        points=(),
        steps_per_epoch=steps // recipe.epochs,
        kinds=[type(layer).__name__ for layer in recipe.layers],
        images=settings.images,
        network=network,
    )
    sight, points = Sight(data, validation), Points(steps)
    helm = Listening(folder, Journal(folder), sight, points, seen=seen)
    model: Model = train(recipe, data, watch=validation, figures=True, steering=helm)
    helm.finish()
    assert len(of_type(journal(folder), "point")) >= FEWEST
    return model, heard, {hint["kind"]: hint["fix"] for hint in helm.now["hints"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        RunSettings(recipe="mlp"),
        RunSettings(recipe="quick"),
        DEFAULT.model_copy(update={"epochs": 2}),
    ],
    ids=["mlp", "quick", "default"],
)
def test_runs_as_they_are_proposed_bring_no_hint(tmp_path: Path, settings: RunSettings) -> None:
    model, heard, _ = hints_of(tmp_path, settings)
    assert model.card.history[-1]["accuracy"] > 0.975
    assert heard == set()


@pytest.mark.slow
def test_a_rate_that_is_far_too_low_is_called_so_and_nothing_else(tmp_path: Path) -> None:
    slow = {"rate": 1e-5, "images": 5000, "epochs": 3}
    model, heard, end = hints_of(tmp_path, DEFAULT.model_copy(update=slow))
    assert model.card.history[-1]["accuracy"] < 0.4
    assert heard == {"rate_too_low"}
    assert end == {"rate_too_low": {"settings": {"rate": 0.0001}}}


@pytest.mark.slow
def test_a_rate_that_never_lets_it_learn_is_called_too_high(tmp_path: Path) -> None:
    dense = {"kind": "dense", "units": 30}
    network = {"layers": [dense, dense], "activation": "sigmoid", "optimizer": "adam"}
    given = {"network": network, "rate": 10.0, "images": 10_000, "epochs": 3}
    model, _, end = hints_of(tmp_path, RunSettings.model_validate(given))
    assert model.card.history[-1]["accuracy"] < 0.2
    assert end["rate_too_high"] == {"settings": {"rate": 1.0}}
    assert "vanishing_gradient" not in end
