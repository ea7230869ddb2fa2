"""The overlay of a page shows what was read where, legibly, however large the picture is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from inkdigits import plots
from inkdigits.plots.overlay import DOTS, Room, spelled
from inkdigits.plots.paper import RIGHT, WRONG

Box = tuple[float, float, float, float]


def number(
    text: str, left: float, top: float, *, high: float = 40, unsure: str = ""
) -> plots.Marked:
    """A number whose digits stand side by side, those of `unsure` better not named."""
    digits = [
        ((left + place * high, top, 0.8 * high, high), letter in unsure)
        for place, letter in enumerate(letter for letter in text if letter.isdigit())
    ]
    return plots.Marked(text=text, box=(left, top, len(digits) * high, high), digits=digits)


def page(
    *numbers: plots.Marked, size: tuple[int, int] = (800, 600), shade: int = 255
) -> plots.Page:
    pixels = np.full((size[1], size[0], 3), shade, np.uint8)
    return plots.Page(pixels=pixels, size=size, numbers=numbers)


def texts(figure: Figure, weight: str) -> list[Text]:
    """Of the numbers, which are bold, or of the digits' places, which are normal."""
    (axes,) = figure.axes
    return [text for text in axes.texts if text.get_text() and text.get_fontweight() == weight]


def extents(figure: Figure, parts: list[Text]) -> list[Box]:
    """Left, lower end, right and upper end of texts, in dots."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    return [part.get_window_extent(renderer).extents for part in parts]


def saved(figure: Figure, path: Path) -> Image.Image:
    plots.save(figure, path)
    with Image.open(path) as picture:
        return picture.convert("RGB")


def test_a_number_stands_above_its_box_and_what_is_unsure_is_marked_twice() -> None:
    figure = plots.overlay(page(number("48,13", 100, 200, unsure="1")))
    sure, doubtful, rest = texts(figure, "bold")
    assert [part.get_text() for part in (sure, doubtful, rest)] == ["48,", "1?", "3"]
    assert [to_hex(part.get_color()) for part in (sure, doubtful, rest)] == [RIGHT, WRONG, RIGHT]
    (axes,) = figure.axes
    upper = axes.transData.transform((0, min(box.get_y() for box in axes.patches)))[1]
    for _, low, _, _ in extents(figure, [sure, doubtful, rest]):
        assert upper - 3 < low < upper + 12
    styles = {(to_hex(box.get_edgecolor()), str(box.get_linestyle())) for box in axes.patches}
    assert {colour for colour, _ in styles} == {RIGHT, WRONG, "#ffffff"}
    solid, dashed = (
        {style for each, style in styles if each == colour} for colour in (RIGHT, WRONG)
    )
    assert solid.isdisjoint(dashed)


def test_the_text_of_a_number_marks_every_doubt() -> None:
    assert list(spelled(number("-12,25", 0, 0, unsure="2"))) == [
        ("-1", False),
        ("2?", True),
        (",", False),
        ("2?", True),
        ("5", False),
    ]


def test_digits_are_numbered_through_in_reading_order() -> None:
    figure = plots.overlay(
        page(number("481", 100, 100), number("-7", 400, 100), number("25", 100, 300))
    )
    small = texts(figure, "normal")
    assert [text.get_text() for text in small] == ["1", "2", "3", "4", "5", "6"]
    left = [text.get_position()[0] for text in small]
    assert left[0] < left[1] < left[2] < left[3]
    doubted = texts(plots.overlay(page(number("481", 100, 100, unsure="8"))), "normal")
    assert {text.get_text(): to_hex(text.get_color()) == WRONG for text in doubted} == {
        "1": False,
        "2": True,
        "3": False,
    }


def test_where_places_do_not_fit_the_unsure_digits_have_theirs() -> None:
    before = number("1" * 110, 0, 0)
    narrow = [((100 + 6 * place, 300, 5, 40), place == 3) for place in range(6)]
    crowded = plots.Marked(text="111111", box=(100, 300, 36, 40), digits=narrow)
    figure = plots.overlay(page(before, crowded))
    small = texts(figure, "normal")
    last = [text.get_text() for text in small if int(text.get_text()) > 110]
    assert "114" in last
    assert len(last) < 6


@pytest.mark.parametrize("size", [(300, 100), (4000, 3000), (3000, 4000), (640, 480), (2000, 40)])
@pytest.mark.parametrize("share", [0.02, 0.3])
def test_a_page_of_any_size_is_drawn_at_a_sensible_one_and_keeps_its_shape(
    size: tuple[int, int], share: float
) -> None:
    high = max(4, share * min(size))
    figure = plots.overlay(page(number("12", size[0] / 4, size[1] / 4, high=high), size=size))
    (axes,) = figure.axes
    left, right, bottom, top = axes.images[0].get_extent()
    across, down = right - left, bottom - top
    assert 1000 <= round(max(across, down)) <= 3000
    assert across / down == pytest.approx(size[0] / size[1])
    # The figure's dots are those of the axes, so the picture is not stretched when it is drawn.
    wide, high = figure.get_size_inches() * DOTS
    assert np.ptp(axes.get_xlim()) == pytest.approx(wide)
    assert np.ptp(axes.get_ylim()) == pytest.approx(high)
    assert all(text.get_fontsize() >= 5.5 for text in texts(figure, "bold"))


def test_boxes_are_where_the_digits_are_also_in_a_reduced_picture(tmp_path: Path) -> None:
    pixels = np.full((300, 400, 3), 255, np.uint8)
    pixels[100:120, 50:80] = 0  # of 200 to 240, 100 to 160 in the original
    one = plots.Marked(text="7", box=(100, 200, 60, 40), digits=[((100, 200, 60, 40), False)])
    whole = replace(page(one), pixels=pixels)
    picture = np.asarray(saved(plots.overlay(whole), tmp_path / "a.png")).astype(int)
    rows, columns = np.nonzero(picture.sum(axis=2) < 30)
    blue = (abs(picture - [0x1B, 0x6B, 0x93]).sum(axis=2) < 12).nonzero()
    assert blue[1].min() < columns.min() < columns.max() < blue[1].max()
    below = blue[0][blue[0] > rows.max()]
    assert 0 < below.min() - rows.max() < 10


@pytest.mark.parametrize("shade", [0, 90, 255])
def test_text_has_a_rim_of_white_on_any_paper(shade: int, tmp_path: Path) -> None:
    picture = np.asarray(
        saved(plots.overlay(page(number("8", 300, 300), shade=shade)), tmp_path / "a.png")
    ).astype(int)
    blue = abs(picture - [0x1B, 0x6B, 0x93]).sum(axis=2) < 12
    white = (picture > 250).all(axis=2)
    rows = np.flatnonzero(blue.any(axis=1))[:10]  # through the text, which is above the box
    for row in rows:
        first, last = np.flatnonzero(blue[row])[[0, -1]]
        assert white[row, first - 5 : first].any()
        assert white[row, last + 1 : last + 6].any()


def test_the_texts_of_a_full_page_do_not_cover_each_other() -> None:
    lines = [
        number("1234", 60 + 250 * column, 60 + 100 * row, unsure="3")
        for row in range(6)
        for column in range(5)
    ]
    figure = plots.overlay(page(*lines, size=(1300, 700)))
    boxes = extents(figure, texts(figure, "bold"))
    assert len(boxes) == 3 * 30
    wide, high = figure.get_size_inches() * figure.dpi
    for place, (left, low, right, top) in enumerate(boxes):
        assert 0 <= left < right <= wide
        assert 0 <= low < top <= high
        for other in boxes[place + 1 :]:
            # Letters stand close in a line of text: their rims may, their middles may not meet.
            across = min(right, other[2]) - max(left, other[0])
            down = min(top, other[3]) - max(low, other[1])
            assert min(across, down) < 3


def test_room_is_found_beside_what_is_taken_and_inside_the_figure() -> None:
    room = Room((0, 0, 200, 100))
    assert room.found((50, 40, 60, 20), 30, 10) == (50, 29)
    # Above is taken by now, and to the right there is more room.
    room.take((50, 25, 60, 14))
    assert room.found((50, 40, 60, 20), 30, 10) == (114, 45)
    # At the upper end nothing fits above, at the right end nothing beside.
    assert Room((0, 0, 200, 100)).found((150, 0, 50, 20), 30, 10) == (116, 5)
    assert Room((0, 0, 80, 100)).found((5, 0, 60, 20), 30, 10) == (5, 21)
