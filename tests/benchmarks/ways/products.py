"""The matrix products alone, of an LSTM character model with H units and V characters: no gates, no loss, no
allocation. A floor, for what is built on the same BLAS.

Counted are the products that the fused LSTM cannot do without when its inputs are ids: at each step h @ W_hh forward,
(B, H) x (H, 4H), and dz @ W_hh.T backward, (B, 4H) x (4H, H); once, the gradient of W_hh over all steps,
(H, T*B) x (T*B, 4H); and the head's three: logits, the gradient of its inputs, the gradient of its weights. The
gradient of W_xh is a scatter of rows, and is not counted, nor is any elementwise work. Every output has its place
beforehand.
"""

from __future__ import annotations

import numpy as np

from .way import Way, Work


def lstm(T: int, B: int, H: int, V: int) -> Work:
    """NumPy, with `out=`."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, np.float32)

    W_hh, W_hy = normal(H, 4 * H), normal(H, V)
    h, dz, dlogits = normal(T, B, H), normal(T, B, 4 * H), normal(T * B, V)
    z, dh = np.empty((T, B, 4 * H), np.float32), np.empty((T, B, H), np.float32)
    logits, douts = np.empty((T * B, V), np.float32), np.empty((T * B, H), np.float32)
    dW_hh, dW_hy = np.empty_like(W_hh), np.empty_like(W_hy)
    hs, dzs = h.reshape(T * B, H), dz.reshape(T * B, 4 * H)

    def once() -> None:
        for t in range(T):
            np.dot(h[t], W_hh, out=z[t])
        np.dot(hs, W_hy, out=logits)
        np.dot(dlogits, W_hy.T, out=douts)
        np.dot(hs.T, dlogits, out=dW_hy)
        for t in reversed(range(T)):
            np.dot(dz[t], W_hh.T, out=dh[t])
        np.dot(hs.T, dzs, out=dW_hh)

    return once


WAYS = {"products": Way(lstm, "its matrix products, NumPy")}
