"""`inkdigits evaluate`: the same figures as the report's, for people and for programs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inkdigits.dataset import Dataset
from inkdigits.evaluation import mcnemar
from inkdigits.formats import save_model
from inkdigits.model import Model
from inkdigits.sources import save

Json = Callable[..., dict[str, Any]]

FIGURES = ["accuracy", "confusion", "correct", "interval", "log_loss", "per_digit", "total"]


@pytest.fixture
def other(classic: Model, here: Path) -> str:
    """The name of a file with a model that reads worse."""
    save_model(classic, here / "worse.safetensors")
    return "worse.safetensors"


def test_a_model_is_scored_on_the_test_digits_unless_others_are_named(
    document: Json, model: str, blink: Model, exam: Dataset, some: Dataset, here: Path
) -> None:
    result = document("evaluate", model)
    assert sorted(result) == sorted(["model", "data", *FIGURES])
    assert (result["model"], result["data"]) == (model, "mnist:test")
    report = blink.evaluate(exam)
    assert {name: result[name] for name in FIGURES} == report.as_data()
    save(some, here / "some.csv")
    fewer = document("evaluate", model, "--data", "some.csv", "--threads", "1")
    assert (fewer["data"], fewer["total"]) == ("some.csv", 200)
    assert fewer["correct"] == blink.evaluate(some).correct


def test_two_models_are_compared_on_the_same_digits(
    document: Json, model: str, other: str, blink: Model, classic: Model, exam: Dataset
) -> None:
    result = document("evaluate", model, other)
    assert sorted(result) == sorted(["model", "data", "other", "comparison", *FIGURES])
    assert result["other"] == {"model": other, **classic.evaluate(exam).as_data()}
    first = blink.predict(exam.images) == exam.labels
    second = classic.predict(exam.images) == exam.labels
    only = {
        "only_first": int((first & ~second).sum()),
        "only_second": int((second & ~first).sum()),
    }
    assert result["comparison"] == {**only, "p_value": mcnemar(*only.values())}
    assert result["comparison"]["p_value"] < 0.001  # one read 200 digits in training, not 60,000
    turned = document("evaluate", other, model)
    assert turned["comparison"]["only_first"] == only["only_second"]


def test_a_person_is_told_every_digits_share(
    call: Callable[..., str], model: str, blink: Model, exam: Dataset
) -> None:
    said = call("evaluate", model)
    report = blink.evaluate(exam)
    assert said.startswith(
        f"{model} on mnist:test: {100 * report.accuracy:.2f} %, {report.correct:,} of 10,000 read"
    )
    rows = [line.split() for line in said.splitlines() if re.match(r"  \d   ", line)]
    assert [row[0] for row in rows] == list("0123456789")
    assert [row[1] for row in rows][:2] == ["980", "1,135"]
    true, read, times = report.commonest_confusions()[0]
    assert f"commonest confusions: {true} as {read} ({times}×)" in said


def test_a_digit_that_never_occurs_has_a_dash(
    call: Callable[..., str], model: str, some: Dataset, here: Path
) -> None:
    sevens = some.subset(some.known_labels == 7).subset(range(3))
    save(sevens, here / "sevens.csv")
    said = call("evaluate", model, "--data", "sevens.csv")
    rows = {
        line.split()[0]: line.split()[1:]
        for line in said.splitlines()
        if re.match(r"  \d   ", line)
    }
    assert rows["7"] == ["3", "100.00", "%", "100.00", "%"]
    assert rows["0"] == ["0", "–", "–"]
    assert "commonest confusions: none" in said


@pytest.mark.parametrize("order", [1, -1])
def test_a_person_is_told_which_model_is_better(
    call: Callable[..., str], model: str, other: str, order: int
) -> None:
    said = call("evaluate", *(model, other)[::order])
    assert said.rstrip().endswith(f"; {model} is better.")
    assert f"Only {(model, other)[::order][0]} reads " in said


def test_of_a_model_and_its_copy_none_is_better(
    call: Callable[..., str], model: str, here: Path
) -> None:
    shutil.copy(model, here / "copy.safetensors")
    said = call("evaluate", model, "copy.safetensors")
    assert said.rstrip().endswith("McNemar's exact test: p = 1; no difference is shown.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["good.safetensor"], "no file or folder good.safetensor: did you mean good.safetensors?"),
        (["good.safetensors", "nowhere"], "there is no file or folder nowhere"),
        (["good.safetensors", "--data", "bare.npz"], "expected labelled digits, got images"),
        (["good.safetensors", "--data", "mnist:tst"], "did you mean mnist:test?"),
        (["bare.npz"], "bare.npz is no model: expected a safetensors header"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    refusal: Callable[..., str],
    model: str,
    some: Dataset,
    here: Path,
    arguments: list[str],
    message: str,
) -> None:
    save(Dataset(some.images), here / "bare.npz")
    assert message in refusal("evaluate", *arguments)
