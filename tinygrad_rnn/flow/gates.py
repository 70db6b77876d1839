"""Gates that are shut or wide open: how often each unit's gate is saturated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .units import Recording

SIGMOID_GATES = ("i", "f", "o", "r", "z", "t")


@dataclass(frozen=True, eq=False)
class Saturation:
    """Of one gate, `left (H,)` and `right (H,)`: in what part of the steps it was shut (below the low threshold), and
    wide open (above the high one), unit by unit; their sum is at most 1."""

    left: np.ndarray
    right: np.ndarray

    def __repr__(self) -> str:
        return f"<saturation of {len(self.left)} units: shut {self.left.mean():.0%}, open {self.right.mean():.0%}>"


def saturation(gates: Any, low: float = 0.1, high: float = 0.9) -> Saturation:
    """How often each unit of a gate (..., H) is below `low`, and above `high`, over all steps and sequences.

    Karpathy, Johnson & Fei-Fei, "Visualizing and Understanding Recurrent Networks" (2015), section 4.2: "a gate is left
    or right-saturated if its activation is less than 0.1 or more than 0.9". That is said of sigmoid gates: a tanh unit
    is at rest at 0, and would count as shut there. Raises ValueError for numbers outside 0 to 1, or without a step.

    >>> each = saturation(np.array([[0.05, 0.5], [0.95, 0.5], [0.99, 0.02], [0.5, 0.5]]))
    >>> each.left.tolist(), each.right.tolist()
    ([0.25, 0.25], [0.5, 0.0])
    """
    a = np.asarray(gates)
    if not a.ndim or not a.size:
        raise ValueError(f"saturation: gates are (..., H) with at least one step, not {a.shape}")
    if not (float(a.min()) >= 0 and float(a.max()) <= 1):
        raise ValueError(f"saturation: these go from {a.min():.3g} to {a.max():.3g}: it is asked of sigmoid gates, "
                         "from 0 to 1; a tanh unit (g, n, h) is not shut at 0")  # fmt: skip
    rows = a.reshape(-1, a.shape[-1])
    return Saturation((rows < low).mean(axis=0), (rows > high).mean(axis=0))


def gate_saturation(recording: Recording, low: float = 0.1, high: float = 0.9) -> Mapping[str, Saturation]:
    """`saturation` of each sigmoid gate of each layer: of i, f and o, of r and z, of a highway's t; "layer 1/f" where
    there are several layers.

    Raises ValueError where the layer has none, as an Elman layer.
    """
    found = {f"{part}/{name}".lstrip("/"): saturation(values, low, high)
             for part, names in recording.parts.items() for name, values in names.items()
             if name in SIGMOID_GATES and values.min() >= 0 and values.max() <= 1}  # fmt: skip
    if not found:
        raise ValueError("the layer has no gates that saturate (i, f, o, r, z or t)")
    return found
