"""A hint speaks when something is off, and only then."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from inkdigits.lab.runs.hints import Hint, Seen, hints

EPOCH = 10  # points


def points(losses: list[float], **other: list[float]) -> list[dict[str, Any]]:
    """Points of these losses, ten an epoch, ten steps apart."""
    rest = {"accuracy": [0.9], "validation_loss": [0.3], "validation_accuracy": [0.9], **other}
    return [
        {"step": 10 * n, "epoch": n / EPOCH, "loss": loss, "rate": 0.01}
        | {name: values[min(n, len(values) - 1)] for name, values in rest.items()}
        for n, loss in enumerate(losses)
    ]


def epochs(accuracies: list[float]) -> list[dict[str, Any]]:
    return [
        {"epoch": n, "step": 100 * n, "accuracy": accuracy}
        for n, accuracy in enumerate(accuracies, 1)
    ]


def falling(count: int, start: float = 2.3, end: float = 0.1) -> list[float]:
    """A loss that falls as one does, with a batch now and then that is harder."""
    return [end + (start - end) * math.exp(-n / 5) + 0.02 * math.sin(3 * n) for n in range(count)]


def kinds(seen: Seen) -> list[str]:
    return [hint.kind for hint in hints(seen)]


def only(seen: Seen) -> Hint:
    found = hints(seen)
    assert len(found) == 1, kinds(seen)
    return found[0]


NETWORK = {"layers": [{"kind": "dense", "units": 9}], "activation": "relu"}


def test_before_the_first_point_there_is_nothing_to_say() -> None:
    assert hints(Seen(points=())) == []


@pytest.mark.parametrize("count", range(1, 60, 7))
def test_a_run_that_learns_well_brings_no_hint(count: int) -> None:
    good = Seen(
        points=points(falling(count)),
        epochs=epochs([0.93, 0.95, 0.96, 0.965, 0.968, 0.97][: count // EPOCH]),
        layers=[{"layer": 1, "name": "Dense", "gradient_norm": 0.1, "weight_norm": 1.0},
                {"layer": 2, "name": "ReLU", "dead": 0.3}],
    )  # fmt: skip
    assert kinds(good) == []


def test_a_loss_that_rises_and_stays_up_asks_for_a_lower_rate() -> None:
    losses = [*falling(12), *[0.8, 1.3, 1.9, 2.2, 2.3, 2.3]]
    hint = only(Seen(points=points(losses), rate=0.5))
    assert hint.kind == "rate_too_high"
    assert hint.fix == {"change": {"rate": 0.05}}
    assert hint.values["rate"] == 0.5
    ended = only(Seen(points=points(losses), rate=0.5, running=False))
    assert ended.fix == {"settings": {"rate": 0.05}}


def test_one_hard_batch_is_no_rise() -> None:
    for place in range(6, 20):
        losses = falling(20)
        losses[place] = 5.0
        assert kinds(Seen(points=points(losses))) == []


def test_a_loss_that_other_digits_moved_is_no_rise() -> None:
    losses = [*falling(12), *[0.9] * 8]
    seen = Seen(points=points(losses))
    assert kinds(seen) == ["rate_too_high"]
    assert kinds(replace(seen, changed=115)) == []


def test_a_run_that_diverged_asks_for_another_with_a_lower_rate() -> None:
    seen = Seen(points=points(falling(3)), rate=3.0, diverged=True, running=False)
    assert only(seen) == Hint("rate_too_high", {"rate": 3.0}, {"settings": {"rate": 0.3}})
    assert kinds(replace(seen, points=())) == ["rate_too_high"]


def test_a_loss_that_hardly_falls_in_an_epoch_asks_for_a_higher_rate() -> None:
    slow = points([2.3 - 0.002 * n for n in range(20)], validation_accuracy=[0.15])
    hint = only(Seen(points=slow, rate=1e-5))
    assert hint.kind == "rate_too_low"
    assert hint.fix == {"change": {"rate": 0.0001}}


def test_a_slow_beginning_is_not_judged_before_an_epoch_is_over() -> None:
    slow = points([2.3 - 0.002 * n for n in range(10)], validation_accuracy=[0.15])
    assert kinds(Seen(points=slow)) == []


def test_wrong_labels_keep_a_loss_up_and_are_no_slowness() -> None:
    slow = points([2.3 - 0.002 * n for n in range(20)], validation_accuracy=[0.15])
    assert kinds(Seen(points=slow, wrong_labels=0.8)) == []
    reads = points([2.3 - 0.002 * n for n in range(20)], validation_accuracy=[0.8])
    assert kinds(Seen(points=reads, wrong_labels=0.2)) == []


def test_dead_units_ask_for_units_that_cannot_die() -> None:
    layers = [{"layer": 2, "name": "ReLU", "dead": 0.2}, {"layer": 4, "name": "ReLU", "dead": 0.5}]
    hint = only(Seen(points=points(falling(5)), layers=layers, network=NETWORK))
    assert (hint.kind, hint.values) == ("dead_units", {"layer": 4, "share": 0.5})
    assert hint.fix == {"settings": {"network": {**NETWORK, "activation": "leaky-relu"}}}
    recipe = only(Seen(points=points(falling(5)), layers=layers, rate=0.1))
    assert recipe.fix == {"settings": {"rate": 0.03}}
    assert kinds(Seen(points=points(falling(5)), layers=[{**layers[1], "dead": 0.4}])) == []


def test_what_keeps_a_run_from_learning_is_named_before_its_slowness() -> None:
    still = points([2.3] * 20, validation_accuracy=[0.1])
    assert kinds(Seen(points=still)) == ["rate_too_low"]
    dead = [{"layer": 2, "name": "ReLU", "dead": 1.0}]
    assert kinds(Seen(points=still, layers=dead)) == ["dead_units"]


def gradients(first: float, last: float) -> list[dict[str, Any]]:
    return [
        {"layer": layer, "name": "Dense", "gradient_norm": norm, "weight_norm": 1.0}
        for layer, norm in ((1, first), (3, 0.01), (5, last))
    ]


def test_a_gradient_that_fades_in_sigmoids_asks_for_relu() -> None:
    still = points([2.3] * 20, validation_accuracy=[0.1])
    seen = Seen(
        points=still, layers=gradients(0.0005, 0.1), kinds=["Dense", "Sigmoid"], network=NETWORK
    )
    hint = only(seen)
    assert hint.kind == "vanishing_gradient"
    assert hint.fix == {"settings": {"network": {**NETWORK, "activation": "relu"}}}
    assert "vanishing_gradient" not in kinds(replace(seen, kinds=["Dense", "ReLU"]))
    assert "vanishing_gradient" not in kinds(replace(seen, layers=gradients(0.05, 0.1)))
    reads = replace(seen, points=points(falling(20), validation_accuracy=[0.9]))
    assert kinds(reads) == []


def test_getting_worse_on_other_digits_is_overfitting() -> None:
    worse = [0.5, 0.4, 0.3, *[0.3 + 0.01 * n for n in range(40)]]
    losses = [1 / (n + 1) for n in range(43)]
    hint = only(Seen(points=points(losses, validation_loss=worse)))
    assert hint.kind == "overfitting"
    assert hint.fix == {"change": {"augmentation": "hand"}}
    assert hint.values["least"] == 0.3
    mended = Seen(points=points(losses, validation_loss=worse), augmentation="hand")
    assert only(mended).fix is None


def test_a_validation_loss_that_only_stands_is_no_overfitting() -> None:
    still = [0.5, 0.4, 0.3, *[0.3 + 0.01 * (n % 3) for n in range(40)]]
    losses = [1 / (n + 1) for n in range(43)]
    assert kinds(Seen(points=points(losses, validation_loss=still))) == []


def test_a_gap_between_digits_known_and_others_is_overfitting() -> None:
    known = points(falling(31), accuracy=[1.0])
    assert kinds(Seen(points=known, epochs=epochs([0.95, 0.96, 0.97]))) == ["overfitting"]
    assert kinds(Seen(points=known, epochs=epochs([0.95, 0.97, 0.981]))) == []


def test_few_images_learned_by_heart_ask_for_more() -> None:
    known = points(falling(31), accuracy=[1.0])
    found = hints(Seen(points=known, epochs=epochs([0.8, 0.85, 0.88]), images=500))
    assert [hint.kind for hint in found] == ["few_images", "overfitting"]
    assert found[0].fix == {"settings": {"images": 5000}}
    early = points(falling(31), accuracy=[0.88])
    assert kinds(Seen(points=early, epochs=epochs([0.8, 0.85, 0.88]), images=500)) == []


@pytest.mark.parametrize("images", [5_000, 50_000])
def test_a_gap_that_a_sample_may_have_by_chance_is_none(images: int) -> None:
    poor = points(falling(31), accuracy=[0.30], validation_accuracy=[0.26])
    assert kinds(Seen(points=poor, epochs=epochs([0.2, 0.25, 0.26]), images=images)) == []
    # Three standard errors of a sample of 1,000 where 0.7 are read are 0.043.
    fair = points(falling(31), accuracy=[0.74])
    assert kinds(Seen(points=fair, epochs=epochs([0.6, 0.65, 0.70]))) == []
    clear = points(falling(31), accuracy=[0.75])
    assert kinds(Seen(points=clear, epochs=epochs([0.6, 0.65, 0.70]))) == ["overfitting"]


def test_a_loss_thrown_out_by_the_first_steps_asks_for_a_lower_rate() -> None:
    out = Seen(points=points([2.4, *[57.9] * 12], validation_accuracy=[0.1]), rate=10.0)
    assert only(out).fix == {"change": {"rate": 1.0}}
    back = points([2.4, *[57.9] * 6, *[2.3] * 6], validation_accuracy=[0.1])
    assert only(Seen(points=back, rate=0.1, peak=10.0, running=False)).fix == {
        "settings": {"rate": 1.0}
    }
    lesson = points([0.05, *[0.5] * 12], validation_accuracy=[0.99])  # of harder digits
    assert kinds(Seen(points=lesson)) == []


def test_the_way_down_to_guessing_is_no_reading_yet() -> None:
    losses = [4.1, 3.6, 3.0, *[2.4 - 0.01 * n for n in range(17)]]
    slow = Seen(points=points(losses, validation_accuracy=[0.25]), rate=1e-5)
    assert only(slow).fix == {"change": {"rate": 0.0001}}
    squared = replace(slow, network={**NETWORK, "loss": "squared-error"})
    assert kinds(squared) == []


def test_another_run_is_given_a_rate_by_the_highest_of_this_one() -> None:
    flat = Seen(
        points=points(falling(60)),
        epochs=epochs([0.95, 0.971, 0.97, 0.9712, 0.9708]),
        rate=1e-5,
        peak=0.001,
    )
    assert only(flat).fix is None  # smaller steps have been tried
    assert only(replace(flat, running=False)).fix is None
    constant = replace(flat, rate=0.001, running=False)
    assert only(constant).fix == {"settings": {"rate": 0.0002}}
    dead = replace(flat, epochs=(), layers=[{"layer": 2, "name": "ReLU", "dead": 0.9}])
    assert only(dead).fix == {"settings": {"rate": 0.0003}}
    gone = Seen(points=(), rate=1e-5, peak=0.1, diverged=True, running=False)
    assert only(gone).fix == {"settings": {"rate": 0.01}}


def test_epochs_that_bring_nothing_ask_for_smaller_steps() -> None:
    seen = Seen(points=points(falling(60)), epochs=epochs([0.95, 0.971, 0.97, 0.9712, 0.9708]))
    hint = only(replace(seen, rate=0.01))
    assert (hint.kind, hint.fix) == ("learned", {"change": {"rate": 0.002}})
    rising = epochs([0.95, 0.97, 0.971, 0.972, 0.973])
    assert kinds(replace(seen, epochs=rising)) == []
    assert kinds(replace(seen, epochs=epochs([0.97, 0.97, 0.97, 0.97]))) == []


def test_a_rate_that_is_proposed_can_be_set() -> None:
    slow = points([2.3] * 20, validation_accuracy=[0.1])
    assert only(Seen(points=slow, rate=9.0)).fix == {"change": {"rate": 10.0}}
    down = Seen(points=(), rate=2e-6, diverged=True)
    assert only(down).fix == {"settings": {"rate": 1e-6}}
