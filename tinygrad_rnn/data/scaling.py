"""Numbers on a scale that a network likes, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Scaling:
    """`(x - mean) / std` and back, for series (T, ...) whose last axis are channels.

    Fitted on the training part alone: what comes later is not known then.

    >>> scaling = Scaling.of(np.array([1.0, 3.0]))
    >>> scaling(np.array([2.0, 5.0])).tolist(), float(scaling.back(3.0))
    ([0.0, 3.0], 5.0)
    """

    mean: Any
    std: Any

    @classmethod
    def of(cls, series: np.ndarray) -> Scaling:
        """Over time, of each channel. Raises ValueError where one does not change, or there is nothing."""
        if not len(series):
            raise ValueError("Scaling: there is nothing to fit it on")
        mean, std = series.mean(axis=0), series.std(axis=0)
        if not np.all(std > 0):
            raise ValueError("Scaling: a series that does not change has no scale: leave it as it is")
        return cls(mean, std)

    def __call__(self, x: Any) -> Any:
        return (x - self.mean) / self.std

    def back(self, x: Any) -> Any:
        """From the scale to the original units."""
        return x * self.std + self.mean
