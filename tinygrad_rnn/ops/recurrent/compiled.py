"""The LSTM's arithmetic compiled by Numba, for float32 on the CPU: the optional extra `fast`.

NumPy goes over the gates a dozen times in a step, once for each operation; compiled, it is one pass with everything in
registers. Results agree with NumPy's to rounding. Nothing here is imported unless `prepared` finds that the user has
compiled it (`tinygrad-rnn compile`), so that nobody waits for a compiler by surprise.

The hyperbolic tangent is x P(x^2) / Q(x^2), fitted to tanh on [0, 9] by iteratively reweighted least squares (relative
error 7e-9, in float32 4e-7): a branch-free formula, which the compiler turns into vector instructions.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

_FAST = {"contract", "nsz", "arcp", "afn", "reassoc"}  # LLVM's freedoms, but for those that suppose there is no NaN
_jit = numba.njit(cache=True, error_model="numpy", fastmath=_FAST)
_inline = numba.njit(cache=True, error_model="numpy", fastmath=_FAST, inline="always")

one, half, nine, zero = np.float32(1), np.float32(0.5), np.float32(9), np.float32(0)
P0, P1, P2, P3, P4, P5, P6 = map(np.float32, (
    0.9999999933885417, 0.13084010774096907, 0.003103956968842984, 1.1154316145045456e-05, -2.0225257410880605e-08,
    5.277963430397494e-11, -8.488748391126691e-14,
))  # fmt: skip
Q1, Q2, Q3 = map(np.float32, (0.4641733787595583, 0.024495181396744857, 0.0002546146319103387))


@_inline
def tanh(x: Any) -> Any:
    x = min(max(x, -nine), nine)
    u = x * x
    p = x * ((((((P6 * u + P5) * u + P4) * u + P3) * u + P2) * u + P1) * u + P0)
    q = ((Q3 * u + Q2) * u + Q1) * u + one
    return min(max(p / q, -one), one)


@_jit
def _forward_row(a_i: Any, a_f: Any, a_o: Any, a_g: Any, x_i: Any, x_f: Any, x_o: Any, x_g: Any, i: Any, f: Any, o: Any,
                 g: Any, c_before: Any, tanh_c: Any, c: Any, h: Any) -> None:  # fmt: skip
    for j in range(h.size):
        i[j] = half * tanh(half * (a_i[j] + x_i[j])) + half
        f[j] = half * tanh(half * (a_f[j] + x_f[j])) + half
        o[j] = half * tanh(half * (a_o[j] + x_o[j])) + half
        g[j] = tanh(a_g[j] + x_g[j])
        c[j] = f[j] * c_before[j] + i[j] * g[j]
        tanh_c[j] = tanh(c[j])
        h[j] = o[j] * tanh_c[j]


@_jit
def lstm_forward(a: Any, x: Any, gates: Any, tanh_c: Any, c: Any, h: Any) -> None:
    """One step's arithmetic. a, x (B, 4H): the state's and the input's share of the pre-activations; gates (5, B, H)
    holds c' last and takes i, f, o, g; tanh_c, c, h (B, H) are written."""
    H = h.shape[1]
    for b in range(h.shape[0]):
        _forward_row(a[b, :H], a[b, H : 2 * H], a[b, 2 * H : 3 * H], a[b, 3 * H :], x[b, :H], x[b, H : 2 * H],
                     x[b, 2 * H : 3 * H], x[b, 3 * H :], gates[0, b], gates[1, b], gates[2, b], gates[3, b],
                     gates[4, b], tanh_c[b], c[b], h[b])  # fmt: skip


@_jit
def _backward_row(dh_out: Any, dh_before: Any, dc: Any, i: Any, f: Any, o: Any, g: Any, c_before: Any, tanh_c: Any,
                  da_i: Any, da_f: Any, da_o: Any, da_g: Any) -> None:  # fmt: skip
    for j in range(dc.size):
        dh = dh_out[j] + dh_before[j]
        d = dc[j] + dh * o[j] * (one - tanh_c[j] * tanh_c[j])
        da_i[j] = d * g[j] * i[j] * (one - i[j])
        da_f[j] = d * c_before[j] * f[j] * (one - f[j])
        da_o[j] = dh * tanh_c[j] * o[j] * (one - o[j])
        da_g[j] = d * i[j] * (one - g[j] * g[j])
        dc[j] = d * f[j]


@_jit
def lstm_backward(dh_out: Any, dh_before: Any, dc: Any, gates: Any, tanh_c: Any, da: Any) -> None:
    """One step's arithmetic on the way back: da (B, 4H) is written and dc (B, H) brought to the step before, from
    dL/dh, which is dh_out + dh_before."""
    H = dc.shape[1]
    for b in range(dc.shape[0]):
        _backward_row(dh_out[b], dh_before[b], dc[b], gates[0, b], gates[1, b], gates[2, b], gates[3, b], gates[4, b],
                      tanh_c[b], da[b, :H], da[b, H : 2 * H], da[b, 2 * H : 3 * H], da[b, 3 * H :])  # fmt: skip


@_jit
def lstm_forward_all(x: Any, W_hh: Any, hs: Any, gates: Any, tanh_c: Any, last_c: Any, a: Any, reverse: bool) -> None:
    """All steps, their small products too: below some thousand numbers a call costs more than the work."""
    T, B, G = x.shape
    for n in range(T):
        t, before, after = (T - 1 - n, T - n, T - 1 - n) if reverse else (n, n, n + 1)
        for b in range(B):
            for j in range(G):
                a[b, j] = zero
            for k in range(W_hh.shape[0]):
                for j in range(G):
                    a[b, j] += hs[before, b, k] * W_hh[k, j]
        c = last_c if n == T - 1 else gates[t - 1 if reverse else t + 1, 4]
        lstm_forward(a, x[t], gates[t], tanh_c[t], c, hs[after])


@_jit
def lstm_backward_all(dhs: Any, W_hh: Any, dh_before: Any, dc: Any, gates: Any, tanh_c: Any, da: Any,
                      reverse: bool) -> None:  # fmt: skip
    """All steps, their small products too."""
    T, B, G = da.shape
    for n in range(T):
        t = n if reverse else T - 1 - n
        lstm_backward(dhs[t], dh_before, dc, gates[t], tanh_c[t], da[t])
        for b in range(B):
            for k in range(W_hh.shape[0]):
                total = zero
                for j in range(G):
                    total += da[t, b, j] * W_hh[k, j]
                dh_before[b, k] = total


def warm_up() -> None:
    """Call everything once, on every kind of array that it will meet, so that it is compiled and cached."""
    T, B, H = 2, 2, 8

    def zeros(*shape: int) -> np.ndarray:
        return np.zeros(shape, np.float32)

    gates, tanh_c, hs = zeros(T, 5, B, H), zeros(T, B, H), zeros(T + 1, B, H)
    rows, W, state, dc = zeros(T, B, 4 * H), zeros(H, 4 * H), zeros(B, H), zeros(B, H)
    lstm_forward(zeros(B, 4 * H), rows[0], gates[0], tanh_c[0], gates[1, 4], hs[1])
    lstm_backward(hs[0], state, dc, gates[0], tanh_c[0], rows[0])
    for reverse in (False, True):
        lstm_forward_all(rows, W, hs, gates, tanh_c, state, zeros(B, 4 * H), reverse)
        lstm_backward_all(hs[1:], W, state, dc, gates, tanh_c, rows, reverse)
