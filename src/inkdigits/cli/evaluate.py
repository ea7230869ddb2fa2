"""`inkdigits evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from inkdigits.cli.console import (
    Command,
    json_option,
    per_cent,
    print_json,
    progress,
    threads_option,
)

if TYPE_CHECKING:
    from inkdigits.dataset import Dataset
    from inkdigits.evaluation import (
        Comparison,
        CoverageRisk,
        Curve,
        Refused,
        Rejection,
        Reliability,
        Report,
    )
    from inkdigits.model import Answers, Model

__all__ = ["command"]

EXAMPLES = """
    inkdigits evaluate model.safetensors                       on MNIST's test digits
    inkdigits evaluate model.safetensors --data my-digits.csv
    inkdigits evaluate model.safetensors other.safetensors     which of the two is better?
    inkdigits evaluate model.safetensors --robustness --out robustness.png
    inkdigits evaluate model.safetensors --out confidence.png  is its confidence to be trusted?
"""

NON_DIGITS = 2000
SEED = 1  # of the non-digits and of what is left to chance in distortions
LOSS = 0.01  # the share of digits that may be refused where thresholds of models are compared
LABEL = 14  # columns of a table's first one


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("model")
@click.argument("other", required=False)
@click.option("--data", default="mnist:test", metavar="DATA", help="mnist:test by default.")
@click.option("--robustness", is_flag=True, help="Read the digits turned, moved, faint, dirty too.")
@click.option(
    "--out", metavar="PNG", help="Draw how confidence is kept; with --robustness, its curves."
)
@threads_option
@json_option
def command(
    model: str,
    other: str | None,
    data: str,
    robustness: bool,
    out: str | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Score a model on labelled digits; with two, say whether one is better.

    The expected calibration error is how far the digits' probabilities and the share read right lie
    apart. A model that tells digits from what are none is tried on pictures of none, too, made for
    it. All are taken as they are: pictures that are read are normalised first.
    """
    from inkdigits.evaluation import compare
    from inkdigits.formats import load_model
    from inkdigits.sources import load

    if out is not None:
        from inkdigits.plots.paper import drawable

        drawable(out)  # better said now than after minutes of work
    models = [(path, load_model(path)) for path in (model, other) if path is not None]
    dataset = load(data)
    scores = [scored(path, each, dataset, threads, distorted=robustness) for path, each in models]
    comparison = compare(*(each.report for each in scores)) if len(scores) == 2 else None
    if out is not None:
        draw(scores, out)
    if as_json:
        result = {"model": model, "data": data, **scores[0].as_data()}
        if comparison is not None:
            result["other"] = {"model": other, **scores[1].as_data()}
            result["comparison"] = comparison.as_data()
        if out is not None:
            result["picture"] = out
        print_json(result)
        return
    for each in scores:
        print_scores(each, data)
    if comparison is not None:
        print_comparison(model, str(other), comparison)
    if out is not None:
        print(out)


@dataclass(frozen=True)
class Scores:
    """All that is found out about a model."""

    path: str
    report: Report
    temperature: float | None
    threshold: float
    refused: int
    reliability: Reliability
    coverage_risk: CoverageRisk
    non_digits: NonDigits | None
    robustness: dict[str, Curve] | None

    def as_data(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        from inkdigits.evaluation.rejection import share_of

        data = {
            **self.report.as_data(),
            "calibration": {"temperature": self.temperature, **self.reliability.as_data()},
            "rejection": {
                "threshold": self.threshold,
                "digits": share_of(self.refused, self.report.total),
                "coverage_risk": self.coverage_risk.as_data(),
                "non_digits": self.non_digits and self.non_digits.as_data(self.threshold),
            },
        }
        if self.robustness is not None:
            data["robustness"] = {name: each.as_data() for name, each in self.robustness.items()}
        return data


@dataclass(frozen=True)
class NonDigits:
    """What a model says of pictures that show no digit, and of digits."""

    rejection: Rejection
    by_kind: dict[str, Rejection]

    @property
    def at_loss(self) -> Refused:
        """What is refused where so many digits are."""
        return self.rejection.at(self.rejection.threshold_at_loss(LOSS))

    def as_data(self, threshold: float) -> dict[str, Any]:
        """As plain data, for JSON."""
        refused = {name: each.at(threshold).as_data() for name, each in self.by_kind.items()}
        return {
            **self.rejection.at(threshold).as_data()["non_digits"],
            "auroc": self.rejection.auroc,
            "at_loss": {"loss": LOSS, **self.at_loss.as_data()},
            "by_kind": {name: each["non_digits"] for name, each in refused.items()},
        }


def scored(
    path: str, model: Model, dataset: Dataset, threads: int | None, *, distorted: bool
) -> Scores:
    from inkdigits.evaluation import coverage_risk, reliability, report

    answers = model.answer(dataset.images, threads=threads)
    scores = report(dataset.known_labels, answers.probabilities)
    right = scores.answers == scores.labels
    return Scores(
        path=path,
        report=scores,
        temperature=(model.card.calibration or {}).get("temperature"),
        threshold=answers.threshold,
        refused=int(answers.rejected.sum()),
        reliability=reliability(scores.confidence, right),
        coverage_risk=coverage_risk(answers.confidence, right),
        non_digits=(
            on_non_digits(model, dataset, answers, threads) if model.tells_digits else None
        ),
        robustness=curves(path, model, dataset, threads) if distorted else None,
    )


def on_non_digits(
    model: Model, dataset: Dataset, answers: Answers, threads: int | None
) -> NonDigits:
    """Tries a model on pictures of no digit; some kinds of them are made of digits of `dataset`."""
    import numpy as np

    from inkdigits.evaluation import rejection
    from inkdigits.sources.negatives import KINDS, OF_DIGITS, SHARES, possible_kinds

    confidence = {}
    possible = possible_kinds(dataset.known_labels)
    for number, kind in enumerate(SHARES):
        if kind not in possible:
            continue
        count = round(SHARES[kind] * NON_DIGITS)
        generator = np.random.Generator(np.random.Philox(key=[SEED, number]))
        images = (
            KINDS[kind](count, generator)
            if kind in KINDS
            else OF_DIGITS[kind](count, generator, dataset.images, dataset.known_labels)
        )
        confidence[kind] = model.answer(images, threads=threads).confidence
    together = np.concatenate(list(confidence.values()))
    return NonDigits(
        rejection(answers.confidence, together),
        {kind: rejection(answers.confidence, each) for kind, each in confidence.items()},
    )


def curves(path: str, model: Model, dataset: Dataset, threads: int | None) -> dict[str, Curve]:
    """How well digits are read that are distorted."""
    from inkdigits.evaluation import DISTORTIONS, robustness

    strengths = sum(len(kind.strengths) for kind in DISTORTIONS.values())
    with progress(f"distorting for {path}", strengths * len(dataset)) as tick:
        return robustness(
            lambda images: model.predict(images, threads=threads),
            dataset,
            seed=SEED,
            progress=lambda done: tick(done * len(dataset), ""),
        )


def draw(scores: list[Scores], out: str) -> None:
    """The curves of robustness where there are some, else how confidence is kept."""
    from inkdigits import plots
    from inkdigits.evaluation import NINES, reliability

    distorted = {each.path: each.robustness for each in scores if each.robustness is not None}
    if distorted:
        plots.save(plots.robustness(distorted), out)
        return
    kept = {}
    for each in scores:
        right = each.report.answers == each.report.labels
        drawn = reliability(each.report.confidence, right, bins=NINES)
        kept[each.path] = (drawn, each.coverage_risk)
    plots.save(plots.confidence(kept), out)


def print_scores(scores: Scores, data: str) -> None:
    print_report(f"{scores.path} on {data}", scores.report)
    calibrated = (
        "not calibrated"
        if scores.temperature is None
        else f"calibrated with a temperature of {scores.temperature:.3f}"
    )
    error = per_cent(scores.reliability.expected_error)
    print(f"  expected calibration error of the probabilities {error}, {calibrated}")
    if scores.threshold:
        refused = per_cent(scores.refused / scores.report.total)
        print(f"  refuses {refused} of these digits, below a confidence of {scores.threshold:.3f}")
    if scores.non_digits is not None:
        print_non_digits(scores.non_digits, scores.threshold)
    print()
    if scores.robustness is not None:
        print_robustness(scores.robustness)


def print_non_digits(non_digits: NonDigits, threshold: float) -> None:
    rejection = non_digits.rejection
    refused, at_loss = rejection.at(threshold), non_digits.at_loss
    total = refused.others_total
    print(f"  of {total:,} pictures of no digit {per_cent(refused.others / total)} are refused")
    print(
        f"  with {per_cent(LOSS, 0)} of the digits refused: {per_cent(at_loss.others / total)}; "
        f"AUROC {rejection.auroc:.4f}"
    )


def print_robustness(curves: dict[str, Curve]) -> None:
    print("  read right, %, of the digits distorted")
    for name, curve in curves.items():
        strengths = "".join(f"{strength:7g}" for strength in curve.strengths)
        accuracy = "".join(f"{100 * share:7.1f}" for share in curve.accuracy)
        print(f"  {name:{LABEL}}{strengths}\n  {curve.unit:{LABEL}}{accuracy}")
    print()


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
    print(f"  commonest confusions: {', '.join(confusions) or 'none'}")


def print_comparison(first: str, second: str, comparison: Comparison) -> None:
    print(f"Only {first} reads {comparison.only_first:,} digits right,")
    print(f"only {second} reads {comparison.only_second:,}.")
    better = first if comparison.only_first > comparison.only_second else second
    verdict = f"{better} is better" if comparison.p_value < 0.05 else "no difference is shown"
    print(f"McNemar's exact test: p = {comparison.p_value:.3g}; {verdict}.")
