"""Fine-tuning: an own hand is learned, the known ones are kept, and nothing held out is seen."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError, TrainingError
from inkdigits.model import Model
from inkdigits.sources import load
from inkdigits.sources.strokes import Hand, drawn, shape
from inkdigits.training import RECIPES, Checkpoints, Recipe, latest_checkpoint, train
from inkdigits.training.finetuning import KNOWN, PEAK, SHARE, OwnDigits, gentle

HAND = Hand(rotation_degrees=8, slant=0.1, aspect=0.15, wobble=0.02)


def pictures(dataset: Dataset) -> list[tuple[int, bytes]]:
    """Each digit as something that can be counted."""
    labels = dataset.known_labels.tolist()
    return [(label, image.tobytes()) for label, image in zip(labels, dataset.images, strict=True)]


def ones(count: int) -> Dataset:
    """Ones with a ring on top, as nobody in MNIST writes them."""
    strokes = [shape("50,14,16,14,0,360;50,28 50,100")] * count
    images = drawn(strokes, np.random.default_rng(1), HAND)
    return Dataset(images, np.ones(count, np.uint8))


@pytest.fixture(scope="module")
def known() -> Dataset:
    return load("mnist:train50")


@pytest.fixture(scope="module")
def start(known: Dataset) -> Model:
    """What reads MNIST well, and has not seen its validation digits."""
    return train("blink", known, seed=1)


# What is held out


def test_every_fifth_digit_is_held_out_and_none_lost(digits: Dataset) -> None:
    own = OwnDigits.parted(digits)
    assert own.held_out is not None
    assert len(own.held_out) == len(digits) // 5
    assert sorted(pictures(own.learned) + pictures(own.held_out)) == sorted(pictures(digits))


def test_each_label_gives_its_share_to_what_is_held_out(digits: Dataset) -> None:
    held_out = OwnDigits.parted(digits).held_out
    assert held_out is not None
    assert np.abs(held_out.counts() - digits.counts() / 5).max() < 1


def test_the_order_in_which_digits_come_changes_nothing(digits: Dataset) -> None:
    turned = digits.subset(slice(None, None, -1))
    one, other = OwnDigits.parted(digits), OwnDigits.parted(turned)
    assert one.settings() == other.settings()
    assert pictures(one.learned) == pictures(other.learned)


def test_a_digit_that_is_there_twice_is_not_both_learned_and_held_out(digits: Dataset) -> None:
    once = OwnDigits.parted(digits)
    twice = OwnDigits.parted(digits.joined(digits))
    assert pictures(twice.learned) == pictures(once.learned)


@pytest.mark.parametrize(("count", "held"), [(1, 0), (4, 0), (5, 1), (9, 1), (10, 2)])
def test_of_fewer_than_five_none_is_held_out(digits: Dataset, count: int, held: int) -> None:
    own = OwnDigits.parted(digits.subset(range(count)))
    assert len(own.learned) == count - held
    assert (0 if own.held_out is None else len(own.held_out)) == held


def test_digits_without_labels_cannot_be_taught(digits: Dataset) -> None:
    with pytest.raises(DataError, match="expected labelled digits"):
        OwnDigits.parted(Dataset(digits.images))
    with pytest.raises(DataError, match="expected at least one digit of your own, got none"):
        OwnDigits.parted(digits.subset(range(0)))


# What an epoch shows


def test_own_digits_of_all_labels_make_up_their_share_in_equal_parts(known: Dataset) -> None:
    own = OwnDigits.parted(load("mnist:validation").subset(range(200)))  # of which none is known
    mixture = own.mixed(known, seed=1)
    mine = set(pictures(own.learned))
    is_own = np.array([picture in mine for picture in pictures(mixture)])
    assert is_own.mean() == SHARE
    # Whoever learns in the order of the data, as `classic`, learns both all along.
    assert is_own[: len(is_own) // 2].mean() == pytest.approx(SHARE, abs=0.02)  # 4 σ
    assert mixture.subset(is_own).counts().tolist() == [KNOWN * SHARE / (1 - SHARE) / 10] * 10


def test_an_epoch_shows_none_of_what_is_held_out_and_all_of_the_rest(known: Dataset) -> None:
    own = OwnDigits.parted(ones(23))
    assert own.held_out is not None
    shown = pictures(own.mixed(known, seed=1))
    assert not set(shown) & set(pictures(own.held_out))
    times = [shown.count(picture) for picture in pictures(own.learned)]
    assert max(times) - min(times) <= 1 <= min(times)


def test_own_digits_of_one_label_at_most_double_it(known: Dataset) -> None:
    before = known.subset(np.sort(np.random.default_rng(0).permutation(len(known))[:3000]))
    counts = OwnDigits.parted(ones(20)).mixed(before, seed=1).counts()
    assert counts[1] == 2 * before.counts()[1]
    assert np.array_equal(np.delete(counts, 1), np.delete(before.counts(), 1))


def test_a_label_that_is_not_known_gets_the_whole_share(known: Dataset) -> None:
    others = known.subset(known.labels != 1)
    mixture = OwnDigits.parted(ones(20)).mixed(others, seed=1)
    assert mixture.counts()[1] == round(SHARE / (1 - SHARE) * KNOWN)


def test_many_own_digits_are_all_there_once(digits: Dataset, known: Dataset) -> None:
    own = OwnDigits.parted(known.subset(range(2000)))
    mixture = own.mixed(digits.subset(range(50)), seed=1)
    assert len(mixture) == 50 + len(own.learned)


def test_the_seed_alone_decides_which_known_digits_there_are_and_in_which_order(
    digits: Dataset, known: Dataset
) -> None:
    own = OwnDigits.parted(digits)
    one, again, other = (own.mixed(known, seed=seed).fingerprint for seed in (1, 1, 2))
    assert one == again != other


# The recipe


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "classic"])
def test_a_gentle_recipe_differs_in_rate_and_epochs_alone(name: str) -> None:
    recipe, kind = RECIPES[name], gentle(RECIPES[name])
    assert isinstance(recipe, Recipe)
    assert isinstance(kind, Recipe)
    changed = {
        each.name
        for each in fields(recipe)
        if getattr(kind, each.name) != getattr(recipe, each.name)
    }
    assert changed <= {"schedule", "epochs"}
    moments = np.linspace(0, 1, 101).tolist()
    highest = max(map(recipe.schedule, moments))
    assert max(map(kind.schedule, moments)) == pytest.approx(PEAK * highest, rel=1e-3)


def test_a_gentle_classic_has_a_lower_rate() -> None:
    kind = gentle(RECIPES["classic"])
    assert kind == replace(RECIPES["classic"], rate=PEAK * 0.1, epochs=1)


# What comes of it


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_twenty_digits_teach_a_hand_and_what_was_known_stays(
    start: Model, known: Dataset, seed: int
) -> None:
    """20 ones with a ring on top: the model took most of them for nines."""
    validation = load("mnist:validation")
    hand = ones(220)
    own, others = OwnDigits.parted(hand.subset(range(20))), hand.subset(range(20, 220))
    recipe = gentle(RECIPES["blink"])
    model = train(recipe, own.mixed(known, seed=seed), seed=seed, start=start)
    assert start.evaluate(others).accuracy < 0.5
    assert model.evaluate(others).accuracy > 0.9
    lost = start.evaluate(validation).accuracy - model.evaluate(validation).accuracy
    assert lost < 0.003
    assert model.card.started_from == start.fingerprint


def test_without_the_known_digits_they_would_be_forgotten(start: Model) -> None:
    """Why there is a mixture at all."""
    model = train(gentle(RECIPES["blink"]), ones(2500), seed=1, start=start)
    validation = load("mnist:validation")
    lost = start.evaluate(validation).accuracy - model.evaluate(validation).accuracy
    assert lost > 0.03  # ten times what a lesson may cost


# The card


def test_the_card_says_what_was_mixed(start: Model, known: Dataset) -> None:
    own = OwnDigits.parted(ones(20))
    model = train(
        "blink", own.mixed(known, seed=1).subset(range(300)), start=start, besides=own.settings()
    )
    settings = model.card.settings
    assert settings["own_data"] == own.learned.fingerprint
    assert (settings["own_digits"], settings["own_share"]) == (16, SHARE)
    assert settings["batch"] == RECIPES["blink"].settings()["batch"]


def test_a_model_hands_on_its_temperature_and_threshold_but_no_promise(
    start: Model, digits: Dataset
) -> None:
    calibration = {"temperature": 1.5, "threshold": 0.25, "curve": [[0.25, 0.9, 0.5]]}
    calibrated = start.with_calibration(calibration)
    kept = {"temperature": 1.5, "threshold": 0.25, "inherited": start.fingerprint}
    child = train("blink", digits, start=calibrated)
    assert child.card.calibration == kept
    # It was measured on the first, however many models come after it.
    assert train("blink", digits, start=child).card.calibration == kept
    assert train("blink", digits, start=start).card.calibration is None


def test_a_run_that_goes_on_keeps_the_calibration_and_refuses_other_own_digits(
    start: Model, digits: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("runs") / "m.checkpoints"
    calibrated = start.with_calibration({"temperature": 1.5, "threshold": 0.25})
    besides = OwnDigits.parted(digits).settings()
    whole = train(
        "blink",
        digits,
        start=calibrated,
        besides=besides,
        checkpoints=Checkpoints(folder=folder, every_steps=1),
    )
    checkpoint = latest_checkpoint(folder)
    model = train("blink", digits, resume=checkpoint, besides=besides)
    assert model.card.calibration == whole.card.calibration
    assert model.card.calibration == {
        "temperature": 1.5, "threshold": 0.25, "inherited": start.fingerprint,
    }  # fmt: skip
    assert model.fingerprint == whole.fingerprint
    with pytest.raises(TrainingError, match="it has own_data"):
        train("blink", digits, resume=checkpoint, besides=besides | {"own_data": "others"})
