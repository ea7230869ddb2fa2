"""Pictures made of glyphs: enlarged, thinned, on other paper, photographed; and files of them.

Each takes a glyph, shape (28, 28), uint8, white ink on black, and makes a picture of the same digit
that a reader has to make a glyph of again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from inkdigits.glyph import stroke_width

Pixels = NDArray[np.uint8]
Change = Callable[[Pixels, np.random.Generator], Pixels]

TIMES = 7  # as large


def png(picture: Pixels) -> bytes:
    """A PNG file of grey levels, shape (H, W)."""
    return cv2.imencode(".png", picture)[1].tobytes()


def jpeg(picture: Pixels) -> bytes:
    """A JPEG file of quality 90; shape (H, W, 3), uint8."""
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def larger(glyph: Pixels, times: float = TIMES) -> Pixels:
    """Scaled up with smooth edges: no faint stroke may be lost, which a hard edge would do."""
    return cv2.resize(glyph, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)


def enlarged(glyph: Pixels, generator: np.random.Generator) -> Pixels:
    return larger(glyph)


def disc(diameter: float) -> Pixels:
    odd = 2 * round((diameter - 1) / 2) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (odd, odd))


def thinned(glyph: Pixels, generator: np.random.Generator) -> Pixels:
    """Strokes half as wide."""
    large = larger(glyph)
    return cv2.erode(large, disc(0.5 * stroke_width(large)))


def thickened(glyph: Pixels, generator: np.random.Generator) -> Pixels:
    """Strokes half as wide again."""
    large = np.pad(larger(glyph), 4 * TIMES)
    return cv2.dilate(large, disc(0.5 * stroke_width(large)))


def inverted(glyph: Pixels, generator: np.random.Generator) -> Pixels:
    return 255 - glyph


def moved(glyph: Pixels, generator: np.random.Generator) -> Pixels:
    """Anywhere on paper of 80 × 80."""
    return on_paper(glyph, 80, generator)


def on_paper(picture: Pixels, side: int, generator: np.random.Generator) -> Pixels:
    y, x = (int(generator.integers(side - length + 1)) for length in picture.shape)
    paper = np.zeros((side, side), np.uint8)
    paper[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    return paper


def together(glyph: Pixels, generator: np.random.Generator) -> Pixels:
    return 255 - on_paper(larger(glyph), 280, generator)


UNDONE: Mapping[str, Change] = {
    "as they are": lambda glyph, generator: glyph,
    "inverted": inverted,
    "anywhere on 80 × 80": moved,
    "enlarged, × 7": enlarged,
    "enlarged, strokes half as wide": thinned,
    "enlarged, strokes half as wide again": thickened,
    "enlarged, inverted, anywhere on 280 × 280": together,
}


def drawing(glyph: Pixels) -> Pixels:
    """Black on white, 300 × 300."""
    return 255 - np.pad(larger(glyph, 250 / 28), 25)


def paper_photo(glyph: Pixels, width: int, height: int, generator: np.random.Generator) -> Pixels:
    """Dark ink on unevenly lit, grainy paper; the frame of the digit a fifth of the width and more.

    Returns:
        shape (height, width, 3), uint8.
    """
    y, x = np.mgrid[0:1:9j, 0:1:9j].astype(np.float32)
    light = cv2.resize(225 - 70 * x - 30 * y, (width, height), interpolation=cv2.INTER_LINEAR)
    side = width * 800 // 4000 * 28 // 20  # the digit fills 20 of the glyph's 28 pixels
    digit = larger(glyph, side / 28).astype(np.float32) / 255
    top, left = height // 3, width // 2
    light[top : top + digit.shape[0], left : left + digit.shape[1]] *= 1 - 0.7 * digit
    photo = np.empty((height, width, 3), np.uint8)
    for channel, tint in enumerate((0.9, 0.97, 1.0)):
        grain = generator.standard_normal((height, width), np.float32) * 4
        photo[:, :, channel] = np.clip(tint * light + grain, 0, 255)
    return photo
