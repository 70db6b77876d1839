"""The recurrence whose weights depend on the input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...ops import tanh
from .. import init
from ..layers import parameter
from .cell import Cell


class MultiplicativeRNNCell(Cell):
    """The multiplicative RNN (Sutskever, Martens & Hinton 2011, equations 6 and 7): `h = cell(x, h)`, h (B, H).

        f = (x W_xf) (h W_hf)       h' = tanh(f W_fh + x W_xh + b)

    Each input, say each character, has a recurrent matrix of its own, W_hf diag(x W_xf) W_fh, of rank `factors` (F, by
    default H), and all share what these are made of: `W_xf (D, F)`, `W_hf (H, F)`, `W_fh (F, H)`, beside `W_xh (D, H)`
    and `b_h (H,)`.
    """

    def __init__(self, input_size: int, hidden_size: int, factors: int | None = None, name: str | None = "mrnn",
                 **options: Any) -> None:  # fmt: skip
        self.factors = hidden_size if factors is None else factors
        if self.factors < 1:
            raise ValueError(f"MultiplicativeRNNCell: factors must be at least 1, not {factors}")
        super().__init__(input_size, hidden_size, name=name, **options)

    def make(self, rng: np.random.Generator, dtype: Any, device: str | None) -> None:
        D, H, F = self.input_size, self.hidden_size, self.factors
        for name, shape in (("W_xf", (D, F)), ("W_hf", (H, F)), ("W_fh", (F, H)), ("W_xh", (D, H))):
            setattr(self, name, parameter(init.uniform(shape, rng, 1 / math.sqrt(shape[1]), dtype), name, device))
        self.b_h = parameter(init.zeros((H,), dtype), "b_h", device)

    def forward(self, x: Any, h: Any) -> Any:
        f = ((x @ self.W_xf) * (h @ self.W_hf)).named("f")
        return tanh(f @ self.W_fh + x @ self.W_xh + self.b_h).named("h")

    def describe(self) -> str:
        return super().describe() + (f", factors={self.factors}" if self.factors != self.hidden_size else "")
