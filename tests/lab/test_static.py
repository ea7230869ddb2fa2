"""The lab's page as it lies on disk: small, of our own making, and with its words in one place."""

from __future__ import annotations

import re
from pathlib import Path

import inkdigits

STATIC = Path(inkdigits.__file__).parent / "lab" / "static"
SHARED = Path(inkdigits.__file__).parent / "formats" / "page"
FILES = sorted(path for path in STATIC.rglob("*") if path.is_file())
FETCHED = [path for path in FILES if not path.name.endswith(".d.ts")]  # types are for checkers
SCRIPTS = [path for path in FILES if path.suffix == ".js"]

LIMIT = 250_000  # bytes of all that a browser may fetch

# Literals that stand where people would see them: text given to an element, labels, alternatives.
SPOKEN = re.compile(
    r"""(?:textContent|ariaLabel|"aria-label"|alt|placeholder)\s*[=:]\s*["'`](\w+)"""
)


def test_the_page_weighs_less_than_a_photograph() -> None:
    shared = [SHARED / name for name in ("board.js", "ink.js")]
    assert sum(path.stat().st_size for path in (*FETCHED, *shared)) < LIMIT


def test_nothing_in_it_names_another_place() -> None:
    places = {
        (path.name, place)
        for path in FILES
        for place in re.findall(
            r"(?:https?:|wss?:)?//[\w.-]+\.\w+[^\s\"'`)]*", path.read_text(encoding="utf-8")
        )
    }
    markup = "http://www.w3.org/2000/svg"  # the name of a kind of markup
    assert {(name, place) for name, place in places if place != markup} == set()


def test_the_words_for_people_are_in_one_file() -> None:
    spoken = {path.name: SPOKEN.findall(path.read_text(encoding="utf-8")) for path in SCRIPTS}
    assert [(name, words) for name, words in spoken.items() if words and name != "words.js"] == []


def test_that_law_sees_what_it_forbids() -> None:
    assert SPOKEN.findall('status.textContent = "Done";')
    assert SPOKEN.findall("made('td', { 'x': 1, \"aria-label\": 'Close' })")
    assert not SPOKEN.findall('made("td", { "aria-label": words.close })')


def test_a_script_builds_no_markup_from_text() -> None:
    ways = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(")
    texts = {path.name: path.read_text(encoding="utf-8") for path in SCRIPTS}
    assert [(name, way) for name, text in texts.items() for way in ways if way in text] == []
