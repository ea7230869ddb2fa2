"""Runs the commands that README.md shows and writes what they print below them.

Every ```console block is run from top to bottom: lines after `$ ` are commands, all others their
output. `scripts/…` runs in the repository, anything else in one temporary folder, where seven.jpg
and page.jpg are. Behind each command stands how long it took; remove .venv first, since a reader
has none. A block after a comment that begins with `not run:` stays as it is.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BLOCK = re.compile(
    r"(?<!-->\n)^(?P<fence>```console\n)(?P<session>.*?)(?=^```$)", re.DOTALL | re.MULTILINE
)


def run(command: str, folder: Path) -> str:
    """The command with its time, and what it printed."""
    start = time.perf_counter()
    done = subprocess.run(
        command, shell=True, cwd=folder, text=True, capture_output=True, check=True
    )
    seconds = time.perf_counter() - start
    took = f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}"
    return f"$ {command}   # {took} s\n{done.stdout.rstrip()}\n"


def main() -> None:
    with TemporaryDirectory() as scratch:
        for name in ("seven.jpg", "page.jpg"):
            shutil.copy(ROOT / "docs" / "pictures" / name, scratch)

        def answered(block: re.Match[str]) -> str:
            lines = re.findall(r"^\$ (.*?)(?: +# [\d.]+ s)?$", block["session"], re.MULTILINE)
            return block["fence"] + "\n".join(
                run(line, ROOT if line.startswith("scripts/") else Path(scratch)) for line in lines
            )

        text = BLOCK.sub(answered, README.read_text(encoding="utf-8"))
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
