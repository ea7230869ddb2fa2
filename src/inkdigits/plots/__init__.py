"""Every picture the package draws. Each function returns a matplotlib Figure; `save` writes it."""

from inkdigits.plots.digits import (
    augmented_digits,
    contact_sheet,
    digit,
    imagined_digits,
    misread_digits,
    right_and_wrong,
    weights,
)
from inkdigits.plots.overlay import Marked, Page, overlay
from inkdigits.plots.paper import save
from inkdigits.plots.reading import Look, stages
from inkdigits.plots.scores import confidence, confusion_matrix, learning_curve, robustness
from inkdigits.plots.sheet import handwriting_sheet

__all__ = [
    "Look",
    "Marked",
    "Page",
    "augmented_digits",
    "confidence",
    "confusion_matrix",
    "contact_sheet",
    "digit",
    "handwriting_sheet",
    "imagined_digits",
    "learning_curve",
    "misread_digits",
    "overlay",
    "right_and_wrong",
    "robustness",
    "save",
    "stages",
    "weights",
]
