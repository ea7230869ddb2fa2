"""Explaining: each decision is tried the other way, and the one that mends a digit is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError
from inkdigits.glyph import STROKE_WIDTHS
from inkdigits.model import Card, Model
from inkdigits.network import Dense, Flatten, Network, Rescale
from inkdigits.reading import Explanation, Picture, explain, prepare, read_digit
from inkdigits.reading.advice import CHANGES, CHECKS, Seen

PAPER, DARK = 230, 30


def model_of(weight: NDArray[np.float32], *bias: float) -> Model:
    """One layer by hand: logits are these weights (10, 28, 28) on ink of 0 to 1, and a bias."""
    network = Network([Rescale(1 / 255), Flatten(), Dense(784, 10)])
    views = network.views(network.parameters)[2]
    views["weight"][:] = weight.reshape(10, 784)
    views["bias"][:] = bias
    card = Card(recipe="hand", settings={}, seed=0, epochs=0, data="", version="", seconds=0.0)
    return Model(network, card)


@pytest.fixture(scope="module")
def bars() -> Model:
    """A model that looks for a 7's bar, left above the middle: with it a 7, without it a 1."""
    weight = np.zeros((10, 28, 28), np.float32)
    weight[7, 4:9, 5:11] = 1
    return model_of(weight, -20, 0, -20, -20, -20, -20, -20, -4, -20, -20)


@pytest.fixture(scope="module")
def stubborn() -> Model:
    """A model that says 7 to everything."""
    return model_of(np.zeros((10, 28, 28), np.float32), 0, 0, 0, 0, 0, 0, 0, 9, 0, 0)


def sheet(width: int = 200, height: int = 200) -> NDArray[np.uint8]:
    return np.full((height, width, 3), PAPER, np.uint8)


def pictured(pixels: NDArray[np.uint8]) -> Picture:
    return Picture(pixels, (pixels.shape[1], pixels.shape[0]))


def one() -> NDArray[np.uint8]:
    """A stroke of ink."""
    pixels = sheet()
    pixels[40:160, 110:120] = DARK
    return pixels


def seven() -> NDArray[np.uint8]:
    pixels = one()
    pixels[40:50, 50:120] = DARK
    return pixels


def faint_bar() -> NDArray[np.uint8]:
    pixels = one()
    pixels[40:50, 50:110] = PAPER - 40
    return pixels


def bar_apart() -> NDArray[np.uint8]:
    pixels = one()
    pixels[40:50, 40:80] = DARK
    return pixels


def names(explanation: Explanation) -> list[str]:
    return [trial.change.name for trial in explanation.telling]


# The moment it is for


def test_a_seven_whose_bar_is_too_faint_is_mended_by_counting_it_in(bars: Model) -> None:
    explanation = explain(pictured(faint_bar()), bars, expected=7)
    assert explanation.reading.digit == 1
    assert explanation.telling[0].digit == 7
    assert names(explanation) == ["with the faintest ink counted in"]
    assert explanation.verdict.startswith("It looks like a 1, ")
    assert "and not like a 7" in explanation.verdict
    (advice,) = explanation.advice
    assert advice.startswith("Part of it may be too faint: with the faintest ink counted in it ")
    assert "reads as 7" in advice
    assert advice.endswith("Press harder, or photograph it in better light.")


def test_a_seven_whose_bar_stands_apart_is_mended_by_counting_all_in(bars: Model) -> None:
    explanation = explain(pictured(bar_apart()), bars, expected=7)
    assert explanation.reading.digit == 1
    assert names(explanation) == ["with all that is there counted in"]
    assert "taken for a speck or a neighbour" in explanation.advice[0]
    assert explanation.advice[0].endswith("Let its strokes touch each other.")


def test_a_seven_whose_bar_runs_from_rim_to_rim_is_mended_by_counting_lines_in(
    bars: Model,
) -> None:
    pixels = sheet(width=90)
    pixels[40:160, 70:76] = DARK
    pixels[40:44] = DARK
    explanation = explain(pictured(pixels), bars, expected=7)
    assert explanation.reading.digit == 1
    assert names(explanation) == ["with lines counted in"]
    assert explanation.seen is not None
    assert explanation.seen.lines > 0.1
    assert explanation.advice[0].startswith("A stroke may have been taken for a ruled line: ")


def test_a_right_reading_that_a_change_alters_is_not_called_firm(bars: Model) -> None:
    explanation = explain(pictured(faint_bar()), bars)
    assert explanation.right
    (said,) = explanation.advice
    assert said.startswith(f"One of {len(explanation.trials)} changes would alter it: ")
    assert "with the faintest ink counted in it reads as 7" in said


def test_where_no_change_mends_it_the_command_that_teaches_it_is_named(bars: Model) -> None:
    explanation = explain(pictured(one()), bars, expected=4, name="'my 4.png'")
    assert explanation.telling == []
    assert explanation.advice[-1] == (
        "No single change mends it. Write it more clearly, or teach the network your hand: "
        "inkdigits teach 'my 4.png' --label 4"
    )


def test_where_there_is_no_command_line_no_command_is_advised(bars: Model) -> None:
    for name, commands in (("one.png", True), (None, False)):
        unmended = explain(pictured(one()), bars, expected=4, name=name)
        assert ("inkdigits teach" in unmended.advice[-1]) == commands
        answers = replace(unmended.reading.answers, not_a_digit=np.array([0.9]))
        doubted = replace(
            unmended, expected=None, reading=replace(unmended.reading, answers=answers)
        )
        assert doubted.advice[0].startswith("It may be no digit, and then all is well.")
        assert ("--expected" in doubted.advice[0]) == commands


def test_where_the_reading_is_right_it_is_said_how_firm_it_is(stubborn: Model) -> None:
    for expected in (None, 7):
        explanation = explain(pictured(seven()), stubborn, expected=expected)
        assert explanation.right
        assert explanation.telling == []
        count = len(explanation.trials)
        assert explanation.advice == [f"The reading is firm: none of {count} changes alters it."]
        assert explanation.verdict.endswith("sure, as it should." if expected == 7 else "sure.")


def test_an_unsure_reading_is_mended_by_what_makes_it_sure(bars: Model) -> None:
    explanation = explain(pictured(faint_bar()), bars, threshold=0.999)
    assert explanation.reading.rejected
    assert not explanation.right
    assert all(trial.confidence >= 0.999 for trial in explanation.trials if trial.changed)


def test_a_change_to_another_digit_than_the_expected_mends_nothing(bars: Model) -> None:
    explanation = explain(pictured(faint_bar()), bars, expected=4)
    assert any(trial.changed and trial.digit == 7 for trial in explanation.trials)
    assert explanation.telling == []
    assert explanation.advice[-1].startswith("No single change mends it.")


def test_an_answer_that_nobody_knows_is_told_the_pictures_faults_unless_it_is_sure() -> None:
    pixels = one()
    pixels[:60, 110:120] = DARK  # from the upper rim on
    for logit, faults in ((4.0, 1), (9.0, 0)):  # 86 % and 99.9 % sure
        model = model_of(np.zeros((10, 28, 28), np.float32), 0, logit, *[0] * 8)
        for expected in (None, 1):
            said = explain(pictured(pixels), model, expected=expected).advice
            assert said[0].startswith("The reading is firm: ")
            touching = [sentence for sentence in said if "picture's rim (top)" in sentence]
            assert len(touching) == len(said) - 1 == (faults if expected is None else 0)


def test_an_answer_that_is_not_clear_alters_nothing(bars: Model) -> None:
    picture = pictured(faint_bar())
    (trial,) = explain(picture, bars).telling
    for threshold, altered in ((trial.confidence - 0.01, 1), (trial.confidence + 0.01, 0)):
        explanation = explain(picture, bars, threshold=threshold)
        assert explanation.right
        assert sum(each.changed for each in explanation.trials) == altered


# What is tried


@pytest.mark.slow
@pytest.mark.parametrize("draw", [one, seven, faint_bar, bar_apart])
def test_a_trial_is_the_picture_read_with_that_one_choice(
    bars: Model, draw: Callable[[], NDArray[np.uint8]]
) -> None:
    picture = pictured(draw())
    explanation = explain(picture, bars)
    usual = prepare(picture).glyph
    tried = {trial.change.name: trial for trial in explanation.trials}
    for change in CHANGES:
        reading = read_digit(picture, bars, choices=change.choices)
        glyph = reading.prepared.glyph
        assert (change.name in tried) == (not np.array_equal(glyph, usual)), change.name
        if change.name in tried:
            trial = tried[change.name]
            assert np.array_equal(trial.glyph, glyph)
            assert trial.digit == reading.digit
            # Several glyphs in one product: float32's rounding may move the last digits.
            assert trial.confidence == pytest.approx(reading.confidence, rel=1e-5)


def test_the_reading_itself_is_the_one_without_an_explanation(some: Dataset, blink: Model) -> None:
    picture = pictured(np.repeat(255 - some.images[3].repeat(5, 0).repeat(5, 1)[..., None], 3, 2))
    explained, alone = explain(picture, blink).reading, read_digit(picture, blink)
    assert np.array_equal(explained.answers.probabilities, alone.answers.probabilities)
    assert explained.as_single() == alone.as_single()
    assert explained.prepared.box == alone.prepared.box


def test_of_several_changes_that_point_to_one_cause_the_surest_alone_is_named(bars: Model) -> None:
    explanation = explain(pictured(faint_bar()), bars, expected=7)
    weaker = replace(explanation.telling[0], confidence=0.6, change=CHANGES[2])
    assert weaker.change.why == explanation.telling[0].change.why
    both = replace(explanation, trials=[weaker, *explanation.trials])
    assert [trial.confidence for trial in both.telling] == [explanation.telling[0].confidence]


def test_no_two_changes_have_one_name_or_are_the_same_choice() -> None:
    assert len({change.name for change in CHANGES}) == len(CHANGES)
    assert len({change.choices for change in CHANGES}) == len(CHANGES)


# What is seen

GOOD = Seen(
    ink="dark",
    contrast=150.0,
    noise=2.0,
    lines=0.0,
    left_out=0.0,
    box=(10, 10, 60, 90),
    rims=[],
    stroke_width=2.2,
    lean_degrees=3.0,
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"left_out": 0.97}, "many specks"),
        ({"contrast": 31.0}, "only 31 of 255 darker than the paper"),
        ({"contrast": 31.0, "ink": "light"}, "only 31 of 255 lighter than the paper"),
        ({"noise": 30.0}, "the paper varies by 30 of 255 where the ink differs by 150"),
        ({"box": (3, 3, 5, 9)}, "only 9 pixels large"),
        ({"rims": ["top", "left"]}, "touches the picture's rim (top, left)"),
        ({"lines": 0.4}, "40 % of what stood out"),
        ({"left_out": 0.3}, "30 % of the ink was left out"),
        ({"stroke_width": 0.3}, "thin as hair for its size: 0.3 wide"),
        ({"stroke_width": 6.0}, "very thick for its size: 6.0 wide"),
        ({"lean_degrees": -31.0}, "leans 31° to the left"),
    ],
)
def test_each_fault_of_a_picture_is_found_and_told_by_its_measure(
    bars: Model, other: dict[str, Any], said: str
) -> None:
    assert not any(check.holds(GOOD) for check in CHECKS)
    seen = replace(GOOD, **other)
    check, *more = (check for check in CHECKS if check.holds(seen))
    assert said in check.words(seen)
    assert more == [] or check.final
    unmended = replace(explain(pictured(one()), bars, expected=4), seen=seen)
    assert unmended.advice[0] == f"{check.words(seen)} {check.remedy}"
    assert len(unmended.advice) == (1 if check.final else 2)


def test_a_remedy_is_named_once_whatever_it_follows_from(bars: Model) -> None:
    explanation = explain(pictured(faint_bar()), bars, expected=7)
    assert explanation.seen is not None
    faint = replace(explanation, seen=replace(explanation.seen, contrast=31.0))
    assert sum("Press harder" in said for said in faint.advice) == 1


def test_what_is_seen_is_measured_on_the_picture(bars: Model) -> None:
    pixels = one()
    pixels[60:] = np.where(pixels[60:] == DARK, PAPER, pixels[60:])
    pixels[:60, 110:120] = DARK  # from the upper rim on
    seen = explain(pictured(pixels), bars).seen
    assert seen is not None
    assert seen.ink == "dark"
    assert seen.contrast == pytest.approx(PAPER - DARK, abs=2)
    assert seen.rims == ["top"]
    assert seen.box[1] == 0
    # 10 × 60 pixels of ink, scaled to a length of 20.
    assert seen.stroke_width == pytest.approx(20 * 10 / 60, rel=0.2)
    assert abs(seen.lean_degrees) < 1
    inverted = explain(pictured(255 - pixels), bars).seen
    assert inverted is not None
    assert (inverted.ink, inverted.rims) == ("light", ["top"])


def test_of_an_empty_sheet_there_is_nothing_to_say_but_that(bars: Model) -> None:
    explanation = explain(pictured(sheet()), bars, expected=7)
    assert explanation.seen is None
    assert explanation.nearest is None
    assert explanation.looks == ["Nothing stands out from the paper."]
    assert explanation.advice == ["See that the digit is in the picture, large and clear."]
    assert not any(trial.changed for trial in explanation.trials)


def test_training_digits_that_look_alike_are_counted_in_words(
    some: Dataset, blink: Model, bars: Model
) -> None:
    glyph = some.images[0]
    picture = pictured(np.repeat(255 - glyph.repeat(5, 0).repeat(5, 1)[..., None], 3, 2))
    explanation = explain(picture, blink, among=some, every=2)
    assert explanation.nearest is not None
    assert explanation.nearest.among == 100
    assert explanation.nearest.indices[0] == 0  # the digit itself
    assert explanation.looks[-1].startswith("Of 100 training digits, ")
    assert explanation.looks[-1].endswith(" are 7s.")


# As data


@pytest.mark.parametrize("draw", [sheet, one, faint_bar])
def test_an_explanation_is_plain_data(
    bars: Model, some: Dataset, draw: Callable[[], NDArray[np.uint8]]
) -> None:
    explanation = explain(pictured(draw()), bars, expected=7, among=some)
    data = json.loads(json.dumps(explanation.as_data(), allow_nan=False))
    assert list(data) == ["seen", "expected", "verdict", "trials", "advice", "nearest"]
    assert data["expected"] == 7
    assert len(data["nearest"]) == (0 if draw is sheet else 8)
    for trial in data["trials"]:
        assert list(trial) == ["name", "choices", "digit", "confidence", "changed"]
        assert len(trial["choices"]) == 1
    thin = [trial for trial in data["trials"] if trial["name"] == "with thinner strokes"]
    assert all(trial["choices"] == {"widths": [STROKE_WIDTHS[0]] * 2} for trial in thin)


@pytest.mark.parametrize("expected", [-1, 10])
def test_what_is_no_digit_cannot_be_expected(bars: Model, expected: int) -> None:
    with pytest.raises(DataError, match=rf"expected a digit of 0 to 9, got {expected}"):
        explain(pictured(one()), bars, expected=expected)
