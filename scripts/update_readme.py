"""Runs the commands that README.md and docs/guide.md show, and writes what they print below them.

    python scripts/update_readme.py [PAGE …]

Every ```console block is run from top to bottom: lines after `$ ` are commands, all others their
output. `scripts/…` runs in the repository, anything else in one temporary folder, where seven.jpg
and page.jpg are, with the commands of the repository's .venv. Behind each command stands how long
it took; remove .venv first, since a reader has none. A block after a comment that begins with
`not run:` stays as it is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "docs" / "guide.md"]
BLOCK = re.compile(
    r"(?<!-->\n)^(?P<fence>```console\n)(?P<session>.*?)(?=^```$)", re.DOTALL | re.MULTILINE
)


def run(command: str, folder: Path) -> str:
    """The command with its time, and what it printed."""
    path = os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ["PATH"]])
    start = time.perf_counter()
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={**os.environ, "PATH": path},
        text=True,
        capture_output=True,
        check=True,
    )
    seconds = time.perf_counter() - start
    took = f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}"
    return f"$ {command}   # {took} s\n{done.stdout.rstrip()}\n"


def update(page: Path) -> None:
    with TemporaryDirectory() as scratch:
        for name in ("seven.jpg", "page.jpg"):
            shutil.copy(ROOT / "docs" / "pictures" / name, scratch)

        def answered(block: re.Match[str]) -> str:
            lines = re.findall(r"^\$ (.*?)(?: +# [\d.]+ s)?$", block["session"], re.MULTILINE)
            return block["fence"] + "\n".join(
                run(line, ROOT if line.startswith("scripts/") else Path(scratch)) for line in lines
            )

        text = BLOCK.sub(answered, page.read_text(encoding="utf-8"))
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:] or PAGES:
        update(Path(name))
