"""`inkdigits lab`."""

from __future__ import annotations

from pathlib import Path

import click

from inkdigits.cli.console import Command

__all__ = ["command"]

EXAMPLES = """
    inkdigits lab                                              opens the page in your browser
    inkdigits lab --no-browser --port 8000                     only says where the page is
    inkdigits lab --api-only                                   for programs: /openapi.json tells how
"""


@click.command(cls=Command, examples=EXAMPLES)
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="P", help="8765, or another free one."
)
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where drawings, runs and models are kept; your own data folder by default.",
)
@click.option("--api-only", is_flag=True, help="Serve programs alone: no page, no training.")
def command(port: int | None, no_browser: bool, home: Path | None, api_only: bool) -> None:
    """Draw digits, watch a network learn, look inside: on a page in your browser.

    It is served on this machine to this machine alone, until Ctrl-C. The token in the address lets
    your browser in. What you draw, train and teach is there again when it is started again.
    """
    from inkdigits.lab.server import serve

    def say(address: str) -> None:
        if api_only:
            said = (
                f"The lab reads for programs at {address}api/read; {address}openapi.json tells how"
            )
        else:
            said = f"The lab is at {address}"
        print(f"{said}\nCtrl-C ends it", flush=True)

    serve(home=home, port=port, browser=not no_browser, api_only=api_only, ready=say)
