"""Advice: what to do about a digit that was misread, in words for whoever wrote it.

Two tables say it all: what can be decided otherwise on the way to the glyph, and what it means if
that mends the reading; and what can be wrong with a picture, by what was measured of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from inkdigits.glyph import STROKE_WIDTHS
from inkdigits.reading.ink import Choices

__all__ = ["CHANGES", "CHECKS", "NONE", "PRESENT", "Change", "Check", "Seen"]

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Seen:
    """What was measured of a digit on its way to the network.

    Args:
        ink: "dark" or "light" against its paper.
        contrast: how far ink is from paper, of 255.
        noise: how far paper is from itself, of 255: one standard deviation.
        lines: how much of what stood out was ruled lines or margins, 0 to 1.
        left_out: how much of the ink was left out as specks and neighbours, 0 to 1.
        box: x, y, width, height of the digit in the picture's own pixels.
        rims: the sides of the picture that the digit touches.
        stroke_width: of its strokes as they were written, in pixels of the glyph.
        lean_degrees: how far it leans, to the right if above 0.
    """

    ink: str
    contrast: float
    noise: float
    lines: float
    left_out: float
    box: Box
    rims: list[str]
    stroke_width: float
    lean_degrees: float

    @property
    def size(self) -> int:
        """The digit's longer side in the picture's own pixels."""
        return max(self.box[2:])

    @property
    def direction(self) -> str:
        """Where it leans to."""
        return "right" if self.lean_degrees > 0 else "left"

    @property
    def darker(self) -> str:
        """What the ink is, against the paper."""
        return "darker" if self.ink == "dark" else "lighter"

    @property
    def widths(self) -> str:
        """Its strokes' width and those that the network knows, in words."""
        narrow, wide = STROKE_WIDTHS
        return (
            f"{self.stroke_width:.1f} wide where the digit is 20; the network knows "
            f"{narrow} to {wide}"
        )


@dataclass(frozen=True)
class Change:
    """One decision, taken otherwise.

    Args:
        name: what is done, to go before "it reads as …".
        choices: the decision.
        why: what may be the matter if this mends the reading.
        remedy: what to do then.
    """

    name: str
    choices: Choices
    why: str
    remedy: str


# What to do: one sentence for each cause, however it was found
BRIGHTER = "Press harder, or photograph it in better light."
CLEANER = "Use clean paper and even light."
CLOSER = "Go nearer with the camera, or write larger."
NONE = (
    "It may be no digit, and then all is well. If it is one, say which{with_what}, to learn what "
    "keeps it from being read."
)
LONE = "Cut the picture to the one digit."
PAPER = "Leave some paper around it."
PRESENT = "See that the digit is in the picture, large and clear."
PLAIN = "Use plain paper, or write between the lines."
STRAIGHT = "Hold the paper straight, or turn the picture."
THICKER = "Use a thicker pen, or write smaller."
THINNER = "Use a thinner pen, or write larger."
UPRIGHT = "Write it upright."

POLARITY = "Paper and ink may have been taken for each other"
FAINT = "Part of it may be too faint"


def turning(degrees: int) -> Change:
    way, back = ("left", "right") if degrees > 0 else ("right", "left")
    return Change(
        f"turned {abs(degrees)}° to the {way}",
        Choices(rotation_degrees=degrees),
        f"It may be tilted to the {back}",
        STRAIGHT,
    )


CHANGES = (
    Change("taken for dark ink on light paper", Choices(ink="dark"), POLARITY, PAPER),
    Change("taken for light ink on dark paper", Choices(ink="light"), POLARITY, PAPER),
    Change("with fainter ink counted in", Choices(threshold=0.6), FAINT, BRIGHTER),
    Change("with the faintest ink counted in", Choices(threshold=0.35), FAINT, BRIGHTER),
    Change(
        "with strong ink alone",
        Choices(threshold=1.6),
        "A shadow or a smudge may have been taken for ink",
        CLEANER,
    ),
    Change(
        "with lines counted in",
        Choices(lines=False),
        "A stroke may have been taken for a ruled line",
        PLAIN,
    ),
    Change(
        "with all that is there counted in",
        Choices(crop=False),
        "A part of it may have been taken for a speck or a neighbour",
        "Let its strokes touch each other.",
    ),
    Change(
        "with its strokes as wide as they are",
        Choices(widths=None),
        "Its strokes are of an unusual width",
        "Use another pen, or write in another size.",
    ),
    Change(
        "with thinner strokes",
        Choices(widths=(STROKE_WIDTHS[0],) * 2),
        "Its strokes may run together",
        THINNER,
    ),
    Change(
        "with thicker strokes",
        Choices(widths=(STROKE_WIDTHS[1],) * 2),
        "Its strokes may be too thin",
        THICKER,
    ),
    Change(
        "placed by its outline",
        Choices(centred=False),
        "A blot or a long stroke may pull it out of the middle",
        "Write it without flourishes.",
    ),
    Change("upright", Choices(deskew=True), "It may lean too much", UPRIGHT),
    *map(turning, (10, -10, 20, -20)),
)


@dataclass(frozen=True)
class Check:
    """One thing that can be wrong with a picture.

    Args:
        holds: whether it is.
        words: what it is, for a person.
        remedy: what to do about it.
        final: whether there is no use in saying more.
    """

    holds: Callable[[Seen], bool]
    words: Callable[[Seen], str]
    remedy: str
    final: bool = False


CHECKS = (
    Check(
        lambda seen: seen.left_out > 0.9,
        lambda seen: (
            "There are many specks in the picture, and none of them stands out as a digit."
        ),
        PRESENT,
        final=True,
    ),
    Check(
        lambda seen: seen.contrast < 50,
        lambda seen: (
            f"It is faint: the ink is only {seen.contrast:.0f} of 255 {seen.darker} than the paper."
        ),
        BRIGHTER,
    ),
    Check(
        lambda seen: seen.noise > seen.contrast / 8,
        lambda seen: (
            f"The picture is grainy: the paper varies by {seen.noise:.0f} of 255 where the ink "
            f"differs by {seen.contrast:.0f}."
        ),
        CLEANER,
    ),
    Check(
        lambda seen: seen.size < 14,
        lambda seen: f"It is only {seen.size} pixels large in the picture.",
        CLOSER,
    ),
    Check(
        lambda seen: bool(seen.rims),
        lambda seen: (
            f"It touches the picture's rim ({', '.join(seen.rims)}): part of it may be cut off."
        ),
        PAPER,
    ),
    Check(
        lambda seen: seen.lines > 0.1,
        lambda seen: (
            f"Lines cross the picture: {100 * seen.lines:.0f} % of what stood out. They were left "
            "out, but may leave marks where they cross the digit."
        ),
        PLAIN,
    ),
    Check(
        lambda seen: seen.left_out > 0.15,
        lambda seen: (
            f"There is more than the digit: {100 * seen.left_out:.0f} % of the ink was left out as "
            "specks or neighbours."
        ),
        LONE,
    ),
    Check(
        lambda seen: seen.stroke_width < 0.7,
        lambda seen: f"Its strokes are thin as hair for its size: {seen.widths}.",
        THICKER,
    ),
    Check(
        lambda seen: seen.stroke_width > 4.8,
        lambda seen: f"Its strokes are very thick for its size: {seen.widths}.",
        THINNER,
    ),
    Check(
        lambda seen: abs(seen.lean_degrees) > 25,
        lambda seen: f"It leans {abs(seen.lean_degrees):.0f}° to the {seen.direction}.",
        UPRIGHT,
    ),
)
