"""What a run takes over from the model that it starts from: weights, and a little more."""

from __future__ import annotations

from typing import Any

from inkdigits.errors import TrainingError
from inkdigits.model import Model
from inkdigits.network import Network

__all__ = ["inherited_calibration", "take_over"]


def take_over(old: Network, new: Network, recipe: str) -> None:
    """Copies parameters and state of `old` into `new`, which must have the same layers."""
    if old.layers != new.layers:
        ours, theirs = (", ".join(map(str, network.layers)) for network in (new, old))
        raise TrainingError(
            f"recipe {recipe} trains [{ours}], the model to start from has [{theirs}]: "
            "name the recipe that it was trained with"
        )
    new.parameters[:] = old.parameters
    new.state[:] = old.state


def inherited_calibration(start: Model) -> dict[str, Any] | None:
    """What a model that goes on from `start` may keep of its calibration.

    Temperature and threshold are still a better guess than none. How often it errs was measured on
    the model that "inherited" names, which need not be `start` itself.
    """
    calibration = start.card.calibration
    if calibration is None:
        return None
    kept = {name: calibration[name] for name in ("temperature", "threshold") if name in calibration}
    return kept | {"inherited": calibration.get("inherited", start.fingerprint)}
