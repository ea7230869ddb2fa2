"""`inkdigits export`."""

from __future__ import annotations

import click

from inkdigits.cli.console import Command, json_option, print_json

__all__ = ["command"]

EXAMPLES = """
    inkdigits export model.safetensors page.html               draw, and the page reads it
    inkdigits export model.safetensors page.html --json        its size, for scripts
"""


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("model")
@click.argument("out", metavar="OUT.html")
@json_option
def command(model: str, out: str, as_json: bool) -> None:
    """Turn a model into one HTML page that reads what is drawn on it.

    The page needs no server, no network and nothing installed: open it in any browser, on a
    phone too, or send it to someone.
    """
    from pathlib import Path

    from inkdigits.formats import load_model
    from inkdigits.formats.html import check_page_replaceable, save_page

    check_page_replaceable(Path(out))
    loaded = load_model(model)
    size = save_page(loaded, out)
    parameters = int(loaded.network.parameters.size)
    if as_json:
        print_json({"path": out, "bytes": size, "parameters": parameters})
    else:
        print(
            f"{parameters:,} parameters written to {out}, {size / 1e6:.1f} MB: "
            "open it in any browser"
        )
