"""What a network sees: its first weights as pictures, the digits it imagines, layers in figures."""

from inkdigits.inspection.backquery import imagined_digits
from inkdigits.inspection.figures import layer_figures
from inkdigits.inspection.weights import first_weights

__all__ = ["first_weights", "imagined_digits", "layer_figures"]
