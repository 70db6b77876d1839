"""Recursive networks: a tree in place of the chain, with the same weights at every node."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ... import ops
from ...core import Node, Tensor
from ...recording import watched_closely
from .. import init
from ..layers import Generator, parameter
from ..module import Module

Tree = Any
"""A leaf is an integer, its symbol; a node is `(left, right)`, or `(left, symbol, right)` where it has one itself."""


class RecursiveNetwork(Module):
    """`h = network(trees)`: the vectors h (B, H) at the roots of B binary trees (Pollack 1990; Goodfellow, Bengio &
    Courville 2016, section 10.6).

    Every node of every tree, leaves too, is

        h = tanh(x W_xh + h_left W_left + h_right W_right + b_h)

    with x (V,) the one-hot symbol of the node; a leaf has no children and a node `(left, right)` no symbol, and what is
    missing is left out. A chain `(((a, b), c), d)` of tau symbols is a recurrent network, with tau nonlinearities one
    after the other from the first to the root; a balanced tree has about log2(tau).

    All nodes of one height are computed at once; `kernel="unrolled"`, and "auto" inside `tg.trace`, takes node after
    node, each in a scope of its own, to be looked at. Raises ValueError for what is no tree.
    """

    name = "tree"

    def __init__(self, size: int, hidden_size: int, *, kernel: str = "auto", rng: Generator = None,
                 dtype: Any = np.float32, device: str | None = None) -> None:  # fmt: skip
        if kernel not in ("auto", "batched", "unrolled"):
            raise ValueError(f'RecursiveNetwork: kernel is "auto", "batched" or "unrolled", not {kernel!r}')
        draw, H = np.random.default_rng(rng), hidden_size
        self.size, self.hidden_size, self.kernel = size, hidden_size, kernel
        self.W_xh = parameter(init.normal((size, H), draw, dtype=dtype), "W_xh", device)
        self.W_left = parameter(init.uniform((H, H), draw, 1 / np.sqrt(H), dtype), "W_left", device)
        self.W_right = parameter(init.uniform((H, H), draw, 1 / np.sqrt(H), dtype), "W_right", device)
        self.b_h = parameter(init.zeros((H,), dtype), "b_h", device)

    def forward(self, trees: Sequence[Tree]) -> Any:
        plan = Plan(trees, self.size)
        alone = self.kernel == "unrolled" or (self.kernel == "auto" and watched_closely())
        groups = [[node] for node in range(len(plan.height))] if alone else plan.levels()
        found: list[Any] = []  # h of each group in turn
        place = np.zeros((len(plan.height), 2), int)  # the group that a node is in, and which of it
        for group in groups:
            place[group] = [(len(found), row) for row in range(len(group))]
            found.append(self._compose(plan, np.array(group), found, place))
        return _gather(found, place[plan.roots])

    def _compose(self, plan: Plan, group: np.ndarray, found: list[Any], place: np.ndarray) -> Any:
        """h of the nodes of one group, which have children all or none, and symbols all or none."""
        a: Any = self.b_h
        if plan.symbol[group[0]] >= 0:
            a = ops.take(self.W_xh, plan.symbol[group]) + a
        if plan.left[group[0]] >= 0:
            a = _gather(found, place[plan.left[group]]) @ self.W_left + a
            a = _gather(found, place[plan.right[group]]) @ self.W_right + a
        return ops.tanh(a).named("h")

    def describe(self) -> str:
        return f"{self.size}, {self.hidden_size}"


class Plan:
    """The nodes of some trees, children before parents: `symbol`, `left` and `right` (N,), -1 where a node has none,
    `height` (N,) above its deepest leaf, and the `roots` (B,)."""

    def __init__(self, trees: Sequence[Tree], size: int) -> None:
        rows: list[tuple[int, int, int, int]] = []
        self.roots = np.array([_file(tree, rows, size) for tree in trees], int)
        if not len(self.roots):
            raise ValueError("RecursiveNetwork takes a list of trees, and there is none in it")
        self.symbol, self.left, self.right, self.height = np.array(rows, int).T

    def levels(self) -> Iterable[np.ndarray]:
        """Nodes that can be computed at once: those of one height, with symbols apart from those without."""
        for height in range(self.height.max() + 1):
            for has in (True, False):
                group = np.flatnonzero((self.height == height) & ((self.symbol >= 0) == has))
                if len(group):
                    yield group


def _file(tree: Tree, rows: list[tuple[int, int, int, int]], size: int) -> int:
    """Add the nodes of a tree, without recursion, as a chain may be long; the number of its root."""
    waiting: list[tuple[Tree, bool]] = [(tree, False)]
    done: list[int] = []  # subtrees whose parent is not there yet
    while waiting:
        node, children_done = waiting.pop()
        if isinstance(node, (tuple, list)) and len(node) in (2, 3):
            if not children_done:
                waiting += [(node, True), (node[-1], False), (node[0], False)]
                continue
            right, left = done.pop(), done.pop()
            symbol = _symbol(node[1], size) if len(node) == 3 else -1
            rows.append((symbol, left, right, 1 + max(rows[left][3], rows[right][3])))
        else:
            rows.append((_symbol(node, size), -1, -1, 0))
        done.append(len(rows) - 1)
    return done[0]


def _symbol(x: Any, size: int) -> int:
    if not isinstance(x, (int, np.integer)) or not 0 <= x < size:
        raise ValueError(f"a tree is (left, right), (left, symbol, right) or a symbol from 0 to {size - 1}, not {x!r}")
    return int(x)


def _gather(found: list[Any], places: np.ndarray) -> Any:
    """The rows of `found` at places (N, 2) of (group, row), as one (N, H)."""
    groups = np.unique(places[:, 0])
    if len(groups) == 1:
        only = found[groups[0]]
        return only if np.array_equal(places[:, 1], np.arange(only.shape[0])) else ops.take(only, places[:, 1])
    starts = np.zeros(len(found), int)
    starts[groups] = np.cumsum([0, *(found[g].shape[0] for g in groups[:-1])])
    return ops.take(ops.concat([found[g] for g in groups]), starts[places[:, 0]] + places[:, 1])


def chain(symbols: Sequence[Tree]) -> Tree:
    """The tree that is a chain: `(((a, b), c), d)`."""
    tree = symbols[0]
    for symbol in symbols[1:]:
        tree = (tree, symbol)
    return tree


def balanced(symbols: Sequence[Tree]) -> Tree:
    """The tree that is as flat as can be: `((a, b), (c, d))`."""
    if len(symbols) == 1:
        return symbols[0]
    half = (len(symbols) + 1) // 2
    return balanced(symbols[:half]), balanced(symbols[half:])


def nonlinear_depth(y: Tensor, op: str = "tanh") -> int:
    """How many operations `op` lie on the longest path of the recorded graph from any leaf to y: the depth of a
    network, counted in nonlinearities.

    >>> network = RecursiveNetwork(2, 3, rng=0)
    >>> [nonlinear_depth(network([shape([0, 1] * 16)])) for shape in (chain, balanced)]
    [32, 6]
    """
    depth: dict[Node, int] = {}
    waiting = [] if y.node is None else [y.node]
    while waiting:
        node = waiting[-1]
        before = [x.node for x in node.inputs if isinstance(x, Tensor) and x.node is not None]
        missing = [n for n in before if n not in depth]
        if missing:
            waiting += missing
            continue
        depth[node] = max((depth[n] for n in before), default=0) + (node.op.name == op)
        waiting.pop()
    return depth[y.node] if y.node is not None else 0
