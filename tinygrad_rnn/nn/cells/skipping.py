"""Recurrences with a way past the nonlinearity: residual and highway."""

from __future__ import annotations

from typing import Any

from ...ops import sigmoid, split, tanh
from .cell import Cell


class ResidualCell(Cell):
    """A skip connection from step to step: h' = h + tanh(x W_xh + h W_hh + b), `h = cell(x, h)`, h (B, H).

    The residual block (He et al. 2016) along time: dh'/dh is the identity plus what is learned, so the gradient need
    not vanish, and h is not bounded. The incomplete LSTM goes on from it.
    """

    def forward(self, x: Any, h: Any) -> Any:
        return (h + tanh(x @ self.W_xh + h @ self.W_hh + self.b_h).named("n")).named("h")


class HighwayCell(Cell):
    """A highway along time: h' = t n + (1 - t) h, `h = cell(x, h)`, with x (B, D) and h (B, H).

    n = tanh(x W_xn + h W_hn + b_n) and the transform gate t = sigma(x W_xt + h W_ht + b_t), stacked t, n: the recurrent
    highway network of depth 1 (Zilly et al. 2017, equations 7 to 9) with the carry gate coupled as in highway networks
    (Srivastava, Greff & Schmidhuber 2015, equation 3). The bias of t starts at `transform_bias`: below 0, it carries.
    """

    gates = 2

    def __init__(self, input_size: int, hidden_size: int, transform_bias: float = -1.0, **options: Any) -> None:
        super().__init__(input_size, hidden_size, **options)
        self.transform_bias = transform_bias
        self.b_h.data[:hidden_size] = transform_bias

    def forward(self, x: Any, h: Any) -> Any:
        t, n = split(x @ self.W_xh + h @ self.W_hh + self.b_h, 2, axis=-1)
        t = sigmoid(t).named("t")
        n = tanh(n).named("n")
        return (t * n + (1 - t) * h).named("h")
