"""Draws the made-up photos that README.md reads, and how they are read.

One is a seven in blue ballpoint on ruled paper, half in a shadow, grainy as phones make it. The
other is a sheet of numbers on a desk, taken from aside; its digits are MNIST's validation part.
"""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from inkdigits.sources import load

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"

HEIGHT, WIDTH = 420, 340
PAPER, RULES, BALLPOINT = (222, 226, 230), (205, 190, 170), (110, 70, 50)  # blue, green, red
STROKE = [(118, 120), (128, 112), (160, 104), (196, 100), (190, 140), (172, 210), (152, 330)]

NUMBERS = (("1204", "18", "735"), ("96", "2051", "-42"), ("350", "7", "509"), ("48", "613", "20"))
TOUCHING = "2051"
SHEET = 640, 420  # width and height
MARGIN, DESK = (130, 110, 215), (60, 95, 140)  # blue, green, red
CORNERS = [(74, 52), (634, 22), (700, 448), (24, 472)]  # of the sheet in its photo
PHOTO = 720, 490
TALL, LEADING = 40, 84  # pixels: of digits; from one line to the next
COLUMNS = 225, 400, 600  # where numbers end


def in_shadow(picture: np.ndarray, grain: float, seed: int) -> np.ndarray:
    """Out of focus, half in a shadow, and grainy."""
    height, width = picture.shape[:2]
    soft = cv2.GaussianBlur(picture, (0, 0), 1).astype(np.float64)
    y, x = np.mgrid[:height, :width]
    shadow = 1 - 0.45 / (1 + np.exp((height + 10 - 0.7 * x - y) / 25))
    noise = np.random.default_rng(seed).normal(0, grain, (height, width, 1))
    return np.clip(soft * shadow[:, :, np.newaxis] + noise, 0, 255).astype(np.uint8)


def seven() -> np.ndarray:
    """Shape (420, 340, 3), uint8, blue first as OpenCV has it."""
    picture = np.full((HEIGHT, WIDTH, 3), PAPER, np.uint8)
    for y in range(60, HEIGHT, 70):
        cv2.line(picture, (0, y), (WIDTH, y + 4), RULES, 2, cv2.LINE_AA)
    cv2.polylines(picture, [np.array(STROKE, np.int32)], False, BALLPOINT, 9, cv2.LINE_AA)
    return in_shadow(picture, 3, 4)


def page(seed: int = 14) -> np.ndarray:
    """A ruled sheet with a table of numbers; shape (490, 720, 3), uint8, blue first."""
    chance = np.random.default_rng(seed)
    ink = np.zeros(SHEET[::-1], np.float32)
    sheet = np.full((*SHEET[::-1], 3), PAPER, np.uint8)
    for row, numbers in enumerate(NUMBERS):
        foot = 100 + row * LEADING
        cv2.line(sheet, (0, foot + 6), (SHEET[0], foot + 6), RULES, 2, cv2.LINE_AA)
        for right, text in zip(COLUMNS, numbers, strict=True):
            write(ink, text, right, foot, chance)
    cv2.line(sheet, (84, 0), (84, SHEET[1]), MARGIN, 2, cv2.LINE_AA)
    share = ink[:, :, np.newaxis]
    sheet = (sheet * (1 - share) + np.array(BALLPOINT) * share).astype(np.uint8)
    edges = [(0, 0), (SHEET[0], 0), SHEET, (0, SHEET[1])]
    matrix = cv2.getPerspectiveTransform(np.float32(edges), np.float32(CORNERS))
    desk = np.full((*PHOTO[::-1], 3), DESK, np.uint8)
    photo = cv2.warpPerspective(sheet, matrix, PHOTO, dst=desk, borderMode=cv2.BORDER_TRANSPARENT)
    return in_shadow(photo, 1, seed)


def write(ink: np.ndarray, text: str, right: int, foot: int, chance: np.random.Generator) -> None:
    """A number from right to left, its strength (0 to 1) put into `ink`."""
    for sign in reversed(text):
        if sign == "-":
            cv2.line(ink, (right - 24, foot - 22), (right - 6, foot - 23), 1.0, 4, cv2.LINE_AA)
        else:
            glyph = chance.choice(typical(int(sign)))
            rows, columns = (np.flatnonzero((glyph > 0.1).any(axis=axis)) for axis in (1, 0))
            glyph = glyph[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            width = round(glyph.shape[1] * TALL / len(glyph))
            grown = cv2.resize(glyph, (width, TALL), interpolation=cv2.INTER_CUBIC)
            place = ink[foot - TALL : foot, right - width : right]
            np.maximum(place, np.clip(grown, 0, 1), out=place)
            right -= width - 2 if text == TOUCHING else width + 8


@functools.cache
def typical(digit: int) -> np.ndarray:
    """Those that are most like their mean, as strength: shape (20, 28, 28), 0 to 1."""
    digits = load("mnist:validation")
    images = digits.images[digits.labels == digit] / np.float32(255)
    return images[np.square(images - images.mean(axis=0)).sum(axis=(1, 2)).argsort()[:20]]


def main() -> None:
    for name, drawn in (("seven.jpg", seven()), ("page.jpg", page())):
        cv2.imwrite(str(PICTURES / name), drawn, [cv2.IMWRITE_JPEG_QUALITY, 85])
    for command in (
        ["read", "seven.jpg", "--explain", "--out", "explained.png"],
        ["read", "page.jpg", "--out", "page-read.png"],
    ):
        subprocess.run([sys.executable, "-m", "inkdigits", *command], cwd=PICTURES, check=True)
    explained, read = PICTURES / "explained.png", PICTURES / "page-read.png"
    Image.open(explained).convert("RGB").reduce(2).quantize(64).save(explained, optimize=True)
    figure = Image.open(read).convert("RGB")
    figure.thumbnail((820, 820))
    figure.save(read.with_suffix(".jpg"), quality=80, optimize=True)  # a photo, for most of it
    read.unlink()


if __name__ == "__main__":
    main()
