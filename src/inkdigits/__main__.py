"""`inkdigits …` and `python -m inkdigits …`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line and exits with its status."""
    from inkdigits.kernels import choose_kernels

    choose_kernels()
    from inkdigits.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
