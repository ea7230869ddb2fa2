"""How a number or a word is written by one hand: each sign's ink, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from written import Chance, Levels, Numbers, Pixels, brush

from inkdigits.glyph import stroke_width
from inkdigits.sources.letters import LETTERS, WRITTEN
from inkdigits.sources.strokes import drawn

__all__ = ["MARKS", "Block", "Hand", "Piece"]

MARKS = ".,-"


@dataclass(eq=False)
class Piece:
    """Ink of one sign, and where its upper left corner is; of a number, y = 0 is the baseline."""

    ink: Levels
    x: int
    y: int
    is_digit: bool = True

    @property
    def right(self) -> int:
        return self.x + self.ink.shape[1]

    def hull(self) -> Numbers:
        """Corners of the ink, shape (n, 2): what a map of the plane does to it, it does to them."""
        points = cv2.findNonZero((self.ink > 0.3).astype(np.uint8))
        corners = cv2.convexHull(points).reshape(-1, 2)
        return np.asarray(corners + np.array([self.x, self.y]), np.float64)


@dataclass(eq=False)
class Block:
    """A number or, without a text, a word."""

    text: str
    pieces: list[Piece]

    @property
    def left(self) -> int:
        return min(piece.x for piece in self.pieces)

    @property
    def width(self) -> int:
        return max(piece.right for piece in self.pieces) - self.left

    def move(self, x: int, y: int) -> None:
        for piece in self.pieces:
            piece.x += x
            piece.y += y


@dataclass(eq=False)
class Hand:
    """Who writes: one pen, one slant.

    Args:
        images: shape (N, 28, 28), uint8.
        labels: shape (N,).
        height: pixels that a digit is tall.
        chance: of all that is drawn.
        touching: whether four in ten of a number's neighbours run into each other.
        broken: whether four in ten digits have strokes with gaps.
    """

    images: Pixels
    labels: NDArray[np.integer]
    height: float
    chance: Chance
    touching: bool = False
    broken: bool = False
    slant: float = field(init=False)
    pen: float = field(init=False)  # pixels of a glyph

    def __post_init__(self) -> None:
        self.slant = float(self.chance.uniform(-0.15, 0.25))
        self.pen = float(self.chance.uniform(1.8, 3.6))

    @property
    def unit(self) -> float:
        """A pixel of a glyph, in pixels."""
        return self.height / 20

    def glyph(self, digit: int) -> Pixels:
        """Of a few digits the one whose pen is nearest to the hand's."""
        some = self.chance.choice(np.flatnonzero(self.labels == digit), 6)
        off = [abs(stroke_width(self.images[index]) - self.pen) for index in some]
        return without_specks(self.images[some[int(np.argmin(off))]])

    def inked(self, glyph: Pixels) -> Levels:
        """The ink of a glyph, and no paper around it."""
        side = round(28 * self.unit * self.chance.uniform(0.88, 1.12))
        rim = side // 4
        ink = np.pad(brush(glyph, side, 0), ((0, 0), (rim, rim)))
        lean = np.float64([[1, -self.slant, self.slant * side / 2], [0, 1, 0]])
        ink = cv2.warpAffine(ink, lean, ink.shape[::-1], flags=cv2.INTER_LINEAR)
        if self.broken and self.chance.random() < 0.4:
            for _ in range(int(self.chance.integers(1, 3))):
                self.lift(ink)
        return cropped(ink)

    def lift(self, ink: Levels) -> None:
        """Leaves a gap of 1 to 2 pixels of the glyph across a stroke, in place."""
        deep = cv2.distanceTransform((ink > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
        rows, columns = np.nonzero(deep > 0.6 * deep.max())
        at = self.chance.integers(len(rows))
        y, x = np.indices(ink.shape) - np.reshape([rows[at], columns[at]], (2, 1, 1))
        pen = 2 * float(deep[rows[at], columns[at]])
        near = (ink > 0.5) & (x**2 + y**2 < (1.5 * pen) ** 2)
        _, axes = np.linalg.eigh(np.cov(np.stack([x[near], y[near]])))
        (across_x, across_y), (along_x, along_y) = axes.T
        half = self.chance.uniform(1, 2) * self.unit / 2
        gap = (abs(along_x * x + along_y * y) < half) & (abs(across_x * x + across_y * y) < pen)
        ink[gap] = 0

    def mark(self, sign: str) -> Piece:
        """A point, a comma or a minus, where it is below or above the baseline."""
        width = max(2.0, self.pen * self.unit)
        side = int(1.2 * self.height)
        sheet = np.zeros((2 * side, 2 * side), np.float32)
        if sign == "-":
            half = self.height * self.chance.uniform(0.2, 0.32)
            tilt = self.chance.uniform(-0.12, 0.12) * half
            rise = self.chance.uniform(0.35, 0.5) * self.height
            ends = (side - half, side - rise + tilt), (side + half, side - rise - tilt)
        elif sign == ",":
            fall = self.height * self.chance.uniform(0.16, 0.28)
            ends = (side, side - 0.4 * width), (side - 0.45 * fall, side + fall)
        else:
            width *= self.chance.uniform(1, 1.5)
            ends = (side, side - width / 2), (side + 0.2 * width, side - width / 2)
        start, stop = (tuple(round(16 * value) for value in end) for end in ends)
        cv2.line(sheet, start, stop, 1.0, max(2, round(width)), cv2.LINE_AA, 4)
        sheet = cv2.GaussianBlur(sheet, (0, 0), 0.6)
        top = int(np.flatnonzero((sheet > 0.05).any(axis=1))[0])
        return Piece(cropped(sheet), 0, top - side, is_digit=False)

    def number(self, text: str, pitch: int | None = None) -> Block:
        """A number from x = 0 on; with a pitch each sign in the middle of its own cell."""
        pieces: list[Piece] = []
        for place, sign in enumerate(text):
            if sign in MARKS:
                piece = self.mark(sign)
            else:
                ink = self.inked(self.glyph(int(sign)))
                foot = round(self.height * self.chance.uniform(-0.08, 0.08))
                piece = Piece(ink, 0, foot - len(ink))
            gap = round(self.height * self.chance.uniform(0.05, 0.4))
            if pitch is not None:
                sway = self.chance.uniform(-0.08, 0.08) * pitch
                piece.x = round((place + 0.5) * pitch + sway - piece.ink.shape[1] / 2)
            elif pieces and self.touching and self.chance.random() < 0.4:
                overlap = round(self.unit * 3 * self.chance.random() ** 2)  # mostly little
                reach = max(beside(each, piece) for each in pieces[-2:]) - overlap
                # Not below another's arm: nobody could tell what that is.
                piece.x = max(reach, pieces[-1].right - round(0.25 * self.height))
            elif pieces:
                piece.x = pieces[-1].right + gap
            pieces.append(piece)
        return Block(text, pieces)

    def word(self) -> Block:
        """Letters that no hand writes like digits."""
        chosen = self.chance.integers(len(LETTERS), size=int(self.chance.integers(2, 6)))
        pen = replace(WRITTEN, width=(self.pen, self.pen))
        pieces: list[Piece] = []
        for glyph in drawn([LETTERS[index] for index in chosen], self.chance, pen):
            ink = self.inked(glyph)
            gap = round(self.height * self.chance.uniform(0.08, 0.25))
            x = pieces[-1].right + gap if pieces else 0
            pieces.append(Piece(ink, x, -len(ink), is_digit=False))
        return Block("", pieces)


def without_specks(glyph: Pixels) -> Pixels:
    """Some of MNIST's digits have dust beside them, which would be points here."""
    _, parts = cv2.connectedComponents(np.asarray(glyph > 0, np.uint8))
    ink = np.bincount(parts.ravel(), glyph.ravel())
    dust = np.flatnonzero(ink < 0.05 * ink.sum())
    return np.where(np.isin(parts, dust), 0, glyph).astype(np.uint8)


def cropped(ink: Levels) -> Levels:
    rows, columns = (np.flatnonzero((ink > 0.05).any(axis=axis)) for axis in (1, 0))
    return np.ascontiguousarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def beside(before: Piece, after: Piece) -> int:
    """The x at which the ink of one just touches that of the one before."""
    top = max(before.y, after.y)
    bottom = min(before.y + len(before.ink), after.y + len(after.ink))
    if bottom - top < 3:
        return before.right
    one = before.ink[top - before.y : bottom - before.y] > 0.3
    other = after.ink[top - after.y : bottom - after.y] > 0.3
    both = one.any(axis=1) & other.any(axis=1)
    if not both.any():
        return before.right
    last = one.shape[1] - np.argmax(one[:, ::-1], axis=1)
    first = np.argmax(other, axis=1)
    return int(before.x + (last - first)[both].max())
