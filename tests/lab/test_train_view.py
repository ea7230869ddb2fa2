"""The Train view, used as people use it: build, start, steer, reload, compare."""

from __future__ import annotations

import itertools
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from labs import Lab, button, running_lab, settle, watched_page

expect: Any = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed"
).expect


# Twenty steps an epoch, five epochs: a second or two.
TINY = {
    "recipe": None,
    "network": {
        "layers": [{"kind": "dense", "units": 16}],
        "activation": "relu",
        "loss": "cross-entropy",
        "optimizer": "momentum",
    },
    "epochs": 5,
    "batch": 50,
    "rate": 0.02,
    "schedule": "constant",
    "augmentation": "none",
    "images": 1000,
    "wrong_labels": 0.0,
    "seed": 1,
    "name": None,
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def page(browser: Any, lab: Lab) -> Iterator[Any]:
    """The Train view of somebody who has no runs yet."""
    with watched_page(browser, lab) as opened:
        forget(opened)
        open_train(opened)
        yield opened
        forget(opened)
        opened.goto("about:blank")


def forget(page: Any) -> None:
    """Ends and removes all runs, and what the page keeps."""
    page.evaluate(
        """async () => {
            const runs = async () => (await lab.get("/api/lab/runs")).runs;
            const live = ({ state }) => ["starting", "running", "paused"].includes(state);
            for (const run of (await runs()).filter(live)) {
                await fetch(`/api/lab/runs/${run.id}/commands`, { method: "POST",
                    headers: { "Content-Type": "application/json" },
                    body: JSON.stringify({ do: "stop" }) });
            }
            while ((await runs()).some(live)) await new Promise((next) => setTimeout(next, 50));
            for (const { id } of await runs()) {
                await fetch(`/api/lab/runs/${id}`, { method: "DELETE" });
            }
            lab.state.set("run", null);
            lab.state.set("settings", null);
            lab.state.set("model", "reader");
        }"""
    )
    settle(page)


def open_train(page: Any, settings: dict[str, Any] | None = None) -> None:
    """The view as it is after a reload, with these settings in its form."""
    if settings is not None:
        page.evaluate("(settings) => lab.state.set('settings', settings)", settings)
        settle(page)
    page.goto(page.url.split("#")[0] + "#train")
    page.reload()
    expect(page.locator(".estimate")).to_contain_text("parameters")


def is_now(page: Any, state: str) -> None:
    """Waits for what the run says of itself."""
    expect(page.locator("ink-run .state")).to_have_text(re.compile(f"^{state}"))


def has_run(page: Any, settings: dict[str, Any]) -> None:
    """Trains a network from beginning to end."""
    open_train(page, settings)
    button(page, "Start").click()
    is_now(page, "Done")
    expect(button(page, "Use it in Draw").first).to_be_visible()


def has_epochs(page: Any, *epochs: str) -> None:
    """The table behind the curves has these, in this order, each once."""
    details = page.locator("ink-curves details")
    details.locator("summary").click()
    expect(details.locator("tbody th")).to_have_text(list(epochs))


def test_a_newcomer_presses_start_sees_the_curve_rise_to_97_and_uses_the_network(page: Any) -> None:
    button(page, "Start").click()
    expect(page.locator("ink-chart polyline").first).to_have_attribute("points", re.compile(r"\d"))
    expect(page.locator("ink-run .numbers div").nth(3)).to_have_text(
        re.compile(r"^Validation accuracy9[78]\.\d")
    )
    heights = page.evaluate(
        """() => document.querySelector("ink-chart [color='var(--curve-1)']")
            .getAttribute("points").split(" ").map((point) => Number(point.split(",")[1]))"""
    )
    assert heights[-1] < heights[0] / 2  # from the bottom to near the top
    lowest = page.locator("ink-chart").first.locator(".numbers text").first
    expect(page.get_by_label("Close-up")).to_be_checked()  # from 90 % on
    expect(lowest).not_to_have_text("0 %")
    page.get_by_label("Close-up").uncheck()
    expect(lowest).to_have_text("0 %")
    expect(page.locator("ink-wrong li")).to_have_count(12)
    expect(page.locator("ink-weights canvas").first).to_be_visible()
    button(page, "Stop and keep").click()
    is_now(page, "Stopped")
    page.locator("ink-run").get_by_role("button", name="Use it in Draw").click()
    expect(page).to_have_url(re.compile("#draw$"))
    expect(page.locator("#model option:checked")).not_to_have_text("reader")


def test_a_run_is_paused_changed_and_goes_on_and_the_chart_marks_the_change(page: Any) -> None:
    open_train(page, {**TINY, "epochs": 200})
    button(page, "Start").click()
    button(page, "Pause").focus()
    page.keyboard.press("Enter")
    is_now(page, "Paused")
    expect(button(page, "Go on")).to_be_focused()
    page.locator("ink-knobs input").fill("-3")
    page.locator("ink-knobs").get_by_label("Batch").select_option("32")
    page.keyboard.press("Escape")
    button(page, "Go on").click()
    changes = page.locator("ink-changes")
    expect(changes).to_contain_text("rate 0.001")
    expect(changes).to_contain_text("batch 32")
    marks = page.locator("ink-chart").first.locator(".changes line:not([display])")
    expect(marks).to_have_count(changes.locator("li").count())
    button(page, "One more epoch").click()
    expect(page.locator("ink-run .numbers div").first).to_contain_text("of 201")


def test_a_reload_in_the_middle_has_every_epoch_once_and_the_run_goes_on(page: Any) -> None:
    open_train(page, {**TINY, "epochs": 6})
    button(page, "Start").click()
    page.get_by_label("Speed").select_option("20")
    expect(page.locator("ink-run .numbers div").first).to_have_text(re.compile(r"done[12]\."))
    open_train(page)
    is_now(page, "Learning")
    expect(page.get_by_label("Speed")).to_have_value("20")
    page.get_by_label("Speed").select_option("0")
    is_now(page, "Done")
    has_epochs(page, "1", "2", "3", "4", "5", "6")


def test_while_one_run_learns_start_says_why_not_and_the_help_of_every_control_is_there(
    page: Any,
) -> None:
    open_train(page, {**TINY, "epochs": 200})
    button(page, "Start").click()
    is_now(page, "Learning")
    start = button(page, "Start")
    expect(start).to_have_attribute("aria-disabled", "true")
    expect(start).to_be_focused()
    expect(page.locator("ink-form")).to_contain_text("One network learns at a time")
    page.keyboard.press("Enter")
    assert page.evaluate("async () => (await lab.get('/api/lab/runs')).runs.length") == 1
    silent = page.evaluate(
        """() => [...document.querySelectorAll("ink-train :is(button, input, select)")]
            .filter((control) => !control.dataset.help).map((control) => control.outerHTML)"""
    )
    assert silent == []


def test_the_page_changes_texts_and_lines_while_it_learns_and_makes_nothing_new(page: Any) -> None:
    open_train(page, {**TINY, "epochs": 200})
    button(page, "Start").click()
    page.get_by_label("Speed").select_option("20")  # an epoch a second
    number = page.locator("ink-run .numbers div").first
    expect(number).to_have_text(re.compile(r"done[1-9]"))
    page.evaluate(
        """() => {
            window.made = [];
            const seen = (changes) => changes.forEach(({ target, addedNodes }) => {
                for (const node of addedNodes) {
                    if (node.nodeType === 1) window.made.push(target.nodeName + node.nodeName);
                }
            });
            new MutationObserver(seen).observe(document.querySelector("ink-run"),
                { childList: true, subtree: true });
        }"""
    )
    before = number.text_content()
    expect(number).not_to_have_text(before)
    page.get_by_label("Speed").select_option("0")
    expect(number).to_have_text(re.compile(r"done\d\d"))
    # Ticks and dots are made when they are first needed; hints come and go.
    made = [what for what in page.evaluate("window.made") if what.startswith(("DL", "DIV", "TR"))]
    assert made == []
    assert page.locator("ink-chart").count() == 2


def test_a_lab_that_was_ended_comes_back_and_its_run_goes_on_where_it_was(
    page: Any, lab: Lab
) -> None:
    open_train(page, {**TINY, "epochs": 4})
    button(page, "Start").click()
    page.get_by_label("Speed").select_option("20")
    expect(page.locator("ink-run .numbers div").first).to_have_text(re.compile(r"done1\."))
    lab.end(signal.SIGTERM)
    expect(page.locator(".banner")).to_be_visible()
    lab.start()
    expect(page.locator(".banner")).to_be_hidden()
    is_now(page, "Interrupted")
    page.locator("ink-run").get_by_role("button", name="Go on").click()
    is_now(page, "Done")
    has_epochs(page, "1", "2", "3", "4")
    page.complaints.clear()  # the browser's, of a lab that was away


def test_a_network_is_built_in_a_list_and_its_size_and_shapes_follow(page: Any) -> None:
    estimate = page.locator(".estimate")
    layers = page.locator("ink-layers li")
    expect(estimate).to_contain_text("231,926 parameters")
    layers.nth(1).get_by_label("Units").fill("50")
    expect(estimate).to_contain_text("116,176 parameters")
    expect(page.locator(".shapes tbody tr").last).to_contain_text("Dense")
    button(page, "Add a layer").click()
    expect(layers).to_have_count(3)
    expect(layers.nth(2).get_by_label("Kind")).to_be_focused()
    layers.nth(2).get_by_label("Kind").select_option("convolution")
    expect(page.locator("ink-form .complaint")).to_contain_text("convolutions before the dense")
    expect(page.locator(".shapes")).to_be_hidden()
    layers.nth(2).get_by_role("button", name="Earlier").click()
    expect(layers.nth(1).get_by_label("Kind")).to_have_value("convolution")
    expect(layers.nth(1).get_by_role("button", name="Earlier")).to_be_focused()
    expect(page.locator("ink-form .complaint")).to_have_count(0)
    layers.nth(1).get_by_role("button", name="Remove").click()
    expect(layers).to_have_count(2)
    expect(layers.nth(1).get_by_role("button", name="Remove")).to_be_focused()
    open_train(page)
    expect(layers.nth(1).get_by_label("Units")).to_have_value("50")
    page.complaints.clear()  # the browser's, of the estimate that was refused


def test_a_recipe_brings_its_own_settings_and_says_what_it_is_for(page: Any) -> None:
    page.get_by_label("Recipe").select_option("blink")
    expect(page.locator("ink-form > .note").first).to_contain_text("blink of an eye")
    expect(page.locator(".estimate")).to_contain_text("33,130 parameters")
    expect(page.locator("ink-layers")).to_be_hidden()
    expect(page.locator("ink-form").get_by_label("Epochs")).to_have_value("2")
    expect(page.locator("ink-form").get_by_label("Rate")).to_have_attribute("placeholder", "0.018")


def test_runs_are_named_overlaid_compared_and_removed(page: Any) -> None:
    has_run(page, {**TINY, "name": "First"})
    has_run(page, {**TINY, "name": "Other", "seed": 2, "epochs": 2})
    rows = page.locator("ink-runs li")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Other")
    name = page.get_by_label("Name of this run")
    name.fill("Second")
    name.press("Enter")
    expect(rows.first).to_contain_text("Second")
    expect(page.locator("#model")).to_contain_text("Second")

    page.get_by_role("checkbox", name="Overlay: First").check()
    names = page.locator("ink-run ink-chart").first.locator(".names text:not([display])")
    expect(names).to_have_text(["training", "validation", "First"])
    assert page.locator("ink-run ink-chart [stroke-dasharray='7 4']").count() == 2

    button(page, "Compare").click()
    expect(page.locator(".duel")).to_contain_text("By chance alone")
    expect(page.locator(".duel tbody tr")).to_have_count(2)
    expect(page.locator(".duel ink-glyph").first).to_have_attribute(
        "aria-label", re.compile(r"^A \d: the one says \d, the other \d$")
    )

    asked: list[str] = []

    def answers(dialog: Any, answer: str) -> None:
        asked.append(dialog.message)
        getattr(dialog, answer)()

    for answer in ("dismiss", "accept"):
        expect(rows).to_have_count(2)
        page.once("dialog", lambda dialog, answer=answer: answers(dialog, answer))
        rows.first.get_by_role("button", name="Remove").click()
    expect(rows).to_have_count(1)
    assert asked == ["Remove “Second”, its curves and its model?"] * 2
    expect(page.get_by_label("Name of this run")).to_have_value("First")
    expect(page.locator("#model")).not_to_contain_text("Second")


def test_what_is_off_with_a_run_is_mended_by_one_click(page: Any) -> None:
    has_run(page, {**TINY, "images": 200, "epochs": 40, "batch": 20})
    hint = page.locator("ink-hints li", has_text="by heart").first
    expect(hint).to_contain_text("200 images")
    hint.get_by_role("button").click()
    expect(page.locator("ink-form")).to_contain_text("press Start to try it")
    expect(button(page, "Start")).to_be_focused()
    page.locator("ink-form summary", has_text="More").click()
    expect(page.locator("ink-form").get_by_label("Images", exact=True)).to_have_value("2000")


def test_a_hint_changes_the_running_run_and_an_unknown_one_is_not_shown(page: Any) -> None:
    told = page.evaluate(
        """async () => {
            const { InkHints } = await import("/static/train/knobs.js");
            const hints = new InkHints();
            document.querySelector("main").append(hints);
            const told = [];
            hints.mend = (fix) => told.push(fix);
            hints.show([
                { kind: "rate_too_high", values: { rate: 3 }, fix: { change: { rate: 0.3 } } },
                { kind: "from_the_future", values: {}, fix: null },
            ]);
            hints.querySelector("button").click();
            const texts = [...hints.querySelectorAll("li")].map((li) => li.textContent);
            hints.remove();
            return { told, texts };
        }"""
    )
    assert told["told"] == [{"change": {"rate": 0.3}}]
    (only,) = told["texts"]
    assert "rate of 3 is too high" in only
    assert only.endswith("Set the rate to 0.3")


def test_a_story_has_each_step_once_and_forgets_what_was_rewound(page: Any) -> None:
    story = page.evaluate(
        """async () => {
            const { Story } = await import("/static/train/follow.js");
            const story = new Story();
            const point = (step) => ({ step, epoch: step / 10, validation_accuracy: step / 100 });
            story.take("point", point(1), 1);
            story.take("point", point(2), 2);
            const again = story.take("point", point(2), 2); // a dropped stream tells it again
            story.take("epoch", { step: 2, epoch: 1, accuracy: 0.5 }, 3);
            story.take("point", point(3), 4);
            story.take("change", { step: 3, epoch: 0.3, rate: 1 }, 5);
            story.take("rewound", { step: 2 }, 6);
            const rewound = [story.points.length, story.epochs.length, story.changes.length];
            story.take("point", { ...point(3), validation_accuracy: 0.9 }, 7);
            for (let step = 4; step < 20_000; step++) story.take("point", point(step), step + 4);
            const steps = story.points.map(({ step }) => step);
            return { again, rewound, third: story.points[2], count: steps.length, steps };
        }"""
    )
    assert story["again"] is False
    assert story["rewound"] == [2, 1, 0]
    assert story["count"] <= 4000
    assert story["steps"] == sorted(set(story["steps"]))
    assert story["steps"][0] == 1
    assert story["steps"][-1] == 19_999


def test_a_chart_thins_long_curves_by_means_and_keeps_labels_apart(page: Any) -> None:
    found = page.evaluate(
        """async () => {
            const { thinned, spread, ticks } = await import("/static/train/scales.js");
            const line = Array.from({ length: 5001 }, (_, n) => [n, 2 * n]);
            return {
                thin: thinned(line),
                short: thinned(line.slice(0, 3)),
                labels: spread([10, 11, 12, 200], 30, 0, 210),
                ticks: [ticks(0, 1).marks, ticks(0, 8, 1).marks, ticks(0, 1, 1).marks],
            };
        }"""
    )
    thin = found["thin"]
    assert len(thin) <= 400
    assert thin[0] == [0, 0]
    assert thin[-1] == [5000, 10000]
    assert all(y == pytest.approx(2 * x) for x, y in thin)  # on the line that they stand for
    assert found["short"] == [[0, 0], [1, 2], [2, 4]]
    labels = found["labels"]
    assert all(b - a >= 30 for a, b in itertools.pairwise(labels))
    assert labels[-1] <= 210
    assert found["ticks"][0] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert found["ticks"][1:] == [[0, 2, 4, 6, 8], [0, 1]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_a_phone_needs_no_sideways_scrolling(
    browser: Any, lab: Lab, page: Any, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    script = next(Path(axe.__file__).parent.rglob("axe.min.js")).read_text()
    has_run(page, {**TINY, "name": "First"})
    has_run(page, {**TINY, "name": "Second", "seed": 2})
    with watched_page(browser, lab, color_scheme=scheme) as other:
        for width, height in ((1280, 800), (360, 740)):
            other.set_viewport_size({"width": width, "height": height})
            open_train(other)
            is_now(other, "Done")
            has_epochs(other, "1", "2", "3", "4", "5")
            button(other, "Compare").click()
            expect(other.locator(".duel ink-glyph").first).to_be_visible()
            other.evaluate(script)
            found = other.evaluate("axe.run()")["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
            wide = "document.documentElement.scrollWidth"
            assert other.evaluate(wide) <= width
