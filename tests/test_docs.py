"""Every example in README and docs runs, and every link in them leads somewhere."""

from __future__ import annotations

import contextlib
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


def commands(block: Block) -> list[str]:
    """The calls of inkdigits in a console block; all else is output, or other programs' calls."""
    lines = block.code.replace("\\\n", " ").splitlines()
    calls = [line.removeprefix("$ ") for line in lines if line.startswith("$ inkdigits ")]
    return [re.sub(r" +# [\d.]+ s$", "", call) for call in calls]  # how long it took


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
            for command in commands(block):
                count += 1
                run_command(command, f"{name}, line {block.line}", folder)
    return count


def run_command(command: str, where: str, folder: Path) -> None:
    scripts = str(Path(sys.executable).parent)
    path = os.pathsep.join([scripts, os.environ["PATH"]])
    assert shutil.which("inkdigits", path=path), "the tests need the package to be installed"
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{where}: {command} ended with {done.stderr}"


@pytest.mark.slow
@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.name)
def test_every_example_on_the_page_runs(page: Path, tmp_path: Path) -> None:
    for name in ("seven.jpg", "page.jpg"):  # which the README reads
        shutil.copy(ROOT / "docs" / "pictures" / name, tmp_path)
    run_page(page.read_text(encoding="utf-8"), page.name, tmp_path)


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
$ inkdigits show mnist:test 0 --out seven.png
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
        ("python", 20, False),
        ("python", 26, True),
        ("", 32, True),
        ("bash", 36, True),
        ("python", 40, True),
    ]
    assert found[0].code == "x = 1"
    assert found[3].code == "y = '''\n```\n'''"
    assert [" ".join(command.split()) for command in commands(found[1])] == [
        "inkdigits show mnist:test 0 --out seven.png",
        "inkdigits info mnist:test --json",
    ]


def test_a_page_runs_in_order_in_one_namespace_and_one_folder(tmp_path: Path) -> None:
    assert run_page(PAGE, "page.md", tmp_path) == 5


@pytest.mark.parametrize(
    ("page", "error", "message"),
    [
        ("\n\n```python\n1 / 0\n```\n", ZeroDivisionError, None),
        ("```python\nassert 1 == 2\n```\n", AssertionError, None),
        ("```console\n$ inkdigits info nothing\n```\n", AssertionError, "there is no file"),
        ("```console\n$ inkdigits shwo x\n```\n", AssertionError, "did you mean show"),
        ("```python\nx = 1\n", AssertionError, "line 1: the block does not end"),
        ("<!-- not run: -->\n```python\n1 / 0\n```\n", ZeroDivisionError, None),
        (
            "<!-- not run: why -->\n\nMore.\n\n```python\n1 / 0\n```\n",
            ZeroDivisionError,
            None,
        ),
    ],
    ids=["error", "assertion", "status 1", "status 2", "no end", "no reason", "not directly"],
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
