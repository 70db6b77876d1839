"""The GRU over a whole sequence in one operation, forward and back: `gru_sequence`.

With r, z = sigmoid(a_r, a_z), n = tanh(a_n), ' for the step before, and k = z or 1 - z the weight of the old state,

    a_r, a_z = x W_x + h' W_rz + b            h = k h' + (1 - k) n
    a_n = x W_xn + b_n + (r h') W_n           the reset before the product (Cho et al. 2014), or
    a_n = x W_xn + b_n + r (h' W_n + b_hn)    after it (cuDNN, PyTorch)

the backward pass carries dh down the steps:

    da_n = dh (1 - k) (1 - n^2)               da_z = dh (h' - n) z (1 - z), with the other sign where k is 1 - z
    before: d(rh') = da_n W_n^T               da_r = d(rh') h' r (1 - r)      dh' gains d(rh') r
    after:  d(hn) = da_n r                    da_r = da_n hn r (1 - r)        dh' gains d(hn) W_n^T
    dh' gains dh k + (da_r, da_z) W_rz^T

As in `lstm`: one product for all inputs, one for each weight's gradient, local derivatives for a block of steps at
once, sigmoids as a scaled tanh, gates held gate by gate.
"""

from __future__ import annotations

from typing import Any

from ...backend import xp
from ...fusion import twin
from ...primitives import primitive
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
from .steps import gru_step
from .workspace import Lease, Workspace


def gru_sequence(x: Any, h: Any, W_xh: Any, W_hh: Any, b_h: Any, b_hn: Any = None, keep: str = "z", mask: Any = None,
                 reverse: bool = False, offset: int = 0) -> Any:  # fmt: skip
    """A GRU over a sequence: `hs, h`, hs (T, B, H) and the last state h (B, H).

    x (T, B, D), or integers (T, B) that stand for one-hot vectors; the state h (B, H) before the first step;
    W_xh (D, 3H), W_hh (H, 3H), b_h (3H,), gates in the order r, z, n. With `b_hn (H,)` the reset comes after the
    product, else before it; `keep`, "z" or "1-z", is the weight of the old state. Where mask (T, B) is False the state
    stands still and hs is 0. With `reverse` the sequence is read from its end; hs[t] still belongs to x[t]. `offset` is
    the time of x[0], for its twin `gru_step`. Raises ValueError where shapes do not fit, IndexError for an index
    outside 0..D-1.
    """
    if keep not in ("z", "1-z"):
        raise ValueError(f'gru_sequence: keep is "z" or "1-z", the weight of the old state, not {keep!r}')
    after = () if b_hn is None else (b_hn,)
    return _gru_sequence(indices_of(x, W_xh), h, W_xh, W_hh, b_h, *after, keep=keep, mask=mask_of(mask, W_xh),
                         reverse=reverse, offset=offset)  # fmt: skip


class Kept(Workspace):
    """What the backward pass needs: `gates (T, 3, B, H)`, r, z and n; `inner (T, B, H)`, r h' or h' W_n + b_hn. The
    list has views of each step, in the order in which steps are read."""

    def __init__(self, lib: Any, dtype: Any, T: int, B: int, H: int, reverse: bool) -> None:
        self.gates, self.inner = lib.empty((T, 3, B, H), dtype), lib.empty((T, B, H), dtype)
        steps = [(a[:2], a[0], a[1], a[2], inner) for a, inner in zip(self.gates, self.inner, strict=True)]
        self.steps = steps[::-1] if reverse else steps


class Rows(Workspace):
    """`rows (T, B, 3H)`, `inner (T, B, H)` for the gradient of what `Kept.inner` holds, with views of each step in the
    order in which steps are read; and places for one step."""

    def __init__(self, lib: Any, dtype: Any, T: int, B: int, H: int, reverse: bool) -> None:
        self.rows, self.inner = lib.empty((T, B, 3 * H), dtype), lib.empty((T, B, H), dtype)
        steps = [(a[:, : 2 * H], a[:, :H], a[:, H : 2 * H], a[:, 2 * H :], inner)
                 for a, inner in zip(self.rows, self.inner, strict=True)]  # fmt: skip
        self.steps = steps[::-1] if reverse else steps
        self.rz, self.n, self.spare = (lib.empty((B, m * H), dtype) for m in (2, 1, 1))
        self.rz_by_gate = self.rz.reshape(B, 2, H).transpose(1, 0, 2)


class Local(Workspace):
    """Local derivatives of a block of steps, `factors (K, 4, B, H)`: what makes da_n and da_z of dh, da_r of what comes
    back to it, and the share of dh that the old state keeps; and the gradients on their way."""

    def __init__(self, lib: Any, dtype: Any, K: int, B: int, H: int) -> None:
        self.factors, self.slopes = lib.empty((K, 4, B, H), dtype), lib.empty((K, 2, B, H), dtype)
        self.steps = [tuple(a) for a in self.factors]
        self.dh, self.dh_before, self.spare = (lib.empty((B, H), dtype) for _ in range(3))


@primitive(saves=True, several=True)
def _gru_sequence(x: Any, h: Any, W_xh: Any, W_hh: Any, b_h: Any, *b_hn: Any, keep: str, mask: Any, reverse: bool,
                  offset: int) -> Any:  # fmt: skip
    n = sizes(x, (h,), W_xh, W_hh, b_h, *b_hn, gates=3)
    lib, size = xp(W_hh), (n.T, n.B, n.H, reverse)
    kept = Lease(Kept, lib, n.dtype, *size)
    hs = hidden(n, lib, h, reverse)
    with Lease(Rows, lib, n.dtype, *size) as space:
        scale = lib.ones(3 * n.H, n.dtype)
        scale[: 2 * n.H] = 0.5
        inputs_into(space.rows, x, W_xh * scale, b_h * scale)
        _forward(n, lib, kept.space, space, hs, W_hh * scale, b_hn, keep, mask, reverse)
    return (unmasked(hs.outputs, mask), hs.steps[-1].copy()), (kept, hs)


def _forward(n: Sizes, lib: Any, kept: Kept, space: Rows, hs: Hidden, W_hh: Any, b_hn: Any, keep: str, mask: Any,
             reverse: bool) -> None:  # fmt: skip
    """W_hh and the inputs' share in space.rows have the 1 / 2 of the sigmoids in them."""
    add, subtract, multiply, tanh = lib.add, lib.subtract, lib.multiply, lib.tanh
    half = lib.asarray(0.5, dtype=n.dtype)
    W_rz, W_n = (lib.ascontiguousarray(W) for W in (W_hh[:, : 2 * n.H], W_hh[:, 2 * n.H :]))
    h, *h_afters = hs.steps
    rz_product, rz_by_gate, a_n, spare = space.rz, space.rz_by_gate, space.n, space.spare
    _, masked = in_reading_order(n, None, mask, reverse)
    for (row_rz, _, _, row_n, _), (rz, r, z, new, inner), h_after, hole in zip(
        space.steps, kept.steps, h_afters, masked, strict=True
    ):
        h.dot(W_rz, rz_product)
        add(rz_product, row_rz, rz_product)
        tanh(rz_by_gate, rz)
        multiply(rz, half, rz)
        add(rz, half, rz)
        if b_hn:
            h.dot(W_n, inner)
            add(inner, b_hn[0], inner)
            multiply(r, inner, a_n)
        else:
            multiply(r, h, inner)
            inner.dot(W_n, a_n)
        add(a_n, row_n, a_n)
        tanh(a_n, new)
        old, other = (new, h) if keep == "z" else (h, new)  # h = old + z (other - old)
        subtract(other, old, spare)
        multiply(z, spare, spare)
        add(old, spare, h_after)
        if hole is not None:
            lib.copyto(h_after, h, where=hole)
        h = h_after


@_gru_sequence.joint_vjp
def _(needed: Any, g: Any, y: Any, x: Any, h: Any, W_xh: Any, W_hh: Any, b_h: Any, *b_hn: Any, keep: str, mask: Any,
      reverse: bool, offset: int, saved: Any) -> Any:  # fmt: skip
    kept, hs = saved
    n = sizes(x, (h,), W_xh, W_hh, b_h, *b_hn, gates=3)
    lib = xp(W_hh)
    many = max(1, min(n.T, BLOCK // (6 * n.B * n.H * n.dtype.itemsize + 1)))
    with (
        Lease(Rows, lib, n.dtype, n.T, n.B, n.H, reverse) as space,
        Lease(Local, lib, n.dtype, many, n.B, n.H) as local,
    ):
        W = W_hh.astype(n.dtype, copy=False)
        _backward(n, lib, kept.space, space, local, hs, g, W, bool(b_hn), keep, mask, reverse)
        dx, dW_xh, db = inputs_back((needed[0], needed[2], needed[4]), space.rows, x, W_xh)
        dW_hh = None
        before = hs.before.reshape(-1, n.H)
        rows, inner = space.rows.reshape(-1, 3 * n.H), space.inner.reshape(-1, n.H)
        if needed[3]:
            held = kept.space.inner.reshape(-1, n.H)
            dW_n = before.T.dot(inner) if b_hn else held.T.dot(rows[:, 2 * n.H :])
            dW_hh = lib.concatenate([before.T.dot(rows[:, : 2 * n.H]), dW_n], axis=1)
        db_hn = [inner.sum(axis=0)] if b_hn else []
        return dx, local.dh_before.copy(), dW_xh, dW_hh, db, *db_hn


def _backward(n: Sizes, lib: Any, kept: Kept, space: Rows, local: Local, hs: Hidden, g: Any, W_hh: Any, after: bool,
              keep: str, mask: Any, reverse: bool) -> None:  # fmt: skip
    """space.rows := dL/d(pre-activation), space.inner := dL/d(h' W_n + b_hn) where the reset comes `after`;
    local.dh_before := dL/d(state before the first step)."""
    add, multiply = lib.add, lib.multiply
    W_rz_T, W_n_T = W_hh[:, : 2 * n.H].T, W_hh[:, 2 * n.H :].T
    dh, dh_before, spare = local.dh, local.dh_before, local.spare
    dh_before[...] = 0 if g[1] is None else g[1]
    dh_outs, masked = in_reading_order(n, g[0], mask, reverse)
    for block, time in blocks(n.T, len(local.steps), reverse):
        factors = _factors(lib, kept, local, hs, time, after, keep)
        factors = factors if reverse else factors[::-1]
        for (n_factor, z_factor, r_factor, share), (d_rz, d_r, d_z, d_n, d_inner), (_, r, _, _, _), dh_out, hole in zip(
            factors, space.steps[block][::-1], kept.steps[block][::-1], dh_outs[block][::-1], masked[block][::-1],
            strict=True,
        ):  # fmt: skip
            if dh_out is None:
                dh[...] = dh_before
            else:
                add(dh_out, dh_before, dh)
            if hole is not None:
                dh_stays = dh * hole
                multiply(dh, ~hole, dh)
            multiply(dh, n_factor, d_n)
            multiply(dh, z_factor, d_z)
            if after:
                multiply(d_n, r_factor, d_r)
                multiply(d_n, r, d_inner)
                d_inner.dot(W_n_T, spare)
            else:
                d_n.dot(W_n_T, spare)
                multiply(spare, r_factor, d_r)
                multiply(spare, r, spare)
            d_rz.dot(W_rz_T, dh_before)
            add(dh_before, spare, dh_before)
            multiply(dh, share, dh)
            add(dh_before, dh, dh_before)
            if hole is not None:
                add(dh_before, dh_stays, dh_before)


def _factors(lib: Any, kept: Kept, local: Local, hs: Hidden, time: slice, after: bool, keep: str) -> list[Any]:
    """The local derivatives of a block of steps, in the order of time."""
    multiply, subtract = lib.multiply, lib.subtract
    gates, h = kept.gates[time], hs.before[time]
    size = len(h)
    factors, slopes = local.factors[:size], local.slopes[:size]
    z, new = gates[:, 1], gates[:, 2]
    n_factor, z_factor, r_factor, share = (factors[:, i] for i in range(4))
    multiply(gates[:, :2], gates[:, :2], slopes)
    subtract(gates[:, :2], slopes, slopes)  # s (1 - s)
    multiply(slopes[:, 0], kept.inner[time] if after else h, r_factor)
    if keep == "z":
        subtract(h, new, z_factor)
        share[...] = z
        subtract(1, z, n_factor)
    else:
        subtract(new, h, z_factor)
        subtract(1, z, share)
        n_factor[...] = z
    multiply(z_factor, slopes[:, 1], z_factor)
    spare = slopes[:, 1]
    multiply(new, new, spare)
    multiply(spare, n_factor, spare)
    subtract(n_factor, spare, n_factor)  # (1 - k) (1 - n^2)
    return local.steps[:size]


@twin(_gru_sequence)
def _(x: Any, h: Any, W_xh: Any, W_hh: Any, b_h: Any, *b_hn: Any, keep: str, mask: Any, reverse: bool,
      offset: int) -> Any:  # fmt: skip
    def after(x: Any, h: Any) -> Any:
        return gru_step(x, h, W_xh, W_hh, b_h, b_hn[0] if b_hn else None, keep)

    return step_by_step(after, x, h, W_xh, mask, reverse, offset)
