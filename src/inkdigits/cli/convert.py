"""`inkdigits convert`."""

from __future__ import annotations

import click

from inkdigits.cli.console import Command, json_option, print_json

__all__ = ["command"]

EXAMPLES = """
    inkdigits convert mnist:train mnist_train.csv              the file of the post
    inkdigits convert train.csv digits.npz                     from Kaggle's to Keras's
    inkdigits convert mnist:test pictures                      a folder 0/…png to 9/…png
"""


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("data")
@click.argument("out")
@json_option
def command(data: str, out: str, as_json: bool) -> None:
    """Convert digits to CSV, npz, IDX or a folder of pictures, by the ending of OUT.

    What DATA is shows in its content: CSV with or without header and labels, IDX, IDX.gz, npz, a
    folder of pictures of 28 × 28, or an embedded set as mnist:train.
    """
    from inkdigits.sources import load, save

    dataset = load(data)
    save(dataset, out)
    if as_json:
        print_json({"data": data, "out": out, "images": len(dataset), "labelled": dataset.labelled})
    else:
        print(f"{len(dataset):,} digits from {data} written to {out}")
