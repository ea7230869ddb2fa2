"""The Draw view's routes: state, explanations, what looks alike, and what was taught."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from starlette.testclient import TestClient

from inkdigits.dataset import Dataset
from inkdigits.formats import load_model
from inkdigits.lab.store import Store
from inkdigits.reading import LONGEST, explain, open_picture
from inkdigits.sources import load

Errs = Callable[..., str]
Pixels = NDArray[np.uint8]

# The page's state


def test_the_state_is_given_back_as_it_was_kept(client: TestClient) -> None:
    state = {
        "view": "draw",
        "strokes": [[1.5, -2]],
        "words": "„Ziffer“ \N{SLIGHTLY SMILING FACE} \x00",
        "none": None,
    }
    assert client.get("/api/lab/state").json() == {}
    assert client.put("/api/lab/state", content=json.dumps(state)).status_code == 200
    assert client.get("/api/lab/state").json() == state
    client.put("/api/lab/state", json={})
    assert client.get("/api/lab/state").json() == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"7",
        b"null",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b"{",
        b"\xff",
        b'{"a":' * 100_000,
        b"9" * 10_000,
    ],
)
def test_what_is_no_object_is_no_state(
    client: TestClient, errs: Errs, store: Store, body: bytes
) -> None:
    store.keep_state({"before": 1})
    said = errs(client.put("/api/lab/state", content=body), 422)
    assert said.startswith("expected a JSON object, got ")
    assert store.state() == {"before": 1}


def test_half_a_letter_is_kept_too(client: TestClient) -> None:
    body = b'{"a": "\\ud800"}'
    assert client.put("/api/lab/state", content=body).status_code == 200
    assert client.get("/api/lab/state").content.replace(b" ", b"") == body.replace(b" ", b"")


# Explanations


@pytest.mark.slow
def test_an_explanation_is_that_of_the_command_line_with_what_looks_alike(
    client: TestClient, picture: bytes
) -> None:
    came = client.post("/api/lab/explain?expected=2", content=picture).json()
    opened = open_picture(picture, longest=LONGEST)
    plain = explain(opened, load_model("reader"), expected=2, name=None)
    told = plain.as_data()
    told["seen"]["box"] = list(told["seen"]["box"])
    for key in ("seen", "expected", "verdict", "advice"):
        assert came[key] == told[key]
    assert (came["digit"], came["rejected"]) == (2, False)
    assert [trial["name"] for trial in came["trials"]] == [t.change.name for t in plain.trials]
    for trial, own in zip(came["trials"], plain.trials, strict=True):
        assert base64.b64decode(trial["glyph"]) == own.glyph.tobytes()
        assert (trial["digit"], trial["changes"]) == (own.digit, own.changed)
    nearest = came["nearest"]
    assert nearest["labels"] == [2] * 8
    assert nearest["among"] >= 5000
    labels = load(nearest["data"]).known_labels
    assert labels[nearest["indices"]].tolist() == nearest["labels"]
    assert nearest["similarity"] == sorted(nearest["similarity"], reverse=True)
    assert (
        f"Of {nearest['among']:,} training digits, all 8 that are most like it are 2s."
        in (came["looks"])
    )


@pytest.mark.slow
def test_a_form_is_explained_alike(client: TestClient, picture: bytes) -> None:
    raw = client.post("/api/lab/explain", content=picture).json()
    assert client.post("/api/lab/explain", files={"picture": picture}).json() == raw
    assert raw["expected"] is None


def test_an_empty_sheet_is_explained_without_what_looks_alike(client: TestClient) -> None:
    sheet = io.BytesIO()
    Image.new("L", (60, 60), 255).save(sheet, "PNG")
    came = client.post("/api/lab/explain", content=sheet.getvalue()).json()
    assert came["seen"] is None
    assert came["nearest"]["indices"] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        ("expected=10", None, 422),
        ("expected=x", None, 422),
        ("model=nobody", None, 404),
        ("", b"no picture", 415),
        ("", b"\x89PNG\r\n\x1a\n", 422),
    ],
)
def test_what_cannot_be_explained_is_refused_in_words(
    client: TestClient, errs: Errs, picture: bytes, query: str, body: bytes | None, status: int
) -> None:
    said = errs(client.post(f"/api/lab/explain?{query}", content=body or picture), status)
    assert said.startswith("expected ")


# What looks alike


@pytest.mark.slow
def test_the_nearest_are_training_digits_that_look_alike(client: TestClient, two: Pixels) -> None:
    came = client.post("/api/lab/nearest?count=3", content=two.tobytes()).json()
    assert came["labels"] == [2, 2, 2]
    assert load(came["data"]).known_labels[came["indices"]].tolist() == [2, 2, 2]
    own = load(came["data"]).images[came["indices"][0]]
    again = client.post("/api/lab/nearest?count=1", content=own.tobytes()).json()
    assert again["indices"] == came["indices"][:1]
    assert again["similarity"][0] == pytest.approx(1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        ("", b"", 422),
        ("", bytes(783), 422),
        ("", bytes(785), 422),
        ("count=0", bytes(784), 422),
        ("count=51", bytes(784), 422),
        ("model=nobody", bytes(784), 404),
    ],
)
def test_what_is_no_glyph_has_nothing_near(
    client: TestClient, errs: Errs, query: str, body: bytes, status: int
) -> None:
    said = errs(client.post(f"/api/lab/nearest?{query}", content=body), status)
    assert said.startswith("expected ")


# What was taught


def taught(client: TestClient, glyph: Pixels, label: int) -> dict[str, Any]:
    answer = client.post(f"/api/lab/corrections?label={label}", content=glyph.tobytes())
    assert answer.status_code == 200
    result: dict[str, Any] = answer.json()
    return result


def test_what_is_taught_is_a_data_set_like_any_other(
    client: TestClient, store: Store, some: Dataset
) -> None:
    for place in range(5):
        came = taught(client, some.images[place], int(some.known_labels[place]))
        assert came["news"] == f"kept as {some.known_labels[place]}"
        assert sum(came["counts"]) == place + 1
    own = load(store.corrections)
    assert sorted(own.known_labels) == sorted(some.known_labels[:5])
    assert {each.tobytes() for each in own.images} == {each.tobytes() for each in some.images[:5]}
    listed = client.get("/api/lab/corrections").json()
    assert listed["counts"] == own.counts().tolist()
    assert {base64.b64decode(each["glyph"]) for each in listed["corrections"]} == {
        each.tobytes() for each in own.images
    }


def test_the_same_digit_is_kept_once_and_moves_with_its_label(
    client: TestClient, two: Pixels
) -> None:
    first, again, moved = (taught(client, two, label) for label in (2, 2, 7))
    assert first["id"] == again["id"] == moved["id"]
    assert (again["news"], moved["news"]) == ("kept already as 2", "was kept as 2, now as 7")
    (only,) = client.get("/api/lab/corrections").json()["corrections"]
    assert (only["id"], only["label"]) == (first["id"], 7)


def test_one_digit_under_many_labels_at_a_time_ends_under_one(
    client: TestClient, store: Store, two: Pixels
) -> None:
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda label: taught(client, two, label), range(10)))
    assert len(load(store.corrections)) == 1


def test_what_was_taught_can_be_forgotten(client: TestClient, errs: Errs, some: Dataset) -> None:
    first, second = (taught(client, some.images[place], 3) for place in (0, 1))
    came = client.delete(f"/api/lab/corrections/{first['id']}").json()
    assert came["counts"][3] == 1
    (left,) = client.get("/api/lab/corrections").json()["corrections"]
    assert left["id"] == second["id"]
    said = errs(client.delete(f"/api/lab/corrections/{first['id']}"), 404)
    assert said.startswith("expected a digit that is kept, got ")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["..%2f..%2ftoken", "..", "%2e%2e", "token", "x" * 5000, "%00", "*"]
)
def test_no_name_removes_anything_else(
    client: TestClient, errs: Errs, store: Store, two: Pixels, name: str
) -> None:
    store.token()
    taught(client, two, 2)
    before = sorted(path for path in store.folder.rglob("*") if path.is_file())
    errs(client.delete(f"/api/lab/corrections/{name}"), 404, 405)
    assert sorted(path for path in store.folder.rglob("*") if path.is_file()) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "body", "message"),
    [
        ("label=10", b"\1" * 784, "expected label to be less than or equal to 9, got '10'"),
        ("label=-1", b"\1" * 784, "expected label to be greater than or equal to 0"),
        ("", b"\1" * 784, "expected label in the query, got none"),
        ("label=2", b"\1" * 783, "expected 784 bytes"),
        ("label=2", bytes(784), "expected a digit, got a glyph without ink"),
    ],
)
def test_what_cannot_be_taught_is_refused_and_nothing_kept(
    client: TestClient, errs: Errs, store: Store, query: str, body: bytes, message: str
) -> None:
    assert message in errs(client.post(f"/api/lab/corrections?{query}", content=body), 422)
    assert not store.corrections.exists()


@pytest.mark.slow
def test_what_others_put_there_does_no_harm(client: TestClient, store: Store, two: Pixels) -> None:
    taught(client, two, 2)
    (store.corrections / "2" / "broken.png").write_bytes(b"\x89PNG")
    (store.corrections / "2" / ".hidden.png").write_bytes(b"")
    (store.corrections / "notes").mkdir()
    assert len(client.get("/api/lab/corrections").json()["corrections"]) == 1


def test_a_disk_without_room_is_told_and_later_it_may_work(
    client: TestClient, errs: Errs, store: Store, two: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    answer = client.put("/api/lab/state", json={"a": 1})
    assert "No space left on device" in errs(answer, 503)
    assert answer.headers["retry-after"] == "1"
    monkeypatch.undo()
    client.put("/api/lab/state", json={"a": 1})
    assert store.state() == {"a": 1}
