"""The reader: the numbers of a page, in their order and places, each as sure as it is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pages import KINDS, WrittenPage, page
from PIL import Image

import inkdigits
from inkdigits.dataset import Dataset
from inkdigits.errors import FileError, PictureError
from inkdigits.formats import load_model
from inkdigits.model import Answers, Model
from inkdigits.reading import (
    LONGEST,
    DigitReading,
    Number,
    Picture,
    ReadDigit,
    Reading,
    open_picture,
    prepare,
    read,
    read_digit,
    read_picture,
    read_pictures,
    reader,
)
from inkdigits.reading.page import find_writing
from inkdigits.sources import load

Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]

TEXTS = [["307", "48"], ["62", "915"]]
SIGNED = [["307", "-4.8"], ["-62,5"]]


@pytest.fixture(scope="module")
def model() -> Model:
    """The shipped one."""
    return load_model("reader")


@pytest.fixture(scope="module")
def clear(model: Model) -> Dataset:
    """Digits that nobody would take for others, so that a misread page was taken apart wrongly."""
    digits = load("mnist:validation").subset(range(2000))
    answers = model.answer(digits.images)
    surely = answers.confidence > 0.999
    return digits.subset(np.flatnonzero(surely & (answers.digits == digits.known_labels)))


def made(clear: Dataset, kind: str, seed: int, texts: list[list[str]] = TEXTS) -> WrittenPage:
    chance = np.random.default_rng([seed, list(KINDS).index(kind)])
    return page(kind, clear.images, clear.known_labels, chance, texts=texts, height=48)


def written(each: WrittenPage) -> str:
    """What is on a page, as a reading has it."""
    return "\n".join(" ".join(entry.text for entry in line) for line in each.lines)


def pictured(pixels: Pixels) -> Picture:
    return Picture(pixels, (pixels.shape[1], pixels.shape[0]))


def on_paper(glyph: Pixels, side: int = 300) -> Picture:
    """The digit alone, large and dark on light paper."""
    ink = np.zeros((side, side))
    part = slice(side // 4, side // 4 + side // 2)
    ink[part, part] = cv2.resize(glyph, (side // 2, side // 2), interpolation=cv2.INTER_CUBIC) / 255
    pixels = np.rint(230 * (1 - 0.8 * ink)).astype(np.uint8)
    return pictured(np.repeat(pixels[:, :, np.newaxis], 3, axis=2))


def edges(box: Box) -> NDArray[np.float64]:
    x, y, width, height = box
    return np.array([x, y, x + width, y + height], float)


def saved(glyph: Pixels, path: Path) -> None:
    Image.fromarray(np.ascontiguousarray(glyph)).save(path, "PNG")


# What a reading says


def test_a_lone_digit_is_read_as_by_the_reader_of_one_digit(some: Dataset, model: Model) -> None:
    for index in range(8):
        picture = on_paper(some.images[index])
        reading, alone = read(picture, model), read_digit(picture, model)
        ((number,), (digit,)) = reading.numbers, reading.numbers[0].digits
        assert (digit.digit, digit.probability) == (alone.digit, alone.confidence)
        assert digit.box == number.box == alone.prepared.box
        assert number.confidence == alone.confidence
        assert reading.text == number.text == str(some.known_labels[index])
        assert reading.threshold == alone.threshold


def test_a_large_picture_of_a_lone_digit_is_reduced_as_the_reader_of_one_digit_does(
    some: Dataset, model: Model, tmp_path: Path
) -> None:
    Image.fromarray(on_paper(some.images[0], 1600).pixels).save(tmp_path / "7.png")
    reading = read_picture(tmp_path / "7.png", model)
    alone = read_digit(open_picture(tmp_path / "7.png", longest=LONGEST), model)
    assert (reading.size, reading.text) == ((1600, 1600), "7")
    # It is opened larger and reduced in two steps: a few grey levels are others.
    assert reading.numbers[0].confidence == pytest.approx(alone.confidence, abs=0.01)
    assert reading.numbers[0].box == pytest.approx(alone.prepared.box, abs=4)


def test_a_reading_is_text_by_lines_and_plain_data() -> None:
    digits = [ReadDigit(4, 0.9, (5, 9, 10, 20)), ReadDigit(1, 0.3, (16, 9, 4, 20))]
    numbers = [
        Number("-4?", 0.25, (0, 9, 20, 20), digits, line=0),
        Number("1", 0.3, (40, 9, 4, 20), digits[1:], line=0),
        Number("4", 0.9, (5, 50, 10, 20), digits[:1], line=1),
    ]
    reading = Reading(pictured(np.zeros((80, 60, 3), np.uint8)), numbers, 0.5)
    assert reading.text == "-4? 1\n4"
    assert reading.lines == [numbers[:2], numbers[2:]]
    data = reading.as_data()
    assert data["size"] == [60, 80]
    assert data["numbers"][0] == {
        "text": "-4?",
        "confidence": 0.25,
        "box": (0, 9, 20, 20),
        "digits": [
            {"digit": 4, "probability": 0.9, "box": (5, 9, 10, 20)},
            {"digit": 1, "probability": 0.3, "box": (16, 9, 4, 20)},
        ],
        "line": 0,
    }
    assert [number["line"] for number in data["numbers"]] == [0, 0, 1]


def test_numbers_come_by_lines_from_the_top_and_from_the_left(clear: Dataset, model: Model) -> None:
    texts = [["12", "34", "56"], ["78", "90"], ["61"], ["25", "47", "83"]]
    each = made(clear, "plain", 0, texts)
    reading = read(pictured(each.pixels), model)
    assert reading.text == written(each) == "12 34 56\n78 90\n61\n25 47 83"
    assert [number.line for number in reading.numbers] == [0, 0, 0, 1, 1, 2, 3, 3, 3]
    for line in reading.lines:
        assert all(one.box[0] + one.box[2] < next_.box[0] for one, next_ in pairwise(line))
    tops = [np.mean([number.box[1] for number in line]) for line in reading.lines]
    assert tops == sorted(tops)


def test_under_the_threshold_a_question_mark_stands_for_each_digit(
    clear: Dataset, model: Model
) -> None:
    picture = pictured(made(clear, "plain", 0).pixels)
    usual = read(picture, model)
    assert usual.threshold == model.threshold
    probabilities = [digit.probability for number in usual.numbers for digit in number.digits]
    for least in (0.0, float(np.median(probabilities)), 1.1):
        reading = read(picture, model, threshold=least)
        assert reading.threshold == least
        for number, before in zip(reading.numbers, usual.numbers, strict=True):
            assert number.digits == before.digits
            assert number.confidence == before.confidence
            assert number.text == "".join(
                str(digit.digit) if digit.probability >= least else "?" for digit in number.digits
            )
    assert set(reading.text) == set("? \n")


def test_so_it_does_for_a_lone_digit(some: Dataset, model: Model) -> None:
    picture = on_paper(some.images[0])
    sure = read(picture, model).numbers[0].confidence
    at, above = (read(picture, model, threshold=least) for least in (sure, sure + 1e-9))
    assert (at.text, above.text) == ("7", "?")
    assert above.numbers[0].digits[0].digit == 7


@pytest.mark.parametrize("level", [0, 128, 240, 255])
def test_on_an_empty_sheet_there_are_no_numbers(model: Model, level: int) -> None:
    reading = read(pictured(np.full((200, 300, 3), level, np.uint8)), model)
    assert (reading.numbers, reading.lines, reading.text) == ([], [], "")
    assert reading.as_data() == {"size": [300, 200], "numbers": []}


# Where it stands


def assert_boxes_fit(reading: Reading, each: WrittenPage, scale: float = 1.0) -> None:
    entries = [entry for line in each.lines for entry in line]
    for number, entry in zip(reading.numbers, entries, strict=True):
        x, y, across, down = number.box
        for digit, true in zip(number.digits, entry.boxes, strict=True):
            left, top, wide, tall = digit.box
            assert x <= left < left + wide <= x + across
            assert y <= top < top + tall <= y + down
            # Upright boxes of what was made level first stand out by a tilted digit's corners.
            off = np.abs(edges(digit.box) - scale * edges(true)).max()
            assert off < 0.25 * scale * true[3]


@pytest.mark.parametrize("kind", ["plain", "ruled", "skewed", "perspective"])
def test_a_digits_box_is_where_it_is_in_the_picture_however_the_page_lies(
    clear: Dataset, model: Model, kind: str
) -> None:
    each = made(clear, kind, 2)
    reading = read(pictured(each.pixels), model)
    assert reading.text == written(each)
    assert_boxes_fit(reading, each)


def test_boxes_are_in_the_pixels_of_a_large_original(
    clear: Dataset, model: Model, tmp_path: Path
) -> None:
    each = made(clear, "plain", 2)
    height, width, _ = each.pixels.shape
    scale = 2400 / width
    large = Image.fromarray(each.pixels).resize((2400, round(scale * height)))
    large.save(tmp_path / "large.png")
    reading = read_picture(tmp_path / "large.png", model)
    assert (reading.size, reading.text) == (large.size, written(each))
    assert max(reading.picture.pixels.shape) == reader.LONGEST_PAGE
    assert_boxes_fit(reading, each, scale)


# Pages

PAGES = 5
# Of so many pages, what is read right at least: well below what benchmarks/pages_of_numbers.py
# measures, so that a test fails when something breaks and not by chance.
LEAST = {"touching": 1, "broken": 1, "decimals": 2, "photo": 2}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_small_pages_of_each_kind_are_read_right(clear: Dataset, model: Model, kind: str) -> None:
    texts = SIGNED if kind == "decimals" else TEXTS
    pages = [made(clear, kind, seed, texts) for seed in range(PAGES)]
    read_right = [read(pictured(each.pixels), model).text == written(each) for each in pages]
    assert sum(read_right) >= LEAST.get(kind, 3)


def test_light_ink_on_dark_is_read_as_dark_ink_on_light(clear: Dataset, model: Model) -> None:
    for seed in range(3):
        each = made(clear, "plain", seed)
        for pixels in (each.pixels, 255 - each.pixels):
            assert read(pictured(pixels), model).text == written(each)


# Shadows so dark that paper and ink might be the other way round; of the last one ink at first is.
SHADOWED = {9: True, 33: True, 51: False}


@pytest.mark.slow
@pytest.mark.parametrize("seed", SHADOWED)
def test_a_shadowed_page_of_dark_ink_is_read_as_well_as_without_the_shadow(
    clear: Dataset, model: Model, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    each = made(clear, "shaded", seed)
    writing = find_writing(each.pixels)
    assert writing is not None
    assert (writing.doubtful, writing.dark) == (True, SHADOWED[seed])
    assert read(pictured(each.pixels), model).text == written(each)
    monkeypatch.setattr("pages.shadow", lambda sheet: np.ones((*sheet.shape, 1), np.float32))
    without = made(clear, "shaded", seed)
    lit = find_writing(without.pixels)
    assert lit is not None
    assert (lit.doubtful, lit.dark) == (False, True)
    assert written(without) == written(each)
    assert read(pictured(without.pixels), model).text == written(each)


@pytest.mark.parametrize("seed", range(3))
def test_a_lone_digit_is_read_and_found_in_a_printed_box_or_without(
    clear: Dataset, model: Model, seed: int
) -> None:
    boxed, bare = (made(clear, kind, seed, [["4"]]) for kind in ("boxed", "plain"))
    for each in (boxed, bare):
        reading = read(pictured(each.pixels), model)
        assert reading.text == "4"
        assert_boxes_fit(reading, each)


# One digit or a page?


@pytest.mark.parametrize("side", [28, 280])
@pytest.mark.parametrize("inverted", [False, True], ids=["light on dark", "dark on light"])
def test_a_digit_alone_is_one_digit_however_small_and_whatever_its_paper(
    clear: Dataset, model: Model, side: int, inverted: bool
) -> None:
    for glyph, label in zip(clear.images[:20], clear.known_labels[:20], strict=True):
        pixels = cv2.resize(255 - glyph if inverted else glyph, (side, side), interpolation=2)
        reading = read(pictured(np.repeat(pixels[:, :, np.newaxis], 3, axis=2)), model)
        assert (reading.text, reading.single) == (str(label), True)


@pytest.mark.parametrize("text", ["10", "71", "48", "110"])
def test_a_number_that_fills_its_picture_is_no_single_digit(
    clear: Dataset, model: Model, text: str
) -> None:
    for seed in range(3):
        each = made(clear, "plain", seed, [[text]])
        places = np.array(each.lines[0][0].boxes)
        left, top = np.floor(places[:, :2].min(axis=0)).astype(int) - 6
        right, bottom = np.ceil((places[:, :2] + places[:, 2:]).max(axis=0)).astype(int) + 6
        cropped = each.pixels[max(0, top) : bottom, max(0, left) : right]
        reading = read(pictured(np.ascontiguousarray(cropped)), model)
        assert (reading.text, reading.single) == (text, False)


def answering(model: Model, picture: Picture, confidence: float, digit: int = 4) -> DigitReading:
    """A picture as one digit, so sure; what is left is no digit."""
    probabilities = np.eye(10)[[digit]]
    answers = Answers(probabilities, np.array([1 - confidence]), model.threshold)
    return DigitReading(prepare(picture), answers, model.threshold)


def paged(picture: Picture, *numbers: tuple[str, float], lone: bool = False) -> Reading:
    """A page's reading with numbers so sure."""
    box = (0, 0, 9, 9)
    found = [
        Number(text, sure, box, [ReadDigit(int(each), sure, box) for each in text])
        for text, sure in numbers
    ]
    return Reading(picture, found, 0.5, lone=lone)


def test_what_speaks_for_one_digit_speaks_against_the_page(some: Dataset, model: Model) -> None:
    picture = on_paper(some.images[0])
    page = paged(picture, ("11", 0.9), ("7", 0.5))

    def weighed(confidence: float) -> Reading | None:
        return reader.against(page, answering(model, picture, confidence), confidence)

    unopposed, doubted = weighed(0.0), weighed(0.15)
    assert unopposed is not None
    assert doubted is not None
    assert [number.confidence for number in unopposed.numbers] == [0.9, 0.5]
    assert [number.confidence for number in doubted.numbers] == pytest.approx([0.675, 0.375])
    assert weighed(0.46) is None  # more than the page, 0.9 × 0.5
    assert reader.against(paged(picture), answering(model, picture, 0.1), 0.1) is None


def test_a_page_is_of_one_thing_where_neither_letters_nor_rules_are_with_it(
    clear: Dataset, model: Model
) -> None:
    def lone(pixels: Pixels) -> bool:
        picture = pictured(pixels)
        page = reader.read_page(picture, None, read_digit(picture, model), model)
        assert page is not None
        return page.lone

    bare = made(clear, "plain", 2, [["4"]]).pixels
    lettered = np.hstack([np.full((len(bare), 260, 3), bare[0, 0], np.uint8), bare])
    cv2.putText(lettered, "Rent", (20, 100), cv2.FONT_HERSHEY_SIMPLEX, 2, (30, 30, 40), 4)
    assert (lone(bare), lone(lettered)) == (True, False)
    assert not lone(made(clear, "boxed", 0, [["4"]]).pixels)


def test_two_looks_at_the_same_digit_count_alike(some: Dataset, model: Model) -> None:
    picture = on_paper(some.images[0])
    alone = answering(model, picture, 0.3)
    same = reader.against(paged(picture, ("4", 0.9), lone=True), alone, 0.3)
    assert same is not None
    assert (same.text, same.numbers[0].confidence) == ("4", pytest.approx(0.6))
    unsure = reader.against(paged(picture, ("4", 0.5), lone=True), alone, 0.3)
    assert unsure is not None
    assert unsure.text == "?"
    assert reader.against(paged(picture, ("9", 0.9), lone=True), alone, 0.3) is None


def test_a_digit_with_another_beside_it_is_not_alone(some: Dataset, model: Model) -> None:
    picture = on_paper(some.images[0])
    assert reader.worth_alone(read_digit(picture, model)) > 0.9
    two = pictured(np.hstack([picture.pixels, picture.pixels]))
    assert reader.worth_alone(read_digit(two, model)) == 0
    speck = picture.pixels.copy()
    speck[270:280, 270:280] = 40
    assert 0.8 < reader.worth_alone(read_digit(pictured(speck), model)) < 1


def test_a_digit_that_is_given_without_its_neighbours_is_in_doubt(model: Model) -> None:
    pixels = np.full((900, 200, 3), 255, np.uint8)
    for top in (30, 250, 470, 690):  # a column of ones, of which the page makes nothing
        pixels[top : top + 150, 96:105] = 0
    (number,) = read(pictured(pixels), model).numbers
    assert number.text == "1"
    assert number.confidence < 0.5


def test_faint_ink_as_large_as_a_digit_beside_a_number_puts_it_in_doubt(
    clear: Dataset, model: Model
) -> None:
    each = made(clear, "plain", 2, [["307"]])
    before = read(pictured(each.pixels), model).numbers[0].confidence
    x, y, wide, tall = np.array(each.lines[0][0].boxes[-1]).astype(int)
    paper = np.median(each.pixels, axis=(0, 1))
    pixels = np.hstack([each.pixels, np.full((len(each.pixels), 120, 3), paper, np.uint8)])
    stroke = slice(y, y + tall), slice(x + wide + 15, x + wide + 20)
    pixels[stroke] = np.rint(0.8 * pixels[stroke] + 0.2 * 20).astype(np.uint8)
    (number,) = read(pictured(pixels), model).numbers
    assert number.text == "307"
    assert number.confidence == pytest.approx(before * reader.OVERLOOKED, rel=0.05)


@pytest.mark.parametrize("sign", [":", "-", "/"])
def test_a_time_or_a_date_is_no_single_number(clear: Dataset, model: Model, sign: str) -> None:
    page = made(clear, "plain", 2, [["25"]])
    places = np.array(page.lines[0][0].boxes)
    start, end = int(places[0, 0]) - 8, int(places[-1, 0] + places[-1, 2]) + 8
    tall = places[0, 3]
    across, middle = round(0.7 * tall), round(places[0, 1] + tall / 2)
    gap = np.empty((len(page.pixels), across, 3), np.uint8)
    gap[:] = np.median(page.pixels, axis=(0, 1))
    ink = (30, 30, 40)
    if sign == ":":
        for down in (-0.2, 0.25):
            cv2.circle(gap, (across // 2, round(middle + down * tall)), 4, ink, -1, cv2.LINE_AA)
    else:
        rise = round(0.7 * tall) if sign == "/" else 0
        cv2.line(gap, (4, middle + rise), (across - 5, middle - rise), ink, 4, cv2.LINE_AA)
    pixels = np.hstack([page.pixels[:, :end], gap, page.pixels[:, start:]])
    assert read(pictured(np.ascontiguousarray(pixels)), model).text == "25 25"


def test_a_word_of_letters_is_left_out(clear: Dataset, model: Model) -> None:
    each = made(clear, "plain", 2, [["307"], ["915"]])
    height, width, _ = each.pixels.shape
    pixels = np.full((height, width + 300, 3), np.median(each.pixels, axis=(0, 1)), np.uint8)
    pixels[:, 300:] = each.pixels
    _, y, _, tall = each.lines[0][0].boxes[0]
    cv2.putText(
        pixels, "Rent", (40, y + tall), cv2.FONT_HERSHEY_SIMPLEX, 2, (30, 30, 40), 4, cv2.LINE_AA
    )
    assert read(pictured(pixels), model).text == "307\n915"


def test_the_top_function_reads_by_the_shipped_model_or_another_or_its_file(
    clear: Dataset, blink: Model, blink_file: Path, tmp_path: Path
) -> None:
    each = made(clear, "plain", 2)
    picture = tmp_path / "page.png"
    Image.fromarray(each.pixels).save(picture)
    assert inkdigits.read(picture).text == written(each)
    readings = [
        inkdigits.read(picture, model=blink),
        inkdigits.read(str(picture), model=blink_file),
        inkdigits.read(picture, model=str(blink_file)),
    ]
    expected = read_picture(picture, blink).as_data()
    assert [reading.as_data() for reading in readings] == [expected] * 3


# Many


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_many_pictures_come_in_their_order_each_as_by_itself(
    some: Dataset, blink: Model, tmp_path: Path, threads: int
) -> None:
    paths = [tmp_path / f"{index}.png" for index in range(50)]
    for index, path in enumerate(paths):
        if index % 10 == 3:
            path.write_text("Dear Sir")
        elif index % 10 != 7:  # which is missing
            saved(some.images[index], path)
    came = list(read_pictures(paths, blink, threads=threads))
    assert len(came) == 50
    for index, (path, reading) in enumerate(zip(paths, came, strict=True)):
        if index % 10 in (3, 7):
            assert isinstance(reading, PictureError if index % 10 == 3 else FileError)
            assert path.name in str(reading)
        else:
            assert isinstance(reading, Reading)
            assert reading.as_data() == read_picture(path, blink).as_data()


def test_of_one_digit_a_picture_many_are_read_as_by_its_reader(
    some: Dataset, blink: Model, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{index}.png" for index in range(6)]
    for index, path in enumerate(paths[:5]):
        saved(some.images[index], path)
    *came, missing = read_pictures(paths, blink, single=True, threshold=0.9, threads=2)
    assert isinstance(missing, FileError)
    for path, reading in zip(paths, came, strict=False):
        assert isinstance(reading, DigitReading)
        alone = read_digit(open_picture(path, longest=LONGEST), blink)
        assert np.array_equal(reading.answers.probabilities, alone.answers.probabilities)
        assert reading.threshold == 0.9


def test_the_threshold_holds_for_each_of_many(some: Dataset, blink: Model, tmp_path: Path) -> None:
    saved(some.images[0], tmp_path / "7.png")
    (reading,) = read_pictures([tmp_path / "7.png"], blink, threshold=1.1)
    assert isinstance(reading, Reading)
    assert (reading.text, reading.threshold) == ("?", 1.1)


@pytest.mark.parametrize("failure", [MemoryError(), cv2.error("bad"), KeyError("ours")])
def test_where_memory_or_opencv_fails_it_costs_that_picture_alone(
    some: Dataset,
    blink: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
) -> None:
    paths = [tmp_path / f"{index}.png" for index in range(3)]
    for index, path in enumerate(paths):
        saved(some.images[index], path)

    def failing(path: Path, *rest: Any, **options: Any) -> Reading:
        if path == paths[1]:
            raise failure
        return read_picture(path, *rest, **options)

    monkeypatch.setattr(reader, "read_picture", failing)
    readings = read_pictures(paths, blink, threads=1)
    if isinstance(failure, KeyError):  # a mistake of ours is not hidden
        with pytest.raises(KeyError):
            list(readings)
        return
    first, second, third = readings
    assert isinstance(first, Reading)
    assert isinstance(third, Reading)
    assert isinstance(second, PictureError)
    assert str(paths[1]) in str(second)


def test_of_many_pictures_few_are_opened_before_their_turn(
    some: Dataset, blink: Model, tmp_path: Path
) -> None:
    saved(some.images[0], tmp_path / "digit")
    asked = 0

    def paths() -> Iterator[Path]:
        nonlocal asked
        for _ in range(1000):
            asked += 1
            yield tmp_path / "digit"

    readings = read_pictures(paths(), blink, threads=2)
    next(readings)
    assert asked <= 8
    readings.close()  # what Ctrl-C does
    assert asked <= 8
