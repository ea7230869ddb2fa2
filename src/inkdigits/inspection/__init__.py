"""What a network sees: first weights as pictures, digits it imagines or finds alike, figures."""

from inkdigits.inspection.backquery import imagined_digits
from inkdigits.inspection.figures import layer_figures
from inkdigits.inspection.nearest import Nearest, nearest
from inkdigits.inspection.weights import first_weights

__all__ = ["Nearest", "first_weights", "imagined_digits", "layer_figures", "nearest"]
