"""Plots show what they are given, also where that is little, and touch nothing global."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from inkdigits import plots
from inkdigits.dataset import Dataset
from inkdigits.errors import FileError
from inkdigits.evaluation import (
    NINES,
    CoverageRisk,
    Curve,
    Reliability,
    Report,
    coverage_risk,
    reliability,
    report,
)
from inkdigits.model import Model

LABELS = np.array([1, 1, 1, 7, 7, 3], np.uint8)
IMAGES = (np.arange(6 * 784) % 251).reshape(6, 28, 28).astype(np.uint8)
SIX = Dataset(IMAGES, LABELS)


def scored(*answers: int) -> Report:
    """A report on the six digits; the confidence falls from the first to the last."""
    probabilities = np.zeros((6, 10))
    for index, answer in enumerate(answers):
        probabilities[index] = (0.1 + index * 0.02) / 9
        probabilities[index, answer] = 0.9 - index * 0.02
    return report(LABELS, probabilities)


MISTAKEN = scored(1, 7, 7, 7, 1, 5)
PERFECT = scored(1, 1, 1, 7, 7, 3)
NO_HISTORY: list[dict[str, Any]] = []
HISTORY = [{"epoch": n, "loss": 1 / n, "accuracy": 1 - 0.2 / n, "seconds": 1} for n in range(1, 4)]
LOSSES = [{"epoch": n, "loss": 1 / n, "seconds": 1} for n in range(1, 45)]

SURE = np.array([0.3, 0.6, 0.6, 0.95, 0.9995, 1.0])


def kept(*right: bool) -> tuple[Reliability, CoverageRisk]:
    """How six confidences are kept."""
    came = np.array(right)
    return reliability(SURE, came, bins=NINES), coverage_risk(SURE, came)


KEPT, ALWAYS, NEVER = (
    kept(*[False, True, False, True, True, True]),
    kept(*[True] * 6),
    kept(*[False] * 6),
)
TURNED = {"turning": Curve("degrees", (0, 10, 90), (9, 8, 1), 10)}
WORN = {
    **{f"kind {n}": Curve("pixels", (0, 1), (10, 0), 10) for n in range(4)},
    "fading": Curve("of it kept", (1, 0.5), (10, 5), 10),
}

BLANK = plots.Look(
    pixels=np.full((40, 90, 3), 255, np.uint8),
    box=None,
    ink=None,
    glyph=np.zeros((28, 28), np.uint8),
    probabilities=np.full(10, 0.1),
    not_a_digit=None,
)
EXPLAINED = plots.Look(
    pixels=np.full((400, 300, 3), 255, np.uint8),
    box=(30, 40, 100, 200),
    ink=np.full((400, 300), 9, np.uint8),
    glyph=IMAGES[0],
    probabilities=np.array([0.1] * 7 + [0.3, 0, 0]),
    not_a_digit=0.6,
    expected=7,
    title="seven.png: not a digit?",
    trials=[(f"with change {n}: 7, 90 %", image) for n, image in enumerate(IMAGES)],
    alike=[(str(label), image) for label, image in zip(LABELS, IMAGES, strict=True)] * 2,
    text=["A sentence. " * 30, "Another."],
)

PAGE = plots.Page(
    pixels=np.full((300, 400, 3), 255, np.uint8),
    size=(800, 600),
    numbers=[
        plots.Marked(
            text="41,8",
            box=(100, 200, 120, 44),
            digits=[
                ((100, 200, 30, 44), False),
                ((140, 204, 10, 40), True),
                ((180, 200, 40, 40), False),
            ],
        ),
        plots.Marked(text="-7", box=(600, 200, 50, 44), digits=[((620, 200, 30, 44), False)]),
    ],
    title="page.jpg",
)

FIGURES: dict[str, Callable[[], Figure]] = {
    "a digit": lambda: plots.digit(IMAGES[0]),
    "a blank digit": lambda: plots.digit(np.zeros((28, 28), np.uint8)),
    "a sheet": lambda: plots.contact_sheet(SIX),
    "a sheet of one": lambda: plots.contact_sheet(SIX.subset([0])),
    "a sheet without labels": lambda: plots.contact_sheet(Dataset(IMAGES)),
    "versions of digits": lambda: plots.augmented_digits(
        IMAGES[:2], IMAGES[2:].reshape(2, 2, 28, 28)
    ),
    "a version of a digit": lambda: plots.augmented_digits(IMAGES[:1], IMAGES[np.newaxis, :1]),
    "a curve": lambda: plots.learning_curve(HISTORY, accuracy_of="validation"),
    "a curve of one epoch": lambda: plots.learning_curve(HISTORY[:1], accuracy_of="validation"),
    "a curve of many losses": lambda: plots.learning_curve(LOSSES, accuracy_of="validation"),
    "a curve of nothing": lambda: plots.learning_curve(NO_HISTORY, accuracy_of="validation"),
    "confusion": lambda: plots.confusion_matrix(MISTAKEN),
    "no confusion": lambda: plots.confusion_matrix(PERFECT),
    "mistakes": lambda: plots.misread_digits(SIX, MISTAKEN),
    "no mistakes": lambda: plots.misread_digits(SIX, PERFECT),
    "right and wrong": lambda: plots.right_and_wrong(SIX, MISTAKEN),
    "right alone": lambda: plots.right_and_wrong(SIX, PERFECT),
    "wrong alone": lambda: plots.right_and_wrong(SIX, scored(0, 0, 0, 0, 0, 0)),
    "weights": lambda: plots.weights(np.random.default_rng(1).normal(size=(45, 14, 14))),
    "weights of one unit": lambda: plots.weights(np.zeros((1, 28, 28))),
    "confidence": lambda: plots.confidence({"one": KEPT}),
    "confidence of two": lambda: plots.confidence({"one": KEPT, "other": ALWAYS}),
    "always right": lambda: plots.confidence({"one": ALWAYS}),
    "never right": lambda: plots.confidence({"one": NEVER}),
    "robustness": lambda: plots.robustness({"one": TURNED}),
    "robustness of two": lambda: plots.robustness({"one": WORN, "other": WORN}),
    "an explained reading": lambda: plots.stages(EXPLAINED),
    "a reading of nothing": lambda: plots.stages(BLANK),
    "a page": lambda: plots.overlay(PAGE),
    "an empty page": lambda: plots.overlay(replace(PAGE, numbers=[], title="")),
    "a handwriting sheet": lambda: plots.handwriting_sheet(),
    "imagined digits": lambda: plots.imagined_digits(np.zeros((10, 28, 28), np.uint8)),
}


def test_every_function_is_drawn_here() -> None:
    drawn = {name for figure in FIGURES.values() for name in figure.__code__.co_names}
    assert drawn >= set(plots.__all__) - {"save", "Look", "Marked", "Page"}


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_becomes_a_png_that_opens(name: str, tmp_path: Path) -> None:
    plots.save(FIGURES[name](), tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as picture:
        picture.load()
        assert picture.format == "PNG"
        assert min(picture.size) >= 60


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("figure.svg", b"<?xml"),
        ("figure.PDF", b"%PDF"),
        ("figure.png", b"\x89PNG"),
    ],
)
def test_the_ending_chooses_the_format(tmp_path: Path, name: str, beginning: bytes) -> None:
    plots.save(plots.digit(IMAGES[0]), tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(beginning)
    assert list(tmp_path.iterdir()) == [tmp_path / name]


@pytest.mark.parametrize("name", ["model.safetensors", "figure.jpg", "figure", "digits.csv"])
def test_a_figure_replaces_nothing_that_is_not_named_as_one(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("dear")
    with pytest.raises(FileError, match=r"to end in \.png, \.svg, \.pdf, got .*: name it so"):
        plots.save(plots.digit(IMAGES[0]), tmp_path / name)
    assert (tmp_path / name).read_text() == "dear"


def test_a_figure_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"cannot write .*nowhere"):
        plots.save(plots.digit(IMAGES[0]), tmp_path / "nowhere" / "figure.png")


@pytest.mark.slow
def test_drawing_and_saving_leave_pyplot_alone(tmp_path: Path) -> None:
    program = f"""
import sys
import numpy as np
from inkdigits import plots
from inkdigits.dataset import Dataset
three = Dataset(np.zeros((3, 28, 28), np.uint8))
plots.save(plots.contact_sheet(three), {str(tmp_path / "a.png")!r})
plots.save(plots.learning_curve([], accuracy_of=""), {str(tmp_path / "b.png")!r})
print("matplotlib.pyplot" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


# What is shown


def test_a_digit_is_shown_pixel_by_pixel(tmp_path: Path) -> None:
    plots.save(plots.digit(IMAGES[0]), tmp_path / "digit.png")
    with Image.open(tmp_path / "digit.png") as picture:
        assert picture.size == (280, 280)
        pixels = np.asarray(picture.convert("L")).reshape(28, 10, 28, 10)
    # Ten by ten alike, white on black; matplotlib's grey map rounds by one level.
    assert (pixels == pixels[:, :1, :, :1]).all()
    assert np.abs(pixels[:, 0, :, 0].astype(int) - IMAGES[0]).max() <= 1


def shown_sheet(figure: Figure) -> Any:
    (axes,) = figure.axes
    (image,) = axes.images
    return np.asarray(image.get_array())


def test_a_sheet_has_a_row_for_each_digit_where_labels_are_known() -> None:
    sheet = shown_sheet(plots.contact_sheet(SIX, columns=2)).reshape(10, 28, 2, 28)
    first_and_second_one, seven, three = sheet[1], sheet[7], sheet[3]
    assert np.array_equal(first_and_second_one.transpose(1, 0, 2), IMAGES[[0, 1]])
    assert np.array_equal(seven.transpose(1, 0, 2), IMAGES[[3, 4]])
    assert np.array_equal(three[:, 0], IMAGES[5])
    assert not three[:, 1].any()
    assert not sheet[[0, 2, 4, 5, 6, 8, 9]].any()


def test_a_sheet_without_labels_keeps_the_order_and_ends_where_it_is_full() -> None:
    many = Dataset(np.concatenate([IMAGES] * 5))
    sheet = shown_sheet(plots.contact_sheet(many, columns=2)).reshape(10, 28, 2, 28)
    assert np.array_equal(sheet.transpose(0, 2, 1, 3).reshape(20, 28, 28), many.images[:20])


def test_versions_stand_to_the_right_of_their_original() -> None:
    versions = IMAGES[2:].reshape(2, 2, 28, 28)
    sheet = shown_sheet(plots.augmented_digits(IMAGES[:2], versions))
    assert sheet.shape == (56, 28 + 7 + 56)
    for row in range(2):
        line = sheet[28 * row : 28 * (row + 1)]
        assert np.array_equal(line[:, :28], IMAGES[row])
        assert np.array_equal(line[:, 35:63], versions[row, 0])
        assert np.array_equal(line[:, 63:], versions[row, 1])


def test_a_learning_curve_shows_loss_and_accuracy_of_each_epoch() -> None:
    figure = plots.learning_curve(HISTORY, accuracy_of="validation")
    left, right = figure.axes
    assert left.lines[0].get_xydata().tolist() == [[1, 1], [2, 1 / 2], [3, 1 / 3]]
    assert right.lines[0].get_ydata() == pytest.approx([80, 90, 100 - 20 / 3])
    assert right.get_ylabel() == "accuracy on validation, %"
    assert left.get_ylim()[0] == 0


def test_a_learning_curve_without_accuracy_shows_loss_alone() -> None:
    (axes,) = plots.learning_curve(LOSSES, accuracy_of="validation").axes
    assert len(axes.lines[0].get_xydata()) == 44
    assert len(axes.get_xticks()) <= 12


def test_a_confusion_matrix_writes_each_count_where_it_belongs() -> None:
    (axes,) = plots.confusion_matrix(MISTAKEN).axes
    written = {(*map(int, text.get_position()), text.get_text()) for text in axes.texts}
    # x is what was said, y what it was.
    assert written == {(1, 1, "1"), (7, 1, "2"), (7, 7, "1"), (1, 7, "1"), (5, 3, "1")}
    assert axes.get_title() == "2 of 6 read right"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("read as", "digit")
    shade = np.asarray(axes.images[0].get_array())  # of mistakes alone
    assert [(*place, shade[*place]) for place in np.argwhere(shade)] == [
        (1, 7, 2),
        (3, 5, 1),
        (7, 1, 1),
    ]


def captions(figure: Figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes if axes.images]


def test_the_most_confident_mistakes_are_shown_with_both_digits() -> None:
    figure = plots.misread_digits(SIX, MISTAKEN, count=3)
    assert captions(figure) == ["7, not 1\n88 %", "7, not 1\n86 %", "1, not 7\n82 %"]
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]
    assert np.array_equal(shown, IMAGES[[1, 2, 4]])
    none = plots.misread_digits(SIX, PERFECT)
    assert captions(none) == []
    assert none.get_suptitle() == "Nothing was misread"


def test_right_and_wrong_are_a_row_each() -> None:
    figure = plots.right_and_wrong(SIX, MISTAKEN, columns=2)
    assert captions(figure) == ["1  90 %", "7  84 %", "7, not 1\n88 %", "7, not 1\n86 %"]


def test_each_units_weights_are_shown_on_their_own_scale() -> None:
    units = np.zeros((3, 4, 4))
    units[0, 0, 1], units[1, 2, 3] = 0.001, -50
    sheet = np.ma.filled(shown_sheet(plots.weights(units, columns=2)), np.nan)
    assert sheet[0, 1] == 1  # the strongest of its unit, however weak
    assert sheet[2, 5 + 3] == -1  # a unit and a gap further right
    assert (sheet[5:9, 0:4] == 0).all()  # the third in the next row
    assert np.nansum(np.abs(sheet)) == 2


@pytest.mark.slow
def test_a_real_models_pictures_are_drawn(blink: Model, exam: Dataset, tmp_path: Path) -> None:
    scores = blink.evaluate(exam)
    for figure in (
        plots.right_and_wrong(exam, scores),
        plots.misread_digits(exam, scores, count=8),
    ):
        assert sum("not" in caption for caption in captions(figure)) >= 8
        plots.save(figure, tmp_path / "figure.png")


def test_shares_near_1_are_drawn_by_their_nines() -> None:
    assert plots.scores.nines([0, 0.9, 0.99, 0.999]) == pytest.approx([0, 1, 2, 3])
    assert plots.scores.nines([0.99999, 0.9999999, 1]) == pytest.approx([5, 5, 5])


def test_confidence_is_drawn_against_the_share_that_is_right() -> None:
    figure = plots.confidence({"one": KEPT, "other": ALWAYS})
    against, spread, refusing = figure.axes
    first, second = against.containers
    points = first.lines[0].get_xydata()
    # In bins up to 50, 80, 95, 99.95 and 100 %.
    assert points[:, 0] == pytest.approx(plots.scores.nines([0.3, 0.6, 0.95, 0.9995, 1]))
    assert points[:, 1] == pytest.approx(plots.scores.nines([0, 0.5, 1, 1, 1]))
    assert second.lines[0].get_ydata() == pytest.approx([5] * 5)
    low, high = np.array(first.lines[2][0].get_segments())[1, :, 1]
    assert [low, high] == pytest.approx(plots.scores.nines(KEPT[0].bins[1].interval))
    assert [bar.get_height() for bar in spread.containers[0]] == [1, 2, 1, 1, 1]
    assert spread.containers[0][1].get_x() == pytest.approx(plots.scores.nines(0.5))
    assert [line.get_label() for line in refusing.lines] == ["one", "other"]
    given, wrong = refusing.lines[0].get_xydata().T
    # The surest first: 1 of six, and 2, 3, then the two of 60 % together, then all.
    assert given == pytest.approx(plots.scores.nines(np.array([1, 2, 3, 5, 6]) / 6))
    assert wrong == pytest.approx([0, 0, 0, 20, 100 / 3])
    assert [text.get_text() for text in refusing.get_legend().get_texts()] == ["one", "other"]


def test_each_kind_of_distortion_has_a_panel_that_gets_worse_to_the_right() -> None:
    (panel,) = plots.robustness({"one": TURNED}).axes
    (bars,) = panel.containers
    assert bars.lines[0].get_xydata().tolist() == [[0, 90], [10, 80], [90, 10]]
    low, high = np.array(bars.lines[2][0].get_segments())[0, :, 1]
    assert (low, high) == pytest.approx([100 * end for end in TURNED["turning"].intervals[0]])
    assert (panel.get_title(), panel.get_xlabel()) == ("turning", "degrees")
    panels = plots.robustness({"one": WORN, "other": WORN}).axes
    assert [panel.get_title() for panel in panels] == list(WORN)
    assert [len(panel.containers) for panel in panels] == [2] * 5
    assert [panel.xaxis_inverted() for panel in panels] == [False] * 4 + [True]
    assert [text.get_text() for text in panels[0].get_legend().get_texts()] == ["one", "other"]


def test_the_bars_of_a_reading_sum_to_one_with_the_digit_that_it_should_be_in_blue() -> None:
    figure = plots.stages(EXPLAINED)
    bars = figure.axes[3].patches
    assert [bar.get_width() for bar in bars] == pytest.approx([4] * 7 + [12, 0, 0, 60])
    colours = [to_hex(bar.get_facecolor()) for bar in bars]
    assert (colours[7], colours[10]) == (plots.paper.RIGHT, plots.paper.WRONG)
    assert len(set(colours[:7])) == 1
    assert len(plots.stages(BLANK).axes[3].patches) == 10


def test_a_reading_is_drawn_with_the_box_of_the_digit_in_its_picture() -> None:
    picture = plots.stages(EXPLAINED).axes[0]
    (box,) = picture.patches
    # Half a pixel, since matplotlib's pixels have their middles at whole numbers.
    assert box.get_bbox().bounds == (29.5, 39.5, 100, 200)
    assert not plots.stages(BLANK).axes[0].patches


def test_dollars_in_a_file_name_are_no_formula(tmp_path: Path) -> None:
    said = "inkdigits teach 'my $1_{$.png' --label 4"  # as a formula one that cannot be set
    figure = plots.stages(replace(BLANK, title="my $1_{$.png: 4", text=[said]))
    plots.save(figure, tmp_path / "figure.png")
    texts = [figure.get_suptitle(), *(text.get_text() for text in figure.axes[-1].texts)]
    assert texts == ["my $1_{$.png: 4", said]
