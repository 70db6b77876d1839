"""The incomplete LSTM: a memory that only adds."""

from __future__ import annotations

from typing import Any

from ...ops import tanh
from .cell import Cell


class IncompleteLSTMCell(Cell):
    """The first half of the way to the LSTM (lecture CS 4644/7643, 12): `h, c = cell(x, (h, c))`, h and c (B, H).

    c_t = c_{t-1} + tanh(W [h_{t-1}, x_t]), h_t = tanh(c_t), so dc_t/dc_{t-1} = 1 + d tanh(..)/dc_{t-1}: the gradient
    has a path on which it does not vanish, but nothing decides what is written, kept or shown.
    """

    states = ("h", "c")

    def forward(self, x: Any, state: Any) -> Any:
        h, c = state
        g = tanh(x @ self.W_xh + h @ self.W_hh + self.b_h).named("g")
        c = (c + g).named("c")
        return tanh(c).named("h"), c
