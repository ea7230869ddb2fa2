"""`inkdigits evaluate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from inkdigits.cli.console import Command, json_option, per_cent, print_json, threads_option

if TYPE_CHECKING:
    from inkdigits.evaluation import Comparison, Report

__all__ = ["command"]

EXAMPLES = """
    inkdigits evaluate model.safetensors                       on MNIST's test digits
    inkdigits evaluate model.safetensors --data my-digits.csv
    inkdigits evaluate model.safetensors other.safetensors     which of the two is better?
"""


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("model")
@click.argument("other", required=False)
@click.option("--data", default="mnist:test", metavar="DATA", help="mnist:test by default.")
@threads_option
@json_option
def command(model: str, other: str | None, data: str, threads: int | None, as_json: bool) -> None:
    """Score a model on labelled digits; with two, say whether one is better."""
    from inkdigits.evaluation import compare
    from inkdigits.formats import load_model
    from inkdigits.sources import load

    models = [load_model(path) for path in (model, other) if path is not None]
    dataset = load(data)
    reports = [each.evaluate(dataset, threads=threads) for each in models]
    comparison = compare(*reports) if len(reports) == 2 else None
    if as_json:
        result = {"model": model, "data": data, **reports[0].as_data()}
        if comparison is not None:
            result["other"] = {"model": other, **reports[1].as_data()}
            result["comparison"] = comparison.as_data()
        print_json(result)
        return
    for path, report in zip((model, other), reports, strict=False):
        print_report(f"{path} on {data}", report)
    if comparison is not None:
        print_comparison(model, str(other), comparison)


def print_report(title: str, report: Report) -> None:
    low, high = report.interval
    print(
        f"{title}: {per_cent(report.accuracy)}, {report.correct:,} of {report.total:,} read right"
    )
    print(f"  95 % interval {per_cent(low)} to {per_cent(high)}, log loss {report.log_loss:.4f}")
    print("  digit   count   found    right when said")
    for score in report.per_digit:
        found = "–" if score.recall is None else per_cent(score.recall)
        right = "–" if score.precision is None else per_cent(score.precision)
        print(f"  {score.digit}     {score.total:7,}   {found:>8} {right:>8}")
    confusions = (f"{a} as {b} ({n}×)" for a, b, n in report.commonest_confusions(5))
    print(f"  commonest confusions: {', '.join(confusions) or 'none'}\n")


def print_comparison(first: str, second: str, comparison: Comparison) -> None:
    print(f"Only {first} reads {comparison.only_first:,} digits right,")
    print(f"only {second} reads {comparison.only_second:,}.")
    better = first if comparison.only_first > comparison.only_second else second
    verdict = f"{better} is better" if comparison.p_value < 0.05 else "no difference is shown"
    print(f"McNemar's exact test: p = {comparison.p_value:.3g}; {verdict}.")
