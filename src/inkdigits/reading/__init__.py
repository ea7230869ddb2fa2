"""Reading: a picture of handwriting in, numbers out.

In the order of the data: `picture` opens it, `paper` finds what stands out from the paper, `lines`
tells ruled lines and margins from writing, `ink` is the digit's own, `glyph.py` normalises it, and
`reader` asks the model. `explain` asks it again with each decision taken otherwise; `advice` says
what to do about it.
"""

from inkdigits.reading.digit import LONGEST, DigitReading, Prepared, prepare, read_digit
from inkdigits.reading.explain import explain
from inkdigits.reading.explanation import Explanation, Trial
from inkdigits.reading.ink import Choices, Ink, find_ink
from inkdigits.reading.picture import Picture, is_picture, open_picture
from inkdigits.reading.reader import (
    UNSURE,
    Number,
    ReadDigit,
    Reading,
    read,
    read_picture,
    read_pictures,
)

__all__ = [
    "LONGEST",
    "UNSURE",
    "Choices",
    "DigitReading",
    "Explanation",
    "Ink",
    "Number",
    "Picture",
    "Prepared",
    "ReadDigit",
    "Reading",
    "Trial",
    "explain",
    "find_ink",
    "is_picture",
    "open_picture",
    "prepare",
    "read",
    "read_digit",
    "read_picture",
    "read_pictures",
]
