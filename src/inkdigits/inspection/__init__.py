"""What a network sees: its first weights as pictures, and the digits it imagines."""

from inkdigits.inspection.backquery import imagined_digits
from inkdigits.inspection.weights import first_weights

__all__ = ["first_weights", "imagined_digits"]
