"""One time step of each recurrence, in primitives: the equations of the lectures, with samples as rows.

What is written W x there is `x @ W` here, with W transposed. `nn`'s cells call these; the fused operations beside this
file do whole sequences of them at once, and have the same results.
"""

from __future__ import annotations

from typing import Any

from ..elementwise import relu, sigmoid, tanh
from ..shape import split

NONLINEARITIES = {"tanh": tanh, "relu": relu}


def rnn_step(x: Any, h: Any, W_xh: Any, W_hh: Any, b_h: Any, nonlinearity: str = "tanh") -> Any:
    """Elman (1990): h (B, H) from x (B, D) and the h before."""
    return NONLINEARITIES[nonlinearity](x @ W_xh + h @ W_hh + b_h).named("h")


def lstm_step(x: Any, h: Any, c: Any, W_xh: Any, W_hh: Any, b_h: Any) -> tuple[Any, Any]:
    """Hochreiter & Schmidhuber (1997), with the forget gate of Gers, Schmidhuber & Cummins (2000): h, c (B, H)."""
    i, f, o, g = split(x @ W_xh + h @ W_hh + b_h, 4, axis=-1)
    i = sigmoid(i).named("i")
    f = sigmoid(f).named("f")
    o = sigmoid(o).named("o")
    g = tanh(g).named("g")
    c = (f * c + i * g).named("c")
    h = (o * tanh(c)).named("h")
    return h, c


def gru_step(x: Any, h: Any, W_xh: Any, W_hh: Any, b_h: Any, b_hn: Any = None, keep: str = "z") -> Any:
    """Cho et al. (2014): h (B, H). With `b_hn (H,)` the reset comes after the product with W_hh, as in cuDNN, else
    before it; `keep` is the weight of the old state, "z" or "1-z"."""
    x_r, x_z, x_n = split(x @ W_xh + b_h, 3, axis=-1)
    if b_hn is None:
        W_hr, W_hz, W_hn = split(W_hh, 3, axis=-1)
        r = sigmoid(x_r + h @ W_hr).named("r")
        z = sigmoid(x_z + h @ W_hz).named("z")
        n = tanh(x_n + (r * h) @ W_hn).named("n")
    else:
        h_r, h_z, h_n = split(h @ W_hh, 3, axis=-1)
        r = sigmoid(x_r + h_r).named("r")
        z = sigmoid(x_z + h_z).named("z")
        n = tanh(x_n + r * (h_n + b_hn)).named("n")
    h = z * h + (1 - z) * n if keep == "z" else (1 - z) * h + z * n
    return h.named("h")
