"""Draws the made-up photo that README.md reads, and how its reading is explained.

The photo is a seven in blue ballpoint on ruled paper, half in a shadow, grainy as phones make it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"

HEIGHT, WIDTH = 420, 340
PAPER, RULES, BALLPOINT = (222, 226, 230), (205, 190, 170), (110, 70, 50)  # blue, green, red
STROKE = [(118, 120), (128, 112), (160, 104), (196, 100), (190, 140), (172, 210), (152, 330)]


def photo() -> np.ndarray:
    """Shape (420, 340, 3), uint8, blue first as OpenCV has it."""
    picture = np.full((HEIGHT, WIDTH, 3), PAPER, np.uint8)
    for y in range(60, HEIGHT, 70):
        cv2.line(picture, (0, y), (WIDTH, y + 4), RULES, 2, cv2.LINE_AA)
    cv2.polylines(picture, [np.array(STROKE, np.int32)], False, BALLPOINT, 9, cv2.LINE_AA)
    soft = cv2.GaussianBlur(picture, (0, 0), 1).astype(np.float64)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    shadow = 1 - 0.45 / (1 + np.exp((430 - 0.7 * x - y) / 25))
    grain = np.random.default_rng(4).normal(0, 3, (HEIGHT, WIDTH, 1))
    return np.clip(soft * shadow[:, :, np.newaxis] + grain, 0, 255).astype(np.uint8)


def main() -> None:
    cv2.imwrite(str(PICTURES / "seven.jpg"), photo(), [cv2.IMWRITE_JPEG_QUALITY, 85])
    command = ["read", "seven.jpg", "--explain", "--out", "explained.png"]
    subprocess.run([sys.executable, "-m", "inkdigits", *command], cwd=PICTURES, check=True)
    explained = PICTURES / "explained.png"
    Image.open(explained).convert("RGB").reduce(2).quantize(64).save(explained, optimize=True)


if __name__ == "__main__":
    main()
