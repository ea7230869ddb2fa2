"""`inkdigits info`."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import click

from inkdigits.cli.console import Command, json_option, per_cent, print_json

__all__ = ["command"]

EXAMPLES = """
    inkdigits info                                             recipes and data there are
    inkdigits info mlp                                         one recipe
    inkdigits info mnist:train                                 how many of each digit
    inkdigits info model.safetensors                           how a model came about
"""


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("thing", metavar="[MODEL | DATA | RECIPE]", required=False)
@json_option
def command(thing: str | None, as_json: bool) -> None:
    """Describe a model, a data set or a recipe; without a name, list what there is."""
    from pathlib import Path

    from inkdigits.formats import MODEL_SUFFIX, is_model
    from inkdigits.training import RECIPES

    if thing is None:
        data = everything()
    elif thing in RECIPES:
        data = about_recipe(thing)
    elif is_model(Path(thing)) or thing.endswith(MODEL_SUFFIX):
        data = about_model(thing)
    elif not Path(thing).exists() and get_close_matches(thing, RECIPES):
        data = about_recipe(thing)  # which says what is nearest
    else:
        data = about_data(thing)
    if as_json:
        print_json(data)
    else:
        print_table(data)


def everything() -> dict[str, Any]:
    from inkdigits.formats import load_model, shipped_models
    from inkdigits.sources.mnist import PARTS
    from inkdigits.training import RECIPES
    from inkdigits.training.measured import measured
    from inkdigits.version import __version__

    figures = measured()
    return {
        "inkdigits": __version__,
        "recipes": {
            name: {"purpose": recipe.purpose, "measured": figures.get(name)}
            for name, recipe in RECIPES.items()
        },
        "models": {
            name: f"{len(load_model(name).network.parameters):,} parameters, shipped"
            for name in shipped_models()
        },
        "data": {name: f"{len(images):,} digits, embedded" for name, (_, images) in PARTS.items()},
    }


def about_recipe(name: str) -> dict[str, Any]:
    """A recipe, and the model that comes with inkdigits where one was trained by it."""
    from inkdigits.formats import shipped_models
    from inkdigits.training import find_recipe
    from inkdigits.training.measured import measured

    recipe = find_recipe(name)
    return {
        "recipe": name,
        "purpose": recipe.purpose,
        "measured": measured().get(name),
        "parameters": recipe.network().parameters.size,
        "layers": [str(layer) for layer in recipe.layers],
        **recipe.settings(),
        **({"shipped": about_model(name)} if name in shipped_models() else {}),
    }


def about_model(path: str) -> dict[str, Any]:
    from dataclasses import asdict

    from inkdigits.formats import load_model

    model = load_model(path)
    return {
        "model": path,
        "fingerprint": model.fingerprint,
        "parameters": model.network.parameters.size,
        "layers": [str(layer) for layer in model.network.layers],
        **asdict(model.card),
    }


def about_data(name: str) -> dict[str, Any]:
    from inkdigits.sources import load

    dataset = load(name)
    data: dict[str, Any] = {
        "data": name,
        "images": len(dataset),
        "size": list(dataset.images.shape[1:]),
        "labelled": dataset.labelled,
        "fingerprint": dataset.fingerprint,
    }
    if dataset.labelled:
        counts = dataset.counts()
        data["counts"] = {str(digit): int(count) for digit, count in enumerate(counts)}
        data["shares"] = {str(digit): count / len(dataset) for digit, count in enumerate(counts)}
    return data


def print_table(data: dict[str, Any]) -> None:
    width = max(map(len, data))
    for key, value in data.items():
        if key == "shares":
            continue  # beside the counts
        for number, line in enumerate(lines_of(key, value, data)):
            print(f"{key if number == 0 else '':{width}}  {line}")


def recipe_lines(name: str, about: dict[str, Any]) -> list[str]:
    """A recipe in two lines: what it is for, and what it reached."""
    return [f"{name:9} {about['purpose']}", f"{'':9} {figures(about['measured'])}"]


def figures(measured: dict[str, Any] | None) -> str:
    """What a recipe reached when it was measured."""
    if measured is None:
        return "not measured with several seeds"
    (low, high), (first, last) = measured["interval"], measured["seeds"]
    return (
        f"{per_cent(measured['accuracy'])} of the test set in {measured['seconds']:.3g} s "
        f"(mean of seeds {first} to {last}, {100 * low:.2f} to {100 * high:.2f}; "
        f"{measured['machine'].partition(', Python')[0]})"
    )


def lines_of(key: str, value: Any, data: dict[str, Any]) -> list[str]:
    """A value for people: one line, or one for each part of it."""
    if key == "recipes":
        return [line for name, about in value.items() for line in recipe_lines(name, about)]
    if key == "measured":
        return [figures(value)]
    if key == "shipped":  # `--json` has all of it
        told = {name: value[name] for name in ("fingerprint", "seed", "seconds", "scores")}
        return [f"{name}: {line}" for name in told for line in lines_of(name, told[name], data)]
    if key == "calibration" and value is not None:
        return [f"{name}: {part}" for name, part in value.items() if name != "curve"]
    if key == "counts":
        return [f"{d}  {n:6,}  {per_cent(data['shares'][d])}" for d, n in value.items()]
    if key == "history":
        return [
            "  ".join(f"{name} {round(n, 4)}" for name, n in record.items() if name != "layers")
            for record in value
        ] or ["none"]
    if key == "scores":
        return [
            f"{name} accuracy {per_cent(score['accuracy'])}"
            if isinstance(score, dict) and isinstance(score.get("accuracy"), float)
            else f"{name} {score}"
            for name, score in value.items()
        ] or ["none"]
    if isinstance(value, dict):
        return [f"{name}: {part}" for name, part in value.items()] or ["none"]
    if isinstance(value, list) and value and isinstance(value[0], str):
        return value
    if isinstance(value, list):
        return [" × ".join(map(str, value))]
    if isinstance(value, int) and not isinstance(value, bool) and key != "seed":
        return [f"{value:,}"]
    return [str(value)]
