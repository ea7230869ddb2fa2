"""Training: a recipe and labelled digits in, a model out.

`recipes` are the choices, `loop` is the step, `augmentation`, `randomness` and `schedules` are its
small parts; `run` is the whole of it, and `checkpoints` let it go on where it was interrupted.
"""

from inkdigits.training.augmentation import Augmentation
from inkdigits.training.checkpoints import (
    Checkpoint,
    Checkpoints,
    checkpoint_folder,
    latest_checkpoint,
    load_checkpoint,
)
from inkdigits.training.recipes import RECIPES, ClassicRecipe, Recipe, find_recipe
from inkdigits.training.run import Progress, train

__all__ = [
    "RECIPES",
    "Augmentation",
    "Checkpoint",
    "Checkpoints",
    "ClassicRecipe",
    "Progress",
    "Recipe",
    "checkpoint_folder",
    "find_recipe",
    "latest_checkpoint",
    "load_checkpoint",
    "train",
]
