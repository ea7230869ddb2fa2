"""`inkdigits show`."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inkdigits.cli.console import Command, json_option, print_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inkdigits.dataset import Dataset
    from inkdigits.training import Recipe

__all__ = ["command"]

EXAMPLES = """
    inkdigits show mnist:train 0                               a digit in the terminal
    inkdigits show mnist:train 0 --out five.png                the same as a picture
    inkdigits show mnist:train --out sheet.png                 a contact sheet
    inkdigits show mnist:train --augment standard              how a recipe varies its digits
    inkdigits show model.safetensors --out pictures            a folder of what it has learned
"""

SHEET_COLUMNS = 5  # digits side by side in a terminal of 80 columns, at half their size
VERSIONS = 11  # of a digit on a sheet of augmentation, to the right of the original
AUGMENTED_ROWS = 10


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("thing", metavar="DATA | MODEL")
@click.argument("index", type=click.IntRange(min=0), required=False)
@click.option("--out", metavar="PNG | FOLDER", help="Where to write; the terminal by default.")
@click.option("--data", default="mnist:test", metavar="DATA", help="What a MODEL is shown on.")
@click.option("--augment", metavar="RECIPE", help="Show DATA as this recipe varies it.")
@json_option
def command(
    thing: str,
    index: int | None,
    out: str | None,
    data: str,
    augment: str | None,
    as_json: bool,
) -> None:
    """Show one digit, a sheet of many, how a recipe varies them, or what a model has learned.

    A model's pictures are its learning curve, confusion matrix, most confident mistakes, first
    weights and the digits it imagines; they go to the folder --out names (pictures by default).
    """
    from inkdigits.formats import MODEL_SUFFIX, is_model

    if is_model(Path(thing)) or thing.endswith(MODEL_SUFFIX):
        if index is not None:
            raise click.UsageError("a model has no INDEX: inkdigits show MODEL --out FOLDER")
        if augment is not None:
            raise click.UsageError("--augment varies DATA: inkdigits show DATA --augment RECIPE")
        written = show_model(thing, data, Path(out or "pictures"))
    elif augment is not None:
        written = show_augmentation(thing, index, augment, out, quiet=as_json)
    else:
        written = show_data(thing, index, out, quiet=as_json)
    if as_json:
        print_json({"shown": thing, "pictures": written})
    else:
        for path in written:
            print(path)


def show_data(name: str, index: int | None, out: str | None, *, quiet: bool) -> list[str]:
    dataset = load_for(name, index)
    if out is not None:
        from inkdigits import plots

        figure = (
            plots.contact_sheet(dataset) if index is None else plots.digit(dataset.images[index])
        )
        plots.save(figure, out)
        return [out]
    if not quiet:
        few = dataset.images[: 2 * SHEET_COLUMNS]
        print(sheet(few) if index is None else single(dataset, index))
    return []


def load_for(name: str, index: int | None) -> Dataset:
    """The data of that name, which must have that index."""
    from inkdigits.errors import DataError
    from inkdigits.sources import load

    dataset = load(name)
    if index is not None and index >= len(dataset):
        raise DataError(f"expected an index of 0 to {len(dataset) - 1} in {name}, got {index}")
    return dataset


def show_augmentation(
    name: str, index: int | None, recipe: str, out: str | None, *, quiet: bool
) -> list[str]:
    """Originals at the left and versions of them to the right: of one digit, or of several."""
    import numpy as np

    from inkdigits.model import NOT_A_DIGIT

    chosen = recipe_that_varies(recipe)
    dataset = load_for(name, index)
    if index is not None:
        rows = [index] * AUGMENTED_ROWS
    elif dataset.labels is None:
        rows = list(range(len(dataset)))[:AUGMENTED_ROWS]
    else:  # the first of each digit
        rows = np.unique(dataset.labels, return_index=True)[1].tolist()
    columns = VERSIONS
    if out is None:
        rows, columns = rows[:SHEET_COLUMNS], SHEET_COLUMNS - 1
    originals = dataset.images[rows]
    # What nobody says is a digit is not written in another hand, but worn all the same.
    labels = np.full(len(rows), NOT_A_DIGIT) if dataset.labels is None else dataset.labels[rows]
    versions = varied(chosen, originals, labels, columns)
    if out is not None:
        from inkdigits import plots

        plots.save(plots.augmented_digits(originals, versions), out)
        return [out]
    if not quiet:
        for original, others in zip(originals, versions, strict=True):
            print(sheet(np.concatenate([original[np.newaxis], others])))
    return []


def recipe_that_varies(name: str) -> Recipe:
    """The recipe of that name, if it varies the digits it learns from."""
    from inkdigits.errors import TrainingError
    from inkdigits.training import RECIPES, Recipe, find_recipe

    recipe = find_recipe(name)
    if isinstance(recipe, Recipe) and recipe.varies:
        return recipe
    others = [
        other.name for other in RECIPES.values() if isinstance(other, Recipe) and other.varies
    ]
    raise TrainingError(
        f"expected a recipe with augmentation, got {name}, which takes the digits as they are: "
        + (f"choose {' or '.join(others)}" if others else "no recipe here has any")
    )


def varied(
    recipe: Recipe, originals: NDArray[Any], labels: NDArray[Any], count: int
) -> NDArray[Any]:
    """Versions of each original, shape (N, count, 28, 28); the same at each call."""
    import numpy as np

    from inkdigits.training.randomness import Purpose, counted_generator

    copies = originals.repeat(count, axis=0)
    of_them = labels.repeat(count).astype(np.uint8)
    versions = recipe.varied(copies, of_them, counted_generator(1, Purpose.AUGMENTATION))
    return versions.reshape(len(originals), count, *originals.shape[1:])


def single(dataset: Dataset, index: int) -> str:
    label = "" if dataset.labels is None else f"a {dataset.labels[index]}, "
    return f"{half_blocks(dataset.images[index])}\n{label}index {index}"


def sheet(images: NDArray[Any]) -> str:
    """Digits at half their size, five in a row."""
    import numpy as np

    small = images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).astype(np.uint8)
    rows = [small[i : i + SHEET_COLUMNS] for i in range(0, len(small), SHEET_COLUMNS)]
    return "\n".join(half_blocks(np.concatenate(list(row), axis=1)) for row in rows)


def half_blocks(image: NDArray[Any]) -> str:
    """A picture with two pixels to a character, the upper and the lower half of a block.

    In greys on a terminal; where escape codes are not wanted, ink above half grey alone.
    """
    upper, lower = image[0::2], image[1::2]
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        return "\n".join(
            "".join(
                f"\x1b[38;5;{gray(a)};48;5;{gray(b)}m▀" for a, b in zip(top, bottom, strict=True)
            )
            + "\x1b[0m"
            for top, bottom in zip(upper, lower, strict=True)
        )
    shapes = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
    return "\n".join(
        "".join(
            shapes[bool(a > 127), bool(b > 127)] for a, b in zip(top, bottom, strict=True)
        ).rstrip()
        for top, bottom in zip(upper, lower, strict=True)
    )


def gray(value: Any) -> int:
    """The nearest of a terminal's 24 greys, colours 232 to 255."""
    return 232 + int(value) * 24 // 256


def show_model(path: str, data: str, folder: Path) -> list[str]:
    from inkdigits import plots
    from inkdigits.errors import FileError, ShapeError
    from inkdigits.formats import load_model
    from inkdigits.inspection import first_weights, imagined_digits
    from inkdigits.sources import load

    model = load_model(path)
    dataset = load(data)
    report = model.evaluate(dataset)
    figures = {
        "right-and-wrong.png": plots.right_and_wrong(dataset, report),
        "confusion.png": plots.confusion_matrix(report),
        "misread.png": plots.misread_digits(dataset, report),
        "imagined.png": plots.imagined_digits(imagined_digits(model.network)),
    }
    if model.card.history:
        watched = "validation" if "validation" in model.card.scores else "the test set"
        figures["learning-curve.png"] = plots.learning_curve(
            model.card.history, accuracy_of=watched
        )
    with suppress(ShapeError):  # a network whose first layer is not dense has no such picture
        figures["weights.png"] = plots.weights(first_weights(model.network))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make the folder {folder}: {error.strerror or error}") from error
    for name, figure in figures.items():
        plots.save(figure, folder / name)
    return [str(folder / name) for name in figures]
