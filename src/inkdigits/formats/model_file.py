"""A model as one file: safetensors, with the card and the architecture as JSON in its metadata.

The weights are named as in the network, "3.weight" being the weight of the fourth layer, so any
reader of safetensors can use them; nothing in such a file can run code.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from types import UnionType
from typing import Any, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import DIGITS
from inkdigits.errors import FileError, InkdigitsError, ModelError
from inkdigits.files import existing
from inkdigits.formats.container import (
    DTYPES,
    read_about,
    read_header,
    tensors,
    write_container,
)
from inkdigits.model import NOT_A_DIGIT, Card, Model
from inkdigits.network import (
    AveragePool2d,
    BatchNorm,
    Conv2d,
    Dense,
    Downsample,
    Dropout,
    Flatten,
    GlobalAveragePool,
    Layer,
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

__all__ = [
    "FORMAT",
    "MODEL_SUFFIX",
    "card_from",
    "check_replaceable",
    "is_model",
    "load_model",
    "save_model",
    "shipped_models",
]

MODEL_SUFFIX = ".safetensors"  # of files that are meant as models, whatever is in them
SHIPPED = Path(__file__).parents[1] / "models"  # the models that come with the package
FORMAT = "inkdigits model 1"

# Every layer that a file may name, and nothing else: the one place where names become classes.
LAYERS: Mapping[str, type[Any]] = {
    layer.__name__: layer
    for layer in (
        AveragePool2d, BatchNorm, Conv2d, Dense, Downsample, Dropout, Flatten, GlobalAveragePool,
        LeakyReLU, MaxPool2d, MeanOfCopies, ReLU, Rescale, ShiftedCopies, Sigmoid, Tanh,
    )
}  # fmt: skip

PARAMETER_LIMIT = 1 << 26  # a quarter of a gigabyte: beyond, the architecture is a mistake


def save_model(model: Model, path: str | Path) -> None:
    """Writes a model, whole or not at all. An existing file is replaced only if it is a model.

    Raises:
        FileError: the file cannot be written, or is something else than a model.
        ModelError: the model has layers, or a card, that could not be read again.
    """
    path = Path(path)
    check_replaceable(path)
    network = model.network
    about = {
        "format": FORMAT,
        "architecture": {
            "input_shape": network.input_shape,
            "dtype": network.dtype.name,
            "layers": [[type(layer).__name__, vars(layer)] for layer in network.layers],
        },
        "card": asdict(model.card),
    }
    for layer in network.layers:
        if type(layer) not in LAYERS.values():
            raise ModelError(
                f"expected layers of {', '.join(LAYERS)}, got {layer}: "
                "the file could not be read again"
            )
    write_container(path, named_tensors(network), about)


def load_model(path: str | Path) -> Model:
    """The model in a file that `save_model` wrote, or one that comes with the package.

    Everything is checked before memory is set aside for it: the header against the file's length,
    the architecture against the table of layers, the weights against the architecture.

    Args:
        path: of the file; or the name of a shipped model, as `reader`. A file or folder of that
            name in the working directory is what is meant where there is one.

    Raises:
        FileError: there is no such file, or it cannot be read.
        ModelError: it is damaged, not ours, of other shapes, or its weights are no numbers.
    """
    path = model_path(path)
    header = read_header(path)
    about = what_it_says(path, header)
    header.pop("__metadata__")
    try:
        network = network_from(about["architecture"], path.stat().st_size)
        card = card_from(about["card"])
    except InkdigitsError as error:
        raise ModelError(f"{path}: {error}") from error
    except (AttributeError, KeyError, ValueError, TypeError, RecursionError) as error:
        raise ModelError(
            f"{path} has a damaged card: expected an architecture and a card, "
            f"got {type(error).__name__}: {error}"
        ) from error
    check_tensors(path, header, network)
    fill(path, network)
    return Model(network, card)


def shipped_models() -> list[str]:
    """The names of the models that come with the package."""
    return sorted(file.stem for file in SHIPPED.glob(f"*{MODEL_SUFFIX}"))


def model_path(name: str | Path) -> Path:
    """The file that `name` means, as `load_model` takes it.

    Raises:
        FileError: there is none; the nearest is named, and all that are shipped.
    """
    shipped = shipped_models()
    if str(name) in shipped and not Path(name).exists():
        return SHIPPED / f"{name}{MODEL_SUFFIX}"
    try:
        return existing(name, among=tuple(shipped))
    except FileError as error:
        come = f"; with inkdigits comes {', '.join(shipped)}" if shipped else ""
        raise FileError(f"{error}{come}") from error


def named_tensors(network: Network) -> dict[str, NDArray[Any]]:
    """The parameters by layer and name, then the running statistics, as views."""
    views = [*enumerate(network.views(network.parameters))]
    views += [*enumerate(network.state_views(network.state))]
    return {f"{position}.{name}": array for position, own in views for name, array in own.items()}


def check_replaceable(path: Path) -> None:
    """Whether a model may be written to `path`: before hours of training rather than after.

    Raises:
        FileError: there is something else, or no folder to write to.
    """
    if path.exists() and not is_model(path):
        raise FileError(
            f"{path} exists and is no model of inkdigits, so it is not replaced: "
            "choose another name, or remove it first"
        )
    if not path.parent.is_dir():
        raise FileError(f"there is no folder {path.parent} to write {path.name} to: make it first")
    if not os.access(path.parent, os.W_OK):
        raise FileError(
            f"may not write to the folder {path.parent}: choose another for {path.name}"
        )


def is_model(path: Path) -> bool:
    """Whether the file that `path` means, for `load_model`, says that it is a model of ours."""
    try:
        path = model_path(path)
        if not path.is_file():
            return False
        what_it_says(path, read_header(path))
    except InkdigitsError:
        return False
    return True


def what_it_says(path: Path, header: dict[str, Any]) -> dict[str, Any]:
    """Format, architecture and card, from the metadata in the header of a file of ours."""
    about = read_about(path, header)
    came = None if about is None else about.get("format")
    if about is None or came != FORMAT:
        raise ModelError(
            f"{path} is a safetensors file, but no model of inkdigits: expected the format "
            f"{FORMAT!r} in its metadata, got {came!r:.80}"
            + (": go on with it by train --resume" if "checkpoint" in str(came) else "")
        )
    return about


def network_from(architecture: dict[str, Any], room: int) -> Network:
    """The network, its weights still zero, if a file of `room` bytes can hold them."""
    layers: list[Layer] = []
    for name, arguments in architecture["layers"]:
        if name not in LAYERS:
            raise ModelError(
                f"expected layers of {', '.join(LAYERS)}, got {name!r:.80}: "
                "the model may be from a later version"
            )
        layer = LAYERS[name]
        for field in fields(layer):
            value: Any = arguments.get(field.name)
            wanted = type(getattr(layer, field.name, 0))  # sizes have no default, and are integers
            if wanted is float and type(value) is int and abs(value) <= PARAMETER_LIMIT:
                continue
            if type(value) is not wanted:
                raise ModelError(
                    f"expected {name}({field.name}) as {wanted.__name__}, got {value!r:.80}"
                )
            if type(value) is int and not 0 < value <= PARAMETER_LIMIT:
                raise ModelError(
                    f"expected {name}({field.name}) of 1 to {PARAMETER_LIMIT:,}, got {value!r:.80}"
                )
            if field.name == "dtype" and value not in DTYPES.values():
                raise ModelError(
                    f"expected {name}({field.name}) as float32 or float64, got {value!r:.80}"
                )
        layers.append(layer(**arguments))
    shape, dtype = architecture["input_shape"], architecture["dtype"]
    if shape != [28, 28] or dtype not in DTYPES.values():
        raise ModelError(
            "expected input_shape [28, 28] and dtype float32 or float64, "
            f"got {shape!r:.80} and {dtype!r:.80}"
        )
    parameters = sum(int(np.prod(s, dtype=object)) for la in layers for s in la.shapes.values())
    most = min(PARAMETER_LIMIT, room // np.dtype(dtype).itemsize)
    if parameters > most:
        raise ModelError(
            f"expected at most {most:,} parameters in a file of {room:,} bytes, got {parameters:,}"
        )
    network = Network(layers, input_shape=tuple(shape), dtype=dtype)
    if network.answers not in (DIGITS, NOT_A_DIGIT + 1):
        raise ModelError(
            f"expected a network of 10 answers, or 11 with one for no digit, got {network.answers}"
        )
    return network


def card_from(data: Any) -> Card:
    hints = get_type_hints(Card)
    if isinstance(data, dict):
        data = {"calibration": None, "changes": [], **data}  # files of earlier versions have none
    if not isinstance(data, dict) or data.keys() != hints.keys():
        raise ModelError(f"expected a card with {', '.join(hints)}, got {data!r:.80}")
    for name, hint in hints.items():
        alternatives = hint.__args__ if isinstance(hint, UnionType) else (hint,)
        kinds = tuple(get_origin(each) or each for each in alternatives)
        if not isinstance(data[name], int | float if kinds == (float,) else kinds):
            raise ModelError(f"expected {name} on the card as {hint}, got {data[name]!r:.80}")
    for record in data["history"]:
        if not isinstance(record, dict) or not record.keys() >= {"epoch", "loss"}:
            raise ModelError(f"expected epoch and loss in the card's history, got {record!r:.80}")
        figures = record.get("layers", [])  # of each layer, where they were asked for
        rows = [record, *figures] if isinstance(figures, list) else [figures]
        if not all(isinstance(row, dict) and holds_figures(row) for row in rows):
            raise ModelError(f"expected numbers in the card's history, got {record!r:.80}")
    check_calibration(data["calibration"])
    for record in data["changes"]:
        place = [isinstance(record, dict) and record.get(at) for at in ("step", "epoch", "done")]
        if not all(type(number) is int and number >= 0 for number in place):
            raise ModelError(
                f"expected step, epoch and done in each of the card's changes, got {record!r:.80}"
            )
    return Card(**data)


def check_calibration(calibration: dict[str, Any] | None) -> None:
    for name, (low, high) in {"temperature": (0.01, 100.0), "threshold": (0.0, 1.0)}.items():
        value: Any = None if calibration is None else calibration.get(name)
        if calibration is not None and not (is_number(value) and low <= value <= high):
            raise ModelError(
                f"expected {name} of {low} to {high} in the card's calibration, got {value!r:.80}"
            )

    curve = None if calibration is None else calibration.get("curve")
    rows = curve if isinstance(curve, list) else [curve]
    for row in [] if curve is None else rows:
        if not (
            isinstance(row, list)
            and len(row) == 3
            and all(is_number(share) and 0 <= share <= 1 for share in row)
        ):
            raise ModelError(
                "expected three numbers from 0 to 1 in each row of the calibration's curve, "
                f"got {row!r:.80}"
            )


def is_number(value: Any) -> bool:
    """Whether JSON has a number here; `True` is none, though Python counts it as 1."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def holds_figures(row: dict[str, Any]) -> bool:
    """Whether all is numbers, but the name of a layer, and the figures of layers themselves."""
    kinds = {"name": str, "layers": list}
    return all(isinstance(value, kinds.get(key, int | float)) for key, value in row.items())


def check_tensors(path: Path, header: dict[str, Any], network: Network) -> None:
    expected = named_tensors(network)
    if header.keys() != expected.keys():
        missing, surplus = expected.keys() - header.keys(), header.keys() - expected.keys()
        raise ModelError(
            f"{path} does not fit its card: expected the weights of its layers, got a file without "
            f"{sorted(missing)!r:.150} and with {sorted(surplus)!r:.150}"
        )
    for name, array in expected.items():
        record = header[name] if isinstance(header[name], dict) else {}
        shape, dtype = record.get("shape"), DTYPES.get(str(record.get("dtype")))
        if shape != list(array.shape) or dtype != array.dtype.name:
            raise ModelError(
                f"{path} does not fit its card: expected {name} as {array.dtype.name} "
                f"{list(array.shape)}, got {record.get('dtype')!r:.80} {shape!r:.80}"
            )


def fill(path: Path, network: Network) -> None:
    """Reads the weights into the network's own vectors."""
    own = named_tensors(network)
    for name, array in tensors(path):
        own[name][...] = array
