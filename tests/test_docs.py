"""Every example in README and docs runs and prints what is shown; every link leads somewhere."""

from __future__ import annotations

import contextlib
import math
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]

FENCE = re.compile(r" *(`{3,})(.*)")
NOT_RUN = re.compile(r"<!-- not run: \S.*-->")

# What may differ between machines, and by how much: times are the machine's, and the last digits of
# what was trained or computed are its BLAS's. All else is printed as it is shown.
LOOSE = {
    r"[\d.,]+(?= m?s\b)": math.inf,  # times
    r"(?<=onfusions: ).*": math.inf,  # which of some rare ones come first
    r"[\d.]+(?= %)": 0.2,  # points
    r"[\d,]+(?= of 10,000 )": 20,  # digits read right: 0.2 points of them
    r"(?<=loss )[\d.]+": 0.02,
    r"\d\.\d{4,}(?:e-\d+)?": 0.002,  # probabilities, in JSON
}
LOOSELY = re.compile("|".join(f"({pattern})" for pattern in LOOSE))


class Block(NamedTuple):
    language: str
    line: int  # where the code begins, from 1
    code: str
    runs: bool  # unless a comment before it says why not


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a Markdown page."""
    found: list[Block] = []
    lines = iter(enumerate(text.splitlines(), start=1))
    before = ""
    for number, line in lines:
        opening = FENCE.fullmatch(line)
        if opening is None:
            before = line.strip() or before
            continue
        fence, language = opening[1], opening[2].strip()
        code: list[str] = []
        for _, inner in lines:
            if inner.strip() == fence:
                break
            code.append(inner)
        else:
            raise AssertionError(f"line {number}: the block does not end")
        runs = NOT_RUN.fullmatch(before) is None
        found.append(Block(language, number + 1, textwrap.dedent("\n".join(code)), runs))
        before = ""
    return found


class Call(NamedTuple):
    command: str
    shown: str  # the output below it; where there is none, none is compared


def calls(block: Block) -> list[Call]:
    """The calls of inkdigits in a console block; those of other programs are not run."""
    sessions = re.split(r"^\$ ", block.code.replace("\\\n", " "), flags=re.MULTILINE)
    found = []
    for session in sessions[1:]:
        command, _, shown = session.partition("\n")
        if command.startswith("inkdigits "):
            command = re.sub(r" +# [\d.]+ s$", "", command)  # how long it took
            found.append(Call(command, shown.strip("\n")))
    return found


def run_page(text: str, name: str, folder: Path) -> int:
    """Runs a page's Python (in one namespace) and commands, in order; how many there were."""
    namespace: dict[str, Any] = {"__name__": name}
    count = 0
    for block in blocks(text):
        if not block.runs:
            continue
        if block.language == "python":
            count += 1
            padding = "\n" * (block.line - 1)  # so that an error shows the line of the page
            with contextlib.chdir(folder):
                exec(compile(padding + block.code, name, "exec"), namespace)
        elif block.language == "console":
            for call in calls(block):
                count += 1
                where = f"{name}, line {block.line}: {call.command}"
                printed = run_command(call.command, where, folder)
                if call.shown:
                    assert alike(call.shown, printed), f"{where} printed\n{printed}"
    return count


def run_command(command: str, where: str, folder: Path) -> str:
    """What the command prints."""
    scripts = str(Path(sys.executable).parent)
    path = os.pathsep.join([scripts, os.environ["PATH"]])
    assert shutil.which("inkdigits", path=path), "the tests need the package to be installed"
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, f"{where} ended with {done.stderr}"
    return done.stdout


def alike(shown: str, printed: str) -> bool:
    """Whether they differ by no more than LOOSE allows."""
    texts = ["\n".join(map(str.rstrip, text.strip("\n").split("\n"))) for text in (shown, printed)]
    one, other = (LOOSELY.sub(lambda found: f"<{found.lastindex}>", text) for text in texts)
    pairs = zip(*(LOOSELY.finditer(text) for text in texts), strict=False)
    return one == other and all(close(*pair) for pair in pairs)


def close(one: re.Match[str], other: re.Match[str]) -> bool:
    assert one.lastindex is not None
    tolerance = list(LOOSE.values())[one.lastindex - 1]
    if math.isinf(tolerance):
        return True
    first, second = (float(found[0].replace(",", "")) for found in (one, other))
    return abs(first - second) <= tolerance + 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.name)
def test_every_example_on_the_page_runs_and_prints_what_is_shown(
    page: Path, tmp_path: Path
) -> None:
    for name in ("seven.jpg", "page.jpg"):  # which they read
        shutil.copy(ROOT / "docs" / "pictures" / name, tmp_path)
    run_page(page.read_text(encoding="utf-8"), page.name, tmp_path)


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text):
        if not re.match(r"https?:|mailto:|#", link):
            assert (page.parent / link.partition("#")[0]).exists(), link


# The mechanism itself

PAGE = """\
# A page

```python
x = 1
```

Then the picture, with output shown:

```console
$ inkdigits show mnist:test 0 --out seven.png   # 0.3 s
seven.png

$ rm -r /nothing
$ inkdigits info \\
    mnist:test --json
```

<!-- not run: it needs a camera -->

```python
raise RuntimeError
```

1. In a list:

   ````python
   y = '''
   ```
   '''
   ````

```
$ inkdigits nonsense
```

```bash
inkdigits nonsense
```

```python
assert x == 1
from pathlib import Path
assert Path("seven.png").exists()
```
"""


def test_the_blocks_of_a_page_are_found_with_their_places() -> None:
    found = blocks(PAGE)
    assert [(block.language, block.line, block.runs) for block in found] == [
        ("python", 4, True),
        ("console", 10, True),
        ("python", 21, False),
        ("python", 27, True),
        ("", 33, True),
        ("bash", 37, True),
        ("python", 41, True),
    ]
    assert found[0].code == "x = 1"
    assert found[3].code == "y = '''\n```\n'''"
    assert [(" ".join(call.command.split()), call.shown) for call in calls(found[1])] == [
        ("inkdigits show mnist:test 0 --out seven.png", "seven.png"),
        ("inkdigits info mnist:test --json", ""),
    ]


@pytest.mark.slow
def test_a_page_runs_in_order_in_one_namespace_and_one_folder(tmp_path: Path) -> None:
    assert run_page(PAGE, "page.md", tmp_path) == 5


@pytest.mark.parametrize(
    ("page", "error", "message"),
    [
        ("\n\n```python\n1 / 0\n```\n", ZeroDivisionError, None),
        ("```python\nassert 1 == 2\n```\n", AssertionError, None),
        ("```console\n$ inkdigits info nothing\n```\n", AssertionError, "there is no file"),
        ("```console\n$ inkdigits shwo x\n```\n", AssertionError, "did you mean show"),
        (
            "```console\n$ inkdigits --version\ninkdigits 0.0\n```\n",
            AssertionError,
            r"line 2: inkdigits --version printed\s+inkdigits",
        ),
        ("```python\nx = 1\n", AssertionError, "line 1: the block does not end"),
        ("<!-- not run: -->\n```python\n1 / 0\n```\n", ZeroDivisionError, None),
        (
            "<!-- not run: why -->\n\nMore.\n\n```python\n1 / 0\n```\n",
            ZeroDivisionError,
            None,
        ),
    ],
    ids=[
        "error",
        "assertion",
        "status 1",
        "status 2",
        "other output",
        "no end",
        "no reason",
        "not directly",
    ],
)
def test_an_example_that_does_not_run_fails(
    tmp_path: Path, page: str, error: type[Exception], message: str | None
) -> None:
    with pytest.raises(error, match=message) as caught:
        run_page(page, "page.md", tmp_path)
    if error is ZeroDivisionError:
        where = caught.traceback[-1]
        line = page[: page.index("1 / 0")].count("\n")  # from 0, as pytest counts
        assert (str(where.path).endswith("page.md"), where.lineno) == (True, line)


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        ("seven.jpg: 7  (99.8 %)", "seven.jpg: 7  (99.6 %)\n", True),
        ("seven.jpg: 7  (99.8 %)", "seven.jpg: 7  (98.3 %)\n", False),
        ("seven.jpg: 7  (99.8 %)", "seven.jpg: 1  (99.8 %)\n", False),
        ("seven.jpg: 7", "seven.jpg: 7\nseven.jpg: 7\n", False),
        ("epoch 1   loss 0.513   0.87 s", "epoch 1   loss 0.517   12.1 s", True),
        ("epoch 1   loss 0.513   0.87 s", "epoch 1   loss 0.613   0.87 s", False),
        ("epoch 1   loss 0.513   0.87 s", "epoch 2   loss 0.513   0.87 s", False),
        ("9,716 of 10,000 read right", "9,730 of 10,000 read right", True),
        ("9,716 of 10,000 read right", "9,616 of 10,000 read right", False),
        ("Commonest confusions: 7 as 9 (24×)", "Commonest confusions: 4 as 9 (23×)", True),
        ('{"digit": 7, "probability": 0.99833}', '{"digit": 7, "probability": 0.99771}', True),
        ('{"digit": 7, "probability": 0.99833}', '{"digit": 7, "probability": 0.97}', False),
        ("a 7, index 0", "a 7, index 1", False),
        ("12 numbers", "13 numbers", False),
        ("  ▄▄\n   █  \n", "\n  ▄▄\n   █", True),
        ("  ▄▄\n   █", "  ▄▄\n  █", False),
    ],
)
def test_output_may_differ_in_times_and_last_digits_alone(
    shown: str, printed: str, expected: bool
) -> None:
    assert alike(shown, printed) == alike(printed, shown) == expected
