"""Small recurrent runs, written out by hand, for the instruments to read."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

import tinygrad_rnn as tg


def weight(rng, *shape, scale=0.5, device="cpu", name=None):
    return tg.tensor(scale * rng.normal(size=shape), requires_grad=True, device=device, name=name)


def elman(T=6, B=3, D=4, H=5, seed=0, hoist="", device="cpu", scale=0.5):
    """An Elman net with a loss a step. `hoist`: what is taken out of the loop ("transpose", "inputs")."""
    rng = np.random.default_rng(seed)
    W_xh, W_hh, b_h = (weight(rng, *s, device=device, scale=scale) for s in ((D, H), (H, H), (H,)))
    X = tg.tensor(rng.normal(size=(T, B, D)), device=device)
    h = tg.tensor(rng.normal(size=(B, H)), requires_grad=True, device=device)
    V = W_hh.T if hoist == "transpose" else None
    P = tg.unstack(X @ W_xh) if hoist == "inputs" else None
    states, losses = [h], []
    for t in range(T):
        with tg.step(t):
            a = (P[t] if P else X[t] @ W_xh) + b_h
            h = tg.tanh(a + (h @ V.T if V is not None else h @ W_hh))
            states.append(h)
            losses.append((h * h).mean())
    total = losses[0]
    for loss in losses[1:]:
        total = total + loss
    return SimpleNamespace(W_xh=W_xh, W_hh=W_hh, b_h=b_h, X=X, states=states, losses=losses, total=total)


def lstm_step(x, h, c, W_xh, W_hh, b_h):
    H = h.shape[-1]
    a = x @ W_xh + h @ W_hh + b_h
    i, f, o = (tg.sigmoid(a[..., k * H : (k + 1) * H]) for k in range(3))
    g = tg.tanh(a[..., 3 * H :])
    c = f * c + i * g
    return o * tg.tanh(c), c, SimpleNamespace(i=i, f=f, o=o, g=g)


def lstm(T=5, B=2, D=3, H=4, seed=0, forget=1.0, scale=0.5):
    rng = np.random.default_rng(seed)
    W_xh, W_hh, b_h = (weight(rng, *s, scale=scale) for s in ((D, 4 * H), (H, 4 * H), (4 * H,)))
    b_h.data[H : 2 * H] += forget
    X = rng.normal(size=(T, B, D))
    h, c = weight(rng, B, H), weight(rng, B, H)
    states, gates = [(h, c)], []
    for t in range(T):
        with tg.step(t):
            h, c, gate = lstm_step(X[t], h, c, W_xh, W_hh, b_h)
        states.append((h, c))
        gates.append(gate)
    return SimpleNamespace(W_xh=W_xh, W_hh=W_hh, b_h=b_h, X=X, states=states, gates=gates)
