"""`inkdigits teach`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inkdigits.cli.console import Command, json_option, per_cent, print_json, shown

if TYPE_CHECKING:
    from inkdigits.model import Model

__all__ = ["command"]

EXAMPLES = """
    inkdigits teach seven.jpg --label 7                        this is how I write a seven
    inkdigits teach my-ones/*.png --label 1 --to my-hand
    inkdigits train --from reader --and my-digits              learn them, ten or more, in seconds
"""

DIGITS = range(10)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("pictures", metavar="PICTURE…", nargs=-1, required=True)
@click.option(
    "--label", type=click.IntRange(0, 9), required=True, metavar="D", help="What they show, 0 to 9."
)
@click.option("--to", "folder", default="my-digits", metavar="FOLDER", help="my-digits by default.")
@click.option("--model", default="reader", metavar="MODEL", help="What reads; reader by default.")
@json_option
def command(pictures: tuple[str, ...], label: int, folder: str, model: str, as_json: bool) -> int:
    """Keep pictures of one digit each, with their label, as digits to learn from.

    They are kept as the network sees them, 28 × 28, in FOLDER/D: a data set like any other. The
    same picture is kept once; under another label it moves there. Nothing is learned yet: that is
    what train --and is for. What cannot be read is named, and the command fails in the end.
    """
    from inkdigits.errors import InkdigitsError
    from inkdigits.formats import load_model

    own = Path(folder)
    check_folder(own)
    reader = load_model(model)
    failed = False
    for name in pictures:
        try:
            line = teach(name, label, own, reader)
        except InkdigitsError as error:
            line = {"path": name, "error": str(error)}
            failed = True
        if as_json:
            print_json({key: value for key, value in line.items() if key != "said"})
        else:
            print(shown(f"{name}: {line.get('said') or line['error']}"), flush=True)
    if not as_json:
        print_summary(own, model)
    return int(failed)


def check_folder(own: Path) -> None:
    """Whether digits may be kept in this folder: before anything is read.

    Raises:
        FileError: it is something else than a folder of digits, or cannot be made.
    """
    from inkdigits.errors import FileError

    if not own.exists():
        if not own.parent.is_dir():
            raise FileError(f"there is no folder {own.parent} to make {own.name} in: make it first")
        return
    if not own.is_dir():
        raise FileError(f"expected a folder to keep digits in, got the file {own}: name another")
    for entry in own.iterdir():
        if not entry.name.startswith(".") and not (
            entry.is_dir() and entry.name in map(str, DIGITS)
        ):
            raise FileError(
                f"expected {own} to hold folders 0 to 9 alone, got {entry.name} in it: "
                "name another with --to"
            )


def teach(name: str, label: int, own: Path, model: Model) -> dict[str, Any]:
    """Reads one picture and keeps its glyph; a record of that, with "said" for people."""
    from inkdigits.errors import PictureError
    from inkdigits.reading import LONGEST, open_picture, read_digit
    from inkdigits.sources.keeping import keep

    reading = read_digit(open_picture(name, longest=LONGEST), model)
    if reading.prepared.ink is None:
        raise PictureError(f"expected a digit in {name}, got a picture without ink: draw it anew")
    if reading.rejected:
        read_as, said = None, "not read so far"
    else:
        read_as, said = (
            reading.digit,
            f"read as {reading.digit} ({per_cent(reading.confidence, 0)})",
        )
    path, news = keep(reading.prepared.glyph, label, own)
    return {
        "path": name,
        "label": label,
        "read_as": read_as,
        "kept": str(path),
        "said": f"{said}, {news} {label}",
    }


def print_summary(own: Path, model: str) -> None:
    """How many digits are kept, and what to do with them."""
    from inkdigits.sources.keeping import counts

    kept = counts(own)
    total = sum(kept)
    if not total:
        return
    each = ", ".join(f"{count} × {digit}" for digit, count in enumerate(kept) if count)
    print(f"\n{shown(own)} holds {total} {'digit' if total == 1 else 'digits'}: {each}\n")
    options = ["--from", model, "--data", "mnist", "--and", str(own), "--out", "mine.safetensors"]
    print(shown(f"Next:  inkdigits train {shlex.join(options)}"))
