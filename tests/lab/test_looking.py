"""The Look view's answers are those of Python's own functions, found once, and always JSON."""

from __future__ import annotations

import base64
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError, FileError, InkdigitsError
from inkdigits.inspection import activations, exciting, imagined_digits, nearest, unit_arithmetic
from inkdigits.lab import findings as findings_module
from inkdigits.lab.findings import Findings, Kept
from inkdigits.lab.routes.looking import looking_router
from inkdigits.model import Card, Model
from inkdigits.network import Conv2d, Dense, Flatten, Network, Rescale
from inkdigits.parallel import blas_on_one_thread
from inkdigits.sources import load

with warnings.catch_warnings():  # of another client that one may install
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

CARD = Card(recipe="none", settings={}, seed=1, epochs=1, data="none", version="1", seconds=0.0)


class Models:
    """A shelf of what it is given."""

    def __init__(self, **models: Model) -> None:
        self.models = models

    def model(self, name: str) -> Model:
        if name not in self.models:
            raise FileError(f"expected the name of a model, got {name!r}: choose another")
        return self.models[name]


def small(layers: list[Any], seed: int = 1) -> Model:
    network = Network(layers)
    network.initialise(np.random.default_rng(seed))
    return Model(network, CARD)


def huge() -> Model:
    """A model whose numbers leave all bounds."""
    model = small([Rescale(1.0), Flatten(), Dense(784, 20), Dense(20, 11)])
    model.network.parameters[:] = 3e38
    model.network.parameters[:5] = -3e38
    return model


@pytest.fixture(scope="module")
def shelf(reader: Model, blink: Model, classic: Model) -> Models:
    wide = small([Rescale(1 / 255), Conv2d(1, 2, 5), Flatten(), Dense(1152, 10)])
    return Models(reader=reader, blink=blink, classic=classic, wide=wide, huge=huge())


@pytest.fixture(scope="module")
def client(shelf: Models) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(looking_router(shelf))

    @app.exception_handler(InkdigitsError)
    def refused(request: Request, error: InkdigitsError) -> JSONResponse:
        status = 404 if isinstance(error, FileError) else 422
        return JSONResponse({"error": str(error)}, status)

    with blas_on_one_thread(), TestClient(app) as client:  # held all the while, as by the lab
        yield client


def close_to(values: np.ndarray[Any, Any]) -> Any:
    """Equal but for rounding: the server's threads may add up in another order than this one."""
    return pytest.approx(values, rel=1e-4, abs=1e-5 * float(np.abs(values).max()))


def floats(text: str) -> np.ndarray[Any, Any]:
    return np.frombuffer(base64.b64decode(text), "<f4")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["reader", "blink", "classic", "wide"])
def test_activations_are_those_of_every_layer(
    client: TestClient, shelf: Models, validation: Dataset, name: str
) -> None:
    glyph, model = validation.images[3], shelf.models[name]
    answer = client.post(f"/api/lab/look/activations?model={name}", content=glyph.tobytes())
    assert answer.status_code == 200
    said = answer.json()
    expected = activations(model.network, glyph)
    assert len(said["layers"]) == len(expected)
    for layer, activation in zip(said["layers"], expected, strict=True):
        assert layer["position"] == activation.position
        assert layer["kind"] == activation.kind
        assert layer["code"] == activation.code
        assert tuple(layer["shape"]) == activation.values.shape
        values = floats(layer["values"]).reshape(layer["shape"])
        assert values == close_to(activation.values)
        assert layer["low"] == values.min()
        assert layer["high"] == values.max()
    answers = model.answer(glyph[np.newaxis])
    assert said["probabilities"] == pytest.approx(answers.probabilities[0].tolist(), abs=1e-5)
    if name == "reader":
        assert answers.not_a_digit is not None
        assert said["not_a_digit"] == pytest.approx(answers.not_a_digit[0], abs=1e-5)
    else:
        assert said["not_a_digit"] is None


@pytest.mark.parametrize(
    "place",
    ["layer=1&unit=5&row=0&column=23", "layer=2&unit=31&row=11&column=3", "layer=16&unit=10"],
)
def test_a_unit_is_shown_cell_by_cell(
    client: TestClient, reader: Model, validation: Dataset, place: str
) -> None:
    glyph = validation.images[3]
    said = client.post(f"/api/lab/look/unit?{place}", content=glyph.tobytes()).json()
    numbers = {key: int(value) for key, value in (each.split("=") for each in place.split("&"))}
    about = unit_arithmetic(reader.network, glyph, **numbers)
    for name in ("kind", "code", "formula", "note", "bias", "chosen", "numbers"):
        assert said[name] == getattr(about, name), name
    for name in ("sum", "value"):
        assert said[name] == pytest.approx(getattr(about, name), rel=1e-4), name
    assert said["origin"] == list(about.origin)
    assert tuple(said["patch"]["shape"]) == about.patch.shape
    assert floats(said["patch"]["values"]) == close_to(about.patch.ravel())
    if about.weights is None:
        assert said["weights"] is None
    else:
        assert tuple(said["weights"]["shape"]) == about.weights.shape
        assert floats(said["weights"]["values"]).tolist() == about.weights.ravel().tolist()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layer", "unit"),
    [("reader", 8, 3), ("reader", 15, 100), ("wide", 2, 700), ("blink", 0, 0)],
)
def test_what_excites_a_unit_is_found_among_all_validation_digits(
    client: TestClient, shelf: Models, validation: Dataset, name: str, layer: int, unit: int
) -> None:
    query = f"model={name}&layer={layer}&unit={unit}&count=5"
    said = client.get(f"/api/lab/look/exciting?{query}").json()
    expected = exciting(shelf.models[name].network, validation.images, layer, unit, 5)
    assert said["data"] == "mnist:validation"
    assert said["among"] == 10_000
    assert said["indices"] == expected.indices.tolist()
    assert said["values"] == close_to(expected.values)
    assert said["places"] == (None if expected.places is None else expected.places.tolist())


def test_backquery_gives_ten_pictures(client: TestClient, blink: Model) -> None:
    said = client.get("/api/lab/look/backquery?model=blink").json()
    assert base64.b64decode(said["digits"]) == imagined_digits(blink.network).tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["reader", "blink"])
def test_confusion_and_its_cells_are_the_models_own_answers(
    client: TestClient, shelf: Models, validation: Dataset, name: str
) -> None:
    said = client.get(f"/api/lab/look/confusion?model={name}").json()
    answers = shelf.models[name].answer(validation.images)
    labels = validation.known_labels
    counts = np.array(said["counts"])
    assert counts.shape == (10, 10)
    assert counts.sum() == said["total"] == 10_000
    assert counts.sum(axis=1).tolist() == validation.counts().tolist()
    assert said["correct"] == np.trace(counts) == (answers.digits == labels).sum()
    assert said["accuracy"] == said["correct"] / 10_000
    for label, answer in [(4, 9), (9, 4), (7, 7), (0, 1)]:
        where = f"model={name}&label={label}&answer={answer}"
        cell = client.get(f"/api/lab/look/confusion/cell?{where}").json()
        assert len(cell["indices"]) == len(cell["confidence"]) == counts[label, answer]
        assert all(labels[i] == label for i in cell["indices"])
        assert all(answers.digits[i] == answer for i in cell["indices"])
        assert cell["confidence"] == sorted(cell["confidence"], reverse=True)
        confidence = answers.confidence[cell["indices"]]
        assert cell["confidence"] == pytest.approx(confidence.tolist(), abs=1e-4)


def test_images_come_in_the_order_asked_for(client: TestClient, validation: Dataset) -> None:
    answer = client.get("/api/lab/images?data=mnist:validation&indices=9999,0,7,0")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "private, max-age=86400"
    assert answer.content == validation.images[[9999, 0, 7, 0]].tobytes()
    many = ",".join(str(index) for index in range(49_500, 50_000))
    answer = client.get(f"/api/lab/images?data=mnist:train50&indices={many}")
    assert answer.content == load("mnist:train50").images[49_500:].tobytes()


# What is not there


@pytest.mark.parametrize("size", [0, 10, 783, 785])
@pytest.mark.parametrize("kind", ["application/octet-stream", "application/json", "image/png"])
def test_a_body_that_is_no_glyph_is_refused_whatever_it_claims(
    client: TestClient, size: int, kind: str
) -> None:
    for path in ("activations?model=blink", "unit?model=blink&layer=0&unit=0&row=0&column=0"):
        answer = client.post(
            f"/api/lab/look/{path}", content=b"7" * size, headers={"content-type": kind}
        )
        assert answer.status_code == 422
        assert answer.json()["error"].startswith(
            f"expected 784 bytes, a glyph of 28 × 28, got {size}: send a byte for each pixel"
        )


def test_a_glyph_is_read_whatever_type_it_claims(client: TestClient) -> None:
    for headers in ({}, {"content-type": "application/json"}, {"content-type": "text/plain"}):
        answer = client.post(
            "/api/lab/look/activations?model=blink", content=bytes(784), headers=headers
        )
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("unit?layer=17&unit=0", "expected a layer from 0 to 16, got 17"),
        ("unit?layer=16&unit=11", "expected a unit from 0 to 10, got 11"),
        ("unit?layer=1&unit=0", "expected a row from 0 to 23 and a column from 0 to 23"),
        ("unit?layer=1&unit=0&row=24&column=0", "expected a row from 0 to 23, got 24"),
        ("unit?layer=16&unit=0&row=0&column=0", "expected no row and column in layer 16"),
        (f"unit?layer={10**30}&unit=0", "expected a layer from 0 to 16"),
        ("exciting?layer=17&unit=0", "expected a layer from 0 to 16, got 17"),
        ("exciting?layer=1&unit=32", "expected a unit from 0 to 31, got 32"),
    ],
)
def test_a_place_that_is_not_there_is_refused(client: TestClient, path: str, message: str) -> None:
    url = f"/api/lab/look/{path}"
    answer = client.post(url, content=bytes(784)) if path.startswith("unit") else client.get(url)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(message)


@pytest.mark.parametrize(
    "path",
    [
        "look/exciting?layer=1&unit=0&count=0",
        "look/exciting?layer=1&unit=0&count=101",
        "look/exciting?layer=-1&unit=0",
        "look/exciting?layer=1",
        "look/exciting?layer=x&unit=0",
        "look/confusion/cell?label=10&answer=0",
        "look/confusion/cell?label=0&answer=-1",
        "look/confusion/cell?label=0",
        "images?data=mnist&indices=1",
        "images?data=/etc/passwd&indices=1",
        "images?data=mnist:test",
        "images?data=mnist:test&indices=",
        "images?data=mnist:test&indices=1,,2",
        "images?data=mnist:test&indices=10000",
        "images?data=mnist:test&indices=-1",
        "images?data=mnist:test&indices=1.5",
        "images?data=mnist:test&indices=²",
        "images?data=mnist:test&indices=" + "9" * 5000,
        "images?data=mnist:test&indices=" + ",".join("1" * 501),
    ],
)
def test_questions_that_make_no_sense_are_refused(client: TestClient, path: str) -> None:
    assert client.get(f"/api/lab/{path}").status_code == 422


@pytest.mark.parametrize(
    "path", ["look/backquery", "look/confusion", "look/exciting?layer=0&unit=0"]
)
def test_a_model_that_is_not_there_is_not_found(client: TestClient, path: str) -> None:
    answer = client.get(f"/api/lab/{path}", params={"model": "nobody", "layer": 0, "unit": 0})
    assert answer.status_code == 404
    assert "nobody" in answer.json()["error"]


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_numbers_beyond_all_bounds_are_still_json(client: TestClient) -> None:
    glyph = np.full(784, 255, np.uint8).tobytes()
    said = client.post("/api/lab/look/activations?model=huge", content=glyph).json()
    for layer in said["layers"]:
        assert np.isfinite(floats(layer["values"])).all()
    said = client.post("/api/lab/look/unit?model=huge&layer=3&unit=1", content=glyph).json()
    assert np.isfinite([said["sum"], said["value"], *floats(said["patch"]["values"])]).all()
    for path in ("exciting?layer=3&unit=1&", "confusion?", "confusion/cell?label=1&answer=0&"):
        assert client.get(f"/api/lab/look/{path}model=huge").status_code == 200


# Found once


def test_the_nearest_digits_are_found_among_the_training_digits(
    shelf: Models, validation: Dataset
) -> None:
    found = Findings(shelf)
    learned = load("mnist:train50")
    for name in ("blink", "classic"):
        glyph = validation.images[8]
        came = found.nearest(name, glyph, 5)
        expected = nearest(shelf.models[name].network, glyph, learned, count=5, every=5)
        assert came.among == 10_000
        assert came.indices.tolist() == expected.indices.tolist()
        assert np.array_equal(came.labels, learned.known_labels[came.indices])


def test_of_a_network_with_many_features_fewer_digits_are_compared(
    shelf: Models, validation: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings_module, "COMPARED_BYTES", 1152 * 4 * 100)
    assert Findings(shelf).nearest("wide", validation.images[8], 5).among == 100


def test_what_takes_long_is_found_once_for_each_model(
    blink: Model, classic: Model, validation: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def counted(name: str) -> None:
        plain: Callable[..., Any] = getattr(findings_module, name)

        def counting(*arguments: Any, **options: Any) -> Any:
            calls.append(name)
            return plain(*arguments, **options)

        monkeypatch.setattr(findings_module, name, counting)

    for name in ("imagined_digits", "Neighbourhood", "excitement", "load"):
        counted(name)
    found = Findings(Models(blink=blink, other=classic))
    glyph = validation.images[0]

    def ask(name: str) -> None:
        found.imagined(name)
        found.nearest(name, glyph, 3)
        found.exciting(name, 3, 7, 3)

    ask("blink")
    found.exciting("blink", 3, 8, 3)  # another unit of the same layer
    once = ["imagined_digits", "Neighbourhood", "load", "load", "excitement"]
    assert sorted(calls) == sorted(once)
    ask("blink")
    assert len(calls) == len(once)
    ask("other")
    assert calls[len(once) :] == ["imagined_digits", "Neighbourhood", "excitement"]


def test_a_model_that_learned_more_is_asked_anew(validation: Dataset) -> None:
    shelf = Models(run=small([Flatten(), Dense(784, 10)]))
    found = Findings(shelf)
    before = found.answers("run").digits
    shelf.models["run"] = small([Flatten(), Dense(784, 10)], seed=2)
    after = found.answers("run").digits
    assert not np.array_equal(before, after)
    assert after.tolist() == shelf.models["run"].answer(validation.images).digits.tolist()


def test_two_that_ask_at_a_time_wait_for_one() -> None:
    kept: Kept[int] = Kept(4)
    begun, go_on = threading.Event(), threading.Event()
    found: list[int] = []

    def find() -> int:
        found.append(1)
        begun.set()
        assert go_on.wait(10)
        return 7

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(kept.get, "a", find)
        assert begun.wait(10)
        others = [pool.submit(kept.get, "a", find) for _ in range(2)]
        assert kept.get("b", lambda: 8) == 8  # nobody waits for what others ask
        go_on.set()
        assert [each.result(10) for each in (first, *others)] == [7, 7, 7]
    assert found == [1]


def test_the_one_asked_for_longest_ago_is_let_go() -> None:
    kept: Kept[str] = Kept(2)
    found: list[str] = []

    def ask(key: str) -> None:
        assert kept.get(key, lambda: found.append(key) or key) == key

    for key in ("a", "b", "a", "c", "a", "b"):
        ask(key)
    assert found == ["a", "b", "c", "b"]


def test_an_error_is_raised_and_not_kept() -> None:
    kept: Kept[int] = Kept(2)

    def fails() -> int:
        raise DataError("not now")

    for _ in range(2):
        with pytest.raises(DataError, match="not now"):
            kept.get("a", fails)
    assert kept.get("a", lambda: 3) == 3
