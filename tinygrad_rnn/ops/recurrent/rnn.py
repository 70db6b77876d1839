"""Elman's network over a whole sequence in one operation, forward and back: `rnn_sequence`.

    h = f(x W_xh + h' W_hh + b_h)            da = dh f'(a)            dh' = da W_hh^T

f' is known from h alone, 1 - h^2 for tanh, so all of it is computed before the walk back begins; in the loop are left
one product, one sum and one multiplication a step.
"""

from __future__ import annotations

from typing import Any

from ...backend import xp
from ...fusion import twin
from ...primitives import primitive
from .sequence import (
    Hidden,
    hidden,
    in_reading_order,
    indices_of,
    inputs_back,
    inputs_into,
    mask_of,
    sizes,
    step_by_step,
    unmasked,
)
from .steps import NONLINEARITIES, rnn_step
from .workspace import Lease, Workspace


def rnn_sequence(x: Any, h: Any, W_xh: Any, W_hh: Any, b_h: Any, nonlinearity: str = "tanh", mask: Any = None,
                 reverse: bool = False, offset: int = 0) -> Any:  # fmt: skip
    """Elman's recurrence over a sequence: `hs, h`, hs (T, B, H) and the last state h (B, H).

    x (T, B, D), or integers (T, B) that stand for one-hot vectors; the state h (B, H) before the first step;
    W_xh (D, H), W_hh (H, H), b_h (H,); `nonlinearity` is "tanh" or "relu". Where mask (T, B) is False the state stands
    still and hs is 0. With `reverse` the sequence is read from its end; hs[t] still belongs to x[t]. `offset` is the
    time of x[0], for its twin `rnn_step`. Raises ValueError where shapes do not fit, IndexError for an index outside
    0..D-1.
    """
    if nonlinearity not in NONLINEARITIES:
        raise ValueError(f'rnn_sequence: nonlinearity is "tanh" or "relu", not {nonlinearity!r}')
    return _rnn_sequence(indices_of(x, W_xh), h, W_xh, W_hh, b_h, nonlinearity=nonlinearity,
                         mask=mask_of(mask, W_xh), reverse=reverse, offset=offset)  # fmt: skip


class Rows(Workspace):
    """`rows (T, B, H)`, with views of each step in the order in which steps are read, and the gradient on its way."""

    def __init__(self, lib: Any, dtype: Any, T: int, B: int, H: int, reverse: bool) -> None:
        self.rows = lib.empty((T, B, H), dtype)
        self.steps = list(self.rows[::-1] if reverse else self.rows)
        self.dh, self.dh_before = lib.empty((B, H), dtype), lib.empty((B, H), dtype)


@primitive(saves=True, several=True)
def _rnn_sequence(x: Any, h: Any, W_xh: Any, W_hh: Any, b_h: Any, /, nonlinearity: str, mask: Any, reverse: bool,
                  offset: int) -> Any:  # fmt: skip
    n = sizes(x, (h,), W_xh, W_hh, b_h, gates=1)
    lib = xp(W_hh)
    add, tanh, copyto, W = lib.add, lib.tanh, lib.copyto, W_hh.astype(n.dtype, copy=False)
    hs = hidden(n, lib, h, reverse)
    before, *afters = hs.steps
    _, masked = in_reading_order(n, None, mask, reverse)
    zero = lib.zeros((), n.dtype)
    with Lease(Rows, lib, n.dtype, n.T, n.B, n.H, reverse) as space:
        inputs_into(space.rows, x, W_xh, b_h)
        for row, after, hole in zip(space.steps, afters, masked, strict=True):
            before.dot(W, after)
            add(after, row, after)
            if nonlinearity == "tanh":
                tanh(after, after)
            else:
                lib.maximum(after, zero, out=after)
            if hole is not None:
                copyto(after, before, where=hole)
            before = after
    return (unmasked(hs.outputs, mask), hs.steps[-1].copy()), hs


@_rnn_sequence.joint_vjp
def _(needed: Any, g: Any, y: Any, x: Any, h: Any, W_xh: Any, W_hh: Any, b_h: Any, nonlinearity: str, mask: Any,
      reverse: bool, offset: int, saved: Hidden) -> Any:  # fmt: skip
    hs = saved
    n = sizes(x, (h,), W_xh, W_hh, b_h, gates=1)
    lib = xp(W_hh)
    add, multiply, W_T = lib.add, lib.multiply, W_hh.astype(n.dtype, copy=False).T
    dh_outs, masked = in_reading_order(n, g[0], mask, reverse)
    with Lease(Rows, lib, n.dtype, n.T, n.B, n.H, reverse) as space:
        if nonlinearity == "tanh":
            multiply(hs.outputs, hs.outputs, space.rows)
            lib.subtract(1, space.rows, space.rows)
        else:
            space.rows[...] = hs.outputs > 0
        dh, dh_before = space.dh, space.dh_before
        dh_before[...] = 0 if g[1] is None else g[1]
        for row, dh_out, hole in zip(space.steps[::-1], dh_outs[::-1], masked[::-1], strict=True):
            if dh_out is None:
                dh[...] = dh_before
            else:
                add(dh_out, dh_before, dh)
            if hole is None:
                multiply(dh, row, row)
                row.dot(W_T, dh_before)
            else:
                multiply(dh * ~hole, row, row)
                row.dot(W_T, dh_before)
                add(dh_before, dh * hole, dh_before)
        dx, dW_xh, db = inputs_back((needed[0], needed[2], needed[4]), space.rows, x, W_xh)
        dW_hh = hs.before.reshape(-1, n.H).T.dot(space.rows.reshape(-1, n.H)) if needed[3] else None
        return dx, dh_before.copy(), dW_xh, dW_hh, db


@twin(_rnn_sequence)
def _(x: Any, h: Any, W_xh: Any, W_hh: Any, b_h: Any, nonlinearity: str, mask: Any, reverse: bool, offset: int) -> Any:
    def after(x: Any, h: Any) -> Any:
        return rnn_step(x, h, W_xh, W_hh, b_h, nonlinearity)

    return step_by_step(after, x, h, W_xh, mask, reverse, offset)
