"""What every recurrent cell is: weights, a state, and the checks of a call."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import backend
from ...core import Tensor
from .. import init
from ..layers import Generator, parameter
from ..module import Module, told


class Cell(Module):
    """What the cells share: `W_xh (D, gates*H)` and `W_hh (H, gates*H)`, uniform within 1/sqrt(H), `b_h (gates*H,)` at
    zero, and the checks of a call.

    Calling a cell with `x (B, D)` and no state starts from zeros, of the dtype and on the device of `W_xh`. Raises
    ValueError where shapes do not fit. A subclass says what is different: `gates`, how many blocks of H the parameters
    have (`gates_x` and `gates_h`, where fewer listen to x or to h), `states`, their names and `widths`, or `make`, all
    of the parameters.
    """

    gates = 1
    gates_x: int | None = None
    gates_h: int | None = None
    states: tuple[str, ...] = ("h",)
    sequence: Any = None  # `hs, state = cell.sequence(x, state, mask=, reverse=, offset=)`, where there is a fused form

    def __init__(self, input_size: int, hidden_size: int, *, dtype: Any = np.float32, device: str | None = None,
                 rng: Generator = None, name: str | None = None) -> None:  # fmt: skip
        for size, what in ((input_size, "input_size"), (hidden_size, "hidden_size")):
            if size < 1:
                raise ValueError(f"{type(self).__name__}: {what} must be at least 1, not {size}")
        self.name = name or type(self).__name__.removesuffix("Cell").lower()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.make(np.random.default_rng(rng), dtype or np.float32, device)

    def make(self, rng: np.random.Generator, dtype: Any, device: str | None) -> None:
        """The parameters."""
        D, H = self.input_size, self.hidden_size
        bound = 1 / math.sqrt(H)
        wide_x, wide_h = (self.gates if n is None else n for n in (self.gates_x, self.gates_h))
        self.W_xh = parameter(init.uniform((D, wide_x * H), rng, bound, dtype), "W_xh", device)
        self.W_hh = parameter(init.uniform((H, wide_h * H), rng, bound, dtype), "W_hh", device)
        self.b_h = parameter(init.zeros((self.gates * H,), dtype), "b_h", device)

    @property
    def widths(self) -> tuple[int, ...]:
        """How wide each part of the state is."""
        return (self.hidden_size,) * len(self.states)

    def __call__(self, x: Any, state: Any = None) -> Any:
        self.check(x, state)
        return super().__call__(x, self.zero_state(x.shape[0]) if state is None else state)

    def zero_state(self, batch: int) -> Any:
        """Where a sequence starts: h, or (h, c), of shape `(batch, H)`, all zero."""
        W = self.W_xh.data
        zeros = tuple(Tensor(backend.xp(W).zeros((batch, width), W.dtype)) for width in self.widths)
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
        """Raise ValueError unless each part of the state is `(batch, width)`, the width being H of most."""
        several = isinstance(state, (tuple, list))
        parts = state if several else (state,)
        if len(parts) != len(self.states) or several != (len(self.states) > 1):
            form = f"a tuple ({', '.join(self.states)})" if len(self.states) > 1 else "one tensor h"
            got = f"a {type(state).__name__} of {len(parts)}" if several else told(state)
            raise ValueError(f"{self._signature()} takes as its state {form}, not {got}")
        for name, width, part in zip(self.states, self.widths, parts, strict=True):
            if tuple(getattr(part, "shape", ())) != (batch, width):
                raise ValueError(f"{self._signature()} takes {name} ({batch}, {width}) with a batch of "
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
