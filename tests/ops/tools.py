"""What the tests of operations share."""

from __future__ import annotations

import numpy as np
from hypothesis import settings

import tinygrad_rnn as tg

few = settings(max_examples=25, deadline=None)
UNARY = [tg.negative, tg.exp, tg.sin, tg.cos, tg.tanh, tg.sigmoid, tg.relu, tg.leaky_relu, tg.elu, tg.softplus, tg.abs]
BINARY = [tg.add, tg.subtract, tg.multiply, tg.maximum, tg.minimum, tg.divide]


def leaf(x, dtype=np.float64) -> tg.Tensor:
    return tg.tensor(np.asarray(x, dtype), requires_grad=True)


def gradient(f, *xs):
    """The gradients of sum(f(*xs)) as arrays; one array, for one input."""
    leaves = [leaf(x) for x in xs]
    got = tg.grad(tg.sum(f(*leaves)), leaves)
    return got[0].numpy() if len(xs) == 1 else tuple(g.numpy() for g in got)
