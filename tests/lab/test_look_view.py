"""The Look view, used as people use it: from the digit through the layers down to a product."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.lab.labs import Lab, running_lab, watched_page, with_run

from inkdigits.dataset import Dataset
from inkdigits.evaluation import report
from inkdigits.inspection import activations, exciting, unit_arithmetic
from inkdigits.inspection.activations import passages
from inkdigits.model import Model

expect: Any = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed"
).expect

OWN = "0123456789ab"  # the id of a run with a model
INDEX = 7  # of the digit that is looked at
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def lab(blink_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with a second model, that of a run."""
    home = tmp_path_factory.mktemp("home")
    with_run(home, OWN, blink_file)
    with running_lab(home) as running:
        yield running


def looking(page: Any) -> Any:
    """The page of somebody who looks at digit no. INDEX and has done nothing else."""
    # Said to the page itself: what an earlier one keeps as it is closed may reach the lab late.
    chosen = {"data": "mnist:validation", "index": INDEX, "beside": ""}
    kept = {"glyph": None, "openedUnit": None, "model": "reader", "looked": chosen}
    page.evaluate("kept => Object.entries(kept).forEach((each) => lab.state.set(...each))", kept)
    page.evaluate("location.hash = 'look'")
    expect(page.locator("ink-looked .says")).to_contain_text(f"no. {INDEX} ")
    return page


@pytest.fixture
def page(browser: Any, lab: Lab) -> Iterator[Any]:
    with watched_page(browser, lab, viewport=WIDE) as opened:
        yield looking(opened)


def unit(page: Any, layer: int, number: int) -> Any:
    """The button of a unit."""
    return page.locator(".layer").nth(layer).locator(".units button").nth(number)


def says(page: Any) -> Any:
    """What is looked at, and how it is read."""
    return page.locator("ink-looked .says")


def numbers(text: str) -> list[float]:
    """The numbers in a text of the page."""
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", text.replace("\u2212", "-"))]


def test_all_layers_are_shown_in_the_order_of_the_data(
    page: Any, reader: Model, validation: Dataset
) -> None:
    made = activations(reader.network, validation.images[INDEX])
    layers = page.locator(".layer")
    expect(layers).to_have_count(len(made))
    for layer, activation in enumerate(made):
        expect(layers.nth(layer).locator("code")).to_have_text(activation.code)
        shown = layers.nth(layer).locator(".scale").inner_text()
        low, high = float(activation.values.min()), float(activation.values.max())
        assert numbers(shown) == pytest.approx([low, high], rel=1e-3)
        units = layers.nth(layer).locator(".units button")
        assert units.count() == (1 if activation.values.ndim == 2 else len(activation.values))
    best = page.locator("ink-passage .bars .best")
    expect(best.locator("th")).to_have_text(str(validation.known_labels[INDEX]))


def test_the_digit_is_named_with_its_label_and_how_it_is_read(
    page: Any, validation: Dataset
) -> None:
    label = validation.known_labels[INDEX]
    expect(says(page)).to_contain_text(f"no. {INDEX} of MNIST’s validation digits, a {label}")
    expect(says(page)).to_contain_text(f"reads {label}")


def test_a_unit_opens_down_to_the_products_that_make_its_number(
    page: Any, reader: Model, validation: Dataset
) -> None:
    unit(page, 1, 3).click()
    expect(page.locator("ink-unit h2")).to_have_text("Layer 1, unit 3")
    glyph = validation.images[INDEX]
    values = activations(reader.network, glyph)[1].values[3]
    row, column = np.unravel_index(values.argmax(), values.shape)
    about = unit_arithmetic(reader.network, glyph, 1, 3, int(row), int(column))
    cells = page.locator("ink-unit [role=gridcell]")
    expect(cells).to_have_count(25)
    expect(page.locator("ink-unit .total")).to_have_text(f"Sum of the products = {about.sum:.3f}")
    assert about.weights is not None
    products = (about.patch * about.weights).ravel()
    for n, name in enumerate(cells.evaluate_all("all => all.map((one) => one.ariaLabel)")):
        x, weight, product = numbers(name.partition(":")[2])
        assert (x, weight) == pytest.approx((about.patch.flat[n], about.weights.flat[n]), rel=1e-3)
        assert product == pytest.approx(products[n], rel=1e-3)


def test_a_unit_of_many_pictures_shows_those_that_count_most_and_then_all(
    page: Any, reader: Model, validation: Dataset
) -> None:
    unit(page, 5, 0).click()
    channels = page.locator("ink-unit .channel")
    expect(channels).to_have_count(32)
    expect(channels.nth(3)).to_be_visible()
    expect(channels.nth(4)).to_be_hidden()
    page.get_by_text("From 28 other pictures").click()
    expect(channels.nth(31)).to_be_visible()
    sums = [numbers(text)[1] for text in channels.locator("> .note").all_inner_texts()]
    assert sums == sorted(sums, key=abs, reverse=True)
    total = numbers(page.locator("ink-unit .total").inner_text())[-1]
    assert sum(sums) == pytest.approx(total, abs=0.05)  # of 32 numbers rounded to 4 digits


def test_each_kind_of_layer_has_its_arithmetic(
    page: Any, reader: Model, validation: Dataset
) -> None:
    made = activations(reader.network, validation.images[INDEX])
    for layer, activation in enumerate(made):
        unit(page, layer, 0).click()
        expect(page.locator("ink-unit h2")).to_have_text(f"Layer {layer}, unit 0")
        value = activation.values if activation.values.ndim == 2 else activation.values[0]
        page.wait_for_function(
            """(expected) => {
                const said = document.querySelector("ink-unit .gives")?.textContent ?? "";
                const number = Number(said.replace("\u2212", "-").match(/-?\\d+(\\.\\d+)?/)?.[0]);
                return Math.abs(number - expected) <= 1e-3 * Math.abs(expected);
            }""",
            arg=float(value.max()),
        )
        worked = numbers(page.locator("ink-unit .total").inner_text())[-1]
        assert worked == pytest.approx(float(value.max()), rel=1e-3, abs=1e-3)


def test_the_place_is_chosen_by_arrow_keys_and_keeps_the_focus(
    page: Any, reader: Model, validation: Dataset
) -> None:
    values = activations(reader.network, validation.images[INDEX])[1].values[3]
    row, column = (int(axis) for axis in np.unravel_index(values.argmax(), values.shape))
    unit(page, 1, 3).click()
    place = page.get_by_role("slider", name="What unit 3 of layer 1 makes of the digit")
    place.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("ink-unit .where .note").first).to_contain_text(
        f"Row {row - 1}, column {column - 1}"
    )
    about = unit_arithmetic(
        reader.network, validation.images[INDEX], 1, 3, row=row - 1, column=column - 1
    )
    expected = f"Sum of the products = {about.sum:.3f}".replace("-", "\u2212")
    expect(page.locator("ink-unit .total")).to_have_text(expected)
    expect(place).to_be_focused()


@pytest.mark.parametrize("layer", [1, 5, 9])
def test_no_pixel_beyond_the_frame_changes_the_number(
    page: Any, reader: Model, validation: Dataset, layer: int
) -> None:
    glyph = validation.images[INDEX]
    values = activations(reader.network, glyph)[layer].values[2]
    row, column = np.unravel_index(values.argmax(), values.shape)
    unit(page, layer, 2).click()
    # The first glyph is the digit that is looked at; those that excite the unit most come later.
    frame = page.locator("ink-unit ink-glyph .mark").first
    expect(page.locator("ink-unit .where .note").first).to_contain_text(
        f"Row {row}, column {column}"
    )
    shares = frame.evaluate("(one) => ['top', 'left', 'height', 'width'].map((n) => one.style[n])")
    top, left, height, width = (round(0.28 * float(share.rstrip("%"))) for share in shares)
    counts = np.zeros(glyph.shape, bool)
    for pixel in np.ndindex(glyph.shape):
        changed = glyph.copy()
        changed[pixel] ^= 255
        passed = passages(reader.network, changed, layer + 1)[-1].y
        counts[pixel] = passed[2, row, column, 0] != values[row, column]
    rows, columns = np.nonzero(counts)
    assert top <= rows.min() <= rows.max() < top + height
    assert left <= columns.min() <= columns.max() < left + width
    if layer == 1:  # no pooling yet, which hides what is not the largest
        assert counts.sum() == height * width


def test_the_keyboard_alone_goes_from_the_layers_to_a_product(page: Any) -> None:
    page.evaluate("lab.state.on('unit-opened', (unit) => (window.opened = unit))")
    units = page.locator(".layer").nth(1).locator(".units")
    units.locator("[tabindex='0']").focus()
    page.keyboard.press("Home")
    expect(unit(page, 1, 0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    tops = units.locator("button").evaluate_all("all => all.map((one) => one.offsetTop)")
    across = tops.count(tops[0])
    assert 1 < across < 32
    expect(unit(page, 1, across + 1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("ink-unit h2")).to_have_text(f"Layer 1, unit {across + 1}")
    assert page.evaluate("window.opened") == {"layer": 1, "unit": across + 1}
    expect(unit(page, 1, across + 1)).to_be_focused()
    assert units.locator("[tabindex='0']").count() == 1
    cells = page.locator("ink-unit [role=gridcell]")
    expect(cells).to_have_count(25)
    cells.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(cells.nth(6)).to_be_focused()
    name = cells.nth(6).get_attribute("aria-label")
    expect(page.locator("ink-unit .readout").first).to_have_text(name)
    assert page.locator("ink-unit .matrix .on").count() == 3


def test_what_excites_a_unit_is_shown_and_can_be_looked_at(
    page: Any, reader: Model, validation: Dataset
) -> None:
    unit(page, 16, 7).click()
    most = exciting(reader.network, validation.images, 16, 7, 12)
    pictures = page.locator("ink-exciting li button")
    page.locator("ink-exciting").scroll_into_view_if_needed()
    expect(pictures).to_have_count(12)
    expect(pictures.first.locator(".caption")).to_have_text(f"{most.values[0]:.4g}")
    pictures.first.click()
    expect(says(page)).to_contain_text(f"no. {most.indices[0]} ")
    expect(page.locator("ink-unit h2")).to_have_text("Layer 16, unit 7")


def test_a_cell_of_the_confusion_matrix_opens_its_pictures(
    page: Any, reader: Model, validation: Dataset
) -> None:
    scores = report(validation.known_labels, reader.predict_probabilities(validation.images))
    page.locator("ink-confusion").scroll_into_view_if_needed()
    rows = page.locator("ink-confusion tbody tr")
    expect(rows).to_have_count(10)
    cells = rows.evaluate_all(
        "rows => rows.map((row) => [...row.querySelectorAll('td')].map((one) => +one.textContent))"
    )
    assert cells == scores.confusion.tolist()
    expect(page.locator("ink-confusion .lead")).to_contain_text(f"{scores.correct:,} right")
    label, answer, count = scores.commonest_confusions(1)[0]
    rows.nth(label).locator("td").nth(answer).locator("button").click()
    pictures = page.locator("ink-mistakes li button")
    expect(pictures).to_have_count(count)
    pictures.first.click()
    expect(says(page)).to_contain_text(f"a {label}. The network reads {answer}")
    expect(page.get_by_role("heading", name="The digit", exact=True)).to_be_focused()


def test_of_many_pictures_some_are_shown_and_a_button_goes_on_to_the_next(page: Any) -> None:
    page.locator("ink-confusion").scroll_into_view_if_needed()
    cell = page.locator("ink-confusion tbody tr").first.locator("td").first.locator("button")
    count = int(cell.text_content())
    cell.click()
    pictures = page.locator("ink-mistakes li button")
    expect(pictures).to_have_count(40)
    more = page.get_by_role("button", name="Show more")
    more.click()
    expect(pictures).to_have_count(80)
    expect(pictures.nth(40)).to_be_focused()
    for shown in range(80, count, 40):
        expect(pictures).to_have_count(shown)
        more.click()
    expect(pictures).to_have_count(count)
    expect(more).to_be_hidden()
    names = pictures.evaluate_all("all => all.map((one) => one.firstChild.ariaLabel)")
    assert len(set(names)) == count


@pytest.mark.parametrize(
    ("value", "said"),
    [(-0.004, "0.00"), (0.004, "0.00"), (-0.005001, "−0.01"), (-120.2, "−120"), (0, "0")],
)
def test_what_rounds_to_nothing_has_no_sign(page: Any, value: float, said: str) -> None:
    short = "async (value) => (await import('/static/words.js')).words.look.short(value)"
    assert page.evaluate(short, value) == said


def test_the_ten_digits_that_it_imagines_can_be_looked_at(page: Any) -> None:
    page.locator("ink-imagined").scroll_into_view_if_needed()
    pictures = page.locator("ink-imagined li button")
    expect(pictures).to_have_count(10)
    pictures.nth(4).click()
    expect(says(page)).to_contain_text("The 4 that the network imagines")


def test_any_digit_can_be_chosen_and_the_choice_outlasts_a_reload(page: Any) -> None:
    page.get_by_role("button", name="Next").click()
    expect(says(page)).to_contain_text(f"no. {INDEX + 1} ")
    page.get_by_role("button", name="Previous").click()
    page.get_by_role("button", name="Previous").click()
    expect(says(page)).to_contain_text(f"no. {INDEX - 1} ")
    number = page.get_by_label("Validation digit no.")
    number.fill("9999")
    number.press("Enter")
    expect(says(page)).to_contain_text("no. 9999 ")
    unit(page, 3, 4).click()
    with page.expect_response(lambda answer: answer.request.method == "PUT"):
        page.get_by_role("button", name="Next").click()  # there is none after the last
    page.reload()
    expect(says(page)).to_contain_text("no. 9999 ")
    expect(page.locator("ink-unit h2")).to_have_text("Layer 3, unit 4")


def as_text(glyph: NDArray[np.uint8]) -> str:
    return base64.b64encode(glyph.tobytes()).decode()


def test_a_newer_drawing_takes_the_place_of_a_chosen_digit(page: Any, validation: Dataset) -> None:
    drawing = page.get_by_role("button", name="Your drawing")
    expect(drawing).to_be_disabled()
    page.evaluate("glyph => lab.state.set('glyph', glyph)", as_text(validation.images[0]))
    expect(says(page)).to_contain_text("Your drawing")
    page.get_by_role("button", name="Next").click()
    expect(says(page)).to_contain_text("MNIST")
    drawing.click()
    expect(says(page)).to_contain_text("Your drawing")


def test_a_view_that_is_not_shown_asks_for_nothing(page: Any, validation: Dataset) -> None:
    expect(page.locator("ink-unit .total")).to_be_visible()
    asked: list[str] = []
    page.evaluate("location.hash = 'draw'")
    expect(page.locator("ink-look")).to_be_hidden()
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("glyph => lab.state.set('glyph', glyph)", as_text(validation.images[0]))
    page.evaluate("lab.state.set('model', 'reader')")
    with page.expect_response(
        "**/api/lab/state"
    ):  # kept after a while: what was due has been asked
        pass
    assert [url for url in asked if "/look/" in url] == []
    page.evaluate("location.hash = 'look'")
    expect(says(page)).to_contain_text("Your drawing")
    assert [url for url in asked if "/look/activations" in url] != []


def test_another_model_answers_everything_anew(
    page: Any, blink: Model, validation: Dataset
) -> None:
    page.get_by_label("Model").select_option("My own")
    layers = page.locator(".layer")
    expect(layers).to_have_count(len(blink.network.layers))
    expect(page.locator("ink-unit .total")).to_be_visible()
    page.locator("ink-confusion").scroll_into_view_if_needed()
    scores = report(validation.known_labels, blink.predict_probabilities(validation.images))
    expect(page.locator("ink-confusion .lead")).to_contain_text(
        f"Of 10,000 validation digits it reads {scores.correct:,} right"
    )


def test_on_a_phone_the_unit_comes_to_the_reader_and_lets_them_back(browser: Any, lab: Lab) -> None:
    with watched_page(browser, lab, viewport=PHONE) as page:
        looking(page)
        unit(page, 2, 6).click()
        heading = page.locator("ink-unit h2")
        expect(heading).to_have_text("Layer 2, unit 6")
        expect(heading).to_be_focused()
        expect(heading).to_be_in_viewport()
        expect(page.locator("ink-unit .total")).to_be_visible()
        page.get_by_role("button", name="Back to the layers").click()
        expect(unit(page, 2, 6)).to_be_focused()
        expect(unit(page, 2, 6)).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [WIDE, PHONE], ids=["wide", "phone"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    browser: Any, lab: Lab, scheme: str, screen: dict[str, int]
) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    script = next(Path(axe.__file__).parent.rglob("axe.min.js")).read_text()
    with watched_page(browser, lab, viewport=screen, color_scheme=scheme) as page:
        looking(page)
        page.evaluate(script)

        def check(part: str) -> None:
            found = page.evaluate("part => axe.run(part)", part)["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
            assert page.evaluate("document.documentElement.scrollWidth") <= screen["width"]

        for layer in (1, 2, 5, 7, 16):
            unit(page, layer, 2).click()
            expect(page.locator("ink-unit h2")).to_have_text(f"Layer {layer}, unit 2")
            expect(page.locator("ink-unit .total")).to_be_visible()
            check("ink-unit")
        page.locator("ink-unit summary").click()
        page.locator("ink-imagined").scroll_into_view_if_needed()
        expect(page.locator("ink-imagined li")).to_have_count(10)
        page.locator("ink-confusion").scroll_into_view_if_needed()
        page.locator("ink-confusion td:not(.right) button").first.click()
        expect(page.locator("ink-mistakes li").first).to_be_visible()
        # A layer's hundreds of units are alike, and axe takes a minute for them.
        page.locator(".units button:nth-child(n+13)").evaluate_all(
            "alike => alike.forEach((each) => each.remove())"
        )
        check("ink-look")
