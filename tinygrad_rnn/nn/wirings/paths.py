"""How many layers lie between two states of an unrolled network: by formula, and counted in the recorded graph."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...autograd import reachable
from ...core import Node, Tensor, describe
from ...fusion import unroll, unrolled
from ..cells import RNNCell
from ..recurrent import Recurrent
from .deep import DeepTransitionCell


class PathLength(NamedTuple):
    """The weight matrices on the way with the fewest and on that with the most of them."""

    shortest: int
    longest: int


def path_length(layer: Recurrent, lag: int) -> PathLength:
    """How many weight matrices a signal passes from the lowest layer's state h_{t-lag} to the highest layer's h_t.

    A simple recurrence takes one a step, a transition of d layers d, or with a way past as few as 1 and as many as d;
    a stack of L takes L - 1 more, on the way up (for layers of one kind; a deep input makes that longer). Goodfellow,
    Bengio and Courville ("Deep Learning", 2016, section 10.5): depth inside the step may make learning harder, because
    it lengthens the shortest path, and skip connections are there against it. Raises ValueError for cells whose ways
    are not counted by formula (`measured_path_length` counts any graph), for both directions, and for lag < 0.

    >>> from tinygrad_rnn import nn
    >>> path_length(nn.RNN(3, 5, num_layers=4), lag=10)
    PathLength(shortest=13, longest=13)
    >>> path_length(nn.wirings.DeepRNN(3, 5, transition_depth=4, skip=True), lag=10)
    PathLength(shortest=10, longest=40)
    """
    if lag < 0 or layer.bidirectional:
        raise ValueError(f"path_length: takes a lag of 0 or more in one direction, not {lag} in "
                         f"{type(layer).__name__}({layer.describe()})")  # fmt: skip
    cells = [each.forward for each in layer.layers]
    strange = next((cell for cell in cells if not isinstance(cell, (RNNCell, DeepTransitionCell))), None)
    if strange is not None:
        raise ValueError(f"path_length: there is no formula for a {type(strange).__name__}: record a run and count its "
                         "ways with measured_path_length(start, end)")  # fmt: skip
    deep = [cell for cell in cells if isinstance(cell, DeepTransitionCell)]
    over = max((cell.transition_depth for cell in deep), default=1)  # all of a layer's cells are of one kind
    past = 1 if any(cell.skip for cell in deep) else over
    up = sum(cell.input_depth + cell.transition_depth - 1 for cell in deep[1:]) if deep else len(cells) - 1
    return PathLength(lag * past + up, lag * over + up)


def measured_path_length(start: Tensor, end: Tensor, counted: tuple[str, ...] = ("matmul", "affine")) -> PathLength:
    """The fewest and the most operations of the kinds `counted` on the ways from `start` to `end` in the graph.

    What is fused is unrolled, as for a picture, and step t of a stack of steps is what was stacked there. Raises
    ValueError where no way leads from one to the other.

    >>> from tinygrad_rnn import nn, tensor
    >>> layer, h0 = nn.RNN(3, 5, num_layers=4, kernel="unrolled"), tensor(np.zeros((1, 5)), requires_grad=True)
    >>> outputs, _ = layer(np.ones((10, 1, 3)), (h0, None, None, None))
    >>> measured_path_length(h0, outputs[9])
    PathLength(shortest=13, longest=13)
    """
    unroll(end)
    found: dict[Node, PathLength] = {}
    for node in reversed(reachable((end,), -1)):
        ways = [way for x in node.inputs if (way := _at(x, start, found)) is not None]
        if ways:
            one = int(node.op.name in counted)
            found[node] = PathLength(min(way.shortest for way in ways) + one, max(way.longest for way in ways) + one)
    way = _at(end, start, found)
    if way is None:
        raise ValueError(f"measured_path_length: nothing leads from {describe(start)} to {describe(end)}: give tensors "
                         "of one recorded run, the earlier one first")  # fmt: skip
    return way


def _at(x: Any, start: Tensor, found: dict[Node, PathLength]) -> PathLength | None:
    """The ways from `start` to x, an input of a node or the end; None where there is none."""
    if not isinstance(x, Tensor):
        return None
    if x is start or (x.node is not None and x.node is start.node and x.index == start.index):
        return PathLength(0, 0)
    taken = _taken(x)
    if taken is not x:
        return _at(taken, start, found)
    return found.get(x.node) if x.node is not None else None


def _taken(x: Any) -> Any:
    """x, or where it is step t of a stack of steps, what was stacked there."""
    node = x.node if isinstance(x, Tensor) else None
    if node is None:
        return x
    if node.op is unrolled:
        return node.inputs[x.index]
    if node.op.name not in ("unstack", "getitem") or node.params.get("axis", 0) != 0:
        return x
    place = x.index if node.op.name == "unstack" else node.params["index"]
    whole = node.inputs[0]
    while (below := _taken(whole)) is not whole:
        whole = below
    made = whole.node if isinstance(whole, Tensor) else None
    if made is None or made.op.name != "stack" or made.params["axis"] != 0 or not isinstance(place, int | np.integer):
        return x
    return made.inputs[place]
