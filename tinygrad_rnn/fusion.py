"""Fused operations and their readable twins.

A fused operation does in one piece what its twin does in many primitives: a whole LSTM over time, with a backward pass
derived by hand. It is fast, and its inside is in no graph. Whoever needs the inside (a tap, a picture, an instrument, a
gradient that is to be differentiated again) has the graph unrolled first: in place of the fused node stands what the
twin records, given the same arrays, in the same scope. The graph's tensors stay the same objects.

    @primitive(several=True)
    def lstm_sequence(x, h, c, W_xh, W_hh, b_h, /, ...): ...

    @twin(lstm_sequence)
    def _(x, h, c, W_xh, W_hh, b_h, ...):          # Tensors in, Tensors out, one step after the other
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any

from .complaints import HOME
from .core import Node, Tensor
from .primitives import Primitive, primitive
from .recording import State, Surroundings


class SlowerRoad(UserWarning):
    """A fused operation was replaced by its twin. Said once."""


def twin(op: Primitive, told: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates the function that computes what `op` does in primitives: the same arguments and parameters, with
    Tensors in place of arrays, and the same outputs, which are to be Tensors. `told`: is its use worth a warning?"""

    def keep(f: Callable[..., Any]) -> Callable[..., Any]:
        op.twin = f
        if not told:
            _quiet.add(f)
        return f

    return keep


@primitive(several=True)
def unrolled(*outputs: Any) -> Any:
    """What is left of a fused node: it hands on the outputs of its twin."""
    return outputs


@unrolled.joint_vjp
def _(needed: Any, g: Any, y: Any, *outputs: Any) -> Any:
    return g


def unroll(*outputs: Tensor) -> list[Node]:
    """Put, in the graph that `outputs` depend on, each fused operation's twin in its place; give the nodes that came.

    Nothing else changes: tensors keep their numbers (the twin's agree to rounding) and their gradients, and another
    backward pass goes through the steps. The user is told once, by a `SlowerRoad` warning, since an unrolled graph
    takes more time and memory than the fused one; `kernel="unrolled"` records it from the start.

    >>> import numpy as np
    >>> from tinygrad_rnn import nn
    >>> outputs, _ = nn.RNN(2, 3, kernel="fused", rng=0)(np.ones((4, 1, 2), np.float32))
    >>> outputs.op, len(unroll(outputs)) > 4
    ('rnn_sequence', True)
    """
    from .autograd import reachable  # which asks for `unroll_nodes` itself

    for x in outputs:
        if not isinstance(x, Tensor):
            raise TypeError(f"unroll: give Tensors, unroll(a, b), not a {type(x).__name__}")
    return unroll_nodes(reachable(outputs, -1))


def unroll_nodes(nodes: Iterable[Node]) -> list[Node]:
    """The same for these nodes alone, each of which may be fused."""
    came: list[Node] = []
    fused = [node for node in nodes if node.op.twin is not None]
    if not fused:
        return came
    if any(node.op.twin not in _quiet for node in fused):
        _tell()
    stand_ins = _StandIns()
    before = _cuts.set({})
    try:
        for node in sorted(fused, key=lambda node: node.order):
            came += _replace(node, stand_ins)
    finally:
        _cuts.reset(before)
    return came


_cuts: ContextVar[dict[Any, Any] | None] = ContextVar("tinygrad_rnn.fusion.cuts", default=None)


def once(f: Callable[[Any], Any], x: Any, *how: Any) -> Any:
    """f(x), for a twin; the twins of one pass that are given the same x, and do with it what `how` says (a size, a
    dtype), share it: two directions cut the sequence that both read into the same steps."""
    cuts = _cuts.get()
    if cuts is None:
        return f(x)
    key = (id(x), *how)
    if key not in cuts:
        cuts[key] = f(x)
    return cuts[key]


class _StandIns:
    """What twins get for arguments: Tensors with the arrays of then, since a parameter may have moved on."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int], Tensor] = {}
        self._given: dict[int, Any] = {}

    def of(self, x: Any, array: Any) -> Tensor:
        key = (id(x), id(array))
        if key not in self._made:
            stand_in = self._made[key] = Tensor(array)
            if isinstance(x, Tensor):
                stand_in.requires_grad, stand_in.name = x.requires_grad, x.name
            self._given[id(stand_in)] = x
        return self._made[key]

    def given(self, x: Any) -> Any:
        """The argument that x stands for, if it does."""
        return self._given.get(id(x), x)


_quiet: set[Any] = set()  # twins that take about as long as what they stand for
_told = False


def _tell() -> None:
    global _told
    if not _told:
        _told = True
        level, frame = 1, sys._getframe()  # up to the line outside this package that looks inside
        while frame.f_back is not None and frame.f_code.co_filename.startswith(HOME):
            level, frame = level + 1, frame.f_back
        warnings.warn("a fused layer was unrolled, step by step, so that its inside can be seen or differentiated "
                      'again: slower, and larger. kernel="unrolled" records the steps from the start (said once)',
                      SlowerRoad, stacklevel=level)  # fmt: skip


def _replace(node: Node, stand_ins: _StandIns) -> list[Node]:
    """Make `node` hand on what its twin computes from the same arrays; the nodes that the twin recorded."""
    arguments = [stand_ins.of(x, array) for x, array in zip(node.inputs, node.arrays, strict=True)]
    params = {name: value for name, value in node.params.items() if name != "saved"}
    assert node.op.twin is not None
    with _within(node) as made:
        outputs = node.op.twin(*arguments, **params)
    for i, inner in enumerate(made.nodes, 1):
        inner.order = node.order - 1 + i / (len(made.nodes) + 1)  # older than what uses them, newer than what they use
        inner.inputs = tuple(map(stand_ins.given, inner.inputs))
        inner.line = node.line
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    outputs = tuple(map(stand_ins.given, outputs))
    for i, name in (node.names or {}).items():
        outputs[i].name = name
    node.op, node.inputs, node.params = unrolled if isinstance(node.value, tuple) else handed_on, outputs, {}
    node.arrays = tuple(y.data for y in outputs)
    return made.nodes


@primitive
def handed_on(output: Any) -> Any:
    """`unrolled` for a fused operation of one output."""
    return output


@handed_on.vjp(0)
def _(g: Any, y: Any, output: Any) -> Any:
    return g


FORMERLY_FUSED = (unrolled, handed_on)


class _within(Surroundings):
    """Inside, operations are recorded for this alone, in the scope and step of `node`; nobody else watches or draws."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node, self.nodes = node, list[Node]()

    def change(self, new: State) -> None:
        new.on, new.watchers, new.taps, new.draws = True, (self,), (), None
        new.scope, new.step = self.node.scope, self.node.step

    def made(self, node: Node) -> None:
        self.nodes.append(node)

    def computed(self, node: Node) -> None:
        """What nothing is to be differentiated through is no part of the graph."""

    def raised(self, node: Node, error: Exception) -> None:
        """The twin's error is raised as it is."""
