"""The simple recurrence that starts as the identity."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import init
from ..layers import parameter
from .elman import RNNCell


class IRNNCell(RNNCell):
    """The identity-recurrence relu network (Le, Jaitly & Hinton 2015): `h = cell(x, h)`, h' = relu(x W_xh + h W_hh + b)
    with x (B, D) and h (B, H).

    `W_hh` starts as `gain` times the identity, `W_xh` as Gaussian with standard deviation `std`, b at zero, so that at
    first the state is kept and inputs are added to it. A gain below 1 (0.01 in the paper's speech task) forgets.
    """

    def __init__(self, input_size: int, hidden_size: int, gain: float = 1.0, std: float = 0.001,
                 **options: Any) -> None:  # fmt: skip
        self.gain, self.std = gain, std
        super().__init__(input_size, hidden_size, "relu", **options)

    def make(self, rng: np.random.Generator, dtype: Any, device: str | None) -> None:
        D, H = self.input_size, self.hidden_size
        self.W_xh = parameter(init.normal((D, H), rng, self.std, dtype), "W_xh", device)
        self.W_hh = parameter(init.identity((H, H), self.gain, dtype), "W_hh", device)
        self.b_h = parameter(init.zeros((H,), dtype), "b_h", device)
