"""The post's network, with its own names: 784 inputs, 200 hidden units, 10 outputs, no bias.

    hidden = σ(wih · x)      final = σ(who · hidden)

One record at a time, in the order of the file::

    e   = target − final                       what is wrong with the answer
    e_h = whoᵀ · e                             how much of that each hidden unit answers for
    who += lrate · (e · final · (1 − final)) · hiddenᵀ
    wih += lrate · (e_h · hidden · (1 − hidden)) · xᵀ

`train` and `query` are the post's, a record at a time. `fit` makes the same updates, an order of
magnitude faster.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inkdigits.dataset import DIGITS, SIDE, Dataset
from inkdigits.errors import DataError, ModelError
from inkdigits.files import existing, written_whole
from inkdigits.network.activations import sigmoid
from inkdigits.parallel import blas_on_one_thread

__all__ = ["INK_OFFSET", "INK_SCALE", "TARGET_HIGH", "TARGET_LOW", "Network", "scaled", "targets"]

Floats = NDArray[np.float64]

# The post's scaling, in this one place: pixels from 0.01 to 1, because an input of 0 moves no
# weight, and targets of 0.01 and 0.99, because a sigmoid never gives 0 or 1.
INK_SCALE = 0.99
INK_OFFSET = 0.01
TARGET_LOW = 0.01
TARGET_HIGH = 0.99

BLOCK = 32  # records: longer blocks make larger products, but each record looks back on its block
SCORED_AT_ONCE = 2_000  # records: 13 MB of inputs


def scaled(images: NDArray[np.uint8]) -> Floats:
    """The post's inputs: /255 · 0.99 + 0.01, shape (N, 784), float64."""
    return images.reshape(len(images), -1) / 255.0 * INK_SCALE + INK_OFFSET


def targets(labels: NDArray[np.uint8], outputs: int = DIGITS) -> Floats:
    """The post's targets, shape (N, outputs): 0.99 for the labelled digit, 0.01 for the others."""
    wanted = np.full((len(labels), outputs), TARGET_LOW)
    wanted[np.arange(len(labels)), labels] = TARGET_HIGH
    return wanted


class Network:
    """The post's `neuralNetwork`: three layers of nodes, sigmoid, one learning rate.

    Args:
        inodes: input nodes, 784 for a picture of 28 × 28.
        hnodes: hidden nodes.
        onodes: output nodes, one for each digit.
        lrate: learning rate.
        rng: draws the first weights; anything with NumPy's `normal`, as
            `numpy.random.default_rng(1)`. Without it NumPy's global generator does, so that
            `numpy.random.seed(1)` before this line means what it meant in the post.

    Attributes:
        wih: weights from input to hidden, shape (hnodes, inodes), from N(0, inodes^-½) at first.
        who: weights from hidden to output, shape (onodes, hnodes), from N(0, onodes^-½) at first.
        activation: the sigmoid.
    """

    def __init__(
        self, inodes: int, hnodes: int, onodes: int, lrate: float, *, rng: Any = None
    ) -> None:
        self.inodes = inodes
        self.hnodes = hnodes
        self.onodes = onodes
        self.lrate = lrate
        normal = np.random.normal if rng is None else rng.normal
        self.wih: Floats = normal(0.0, inodes**-0.5, (hnodes, inodes))
        self.who: Floats = normal(0.0, onodes**-0.5, (onodes, hnodes))
        self.activation: Callable[[Any], Any] = sigmoid

    def train(self, inputs_list: ArrayLike, targets_list: ArrayLike) -> None:
        """Learns from one record: `inodes` inputs (0.01 to 1) and `onodes` targets.

        Raises:
            DataError: there are more or fewer numbers than nodes.
        """
        inputs = column(inputs_list, self.inodes, "inputs")
        wanted = column(targets_list, self.onodes, "targets")
        hidden = self.activation(self.wih @ inputs)
        final = self.activation(self.who @ hidden)
        output_errors = wanted - final
        hidden_errors = self.who.T @ output_errors  # with `who` as it was
        self.who += self.lrate * (output_errors * final * (1.0 - final)) @ hidden.T
        self.wih += self.lrate * (hidden_errors * hidden * (1.0 - hidden)) @ inputs.T

    def query(self, inputs_list: ArrayLike) -> Floats:
        """The outputs for one record, a column of shape (onodes, 1).

        Raises:
            DataError: there are more or fewer numbers than input nodes.
        """
        inputs = column(inputs_list, self.inodes, "inputs")
        outputs: Floats = self.activation(self.who @ self.activation(self.wih @ inputs))
        return outputs

    def fit(
        self,
        dataset: Dataset,
        epochs: int = 1,
        *,
        report: Callable[[int, int], None] | None = None,
    ) -> float:
        """`train` on every record of `dataset`, in its order, `epochs` times: the same updates.

        A record must see the weights that the records before it left behind, so the post's loop
        moves all of `wih` for each. But W + Σₐdₐxₐᵀ applied to x is Wx + Σₐ dₐ (xₐᵀx): within a
        block it is enough to know the deltas d and the products xₐᵀx of its records. So the large
        products, W X before a block and W += D Xᵀ after it, are done once for 32 records, as
        matrix products (docs/derivations.md). The weights differ from the loop's by rounding
        alone, about 1e-15.

        Args:
            dataset: labelled digits.
            epochs: how many times through it.
            report: called after each block with the number of records done and of all.

        Returns:
            The mean loss ½ Σ (target − output)² over the records of the last epoch, each as it
            was before its own update.

        Raises:
            DataError: the dataset has no labels, or labels that the network has no output for.
        """
        labels = dataset.known_labels
        if self.inodes != SIDE * SIDE:
            raise DataError(f"expected a network of 784 inputs for 28 × 28, got {self.inodes}")
        if len(labels) and labels.max() >= self.onodes:
            raise DataError(f"expected labels below {self.onodes}, got {labels.max()}: add outputs")
        if not len(labels):
            raise DataError("expected at least one labelled digit to learn from, got none")
        loss = 0.0
        with blas_on_one_thread():
            for epoch in range(epochs):
                loss = 0.0
                for start in range(0, len(labels), BLOCK):
                    block = slice(start, start + BLOCK)
                    inputs = np.ascontiguousarray(scaled(dataset.images[block]).T)
                    loss += self._fit_block(inputs, targets(labels[block], self.onodes).T)
                    if report is not None:
                        done = min(start + BLOCK, len(labels))
                        report(epoch * len(labels) + done, epochs * len(labels))
        return loss / len(labels)

    def _fit_block(self, inputs: Floats, wanted: Floats) -> float:
        """`train` on the columns of `inputs` (inodes, B) and `wanted` (onodes, B), one by one."""
        before = self.wih @ inputs  # (hnodes, B): as if no record of the block changed `wih`
        products = inputs.T @ inputs  # (B, B)
        deltas = np.zeros_like(before)  # what each record adds to `wih`, less its inputs
        errors = np.empty_like(wanted)
        for record in range(inputs.shape[1]):
            earlier = deltas[:, :record] @ products[:record, record]
            hidden = self.activation(before[:, record] + earlier)
            final = self.activation(self.who @ hidden)
            errors[:, record] = output_errors = wanted[:, record] - final
            hidden_errors = output_errors @ self.who
            output_deltas = self.lrate * output_errors * final * (1.0 - final)
            self.who += output_deltas[:, np.newaxis] * hidden
            deltas[:, record] = self.lrate * hidden_errors * hidden * (1.0 - hidden)
        self.wih += deltas @ inputs.T
        return 0.5 * float(np.vdot(errors, errors))

    def score(self, dataset: Dataset) -> float:
        """The share of `dataset` whose largest output is that of its label."""
        labels = dataset.known_labels
        if not len(labels):
            raise DataError("expected at least one labelled digit to score, got none")
        correct = 0
        for start in range(0, len(labels), SCORED_AT_ONCE):
            part = slice(start, start + SCORED_AT_ONCE)
            hidden = self.activation(self.wih @ scaled(dataset.images[part]).T)
            answers = np.argmax(self.who @ hidden, axis=0)  # σ rises: the largest stays the largest
            correct += int((answers == labels[part]).sum())
        return correct / len(labels)

    def save(self, path: str | Path) -> None:
        """Writes nodes, rate and weights to an .npz file, whole or not at all."""
        with written_whole(path) as temporary, temporary.open("wb") as file:
            np.savez(file, wih=self.wih, who=self.who, lrate=self.lrate)

    @classmethod
    def load(cls, path: str | Path) -> Network:
        """The network that `save` wrote.

        Raises:
            FileError: there is no such file.
            ModelError: the file holds something else.
        """
        path = existing(path)
        try:
            with zipfile.ZipFile(path) as archive:  # what is stored as it is cannot grow in memory
                if any(member.compress_type for member in archive.infolist()):
                    raise ValueError
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                wih, who = (
                    arrays[name].astype(np.float64, casting="same_kind") for name in ("wih", "who")
                )
                lrate = float(arrays["lrate"])
        except Exception as error:
            raise ModelError(
                f"{path} does not hold a network of the post: expected what Network.save wrote, "
                f"got {type(error).__name__}"
            ) from error
        if wih.ndim != 2 or who.ndim != 2 or who.shape[1] != len(wih) or 0 in (wih.size, who.size):
            raise ModelError(
                f"{path}: expected wih (hnodes, inodes) and who (onodes, hnodes), "
                f"got {wih.shape} and {who.shape}"
            )
        if not all(np.isfinite(numbers).all() for numbers in (wih, who, lrate)):
            raise ModelError(
                f"{path}: expected finite weights and rate, got infinite ones or no numbers"
            )
        network = cls(wih.shape[1], wih.shape[0], who.shape[0], lrate, rng=np.random.default_rng(0))
        network.wih, network.who = wih, who
        return network


def column(values: ArrayLike, nodes: int, what: str) -> Floats:
    """`values` as the post makes them a column: shape (nodes, 1), float64."""
    array = np.array(values, dtype=np.float64, ndmin=2).T
    if array.shape != (nodes, 1):
        raise DataError(f"expected {nodes} {what}, got an array of shape {np.shape(values)}")
    return array
