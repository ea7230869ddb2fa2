"""The model file: what was saved comes back to the bit, and nothing else is believed."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inkdigits.dataset import Dataset
from inkdigits.errors import FileError, InkdigitsError, ModelError
from inkdigits.formats import is_model, load_model, model_file, save_model, shipped_models
from inkdigits.formats.container import METADATA
from inkdigits.formats.model_file import FORMAT, LAYERS
from inkdigits.model import Card, Model
from inkdigits.network import (
    AveragePool2d,
    BatchNorm,
    Conv2d,
    Dense,
    Downsample,
    Dropout,
    Flatten,
    GlobalAveragePool,
    LeakyReLU,
    MaxPool2d,
    MeanOfCopies,
    Network,
    ReLU,
    Rescale,
    ShiftedCopies,
    Sigmoid,
    Tanh,
)

Data = dict[str, Any]
Refusal = Callable[[Path], str]

CARD = Card(
    recipe="by hand",
    settings={"rate": 0.1, "words": ["ä", "\n", "🖋"]},
    seed=2**32 - 1,
    epochs=2,
    data="0" * 64,
    version="0.1.0",
    seconds=1.25,
    history=[{"epoch": 1, "loss": 0.5, "seconds": 1}, {"epoch": 2, "loss": 1e-30, "seconds": 1.0}],
    scores={"validation": {"correct": 1, "total": 3, "accuracy": 1 / 3}},
    started_from="f" * 64,
)


def small_model(dtype: str = "float32", **changes: Any) -> Model:
    """A network of 55 parameters: the picture as 2 × 2 sums, three units, ten answers."""
    layers = (
        Downsample(14),
        Rescale(1 / 255, 0.01, dtype=dtype),
        Flatten(),
        Dense(4, 3),
        ReLU(),
        Dense(3, 10),
    )
    network = Network(layers, dtype=dtype)
    network.initialise(np.random.default_rng(1))
    return Model(network, replace(CARD, **changes))


def every_layer() -> Model:
    """A model with each kind of layer that a file may hold, none with its default arguments."""
    layers = (
        ShiftedCopies(9),
        Downsample(2),
        Rescale(0.01, -0.3),
        Conv2d(1, 4, 3, padding="same"),
        MaxPool2d(3),
        BatchNorm(4, scale=False, epsilon=1e-3),
        Conv2d(4, 8, 2, stride=2, bias=False),
        BatchNorm(8),
        AveragePool2d(1),
        GlobalAveragePool(),
        Flatten(),
        Dense(8, 8),
        Sigmoid(),
        Dropout(0.25),
        Dense(8, 7, bias=False),
        Tanh(),
        Dense(7, 6),
        LeakyReLU(0.2),
        ReLU(),
        Dense(6, 10),
        MeanOfCopies(9),
    )
    assert {type(layer) for layer in layers} == set(LAYERS.values())
    network = Network(layers)
    rng = np.random.default_rng(2)
    network.initialise(rng)
    network.state[:] = rng.uniform(0.5, 2, network.state.shape)  # as after some training
    return Model(network, CARD)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The small model's file."""
    path = tmp_path / "small.safetensors"
    save_model(small_model(), path)
    return path


@pytest.fixture
def refusal() -> Refusal:
    """Loads what must be refused; the message: one line, at most 500 letters, within 50 MB."""

    def refused(path: Path) -> str:
        tracemalloc.start()
        with pytest.raises(ModelError) as caught:
            load_model(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 50e6
        message = str(caught.value)
        assert message.startswith(str(path))
        assert "\n" not in message
        assert len(message) < len(str(path)) + 500
        return message.removeprefix(str(path))

    return refused


def taken_apart(path: Path) -> tuple[Data, bytes]:
    """The header and the bytes behind it."""
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]), content[end:]


def put_together(header: Any, body: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


# What comes back


@pytest.mark.parametrize(
    "model",
    [small_model(), small_model("float64"), small_model(started_from=None), every_layer()],
    ids=["float32", "float64", "no start", "every layer"],
)
def test_what_was_saved_comes_back_to_the_bit(model: Model, some: Dataset, tmp_path: Path) -> None:
    save_model(model, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.card == model.card
    assert loaded.network.layers == model.network.layers
    assert loaded.network.dtype == model.network.dtype
    assert loaded.network.parameters.tobytes() == model.network.parameters.tobytes()
    assert loaded.network.state.tobytes() == model.network.state.tobytes()
    assert loaded.fingerprint == model.fingerprint
    assert np.array_equal(
        loaded.predict_probabilities(some.images), model.predict_probabilities(some.images)
    )


@pytest.mark.parametrize("name", ["blink", "classic"])
def test_a_trained_model_comes_back_with_its_card(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    model: Model = request.getfixturevalue(name)
    scored = model.with_scores(test={"accuracy": 0.5})
    save_model(scored, tmp_path / "model")
    loaded = load_model(str(tmp_path / "model"))
    assert loaded.fingerprint == model.fingerprint
    assert loaded.card == scored.card
    assert loaded.card.recipe == name


def test_any_reader_of_safetensors_finds_the_weights_by_layer_and_name(saved: Path) -> None:
    weights = safetensors.numpy.load_file(saved)
    views = small_model().network.views(small_model().network.parameters)
    assert sorted(weights) == ["3.bias", "3.weight", "5.bias", "5.weight"]
    assert weights["3.weight"].shape == (3, 4)
    for name, array in weights.items():
        layer, own = name.split(".")
        assert np.array_equal(array, views[int(layer)][own])
    with safetensors.safe_open(saved, framework="numpy") as file:
        assert json.loads(file.metadata()[METADATA])["format"] == FORMAT


def test_a_card_from_before_there_were_changes_has_none(saved: Path) -> None:
    whole = load_model(saved).card
    rewritten(saved, "card", without("changes"))
    assert load_model(saved).card == whole
    assert whole.changes == []


def test_the_same_model_makes_the_same_bytes(tmp_path: Path) -> None:
    contents = set()
    for number in range(5):
        save_model(small_model(), tmp_path / f"{number}.safetensors")
        contents.add((tmp_path / f"{number}.safetensors").read_bytes())
    assert len(contents) == 1


# What is refused: the file as a whole


@pytest.mark.slow
def test_a_file_cut_at_any_byte_is_refused(saved: Path, refusal: Refusal) -> None:
    content = saved.read_bytes()
    for length in range(len(content)):
        saved.write_bytes(content[:length])
        assert "expected" in refusal(saved)


@pytest.mark.parametrize("extra", [b"\0", b"\0" * 1000])
def test_bytes_behind_the_weights_are_refused(saved: Path, refusal: Refusal, extra: bytes) -> None:
    saved.write_bytes(saved.read_bytes() + extra)
    assert "is damaged: expected a whole safetensors file" in refusal(saved)


@pytest.mark.parametrize("length", [0, 1, 1 << 20, 1 << 31, 2**63, 2**64 - 1])
def test_a_header_that_lies_about_its_length_is_refused(
    saved: Path, refusal: Refusal, length: int
) -> None:
    content = saved.read_bytes()
    saved.write_bytes(length.to_bytes(8, "little") + content[8:])
    assert f"bytes, its first bytes say {length}" in refusal(saved)


class Harmful:
    """A pickle that would say so if it were loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.abort, ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\3\4 and more",
        b"5,0,0,0\n" * 100,
        pickle.dumps({"weight": Harmful(), "more": bytes(1000)}),
        (9).to_bytes(8, "little") + b"\x80\x04not js" * 4,
        put_together(b'{"3.weight": ', b""),
        put_together(b"[" * 100_000, b""),
        put_together(b'"\xff\xfe"', b""),
        put_together([1, 2], b""),
        put_together(None, b""),
    ],
    ids=["empty", "zip", "csv", "pickle", "bytes", "half", "deep", "not UTF-8", "list", "null"],
)
def test_what_is_no_safetensors_file_is_no_model(
    content: bytes, tmp_path: Path, refusal: Refusal
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    assert refusal(path).startswith(" is no model: expected a")
    assert not is_model(path)


@pytest.mark.parametrize(
    ("metadata", "came"),
    [
        (None, "None"),
        ({"format": "pt"}, "None"),
        ({METADATA: '{"format": "inkdigits model 2"}'}, "model 2'"),
    ],
)
def test_a_safetensors_file_of_another_kind_is_told_from_ours(
    metadata: dict[str, str] | None, came: str, tmp_path: Path, refusal: Refusal
) -> None:
    path = tmp_path / "model.safetensors"
    safetensors.numpy.save_file({"weight": np.zeros((3, 4), np.float32)}, path, metadata)
    message = refusal(path)
    assert f"no model of inkdigits: expected the format {FORMAT!r}" in message
    assert message.endswith(f"{came}")
    assert not is_model(path)


# What is refused: architecture and card


def with_layer(position: int, name: Any, arguments: Any) -> Callable[[Data], None]:
    def change(architecture: Data) -> None:
        architecture["layers"][position] = [name, arguments]

    return change


def with_value(key: str, value: Any) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        data[key] = value

    return change


def calibrated_by(**calibration: Any) -> Callable[[Data], None]:
    return with_value("calibration", {"temperature": 1.0, "threshold": 0.5} | calibration)


def without(key: str) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        del data[key]

    return change


BILLION = 10**9
CONV = {"inputs": 1, "outputs": 3, "kernel": 2, "stride": 1, "padding": "valid", "bias": True}
NO_CONV: list[tuple[Data, str]] = [
    ({"inputs": 3}, "expected pictures (3, height, width), got shape (2, 2): make it Conv2d(1, …)"),
    ({"kernel": 0}, "expected Conv2d(kernel) of 1 to 67,108,864, got 0"),
    ({"kernel": -3}, "expected Conv2d(kernel) of 1 to 67,108,864, got -3"),
    ({"kernel": "3"}, "expected Conv2d(kernel) as int, got '3'"),
    ({"kernel": 3}, "expected pictures of 3 × 3 pixels or more, got shape (2, 2)"),
    ({"kernel": 10**7}, "got 300,000,000,000,058"),
    ({"kernel": 10**7, "padding": "same"}, "got 300,000,000,000,058"),
    ({"outputs": 10**7}, "got 50,000,055"),
    ({"stride": 0}, "expected Conv2d(stride) of 1 to 67,108,864, got 0"),
    ({"stride": BILLION}, "expected Conv2d(stride) of 1 to 67,108,864, got 1000000000"),
    ({"padding": "x"}, 'expected padding "valid" or "same", got \'x\''),
    ({"padding": "x" * 9999}, 'expected padding "valid" or "same", got \'xxx'),
    ({"padding": 1}, "expected Conv2d(padding) as str, got 1"),
    ({"bias": "yes"}, "expected Conv2d(bias) as bool, got 'yes'"),
]
NORM = {"features": 4, "scale": True, "epsilon": 1e-5}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_layer(4, "Softmax", {}), "got 'Softmax': the model may be from a later version"),
        (with_layer(4, "os.system", {}), "expected layers of AveragePool2d, BatchNorm, Conv2d, De"),
        (with_layer(4, "x" * 9999, {}), "expected layers of Av"),
        (with_layer(4, ["ReLU"], {}), "has a damaged card"),
        (with_layer(4, "ReLU", {"slope": 1}), "has a damaged card"),
        (with_layer(4, "ReLU", []), "has a damaged card"),
        (with_layer(4, "LeakyReLU", {"slope": "steep"}), "LeakyReLU(slope) as float, got 'steep'"),
        (with_layer(4, "LeakyReLU", {"slope": 10**400}), "LeakyReLU(slope) as float, got 1000"),
        (with_layer(4, "LeakyReLU", {}), "expected LeakyReLU(slope) as float, got None"),
        (with_layer(4, "Dropout", {"drop_probability": 1.5}), "expected 0 ≤ drop_probability < 1"),
        (
            with_layer(1, "Rescale", {"scale": 1, "offset": 0, "dtype": "object"}),
            "expected Rescale(dtype) as float32 or float64, got 'object'",
        ),
        (with_layer(0, "Downsample", {"factor": 3}), "a factor of 2 or more that divides"),
        (with_layer(0, "Downsample", {"factor": 0}), "Downsample(factor) of 1 to 67,108,864"),
        (
            with_layer(3, "Dense", {"inputs": 4.0, "outputs": 3, "bias": True}),
            "expected Dense(inputs) as int, got 4.0",
        ),
        (
            with_layer(3, "Dense", {"inputs": True, "outputs": 3, "bias": True}),
            "expected Dense(inputs) as int, got True",
        ),
        (
            with_layer(3, "Dense", {"inputs": 4, "outputs": 3, "bias": 1}),
            "expected Dense(bias) as bool, got 1",
        ),
        (
            with_layer(3, "Dense", {"inputs": 4, "outputs": -3, "bias": True}),
            "expected Dense(outputs) of 1 to 67,108,864, got -3",
        ),
        (
            with_layer(3, "Dense", {"inputs": BILLION, "outputs": BILLION, "bias": True}),
            "expected Dense(inputs) of 1 to 67,108,864, got 1000000000",
        ),
        (
            with_layer(3, "Dense", {"inputs": 8000, "outputs": 8000, "bias": True}),
            "got 64,008,040",
        ),
        (
            with_layer(3, "Dense", {"inputs": 10**7, "outputs": 10**7, "bias": True}),
            "got 100,000,010,000,040",
        ),
        (
            with_layer(3, "Dense", {"inputs": 5, "outputs": 3, "bias": True}),
            "expected columns of 5 features, got shape (4,)",
        ),
        (
            with_layer(5, "Dense", {"inputs": 3, "outputs": 9, "bias": True}),
            "or 11 with one for no digit, got 9",
        ),
        *((with_layer(2, "Conv2d", CONV | change), message) for change, message in NO_CONV),
        (with_layer(2, "Conv2d", {"inputs": 1, "outputs": 3, "kernel": 3}), "Conv2d(stride) as i"),
        (with_layer(2, "MaxPool2d", {"size": 0}), "MaxPool2d(size) of 1 to 67,108,864, got 0"),
        (with_layer(2, "MaxPool2d", {"size": 3}), "expected pictures of 3 × 3 pixels or more"),
        (with_layer(2, "AveragePool2d", {"size": BILLION}), "AveragePool2d(size) of 1 to 67,108"),
        (with_layer(2, "AveragePool2d", {"size": [2]}), "AveragePool2d(size) as int, got [2]"),
        (with_layer(3, "BatchNorm", NORM | {"features": 10**7}), "expected at most"),
        (with_layer(3, "BatchNorm", NORM | {"features": 5}), "got shape (4,): make it BatchNorm(4"),
        (
            with_layer(3, "BatchNorm", NORM | {"epsilon": -1.0}),
            "an epsilon of more than 0, got -1.0",
        ),
        (with_layer(3, "BatchNorm", NORM | {"epsilon": 0}), "an epsilon of more than 0, got 0"),
        (with_layer(3, "BatchNorm", NORM | {"scale": "no"}), "BatchNorm(scale) as bool, got 'no'"),
        (with_layer(4, "GlobalAveragePool", {}), "expected pictures (channels, height, width)"),
        (with_layer(4, "GlobalAveragePool", {"size": 2}), "has a damaged card"),
        (
            with_layer(0, "ShiftedCopies", {"copies": 7}),
            "expected 5 or 9 copies, got ShiftedCopies",
        ),
        (with_layer(0, "ShiftedCopies", {"copies": 10**6}), "expected 5 or 9 copies"),
        (with_layer(4, "MeanOfCopies", {"copies": 7}), "expected ShiftedCopies(n) as the first"),
        (with_value("layers", []), "expected the last layer to give one logit an answer"),
        (with_value("layers", {"Dense": 1}), "has a damaged card"),
        (with_value("layers", 5), "has a damaged card"),
        (with_value("input_shape", [28, 28, 1]), "expected input_shape [28, 28] and dtype"),
        (with_value("input_shape", [BILLION, BILLION]), "expected input_shape [28, 28] and dtype"),
        (with_value("dtype", "float16"), "float32 or float64, got [28, 28] and 'float16'"),
        (with_value("dtype", "a\nb"), r"float32 or float64, got [28, 28] and 'a\nb'"),
        (with_value("dtype", "float64"), "expected 3.weight as float64 [3, 4], got 'F32' [3, 4]"),
        (without("layers"), "has a damaged card"),
        (without("dtype"), "has a damaged card"),
    ],
)
def test_an_architecture_that_cannot_be_is_refused(
    saved: Path, refusal: Refusal, change: Callable[[Data], None], message: str
) -> None:
    assert message in refusal(rewritten(saved, "architecture", change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("seed"), "expected a card with recipe, settings, seed"),
        (with_value("more", 1), "expected a card with recipe, settings, seed"),
        (with_value("seed", "1"), "expected seed on the card as"),
        (with_value("epochs", 1.5), "expected epochs on the card as"),
        (with_value("seconds", "fast"), "expected seconds on the card as"),
        (with_value("recipe", ["x" * 9999]), "expected recipe on the card as"),
        (with_value("settings", []), "expected settings on the card as"),
        (with_value("scores", 1), "expected scores on the card as"),
        (with_value("started_from", 1), "expected started_from on the card as"),
        (with_value("history", {}), "expected history on the card as"),
        (with_value("changes", {}), "expected changes on the card as"),
        (with_value("changes", [1]), "expected step, epoch and done in each of the card's changes"),
        (with_value("changes", [{"step": 1, "epoch": 1}]), "expected step, epoch and done in each"),
        (
            with_value("changes", [{"step": 1, "epoch": 1, "done": -1, "rate": 0.1}]),
            "expected step, epoch and done in each",
        ),
        (with_value("history", [[1, 0.5]]), "expected epoch and loss in the card's history"),
        (with_value("history", [{"epoch": 1}]), "expected epoch and loss in the card's history"),
        (
            with_value("history", [{"epoch": 1, "loss": "low"}]),
            "expected numbers in the card's history, got {'epoch': 1, 'loss': 'low'}",
        ),
        (with_value("seconds", float("nan")), "NaN is no finite number"),
        (with_value("settings", {"rate": float("-inf")}), "-Infinity is no finite number"),
        (calibrated_by(temperature=True), "expected temperature of 0.01 to 100.0"),
        (calibrated_by(threshold=False), "expected threshold of 0.0 to 1.0"),
        (calibrated_by(curve=7), "in each row of the calibration's curve, got 7"),
        (calibrated_by(curve=[0.5, 0.9, 0.1]), "the calibration's curve, got 0.5"),
        (calibrated_by(curve=[[0.5, 0.1]]), "the calibration's curve, got [0.5, 0.1]"),
        (calibrated_by(curve=[[0.5, 0.9, 1.5]]), "the calibration's curve, got [0.5, 0.9, 1.5]"),
        (calibrated_by(curve=[[0.5, 0.9, True]]), "the calibration's curve, got [0.5, 0.9, True]"),
    ],
)
def test_a_card_that_cannot_be_is_refused(
    saved: Path, refusal: Refusal, change: Callable[[Data], None], message: str
) -> None:
    assert message in refusal(rewritten(saved, "card", change))


def rewritten(path: Path, key: str, change: Callable[[Data], None]) -> Path:
    """The file with one part of its metadata changed."""
    header, body = taken_apart(path)
    about = json.loads(header["__metadata__"][METADATA])
    change(about[key])
    header["__metadata__"][METADATA] = json.dumps(about)
    path.write_bytes(put_together(header, body))
    return path


@pytest.mark.parametrize("key", ["architecture", "card"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "JSONDecodeError"),
        ("{", "JSONDecodeError"),
        ("[" * 100_000, "RecursionError"),
        ("null", "expected"),
        ("[]", "expected"),
        ('{"layers": [["LeakyReLU", {"slope": 1e999}]]}', "1e999 is no finite number"),
        ('{"seconds": NaN}', "NaN is no finite number"),
        (f'{{"seed": {"9" * 5000}}}', "ValueError"),
    ],
)
def test_metadata_that_is_not_json_of_ours_is_refused(
    saved: Path, refusal: Refusal, key: str, text: str, message: str
) -> None:
    header, body = taken_apart(saved)
    about = json.loads(header["__metadata__"][METADATA])
    del about[key]
    header["__metadata__"][METADATA] = json.dumps(about)[:-1] + f', "{key}": {text}}}'
    saved.write_bytes(put_together(header, body))
    assert message in refusal(saved)


@pytest.mark.parametrize("key", ["architecture", "card"])
def test_a_model_without_its_architecture_or_card_is_refused(
    saved: Path, refusal: Refusal, key: str
) -> None:
    header, body = taken_apart(saved)
    about = json.loads(header["__metadata__"][METADATA])
    del about[key]
    header["__metadata__"][METADATA] = json.dumps(about)
    saved.write_bytes(put_together(header, body))
    assert "expected an architecture and a card, got KeyError" in refusal(saved)


# What is refused: the weights


def with_record(name: str, **changes: Any) -> Callable[[Data], None]:
    def change(header: Data) -> None:
        header[name] = {**header.get(name, {}), **changes}

    return change


NO_FIT = "does not fit its card: expected "
DAMAGED = "is damaged: expected a whole safetensors file"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("3.bias"), "a file without ['3.bias'] and with []"),
        (
            with_record("6.weight", dtype="F32", shape=[0], data_offsets=[0, 0]),
            NO_FIT + "the weights of its layers, got a file without [] and with ['6.weight']",
        ),
        (with_value("3.bias", [1]), NO_FIT + "3.bias as float32 [3], got None None"),
        (with_record("3.weight", shape=[4, 3]), "3.weight as float32 [3, 4], got 'F32' [4, 3]"),
        (with_record("3.weight", shape=[12]), "3.weight as float32 [3, 4], got 'F32' [12]"),
        (with_record("3.weight", dtype="I32"), "3.weight as float32 [3, 4], got 'I32' [3, 4]"),
        (with_record("3.weight", dtype="BF16"), "3.weight as float32 [3, 4], got 'BF16' [3, 4]"),
        (with_record("3.weight", dtype="F\n"), r"3.weight as float32 [3, 4], got 'F\n' [3, 4]"),
        (with_record("3.weight", data_offsets=[0, 48]), DAMAGED),
        (with_record("3.weight", data_offsets=[12, 2**63]), DAMAGED),
        (with_record("3.weight", data_offsets=[-12, 36]), DAMAGED),
        (with_record("3.weight", data_offsets=[60, 12]), DAMAGED),
        (with_record("3.weight", data_offsets=[12]), DAMAGED),
        (with_record("3.weight", data_offsets="all"), DAMAGED),
    ],
)
def test_weights_that_do_not_fit_the_card_or_the_file_are_refused(
    saved: Path, refusal: Refusal, change: Callable[[Data], None], message: str
) -> None:
    header, body = taken_apart(saved)
    assert header["3.weight"]["data_offsets"] != [0, 48], "so that the offsets above are wrong"
    change(header)
    saved.write_bytes(put_together(header, body))
    assert message in refusal(saved)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_that_are_no_finite_numbers_are_refused(
    tmp_path: Path, refusal: Refusal, value: float, dtype: str
) -> None:
    model = small_model(dtype)
    model.network.parameters[-1] = value
    save_model(model, tmp_path / "model")
    assert "expected finite weights, got infinite or no numbers in 5.bias" in refusal(
        tmp_path / "model"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no resource module")
def test_no_lie_takes_memory(saved: Path, tmp_path: Path) -> None:
    # tracemalloc sees neither the memory of safetensors nor what is mapped: the kernel does.
    lies: dict[str, Callable[[Data], None]] = {
        "huge.safetensors": with_layer(3, "Dense", {"inputs": 8000, "outputs": 8000, "bias": True}),
        "wide.safetensors": with_layer(5, "Dense", {"inputs": 3, "outputs": 10**7, "bias": True}),
    }
    content = saved.read_bytes()
    for name, change in lies.items():
        rewritten(saved, "architecture", change).rename(tmp_path / name)
        saved.write_bytes(content)
    header, body = taken_apart(saved)
    with_record("3.weight", shape=[8000, 8000], data_offsets=[12, 256_000_012])(header)
    (tmp_path / "offsets.safetensors").write_bytes(put_together(header, body))
    (tmp_path / "long.safetensors").write_bytes((2**40).to_bytes(8, "little") + content[8:])
    program = """
import resource, sys
from inkdigits.errors import ModelError
from inkdigits.formats import load_model
load_model(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[2:]:
    try:
        load_model(path)
    except ModelError:
        continue
    sys.exit(f"{path} was not refused")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    lying = sorted(str(path) for path in tmp_path.glob("*.safetensors") if path != saved)
    assert len(lying) == 4
    done = subprocess.run(
        [sys.executable, "-c", program, saved, *lying], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    assert int(done.stdout) * unit < 50e6


# Fuzz

FUZZ = settings(
    max_examples=300,
    deadline=None,
    # The folder is the same for all examples on purpose: each overwrites the last one's file.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@FUZZ
@given(
    beginning=st.sampled_from([b"", b"\2\0\0\0\0\0\0\0{}", b"\x20\0\0\0\0\0\0\0{", b"\x80\4"]),
    rest=st.binary(max_size=500),
)
def test_any_bytes_are_refused(tmp_path: Path, beginning: bytes, rest: bytes) -> None:
    path = tmp_path / "model"
    path.write_bytes(beginning + rest)
    assert not is_model(path)
    with pytest.raises(ModelError):
        load_model(path)


@pytest.mark.slow
@FUZZ
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 5), st.binary(max_size=5)),
        min_size=1,
        max_size=4,
    )
)
def test_any_change_to_a_model_gives_a_model_or_our_error(
    tmp_path: Path, changes: list[tuple[float, int, bytes]]
) -> None:
    whole = tmp_path / "whole"
    if not whole.exists():
        save_model(small_model(), whole)
    content = whole.read_bytes()
    for place, taken, put in changes:
        at = int(place * len(content))
        content = content[:at] + put + content[at + taken :]
    path = tmp_path / "model"
    path.write_bytes(content)
    with contextlib.suppress(InkdigitsError):
        model = load_model(path)
        assert np.isfinite(model.network.parameters).all()


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON: st.SearchStrategy[Any] = st.deferred(
    lambda: (
        SCALARS
        | st.lists(JSON, max_size=3)
        | st.dictionaries(st.text(max_size=5), JSON, max_size=3)
    )
)


@pytest.mark.slow
@FUZZ
@given(data=st.data())
def test_any_json_in_any_place_of_the_header_gives_a_model_or_our_error(
    tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "model"
    save_model(data.draw(st.sampled_from([small_model, every_layer]))(), path)
    header, body = taken_apart(path)
    part = data.draw(st.sampled_from(["architecture", "card", "header"]))
    about = json.loads(header["__metadata__"][METADATA])
    place: Any = header if part == "header" else about[part]
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        place = inner
    place[key] = data.draw(JSON)
    if part != "header":
        header["__metadata__"][METADATA] = json.dumps(about)
    path.write_bytes(put_together(header, body))
    with contextlib.suppress(InkdigitsError), np.errstate(all="ignore"):
        model = load_model(path)
        assert model.network.predict(np.zeros((28, 28, 2), np.uint8)).shape == (10, 2)
    path.unlink()


# Where there is no file, or another one


def test_a_missing_model_is_answered_with_the_nearest(saved: Path) -> None:
    with pytest.raises(FileError, match=r"did you mean .*small\.safetensors\?"):
        load_model(saved.with_name("smal.safetensors"))


def test_what_is_no_file_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="which is no file"):
        load_model(tmp_path)
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(FileError, match="which is no file"):
            load_model(tmp_path / "pipe")


@pytest.mark.parametrize("content", [b"", b"my letters", b"PK\3\4"])
def test_a_file_that_is_no_model_is_not_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(FileError, match="exists and is no model of inkdigits, so it is not repl"):
        save_model(small_model(), path)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_safetensors_file_of_others_and_a_folder_are_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    safetensors.numpy.save_file({"weight": np.zeros(3, np.float32)}, path, {"format": "pt"})
    content = path.read_bytes()
    for taken in (path, tmp_path):
        with pytest.raises(FileError, match="choose another name, or remove it first"):
            save_model(small_model(), taken)
    assert path.read_bytes() == content


def test_a_model_is_replaced_by_a_model(saved: Path) -> None:
    other = small_model(seed=7)
    other.network.parameters[:] += 1
    save_model(other, saved)
    assert load_model(saved).fingerprint == other.fingerprint
    assert load_model(saved).card.seed == 7
    assert list(saved.parent.iterdir()) == [saved]


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"there is no folder .*nowhere to write model to: make it"):
        save_model(small_model(), tmp_path / "nowhere" / "model")


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.write_bytes", "pathlib.Path.replace"])
def test_a_failure_at_any_step_of_writing_leaves_the_old_model_whole(
    saved: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    content = saved.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(step, full)
        with pytest.raises(FileError, match=r"^cannot write .*small\.safetensors: No space left"):
            save_model(small_model(seed=7), saved)
    assert saved.read_bytes() == content
    assert list(saved.parent.iterdir()) == [saved]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits on a process's files")
@pytest.mark.parametrize("limit", [0, 100, 1000])
def test_a_disk_that_is_full_at_any_byte_leaves_the_old_model_whole(
    saved: Path, limit: int
) -> None:
    program = """
import resource, sys
from inkdigits.errors import FileError
from inkdigits.formats import load_model, save_model
model = load_model(sys.argv[1])
model.network.parameters[:] = 0
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    save_model(model, sys.argv[1])
except FileError as error:
    print(error)
"""
    content = saved.read_bytes()
    assert len(content) > limit
    done = subprocess.run(
        [sys.executable, "-c", program, saved, str(limit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == f"cannot write {saved}: File too large\n"
    assert saved.read_bytes() == content
    assert list(saved.parent.iterdir()) == [saved]


# What would not come back is not written


@pytest.mark.slow
def test_a_card_of_many_epochs_comes_back(tmp_path: Path) -> None:
    history = [{"epoch": n, "loss": 1 / n, "seconds": 0.123} for n in range(1, 50_001)]
    model = small_model()
    long = Model(model.network, replace(model.card, history=history))
    save_model(long, tmp_path / "long.safetensors")
    assert load_model(tmp_path / "long.safetensors").card.history == history
    save_model(model, tmp_path / "long.safetensors")  # it is known as a model, and replaced


def test_a_card_that_is_too_long_is_not_written(tmp_path: Path) -> None:
    model = small_model()
    long = Model(model.network, replace(model.card, settings={"note": "x" * 9_000_000}))
    with pytest.raises(ModelError, match=r"shorten its history$"):
        save_model(long, tmp_path / "long.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_layer_that_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    class Own(ReLU):
        pass

    network = Network([Rescale(), Flatten(), Dense(784, 10), Own()])
    with pytest.raises(ModelError, match=r"could not be read again$"):
        save_model(Model(network, small_model().card), tmp_path / "own.safetensors")
    assert list(tmp_path.iterdir()) == []


# Models that come with the package


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of shipped models, with two in it; the working directory is empty."""
    folder = tmp_path / "models"
    folder.mkdir()
    save_model(small_model(seed=7), folder / "reader.safetensors")
    save_model(small_model(seed=8), folder / "writer.safetensors")
    (folder / "README.md").write_text("no model")
    monkeypatch.setattr(model_file, "SHIPPED", folder)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return folder


@pytest.mark.usefixtures("shipped")
def test_a_shipped_model_is_found_by_its_name_alone() -> None:
    assert shipped_models() == ["reader", "writer"]
    assert load_model("reader").card.seed == 7
    assert load_model(Path("writer")).card.seed == 8
    assert is_model(Path("reader"))
    assert not is_model(Path("reder"))


@pytest.mark.usefixtures("shipped")
def test_a_file_of_that_name_wins_over_a_shipped_model() -> None:
    save_model(small_model(seed=9), "reader")
    assert load_model("reader").card.seed == 9
    Path("writer").mkdir()
    assert not is_model(Path("writer"))
    with pytest.raises(FileError, match="writer"):
        load_model("writer")


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("raeder", "did you mean reader?"),
        ("mine.safetensors", "did you mean mime.safetensors?"),
        ("xyz/reader", "nothing like it is in"),
    ],
)
def test_an_unknown_name_is_told_the_nearest_and_what_is_shipped(name: str, hint: str) -> None:
    save_model(small_model(), "mime.safetensors")
    with pytest.raises(FileError) as caught:
        load_model(name)
    message = str(caught.value)
    assert message.startswith(f"there is no file or folder {Path(name)}: ")
    assert hint in message
    assert message.endswith("; with inkdigits comes reader, writer")


def test_where_nothing_is_shipped_nothing_is_said_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_file, "SHIPPED", tmp_path / "nowhere")
    with pytest.raises(FileError) as caught:
        load_model(tmp_path / "reader")
    assert "comes" not in str(caught.value)


def test_whatever_is_shipped_can_be_loaded_and_says_how_it_came_about() -> None:
    assert model_file.SHIPPED.is_dir()
    for name in shipped_models():
        assert load_model(name).card.recipe


def test_models_are_part_of_the_wheel_and_not_ignored() -> None:
    """What git ignores, the wheel leaves out: that goes for models at the top alone."""
    root = model_file.SHIPPED.parents[2]
    if (root / ".git").exists():
        path = model_file.SHIPPED / "reader.safetensors"
        ignored = subprocess.run(["git", "-C", root, "check-ignore", "-q", path], check=False)
        assert ignored.returncode == 1
