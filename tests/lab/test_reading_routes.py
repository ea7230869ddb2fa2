"""For programs: what is sent is read as it would be from a file, or refused in one sentence."""

from __future__ import annotations

import base64
import io
import json
import re
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sheets import ROWS, sheet_of
from starlette.testclient import TestClient

import inkdigits as ink
from inkdigits.dataset import Dataset
from inkdigits.formats import load_model, save_model
from inkdigits.lab.models import LOADED, ModelShelf
from inkdigits.lab.store import Store
from inkdigits.model import Model
from inkdigits.reading import LONGEST, open_picture, read_digit, read_picture

Errs = Callable[..., str]
RUN = "0123456789ab"


def kept_run(store: Store, model: Model, name: str = RUN, title: str | None = None) -> Path:
    """A run that has ended well, as the lab leaves it."""
    folder = store.runs / name
    folder.mkdir(parents=True)
    path = folder / "model.safetensors"
    save_model(model, path)
    if title is not None:
        about = {"id": name, "name": title, "kind": "training", "settings": {}}
        (folder / "run.json").write_text(json.dumps(about))
    return path


def saved(pixels: Any, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def image_from(text: str) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))


# Reading


def test_a_picture_is_read_as_from_a_file(
    stranger: TestClient, picture: bytes, tmp_path: Path
) -> None:
    (tmp_path / "two.png").write_bytes(picture)
    one = read_digit(open_picture(picture), load_model("reader"))
    page = ink.read(tmp_path / "two.png")
    came = stranger.post("/api/read", content=picture).json()
    box = list(one.prepared.box)
    assert came == {
        "model": "reader",
        "confidence": one.confidence,
        "box": box,
        **one.as_single(),
        "size": [140, 140],
        "numbers": [
            {
                "text": "2",
                "confidence": one.confidence,
                "box": box,
                "digits": [{"digit": 2, "probability": one.confidence, "box": box}],
                "line": 0,
            }
        ],
        "rows": [["2"]],
    }
    assert came["numbers"] == json.loads(json.dumps(page.as_data()))["numbers"]
    assert came["digit"] == 2


def test_one_picture_has_one_answer(stranger: TestClient, some: Dataset) -> None:
    for glyph in some.images[:12]:
        for side in (28, 84):
            enlarged = glyph.repeat(side // 28, 0).repeat(side // 28, 1)
            came = stranger.post("/api/read", content=saved(255 - enlarged, "PNG")).json()
            ((number,), (row,)) = came["numbers"], came["rows"]
            assert row == [number["text"]] == [str(came["digit"])]
            assert (came["confidence"], came["box"]) == (number["confidence"], number["box"])
            assert not came["rejected"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        None,
        "image/png",
        "image/jpeg",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/json",
        "nonsense",
        "multipart/mixed",
    ],
)
def test_whatever_it_is_called_the_body_is_the_picture(
    stranger: TestClient, picture: bytes, kind: str | None
) -> None:
    headers = {} if kind is None else {"content-type": kind}
    assert stranger.post("/api/read", content=picture, headers=headers).json()["digit"] == 2


def test_a_form_with_the_picture_is_read_alike(stranger: TestClient, picture: bytes) -> None:
    raw = stranger.post("/api/read", content=picture).json()
    files = {"picture": ("two.svg", picture, "text/html")}  # neither name nor type decides
    assert stranger.post("/api/read", files=files).json() == raw


def test_the_stages_are_what_the_reader_made_of_it(stranger: TestClient, some: Dataset) -> None:
    wide = np.full((300, 1200, 3), 250, np.uint8)
    wide[80:220, 500:640] = 255 - np.kron(some.images[1], np.ones((5, 5), np.uint8))[..., None]
    body = saved(wide, "PNG")
    came = stranger.post("/api/read?stages=true", content=body).json()
    one = read_digit(open_picture(body, longest=LONGEST), load_model("reader"))
    assert base64.b64decode(came["glyph"]) == one.prepared.glyph.tobytes()
    stages = came["stages"]
    shown, levels = image_from(stages["picture"]), image_from(stages["ink"])
    assert shown.shape == (120, 480, 3)
    assert levels.shape == (120, 480)
    assert stages["scale"] == 2.5
    x, y, width, height = (value / stages["scale"] for value in came["box"])
    rows, columns = np.nonzero(levels > 100)
    assert x - 2 <= columns.min() <= columns.max() <= x + width + 2
    assert y - 2 <= rows.min() <= rows.max() <= y + height + 2
    assert shown[levels > 200].mean() < 130 < shown[levels == 0].mean()


def test_glyph_and_stages_are_sent_to_who_asks_for_them(
    stranger: TestClient, picture: bytes
) -> None:
    plain = stranger.post("/api/read", content=picture).json()
    assert {"glyph", "stages"}.isdisjoint(plain)
    whole = stranger.post("/api/read?stages=true", content=picture).json()
    lean = stranger.post("/api/read?glyph=true", content=picture).json()
    assert lean == {**plain, "glyph": whole["glyph"]}


def test_an_empty_sheet_has_no_box_and_no_numbers(stranger: TestClient) -> None:
    sheet = saved(np.full((50, 60), 255, np.uint8), "PNG")
    came = stranger.post("/api/read?stages=true", content=sheet).json()
    assert (came["box"], came["numbers"], came["rejected"]) == (None, [], True)
    assert (came["not_a_digit"], came["confidence"], came["size"]) == (1.0, 0.0, [60, 50])
    assert came["stages"]["ink"] is None
    assert base64.b64decode(came["glyph"]) == bytes(784)


# Pages of numbers


@pytest.fixture(scope="module")
def sheet(exam: Dataset) -> bytes:
    return sheet_of(exam)


@pytest.mark.slow
def test_the_numbers_of_a_page_are_those_that_read_finds(
    stranger: TestClient, sheet: bytes
) -> None:
    came = stranger.post("/api/read", content=sheet).json()
    page = read_picture(sheet, load_model("reader"))
    assert {"size": came["size"], "numbers": came["numbers"]} == json.loads(
        json.dumps(page.as_data())
    )
    assert [len(line) for line in page.lines] == [2, 2, 1]
    assert came["rows"] == ROWS


def test_a_page_is_shown_larger_than_a_digit(
    stranger: TestClient, sheet: bytes, picture: bytes
) -> None:
    page, one = (
        stranger.post("/api/read?stages=true", content=body).json()["stages"]
        for body in (sheet, picture)
    )
    assert max(image_from(page["picture"]).shape) == LONGEST
    assert page["scale"] == 2200 / LONGEST
    assert image_from(one["picture"]).shape[:2] == (140, 140)


def test_a_single_digit_is_read_alike_when_no_others_are_looked_for(
    stranger: TestClient, picture: bytes, sheet: bytes
) -> None:
    whole = stranger.post("/api/read", content=picture).json()
    assert stranger.post("/api/read?single=true", content=picture).json() == whole
    assert len(stranger.post("/api/read?single=true", content=sheet).json()["numbers"]) <= 1
    empty = saved(np.full((50, 60), 255, np.uint8), "PNG")
    assert stranger.post("/api/read?single=true", content=empty).json()["numbers"] == []


@pytest.mark.slow
def test_a_part_of_a_page_is_read_as_the_digit_in_it(stranger: TestClient, sheet: bytes) -> None:
    page = stranger.post("/api/read", content=sheet).json()
    digits = [digit for number in page["numbers"] for digit in number["digits"]]
    for digit in digits:
        part = ",".join(map(str, digit["box"]))
        alone = stranger.post(f"/api/read?part={part}", content=sheet).json()
        assert alone["digit"] == digit["digit"]
        assert alone["box"] is not None
        _, _, width, height = digit["box"]
        assert max(alone["size"]) < 1.5 * max(width, height)
        assert len(alone["numbers"]) == 1


@pytest.mark.slow
def test_a_part_of_a_page_is_explained_alone(client: TestClient, sheet: bytes) -> None:
    page = client.post("/api/read", content=sheet).json()
    for digit in page["numbers"][0]["digits"]:
        part = ",".join(map(str, digit["box"]))
        told = client.post(f"/api/lab/explain?part={part}", content=sheet).json()
        assert told["digit"] == digit["digit"]


def test_a_model_that_tells_no_digits_says_so_with_null(
    client: TestClient, store: Store, blink: Model, picture: bytes
) -> None:
    kept_run(store, blink)
    came = client.post(f"/api/read?model={RUN}", content=picture).json()
    assert came["not_a_digit"] is None
    assert (came["model"], came["digit"]) == (RUN, 2)


# The same digit, however it is saved


def ways(grey: np.ndarray[Any, Any]) -> dict[str, bytes]:
    """A digit in dark ink on white, saved in many ways."""
    turned = Image.Exif()
    turned[0x0112] = 6  # to be shown turned by 90° with the clock
    clear = np.dstack([np.zeros_like(grey)] * 3 + [255 - grey])
    return {
        "turned": saved(np.rot90(grey), "JPEG", quality=95, exif=turned),
        "16 bits": saved(grey.astype(np.uint16) * 257, "PNG"),
        "CMYK": saved_as("CMYK", grey, "TIFF"),
        "palette": saved_as("P", grey, "GIF"),
        "transparent": saved(clear, "PNG"),
        "inverted": saved(255 - grey, "PNG"),
        "WEBP": saved(grey, "WEBP", lossless=True),
        "BMP": saved(grey, "BMP"),
    }


def saved_as(mode: str, grey: np.ndarray[Any, Any], kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(grey).convert("RGB").convert(mode).save(file, kind)
    return file.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("way", list(ways(np.zeros((8, 8), np.uint8))))
def test_one_digit_is_read_alike_however_it_is_saved(
    stranger: TestClient, picture: bytes, way: str
) -> None:
    grey = np.asarray(Image.open(io.BytesIO(picture)).convert("L"))
    came = stranger.post("/api/read", content=ways(grey)[way]).json()
    plain = stranger.post("/api/read", content=picture).json()
    assert came["digit"] == plain["digit"] == 2
    assert came["confidence"] == pytest.approx(plain["confidence"], abs=0.02)


# What is refused


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb() -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes(1 << 20)))
    return b"\x89PNG\r\n\x1a\n" + header + rows + chunk(b"IEND", b"")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 415, "got an empty file"),
        (b"seven", 415, "expected what was sent to be a picture"),
        (b'{"picture": "iVBORw0KGgo="}', 415, "got JSON: send the file as it is"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "got an SVG drawing"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", 415, "got an EPS or PostScript file"),
        (b"%PDF-1.7\n", 415, "got a PDF document"),
        (b"\x80\x04\x95" + bytes(40), 415, "got a file of another kind"),
        (bomb(), 422, "100,000,000 pixels or fewer"),
        (bomb()[:60], 422, "cut off"),
        (b"\xff\xd8\xff\xe0" + bytes(100), 422, "cut off"),
        (b"RIFF\x10\0\0\0WEBPVP8X" + bytes(4), 422, "expected what was sent to be a whole picture"),
    ],
)
def test_what_is_no_picture_is_refused_in_words(
    stranger: TestClient, errs: Errs, body: bytes, status: int, message: str
) -> None:
    assert message in errs(stranger.post("/api/read", content=body), status)
    files = {"picture": ("a.png", body)}
    assert message in errs(stranger.post("/api/read", files=files), status)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "multipart/form-data"),
        (b"", "multipart/form-data; boundary="),
        (b"nonsense", "multipart/form-data; boundary=x"),
        (b'--x\r\ncontent-disposition: form-data; name="picture"\r\n\r\n7\r\n--x--\r\n', "x"),
        (
            b'--x\r\ncontent-disposition: form-data; name="a"; filename="b"\r\n\r\n7\r\n--x--\r\n',
            "x",
        ),
        (b'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n7\r\n' * 50 + b"--x--\r\n", "x"),
    ],
)
def test_a_form_without_the_picture_is_refused_in_words(
    stranger: TestClient, errs: Errs, content: bytes, kind: str
) -> None:
    kind = "multipart/form-data; boundary=x" if kind == "x" else kind
    answer = stranger.post("/api/read", content=content, headers={"content-type": kind})
    assert "expected" in errs(answer, 400, 422)


@pytest.mark.parametrize("charset", ["undefined", "punycode", "no-such"])
def test_a_form_in_letters_that_nobody_reads_is_refused_in_words(
    stranger: TestClient, errs: Errs, picture: bytes, charset: str
) -> None:
    form = b'--x\r\ncontent-disposition: form-data; name="\xff"\r\n\r\n1\r\n--x--\r\n'
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    answer = stranger.post("/api/read", content=form, headers={"content-type": kind})
    assert "expected a form" in errs(answer, 400, 422)


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("model=nobody", 404, "expected the name of a model, got 'nobody'"),
        ("model=../../etc/passwd", 404, "expected the name of a model"),
        ("model=", 404, "expected the name of a model"),
        ("model=%00", 404, "expected the name of a model"),
        ("model=" + "x" * 1000, 404, "expected the name of a model"),
        ("stages=maybe", 422, "expected stages to be a valid boolean, got 'maybe'"),
        ("part=1,2,3", 422, "expected part"),
        ("part=500,2,3,4", 422, "expected a part of the picture's 140 × 140 pixels"),
    ],
)
def test_what_is_asked_for_wrongly_is_named(
    stranger: TestClient, errs: Errs, picture: bytes, query: str, status: int, message: str
) -> None:
    assert message in errs(stranger.post(f"/api/read?{query}", content=picture), status)


def test_other_addresses_and_methods_are_refused_in_the_same_words(
    stranger: TestClient, errs: Errs
) -> None:
    assert "expected an address of the lab" in errs(stranger.get("/api/nothing"), 404)
    assert "expected POST at '/api/read', got GET" in errs(stranger.get("/api/read"), 405)
    assert "expected an address" in errs(stranger.get("/docs"), 404)
    assert "expected an address" in errs(stranger.get("/static/../../app.py"), 404)
    assert "expected an address" in errs(stranger.get("/static/%2e%2e/app.py"), 404)


# Many at a time


@pytest.mark.slow
def test_readings_at_the_same_time_are_those_one_by_one(
    stranger: TestClient, some: Dataset
) -> None:
    """No answer is another's, to the last bit."""
    bodies = [
        saved(np.kron(255 - image, np.ones((3, 3), np.uint8)), "PNG") for image in some.images[:32]
    ]
    bodies[::7] = [b"no picture"] * len(bodies[::7])

    def answered(body: bytes) -> Any:
        return stranger.post("/api/read", content=body).json()

    one_by_one = [answered(body) for body in bodies]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(answered, bodies)) == one_by_one
    assert len({str(each) for each in one_by_one}) > len(bodies) // 2


def test_opening_pictures_on_many_threads_leaves_the_filters_of_warnings_as_they_were() -> None:
    import warnings

    before = list(warnings.filters)
    gif = saved(np.full((9, 9), 7, np.uint8), "GIF")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: open_picture(gif), range(200)))
    assert warnings.filters == before


# Models


def test_every_model_is_listed_with_what_there_is_to_know(
    stranger: TestClient, store: Store, blink: Model
) -> None:
    kept_run(store, blink.with_scores(validation={"accuracy": 0.9}), title="My first")
    (store.runs / "cdef00000000").mkdir()  # a run without a model yet
    (store.runs / "not a run").mkdir()
    models = stranger.get("/api/models").json()["models"]
    assert [each["name"] for each in models] == ["reader", RUN]
    reader, run = models
    assert reader["tells_digits"]
    assert reader["calibrated"]
    assert run == {
        "name": RUN,
        "title": "My first",
        "recipe": "blink",
        "parameters": blink.network.parameters.size,
        "tells_digits": False,
        "calibrated": False,
        "scores": {"validation": {"accuracy": 0.9}},
    }


def test_a_model_tells_its_layers_card_and_fingerprint(stranger: TestClient) -> None:
    model = load_model("reader")
    came = stranger.get("/api/models/reader").json()
    assert came["fingerprint"] == model.fingerprint
    assert came["card"]["recipe"] == model.card.recipe
    assert sum(layer["parameters"] for layer in came["layers"]) == came["parameters"]
    assert [layer["words"] for layer in came["layers"]] == [str(la) for la in model.network.layers]
    assert came["layers"][-1]["shape"] == [model.network.answers]
    root = Path(ink.__file__).parent
    for layer in came["layers"]:
        file, name = re.fullmatch(r"(network/\w+\.py): (\w+)\.forward", layer["code"]).groups()  # type: ignore[union-attr]
        assert f"class {name}" in (root / file).read_text()


def test_a_damaged_model_is_an_error_of_its_own_alone(
    stranger: TestClient, errs: Errs, store: Store, blink: Model, picture: bytes
) -> None:
    path = kept_run(store, blink)
    path.write_bytes(path.read_bytes()[:-100])
    assert "model.safetensors" in errs(stranger.get(f"/api/models/{RUN}"), 422)
    errs(stranger.post(f"/api/read?model={RUN}", content=picture), 422)
    assert [each["name"] for each in stranger.get("/api/models").json()["models"]] == ["reader"]


def test_a_model_that_learned_more_is_loaded_again(
    store: Store, blink: Model, classic: Model
) -> None:
    path = kept_run(store, blink)
    shelf = ModelShelf(store)
    assert shelf.model(RUN).fingerprint == blink.fingerprint
    assert shelf.model(RUN) is shelf.model(RUN)
    save_model(classic, path)
    assert shelf.model(RUN).fingerprint == classic.fingerprint
    assert shelf.summary(RUN).recipe == "classic"
    path.unlink()
    with pytest.raises(ink.FileError, match="expected the name of a model"):
        shelf.model(RUN)


def test_the_shelf_keeps_a_few_models_and_lets_the_oldest_go(store: Store, blink: Model) -> None:
    names = [f"{number:012x}" for number in range(LOADED + 1)]
    for name in names:
        kept_run(store, blink, name)
    shelf = ModelShelf(store)
    first = shelf.model(names[0])
    for name in names[1:LOADED]:
        shelf.model(name)
    assert shelf.model(names[0]) is first  # and is the latest again
    shelf.model(names[LOADED])
    assert shelf.model(names[0]) is first
    second = shelf.model(names[1])
    assert len(shelf._loaded) == LOADED
    assert second.fingerprint == blink.fingerprint
