"""The LSTM's walk in time where one step's arithmetic is one call: compiled for the processor (`compiled`) or for the
GPU (`cuda`). `lstm` has the same in NumPy's operations, and the equations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .sequence import Hidden, Sizes, in_reading_order, inputs_into

SMALL = 70_000  # multiplications in a step's product; below that a call costs more than the product itself


def kernels_for(lib: Any, dtype: Any) -> Any:
    """What computes one step's arithmetic in one pass on arrays of `lib` and `dtype`; None where nothing does."""
    if lib is np:
        if dtype != np.float32:
            return None
        from . import fast  # here, because it looks into files: `import tinygrad_rnn` does not wait for that

        return fast.kernels()
    if lib.__name__ == "cupy" and dtype in (np.float32, np.float64):
        from . import cuda

        return cuda
    return None


def forward(kernels: Any, n: Sizes, lib: Any, kept: Any, space: Any, hs: Hidden, x: Any, W_xh: Any, W_hh: Any, b_h: Any,
            mask: Any, reverse: bool) -> None:  # fmt: skip
    inputs_into(space.rows, x, W_xh, b_h)
    W_hh = _plain(W_hh.astype(n.dtype, copy=False))
    if _at_once(kernels, n, mask):
        in_time = hs.steps[::-1] if reverse else hs.steps
        kernels.lstm_forward_all(space.rows, W_hh, in_time, kept.gates, kept.tanh_c, kept.last_c, space.a, reverse)
        return
    step, a = kernels.lstm_forward, space.a
    h, *h_afters = hs.steps
    _, masked = in_reading_order(n, None, mask, reverse)
    gates, tanh_cs = (kept.gates[::-1], kept.tanh_c[::-1]) if reverse else (kept.gates, kept.tanh_c)
    for row, gate, tanh_c, c, h_after, hole in zip(
        space.steps, gates, tanh_cs, kept.c_afters, h_afters, masked, strict=True
    ):
        h.dot(W_hh, a)
        step(a, row, gate, tanh_c, c, h_after)
        if hole is not None:
            lib.copyto(c, gate[4], where=hole)
            lib.copyto(h_after, h, where=hole)
        h = h_after


def backward(kernels: Any, n: Sizes, lib: Any, kept: Any, space: Any, local: Any, g: Any, W_hh: Any, mask: Any,
             reverse: bool) -> None:  # fmt: skip
    """space.rows := dL/d(pre-activation); local.dh_before and local.dc := dL/d(state before the first step)."""
    dc, dh_before, W_hh = local.dc, local.dh_before, _plain(W_hh.astype(n.dtype, copy=False))
    dh_before[...] = 0 if g[1] is None else g[1]
    dc[...] = 0 if g[2] is None else g[2]
    dhs = _plain(lib.zeros((n.T, n.B, n.H), n.dtype) if g[0] is None else g[0])
    if _at_once(kernels, n, mask):
        kernels.lstm_backward_all(dhs, W_hh, dh_before, dc, kept.gates, kept.tanh_c, space.rows, reverse)
        return
    step, W_T = kernels.lstm_backward, W_hh.T
    dh_outs, masked = in_reading_order(n, dhs, mask, reverse)
    gates, tanh_cs = (kept.gates, kept.tanh_c) if reverse else (kept.gates[::-1], kept.tanh_c[::-1])
    for row, gate, tanh_c, dh_out, hole in zip(
        space.steps[::-1], gates, tanh_cs, dh_outs[::-1], masked[::-1], strict=True
    ):
        if hole is None:
            step(dh_out, dh_before, dc, gate, tanh_c, row)
            row.dot(W_T, dh_before)
            continue
        dh = dh_out + dh_before
        dh_stays, dc_stays = dh * hole, dc * hole
        dh_before[...] = 0
        dc *= ~hole
        step(dh * ~hole, dh_before, dc, gate, tanh_c, row)
        row.dot(W_T, dh_before)
        dh_before += dh_stays
        dc += dc_stays


def _at_once(kernels: Any, n: Sizes, mask: Any) -> bool:
    return mask is None and n.B * n.H * n.H * 4 <= SMALL and hasattr(kernels, "lstm_forward_all")


def _plain(x: Any) -> Any:
    """x, or a copy, in adjacent memory that may be written: the one kind of array that kernels are compiled for."""
    return x if x.flags.c_contiguous and getattr(x.flags, "writeable", True) else x.copy()
