"""`inkdigits sheet`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inkdigits.cli.console import Command, json_option, per_cent, print_json, shown
from inkdigits.cli.teach import check_folder, print_summary

if TYPE_CHECKING:
    from inkdigits.model import Model
    from inkdigits.reading.filled_sheet import Judged

__all__ = ["command"]

EXAMPLES = """
    inkdigits sheet sheet.pdf                                  print it, fill it in, photograph it
    inkdigits sheet --read photo.jpg --out my-digits           keep the digits of its boxes
    inkdigits sheet --read *.jpg --learn mine.safetensors      and learn them: what was gained?
"""


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("names", metavar="SHEET.pdf|PHOTO…", nargs=-1, required=True)
@click.option("--paper", type=click.Choice(["a4", "letter"]), help="To print on; a4 by default.")
@click.option("--read", is_flag=True, help="Read photos of sheets that were filled in.")
@click.option("--out", "--to", "folder", metavar="FOLDER", help="my-digits by default.")
@click.option("--model", metavar="MODEL", help="What reads, and learns; reader by default.")
@click.option("--learn", metavar="NEW", help="Teach MODEL what FOLDER holds, write it as NEW.")
@json_option
def command(
    names: tuple[str, ...],
    paper: str | None,
    read: bool,
    folder: str | None,
    model: str | None,
    learn: str | None,
    as_json: bool,
) -> int:
    """A sheet of boxes to write digits in, to make a model read your own hand.

    SHEET.pdf is written to be printed, at any size. Its photos may be taken from aside and in any
    direction, with all four corner marks in view. Each digit is kept with its label, 28 × 28, in
    FOLDER/0 to FOLDER/9, as `inkdigits teach` keeps them; empty boxes are not. A digit that MODEL
    surely takes for another is named and kept, what is surely none is named and left out. What
    cannot be read is named too, and the command fails in the end.

    With --learn a fifth of the kept digits is held out, and what is read right of those is told
    before and after, as by `inkdigits train --from MODEL --and FOLDER`.
    """
    if read:
        if paper is not None:
            raise click.UsageError(
                "--paper is for the sheet that is written: use it without --read"
            )
        return read_photos(names, folder or "my-digits", model or "reader", learn, as_json)
    if folder is not None or model is not None or learn is not None:
        raise click.UsageError("--out, --model and --learn are for photos: use them with --read")
    if len(names) > 1:
        raise click.UsageError("one sheet is written at a time; photos of sheets are for --read")
    write(names[0], paper or "a4", as_json)
    return 0


def write(name: str, paper: str, as_json: bool) -> None:
    """Writes a sheet to print."""
    from inkdigits.plots.sheet import check_sheet_replaceable, handwriting_sheet, save_sheet
    from inkdigits.sheet import BOXES

    check_sheet_replaceable(Path(name))
    size = save_sheet(handwriting_sheet(paper), name)
    if as_json:
        print_json({"path": name, "paper": paper, "boxes": len(BOXES), "bytes": size})
        return
    print(shown(f"{len(BOXES)} boxes on {paper} written to {name}: print it and fill it in"))
    print("\nNext:  inkdigits sheet --read PHOTO")


def read_photos(
    names: tuple[str, ...], folder: str, model: str, learn: str | None, as_json: bool
) -> int:
    """Keeps what is on the photos; learns it, if that is wanted and all of them could be read."""
    from inkdigits.errors import InkdigitsError
    from inkdigits.formats import check_replaceable, load_model

    own = Path(folder)
    check_folder(own)
    if learn is not None:
        check_replaceable(Path(learn))
    reader = load_model(model)
    failed = False
    for name in names:
        try:
            record = keep_all(name, own, reader)
        except InkdigitsError as error:
            record = {"path": name, "error": str(error)}
            failed = True
        if as_json:
            print_json(record)
        else:
            say(record)
    if failed or learn is None:
        if not as_json:
            print_summary(own, model)
        return int(failed)
    from inkdigits.cli.train import command as train

    if not as_json:
        print()
    click.get_current_context().invoke(
        train, start_from=model, more=folder, out=learn, as_json=as_json
    )
    return 0


def keep_all(name: str, own: Path, model: Model) -> dict[str, Any]:
    """Keeps the digits of one photo; a record of that.

    Raises:
        PictureError: as `open_sheet`, or nothing is written on the sheet.
        FileError: as `open_sheet`, or a digit cannot be kept.
    """
    from inkdigits.errors import PictureError
    from inkdigits.reading.filled_sheet import open_sheet
    from inkdigits.sheet import COLUMNS, ROWS
    from inkdigits.sources.keeping import keep

    judged = open_sheet(name).judged(model)
    if not judged:
        raise PictureError(
            f"expected digits in the boxes of {name}, got empty ones alone: fill some in, with a "
            "pen that is darker than their edges"
        )
    kept, empty = [0] * ROWS, [COLUMNS] * ROWS
    for each in judged:
        empty[each.box.label] -= 1
        if not each.left_out:
            keep(each.glyph, each.box.label, own)
            kept[each.box.label] += 1
    return {
        "path": name,
        "kept": kept,
        "empty": empty,
        "doubtful": [record_of(each) for each in judged if each.doubtful],
        "left_out": [record_of(each) for each in judged if each.left_out],
    }


def record_of(each: Judged) -> dict[str, Any]:
    """Where a box is, and what it was read as: null where it looks like no digit."""
    return {
        "label": each.box.label,
        "place": each.box.place,
        "read_as": each.read_as,
        "confidence": each.confidence,
    }


def say(record: dict[str, Any]) -> None:
    """The same for people."""
    name = record["path"]
    if "error" in record:
        print(shown(f"{name}: {record['error']}"), flush=True)
        return
    total, empty = sum(record["kept"]), sum(record["empty"])
    print(shown(f"{name}: {total} digits kept, {empty} boxes empty, "
                f"{len(record['left_out'])} left out"))  # fmt: skip
    each = ", ".join(f"{count} × {digit}" for digit, count in enumerate(record["kept"]))
    print(f"  kept:  {each}")
    for box in record["doubtful"]:
        print(f"{place_of(box)}, kept as {box['label']}")
    for box in record["left_out"]:
        print(f"{place_of(box)}, left out")
    print(end="", flush=True)


def place_of(box: dict[str, Any]) -> str:
    said = "does not look like a digit"
    if box["read_as"] is not None:
        said = f"reads as {box['read_as']} ({per_cent(box['confidence'], 0)})"
    return f"  row {box['label']}, box {box['place']}: {said}"
