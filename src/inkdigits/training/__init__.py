"""Training: a recipe and labelled digits in, a model out.

`recipes` are the choices, `loop` is the step, `augmentation`, `randomness` and `schedules` are its
small parts, and `course` says where it lies; `run` is the whole of it, `checkpoints` let it go on
where it was interrupted, and `steering` changes it while it goes on.
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
from inkdigits.training.run import train
from inkdigits.training.steering import STOP, Change, Progress, Steering

__all__ = [
    "RECIPES",
    "STOP",
    "Augmentation",
    "Change",
    "Checkpoint",
    "Checkpoints",
    "ClassicRecipe",
    "Progress",
    "Recipe",
    "Steering",
    "checkpoint_folder",
    "find_recipe",
    "latest_checkpoint",
    "load_checkpoint",
    "train",
]
