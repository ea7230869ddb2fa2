"""`inkdigits evaluate`: the same figures as the report's, for people and for programs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inkdigits.dataset import Dataset
from inkdigits.evaluation import (
    DISTORTIONS,
    auroc,
    coverage_risk,
    mcnemar,
    reliability,
    robustness,
    wilson_interval,
)
from inkdigits.formats import load_model, save_model
from inkdigits.model import Model
from inkdigits.network import Dense, Network
from inkdigits.sources import save

Json = Callable[..., dict[str, Any]]

FIGURES = ["accuracy", "confusion", "correct", "interval", "log_loss", "per_digit", "total"]
CONFIDENCE = ["calibration", "rejection"]


@pytest.fixture
def other(classic: Model, here: Path) -> str:
    """The name of a file with a model that reads worse."""
    save_model(classic, here / "worse.safetensors")
    return "worse.safetensors"


@pytest.fixture(scope="session")
def telling(blink: Model) -> Model:
    """A model with an eleventh output: `blink`, sure of a digit where an output is far above 2."""
    network = Network([*blink.network.layers[:-1], Dense(160, 11)])
    own, theirs = network.views(network.parameters), blink.network.views(blink.network.parameters)
    for mine, its in zip(own, theirs, strict=True):
        for name, array in its.items():
            mine[name][: len(array)] = array
    own[-1]["bias"][10] = 2
    return Model(network, blink.card).with_calibration({"temperature": 0.8, "threshold": 0.7})


@pytest.fixture
def telling_file(telling: Model, here: Path) -> str:
    """The name of a file with that model."""
    save_model(telling, here / "telling.safetensors")
    return "telling.safetensors"


@pytest.fixture
def few(some: Dataset, here: Path) -> str:
    """The name of a file of 200 digits."""
    save(some, here / "few.npz")
    return "few.npz"


def test_a_model_is_scored_on_the_test_digits_unless_others_are_named(
    document: Json, model: str, blink: Model, exam: Dataset, some: Dataset, here: Path
) -> None:
    result = document("evaluate", model)
    assert sorted(result) == sorted(["model", "data", *FIGURES, *CONFIDENCE])
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
    assert sorted(result) == sorted(["model", "data", "other", "comparison", *FIGURES, *CONFIDENCE])
    assert sorted(result["other"]) == sorted(["model", *FIGURES, *CONFIDENCE])
    assert result["other"]["model"] == other
    report = classic.evaluate(exam)
    assert {name: result["other"][name] for name in FIGURES} == report.as_data()
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


# Confidence


def test_it_is_said_how_confidence_is_kept(
    document: Json, call: Callable[..., str], model: str, few: str, blink: Model, some: Dataset
) -> None:
    result = document("evaluate", model, "--data", few)
    scored = blink.evaluate(some)
    right = scored.answers == scored.labels
    kept = reliability(scored.confidence, right)
    assert result["calibration"] == {"temperature": None, **kept.as_data()}
    assert result["rejection"] == {
        "threshold": 0,
        "digits": {"refused": 0, "total": 200, "share": 0, "interval": [*wilson_interval(0, 200)]},
        "coverage_risk": coverage_risk(scored.confidence, right).as_data(),
        "non_digits": None,
    }
    said = call("evaluate", model, "--data", few)
    error = f"{100 * kept.expected_error:.2f} %"
    assert f"\n  expected calibration error of the probabilities {error}, not calibrated\n" in said
    assert "refuse" not in said
    assert "AUROC" not in said


def test_a_calibrated_model_is_scored_with_its_temperature_and_its_threshold(
    document: Json, call: Callable[..., str], few: str, blink: Model, some: Dataset, here: Path
) -> None:
    calibrated = blink.with_calibration({"temperature": 0.5, "threshold": 0.9})
    save_model(calibrated, here / "calibrated.safetensors")
    result = document("evaluate", "calibrated.safetensors", "--data", few)
    answers = calibrated.answer(some.images)
    kept = reliability(answers.probabilities.max(axis=1), answers.digits == some.labels)
    assert result["calibration"] == {"temperature": 0.5, **kept.as_data()}
    assert result["correct"] == blink.evaluate(some).correct  # T moves no answer
    refused = int((answers.confidence < 0.9).sum())
    assert 0 < refused < 100
    assert result["rejection"]["threshold"] == 0.9
    assert result["rejection"]["digits"]["refused"] == refused
    said = call("evaluate", "calibrated.safetensors", "--data", few)
    assert ", calibrated with a temperature of 0.500\n" in said
    assert f"  refuses {refused / 2:.2f} % of these digits, below a confidence of 0.900\n" in said


def test_a_model_that_tells_digits_is_tried_on_what_are_none(
    document: Json, call: Callable[..., str], telling_file: str, few: str, some: Dataset
) -> None:
    result = document("evaluate", telling_file, "--data", few)
    loaded = load_model(telling_file)
    assert loaded.tells_digits
    answers = loaded.answer(some.images)
    digits, right = answers.confidence, answers.digits == some.labels
    # Calibrated is which digit it is, if it is one; refused by how probable it is that one at all.
    kept = reliability(answers.probabilities.max(axis=1), right)
    assert result["calibration"] == {"temperature": 0.8, **kept.as_data()}
    curve = coverage_risk(digits, right)
    assert result["rejection"]["coverage_risk"] == curve.as_data()
    assert curve.rows() != coverage_risk(answers.probabilities.max(axis=1), right).rows()
    told = result["rejection"]
    assert told["threshold"] == 0.7
    assert told["digits"]["refused"] == int((digits < 0.7).sum()) > 0
    others = told["non_digits"]
    assert others["total"] == 2000
    assert others["refused"] == sum(kind["refused"] for kind in others["by_kind"].values())
    assert sum(kind["total"] for kind in others["by_kind"].values()) == 2000
    assert len(others["by_kind"]) > 10
    assert others["share"] == others["refused"] / 2000
    assert others["interval"] == [*wilson_interval(others["refused"], 2000)]
    assert 0.7 < others["auroc"] < 1  # made by hand, not learned
    at_loss = others["at_loss"]
    assert at_loss["loss"] == 0.01
    assert at_loss["digits"]["refused"] == int((digits < at_loss["threshold"]).sum()) <= 2
    assert 0 < at_loss["non_digits"]["refused"] < others["refused"]
    said = call("evaluate", telling_file, "--data", few)
    assert f"of 2,000 pictures of no digit {100 * others['share']:.2f} % are refused" in said
    share = 100 * at_loss["non_digits"]["share"]
    assert f"with 1 % of the digits refused: {share:.2f} %; AUROC {others['auroc']:.4f}" in said
    assert document("evaluate", telling_file, "--data", few) == result


def test_non_digits_that_are_like_digits_in_confidence_are_not_told(
    document: Json,
    telling: Model,
    few: str,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    some: Dataset,
) -> None:
    """With digits in the place of non-digits, the AUROC is one half."""
    from inkdigits.sources import negatives

    monkeypatch.setattr(negatives, "SHARES", {"digits": 0.1})
    monkeypatch.setattr(negatives, "KINDS", {"digits": lambda count, chance: some.images[:count]})
    save_model(telling, here / "telling.safetensors")
    told = document("evaluate", "telling.safetensors", "--data", few)["rejection"]
    assert told["non_digits"]["total"] == 200
    assert told["non_digits"]["auroc"] == 0.5
    assert told["non_digits"]["by_kind"]["digits"] == told["digits"]
    confidence = telling.answer(some.images).confidence
    assert told["non_digits"]["auroc"] == auroc(confidence, confidence)


# Robustness


@pytest.fixture
def twenty(some: Dataset, here: Path) -> str:
    save(some.subset(range(20)), here / "twenty.npz")
    return "twenty.npz"


def test_robustness_is_measured_where_it_is_asked_for(
    document: Json, call: Callable[..., str], model: str, twenty: str, blink: Model, some: Dataset
) -> None:
    asked = ["evaluate", model, "--data", twenty, "--robustness"]
    result = document(*asked)
    curves = robustness(blink.predict, some.subset(range(20)), seed=1)
    assert result["robustness"] == {name: curve.as_data() for name, curve in curves.items()}
    lines = call(*asked).splitlines()
    for name, curve in curves.items():
        (place,) = (n for n, line in enumerate(lines) if line.startswith(f"  {name} "))
        assert lines[place].split()[1:] == [f"{each:g}" for each in curve.strengths]
        shares = [f"{100 * share:.1f}" for share in curve.accuracy]
        assert lines[place + 1].split()[-len(shares) :] == shares
        assert lines[place + 1].startswith(f"  {curve.unit} ")
        assert max(map(len, lines)) <= 80


def test_the_robustness_of_two_models_is_that_of_each(
    document: Json, model: str, other: str, twenty: str, classic: Model, some: Dataset
) -> None:
    result = document("evaluate", model, other, "--data", twenty, "--robustness")
    curves = robustness(classic.predict, some.subset(range(20)), seed=1)
    assert result["other"]["robustness"] == {name: each.as_data() for name, each in curves.items()}
    assert list(result["robustness"]) == list(DISTORTIONS)
    assert result["robustness"] != result["other"]["robustness"]


# Pictures


@pytest.mark.slow
@pytest.mark.parametrize("flags", [[], ["--robustness"]])
@pytest.mark.parametrize("two", [False, True])
def test_out_draws_what_was_asked_for(
    document: Json,
    call: Callable[..., str],
    model: str,
    other: str,
    twenty: str,
    here: Path,
    flags: list[str],
    two: bool,
) -> None:
    asked = ["evaluate", model, *([other] if two else []), "--data", twenty, *flags]
    assert "picture" not in document(*asked)
    assert document(*asked, "--out", "figure.png")["picture"] == "figure.png"
    with Image.open(here / "figure.png") as picture:
        drawn = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    colours = {tuple(colour) for colour in np.unique(drawn, axis=0).tolist()}
    assert (0x1B, 0x6B, 0x93) in colours  # the first model
    assert ((0xC2, 0x41, 0x0C) in colours) == two
    assert call(*asked, "--out", "again.png").endswith("\nagain.png\n")
    assert (here / "again.png").read_bytes() == (here / "figure.png").read_bytes()


def test_a_folder_that_is_not_there_is_said_before_the_work(
    refusal: Callable[..., str], model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Model, "answer", None)
    assert "there is no folder nowhere" in refusal("evaluate", model, "--out", "nowhere/figure.png")
