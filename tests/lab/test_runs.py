"""Runs over HTTP: started, steered, followed, compared; and refused in words."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from learning import about, come_to, ended, journal, of_type, point_at, states, tiny, until
from starlette.testclient import TestClient

from inkdigits.evaluation import compare
from inkdigits.formats import load_model, save_model
from inkdigits.lab.app import create_app
from inkdigits.lab.models import ModelShelf
from inkdigits.lab.runs.duel import difference_interval
from inkdigits.lab.runs.events import Journal
from inkdigits.lab.runs.runs import Runs
from inkdigits.lab.runs.settings import RunSettings
from inkdigits.lab.runs.worker import NO_ROOM, NO_ROOM_SAID
from inkdigits.lab.store import Store
from inkdigits.model import Model
from inkdigits.sources import load, save

Errs = Callable[..., str]

TINY: dict[str, Any] = tiny().model_dump(mode="json")


@pytest.fixture
def runs(app: FastAPI) -> Iterator[Runs]:
    found: Runs = app.state.runs
    yield found
    found.close()


def made(store: Store, name: str, created: str, **more: Any) -> Path:
    """The folder of a run that has ended, without its having been."""
    folder = store.runs / name
    folder.mkdir(parents=True)
    facts = {"id": name, "name": f"run {name[0]}", "created": created, "kind": "training"}
    (folder / "run.json").write_text(json.dumps({**facts, "settings": TINY, **more}))
    Journal(folder).append("state", {"state": "done", "step": 30})
    return folder


A, B = "a" * 12, "b" * 12


# What there is


def test_recipes_options_and_the_default_are_what_a_run_is_started_with(
    client: TestClient,
) -> None:
    there = client.get("/api/lab/recipes").json()
    assert {recipe["name"] for recipe in there["recipes"]} >= {"blink", "quick", "classic"}
    assert there["options"]["augmentations"] == ["none", "shift", "hand", "strong"]
    default = RunSettings.model_validate(there["default"])
    assert client.post("/api/lab/estimate", json=there["default"]).status_code == 200
    assert default.network is not None


def test_an_estimate_that_cannot_be_says_why(client: TestClient, errs: Errs) -> None:
    kernel = {"kind": "convolution", "units": 4, "kernel": 7}
    settings = {"network": {"layers": [kernel] * 4}}
    assert "convolution 3" in errs(client.post("/api/lab/estimate", json=settings), 422)
    wrong = client.post("/api/lab/estimate", json={"recipe": "quick", "epochs": 900})
    assert "200" in errs(wrong, 422)


def test_runs_are_listed_in_the_order_of_their_making(client: TestClient, store: Store) -> None:
    assert client.get("/api/lab/runs").json() == {"runs": []}
    made(store, A, "2026-02-01T00:00:00+00:00")
    made(store, B, "2026-01-01T00:00:00+00:00")
    (store.runs / "notes").mkdir()
    (store.runs / ("c" * 12)).write_text("no folder")
    assert [run["id"] for run in client.get("/api/lab/runs").json()["runs"]] == [B, A]


def test_a_summary_has_what_the_page_shows(client: TestClient, store: Store) -> None:
    folder = made(store, A, "2026-01-01T00:00:00+00:00", epochs=3, steps=30, parameters=7)
    journal = Journal(folder)
    point = {"loss": 0.3, "epoch": 2.5, "seconds": 1.5, "validation_accuracy": 0.9}
    journal.append("point", point_at(25, **point))
    journal.append("epoch", {"step": 30, "epoch": 3, "loss": 0.2, "accuracy": 0.91})
    assert client.get(f"/api/lab/runs/{A}").json() == {
        "id": A, "name": "run a", "kind": "training", "created": "2026-01-01T00:00:00+00:00",
        "settings": TINY, "state": "done", "epoch": 2.5, "epochs": 3, "step": 30, "steps": 30,
        "accuracy": 0.91, "loss": 0.3, "seconds": 1.5, "parameters": 7, "has_model": False,
        "before": None, "after": None, "message": None,
    }  # fmt: skip


def test_a_journal_is_read_on_and_not_anew(client: TestClient, store: Store) -> None:
    folder = made(store, A, "2026-01-01T00:00:00+00:00")
    assert client.get(f"/api/lab/runs/{A}").json()["state"] == "done"
    old = (folder / "journal.jsonl").read_bytes()
    (folder / "journal.jsonl").write_bytes(b"?" * (len(old) - 1) + b"\n")  # nobody looks there
    Journal(folder).append("state", {"state": "failed", "message": "so"})
    summary = client.get(f"/api/lab/runs/{A}").json()
    assert (summary["state"], summary["message"]) == ("failed", "so")


def test_a_run_has_another_name_at_once(client: TestClient, store: Store, errs: Errs) -> None:
    made(store, A, "2026-01-01T00:00:00+00:00")
    answer = client.patch(f"/api/lab/runs/{A}", json={"name": " Zwölf "})
    assert answer.json()["name"] == "Zwölf"
    assert client.get(f"/api/lab/runs/{A}").json()["name"] == "Zwölf"
    for bad in ("", "x" * 81, 3):
        errs(client.patch(f"/api/lab/runs/{A}", json={"name": bad}), 422)


def test_a_run_is_removed_with_all_that_it_left(
    client: TestClient, store: Store, errs: Errs
) -> None:
    made(store, A, "2026-01-01T00:00:00+00:00")
    assert client.delete(f"/api/lab/runs/{A}").status_code == 200
    assert list(store.runs.iterdir()) == []
    assert A in errs(client.delete(f"/api/lab/runs/{A}"), 404)


@pytest.mark.parametrize("name", [B, "x", "..", "A" * 12, "reader"])
def test_a_run_that_there_is_not_is_refused_everywhere(
    client: TestClient, errs: Errs, name: str
) -> None:
    for method, path in (
        ("GET", ""), ("DELETE", ""), ("GET", "/events"), ("POST", "/commands"), ("PATCH", "")
    ):  # fmt: skip
        body = {"do": "pause"} if method == "POST" else {"name": "x"} if method == "PATCH" else None
        errs(client.request(method, f"/api/lab/runs/{name}{path}", json=body), 404, 405)


# One that learns


def test_a_run_from_its_start_to_its_end(client: TestClient, runs: Runs, errs: Errs) -> None:
    run = client.post("/api/lab/runs", json={**TINY, "epochs": 1, "name": "first"}).json()
    assert (run["name"], run["kind"], run["epochs"], run["steps"]) == ("first", "training", 1, 10)
    assert run["parameters"] == 784 * 16 + 16 + 170
    assert run["state"] in ("starting", "running")
    stream = client.get(f"/api/lab/runs/{run['id']}/events")  # ends when the run does
    assert stream.headers["content-type"].startswith("text/event-stream")
    blocks = stream.text.strip().split("\n\n")
    kinds = [block.split("event: ")[1].split("\n")[0] for block in blocks]
    assert kinds[0] == "state"
    assert kinds[-1] == "end"
    assert {"point", "epoch", "now"} <= set(kinds)
    ids = [int(block.split("\n")[0][4:]) for block in blocks if block.startswith("id: ")]
    assert ids == list(range(1, len(ids) + 1))
    summary = ended(runs, run["id"])
    assert (summary["state"], summary["has_model"]) == ("done", True)
    models = client.get("/api/models").json()["models"]
    assert run["id"] in [model["name"] for model in models]


def test_a_dropped_stream_goes_on_by_header_or_by_address(client: TestClient, store: Store) -> None:
    folder = made(store, A, "2026-01-01T00:00:00+00:00")
    for step in range(5):
        Journal(folder).append("point", point_at(step))
    path = f"/api/lab/runs/{A}/events"

    def first(**asked: Any) -> str:
        return client.get(path, **asked).text.split("\n")[0]

    assert first() == "id: 1"
    assert first(params={"after": 3}) == "id: 4"
    assert first(headers={"Last-Event-ID": "4"}) == "id: 5"
    assert first(params={"after": 2}, headers={"Last-Event-ID": "4"}) == "id: 5"
    assert first(headers={"Last-Event-ID": "²".encode("latin-1")}) == "id: 1"
    assert first(headers={"Last-Event-ID": "9" * 400}) == "event: end"


def test_one_run_learns_at_a_time(client: TestClient, runs: Runs, errs: Errs) -> None:
    run = client.post("/api/lab/runs", json={**TINY, "name": "busy"}).json()["id"]
    client.post(f"/api/lab/runs/{run}/commands", json={"do": "pace", "steps_per_second": 10})
    assert "'busy'" in errs(client.post("/api/lab/runs", json=TINY), 409)
    assert "stop it" in errs(client.delete(f"/api/lab/runs/{run}"), 409)
    come_to(runs.record(run).folder, 1)
    assert client.post(f"/api/lab/runs/{run}/commands", json={"do": "stop"}).status_code == 202
    until(lambda: runs.record(run).ended, "it stops")
    after = client.post("/api/lab/runs", json={**TINY, "epochs": 1})  # at once: it is waited for
    assert after.status_code == 200
    ended(runs, after.json()["id"])
    assert len(client.get("/api/lab/runs").json()["runs"]) == 2


@pytest.mark.parametrize(
    ("state", "refused"),
    [
        ("done", {"pause", "go", "stop", "change", "pace"}),
        ("diverged", {"pause", "go", "stop", "change", "pace", "more"}),
        ("interrupted", {"pause", "stop", "change", "pace"}),
        ("stopped", {"pause", "stop", "change", "pace"}),
    ],
)
def test_a_run_that_has_ended_says_what_it_cannot_do(
    client: TestClient, store: Store, errs: Errs, state: str, refused: set[str]
) -> None:
    folder = made(store, A, "2026-01-01T00:00:00+00:00")
    Journal(folder).append("state", {"state": state})
    commands: dict[str, dict[str, Any]] = {
        "pause": {}, "go": {}, "stop": {}, "more": {"epochs": 1}, "change": {"rate": 0.1},
        "pace": {"steps_per_second": None},
    }  # fmt: skip
    for do in refused:
        said = client.post(f"/api/lab/runs/{A}/commands", json={"do": do, **commands[do]})
        assert state in errs(said, 409)
    assert states(folder) == ["done", state]


def test_what_a_run_cannot_do_is_said_in_plain_words(
    client: TestClient, store: Store, errs: Errs
) -> None:
    folder = made(store, A, "2026-01-01T00:00:00+00:00")
    path = f"/api/lab/runs/{A}/commands"
    assert errs(client.post(path, json={"do": "pause"}), 409) == (
        "expected a run that can be paused, got one that is done: let it learn more epochs"
    )
    Journal(folder).append("state", {"state": "diverged"})
    assert errs(client.post(path, json={"do": "more", "epochs": 1}), 409) == (
        "expected a run that can learn more epochs, got one that diverged: start a new one with a "
        "lower rate"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        {},
        {"do": "dance"},
        {"do": "change"},
        {"do": "change", "rate": -1},
        {"do": "change", "batch": 0},
        {"do": "change", "seed": 3},
        {"do": "more", "epochs": 0},
        {"do": "pace"},
        {"do": "pace", "steps_per_second": 0},
        {"do": "pause", "now": True},
        [],
        None,
    ],
)
def test_commands_that_make_no_sense_are_refused(
    client: TestClient, store: Store, errs: Errs, command: Any
) -> None:
    made(store, A, "2026-01-01T00:00:00+00:00")
    errs(client.post(f"/api/lab/runs/{A}/commands", json=command), 422)


def test_a_process_that_ends_without_a_word_is_a_failure(runs: Runs) -> None:
    folder = made(runs.store, A, "2026-01-01T00:00:00+00:00")
    (folder / "lock").mkdir()  # which it wants to open as a file
    runs.command(A, {"do": "more", "epochs": 1})
    summary = ended(runs, A)
    assert summary["state"] == "failed"
    assert "worker.log" in summary["message"]


def test_a_lab_that_starts_says_which_runs_the_last_one_left(store: Store) -> None:
    left = made(store, A, "2026-01-01T00:00:00+00:00")
    Journal(left).append("state", {"state": "running", "step": 3})
    whole = made(store, B, "2026-01-01T00:00:00+00:00")
    runs = Runs(store, ModelShelf(store))
    assert states(left) == ["done", "running", "interrupted"]
    assert states(whole) == ["done"]
    assert [run["state"] for run in runs.summaries()] == ["interrupted", "done"]


@pytest.mark.slow
def test_a_killed_lab_takes_its_process_along_and_the_next_says_so(store: Store) -> None:
    first = Runs(store, ModelShelf(store))
    record = first.create(tiny())
    first.command(record.id, {"do": "pace", "steps_per_second": 10})
    come_to(record.folder, 2)
    process = first.learner.process
    assert process is not None
    # Nobody watches it any more, and it ends while the next lab starts.
    first.learner.record = first.learner.process = None
    process.terminate()
    second = Runs(store, ModelShelf(store))
    assert states(record.folder)[-1] == "interrupted"
    assert states(record.folder).count("interrupted") == 1
    process.wait()
    second.close()


# What is damaged, or cannot be written


DEEP = "[" * 100_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.json", "{"),
        ("run.json", DEEP),
        ("run.json", "[]"),
        ("run.json", '{"name": 3, "kind": "training", "settings": {}}'),
        ("run.json", '{"name": "x", "kind": "training", "settings": []}'),
        ("run.json", None),
        ("now.json", DEEP),
        ("now.json", '{"step": "x"}'),
        ("now.json", None),
        ("journal.jsonl", DEEP + "\n"),
        ("journal.jsonl", '{"event": "point", "data": {"step": 1}}\n'),
        ("journal.jsonl", '{"event": "state", "data": {"state": "running"}}\n'),
        ("journal.jsonl", None),
        ("lock", None),
    ],
)
def test_a_damaged_run_keeps_no_lab_from_starting_and_can_be_removed(
    store: Store, name: str, content: str | None
) -> None:
    folder = made(store, A, "2026-01-01T00:00:00+00:00")
    made(store, B, "2026-02-01T00:00:00+00:00")
    path = folder / name
    path.unlink(missing_ok=True)
    if content is None:
        path.mkdir()
    else:
        path.write_text(content)
    app = create_app(store=store, port=8765, token=None)
    with TestClient(app, base_url="http://127.0.0.1:8765") as client:
        listed = {run["id"]: run for run in client.get("/api/lab/runs").json()["runs"]}
        assert listed.keys() == {A, B}
        assert client.get(f"/api/lab/runs/{A}").json() == listed[A]
        assert listed[A]["state"] in ("done", "interrupted")
        damaged = name == "run.json"
        assert ("damaged" in (listed[A]["message"] or "")) is damaged
        if path.name != "journal.jsonl" or content is not None:
            assert "event: end" in client.get(f"/api/lab/runs/{A}/events").text
        if damaged:
            for do in ("go", "more"):
                assert client.post(f"/api/lab/runs/{A}/commands", json={"do": do}).status_code in (
                    404,
                    409,
                )
            assert app.state.runs.learner.process is None
            assert client.patch(f"/api/lab/runs/{A}", json={"name": "x"}).status_code == 404
        assert client.delete(f"/api/lab/runs/{A}").status_code == 200
        assert [run["id"] for run in client.get("/api/lab/runs").json()["runs"]] == [B]


@pytest.mark.parametrize("settings", [{}, {**TINY, "colour": 1}, {**TINY, "epochs": "many"}])
def test_settings_of_another_version_are_neither_gone_on_with_nor_taught(
    client: TestClient, store: Store, blink: Model, errs: Errs, settings: dict[str, Any]
) -> None:
    folder = made(store, A, "2026-01-01T00:00:00+00:00", settings=settings)
    save_model(blink, folder / "model.safetensors")
    save(load("mnist:test").subset(slice(7)), store.corrections)
    command = client.post(f"/api/lab/runs/{A}/commands", json={"do": "more", "epochs": 1})
    assert "this version" in errs(command, 404)
    assert "this version" in errs(client.post("/api/lab/learn", json={"model": A}), 404)
    assert states(folder) == ["done"]


def test_a_model_whose_run_is_damaged_cannot_be_taught(
    client: TestClient, store: Store, blink: Model, errs: Errs
) -> None:
    folder = made(store, A, "2026-01-01T00:00:00+00:00")
    save_model(blink, folder / "model.safetensors")
    (folder / "run.json").write_text("{")
    assert "damaged" in errs(client.post("/api/lab/learn", json={"model": A}), 404)


def test_on_a_full_disk_a_run_without_a_process_is_interrupted_and_can_be_removed(
    client: TestClient, runs: Runs, store: Store, errs: Errs, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(store, A, "2026-01-01T00:00:00+00:00")
    Journal(folder).append("state", {"state": "paused", "step": 3})
    path = f"/api/lab/runs/{A}"

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", full)
        assert client.get(path).json()["state"] == "interrupted"
        errs(client.post(f"{path}/commands", json={"do": "stop"}), 409)
        assert "space" in errs(client.post(f"{path}/commands", json={"do": "go"}), 503)
        assert states(folder) == ["done", "paused"]
        assert client.get(path).json()["state"] in ("interrupted", "failed")
    assert client.get(path).json()["state"] in ("interrupted", "failed")
    assert states(folder)[-1] in ("interrupted", "failed")  # now that there is room
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", full)
        assert client.delete(path).status_code == 200


@pytest.mark.parametrize("killed", [True, False])
def test_the_end_of_a_process_is_known_even_if_it_cannot_be_written(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    record = runs.create(tiny())
    runs.command(record.id, {"do": "pace", "steps_per_second": 10})
    come_to(record.folder, 2)
    process = runs.learner.process
    assert process is not None

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", full)
        if killed:
            process.kill()
        else:  # as it ends where it finds no room for its last word
            patch.setattr(process, "wait", lambda *_: NO_ROOM)
            process.kill()
        until(lambda: runs.summary(record.id)["state"] not in ("starting", "running"), "it ends")
        assert states(record.folder)[-1] == "running"
        summary = runs.summary(record.id)
        assert summary["state"] == "interrupted" if killed else "failed"
        assert "outside" in summary["message"] or summary["message"] == NO_ROOM_SAID
    assert runs.summary(record.id) == summary
    assert states(record.folder)[-1] == summary["state"]
    runs.remove(record.id)


def test_runs_without_a_name_of_their_own_are_numbered(runs: Runs) -> None:
    def name(**given: Any) -> Any:
        record = runs.create(tiny(epochs=1, **given))
        return ended(runs, record.id)["name"]

    names = [name(), name(), name(name="mine"), name(name="mine"), name()]
    assert names == ["16", "16 (2)", "mine", "mine", "16 (3)"]


# Lessons and duels


def test_a_lesson_without_corrections_says_what_to_do_first(
    client: TestClient, store: Store, errs: Errs
) -> None:
    assert "teach" in errs(client.post("/api/lab/learn", json={"model": "reader"}), 422)
    (store.corrections / "3").mkdir(parents=True)
    assert "teach" in errs(client.post("/api/lab/learn", json={"model": "reader"}), 422)
    assert client.get("/api/lab/runs").json() == {"runs": []}
    assert not list(store.runs.glob("*")) if store.runs.is_dir() else True


def test_a_lesson_for_a_model_that_there_is_not_is_refused(
    client: TestClient, store: Store, errs: Errs
) -> None:
    made(store, A, "2026-01-01T00:00:00+00:00")
    errs(client.post("/api/lab/learn", json={"model": A}), 404)
    errs(client.post("/api/lab/learn", json={"model": "../reader"}), 422)


def test_a_lesson_keeps_its_digits_and_its_model_whatever_becomes_of_those(
    client: TestClient, runs: Runs, store: Store
) -> None:
    base = client.post("/api/lab/runs", json=TINY).json()["id"]
    ended(runs, base)
    digits = load("mnist:test").subset(slice(7))
    save(digits, store.corrections)
    (store.corrections / "3" / "note.png").write_text("not a digit, and not taught")
    lesson = client.post("/api/lab/learn", json={"model": base, "name": "mine"}).json()
    assert (lesson["name"], lesson["kind"]) == ("mine", "lesson")
    folder = runs.record(lesson["id"]).folder
    assert load(folder / "own.npz").counts().sum() == 7
    start = load_model(folder / "start.safetensors")
    assert start.fingerprint == load_model(store.runs / base / "model.safetensors").fingerprint
    assert about(folder)["settings"]["training"] == {**TINY}
    assert ended(runs, lesson["id"])["state"] == "done"


def test_a_duel_is_the_paired_test_and_names_the_digits(
    client: TestClient, store: Store, blink: Model, classic: Model, errs: Errs
) -> None:
    for name, model in ((A, blink), (B, classic)):
        save_model(model, made(store, name, "2026-01-01T00:00:00+00:00") / "model.safetensors")
    duel = client.get("/api/lab/duel", params={"a": A, "b": B}).json()
    validation = load("mnist:validation")
    one, other = blink.evaluate(validation), classic.evaluate(validation)
    paired = compare(one, other)
    assert (duel["only_a"], duel["only_b"]) == (paired.only_first, paired.only_second)
    assert duel["p_value"] == paired.p_value
    assert duel["a"] == {
        "name": "run a", "correct": one.correct, "total": 10_000, "accuracy": one.accuracy,
        "interval": list(one.interval),
    }  # fmt: skip
    assert duel["difference"] == one.accuracy - other.accuracy
    assert duel["interval"][0] < duel["difference"] < duel["interval"][1]
    disagree = np.flatnonzero(one.answers != other.answers)[:100]
    assert [entry["index"] for entry in duel["disagree"]] == disagree.tolist()
    for entry in duel["disagree"][:5]:
        index = entry["index"]
        assert entry["label"] == validation.known_labels[index]
        assert (entry["a"], entry["b"]) == (one.answers[index], other.answers[index])
    errs(client.get("/api/lab/duel", params={"a": A, "b": "c" * 12}), 404)


def test_a_model_against_itself_is_no_difference(
    client: TestClient, store: Store, blink: Model
) -> None:
    save_model(blink, made(store, A, "2026-01-01T00:00:00+00:00") / "model.safetensors")
    duel = client.get("/api/lab/duel", params={"a": A, "b": A}).json()
    assert (duel["difference"], duel["p_value"], duel["disagree"]) == (0.0, 1.0, [])
    low, high = duel["interval"]
    assert -low == pytest.approx(high)
    assert 0 < high < 0.001


def test_the_interval_of_a_difference_is_agrestis_and_mins() -> None:
    # By hand: (12.5 − 5.5) / 102, and 1.96 √(18 − 49 / 102) / 102.
    low, high = difference_interval(12, 5, 100)
    assert (low + high) / 2 == pytest.approx(7 / 102)
    assert (high - low) / 2 == pytest.approx(1.959964 * (18 - 49 / 102) ** 0.5 / 102)
    assert difference_interval(100, 0, 100)[1] == 1.0


def test_streams_end_when_the_lab_does(client: TestClient, runs: Runs, store: Store) -> None:
    folder = made(store, A, "2026-01-01T00:00:00+00:00")
    Journal(folder).append("state", {"state": "running"})
    runs.closing.set()
    assert client.get(f"/api/lab/runs/{A}/events").text == ""
    assert of_type(journal(folder), "state")[-1]["state"] == "running"
