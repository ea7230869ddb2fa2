"""`inkdigits …` and `python -m inkdigits …`."""

from __future__ import annotations

import sys

from inkdigits.cli import run

__all__ = ["main"]


def main() -> None:
    """Runs the command line and exits with its status."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
