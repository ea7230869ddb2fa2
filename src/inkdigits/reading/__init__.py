"""Reading: a picture of handwriting in, numbers out. For now one digit of 28 × 28 a picture."""

from inkdigits.reading.picture import is_picture, open_glyph
from inkdigits.reading.reader import Number, ReadDigit, Reading, read_picture

__all__ = ["Number", "ReadDigit", "Reading", "is_picture", "open_glyph", "read_picture"]
