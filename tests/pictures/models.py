"""Small computations to draw: hand-written loops, bare layers, runs that fail."""

from __future__ import annotations

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import nn


def elman(T=4, names=True, readout=True, hoisted=False):
    """A hand-written loop; the loss is summed outside the steps. B=2, D=3, H=5, C=4."""
    r = np.random.default_rng(0)

    def leaf(shape, name):
        return tg.tensor(r.normal(size=shape) * 0.4, requires_grad=True, name=name if names else None)

    W_xh, W_hh, b_h, W_hy, b_y = (
        leaf((3, 5), "W_xh"),
        leaf((5, 5), "W_hh"),
        leaf((5,), "b_h"),
        leaf((5, 4), "W_hy"),
        leaf((4,), "b_y"),
    )
    x, targets = r.normal(size=(T, 2, 3)), r.integers(0, 4, size=(T, 2))
    W = W_hh.T if hoisted else W_hh
    h, loss = tg.tensor(np.zeros((2, 5))), 0.0
    for t in range(T):
        with tg.step(t):
            h = tg.tanh(x[t] @ W_xh + h @ W + b_h)
            part = tg.cross_entropy(h @ W_hy + b_y, targets[t]) if readout else None
        if part is not None:
            loss = loss + part
    return (loss if readout else h.sum()), (W_xh, W_hh, b_h, W_hy, b_y)


def lstm(T=4, H=5, names=(None, None)):
    """A hand-written LSTM without a name anywhere but for the states' start; the loss is accumulated in the steps."""
    r = np.random.default_rng(0)
    W_xh = tg.tensor(r.normal(size=(3, 4 * H)) * 0.5, requires_grad=True)
    W_hh = tg.tensor(r.normal(size=(H, 4 * H)) * 0.3, requires_grad=True)
    (h, c), loss = (tg.tensor(np.zeros((2, H)), name=name) for name in names), 0.0
    for t in range(T):
        with tg.step(t):
            i, f, o, g = tg.split(r.normal(size=(2, 3)) @ W_xh + h @ W_hh, 4, axis=1)
            c = tg.sigmoid(f) * c + tg.sigmoid(i) * tg.tanh(g)
            h = tg.sigmoid(o) * tg.tanh(c)
            loss = loss + (h * h).sum()
    return loss


def incomplete(T=3, h_0=True, c_0=True):
    """The incomplete LSTM, c = c + tanh(...) and h = tanh(c), from states that are given or left out."""
    r = np.random.default_rng(0)
    W_xh, W_hh = (tg.tensor(r.normal(size=(n, 2)), requires_grad=True, name=name)
                  for n, name in ((3, "W_xh"), (2, "W_hh")))  # fmt: skip
    h, c = (tg.tensor(np.zeros((1, 2)), name=name) if given else None for given, name in ((h_0, "h_0"), (c_0, "c_0")))
    for t in range(T):
        with tg.step(t):
            a = r.normal(size=(1, 3)) @ W_xh
            new = tg.tanh(a if h is None else a + h @ W_hh)
            c = (new if c is None else c + new).named("c")
            h = tg.tanh(c).named("h")
    return h.sum()


def scalar(T=4):
    """h = tanh(w h + u x) in plain numbers."""
    w, u = tg.tensor(1.3, requires_grad=True, name="w"), tg.tensor(0.8, requires_grad=True, name="u")
    h, inputs = tg.tensor(0.5), [1.0, -0.5, 0.8, 0.3]
    for t in range(T):
        with tg.step(t):
            h = tg.tanh(w * h + u * inputs[t % 4])
    return 0.5 * (h - 0.2) ** 2, w, u


def failed(at=2):
    """A trace of a loop whose input has the wrong width from step `at` on."""
    r = np.random.default_rng(0)
    W_xh = tg.tensor(r.normal(size=(3, 5)), requires_grad=True, name="W_xh")
    W_hh = tg.tensor(r.normal(size=(5, 5)), requires_grad=True, name="W_hh")
    h = tg.tensor(np.zeros((2, 5)))
    try:
        with tg.trace() as tr:
            for t in range(4):
                with tg.step(t):
                    h = tg.tanh(r.normal(size=(2, 3 if t < at else 4)) @ W_xh + h @ W_hh)
    except ValueError:
        return tr
    raise AssertionError("it should have failed")


def failed_inside(at=2):
    """A trace of an LSTM that fails in step `at`, after c and before h."""
    r = np.random.default_rng(0)
    W = tg.tensor(r.normal(size=(5, 20)), requires_grad=True)
    h, c = tg.tensor(np.zeros((2, 5))), tg.tensor(np.zeros((2, 5)))
    try:
        with tg.trace() as tr:
            for t in range(4):
                with tg.step(t):
                    i, f, o, g = tg.split(r.normal(size=(2, 20)) + h @ W, 4, axis=1)
                    c = tg.sigmoid(f) * c + tg.sigmoid(i) * tg.tanh(g)
                    h = tg.tanh(c) * (tg.sigmoid(o) if t < at else np.ones((3, 5)))
    except ValueError:
        return tr
    raise AssertionError("it should have failed")


def truncated(T=6, k=3):
    """Truncated BPTT: the state is detached before step k."""
    r = np.random.default_rng(0)
    W_xh = tg.tensor(r.normal(size=(3, 5)), requires_grad=True, name="W_xh")
    W_hh = tg.tensor(r.normal(size=(5, 5)) * 0.3, requires_grad=True, name="W_hh")
    h, losses = tg.tensor(np.zeros((2, 5))), []
    for t in range(T):
        h = h.detach() if t == k else h
        with tg.step(t):
            h = tg.tanh(r.normal(size=(2, 3)) @ W_xh + h @ W_hh)
            losses.append((h * h).sum())
    return sum(losses)


def layer(kind, T=4, track=False, **options):
    """A bare layer of tg.nn: no output or loss per step."""
    r = np.random.default_rng(0)
    x = tg.tensor(r.normal(size=(T, 2, 3)).astype(np.float32), requires_grad=track)
    outputs, _ = getattr(nn, kind)(3, 5, rng=0, **options)(x)
    return outputs


ALL = {
    "elman": lambda: elman()[0],
    "without names": lambda: elman(names=False)[0],
    "last loss only": lambda: elman(readout=False)[0],
    "hoisted": lambda: elman(hoisted=True)[0],
    "lstm": lstm,
    "incomplete": incomplete,
    "incomplete from nothing": lambda: incomplete(h_0=False, c_0=False),
    "scalar": lambda: scalar()[0],
    "failed": failed,
    "failed at once": lambda: failed(0),
    "failed inside": failed_inside,
    "truncated": truncated,
    "RNN": lambda: layer("RNN"),
    "LSTM": lambda: layer("LSTM"),
    "GRU": lambda: layer("GRU"),
    "tracked input": lambda: layer("LSTM", track=True),
    "stacked": lambda: layer("RNN", num_layers=2),
    "both ways": lambda: layer("LSTM", num_layers=2, bidirectional=True),
    "one step": lambda: layer("RNN", T=1),
    "long": lambda: layer("LSTM", T=40),
}  # fmt: skip
