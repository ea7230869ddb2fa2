"""The first weights have the spread of their rule, and signals live through many layers."""

from __future__ import annotations

import numpy as np
import pytest

from inkdigits.classic import Network as ClassicNetwork
from inkdigits.network import Dense, Layer, Network, ReLU, Tanh, glorot, he, post
from inkdigits.network.initialisation import Spread


def test_the_rules_are_those_of_their_papers() -> None:
    assert he(0, 50, 7) == 0.2
    assert he(3, 8, 7) == 0.5
    assert glorot(0, 3, 5) == glorot(1, 5, 3) == 0.5
    assert post(0, 784, 100) == 1 / 28
    assert post(1, 200, 100) == 0.1


@pytest.mark.parametrize("spread", [he, glorot, post])
def test_weights_are_normal_with_the_spread_of_the_rule_and_biases_zero(spread: Spread) -> None:
    """Of 40,000 normal numbers the mean errs by 0.005 spreads and the spread by 0.4 %: five times.

    68.3 % of them lie within one spread, which would be 58 % were they uniform.
    """
    network = Network([Dense(100, 400), Dense(400, 100)], input_shape=(100,))
    network.parameters[:] = np.nan
    network.initialise(np.random.default_rng(1), spread)
    for position, views in enumerate(network.views(network.parameters)):
        expected = spread(position, *reversed(views["weight"].shape))
        assert abs(views["weight"].mean()) < 0.025 * expected
        assert views["weight"].std() == pytest.approx(expected, rel=0.02)
        assert np.mean(np.abs(views["weight"]) < expected) == pytest.approx(0.683, abs=0.012)
        assert not views["bias"].any()


@pytest.mark.parametrize(
    ("bend", "spread", "least"),
    [(ReLU(), he, 0.5), (Tanh(), glorot, 0.1)],
    ids=["relu and he", "tanh and glorot"],
)
def test_signals_neither_fade_nor_explode_in_ten_layers(
    bend: Layer, spread: Spread, least: float
) -> None:
    """tanh flattens a little at every layer; with half the spread 2⁻¹⁰ would be left."""
    layers = [layer for _ in range(10) for layer in (Dense(300, 300, bias=False), bend)]
    network = Network(layers, input_shape=(300,))
    network.initialise(np.random.default_rng(1), spread)
    x = np.random.default_rng(2).normal(size=(300, 100)).astype(np.float32)
    strength = np.sqrt(np.mean(network.predict(x) ** 2))
    assert least < strength < 2


def test_the_post_draws_the_weights_of_its_own_class() -> None:
    layers = [Dense(784, 20, bias=False), Dense(20, 10, bias=False)]
    network = Network(layers, input_shape=(784,), dtype="float64")
    network.initialise(np.random.default_rng(1), post)
    classic = ClassicNetwork(784, 20, 10, 0.1, rng=np.random.default_rng(1))
    wih, who = (views["weight"] for views in network.views(network.parameters))
    assert np.array_equal(wih, classic.wih)
    assert np.array_equal(who, classic.who)


def test_one_generator_gives_one_start_and_another_another() -> None:
    starts = []
    for seed in (1, 1, 2):
        network = Network([Dense(5, 4), Dense(4, 3)], input_shape=(5,))
        network.initialise(np.random.default_rng(seed))
        starts.append(network.parameters)
    assert np.array_equal(starts[0], starts[1])
    assert not np.array_equal(starts[0], starts[2])
