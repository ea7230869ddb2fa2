"""A folder of pictures: each file by its name, each refusal with the name of the file."""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkdigits.dataset import Dataset
from inkdigits.errors import FileError
from inkdigits.sources import load, save

GREY = np.arange(784, dtype=np.uint16).reshape(28, 28).astype(np.uint8)


@pytest.fixture
def pictures(few: Dataset, tmp_path: Path) -> Path:
    """A saved folder of 30 digits."""
    save(few.subset(range(30)), tmp_path / "digits")
    return tmp_path / "digits"


def test_a_digit_is_named_by_its_label_and_its_index(few: Dataset, pictures: Path) -> None:
    names = sorted(str(path.relative_to(pictures).as_posix()) for path in pictures.rglob("*.png"))
    expected = [f"{label}/{index:02}.png" for index, label in enumerate(few.known_labels[:30])]
    assert names == sorted(expected)


def test_any_format_of_grey_picture_is_read(tmp_path: Path) -> None:
    for name in ("a.png", "b.bmp", "c.gif", "d.pgm"):
        Image.fromarray(GREY).save(tmp_path / name)
    assert np.array_equal(load(tmp_path).images, np.stack([GREY] * 4))


def test_hidden_files_are_passed_over(few: Dataset, pictures: Path) -> None:
    (pictures / ".DS_Store").touch()
    (pictures / "3" / "._12.png").touch()
    assert load(pictures).fingerprint == few.subset(range(30)).fingerprint


@pytest.mark.parametrize(
    ("picture", "got"),
    [
        (Image.new("L", (20, 20)), "20×20 of mode L"),
        (Image.new("L", (280, 280)), "280×280 of mode L"),
        (Image.new("RGB", (28, 28)), "28×28 of mode RGB"),
        (Image.new("I;16", (28, 28)), "28×28 of mode I;16"),
        (Image.new("1", (28, 28)), "28×28 of mode 1"),
        (Image.new("LA", (28, 28)), "28×28 of mode LA"),
    ],
)
def test_other_pictures_are_named(
    pictures: Path, refusal: Callable[..., str], picture: Image.Image, got: str
) -> None:
    picture.save(pictures / "4" / "other.png")
    message = refusal(pictures)
    assert str(pictures / "4" / "other.png") in message
    assert f"expected a grey picture of 28×28, 8 bits a pixel, got {got}" in message


def test_a_bomb_is_refused_by_its_size(pictures: Path, refusal: Callable[..., str]) -> None:
    bomb = pictures / "4" / "bomb.png"
    Image.fromarray(GREY).save(bomb)
    content = bytearray(bomb.read_bytes())
    for size, message in ((12_000, "got 12000×12000"), (60_000, "cannot be opened")):
        content[16:24] = size.to_bytes(4, "big") * 2
        # The header's checksum is made right, so that only the size is wrong.
        content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
        bomb.write_bytes(content)
        assert message in refusal(pictures)


@pytest.mark.parametrize(
    "content", [b"", b"not a picture", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"<svg/>"]
)
def test_what_is_no_picture_is_named(
    pictures: Path, refusal: Callable[..., str], content: bytes
) -> None:
    (pictures / "7" / "stray.txt").write_bytes(content)
    message = refusal(pictures)
    assert message.startswith(str(pictures / "7" / "stray.txt"))
    assert "expected a picture (PNG, BMP, GIF, JPEG or PGM), got one that cannot be" in message


def test_a_cut_picture_is_named(pictures: Path, refusal: Callable[..., str]) -> None:
    cut = next(pictures.glob("1/*.png"))
    cut.write_bytes(cut.read_bytes()[:100])
    assert refusal(pictures).startswith(f"{cut}: expected a picture")


@pytest.mark.parametrize("name", ["readme.txt", "ten/1.png", "00/1.png"])
def test_what_stands_where_none_belongs_is_named(
    pictures: Path, refusal: Callable[..., str], name: str
) -> None:
    (pictures / name).parent.mkdir(exist_ok=True)
    Image.fromarray(GREY).save(pictures / name, format="PNG")
    assert f"got {name.partition('/')[0]} among them: take it out" in refusal(pictures)


def test_a_folder_inside_a_digits_folder_is_named(
    pictures: Path, refusal: Callable[..., str]
) -> None:
    (pictures / "4" / "more").mkdir()
    assert str(pictures / "4" / "more") in refusal(pictures)


def test_an_empty_folder_is_refused(tmp_path: Path, refusal: Callable[..., str]) -> None:
    assert "expected pictures in folders 0 to 9, got an empty folder" in refusal(tmp_path)
    (tmp_path / "0").mkdir()
    assert "expected pictures in folders 0 to 9, got an empty folder" in refusal(tmp_path)


def test_a_folder_of_idx_files_is_told_which_to_name(
    few: Dataset, tmp_path: Path, refusal: Callable[..., str]
) -> None:
    images = tmp_path / "train-images-idx3-ubyte.gz"
    save(few, images)
    assert refusal(tmp_path).endswith(f"expected pictures, got IDX files: name the file {images}")


def test_a_folder_that_is_not_empty_is_left_alone(few: Dataset, pictures: Path) -> None:
    before = sorted(pictures.rglob("*"))
    with pytest.raises(FileError, match=r"expected a new or an empty folder, got .*digits"):
        save(few, pictures)
    assert sorted(pictures.rglob("*")) == before


def test_an_empty_folder_is_filled(few: Dataset, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    save(few, tmp_path / "empty")
    assert load(tmp_path / "empty").fingerprint == few.fingerprint


def test_a_file_does_not_become_a_folder(few: Dataset, tmp_path: Path) -> None:
    (tmp_path / "digits").touch()
    with pytest.raises(FileError, match="expected a new or an empty folder"):
        save(few, tmp_path / "digits")


def test_pillow_is_loaded_only_for_pictures() -> None:
    script = "import sys, inkdigits.sources; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
