"""The LSTM over a whole sequence in one operation, forward and back: `lstm_sequence`.

With the gates' pre-activations a = x W_xh + h' W_hh + b_h, in the order i, f, o, g, and ' for the step before,

    i, f, o = sigmoid(a_i, a_f, a_o), g = tanh(a_g)        c = f c' + i g        h = o tanh(c)

the backward pass carries dh and dc down the steps (dh from the output of its own step and from the step after):

    dc += dh o (1 - tanh^2 c)            dh' = da W_hh^T            dc' = dc f
    da_o = dh tanh(c) o (1 - o)          da_f = dc c' f (1 - f)
    da_i = dc g i (1 - i)                da_g = dc i (1 - g^2)

What multiplies dh and dc is known before the walk begins: it is computed for a block of steps at once, as many as stay
in the processor's cache. Only products that depend on the step after are left in the loop. The weights' gradients are
one product over all steps. sigmoid(a) = tanh(a / 2) / 2 + 1 / 2 makes one tanh of all gates; where steps are many, the
1 / 2 is put into the weights. Gates are held gate by gate (4, B, H), so that every pass runs over adjacent memory; i
and f lie before g and c', as they are multiplied.
"""

from __future__ import annotations

from typing import Any

from ...backend import xp
from ...fusion import twin
from ...primitives import primitive
from . import one_pass
from .one_pass import kernels_for
from .sequence import (
    BLOCK,
    Hidden,
    Sizes,
    blocks,
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
from .steps import lstm_step
from .workspace import Lease, Workspace

FEW = 8  # with fewer steps, putting 1 / 2 into the weights costs more than it saves


def lstm_sequence(x: Any, h: Any, c: Any, W_xh: Any, W_hh: Any, b_h: Any, mask: Any = None, reverse: bool = False,
                  offset: int = 0) -> Any:  # fmt: skip
    """An LSTM over a sequence: `hs, h, c`, hs (T, B, H) and the last state h, c (B, H).

    x (T, B, D), or integers (T, B) that stand for one-hot vectors; the state h, c (B, H) before the first step;
    W_xh (D, 4H), W_hh (H, 4H), b_h (4H,), gates in the order i, f, o, g. Where mask (T, B) is False the state stands
    still and hs is 0. With `reverse` the sequence is read from its end; hs[t] still belongs to x[t]. `offset` is the
    time of x[0], for its twin `lstm_step`. Raises ValueError where shapes do not fit, IndexError for an index outside
    0..D-1.
    """
    return _lstm_sequence(indices_of(x, W_xh), h, c, W_xh, W_hh, b_h, mask=mask_of(mask, W_xh), reverse=reverse,
                          offset=offset)  # fmt: skip


class Kept(Workspace):
    """What the backward pass needs: `gates (T, 5, B, H)` holds i, f, o, g and c', `tanh_c (T, B, H)`. The lists have
    views of each step, in the order in which steps are read."""

    def __init__(self, lib: Any, dtype: Any, T: int, B: int, H: int, reverse: bool) -> None:
        self.gates = lib.empty((T, 5, B, H), dtype)
        self.tanh_c = lib.empty((T, B, H), dtype)
        self.last_c = lib.empty((B, H), dtype)
        order = range(T)[::-1] if reverse else range(T)
        self.c_afters = [self.gates[t, 4] for t in order[1:]] + [self.last_c]  # where a step's c is the next one's c'
        self.f = [self.gates[t, 1] for t in order]
        self.steps = []
        for t, c in zip(order, self.c_afters, strict=True):
            a = self.gates[t]
            self.steps.append((a[:4], a[:3], a[:2], a[3:], a[4], a[2], c, self.tanh_c[t]))


class Rows(Workspace):
    """`rows (T, B, 4H)`, with views of each step, whole and of i, f, o and g, in the order in which steps are read; and
    a place for one step's pre-activations: for the product, sample by sample, and as the gates are held."""

    def __init__(self, lib: Any, dtype: Any, T: int, B: int, H: int, reverse: bool) -> None:
        self.rows = lib.empty((T, B, 4 * H), dtype)
        self.steps = list(self.rows[::-1] if reverse else self.rows)
        self.by_gate = [tuple(_by_gate(row)) for row in self.steps]
        self.a = lib.empty((B, 4 * H), dtype)
        self.a_by_gate = _by_gate(self.a)
        self.pair = lib.empty((2, B, H), dtype)


class Local(Workspace):
    """Local derivatives of a block of steps, `factors (K, 5, B, H)`: what turns dc into da_i, da_f and da_g, dh into
    da_o, and dh into its share of dc; and the gradients on their way."""

    def __init__(self, lib: Any, dtype: Any, K: int, B: int, H: int) -> None:
        self.factors, self.slopes = lib.empty((K, 5, B, H), dtype), lib.empty((K, 3, B, H), dtype)
        self.steps = [tuple(a) for a in self.factors]
        self.dh, self.dc = lib.empty((B, H), dtype), lib.empty((B, H), dtype)
        self.dh_before = lib.empty((B, H), dtype)


def _by_gate(rows: Any) -> Any:
    """A view (4, B, H) of (B, 4H)."""
    B, H = rows.shape[0], rows.shape[1] // 4
    return rows.reshape(4, 1, H) if B == 1 else rows.reshape(B, 4, H).transpose(1, 0, 2)


@primitive(saves=True, several=True)
def _lstm_sequence(x: Any, h: Any, c: Any, W_xh: Any, W_hh: Any, b_h: Any, /, mask: Any, reverse: bool,
                   offset: int) -> Any:  # fmt: skip
    n = sizes(x, (h, c), W_xh, W_hh, b_h, gates=4)
    lib, size = xp(W_hh), (n.T, n.B, n.H, reverse)
    kept = Lease(Kept, lib, n.dtype, *size)
    hs = hidden(n, lib, h, reverse)
    kept.space.gates[-1 if reverse else 0, 4] = c
    with Lease(Rows, lib, n.dtype, *size) as space:
        if (kernels := kernels_for(lib, n.dtype)) is not None:
            one_pass.forward(kernels, n, lib, kept.space, space, hs, x, W_xh, W_hh, b_h, mask, reverse)
        else:
            _forward(n, lib, kept.space, space, hs, x, W_xh, W_hh, b_h, mask, reverse)
    return (unmasked(hs.outputs, mask), hs.steps[-1].copy(), kept.space.last_c.copy()), (kept, hs)


def _forward(n: Sizes, lib: Any, kept: Kept, space: Rows, hs: Hidden, x: Any, W_xh: Any, W_hh: Any, b_h: Any, mask: Any,
             reverse: bool) -> None:  # fmt: skip
    add, multiply, tanh, copyto = lib.add, lib.multiply, lib.tanh, lib.copyto
    half = lib.asarray(0.5, dtype=n.dtype)
    scale = lib.ones(4 * n.H, n.dtype)
    scale[: 3 * n.H] = 0.5
    early = n.T >= FEW
    inputs_into(space.rows, x, *((W_xh * scale, b_h * scale) if early else (W_xh, b_h)))
    W_hh = (W_hh * scale if early else W_hh).astype(n.dtype, copy=False)
    a, a_by_gate, pair = space.a, space.a_by_gate, space.pair
    new_part, kept_part = pair
    h, *h_afters = hs.steps
    _, masked = in_reading_order(n, None, mask, reverse)
    for row, (gates, ifo, if_, gc, c_before, o, c, tanh_c), h_after, hole in zip(
        space.steps, kept.steps, h_afters, masked, strict=True
    ):
        h.dot(W_hh, a)
        add(a, row, a)
        if not early:
            multiply(a, scale, a)
        tanh(a_by_gate, gates)
        multiply(ifo, half, ifo)
        add(ifo, half, ifo)
        multiply(if_, gc, pair)
        add(new_part, kept_part, c)
        tanh(c, tanh_c)
        multiply(o, tanh_c, h_after)
        if hole is not None:
            copyto(c, c_before, where=hole)
            copyto(h_after, h, where=hole)
        h = h_after


@_lstm_sequence.joint_vjp
def _(needed: Any, g: Any, y: Any, x: Any, h: Any, c: Any, W_xh: Any, W_hh: Any, b_h: Any, mask: Any, reverse: bool,
      offset: int, saved: Any) -> Any:  # fmt: skip
    kept, hs = saved
    n = sizes(x, (h, c), W_xh, W_hh, b_h, gates=4)
    lib = xp(W_hh)
    many = max(1, min(n.T, BLOCK // (8 * n.B * n.H * n.dtype.itemsize + 1)))
    with (
        Lease(Rows, lib, n.dtype, n.T, n.B, n.H, reverse) as space,
        Lease(Local, lib, n.dtype, many, n.B, n.H) as local,
    ):
        if (kernels := kernels_for(lib, n.dtype)) is not None:
            one_pass.backward(kernels, n, lib, kept.space, space, local, g, W_hh, mask, reverse)
        else:
            _backward(n, lib, kept.space, space, local, hs, g, W_hh, mask, reverse)
        dx, dW_xh, db = inputs_back((needed[0], needed[3], needed[5]), space.rows, x, W_xh)
        dW_hh = hs.before.reshape(-1, n.H).T.dot(space.rows.reshape(-1, 4 * n.H)) if needed[4] else None
        return dx, local.dh_before.copy(), local.dc.copy(), dW_xh, dW_hh, db


def _backward(n: Sizes, lib: Any, kept: Kept, space: Rows, local: Local, hs: Hidden, g: Any, W_hh: Any, mask: Any,
              reverse: bool) -> None:  # fmt: skip
    """space.rows := dL/d(pre-activation); local.dh_before and local.dc := dL/d(state before the first step)."""
    add, multiply = lib.add, lib.multiply
    dh, dc, dh_before, W_T = local.dh, local.dc, local.dh_before, W_hh.astype(n.dtype, copy=False).T
    dh_before[...] = 0 if g[1] is None else g[1]
    dc[...] = 0 if g[2] is None else g[2]
    dh_outs, masked = in_reading_order(n, g[0], mask, reverse)
    for block, time in blocks(n.T, len(local.steps), reverse):
        factors = _factors(lib, kept, local, hs, time)
        factors = factors if reverse else factors[::-1]
        for (i_factor, f_factor, o_factor, g_factor, c_factor), (da_i, da_f, da_o, da_g), row, f, dh_out, hole in zip(
            factors, space.by_gate[block][::-1], space.steps[block][::-1], kept.f[block][::-1], dh_outs[block][::-1],
            masked[block][::-1], strict=True,
        ):  # fmt: skip
            if dh_out is None:
                dh[...] = dh_before
            else:
                add(dh_out, dh_before, dh)
            if hole is not None:
                dh_stays, dc_stays = dh * hole, dc * hole
                multiply(dh, ~hole, dh)
                multiply(dc, ~hole, dc)
            multiply(dh, o_factor, da_o)
            multiply(dh, c_factor, dh)
            add(dc, dh, dc)
            multiply(dc, i_factor, da_i)  # one by one: to spread dc over two gates takes NumPy longer
            multiply(dc, f_factor, da_f)
            multiply(dc, g_factor, da_g)
            multiply(dc, f, dc)
            row.dot(W_T, dh_before)
            if hole is not None:
                add(dh_before, dh_stays, dh_before)
                add(dc, dc_stays, dc)


def _factors(lib: Any, kept: Kept, local: Local, hs: Hidden, time: slice) -> list[Any]:
    """The local derivatives of a block of steps, in the order of time."""
    multiply, subtract = lib.multiply, lib.subtract
    gates, tanh_c, h = kept.gates[time], kept.tanh_c[time], hs.outputs[time]
    size = len(h)
    factors = local.factors[:size]
    slopes = local.slopes[:size]
    multiply(gates[:, :3], gates[:, :3], slopes)
    subtract(gates[:, :3], slopes, slopes)  # s (1 - s)
    multiply(slopes[:, :2], gates[:, 3:], factors[:, :2])  # i (1 - i) g, f (1 - f) c'
    multiply(slopes[:, 2], tanh_c, factors[:, 2])
    spare = slopes[:, 0]
    multiply(gates[:, 3], gates[:, 3], spare)
    multiply(spare, gates[:, 0], spare)
    subtract(gates[:, 0], spare, factors[:, 3])  # i (1 - g^2)
    multiply(h, tanh_c, spare)
    subtract(gates[:, 2], spare, factors[:, 4])  # o (1 - tanh^2 c)
    return local.steps[:size]


@twin(_lstm_sequence)
def _(x: Any, h: Any, c: Any, W_xh: Any, W_hh: Any, b_h: Any, mask: Any, reverse: bool, offset: int) -> Any:
    def after(x: Any, state: Any) -> Any:
        h, c = state
        return lstm_step(x, h, c, W_xh, W_hh, b_h)

    hs, (h, c) = step_by_step(after, x, (h, c), W_xh, mask, reverse, offset)
    return hs, h, c
