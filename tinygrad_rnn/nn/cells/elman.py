"""The simple recurrent cell."""

from __future__ import annotations

from typing import Any

from ...ops import rnn_sequence
from ...ops.recurrent.steps import rnn_step
from .cell import Cell


class RNNCell(Cell):
    """The simple recurrence (Elman 1990): `h = cell(x, h)`, with x (B, D) and h (B, H).

    `nonlinearity` is "tanh" or "relu".
    """

    def __init__(self, input_size: int, hidden_size: int, nonlinearity: str = "tanh", **options: Any) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f'RNNCell: nonlinearity is "tanh" or "relu", not {nonlinearity!r}')
        super().__init__(input_size, hidden_size, **options)
        self.nonlinearity = nonlinearity

    def forward(self, x: Any, h: Any) -> Any:
        return rnn_step(x, h, self.W_xh, self.W_hh, self.b_h, self.nonlinearity)

    def sequence(self, x: Any, h: Any, **options: Any) -> Any:
        return rnn_sequence(x, h, self.W_xh, self.W_hh, self.b_h, self.nonlinearity, **options)

    def describe(self) -> str:
        return super().describe() + (", 'relu'" if self.nonlinearity == "relu" else "")
