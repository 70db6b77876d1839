"""What the instruments ask of a recorded graph: what a tensor was made from, and how long an array is."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from .. import backend, core
from ..core import Node, Tensor
from ..fusion import FORMERLY_FUSED, unroll
from ..recording import State, Surroundings


def ancestors(outputs: Sequence[Tensor]) -> list[Node]:
    """The nodes that `outputs` were made by, oldest first; fused ones are unrolled, so that each step is there."""
    unroll(*outputs)
    found = set[Node]()
    waiting: list[Any] = list(outputs)
    while waiting:
        x = waiting.pop()
        if not isinstance(x, Tensor) or x.node is None:
            continue
        if x.node.op in FORMERLY_FUSED:  # each of its outputs was made by one of its inputs alone
            found.add(x.node)
            waiting.append(x.node.inputs[x.index])
        elif x.node not in found:
            found.add(x.node)
            waiting += x.node.inputs
    return sorted(found, key=attrgetter("order"))


def same(x: Tensor, y: Tensor) -> bool:
    """Do both stand for one tensor of the graph? (`x.node.outputs` makes new Tensors for the same output.)"""
    return x is y or (x.node is not None and x.node is y.node and x.index == y.index)


def norm(x: Any) -> float:
    """The Euclidean (for matrices: Frobenius) norm of an array or Tensor, in float64.

    The entries are divided by the largest first: a gradient that has died to 1e-200, or grown to 1e200, has a norm too,
    although the square of its entries is 0, or infinite. NaN and infinite entries give NaN and infinity.
    """
    x = core.raw(x)
    if not x.size:
        return 0.0
    xp = backend.xp(x)
    x = abs(x.astype(float) if x.dtype.kind != "c" else x)
    largest = float(x.max())
    if largest == 0 or not largest < float("inf"):
        return largest
    return largest * float(xp.sqrt(((x / largest) ** 2).sum()))


class untapped(Surroundings):
    """Inside, no tap reads a backward pass: for an instrument that runs one while it reads another."""

    def change(self, new: State) -> None:
        new.taps = ()
