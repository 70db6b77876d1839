"""RNN, LSTM and GRU: cells unrolled over a sequence, in layers and in both directions.

    outputs, state = layer(x)                              # x (T, B, D), outputs (T, B, H), or 2H of two directions
    outputs, state = layer(x, nn.detach(state), offset=T)  # truncated BPTT: the next chunk of the same sequence
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np

from .. import ops
from ..core import Tensor, describe
from ..ops.recurrent import MERGES, dropout_sequence, indices_of, join_directions, mask_of, one_hot_inputs, scan
from ..recording import scope, step, watched_closely
from .cells import Cell, GRUCell, LSTMCell, RNNCell
from .layers import Generator
from .module import Module, told

KERNELS = ("auto", "fused", "unrolled")


class Layer(Module):
    """The cells of one layer: `forward` reads the sequence from its start, `backward`, if there is one, from its end.

    They are cells and not the method that `Module` calls, hence a `__call__` of its own. `merge` says what becomes of
    the outputs of both.
    """

    def __init__(self, forward: Cell, backward: Cell | None = None, merge: str = "concat") -> None:
        self.forward, self.merge = forward, merge
        if backward is not None:
            self.backward = backward

    @property
    def cells(self) -> dict[str, Cell]:
        """By direction."""
        return {name: cell for name, cell in vars(self).items() if isinstance(cell, Cell)}

    def __call__(self, xs: list[Any], states: list[Any], mask: Any, offset: int) -> tuple[list[Any], list[Any]]:
        """Outputs, one a step, and the last state of each direction, for inputs xs, one a step, recorded one by one."""
        if len(self.cells) == 1:
            hs, last = scan(self.forward.forward, xs, states[0], mask, False, offset)
            return hs, [last]
        with scope("forward"):
            ahead, last_ahead = scan(self.forward.forward, xs, states[0], mask, False, offset)
        with scope("backward"):
            back, last_back = scan(self.backward.forward, xs, states[1], mask, True, offset)
        joined = []
        for t, (a, b) in enumerate(zip(ahead, back, strict=True), offset):
            with step(t):
                joined.append(MERGES[self.merge](a, b))
        return joined, [last_ahead, last_back]

    def fused(self, x: Any, states: list[Any], mask: Any, offset: int) -> tuple[Any, list[Any]]:
        """The same for x (T, B, D), or integers (T, B) for one-hot vectors, with one operation for each direction."""
        options = {"mask": mask, "offset": offset}
        if len(self.cells) == 1:
            hs, last = self.forward.sequence(x, states[0], **options)
            return hs, [last]
        with scope("forward"):
            ahead, last_ahead = self.forward.sequence(x, states[0], **options)
        with scope("backward"):
            back, last_back = self.backward.sequence(x, states[1], reverse=True, **options)
        return join_directions(ahead, back, offset, self.merge), [last_ahead, last_back]


class Recurrent(Module):
    """`outputs, state = layer(x, state=None)` for x (T, B, D), with outputs (T, B, H), or (T, B, 2H).

    With `bidirectional`, a second cell reads each sequence from its end, and `merge` says what the layer hands on:
    "concat" both outputs side by side, (T, B, 2H), "sum" or "mul" their elementwise sum or product, (T, B, H);
    `output_size` is that width (Schuster & Paliwal 1997). The whole sequence must be there before the first output;
    its length need not be fixed in advance.

    Integers x (T, B), from 0 to D - 1, stand for one-hot vectors: the same, without a product with zeros.
    `state` is that of the cell, h (B, H) or (h, c); with several layers or both directions it is a tuple with one such
    entry for each layer and direction, in PyTorch's order: layer 0 forward, layer 0 backward, layer 1 forward, ...
    None, as a whole or for an entry, is zeros. The state that comes back is the last that each direction computed: for
    the backward one, that is the state at the sequence's start.

    `mask (T, B)` is for sequences of different lengths (`tg.data.pad`): where it is False the state stands still, and
    outputs are 0 (what x holds there must be finite), so that the last state is each sequence's own, and a backward
    direction begins at each sequence's own end.

    `kernel` says how it is computed: "fused" as one operation a layer and direction, fast; "unrolled" step by step,
    each operation recorded; "auto" is "fused" except inside `tg.trace` and `tg.debug`, which want to see the steps.
    Results are the same to rounding; the last state of the fused one is an output of its own, as PyTorch's: its
    gradient is that of what uses it, and not also of what uses the last of `outputs`. A tap, a picture or a derivative
    of a derivative unrolls what is fused.

    Step t of the sequence is recorded under `tg.step(t)`, in both directions t being the time of the data read;
    `offset=` is the time of x[0] where x is one chunk of a longer sequence. The cells are `layers[k].forward` and, if
    `bidirectional`, `layers[k].backward`. `dropout` acts, in training, on what one layer hands to the next. Other
    options (`nonlinearity`, `forget_bias`, `keep`, `reset`) go to the cells. Raises ValueError where shapes do not fit.

    `RNN`, `LSTM` and `GRU` are made of their cells. `Recurrent(D, H, cell=...)` is made of any other, with all of the
    above; one without a fused form is unrolled.

    >>> import numpy as np
    >>> from tinygrad_rnn import nn
    >>> layer = nn.Recurrent(3, 5, cell=nn.LSTMVariantCell, variant="CIFG", bidirectional=True, rng=0)
    >>> outputs, ((h, c), back) = layer(np.ones((7, 2, 3), np.float32))
    >>> outputs.shape, c.shape
    ((7, 2, 10), (2, 5))
    """

    cell: type[Cell] = Cell

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bidirectional: bool = False,
                 dropout: float = 0.0, kernel: str = "auto", dtype: Any = np.float32, device: str | None = None,
                 rng: Generator = None, name: str | None = None, merge: str = "concat", cell: type[Cell] | None = None,
                 **of_cell: Any) -> None:  # fmt: skip
        kind = type(self).__name__
        self.cell = cell or self.cell
        if self.cell is Cell:
            raise ValueError(f"{kind}: say of which cell it is made, such as cell=nn.MUT1Cell")
        if kernel not in KERNELS:
            raise ValueError(f'{kind}: kernel is "auto", "fused" or "unrolled", not {kernel!r}')
        if merge not in MERGES:
            raise ValueError(f'{kind}: merge is "concat", "sum" or "mul", not {merge!r}')
        if num_layers < 1:
            raise ValueError(f"{kind}: num_layers must be at least 1, not {num_layers}")
        if not 0 <= dropout <= 1:
            raise ValueError(f"{kind}: dropout is the probability to drop, between 0 and 1, not {dropout}")
        self.name = name or (kind if cell is None else cell.__name__.removesuffix("Cell")).lower()
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bidirectional, self.merge, self.dropout, self.kernel = bidirectional, merge, dropout, kernel
        self.rng = np.random.default_rng(rng)
        directions = 2 if bidirectional else 1
        self.layers: list[Layer] = []
        for k in range(num_layers):
            size = input_size if k == 0 else self.output_size
            cells = [self.cell(size, hidden_size, dtype=dtype, device=device, rng=self.rng, **of_cell)
                     for _ in range(directions)]  # fmt: skip
            self.layers.append(Layer(cells[0], cells[1] if bidirectional else None, merge))

    @property
    def output_size(self) -> int:
        """How wide its outputs are: H, or 2H where two directions stand side by side."""
        return self.hidden_size * (2 if self.bidirectional and self.merge == "concat" else 1)

    def forward(self, x: Any, state: Any = None, offset: int = 0, mask: Any = None) -> tuple[Any, Any]:
        """`(outputs, state)`, see the class; `offset` is the data's time of x[0], for truncated BPTT."""
        self._check(x, mask)
        states, fused, W = self._initial(x, state), self.fuses, self.layers[0].forward.W_xh
        mask = mask_of(mask, W)
        if x.ndim == 3 and x.dtype.kind in "iub":
            x = x.astype(W.dtype)
        if not fused:
            x = list(ops.unstack(one_hot_inputs(x, W)))
        elif self.bidirectional:
            x = indices_of(x, W)  # so that both directions are given the same
        last: list[Any] = []
        per_layer = len(states) // self.num_layers
        for k, layer in enumerate(self.layers):
            run = layer.fused if fused else layer
            with scope(f"layer {k}") if self.num_layers > 1 else nullcontext():
                x = self._dropped(x, offset, fused) if k and self.dropout and self.training else x
                x, ends = run(x, states[k * per_layer : (k + 1) * per_layer], mask, offset)
            last += ends
        return x if fused else ops.stack(x), last[0] if len(last) == 1 else tuple(last)

    @property
    def fuses(self) -> bool:
        """Will a call now be computed by the fused operations?"""
        if self.kernel == "unrolled" or (self.kernel == "auto" and watched_closely()):
            return False
        strange = [cell for layer in self.layers for cell in layer.cells.values() if not cell.fuses]
        if strange and self.kernel == "fused":
            raise ValueError(f'{type(self).__name__}: {strange[0]._signature()} has no fused form of its forward: use '
                             'kernel="auto"')  # fmt: skip
        return not strange

    def _dropped(self, x: Any, offset: int, fused: bool) -> Any:
        if fused:
            return dropout_sequence(x, self.dropout, self.rng, offset)
        dropped = []
        for t, x_t in enumerate(x, offset):
            with step(t):
                dropped.append(ops.dropout(x_t, self.dropout, self.rng))
        return dropped

    def _check(self, x: Any, mask: Any) -> None:
        shape = tuple(getattr(x, "shape", ()))
        indices = len(shape) == 2 and x.dtype.kind in "iu"
        if not indices and (len(shape) != 3 or shape[2] != self.input_size):
            raise ValueError(f"{type(self).__name__}({self.describe()}) takes x (T, B, {self.input_size}), time first, "
                             f"not {told(x)}")  # fmt: skip
        if shape[0] == 0:
            raise ValueError(f"{type(self).__name__}: x {shape} has no time step")
        if mask is not None and tuple(getattr(mask, "shape", ())) != shape[:2]:
            given = "a list: pass np.array(...) of it" if isinstance(mask, (list, tuple)) else told(mask)
            raise ValueError(f"{type(self).__name__}: mask is (T, B) = {shape[:2]}, True where a sequence has a step, "
                             f"not {given}")  # fmt: skip

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
        parts += [f"cell={self.cell.__name__}"] * ("cell" in vars(self) and self.cell is not type(self).cell)
        parts += [f"num_layers={self.num_layers}"] * (self.num_layers > 1) + ["bidirectional=True"] * self.bidirectional
        parts += [f"merge={self.merge!r}"] * (self.bidirectional and self.merge != "concat")
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
