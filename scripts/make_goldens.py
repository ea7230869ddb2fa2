"""Maintainer's script: what PyTorch makes of a few numbers, for tests that run without it.

python scripts/make_goldens.py        writes tests/network/golden.json; needs torch==2.13.0

All in float64, with samples on the last axis as in `inkdigits.network`. PyTorch has them first, so
they are moved there and back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.optim import lr_scheduler

TARGET = Path(__file__).parents[1] / "tests" / "network" / "golden.json"

STEPS = 20
KEPT = (1, 2, 10, 20)  # after these the optimizers' parameters are written down
SCHEDULE_STEPS = 41

Tensor = torch.Tensor


def goldens() -> dict[str, Any]:
    """All of it, as plain lists and numbers; the same on every call."""
    rng = np.random.RandomState(1)  # its stream is frozen for good
    return {
        "layers": dict(layers(rng)) | dict(picture_layers(np.random.RandomState(2))),
        "losses": dict(losses(rng)),
        "optimizers": optimizers(rng),
        "network": network(rng),
        "schedules": schedules(),
    }


def tensor(values: Any) -> Tensor:
    return torch.tensor(np.asarray(values), dtype=torch.float64, requires_grad=True)


def plain(values: Tensor | None) -> Any:
    assert values is not None
    return values.detach().tolist()


Function = Callable[[Tensor, dict[str, Tensor]], Tensor]


def layers(rng: np.random.RandomState) -> Iterator[tuple[str, Any]]:
    """For each layer: x, parameters and dy, and PyTorch's y, dx and gradients."""
    vector, picture = (4, 5), (6, 6, 3)
    weight, bias = (3, 4), (3,)
    torch.manual_seed(1)
    cases: list[tuple[str, Function, tuple[int, ...], dict[str, tuple[int, ...]]]] = [
        (
            "dense",
            lambda x, p: functional.linear(x, p["weight"], p["bias"]),
            vector,
            {"weight": weight, "bias": bias},
        ),
        (
            "dense without bias",
            lambda x, p: functional.linear(x, p["weight"]),
            vector,
            {"weight": weight},
        ),
        ("flatten", lambda x, p: torch.flatten(x, 1), (2, 3, 2), {}),
        ("rescale", lambda x, p: 0.25 * x - 1.5, vector, {}),
        ("downsample by 2", lambda x, p: 4 * functional.avg_pool2d(x, 2), picture, {}),
        ("downsample by 3", lambda x, p: 9 * functional.avg_pool2d(x, 3), picture, {}),
        ("dropout", lambda x, p: functional.dropout(x, 0.3), vector, {}),
        ("sigmoid", lambda x, p: torch.sigmoid(x), vector, {}),
        ("tanh", lambda x, p: torch.tanh(x), vector, {}),
        ("relu", lambda x, p: functional.relu(x), vector, {}),
        ("leaky relu", lambda x, p: functional.leaky_relu(x, 0.2), vector, {}),
    ]
    for name, function, shape, parameter_shapes in cases:
        yield name, layer_case(rng, function, rng.normal(size=shape), parameter_shapes)


def layer_case(
    rng: np.random.RandomState,
    function: Function,
    values: Any,
    parameter_shapes: dict[str, tuple[int, ...]],
) -> dict[str, Any]:
    """x, parameters and dy, and PyTorch's y, dx and gradients."""
    x = tensor(values)
    parameters = {key: tensor(rng.normal(size=size)) for key, size in parameter_shapes.items()}
    y = function(x.movedim(-1, 0), parameters).movedim(0, -1)
    dy = tensor(rng.normal(size=y.shape))
    y.backward(dy)
    return {
        "x": plain(x),
        "parameters": {key: plain(value) for key, value in parameters.items()},
        "dy": plain(dy),
        "y": plain(y),
        "dx": plain(x.grad),
        "gradients": {key: plain(value.grad) for key, value in parameters.items()},
    }


def picture_layers(rng: np.random.RandomState) -> Iterator[tuple[str, Any]]:
    """The same for layers on pictures with channels, and for batch norm.

    Batch norm's cases also hold what the running statistics, 0 and 1 before, are after one step.
    """

    def convolution(
        stride: int = 1, padding: Any = "valid", zeros: tuple[int, ...] = ()
    ) -> Function:
        def function(x: Tensor, p: dict[str, Tensor]) -> Tensor:
            x = functional.pad(x, zeros) if zeros else x  # left, right, above, below
            return functional.conv2d(x, p["weight"], p.get("bias"), stride=stride, padding=padding)

        return function

    def weights(kernel: int, *, bias: bool = True) -> dict[str, tuple[int, ...]]:
        weight: dict[str, tuple[int, ...]] = {"weight": (3, 2, kernel, kernel)}
        return weight | {"bias": (3,)} if bias else weight

    small, larger = (2, 4, 5, 2), (2, 5, 6, 2)
    cases: list[tuple[str, Function, tuple[int, ...], dict[str, tuple[int, ...]]]] = [
        ("conv2d", convolution(), small, weights(3)),
        ("conv2d without bias", convolution(), small, weights(2, bias=False)),
        ("conv2d, same", convolution(padding="same"), small, weights(3)),
        ("conv2d, same, even kernel", convolution(zeros=(0, 1, 0, 1)), small, weights(2)),
        ("conv2d, stride 2", convolution(2), larger, weights(2)),
        # A side of 5 is padded to 1 + 5 + 1, a side of 6 to 6 + 1, for three places each.
        ("conv2d, same, stride 2", convolution(2, zeros=(0, 1, 1, 1)), larger, weights(3)),
        ("max pool 2", lambda x, p: functional.max_pool2d(x, 2), small, {}),
        ("max pool 3", lambda x, p: functional.max_pool2d(x, 3), larger, {}),
        ("average pool 2", lambda x, p: functional.avg_pool2d(x, 2), small, {}),
        ("average pool 3", lambda x, p: functional.avg_pool2d(x, 3), larger, {}),
        (
            "global average pool",
            lambda x, p: functional.adaptive_avg_pool2d(x, 1).flatten(1),
            small,
            {},
        ),
    ]
    for name, function, shape, parameter_shapes in cases:
        yield name, layer_case(rng, function, rng.normal(size=shape), parameter_shapes)
    # Of equal values, many in a square here, the first one gets the gradient.
    few = rng.randint(2, size=small)
    yield "max pool 2, ties", layer_case(rng, lambda x, p: functional.max_pool2d(x, 2), few, {})
    for name, shape in {"columns": (3, 5), "pictures": (3, 2, 3, 2)}.items():
        mean, variance = (make(3, dtype=torch.float64) for make in (torch.zeros, torch.ones))

        def norm(
            x: Tensor, p: dict[str, Tensor], mean: Tensor = mean, variance: Tensor = variance
        ) -> Tensor:
            return functional.batch_norm(
                x, mean, variance, p["scale"], p["shift"], training=True, momentum=0.1, eps=1e-5
            )

        values = rng.normal(1.0, 2.0, size=shape)
        case = layer_case(rng, norm, values, {"scale": (3,), "shift": (3,)})
        state = {"mean": plain(mean), "variance": plain(variance)}
        yield f"batch norm of {name}", case | {"state": state}


def losses(rng: np.random.RandomState) -> Iterator[tuple[str, Any]]:
    """For each loss: logits and labels, and PyTorch's loss and d_logits."""

    def cross_entropy(smoothing: float) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda logits, labels: functional.cross_entropy(
            logits, labels, reduction="sum", label_smoothing=smoothing
        )

    def squared_error(low: float, high: float) -> Callable[[Tensor, Tensor], Tensor]:
        def loss(outputs: Tensor, labels: Tensor) -> Tensor:
            one_hot = functional.one_hot(labels, outputs.shape[1]).to(outputs.dtype)
            wanted = low + (high - low) * one_hot
            return 0.5 * functional.mse_loss(outputs, wanted, reduction="sum")

        return loss

    cases = {
        "cross entropy": cross_entropy(0.0),
        "cross entropy, smoothed": cross_entropy(0.1),
        "squared error": squared_error(0.0, 1.0),
        "squared error of the post": squared_error(0.01, 0.99),
    }
    for name, function in cases.items():
        logits = tensor(3 * rng.normal(size=(4, 6)))
        labels = torch.tensor(rng.randint(4, size=6))
        loss = function(logits.movedim(-1, 0), labels)
        loss.backward()
        yield (
            name,
            {
                "logits": plain(logits),
                "labels": plain(labels),
                "loss": plain(loss),
                "d_logits": plain(logits.grad),
            },
        )


def optimizers(rng: np.random.RandomState) -> dict[str, Any]:
    """A start, gradients and rates, and where each optimizer is after `KEPT` steps.

    The first half of the vector decays, the second does not. One weight starts at zero, where |w|
    has a corner; PyTorch has no L1, so there it is a term of the loss.
    """
    start = rng.normal(size=6)
    start[1] = 0.0
    gradients = rng.normal(size=(STEPS, 6))
    gradients[:3, 1] = 0.0  # so that the corner is visited
    rates = 0.02 + 0.08 * rng.uniform(size=STEPS)
    cases: dict[str, tuple[Any, dict[str, Any], float]] = {
        "sgd": (torch.optim.SGD, {}, 0.0),
        "sgd, momentum": (torch.optim.SGD, {"momentum": 0.9}, 0.0),
        "sgd, nesterov": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}, 0.0),
        "sgd, l2": (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.1}, 0.0),
        "sgd, l1": (torch.optim.SGD, {"momentum": 0.5}, 0.2),
        "adam": (torch.optim.Adam, {}, 0.0),
        "adam, other betas": (torch.optim.Adam, {"betas": (0.7, 0.9), "eps": 1e-3}, 0.0),
        "adam, l1 and l2": (torch.optim.Adam, {"weight_decay": 0.1}, 0.2),
        "adamw": (torch.optim.AdamW, {"weight_decay": 0.3}, 0.0),
    }
    paths = {}
    for name, (optimizer, settings, l1) in cases.items():
        decayed, free = tensor(start[:3]), tensor(start[3:])
        groups = [{"params": [decayed]}, {"params": [free], "weight_decay": 0.0}]
        rule = optimizer(groups, lr=1.0, **settings)
        path = {}
        for step, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
            for group in rule.param_groups:
                group["lr"] = rate
            rule.zero_grad()
            loss = (torch.cat([decayed, free]) * torch.tensor(gradient)).sum()
            (loss + l1 * decayed.abs().sum()).backward()
            rule.step()
            if step in KEPT:
                path[str(step)] = [*plain(decayed), *plain(free)]
        paths[name] = path
    return {
        "start": start.tolist(),
        "gradients": gradients.tolist(),
        "rates": rates.tolist(),
        "paths": paths,
    }


def network(rng: np.random.RandomState) -> dict[str, Any]:
    """A whole network on a few pictures: its first gradient, and ten losses with Adam."""
    images = rng.randint(256, size=(4, 4, 7))
    labels = rng.randint(3, size=7)
    shapes = {"weight 1": (5, 4), "bias 1": (5,), "weight 2": (3, 5), "bias 2": (3,)}
    # Small biases, so that the pictures and not they decide which units are on.
    spread = {name: 0.1 if "bias" in name else 1.0 for name in shapes}
    parameters = {name: tensor(rng.normal(0, spread[name], shapes[name])) for name in shapes}
    start = [number for value in parameters.values() for number in plain(value.flatten())]
    rule = torch.optim.Adam(parameters.values(), lr=0.05)
    found: list[float] = []
    first_gradient: list[float] = []
    for _ in range(10):
        rule.zero_grad()
        x = torch.tensor(images, dtype=torch.float64).movedim(-1, 0)
        x = torch.flatten(functional.avg_pool2d(x, 2) / 127.5 - 1, 1)  # from -1 to 1
        x = functional.relu(functional.linear(x, parameters["weight 1"], parameters["bias 1"]))
        x = functional.linear(x, parameters["weight 2"], parameters["bias 2"])
        loss = functional.cross_entropy(x, torch.tensor(labels))
        loss.backward()
        if not found:
            grads = [value.grad for value in parameters.values() if value.grad is not None]
            first_gradient = [number for grad in grads for number in plain(grad.flatten())]
        found.append(plain(loss))
        rule.step()
    return {
        "images": images.tolist(),
        "labels": labels.tolist(),
        "parameters": start,
        "gradient": first_gradient,
        "losses": found,
    }


def schedules() -> dict[str, list[float]]:
    """The rates of PyTorch's schedules over `SCHEDULE_STEPS` steps."""

    def rates(schedule: Callable[[Any], Any]) -> list[float]:
        rule = torch.optim.SGD([tensor([0.0])], lr=0.5)
        scheduler = schedule(rule)
        found = []
        for _ in range(SCHEDULE_STEPS):
            found.append(float(scheduler.get_last_lr()[0]))
            rule.step()
            if len(found) < SCHEDULE_STEPS:  # one-cycle refuses a step beyond its last
                scheduler.step()
        return found

    last = SCHEDULE_STEPS - 1
    return {
        "cosine": rates(lambda rule: lr_scheduler.CosineAnnealingLR(rule, last, eta_min=0.01)),
        "step": rates(lambda rule: lr_scheduler.StepLR(rule, last // 5, gamma=0.3)),
        # pct_start makes the warm-up end on step 12 of 0 to 40: PyTorch counts it with its last.
        "one cycle": rates(
            lambda rule: lr_scheduler.OneCycleLR(
                rule,
                max_lr=0.5,
                total_steps=SCHEDULE_STEPS,
                pct_start=13 / SCHEDULE_STEPS,
                div_factor=25,
                final_div_factor=400,
                cycle_momentum=False,
            )
        ),
    }


def written(groups: dict[str, dict[str, Any]]) -> str:
    """JSON with one case a line, so that a change shows where it is."""
    texts = []
    for group, cases in groups.items():
        lines = [f"  {json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items()]
        texts.append(f" {json.dumps(group)}: {{\n" + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(texts) + "\n}\n"


if __name__ == "__main__":
    TARGET.write_text(written(goldens()))
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes, torch {torch.__version__}")
