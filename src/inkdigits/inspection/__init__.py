"""What a network sees: every layer at work, numbers cell by cell, first weights as pictures, digits
that excite a unit, that look alike, that it imagines; and figures while it learns.
"""

from inkdigits.inspection.activations import Activation, activations
from inkdigits.inspection.arithmetic import Arithmetic, unit_arithmetic
from inkdigits.inspection.backquery import imagined_digits
from inkdigits.inspection.exciting import Excitement, Exciting, excitement, exciting
from inkdigits.inspection.figures import layer_figures
from inkdigits.inspection.nearest import Nearest, Neighbourhood, nearest
from inkdigits.inspection.weights import first_weights

__all__ = [
    "Activation",
    "Arithmetic",
    "Excitement",
    "Exciting",
    "Nearest",
    "Neighbourhood",
    "activations",
    "excitement",
    "exciting",
    "first_weights",
    "imagined_digits",
    "layer_figures",
    "nearest",
    "unit_arithmetic",
]
