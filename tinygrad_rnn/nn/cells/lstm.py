"""Long short-term memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import backend
from ...ops import lstm_sequence
from ...ops.recurrent.steps import lstm_step
from .. import init
from ..layers import Generator
from .cell import Cell


class LSTMCell(Cell):
    """Long short-term memory with a forget gate (Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000):
    `h, c = cell(x, (h, c))`, with x (B, D) and h, c (B, H).

    Gates are stacked i, f, o, g in `W_xh (D, 4H)`, `W_hh (H, 4H)` and `b_h (4H,)`. The bias of f starts at
    `forget_bias`, so that the cell starts by remembering (Jozefowicz, Zaremba & Sutskever 2015). With `chrono=T_max` it
    starts at `init.chrono(H, T_max)` instead, and that of i at its negative, so that the units' memories reach back
    between 1 and T_max steps (Tallec & Ollivier 2018).
    """

    gates = 4
    states = ("h", "c")

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0, chrono: float | None = None,
                 rng: Generator = None, **options: Any) -> None:  # fmt: skip
        rng = np.random.default_rng(rng)
        super().__init__(input_size, hidden_size, rng=rng, **options)
        self.forget_bias, self.chrono = forget_bias, chrono
        i, f = slice(hidden_size), slice(hidden_size, 2 * hidden_size)
        self.b_h.data[f] = forget_bias
        if chrono is not None:
            bias = backend.to_device(init.chrono(hidden_size, chrono, rng), self.b_h.device)
            self.b_h.data[f], self.b_h.data[i] = bias, -bias

    def forward(self, x: Any, state: Any) -> Any:
        h, c = state
        return lstm_step(x, h, c, self.W_xh, self.W_hh, self.b_h)

    def sequence(self, x: Any, state: Any, **options: Any) -> Any:
        h, c = state
        hs, h, c = lstm_sequence(x, h, c, self.W_xh, self.W_hh, self.b_h, **options)
        return hs, (h, c)
