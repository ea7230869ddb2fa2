"""How a layer is judged: against differences of its own values, and against PyTorch's numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkdigits.network import Context, Layer
from inkdigits.network.layers import Array
from inkdigits.network.shortcuts import Step

GOLDEN = Path(__file__).with_name("golden.json")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.fixture(scope="session")
def golden() -> dict[str, Any]:
    """What PyTorch makes of a few numbers, from scripts/make_goldens.py."""
    found: dict[str, Any] = json.loads(GOLDEN.read_text())
    return found


@pytest.fixture
def check_gradients(rng: np.random.Generator) -> Callable[..., None]:
    """Holds a layer's dx and gradients against central differences along random directions.

    Or those of a shortcut that stands for the layer.

    The loss is Σ dy · y with random dy, so every output counts. Steps of 1e-5 in float64 leave an
    error of about 1e-10 by the third derivative and 1e-10 by rounding: hence 1e-7, and 1e-8 where
    the terms of a projection nearly cancel.
    """

    def check(layer: Layer, x: Array, shortcut: Step | None = None) -> None:
        parameters = {name: rng.normal(size=shape) for name, shape in layer.shapes.items()}

        def forward(values: dict[str, Array]) -> Any:
            own = {name: values[name] for name in parameters}
            context = Context(
                generator=lambda: np.random.default_rng(5),
                statistics={name: np.empty(shape) for name, shape in layer.state_shapes.items()},
            )
            return (shortcut or layer).forward(values["x"], own, context)

        values = {"x": x, **parameters}
        y, backward = forward(values)
        dy = rng.normal(size=y.shape)
        # What is not overwritten stays NaN, and so does what is only added to.
        gradients = {name: np.full(shape, np.nan) for name, shape in layer.shapes.items()}
        found = {"x": backward(dy, gradients), **gradients}
        for name, value in values.items():
            direction = rng.normal(size=value.shape)
            ahead, behind = (
                float(np.vdot(dy, forward({**values, name: value + h * direction})[0]))
                for h in (1e-5, -1e-5)
            )
            slope = (ahead - behind) / 2e-5
            assert np.vdot(found[name], direction) == pytest.approx(slope, rel=1e-7, abs=1e-8), name

    return check


@pytest.fixture
def check_against_torch(golden: dict[str, Any]) -> Callable[..., None]:
    """Holds a layer's y, dx and gradients against PyTorch's on the same numbers.

    Both work in float64 and differ in the order of a few sums, or in the last bits of exp: 1e-13.
    """

    def check(name: str, layer: Layer, context: Context | None = None) -> None:
        case = golden["layers"][name]
        parameters = {key: np.array(value) for key, value in case["parameters"].items()}
        assert {key: value.shape for key, value in parameters.items()} == dict(layer.shapes)
        x, dy = np.array(case["x"]), np.array(case["dy"])
        y, backward = layer.forward(x, parameters, context or Context())
        gradients = {key: np.full(shape, np.nan) for key, shape in layer.shapes.items()}
        dx = backward(dy, gradients)
        for ours, theirs in [
            (y, case["y"]),
            (dx, case["dx"]),
            *((gradients[key], case["gradients"][key]) for key in parameters),
        ]:
            np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-13)

    return check
