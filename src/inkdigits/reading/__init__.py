"""Reading: a picture of handwriting in, numbers out. For now of one digit a picture.

In the order of the data: `picture` opens it, `paper` finds what stands out from the paper, `lines`
tells ruled lines and margins from writing, `ink` is the digit's own, `glyph.py` normalises it, and
`reader` asks the model.
"""

from inkdigits.reading.ink import Choices, Ink, find_ink
from inkdigits.reading.picture import Picture, is_picture, open_picture
from inkdigits.reading.reader import (
    LONGEST,
    UNSURE,
    Number,
    Prepared,
    ReadDigit,
    Reading,
    prepare,
    read,
    read_picture,
)

__all__ = [
    "LONGEST",
    "UNSURE",
    "Choices",
    "Ink",
    "Number",
    "Picture",
    "Prepared",
    "ReadDigit",
    "Reading",
    "find_ink",
    "is_picture",
    "open_picture",
    "prepare",
    "read",
    "read_picture",
]
