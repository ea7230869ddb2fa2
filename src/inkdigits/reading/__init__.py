"""Reading: a picture of handwriting in, numbers out.

In the order of the data: `picture` opens it. A page is made `flat` where a sheet's edges show;
`paper` finds what stands out from it, `rules` what is printed, `page` the pieces of ink, `layout`
their lines; `cuts` parts what touches, `segment` asks the model which way of joining is best,
`numbers` tells numbers from words, and `reader` gives them with their boxes. One digit a picture
goes a shorter way: `paper`, `lines`, `ink`, `digit`. `explain` reads a digit again with each
decision taken otherwise; `advice` says what to do about it. `table` finds rows and columns, `job`
reads folders of thousands, `filled_sheet` the handwriting sheet.
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
