"""Files that hold a model."""

from inkdigits.formats.model_file import (
    MODEL_SUFFIX,
    check_replaceable,
    is_model,
    load_model,
    save_model,
    shipped_models,
)

__all__ = [
    "MODEL_SUFFIX",
    "check_replaceable",
    "is_model",
    "load_model",
    "save_model",
    "shipped_models",
]
