"""The Jacobian of one step, from the graph that recorded it: whole, and along the direct path alone."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from .. import backend
from ..autograd import key_of, send_back
from ..core import Node, Tensor, describe
from ..recording import enable_grad
from .graphs import ancestors, same, untapped

# Operations along which a state travels as itself, times a gate or plus something: the constant error carousel.
CAROUSEL = {"add", "subtract", "multiply", "divide", "negative", "where", "dropout", "copy", "cast"}

State = tuple[Tensor, ...]


def order(x: Tensor) -> float:
    """How late `x` was made: its node's number, -1 for a leaf."""
    return -1 if x.node is None else x.node.order


def flat(array: Any, sample: int) -> np.ndarray:
    """The numbers of one sample: a row of (B, ...), all of (H,)."""
    array = backend.to_numpy(array)
    return np.asarray(array[sample] if array.ndim > 1 else array, float).reshape(-1)


def matrix_between(new: State, old: State, since: float, sample: int) -> np.ndarray:
    """d(new)/d(old) for one sample, one row a walk over the nodes made after number `since` only."""
    keys = [key_of(x) for x in old]
    rows = []
    with enable_grad(), untapped():
        for y in new:
            xp = backend.xp(y.data)
            for entry in range(flat(y.data, sample).size):
                seed = xp.zeros_like(y.data)
                (seed[sample] if y.ndim > 1 else seed).reshape(-1)[entry] = 1
                arrived = send_back([(y, seed)], set(keys), since=since)
                parts = [arrived[k] if k in arrived else xp.zeros_like(x.data) for k, x in zip(keys, old, strict=True)]
                rows.append(np.concatenate([flat(part, sample) for part in parts]))
    return np.stack(rows)


def check_whole(states: list[State], since: list[float]) -> None:
    """ValueError unless each state depends on earlier ones, and that through its predecessor alone."""
    index = {key_of(x) for state in states[:-1] for x in state}
    depends: set[Node | None] = set()
    for node in ancestors(states[-1]):
        if any(isinstance(x, Tensor) and (key_of(x) in index or x.node in depends) for x in node.inputs):
            depends.add(node)
    for i, (old, new) in enumerate(itertools.pairwise(states)):
        if min(map(order, new)) <= since[i]:
            raise ValueError(f"jacobian_products: state {i + 1} was not made after state {i}: give them oldest first")
        ends = {key_of(x) for x in old}
        seen: set[Any] = set()
        waiting = list(new)
        while waiting:
            x = waiting.pop()
            key = key_of(x)
            if key in seen:
                continue
            seen.add(key)
            if x.node is not None and x.node.order > since[i]:
                waiting += [y for y in x.node.inputs if isinstance(y, Tensor)]
            elif key not in ends and (key in index or x.node in depends):
                raise ValueError(f"jacobian_products: state {i + 1} depends on {describe(x)} beside state {i}: give "
                                 "the whole state of a layer, such as [(h_0, c_0), (h_1, c_1), ...]")  # fmt: skip
        if not ends & seen:
            raise ValueError(f"jacobian_products: state {i + 1} does not depend on state {i}: look for a detach, or "
                             "states of two runs")  # fmt: skip


def direct_diagonal(new: Tensor, old: Tensor, since: float) -> Any:
    """The diagonal of d(new)/d(old) along the direct path, shaped like the state: gradient from `new`, let through
    elementwise sums and products only. Each operation's own rule is asked, one node at a time."""
    xp = backend.xp(new.data)
    gradients = {key_of(new): (new, xp.ones_like(new.data))}
    total = xp.zeros_like(new.data)
    while gradients:
        key = max(gradients, key=lambda key: order(gradients[key][0]))  # the newest's is complete
        x, g = gradients.pop(key)
        if same(x, old):
            total = g
        elif x.node is not None and x.node.order > since:
            if x.node.op.replays:
                raise ValueError(f"jacobian_products: {x.node.op.name} hides the direct path inside one operation: "
                                 "build the layer so that its steps are recorded")  # fmt: skip
            if x.node.op.name in CAROUSEL:
                for y, c in _through(x, g):
                    before = gradients.get(key_of(y))
                    gradients[key_of(y)] = (y, c if before is None else before[1] + c)
    return total


def _through(x: Tensor, g: Any) -> list[tuple[Tensor, Any]]:
    """The inputs of the node that made x, of x's shape, and the gradients that it passes on to them."""
    assert x.node is not None
    inputs = {key_of(y): y for y in x.node.inputs if isinstance(y, Tensor) and y.requires_grad and y.shape == x.shape}
    with enable_grad(), untapped():
        just_before = math.nextafter(x.node.order, -math.inf)  # numbers of what was unrolled are no integers
        arrived = send_back([(x, g)], set(inputs), since=just_before)
    return [(y, arrived[key]) for key, y in inputs.items() if key in arrived]
