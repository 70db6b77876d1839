"""The LSTM as it was published first: no forget gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import backend
from ...ops import broadcast_to, concat, expand_dims, reshape, sigmoid, split
from .. import init
from ..layers import parameter
from .cell import Cell


class LSTM97Cell(Cell):
    """Long short-term memory of 1997: `h, c = cell(x, (h, c))`, with x (B, D) and h, c (B, H).

    c_t = c_{t-1} + i g, h_t = o h(c_t), with g(a) = 4 sigma(a) - 2 in [-2, 2] and h(c) = 2 sigma(c) - 1 in [-1, 1]
    (Hochreiter & Schmidhuber 1997, section 4 and equations 3 to 5 of the appendix). What is in the cell stays for ever.

    `block_size` cells share an input and an output gate: H cells are H / block_size memory cell blocks. Stacked are i,
    o (one column a block) and g (one a cell). `gate_recurrence=True` is the paper's fully connected hidden layer, in
    which the gates hear all gates of the step before: the state is then `(h, c, i, o)`. `input_bias` and `output_bias`,
    a number or one for each block, are where the gates' biases start; the paper's are negative, -1, -2, ..., so that
    blocks come into play one after the other. The paper cuts gradients off at the gates; here they are whole.

    Raises ValueError where blocks do not divide H.
    """

    states: tuple[str, ...] = ("h", "c")

    def __init__(self, input_size: int, hidden_size: int, block_size: int = 1, gate_recurrence: bool = False,
                 input_bias: float | Sequence[float] = 0.0, output_bias: float | Sequence[float] = 0.0,
                 **options: Any) -> None:  # fmt: skip
        if block_size < 1 or hidden_size % block_size:
            raise ValueError(f"LSTM97Cell: blocks of {block_size} cells do not divide {hidden_size} cells")
        self.block_size, self.blocks = block_size, hidden_size // block_size
        if gate_recurrence:
            self.states = ("h", "c", "i", "o")
        super().__init__(input_size, hidden_size, **options)
        for k, (bias, what) in enumerate(((input_bias, "input_bias"), (output_bias, "output_bias"))):
            if np.shape(bias) not in ((), (self.blocks,)):
                raise ValueError(f"LSTM97Cell: {what} is one number, or one for each of {self.blocks} blocks")
            start = np.broadcast_to(np.asarray(bias, self.b_h.dtype), (self.blocks,))
            self.b_h.data[k * self.blocks : (k + 1) * self.blocks] = backend.to_device(start, self.b_h.device)

    def make(self, rng: np.random.Generator, dtype: Any, device: str | None) -> None:
        width, heard = 2 * self.blocks + self.hidden_size, sum(self.widths) - self.hidden_size
        bound = 1 / np.sqrt(self.hidden_size)
        self.W_xh = parameter(init.uniform((self.input_size, width), rng, bound, dtype), "W_xh", device)
        self.W_hh = parameter(init.uniform((heard, width), rng, bound, dtype), "W_hh", device)
        self.b_h = parameter(init.zeros((width,), dtype), "b_h", device)

    @property
    def widths(self) -> tuple[int, ...]:
        return tuple(self.hidden_size if name in "hc" else self.blocks for name in self.states)

    def forward(self, x: Any, state: Any) -> Any:
        h, c, *gates = state
        heard = concat([h, *gates], axis=-1) if gates else h
        i, o, g = split(x @ self.W_xh + heard @ self.W_hh + self.b_h, [self.blocks, 2 * self.blocks], axis=-1)
        i = sigmoid(i).named("i")
        o = sigmoid(o).named("o")
        g = (4 * sigmoid(g) - 2).named("g")
        c = (c + self._per_cell(i) * g).named("c")
        h = (self._per_cell(o) * (2 * sigmoid(c) - 1)).named("h")
        return (h, c, i, o) if gates else (h, c)

    def _per_cell(self, gate: Any) -> Any:
        """A block's gate for each of its cells: (B, blocks) to (B, H)."""
        if self.block_size == 1:
            return gate
        batch = gate.shape[0]
        spread = broadcast_to(expand_dims(gate, -1), (batch, self.blocks, self.block_size))
        return reshape(spread, (batch, self.hidden_size))

    def describe(self) -> str:
        options = [f"block_size={self.block_size}"] * (self.block_size > 1)
        options += ["gate_recurrence=True"] * (len(self.states) > 2)
        return ", ".join([super().describe(), *options])
