"""The models that `tinygrad-rnn draw NAME` knows: each gives the output of a run on `T` steps, ready to be drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import nn, ops
from ..core import Tensor, tensor
from ..nn.cells import Cell
from ..recording import step

__all__ = ["EXAMPLES"]

VOCABULARY = "helo"


def hello(T: int, rng: np.random.Generator) -> Tensor:
    """The character model of the lectures (cs231n, Karpathy's min-char-rnn): "hell" in, "ello" out, 3 hidden units.

    Longer sequences go on with the word from its start.
    """
    text = [VOCABULARY.index(letter) for letter in ("hello" * (T // 5 + 2))]
    W_xh = tensor(rng.normal(0, 0.5, (4, 3)), requires_grad=True, name="W_xh")
    W_hh = tensor(rng.normal(0, 0.5, (3, 3)), requires_grad=True, name="W_hh")
    b_h = tensor(np.zeros(3), requires_grad=True, name="b_h")
    W_hy = tensor(rng.normal(0, 0.5, (3, 4)), requires_grad=True, name="W_hy")
    b_y = tensor(np.zeros(4), requires_grad=True, name="b_y")
    h = tensor(np.zeros((1, 3)), name="h_0")
    losses = []
    for t in range(T):
        with step(t):
            x = ops.one_hot(np.array([text[t]]), 4, np.float64)
            h = ops.tanh(x @ W_xh + h @ W_hh + b_h)
            losses.append(ops.cross_entropy(h @ W_hy + b_y, np.array([text[t + 1]])))
    return _total(losses)


def _total(losses: list[Tensor]) -> Tensor:
    total = losses[0]
    for loss in losses[1:]:
        total = total + loss
    return total


def _recurrent(cell: type[Cell], T: int, rng: np.random.Generator, D: int = 3, **options: Any) -> Tensor:
    """A layer over a random sequence (B=2, D=3, H=5) with a linear readout and a cross-entropy in each step."""
    layer = nn.Recurrent(D, 5, cell=cell, kernel="unrolled", dtype=np.float64, rng=rng, **options)
    readout = nn.Linear(5, 4, dtype=np.float64, rng=rng)
    readout.W.named("W_hy")
    readout.b.named("b_y")  # type: ignore[union-attr]
    x, targets = rng.normal(size=(T, 2, D)), rng.integers(0, 4, (T, 2))
    outputs, _ = layer(tensor(x, requires_grad=cell is nn.ReservoirCell))  # where nothing learns, nothing is recorded
    losses = []
    for t, h in enumerate(ops.unstack(outputs)):
        with step(t):
            losses.append(ops.cross_entropy(readout(h), targets[t]))
    return _total(losses)


def elman(T: int, rng: np.random.Generator) -> Tensor:
    """Elman's network, tanh (1990)."""
    return _recurrent(nn.RNNCell, T, rng)


def lstm(T: int, rng: np.random.Generator) -> Tensor:
    """Long short-term memory."""
    return _recurrent(nn.LSTMCell, T, rng)


def gru(T: int, rng: np.random.Generator) -> Tensor:
    """Gated recurrent units."""
    return _recurrent(nn.GRUCell, T, rng)


def incomplete(T: int, rng: np.random.Generator) -> Tensor:
    """The LSTM without any gate: the cell state only adds."""
    return _recurrent(nn.IncompleteLSTMCell, T, rng)


def lstm97(T: int, rng: np.random.Generator) -> Tensor:
    """The LSTM of 1997: no forget gate."""
    return _recurrent(nn.LSTM97Cell, T, rng)


def peephole(T: int, rng: np.random.Generator) -> Tensor:
    """The LSTM whose gates see the cell state."""
    return _recurrent(nn.PeepholeLSTMCell, T, rng)


def coupled(T: int, rng: np.random.Generator) -> Tensor:
    """The LSTM that forgets what it overwrites: f = 1 - i."""
    return _recurrent(nn.LSTMVariantCell, T, rng, variant="CIFG+NP")


def mut1(T: int, rng: np.random.Generator) -> Tensor:
    """MUT1, which a search found (2015)."""
    return _recurrent(nn.MUT1Cell, T, rng, D=5)


def mut2(T: int, rng: np.random.Generator) -> Tensor:
    """MUT2, which a search found (2015)."""
    return _recurrent(nn.MUT2Cell, T, rng, D=5)


def mut3(T: int, rng: np.random.Generator) -> Tensor:
    """MUT3, which a search found (2015)."""
    return _recurrent(nn.MUT3Cell, T, rng)


def highway(T: int, rng: np.random.Generator) -> Tensor:
    """A highway along time: one gate says how much is new."""
    return _recurrent(nn.HighwayCell, T, rng)


def residual(T: int, rng: np.random.Generator) -> Tensor:
    """A skip connection from step to step."""
    return _recurrent(nn.ResidualCell, T, rng)


def irnn(T: int, rng: np.random.Generator) -> Tensor:
    """A relu network that starts as the identity."""
    return _recurrent(nn.IRNNCell, T, rng)


def mrnn(T: int, rng: np.random.Generator) -> Tensor:
    """The multiplicative RNN: each input has a recurrent matrix of its own."""
    return _recurrent(nn.MultiplicativeRNNCell, T, rng)


def reservoir(T: int, rng: np.random.Generator) -> Tensor:
    """An echo state network's reservoir of leaky units, and its read-out."""
    return _recurrent(nn.ReservoirCell, T, rng, leak=0.3)


def product(T: int, rng: np.random.Generator) -> Tensor:
    """z = xy at x = -2, y = 3: the gradient of each is the value of the other."""
    x, y = tensor(-2.0, requires_grad=True, name="x"), tensor(3.0, requires_grad=True, name="y")
    return (x * y).named("z")


def logistic(T: int, rng: np.random.Generator) -> Tensor:
    """sigma(xw + b), one neuron."""
    x, w, b = (tensor(value, requires_grad=True, name=name) for value, name in ((1.5, "x"), (-0.8, "w"), (0.4, "b")))
    return ops.sigmoid(x * w + b).named("y")


def layer(T: int, rng: np.random.Generator) -> Tensor:
    """relu(XW + b), one layer on a batch."""
    X = tensor(rng.normal(size=(4, 3)), name="X")
    W, b = (
        tensor(rng.normal(size=(3, 2)), requires_grad=True, name="W"),
        tensor(np.zeros(2), requires_grad=True, name="b"),
    )
    return ops.relu(X @ W + b).named("Y")


def shared(T: int, rng: np.random.Generator) -> Tensor:
    """Regression with weight decay: W feeds the prediction and the penalty, and its gradient is the sum of both."""
    X, y = tensor(rng.normal(size=(4, 2)), name="X"), tensor(rng.normal(size=(4, 1)), name="y")
    W = tensor(rng.normal(size=(2, 1)), requires_grad=True, name="W")
    error = X @ W - y
    return (ops.mean(error * error) + 0.1 * ops.sum(W * W)).named("L")


EXAMPLES: dict[str, Callable[[int, np.random.Generator], Tensor]] = {
    "hello": hello, "elman": elman, "lstm": lstm, "gru": gru,
    "incomplete": incomplete, "lstm97": lstm97, "peephole": peephole, "coupled": coupled,
    "mut1": mut1, "mut2": mut2, "mut3": mut3, "highway": highway, "residual": residual, "irnn": irnn,
    "mrnn": mrnn, "reservoir": reservoir,
    "product": product, "logistic": logistic, "layer": layer, "shared": shared,
}  # fmt: skip
"""By name: functions of the number of steps T (which those without time ignore) and a random generator."""
