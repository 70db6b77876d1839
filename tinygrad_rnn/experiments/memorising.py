"""How well a cell, given as a graph, memorises: what the searches for cells call fit."""

from __future__ import annotations

import numpy as np

from .. import nn, ops
from ..core import Tensor, tensor
from ..data import memorisation
from ..recording import no_grad
from .experiment import Size
from .training import train


def memorised(graph: nn.Graph, rate: float, rng: np.random.Generator, size: Size, gap: int) -> float:
    """The share of symbols that a layer of this cell says right, on 300 new sequences, after `size.updates` updates:
    `size.length` of `size.values` symbols, asked for after `gap` steps (`tg.data.memorisation`).

    A cell whose numbers leave the finite ones has 0.
    """
    layer = nn.Recurrent(size.values + 2, size.hidden, cell=nn.GraphCell, graph=graph, project=True, rng=rng)
    head = nn.Linear(size.hidden, size.values, rng=rng)

    def said(x: np.ndarray) -> Tensor:
        answers: Tensor = head(layer(tensor(x))[0][-size.length :])
        return answers

    def loss(update: int) -> Tensor:
        x, y = memorisation(rng, gap, size.batch, size.length, size.values)
        return ops.cross_entropy(said(x), y[-size.length :])

    with np.errstate(all="ignore"):
        train([*layer.parameters(), *head.parameters()], loss, rate, size.updates)
        x, y = memorisation(rng, gap, 300, size.length, size.values)
        with no_grad():
            logits = said(x).numpy()
    return float((logits.argmax(axis=2) == y[-size.length :]).mean()) if np.isfinite(logits).all() else 0.0
