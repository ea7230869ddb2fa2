"""The post's network does the post's mathematics, to the letter and to the last digits."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkdigits.classic import Network, scaled, targets
from inkdigits.dataset import Dataset
from inkdigits.errors import DataError, FileError, ModelError
from inkdigits.network.activations import sigmoid
from inkdigits.sources import load, save
from inkdigits.training import find_recipe, train

Floats = np.ndarray[Any, np.dtype[np.float64]]


class Transcribed:
    """A plain transcription of the post's equations, that the package is held against."""

    def __init__(self, inodes: int, hnodes: int, onodes: int, lrate: float, rng: Any) -> None:
        self.lrate = lrate
        self.wih = rng.normal(0.0, pow(inodes, -0.5), (hnodes, inodes))
        self.who = rng.normal(0.0, pow(onodes, -0.5), (onodes, hnodes))

    def train(self, inputs: Floats, wanted: Floats) -> None:
        x, t = inputs[:, np.newaxis], wanted[:, np.newaxis]
        h = 1 / (1 + np.exp(-np.dot(self.wih, x)))
        o = 1 / (1 + np.exp(-np.dot(self.who, h)))
        e = t - o
        e_h = np.dot(self.who.T, e)
        self.who = self.who + self.lrate * np.dot(e * o * (1 - o), h.T)
        self.wih = self.wih + self.lrate * np.dot(e_h * h * (1 - h), x.T)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("mnist:train").subset(slice(2000))


@pytest.fixture(scope="module")
def transcribed(digits: Dataset) -> Transcribed:
    """The post's equations after 2,000 records, each scaled as the post scales it."""
    network = Transcribed(784, 200, 10, 0.1, np.random.RandomState(1))
    for image, label in zip(digits.images, digits.known_labels, strict=True):
        inputs = image.reshape(784) / 255.0 * 0.99 + 0.01
        wanted = np.zeros(10) + 0.01
        wanted[label] = 0.99
        network.train(inputs, wanted)
    return network


def posts(hnodes: int = 200, seed: int = 1) -> Network:
    return Network(784, hnodes, 10, 0.1, rng=np.random.RandomState(seed))


def by_records(network: Network, dataset: Dataset) -> None:
    inputs, wanted = scaled(dataset.images), targets(dataset.known_labels)
    for record in range(len(dataset)):
        network.train(inputs[record], wanted[record])


@pytest.mark.slow
@pytest.mark.parametrize("learn", [by_records, Network.fit], ids=["train", "fit"])
def test_after_2000_records_the_weights_are_those_of_the_equations(
    digits: Dataset, transcribed: Transcribed, learn: Callable[[Network, Dataset], Any]
) -> None:
    """1e-12 of weights around 0.1: what 2,000 float64 updates in another order come to."""
    network = posts()
    start = network.wih.copy(), network.who.copy()
    learn(network, digits)
    np.testing.assert_allclose(network.wih, transcribed.wih, rtol=0, atol=1e-12)
    np.testing.assert_allclose(network.who, transcribed.who, rtol=0, atol=1e-12)
    assert np.abs(network.wih - start[0]).max() > 0.1
    assert np.abs(network.who - start[1]).max() > 0.1


@pytest.mark.parametrize("count", [1, 31, 32, 33, 65])
def test_fit_is_train_wherever_its_blocks_end(digits: Dataset, count: int) -> None:
    """1e-13: rounding of up to 65 updates."""
    dataset = digits.subset(slice(count))
    one, other = posts(), posts()
    by_records(one, dataset)
    other.fit(dataset)
    np.testing.assert_allclose(other.wih, one.wih, rtol=0, atol=1e-13)
    np.testing.assert_allclose(other.who, one.who, rtol=0, atol=1e-13)


def test_epochs_are_one_after_the_other(digits: Dataset) -> None:
    dataset = digits.subset(slice(100))
    together, apart = posts(20), posts(20)
    loss = together.fit(dataset, epochs=3)
    assert [apart.fit(dataset) for _ in range(3)][-1] == loss
    assert np.array_equal(together.wih, apart.wih)
    assert np.array_equal(together.who, apart.who)


def test_the_loss_of_fit_is_the_mean_of_each_record_before_its_update(digits: Dataset) -> None:
    """1e-12: sums of 100 · 10 float64 terms, in another order."""
    dataset = digits.subset(slice(100))
    one, other = posts(20), posts(20)
    total = 0.0
    for inputs, wanted in zip(scaled(dataset.images), targets(dataset.known_labels), strict=True):
        total += 0.5 * float(((wanted - one.query(inputs)[:, 0]) ** 2).sum())
        one.train(inputs, wanted)
    assert other.fit(dataset) == pytest.approx(total / 100, rel=1e-12)


def test_fit_reports_every_record_once(digits: Dataset) -> None:
    reports: list[tuple[int, int]] = []
    posts(20).fit(digits.subset(slice(70)), 2, report=lambda *at: reports.append(at))
    assert reports == [(done, 140) for done in (32, 64, 70, 102, 134, 140)]


@pytest.mark.slow
def test_the_posts_accuracies_after_each_epoch() -> None:
    """The post's own code reaches these with this seed; ± 0.0002 is two pictures of 10,000."""
    network = posts()
    train_set, test_set = load("mnist:train"), load("mnist:test")
    accuracies = []
    for _ in range(5):
        network.fit(train_set)
        accuracies.append(network.score(test_set))
    assert accuracies == pytest.approx([0.9566, 0.9673, 0.9695, 0.9726, 0.9716], abs=0.0002)


def test_without_a_generator_the_global_one_draws_the_posts_weights() -> None:
    np.random.seed(1)  # noqa: NPY002 - the post's own way
    wih = np.random.normal(0.0, pow(784, -0.5), (200, 784))  # noqa: NPY002
    who = np.random.normal(0.0, pow(10, -0.5), (10, 200))  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    network = Network(784, 200, 10, 0.1)
    assert np.array_equal(network.wih, wih)
    assert np.array_equal(network.who, who)
    assert np.array_equal(posts().wih, wih)


def test_with_a_generator_the_global_one_is_left_alone() -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = (Network(784, 20, 10, 0.1, rng=np.random.default_rng(1)) for _ in range(2))
    assert np.array_equal(first.wih, second.wih)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


# The names below are the post's, line for line where NumPy 2 still has what it used.
def test_the_posts_cells_run_unchanged(digits: Dataset, tmp_path: Path) -> None:
    neuralNetwork = Network  # noqa: N806
    save(digits.subset(slice(200)), tmp_path / "mnist_train_100.csv")

    input_nodes = 784
    hidden_nodes = 200
    output_nodes = 10
    learning_rate = 0.1
    n = neuralNetwork(input_nodes, hidden_nodes, output_nodes, learning_rate)
    assert (n.inodes, n.hnodes, n.onodes, n.lrate) == (784, 200, 10, 0.1)

    training_data_file = open(tmp_path / "mnist_train_100.csv")  # noqa: SIM115
    training_data_list = training_data_file.readlines()
    training_data_file.close()

    epochs = 5
    for _e in range(epochs):
        for record in training_data_list:
            all_values = record.split(",")
            inputs = np.asarray(all_values[1:], dtype=float) / 255.0 * 0.99 + 0.01
            targets = np.zeros(output_nodes) + 0.01
            targets[int(all_values[0])] = 0.99
            n.train(inputs, targets)

    scorecard = []
    for record in training_data_list:
        all_values = record.split(",")
        correct_label = int(all_values[0])
        inputs = np.asarray(all_values[1:], dtype=float) / 255.0 * 0.99 + 0.01
        outputs = n.query(inputs)
        assert outputs.shape == (10, 1)
        label = np.argmax(outputs)
        scorecard.append(1 if label == correct_label else 0)

    scorecard_array = np.asarray(scorecard)
    assert scorecard_array.sum() / scorecard_array.size > 0.8
    assert n.activation(np.zeros(3)).tolist() == [0.5, 0.5, 0.5]


def test_the_activation_is_the_networks_own() -> None:
    """Whoever puts another in its place gets what that one answers."""
    network = posts(20)
    network.activation = lambda x: 0 * x + 0.25
    assert network.query(np.zeros(784)).tolist() == [[0.25]] * 10


def test_lists_and_arrays_are_the_same_records(digits: Dataset) -> None:
    inputs, wanted = scaled(digits.images[:1])[0], targets(digits.known_labels[:1])[0]
    one, other = posts(20), posts(20)
    one.train(inputs, wanted)
    other.train(inputs.tolist(), wanted.tolist())
    assert np.array_equal(one.wih, other.wih)
    assert np.array_equal(one.who, other.who)
    assert np.array_equal(one.query(inputs), other.query(inputs.tolist()))


def test_records_given_are_not_written_to(digits: Dataset) -> None:
    inputs, wanted = scaled(digits.images[:1])[0], targets(digits.known_labels[:1])[0]
    inputs.flags.writeable = wanted.flags.writeable = False  # writing into them raises
    network = posts(20)
    network.train(inputs, wanted)
    network.query(inputs)


@pytest.mark.parametrize(
    ("inputs", "wanted", "message"),
    [
        (np.zeros(783), np.zeros(10), "expected 784 inputs, got an array of shape (783,)"),
        (np.zeros(785), np.zeros(10), "expected 784 inputs, got an array of shape (785,)"),
        (np.zeros((784, 1)), np.zeros(10), "expected 784 inputs, got an array of shape (784, 1)"),
        (np.zeros((2, 784)), np.zeros(10), "expected 784 inputs, got an array of shape (2, 784)"),
        (np.zeros((28, 28)), np.zeros(10), "expected 784 inputs, got an array of shape (28, 28)"),
        ([], np.zeros(10), "expected 784 inputs, got an array of shape (0,)"),
        (np.zeros(784), np.zeros(9), "expected 10 targets, got an array of shape (9,)"),
        (np.zeros(784), [0.99], "expected 10 targets, got an array of shape (1,)"),
        (np.zeros(784), 0.99, "expected 10 targets, got an array of shape ()"),
    ],
)
def test_a_wrong_number_of_numbers_is_refused(inputs: Any, wanted: Any, message: str) -> None:
    network = posts(20)
    before = network.wih.copy(), network.who.copy()
    with pytest.raises(DataError) as caught:
        network.train(inputs, wanted)
    assert str(caught.value) == message
    assert np.array_equal(network.wih, before[0])
    assert np.array_equal(network.who, before[1])
    if "inputs" in message:
        with pytest.raises(DataError) as caught:
            network.query(inputs)
        assert str(caught.value) == message


def test_what_cannot_be_fitted_is_refused(digits: Dataset) -> None:
    with pytest.raises(DataError, match="expected labelled digits, got images without labels"):
        posts(20).fit(Dataset(digits.images))
    with pytest.raises(DataError, match="expected at least one labelled digit to learn from"):
        posts(20).fit(digits.subset([]))
    few = Network(784, 20, 3, 0.1, rng=np.random.default_rng(1))
    with pytest.raises(DataError, match="expected labels below 3, got 9: add outputs"):
        few.fit(digits)
    small = Network(196, 20, 10, 0.1, rng=np.random.default_rng(1))
    with pytest.raises(DataError, match="expected a network of 784 inputs for 28 × 28, got 196"):
        small.fit(digits)


def test_the_score_is_the_share_of_records_that_query_gets_right(digits: Dataset) -> None:
    network = posts(20)
    network.fit(digits)
    others = load("mnist:test").subset(slice(150))
    right = sum(
        int(np.argmax(network.query(inputs)) == label)
        for inputs, label in zip(scaled(others.images), others.known_labels, strict=True)
    )
    assert 30 < right < 150
    assert network.score(others) == right / 150


def test_what_cannot_be_scored_is_refused(digits: Dataset) -> None:
    with pytest.raises(DataError, match="expected labelled digits, got images without labels"):
        posts(20).score(Dataset(digits.images))
    with pytest.raises(DataError, match="expected at least one labelled digit to score, got none"):
        posts(20).score(digits.subset([]))


def test_scaled_and_targets_are_the_posts_lines(digits: Dataset) -> None:
    images = digits.images[:3]
    expected = np.asarray(images, dtype=float).reshape(3, 784) / 255.0 * 0.99 + 0.01
    assert np.array_equal(scaled(images), expected)
    assert scaled(np.array([[[0]], [[255]]], np.uint8)).tolist() == [[0.01], [1.0]]
    assert targets(np.array([2, 0], np.uint8), 3).tolist() == [
        [0.01, 0.01, 0.99],
        [0.99, 0.01, 0.01],
    ]


def test_a_saved_network_loads_to_the_same_bits(digits: Dataset, tmp_path: Path) -> None:
    network = Network(784, 20, 10, 0.3, rng=np.random.default_rng(1))
    network.fit(digits.subset(slice(100)))
    network.save(tmp_path / "post.npz")
    loaded = Network.load(str(tmp_path / "post.npz"))
    assert loaded.wih.tobytes() == network.wih.tobytes()
    assert loaded.who.tobytes() == network.who.tobytes()
    assert (loaded.inodes, loaded.hnodes, loaded.onodes, loaded.lrate) == (784, 20, 10, 0.3)
    # And it goes on learning as if it had never been away.
    assert loaded.fit(digits) == network.fit(digits)
    assert np.array_equal(loaded.wih, network.wih)


class Trap:
    """Unpickling it makes the file that it names."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


GOOD: dict[str, Any] = {"wih": np.zeros((3, 4)), "who": np.zeros((2, 3)), "lrate": 0.1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"wih": None}, "does not hold a network of the post"),
        ({"lrate": None}, "does not hold a network of the post"),
        ({"wih": np.zeros(4)}, "expected wih (hnodes, inodes) and who (onodes, hnodes), got (4,) "),
        ({"who": np.zeros((2, 4))}, "and who (onodes, hnodes), got (3, 4) and (2, 4)"),
        ({"wih": np.zeros((0, 4)), "who": np.zeros((2, 0))}, "got (0, 4) and (2, 0)"),
        ({"wih": np.zeros((3, 0))}, "got (3, 0) and (2, 3)"),
        ({"who": np.zeros((0, 3))}, "got (3, 4) and (0, 3)"),
        (
            {"wih": np.full((3, 4), np.nan)},
            "expected finite weights and rate, got infinite ones or",
        ),
        (
            {"who": np.full((2, 3), np.inf)},
            "expected finite weights and rate, got infinite ones or",
        ),
        ({"lrate": np.nan}, "expected finite weights and rate, got infinite ones or"),
        ({"lrate": np.zeros(2)}, "does not hold a network of the post"),
        ({"lrate": "quick"}, "does not hold a network of the post"),
        ({"wih": np.full((3, 4), "a")}, "does not hold a network of the post"),
        ({"wih": np.zeros((3, 4), complex)}, "does not hold a network of the post"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "post.npz"
    np.savez(path, **GOOD)
    assert Network.load(path).wih.shape == (3, 4)
    np.savez(path, **{key: value for key, value in {**GOOD, **change}.items() if value is not None})
    with pytest.raises(ModelError) as caught:
        Network.load(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_weights_of_another_type_become_float64(tmp_path: Path) -> None:
    np.savez(tmp_path / "post.npz", **{**GOOD, "wih": np.ones((3, 4), np.float32)})
    network = Network.load(tmp_path / "post.npz")
    assert network.wih.dtype == network.who.dtype == np.float64
    network.train(np.ones(4), np.ones(2))


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "post.npz"
    posts(20).save(path)
    content = path.read_bytes()
    foreign = [b"", b"PK\3\4", b"\x93NUMPY", b"GIF89a", b"5,0,0,0", b"\0" * 100]
    for bad in [*foreign, content[:100], content[:-100], content[: len(content) // 2]]:
        path.write_bytes(bad)
        with pytest.raises(ModelError, match=r"expected what Network\.save wrote, got"):
            Network.load(path)
    damaged = bytearray(content)
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(ModelError, match=r"expected what Network\.save wrote, got BadZipFile"):
        Network.load(path)
    with pytest.raises(ModelError, match=r"expected what Network\.save wrote, got"):
        Network.load(tmp_path)


def test_pickles_are_refused_and_run_nothing(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    path = tmp_path / "post.npz"
    np.savez(path, **{**GOOD, "wih": np.array([[Trap(sprung)]], object)})
    with pytest.raises(ModelError, match=r"expected what Network\.save wrote, got ValueError"):
        Network.load(path)
    pickled = pickle.dumps(Trap(sprung))
    path.write_bytes(pickled)
    with pytest.raises(ModelError, match=r"expected what Network\.save wrote, got"):
        Network.load(path)
    assert not sprung.exists()
    pickle.loads(pickled)
    assert sprung.exists()  # so the trap does work


def test_a_missing_file_is_answered_with_the_nearest(tmp_path: Path) -> None:
    posts(20).save(tmp_path / "post.npz")
    with pytest.raises(FileError, match=r"did you mean .*post\.npz\?"):
        Network.load(tmp_path / "pots.npz")


def test_the_recipe_ends_with_exactly_the_weights_of_fit(digits: Dataset) -> None:
    model = train("classic", digits, seed=1, epochs=2)
    network = posts()
    losses = [network.fit(digits) for _ in range(2)]
    wih, who = (own["weight"] for own in model.network.views(model.network.parameters) if own)
    assert np.array_equal(wih, network.wih)
    assert np.array_equal(who, network.who)
    assert [record["loss"] for record in model.card.history] == losses


def test_the_recipes_model_answers_as_query_does(digits: Dataset) -> None:
    """1e-12: float64 sums of 784 and 200 terms, in another order."""
    model = train("classic", digits, seed=1, epochs=1)
    network = posts()
    network.fit(digits)
    others = load("mnist:test").images[:100]
    logits = model.network.predict(others.transpose(1, 2, 0))
    answers = np.hstack([network.query(inputs) for inputs in scaled(others)])
    np.testing.assert_allclose(sigmoid(logits), answers, rtol=0, atol=1e-12)
    assert np.array_equal(model.predict(others), answers.argmax(axis=0))


def test_a_start_goes_on_as_if_the_run_had_never_stopped(digits: Dataset) -> None:
    recipe = find_recipe("classic")
    first = train(recipe, digits, seed=1, epochs=1)
    before = first.fingerprint
    # The seed is that of the first weights alone: the post shuffles nothing.
    further = train(recipe, digits, seed=99, epochs=2, start=first)
    assert further.fingerprint == train(recipe, digits, seed=1, epochs=3).fingerprint
    assert first.fingerprint == before
