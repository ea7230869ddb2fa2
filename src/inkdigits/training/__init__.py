"""Training: a recipe and labelled digits in, a model out.

`recipes` are the choices, `loop` is the step, `randomness` and `schedules` are its small parts;
`run` is the whole of it.
"""

from inkdigits.training.recipes import RECIPES, ClassicRecipe, Recipe, find_recipe
from inkdigits.training.run import Progress, train

__all__ = ["RECIPES", "ClassicRecipe", "Progress", "Recipe", "find_recipe", "train"]
