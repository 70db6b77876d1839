"""An Elman character network, one operation at a time: one-hot inputs (T, B, D), H units, float32, a loss at each step
(their sum over time, a mean over the batch), forward and backward."""

from __future__ import annotations

import numpy as np

from .way import Way, Work


def numbers(T: int, B: int, H: int, D: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Inputs X (T, B, D), one-hot; targets (T, B); parameters, weights (in, out)."""
    rng = np.random.default_rng(0)
    ids = rng.integers(0, D, (T + 1, B))
    X = np.eye(D, dtype=np.float32)[ids[:-1]]
    shapes = {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,), "W_hy": (H, D), "b_y": (D,)}
    p = {name: (rng.normal(size=shape) * 0.1).astype(np.float32) for name, shape in shapes.items()}
    return X, ids[1:], p


def engine(T: int, B: int, H: int, D: int) -> Work:
    """This package, one primitive at a time."""
    import tinygrad_rnn as tg

    X, Y, arrays = numbers(T, B, H, D)
    p = {name: tg.tensor(a, requires_grad=True, name=name) for name, a in arrays.items()}
    W_xh, W_hh, b_h, W_hy, b_y = p.values()

    def once() -> float:
        h = tg.tensor(np.zeros((B, H), np.float32))
        loss = 0.0
        for t in range(T):
            with tg.step(t):
                h = tg.tanh(X[t] @ W_xh + h @ W_hh + b_h)
                loss = loss + tg.cross_entropy(h @ W_hy + b_y, Y[t])
        for w in p.values():
            w.grad = None
        loss.backward()
        return loss.item()

    return once


def torch_eager(T: int, B: int, H: int, D: int) -> Work:
    """PyTorch, the same loop."""
    import torch

    X, Y, arrays = numbers(T, B, H, D)
    Xt, Yt = torch.from_numpy(X), torch.from_numpy(Y)
    p = {name: torch.from_numpy(a.copy()).requires_grad_() for name, a in arrays.items()}
    W_xh, W_hh, b_h, W_hy, b_y = p.values()
    cross_entropy = torch.nn.functional.cross_entropy

    def once() -> float:
        h = torch.zeros(B, H)
        loss = 0.0
        for t in range(T):
            h = torch.tanh(Xt[t] @ W_xh + h @ W_hh + b_h)
            loss = loss + cross_entropy(h @ W_hy + b_y, Yt[t])
        for w in p.values():
            w.grad = None
        loss.backward()
        return loss.item()

    return once


def by_hand(T: int, B: int, H: int, D: int) -> Work:
    """NumPy, BPTT written out step by step."""
    X, Y, p = numbers(T, B, H, D)
    W_xh, W_hh, b_h, W_hy, b_y = p.values()
    rows = np.arange(B)

    def once() -> float:
        hs = [np.zeros((B, H), np.float32)]
        ps = []
        loss = 0.0
        for t in range(T):
            h = np.tanh(X[t] @ W_xh + hs[-1] @ W_hh + b_h)
            hs.append(h)
            o = h @ W_hy + b_y
            e = np.exp(o - o.max(axis=1, keepdims=True))
            q = e / e.sum(axis=1, keepdims=True)
            ps.append(q)
            loss -= np.log(q[rows, Y[t]]).mean()
        d = {name: np.zeros_like(a) for name, a in p.items()}
        dh_next = np.zeros((B, H), np.float32)
        for t in reversed(range(T)):
            do = ps[t]
            do[rows, Y[t]] -= 1
            do /= B
            d["W_hy"] += hs[t + 1].T @ do
            d["b_y"] += do.sum(axis=0)
            da = (do @ W_hy.T + dh_next) * (1 - hs[t + 1] ** 2)
            d["W_xh"] += X[t].T @ da
            d["W_hh"] += hs[t].T @ da
            d["b_h"] += da.sum(axis=0)
            dh_next = da @ W_hh.T
        return float(loss)

    return once


def hips(T: int, B: int, H: int, D: int) -> Work:
    """HIPS autograd, the same loop."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    X, Y, p = numbers(T, B, H, D)
    rows = np.arange(B)

    def loss(W_xh, W_hh, b_h, W_hy, b_y):  # type: ignore[no-untyped-def]
        h = np.zeros((B, H), np.float32)
        total = 0.0
        for t in range(T):
            h = anp.tanh(X[t] @ W_xh + h @ W_hh + b_h)
            o = h @ W_hy + b_y
            o = o - anp.max(o, axis=1, keepdims=True)
            total = total + anp.mean(anp.log(anp.sum(anp.exp(o), axis=1)) - o[rows, Y[t]])
        return total

    f = value_and_grad(loss, argnum=tuple(range(5)))
    return lambda: float(f(*p.values())[0])


WAYS = {
    "op-level": Way(engine, "tinygrad_rnn, op by op"),
    "torch eager": Way(torch_eager, "PyTorch eager loop", needs="torch"),
    "by hand": Way(by_hand, "NumPy by hand"),
    "hips": Way(hips, "HIPS autograd", needs="autograd"),
}