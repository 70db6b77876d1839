"""One step at a time through a cell or through the layers of a stack, and one thing done in every step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from ... import ops
from ...recording import scope, step, watched_closely
from ..cells import Cell
from ..recurrent import Recurrent

Recurrence = Cell | Recurrent
"""What a wiring is built around: a cell, or the cells of one layer or several."""


def one_step(recurrence: Recurrence, x: Any, state: Any) -> tuple[Any, Any]:
    """`h, state` after one step on x (B, D): of a cell, or of every layer of a stack, h being the highest one's.

    State None is zeros. Raises ValueError for a bidirectional layer, whose outputs need the whole sequence.
    """
    if isinstance(recurrence, Cell):
        state = recurrence(x, state)
        return first_of(state), state
    if recurrence.bidirectional:
        raise ValueError(f"{type(recurrence).__name__}({recurrence.describe()}) reads the sequence from its end too, "
                         "and cannot go step by step: use one that is not bidirectional")  # fmt: skip
    several = recurrence.num_layers > 1
    before = [None] * recurrence.num_layers if state is None else list(state) if several else [state]
    after: list[Any] = []
    for k, (layer, old) in enumerate(zip(recurrence.layers, before, strict=True)):
        with scope(f"layer {k}") if several else nullcontext():
            if k and recurrence.dropout and recurrence.training:
                x = ops.dropout(x, recurrence.dropout, recurrence.rng)
            after.append(layer.forward(x, old))
            x = first_of(after[-1])
    return x, tuple(after) if several else after[0]


def first_of(state: Any) -> Any:
    """h of a cell's state, which is h or (h, c)."""
    return state[0] if isinstance(state, (tuple, list)) else state


def each_step(f: Callable[[Any], Any], hs: Any, offset: int = 0) -> Any:
    """f of every step of hs (T, B, H), where f acts on the last axis: at once, or inside `tg.trace` and `tg.debug`,
    which want to see the steps, one by one under `tg.step`."""
    if not watched_closely():
        return f(hs)
    made = []
    for t, h in enumerate(ops.unstack(hs), offset):
        with step(t):
            made.append(f(h))
    return ops.stack(made)
