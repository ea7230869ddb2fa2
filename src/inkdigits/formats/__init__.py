"""Files that hold a model."""

from inkdigits.formats.model_file import check_replaceable, is_model, load_model, save_model

__all__ = ["check_replaceable", "is_model", "load_model", "save_model"]
