"""The ledger: what each use of a shared weight contributed to its gradient.

BPTT's gradient of a shared W is a sum over time (Werbos 1990; Goodfellow et al. 2016, section 10.2.2),
dL/dW = sum_t dL/dW_t, where W_t is the copy of W that step t uses. The sum hides who paid what; the ledger keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, overload
from weakref import WeakKeyDictionary

import numpy as np

from .. import backend
from ..autograd import grad, key_of
from ..core import Node, Tensor, describe
from ..fusion import unroll
from ..recording import Tap, tap
from .graphs import norm, same, untapped

Step = int | None


@dataclass(frozen=True, eq=False)
class Ledger:
    """The gradient of one loss for one weight, use by use, in the order of the steps.

    `steps (uses,)`: the step of each use; uses outside any step are one, with step None, and come first.
    `norms (uses,)`: the Euclidean norm of each contribution, as float64. `contributions (uses, *W.shape)`: dL/dW_t, an
    array on W's device whose sum over the first axis is dL/dW; None where only norms were asked for.
    `name`: the weight's.
    """

    steps: tuple[Step, ...]
    norms: np.ndarray
    contributions: Any
    name: str

    def __len__(self) -> int:
        return len(self.steps)

    def __repr__(self) -> str:
        if not len(self):
            return f"<ledger of {self.name}: no uses>"
        low, high = self.norms.min(), self.norms.max()
        return f"<ledger of {self.name}: {len(self)} uses, contributions of norm {low:.3g} to {high:.3g}>"


@dataclass(frozen=True, eq=False)
class Table:
    """Who owes what to whom: `norms (losses, uses)`, the norm of what use k contributed to dL_t/dW, 0 where it did not.

    `loss_steps (losses,)`: the step in which each loss was made (its position in the list, where that was outside any).
    `steps (uses,)`: as in a Ledger. With one loss and one use a step, it is lower triangular.
    """

    norms: np.ndarray
    loss_steps: tuple[int, ...]
    steps: tuple[Step, ...]
    name: str

    def __repr__(self) -> str:
        return f"<table of {self.name}: {len(self.loss_steps)} losses, {len(self.steps)} uses>"


@overload
def ledger(loss: Tensor, W: Tensor, keep: bool = True) -> Ledger: ...
@overload
def ledger(loss: Sequence[Tensor], W: Tensor, keep: bool = True) -> Table: ...
def ledger(loss: Any, W: Tensor, keep: bool = True) -> Any:
    """What each use of `W` contributed to dL/dW, as a Ledger; for a list of scalar losses, a Table of norms.

    One contribution a step: uses in the same `tg.step(t)` are one use. A use is counted at the edge that enters a step,
    so `W.T`, a slice or `X @ W` made outside the loop and used within is a use of W at each step that reads it.
    `keep=False` keeps the norms only, in the memory of about one gradient (inside `tg.checkpoint`: of all of them). A
    Table takes one backward pass a loss and keeps norms only.

    Raises ValueError where a loss does not depend on W, or is not a scalar; TypeError for what is no Tensor.

    >>> import tinygrad_rnn as tg
    >>> w, h = tg.tensor(2.0, requires_grad=True, name="w"), 1.0
    >>> for t in range(3):
    ...     with tg.step(t):
    ...         h = w * h
    >>> account = ledger(h, w)  # h_3 = w^3 h_0: each of the three uses gives w^2
    >>> account.steps, account.contributions
    ((0, 1, 2), array([4., 4., 4.], dtype=float32))
    """
    if not isinstance(W, Tensor):
        raise TypeError(f"ledger: give the weight itself, a Tensor such as cell.W_hh, not {W!r:.40}")
    if isinstance(loss, Tensor):
        return _ledger(loss, W, keep)
    losses = tuple(loss) if isinstance(loss, (list, tuple)) else (loss,)
    if wrong := [x for x in losses if not isinstance(x, Tensor)]:
        raise TypeError(f"ledger: give a scalar loss, a Tensor, or a list of them, not {type(wrong[0]).__name__}")
    if not losses:
        raise ValueError("ledger: the list of losses is empty: give at least one")
    rows: list[dict[Step, float]] = []
    for one in losses:
        row: dict[Step, float] = {}
        _account(one, W, lambda step, c, row=row: row.__setitem__(step, norm(c)))  # type: ignore[misc]
        rows.append(row)
    steps = _in_order({step for row in rows for step in row})
    norms = np.array([[row.get(step, 0.0) for step in steps] for row in rows])
    loss_steps = tuple(i if one.step is None else one.step for i, one in enumerate(losses))
    return Table(norms, loss_steps, steps, _name(W))


def _ledger(loss: Tensor, W: Tensor, keep: bool) -> Ledger:
    norms: dict[Step, float] = {}
    kept: dict[Step, Any] = {}

    def enter(step: Step, contribution: Any) -> None:
        norms[step] = norm(contribution)
        if keep:
            kept[step] = contribution

    _account(loss, W, enter)
    steps = _in_order(norms)
    contributions = None
    if keep:
        contributions = backend.xp(W.data).empty((len(steps), *W.shape), W.dtype)
        for i, step in enumerate(steps):
            contributions[i] = kept.pop(step)
    return Ledger(steps, np.array([norms[step] for step in steps]), contributions, _name(W))


def _name(W: Tensor) -> str:
    return W.name or "W"


def _in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    return tuple(sorted(steps, key=lambda step: (step is not None, step or 0)))


def _account(loss: Tensor, W: Tensor, enter: Callable[[Step, Any], None]) -> None:
    """Run one backward pass and `enter` the step and the contribution of each use of W, as soon as it is complete."""
    if not W.requires_grad:
        raise ValueError(f"ledger: {describe(W)} does not require a gradient: make it with requires_grad=True")
    unroll(loss)  # uses of W inside a fused operation are in no step
    lineage = _Lineage(W)
    kind = lineage.of(loss)
    if kind is _APART:
        raise ValueError(f"ledger: {describe(loss)} does not depend on {describe(W)}: give the tensor that the model "
                         "used (not a copy), and look for a detach or a no_grad in between")  # fmt: skip
    if kind is _OUTER:  # nothing on the way happened in a step
        enter(None, grad(loss, W)[0].data)
        return
    reader = _Uses(W, lineage, enter)
    with tap(reader):
        grad(loss, W)
    reader.close(list(reader.open))


# How a tensor comes from W: not at all; W itself, or made from W outside any step; or with a step on the way.
_APART, _OUTER, _INNER = "apart", "outer", "inner"


class _Lineage:
    """Of each tensor: how it comes from W. A loop, so that long graphs are no matter; every node is asked once."""

    def __init__(self, W: Tensor) -> None:
        self.W = W
        self.known: WeakKeyDictionary[Node, str] = WeakKeyDictionary()
        self.first_use: dict[Step, float] = {}  # of each step: the number of the oldest node that uses W there
        self.hidden = False  # is there a node that builds its graph, with uses of its own, only in the backward pass?

    def of(self, x: Tensor) -> str:
        if same(x, self.W):
            return _OUTER
        return _APART if x.node is None else self.of_node(x.node)

    def of_node(self, node: Node) -> str:
        waiting = [node]
        while waiting:
            top = waiting[-1]
            inputs = [x for x in top.inputs if isinstance(x, Tensor)]
            older = [x.node for x in inputs
                     if x.node is not None and x.node not in self.known and not same(x, self.W)]  # fmt: skip
            if older and top not in self.known:
                waiting += older
                continue
            waiting.pop()
            if top not in self.known:
                self.known[top] = self._judge(top, [self._known(x) for x in inputs])
        return self.known[node]

    def _known(self, x: Tensor) -> str:
        return _OUTER if same(x, self.W) else _APART if x.node is None else self.known[x.node]

    def _judge(self, node: Node, inputs: list[str]) -> str:
        if all(kind is _APART for kind in inputs):
            return _APART
        if node.step is None and _INNER not in inputs and not node.op.replays:
            return _OUTER
        if _OUTER in inputs:
            self.first_use[node.step] = min(node.order, self.first_use.get(node.step, node.order))
        self.hidden = self.hidden or node.op.replays
        return _INNER


class _Uses(Tap):
    """Reads the edges on which gradient leaves the steps for W, or for what was made from W outside them.

    Contributions to one step are summed. Nodes fire newest first, so a step is complete when the oldest node that uses
    W in it has fired; then it is entered, and forgotten here.
    """

    def __init__(self, W: Tensor, lineage: _Lineage, enter: Callable[[Step, Any], None]) -> None:
        super().__init__()
        self.W, self.lineage, self.enter = W, lineage, enter
        self.open: dict[Step, dict[Any, tuple[Tensor, Any]]] = {}

    def edge(self, node: Node, argument: int, parent: Tensor, contribution: Any) -> None:
        if self.lineage.of(parent) is not _OUTER or self.lineage.of_node(node) is not _INNER:
            return
        entry = self.open.setdefault(node.step, {})
        key = key_of(parent)
        entry[key] = (parent, entry[key][1] + contribution if key in entry else contribution)

    def node(self, node: Node, gradients: Any) -> None:
        if not self.lineage.hidden:
            self.close([step for step in self.open if node.order < self.lineage.first_use[step]])

    def close(self, steps: list[Step]) -> None:
        for step in steps:
            self.enter(step, self._pulled_back(list(self.open.pop(step).values())))

    def _pulled_back(self, arrivals: list[tuple[Tensor, Any]]) -> Any:
        """dL/dW_t, from what arrived at W and at the tensors that were made from it outside the steps."""
        at_W = [c for x, c in arrivals if same(x, self.W)]
        made = [(x, c) for x, c in arrivals if not same(x, self.W)]
        total = at_W[0] if at_W else None
        if made:
            with untapped():
                pulled = grad([x for x, _ in made], self.W, [c for _, c in made])[0].data
            total = pulled if total is None else total + pulled
        return total
