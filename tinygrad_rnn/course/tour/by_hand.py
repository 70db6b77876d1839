"""Backpropagation through time, by hand: NumPy and the chain rule, no engine."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Array = np.ndarray


def bptt(p: Mapping[str, Array], xs: Array, targets: Array, h0: Array) -> tuple[float, dict[str, Array]]:
    """Loss and gradients of an Elman network: xs (T, B, D), targets (T, B) of integers, h0 (B, H).

    The loss is the cross-entropy, the mean over the batch, the sum over time (Werbos 1990).
    """
    hs, probs, loss = [h0], [], 0.0
    rows = np.arange(xs.shape[1])
    for x, target in zip(xs, targets, strict=True):  # forward: remember each state
        h = np.tanh(x @ p["W_xh"] + hs[-1] @ p["W_hh"] + p["b_h"])
        logits = h @ p["W_hy"] + p["b_y"]
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        hs.append(h)
        probs.append(e / e.sum(axis=1, keepdims=True))
        loss -= float(np.log(probs[-1][rows, target]).mean())

    d = {name: np.zeros_like(array) for name, array in p.items()}
    dh_next = np.zeros_like(h0)  # what the steps after this one say about h
    for t in reversed(range(len(xs))):
        dy = probs[t].copy()
        dy[rows, targets[t]] -= 1  # softmax and cross-entropy together: p - one_hot(target)
        dy /= len(rows)
        d["W_hy"] += hs[t + 1].T @ dy
        d["b_y"] += dy.sum(axis=0)
        dh = dy @ p["W_hy"].T + dh_next  # h is read twice: by the output, and by the next step
        da = dh * (1 - hs[t + 1] ** 2)  # through tanh
        d["W_xh"] += xs[t].T @ da
        d["W_hh"] += hs[t].T @ da  # the state before this step
        d["b_h"] += da.sum(axis=0)
        dh_next = da @ p["W_hh"].T
    return loss, {**d, "h_0": dh_next}
