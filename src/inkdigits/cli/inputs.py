"""What the inputs of `inkdigits read` stand for: pictures, folders of them, or files of digits.

Content decides. A file that is neither is refused by whoever it was meant for, as its name says.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["as_neither", "things_in"]

# How names end that say what a file is meant to be
KINDS_OF_PICTURES = "jpg jpeg png gif bmp tif tiff webp heic heif avif svg eps pdf"
PICTURES = tuple(f".{kind}" for kind in KINDS_OF_PICTURES.split())
DATA = (".csv", ".npz", ".idx", ".gz", "-ubyte")


def things_in(name: str) -> list[tuple[str, str]]:
    """What an input stands for: pictures, or data; of a folder every file that is not hidden."""
    path = Path(name)
    if not path.is_dir():
        return [("lost" if is_lost(path) else "picture" if for_a_picture(path) else "data", name)]
    files = [
        ("lost" if is_lost(file) else "picture", str(file))
        for file in sorted(path.rglob("*"))
        if not any(part.startswith(".") for part in file.relative_to(path).parts)
        and (file.is_file() or is_lost(file))
    ]
    return files or [("empty", name)]


def is_lost(path: Path) -> bool:
    """Whether it is a link to what is not there."""
    return path.is_symlink() and not path.exists()


def for_a_picture(path: Path) -> bool:
    """Whether a file is a picture or meant to be one, so that the right reader refuses it."""
    from inkdigits.reading import is_picture
    from inkdigits.reading.screening import AS_ANOTHER_FILE, HEAD, what_else

    if is_picture(path) or path.name.lower().endswith(PICTURES):
        return True
    if path.name.lower().endswith(DATA) or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return what_else(file.read(HEAD))[1] == AS_ANOTHER_FILE
    except OSError:
        return False


def as_neither(name: str, error: Exception) -> str:
    """What a data source says of a file, which may have been meant as a picture."""
    if name.lower().endswith(DATA) or not Path(name).is_file():
        return str(error)
    return f"it is no picture that we read; taken for data, {error}"
