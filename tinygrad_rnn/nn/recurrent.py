"""RNN, LSTM and GRU: cells unrolled over a sequence, in layers and in both directions.

    outputs, state = layer(x)                              # x (T, B, D), outputs (T, B, H * directions)
    outputs, state = layer(x, nn.detach(state), offset=T)  # truncated BPTT: the next chunk of the same sequence
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import ops
from ..core import Tensor, describe
from ..recording import scope, step
from .cells import Cell, GRUCell, LSTMCell, RNNCell
from .layers import Generator
from .module import Module, told


class Layer(Module):
    """The cells of one layer: `forward` reads the sequence from its start, `backward`, if there is one, from its end.

    They are cells and not the method that `Module` calls, hence a `__call__` of its own.
    """

    def __init__(self, forward: Cell, backward: Cell | None = None) -> None:
        self.forward = forward
        if backward is not None:
            self.backward = backward

    @property
    def cells(self) -> dict[str, Cell]:
        """By direction."""
        return {name: cell for name, cell in vars(self).items() if isinstance(cell, Cell)}

    def __call__(self, xs: list[Any], states: list[Any], times: range) -> tuple[list[Any], list[Any]]:
        """Outputs, one a step, and the last state of each direction, for inputs xs, one a step, at `times`."""
        if len(self.cells) == 1:
            hs, last = unroll(self.forward, xs, states[0], times)
            return hs, [last]
        with scope("forward"):
            ahead, last_ahead = unroll(self.forward, xs, states[0], times)
        with scope("backward"):
            back, last_back = unroll(self.backward, xs[::-1], states[1], times[::-1])
        joined = []
        for t, a, b in zip(times, ahead, back[::-1], strict=True):
            with step(t):
                joined.append(ops.concat([a, b], axis=-1))
        return joined, [last_ahead, last_back]


def unroll(cell: Cell, xs: Iterable[Any], state: Any, times: Iterable[int]) -> tuple[list[Any], Any]:
    """The outputs h of `cell`, one for each of the inputs xs, and its last state. `times` are those of the data."""
    hs = []
    for t, x in zip(times, xs, strict=True):
        with step(t):
            state = cell.forward(x, state)
        hs.append(state[0] if isinstance(state, tuple) else state)
    return hs, state


class Recurrent(Module):
    """`outputs, state = layer(x, state=None)` for x (T, B, D), with outputs (T, B, H * directions).

    `state` is that of the cell, h (B, H) or (h, c); with several layers or both directions it is a tuple with one such
    entry for each layer and direction, in PyTorch's order: layer 0 forward, layer 0 backward, layer 1 forward, ...
    None, as a whole or for an entry, is zeros. The state that comes back is the last that each direction computed: for
    the backward one, that is the state at the sequence's start.

    Step t of the sequence is recorded under `tg.step(t)`, in both directions t being the time of the data read;
    `offset=` is the time of x[0] where x is one chunk of a longer sequence. The cells are `layers[k].forward` and, if
    `bidirectional`, `layers[k].backward`. `dropout` acts, in training, on what one layer hands to the next. Other
    options (`nonlinearity`, `forget_bias`, `keep`, `reset`) go to the cells. Raises ValueError where shapes do not fit.
    """

    cell: type[Cell] = Cell

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bidirectional: bool = False,
                 dropout: float = 0.0, kernel: str = "auto", dtype: Any = np.float32, device: str | None = None,
                 rng: Generator = None, name: str | None = None, **of_cell: Any) -> None:  # fmt: skip
        kind = type(self).__name__
        if kernel not in ("auto", "unrolled"):
            raise ValueError(f'{kind}: kernel={kernel!r} is not in this version: use "auto" or "unrolled"')
        if num_layers < 1:
            raise ValueError(f"{kind}: num_layers must be at least 1, not {num_layers}")
        if not 0 <= dropout <= 1:
            raise ValueError(f"{kind}: dropout is the probability to drop, between 0 and 1, not {dropout}")
        self.name = name or kind.lower()
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bidirectional, self.dropout, self.kernel = bidirectional, dropout, kernel
        self.rng = np.random.default_rng(rng)
        directions = 2 if bidirectional else 1
        self.layers: list[Layer] = []
        for k in range(num_layers):
            size = input_size if k == 0 else hidden_size * directions
            cells = [self.cell(size, hidden_size, dtype=dtype, device=device, rng=self.rng, **of_cell)
                     for _ in range(directions)]  # fmt: skip
            self.layers.append(Layer(*cells))

    def forward(self, x: Any, state: Any = None, offset: int = 0) -> tuple[Any, Any]:
        """`(outputs, state)`, see the class; `offset` is the data's time of x[0], for truncated BPTT."""
        self._check(x)
        states = self._initial(x, state)
        times = range(offset, offset + x.shape[0])
        xs, last = list(ops.unstack(x)), []
        per_layer = len(states) // self.num_layers
        for k, layer in enumerate(self.layers):
            mine = states[k * per_layer : (k + 1) * per_layer]
            if self.num_layers == 1:
                xs, ends = layer(xs, mine, times)
            else:
                with scope(f"layer {k}"):
                    xs, ends = layer(self._dropped(xs, times) if k else xs, mine, times)
            last += ends
        return ops.stack(xs), last[0] if len(last) == 1 else tuple(last)

    def _dropped(self, xs: list[Any], times: range) -> list[Any]:
        if not (self.dropout and self.training):
            return xs
        dropped = []
        for t, x in zip(times, xs, strict=True):
            with step(t):
                dropped.append(ops.dropout(x, self.dropout, self.rng))
        return dropped

    def _check(self, x: Any) -> None:
        shape = tuple(getattr(x, "shape", ()))
        if len(shape) != 3 or shape[2] != self.input_size:
            raise ValueError(f"{type(self).__name__}({self.describe()}) takes x (T, B, {self.input_size}), time first, "
                             f"not {told(x)}")  # fmt: skip
        if shape[0] == 0:
            raise ValueError(f"{type(self).__name__}: x {shape} has no time step")

    def _initial(self, x: Any, state: Any) -> list[Any]:
        """The state of each layer and direction, checked, zeros where none is given."""
        cells = [cell for layer in self.layers for cell in layer.cells.values()]
        given = [state] if len(cells) == 1 else [None] * len(cells) if state is None else state
        if not isinstance(given, (tuple, list)) or len(given) != len(cells):
            got = f"{len(given)}" if isinstance(given, (tuple, list)) else describe(given)
            raise ValueError(f"{type(self).__name__}({self.describe()}) takes as its state a tuple of {len(cells)}, "
                             f"one for each layer and direction, not {got}")  # fmt: skip
        batch = x.shape[1]
        states = []
        for cell, entry in zip(cells, given, strict=True):
            if entry is None:
                entry = cell.zero_state(batch)
            cell.check_state(entry, batch)
            states.append(entry)
        return states

    def describe(self) -> str:
        parts = [str(self.input_size), str(self.hidden_size)]
        parts += [f"num_layers={self.num_layers}"] * (self.num_layers > 1) + ["bidirectional=True"] * self.bidirectional
        return ", ".join(parts + [f"dropout={self.dropout}"] * bool(self.dropout))


class RNN(Recurrent):
    """Elman's network over a sequence: `outputs, h = layer(x)`, x (T, B, D), outputs (T, B, H), h (B, H).

    `RNNCell` has the equation; `Recurrent` says what several layers and both directions do to outputs and state.

    >>> import numpy as np
    >>> layer = RNN(3, 5, num_layers=2, rng=0)
    >>> outputs, state = layer(np.ones((7, 2, 3), np.float32))
    >>> outputs.shape, len(state), layer.layers[1].forward.W_xh.shape
    ((7, 2, 5), 2, (5, 5))
    """

    cell = RNNCell


class LSTM(Recurrent):
    """Long short-term memory over a sequence: `outputs, (h, c) = layer(x)`, x (T, B, D), outputs (T, B, H), h (B, H).

    `LSTMCell` has the equations; `Recurrent` says what several layers and both directions do to outputs and state.

    >>> import numpy as np
    >>> outputs, (h, c) = LSTM(3, 5, rng=0)(np.ones((7, 2, 3), np.float32))
    >>> outputs.shape, h.shape, c.shape
    ((7, 2, 5), (2, 5), (2, 5))
    """

    cell = LSTMCell


class GRU(Recurrent):
    """Gated recurrent units over a sequence: `outputs, h = layer(x)`, x (T, B, D), outputs (T, B, H), h (B, H).

    `GRUCell` has the equations; `Recurrent` says what several layers and both directions do to outputs and state.
    `GRU(..., reset="after")` is PyTorch's.
    """

    cell = GRUCell


def detach(state: Any) -> Any:
    """A state, however nested in tuples, lists (which become tuples) and dicts, out of the graph: the same numbers, and
    no gradient flows back beyond it.

    Called between chunks of a sequence, this is truncated BPTT (Williams & Peng 1990).
    """
    if isinstance(state, (tuple, list)):
        return tuple(map(detach, state))
    if isinstance(state, dict):
        return {key: detach(part) for key, part in state.items()}
    return state.detach() if isinstance(state, Tensor) else state
