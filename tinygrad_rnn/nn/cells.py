"""Recurrent cells: one time step each, in primitives, the state passed in and handed back.

    h = cell(x, h)                 # RNNCell, GRUCell
    h, c = cell(x, (h, c))         # LSTMCell

The forward methods are one step, in the equations of `ops.recurrent.steps`; `sequence` is a whole sequence at once, in
one fused operation with the same results.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import backend
from ..core import Tensor
from ..ops import gru_sequence, lstm_sequence, rnn_sequence
from ..ops.recurrent.steps import gru_step, lstm_step, rnn_step
from . import init
from .layers import Generator, parameter
from .module import Module, told


class Cell(Module):
    """What the cells share: `W_xh (D, gates*H)` and `W_hh (H, gates*H)`, uniform within 1/sqrt(H), `b_h (gates*H,)` at
    zero, and the checks of a call.

    Calling a cell with `x (B, D)` and no state starts from zeros, of the dtype and on the device of `W_hh`. Raises
    ValueError where shapes do not fit.
    """

    gates = 1
    states: tuple[str, ...] = ("h",)
    sequence: Any = None  # `hs, state = cell.sequence(x, state, mask=, reverse=, offset=)`, where there is a fused form

    def __init__(self, input_size: int, hidden_size: int, *, dtype: Any = np.float32, device: str | None = None,
                 rng: Generator = None, name: str | None = None) -> None:  # fmt: skip
        for size, what in ((input_size, "input_size"), (hidden_size, "hidden_size")):
            if size < 1:
                raise ValueError(f"{type(self).__name__}: {what} must be at least 1, not {size}")
        self.name = name or type(self).__name__.removesuffix("Cell").lower()
        self.input_size, self.hidden_size = input_size, hidden_size
        draw, dtype = np.random.default_rng(rng), dtype or np.float32
        width, bound = self.gates * hidden_size, 1 / math.sqrt(hidden_size)
        self.W_xh = parameter(init.uniform((input_size, width), draw, bound, dtype), "W_xh", device)
        self.W_hh = parameter(init.uniform((hidden_size, width), draw, bound, dtype), "W_hh", device)
        self.b_h = parameter(init.zeros((width,), dtype), "b_h", device)

    def __call__(self, x: Any, state: Any = None) -> Any:
        self.check(x, state)
        return super().__call__(x, self.zero_state(x.shape[0]) if state is None else state)

    def zero_state(self, batch: int) -> Any:
        """Where a sequence starts: h, or (h, c), of shape `(batch, H)`, all zero."""
        W = self.W_hh.data
        zeros = tuple(Tensor(backend.xp(W).zeros((batch, self.hidden_size), W.dtype)) for _ in self.states)
        for name, zero in zip(self.states, zeros, strict=True):
            zero.name = f"{name}_0"
        return zeros if len(zeros) > 1 else zeros[0]

    def check(self, x: Any, state: Any) -> None:
        """Raise ValueError, in one line, unless x is `(B, D)` and the state fits it."""
        shape = tuple(getattr(x, "shape", ()))
        if len(shape) != 2 or shape[1] != self.input_size:
            hint = " (a sequence goes to a layer, or step by step through tg.unstack)" if len(shape) == 3 else ""
            raise ValueError(f"{self._signature()} takes x (B, {self.input_size}), not {told(x)}{hint}")
        if state is not None:
            self.check_state(state, x.shape[0])

    def check_state(self, state: Any, batch: int) -> None:
        """Raise ValueError unless each part of the state is `(batch, H)`."""
        several = isinstance(state, (tuple, list))
        parts = state if several else (state,)
        if len(parts) != len(self.states) or several != (len(self.states) > 1):
            form = f"a tuple ({', '.join(self.states)})" if len(self.states) > 1 else "one tensor h"
            got = f"a {type(state).__name__} of {len(parts)}" if several else told(state)
            raise ValueError(f"{self._signature()} takes as its state {form}, not {got}")
        for name, part in zip(self.states, parts, strict=True):
            if tuple(getattr(part, "shape", ())) != (batch, self.hidden_size):
                raise ValueError(f"{self._signature()} takes {name} ({batch}, {self.hidden_size}) with a batch of "
                                 f"{batch}, not {told(part)}")  # fmt: skip

    @property
    def fuses(self) -> bool:
        """Is there a `sequence` that does what `forward` does? Not where somebody has changed forward alone."""
        owner = next(kind for kind in type(self).__mro__ if "forward" in vars(kind))
        return vars(owner).get("sequence") is not None and "forward" not in vars(self)

    def describe(self) -> str:
        return f"{self.input_size}, {self.hidden_size}"

    def _signature(self) -> str:
        return f"{type(self).__name__}({self.describe()})"


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


class LSTMCell(Cell):
    """Long short-term memory with a forget gate (Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000):
    `h, c = cell(x, (h, c))`, with x (B, D) and h, c (B, H).

    Gates are stacked i, f, o, g in `W_xh (D, 4H)`, `W_hh (H, 4H)` and `b_h (4H,)`. The bias of f starts at
    `forget_bias`, so that the cell starts by remembering (Jozefowicz, Zaremba & Sutskever 2015).
    """

    gates = 4
    states = ("h", "c")

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0, **options: Any) -> None:
        super().__init__(input_size, hidden_size, **options)
        self.forget_bias = forget_bias
        self.b_h.data[hidden_size : 2 * hidden_size] = forget_bias

    def forward(self, x: Any, state: Any) -> Any:
        h, c = state
        return lstm_step(x, h, c, self.W_xh, self.W_hh, self.b_h)

    def sequence(self, x: Any, state: Any, **options: Any) -> Any:
        h, c = state
        hs, h, c = lstm_sequence(x, h, c, self.W_xh, self.W_hh, self.b_h, **options)
        return hs, (h, c)


class GRUCell(Cell):
    """The gated recurrent unit (Cho et al. 2014): `h = cell(x, h)`, with x (B, D) and h (B, H).

    Gates are stacked r, z, n in `W_xh (D, 3H)`, `W_hh (H, 3H)` and `b_h (3H,)`. Printed forms differ in two places:
    `keep="z"` is h' = z h + (1 - z) n, as in Cho et al., `keep="1-z"` is h' = (1 - z) h + z n, as in Chung et al.
    2014; `reset="before"` resets h before its product with W, `reset="after"` resets the product (cuDNN, PyTorch), to
    which it adds a bias of its own, `b_hn (H,)`.
    """

    gates = 3

    def __init__(self, input_size: int, hidden_size: int, keep: str = "z", reset: str = "before",
                 **options: Any) -> None:  # fmt: skip
        if keep not in ("z", "1-z"):
            raise ValueError(f'GRUCell: keep is "z" or "1-z", the weight of the old state, not {keep!r}')
        if reset not in ("before", "after"):
            raise ValueError(f'GRUCell: reset is "before" or "after" the product with W_hh, not {reset!r}')
        super().__init__(input_size, hidden_size, **options)
        self.keep, self.reset = keep, reset
        if reset == "after":
            self.b_hn = parameter(init.zeros((hidden_size,), self.b_h.dtype), "b_hn", self.b_h.device)

    def forward(self, x: Any, h: Any) -> Any:
        return gru_step(x, h, self.W_xh, self.W_hh, self.b_h, getattr(self, "b_hn", None), self.keep)

    def sequence(self, x: Any, h: Any, **options: Any) -> Any:
        return gru_sequence(x, h, self.W_xh, self.W_hh, self.b_h, getattr(self, "b_hn", None), self.keep, **options)

    def describe(self) -> str:
        options = [f"keep={self.keep!r}"] * (self.keep != "z") + [f"reset={self.reset!r}"] * (self.reset != "before")
        return ", ".join([super().describe(), *options])
