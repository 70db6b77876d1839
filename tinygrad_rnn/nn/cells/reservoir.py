"""The reservoir of an echo state network: a recurrence that does not learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core import tensor
from ...ops import tanh
from .. import init
from .cell import Cell


class ReservoirCell(Cell):
    """An echo state network's reservoir (Jaeger 2001): `h = cell(x, h)`, with x (B, D) and h (B, H). Its weights are
    drawn once and require no gradient; what learns is a read-out of h.

    h' = (1 - leak) h + leak tanh(x W_xh + h W_hh + b), leaky integrators (Jaeger et al. 2007, equation 4, with gain a).
    `W_hh` has `connections` weights into each unit, scaled to `spectral_radius`: below 1 the reservoir forgets its
    start. `W_xh` is uniform within `input_scale`, a number or one for each of the D columns of x, and b within
    `bias_scale`. Output feedback, where there is any, is the output of the step before as more columns of x, with
    scales of their own: x = [u_t, y_{t-1}], `input_scale=[0.1, 1.0]`.
    """

    def __init__(self, input_size: int, hidden_size: int, spectral_radius: float = 0.9, leak: float = 1.0,
                 input_scale: float | Sequence[float] = 1.0, bias_scale: float = 0.0, connections: int = 10,
                 **options: Any) -> None:  # fmt: skip
        if not 0 < leak <= 1:
            raise ValueError(f"ReservoirCell: leak is how much of the new state comes in, above 0 up to 1, not {leak}")
        if connections < 1:
            raise ValueError(f"ReservoirCell: connections into each unit must be at least 1, not {connections}")
        if np.shape(input_scale) not in ((), (input_size,)):
            raise ValueError(f"ReservoirCell: input_scale is one number, or one for each of {input_size} inputs")
        self.spectral_radius, self.leak, self.connections = spectral_radius, leak, connections
        self.input_scale, self.bias_scale = input_scale, bias_scale
        super().__init__(input_size, hidden_size, **options)

    def make(self, rng: np.random.Generator, dtype: Any, device: str | None) -> None:
        D, H = self.input_size, self.hidden_size
        scale = np.broadcast_to(np.asarray(self.input_scale, float), (D,))
        weights = {
            "W_xh": rng.uniform(-1, 1, (D, H)) * scale[:, None],
            "W_hh": init.spectral_radius(init.sparse((H, H), rng, self.connections, dtype=float), self.spectral_radius),
            "b_h": rng.uniform(-1, 1, H) * self.bias_scale,
        }
        for name, array in weights.items():
            setattr(self, name, tensor(array.astype(dtype), device=device, name=name))

    def forward(self, x: Any, h: Any) -> Any:
        new = tanh(x @ self.W_xh + h @ self.W_hh + self.b_h)
        return (new if self.leak == 1 else (1 - self.leak) * h + self.leak * new).named("h")

    def describe(self) -> str:
        return f"{super().describe()}, spectral_radius={self.spectral_radius}, leak={self.leak}"
