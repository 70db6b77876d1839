"""What the fused recurrences share: sizes and their checks, the product with the inputs, and what becomes of it in the
backward pass.

All arrays stand in the order of the data's time; a recurrence that reads from the end goes through the same arrays the
other way. `rows (T, B, G)` is, in the forward pass, the inputs' share of each step's pre-activations, and in the
backward pass dL/d(pre-activation): G = H times the number of gates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ... import backend
from ...backend import xp
from ...core import Tensor, raw
from ...fusion import once
from ...recording import step
from ..elementwise import where
from ..loss import one_hot
from ..shape import add_at, as_indices, stack, unstack

BLOCK = 400_000  # bytes of local derivatives that are computed at once, to be used while they are in the cache
FEW_CLASSES = 512  # up to so many, a product with one-hot vectors adds rows faster than picking them one by one


class Sizes(NamedTuple):
    """T steps, B samples, H units; the float `dtype` that all is computed in."""

    T: int
    B: int
    H: int
    dtype: Any


def sizes(x: Any, states: tuple[Any, ...], W_xh: Any, W_hh: Any, b_h: Any, *b_hn: Any, gates: int) -> Sizes:
    """The sizes of x (T, B, D), or of indices x (T, B) that stand for one-hot vectors of D.

    Raises ValueError where shapes do not fit, naming what should be.
    """
    D, H = W_xh.shape[0], W_hh.shape[0]
    indices = x.ndim == 2 and x.dtype.kind in "iu"
    if not indices and (x.ndim != 3 or x.shape[2] != D):
        raise ValueError(f"x must be (T, B, {D}), or integers (T, B) that stand for one-hot vectors")
    T, B = x.shape[:2]
    wanted = [("W_xh", W_xh, (D, gates * H)), ("W_hh", W_hh, (H, gates * H)), ("b_h", b_h, (gates * H,))]
    wanted += [(name, state, (B, H)) for name, state in zip("hc", states, strict=False)]
    wanted += [("b_hn", bias, (H,)) for bias in b_hn]
    for name, array, shape in wanted:
        if array.shape != shape:
            raise ValueError(f"{name} must be {shape}, and is {tuple(array.shape)}")
    if T == 0:
        raise ValueError("x has no time step")
    dtypes = {a.dtype for a in (x, *states, W_xh, W_hh, b_h, *b_hn) if a.dtype.kind in "fc"}
    return Sizes(T, B, H, dtypes.pop() if len(dtypes) == 1 else np.result_type(*dtypes))


class Hidden(NamedTuple):
    """The states h of a sequence, three views of one array: `steps (T + 1, B, H)`, before the first step that is read
    and after each, in the order in which steps are read; `outputs` and `before (T, B, H)`, after and before each step,
    in the order of time."""

    steps: Any
    outputs: Any
    before: Any


def hidden(n: Sizes, lib: Any, h: Any, reverse: bool) -> Hidden:
    """Room for the states of a sequence that begins with h (B, H)."""
    hs = lib.empty((n.T + 1, n.B, n.H), n.dtype)
    hs[-1 if reverse else 0] = h
    return Hidden(hs[::-1], hs[:-1], hs[1:]) if reverse else Hidden(hs, hs[1:], hs[:-1])


def blocks(T: int, most: int, reverse: bool) -> Iterator[tuple[slice, slice]]:
    """Blocks of at `most` so many steps, those last that are read first: where a block stands in lists, which are in
    reading order, and where in arrays, which are in the order of time."""
    for end in range(T, 0, -most):
        start = max(end - most, 0)
        yield slice(start, end), slice(T - end, T - start) if reverse else slice(start, end)


def in_reading_order(n: Sizes, dhs: Any, mask: Any, reverse: bool) -> tuple[list[Any], list[Any]]:
    """Of each step, in the order in which steps are read: the gradient (B, H) of its output, from dhs (T, B, H), and
    the samples (B, 1) that are masked there; None where there is none."""
    if mask is None:
        masked: list[Any] = [None] * n.T
    else:
        if mask.shape != (n.T, n.B):
            raise ValueError(f"mask must be (T, B) = {(n.T, n.B)}, and is {mask.shape}")
        whole = backend.to_numpy(mask.all(axis=1))  # all at once: a GPU would be waited for at each step
        masked = [None if all_there else hole for all_there, hole in zip(whole, ~mask[..., None], strict=True)]
    outs = [None] * n.T if dhs is None else list(unmasked(dhs, mask))
    return (outs[::-1], masked[::-1]) if reverse else (outs, masked)


def unmasked(hs: Any, mask: Any) -> Any:
    """hs (T, B, H) with zeros where mask (T, B) is False."""
    if mask is None:
        return hs
    return hs * mask[..., None].astype(hs.dtype)


def inputs_into(rows: Any, x: Any, W_xh: Any, b_h: Any) -> None:
    """rows := x @ W_xh + b_h, for all steps at once. For indices x, rows of W_xh are gathered, and no product taken."""
    lib, flat = xp(rows), rows.reshape(-1, rows.shape[2])
    if x.ndim == 3:
        lib.dot(x.reshape(-1, x.shape[2]).astype(rows.dtype, copy=False), W_xh, out=flat)
        flat += b_h
    elif x.size < W_xh.shape[0]:
        gather(W_xh, x, rows)
        flat += b_h
    else:
        gather(W_xh + b_h, x, rows)


def gather(table: Any, indices: Any, out: Any) -> None:
    """out := table[indices]."""
    if xp(out) is np:
        table = table.astype(out.dtype, copy=False)
        np.take(table, indices, axis=0, out=out, mode="clip")  # they were checked; "raise" would copy once more
    else:
        out[...] = table[indices]


def inputs_back(needed: Any, rows: Any, x: Any, W_xh: Any) -> tuple[Any, Any, Any]:
    """dL/dx, dL/dW_xh and dL/db_h from rows = dL/d(pre-activation), each None where it is not `needed`: one product
    over all steps, instead of a sum of one a step."""
    lib, flat = xp(rows), rows.reshape(-1, rows.shape[2])
    dx = dW = db = None
    if needed[0]:
        dx = flat.dot(W_xh.T).reshape(x.shape)
    if needed[1] and x.ndim == 3:
        dW = x.reshape(-1, x.shape[2]).T.dot(flat)
    elif needed[1] and len(W_xh) <= FEW_CLASSES:
        dW = (lib.arange(len(W_xh))[:, None] == x.reshape(-1)).astype(rows.dtype).dot(flat)
    elif needed[1]:
        dW = lib.zeros(W_xh.shape, rows.dtype)
        add_at(dW, x, rows)
    if needed[2]:
        db = lib.ones(len(flat), rows.dtype).dot(flat)  # a product sums columns faster than a sum does
    return dx, dW, db


def indices_of(x: Any, W_xh: Any) -> Any:
    """x, or if it is of integers, the same checked and on the device of W_xh: one-hot vectors of its height."""
    if getattr(x, "ndim", 0) == 2 and x.dtype.kind in "iu":
        return as_indices(x, W_xh, W_xh.shape[0], "x: index")
    return x


def one_hot_inputs(x: Any, W_xh: Any) -> Any:
    """x, or for indices the one-hot vectors (T, B, D) that they stand for."""
    return Tensor(one_hot(indices_of(x, W_xh), len(W_xh), W_xh.dtype)) if x.ndim == 2 else x


def mask_of(mask: Any, W_xh: Any) -> Any:
    """A mask as an array of bool on the device of W_xh; NumPy's may come from the CPU, as indices may."""
    if mask is None:
        return None
    array = raw(mask)
    array = array if backend.is_array(array) else np.asarray(array)
    return backend.to_device(array.astype(bool), backend.of(raw(W_xh)).device)


def scan(f: Callable[..., Any], xs: Any, state: Any, mask: Any = None, reverse: bool = False,
         offset: int = 0) -> tuple[list[Any], Any]:  # fmt: skip
    """A recurrence in primitives, one step after the other: `state = f(xs[t], state)`, t = 0, 1, ... or with `reverse`
    from the end. Gives h, the state or its first part, of each step, in the order of xs, and the last state.

    Step t is recorded under `tg.step(offset + t)`. Where mask (T, B) is False the state stands still and h is 0.
    """
    T = len(xs)
    hs: list[Any] = [None] * T
    for t in reversed(range(T)) if reverse else range(T):
        with step(offset + t):
            after = f(xs[t], state)
            if mask is None:
                state = after
                hs[t] = state[0] if isinstance(state, tuple) else state
            else:
                state = stood_still(after, state, mask[t])
                h = state[0] if isinstance(state, tuple) else state
                hs[t] = h * mask[t][:, None].astype(h.dtype)
    return hs, state


def step_by_step(f: Callable[..., Any], x: Any, state: Any, W_xh: Any, mask: Any, reverse: bool, offset: int) -> Any:
    """The twin of a fused recurrence: `scan` over x (T, B, D), or indices x (T, B); hs (T, B, H), the last state."""
    as_vectors = (len(W_xh), W_xh.dtype) if x.ndim == 2 else ()  # what indices stand for is the layer's own affair
    xs = once(lambda x: unstack(one_hot_inputs(x, W_xh)), x, *as_vectors)
    hs, state = scan(f, xs, state, mask, reverse, offset)
    return stack(hs), state


def stood_still(after: Any, before: Any, here: Any) -> Any:
    """The state after a step for the samples that are `here` (B,), the one before it for the others."""
    if isinstance(after, tuple):
        return tuple(stood_still(a, b, here) for a, b in zip(after, before, strict=True))
    return where(here[:, None], after, before).named(after.name)
