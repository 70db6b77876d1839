"""From a computation that was recorded to a graph that can be drawn: vertices with stable keys, and nothing placed yet.

A vertex is a value: a leaf, a constant array, or what an operation made. Its key says where it was made, and as the
how-manieth of its kind there: `t3/rnn/matmul#2` is the second matmul of scope `rnn` in step 3 (pictures count from 1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .. import autograd, backend, ops
from ..core import Node, Tensor, describe
from ..fusion import FORMERLY_FUSED, unroll, unroll_nodes
from ..reasons import why
from ..recording import Tap, tap, trace
from .dot import TooLarge

__all__ = ["MAX_OPERATIONS", "Graph", "Vertex", "census", "gradients"]

PASSING = ("unstack", "getitem", *(op.name for op in FORMERLY_FUSED))  # may only hand on what others have made
MAX_OPERATIONS = 300_000  # above this nobody can read it in any view, and extracting a million would take a minute


class Vertex:
    """A value in the graph.

    `kind`: "leaf" (requires a gradient), "constant" (does not), "op", "part" (one output of an operation that has
    several), or "failed" (the operation that raised `error`). `local` is the key without the step: the same thing in
    another step has the same. `inputs` and `uses` are pairs (vertex, argument), one for each edge: x * x has two.
    `literals` are the plain numbers among the arguments, by argument. `gradient` is dL/d(value) as an array, or None
    where none flowed.
    """

    __slots__ = ("key", "local", "kind", "op", "name", "node", "index", "tensor", "value", "step", "scope", "order",
                 "inputs", "uses", "literals", "gradient", "error")  # fmt: skip

    def __init__(self, kind: str, op: str, value: Any, order: float, node: Node | None = None, index: int = 0) -> None:
        self.kind, self.op, self.value, self.order, self.node, self.index = kind, op, value, order, node, index
        self.step = None if node is None else node.step
        self.scope = () if node is None else node.scope
        self.name: str | None = None if node is None or not node.names else node.names.get(index)
        self.key = self.local = self.error = ""
        self.tensor: Tensor | None = None
        self.inputs: list[tuple[Vertex, int]] = []
        self.uses: list[tuple[Vertex, int]] = []
        self.literals: dict[int, float] = {}
        self.gradient: Any = None

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(getattr(self.value, "shape", ()))

    @property
    def size(self) -> int:
        """How many numbers it holds; 0 for an operation that failed or has several outputs."""
        return int(getattr(self.value, "size", 0))

    @property
    def is_leaf(self) -> bool:
        return self.node is None

    def __repr__(self) -> str:
        return f"<{self.key} {self.shape}>"


class Graph:
    """What `output` was computed from: `vertices` in the order in which they were made, `outputs` among them, and the
    `steps` that occur, in data time.

    `output` is a Tensor, a sequence of Tensors, or a finished `tg.trace()`, whose failed operation is the last vertex.
    A slice of what was stacked (`tg.unstack(tg.stack(hs))[t]`) counts as the thing itself.
    Raises ValueError where nothing was recorded, TooLarge above MAX_OPERATIONS operations. Nothing recurses.
    """

    def __init__(self, output: Tensor | Sequence[Tensor] | trace) -> None:
        self.failed: Vertex | None = None
        self.vertices: list[Vertex] = []
        self._found: dict[Any, Vertex] = {}
        self._kept: list[Any] = []  # constants, kept alive because they are filed under their id
        self.tensors, nodes, failed = _given(output)
        for node in nodes:
            self._make(node)
        self.outputs = [self._vertex(tensor, float("inf"), 0) for tensor in self.tensors]
        if failed is not None:
            self.failed = self._make(failed)
            self.failed.kind, self.failed.error = "failed", str(getattr(output, "error", ""))
        self.vertices.sort(key=lambda v: v.order)
        for v in self.vertices:
            for tail, argument in v.inputs:
                tail.uses.append((v, argument))
        _name(self.vertices)
        self.steps = sorted({v.step for v in self.vertices if v.step is not None})

    @property
    def edges(self) -> list[tuple[Vertex, Vertex, int]]:
        """All edges (from, to, argument)."""
        return [(tail, head, argument) for head in self.vertices for tail, argument in head.inputs]

    def of(self, tensor: Tensor) -> Vertex:
        """The vertex of a Tensor that took part; KeyError for another."""
        return self._found[autograd.key_of(_resolved(tensor))]

    def _make(self, node: Node) -> Vertex:
        v = self._found[node] = Vertex("op", node.op.name, None if node.op.several else node.value, node.order, node)
        self.vertices.append(v)
        for i, x in enumerate(node.inputs):
            if isinstance(x, Tensor) or (backend.is_array(node.arrays[i]) and node.arrays[i].ndim):
                v.inputs.append((self._vertex(x, node.order, i), i))
            elif _is_number(x) and _scales_a_leaf(node, i):
                v.inputs.append((self._constant(np.asarray(x), node.order, i), i))
            elif _is_number(x):
                v.literals[i] = float(np.real(x))
        return v

    def _vertex(self, x: Any, order: float, argument: int) -> Vertex:
        """The vertex of an input, made if it is a leaf, a constant or a part that was not seen yet."""
        if not isinstance(x, Tensor):
            return self._constant(x, order, argument)
        x = _resolved(x)
        key = autograd.key_of(x)
        found = self._found.get(key)
        if found is not None:
            return found
        if x.node is None:
            v = Vertex("leaf" if x.requires_grad else "constant", "", x.data, order - 0.5 + argument * 1e-3)
            v.tensor, v.name = x, x.name
        else:
            v = Vertex("part", x.node.op.name, x.data, x.node.order + (x.index + 1) * 1e-6, x.node, x.index)
            v.inputs.append((self._found[x.node], x.index))
        self._found[key] = v
        self.vertices.append(v)
        return v

    def _constant(self, array: Any, order: float, argument: int) -> Vertex:
        v = self._found.get(id(array))
        if v is None:
            v = self._found[id(array)] = Vertex("constant", "", array, order - 0.5 + argument * 1e-3)
            self._kept.append(array)
            self.vertices.append(v)
        return v


def _given(output: Any) -> tuple[list[Tensor], list[Node], Node | None]:
    """The tensors to draw, all nodes that they were made by (oldest first), and the node that failed."""
    failed = None
    if isinstance(output, trace):
        failed = output.failed
        nodes = sorted([*output.nodes, *unroll_nodes(output.nodes)], key=lambda node: node.order)
        if not nodes and failed is None:
            raise ValueError("draw: the trace recorded nothing: call the model inside `with tg.trace() as tr:`, with "
                             "parameters that have requires_grad=True")  # fmt: skip
        used = {
            x.node for node in (*nodes, *([failed] if failed else ())) for x in node.inputs if isinstance(x, Tensor)
        }
        tensors = [node.outputs[0] for node in nodes if node not in used]
        made = [x for node in nodes for x in (node.inputs if node.op in FORMERLY_FUSED else node.outputs[:1])]
        starts = [x.node for x in map(_resolved, made) if x.node is not None] + ([failed] if failed else [])
    else:
        if backend.is_array(output) or not isinstance(output, (Tensor, Iterable)):
            raise TypeError(f"draw: give a Tensor, a list of Tensors or a tg.trace(), not {type(output).__name__}: "
                            "only a Tensor remembers how it was computed")  # fmt: skip
        tensors = [output] if isinstance(output, Tensor) else list(output)
        if not tensors:
            raise ValueError("draw: the list of Tensors is empty: give at least one")
        for x in tensors:
            if not isinstance(x, Tensor):
                raise TypeError(f"draw: give a Tensor, a list of Tensors or a tg.trace(), not {type(x).__name__}")
            if not x.requires_grad:
                raise ValueError(f"draw: nothing was recorded of {describe(x)}: {why(x).partition(': ')[2]}")
        unroll(*tensors)
        starts = [x.node for x in map(_resolved, tensors) if x.node is not None]
    return tensors, [node for node in _reachable(starts) if node is not failed], failed


def census(output: Tensor | Sequence[Tensor] | trace) -> tuple[Counter[str], int, tuple[int, ...]]:
    """For a graph too large for anything else: how often each operation occurs, how many leaves, the output's shape."""
    tensors = (
        output.nodes[-1].outputs if isinstance(output, trace) else [output] if isinstance(output, Tensor) else output
    )
    nodes = _reachable([x.node for x in tensors if x.node is not None], limit=None)
    leaves = {id(x) for node in nodes for x in node.inputs if isinstance(x, Tensor) and x.node is None}
    return Counter(node.op.name for node in nodes), len(leaves), tensors[-1].shape


def _reachable(starts: list[Node], limit: int | None = MAX_OPERATIONS) -> list[Node]:
    found = set(starts)
    waiting = list(found)
    while waiting:
        for x in waiting.pop().inputs:
            if x.__class__ is Tensor:
                node = x.node if x.node is None or x.node.op.name not in PASSING else _resolved(x).node
                if node is not None and node not in found:
                    found.add(node)
                    waiting.append(node)
        if limit is not None and len(found) > limit:
            raise TooLarge(f"draw: more than {limit:,} operations are too many for any picture: draw a shorter "
                           "sequence, or the loss of one window of it")  # fmt: skip
    return sorted(found, key=lambda node: node.order)


def _resolved(x: Tensor) -> Tensor:
    """`x`, or what was stacked at its place if `x` is only taken from a stack again; through what was fused."""
    while x.node is not None and x.node.op.name in PASSING:
        node, source = x.node, x.node.inputs[0]
        if node.op in FORMERLY_FUSED:
            x = node.inputs[x.index]
            continue
        while isinstance(source, Tensor) and source.node is not None and source.node.op in FORMERLY_FUSED:
            source = source.node.inputs[source.index]
        stacked = source.node if isinstance(source, Tensor) else None
        if stacked is None or stacked.op.name != "stack" or stacked.params["axis"] != 0:
            return x
        place = x.index if node.op.name == "unstack" and node.params["axis"] == 0 else node.params.get("index")
        if not isinstance(place, (int, np.integer)) or not isinstance(stacked.inputs[place], Tensor):
            return x
        x = stacked.inputs[place]
    return x


def _is_number(x: Any) -> bool:
    return isinstance(x, (bool, int, float, complex, np.generic)) or (backend.is_array(x) and x.ndim == 0)


def _scales_a_leaf(node: Node, argument: int) -> bool:
    """Does a step multiply a parameter by this number? Then it is the input of a model of plain numbers: a vertex."""
    others = [x for i, x in enumerate(node.inputs) if i != argument]
    return (
        node.step is not None
        and node.op.name == "multiply"
        and all(isinstance(x, Tensor) and x.node is None and x.requires_grad for x in others)
    )


def _name(vertices: list[Vertex]) -> None:
    """Keys: the step, then the scope and operation (or the leaf's name), then a number where there are several."""
    counts: dict[tuple[Any, str], int] = {}
    for v in vertices:
        if v.kind == "part":
            v.local = f"{v.inputs[0][0].local}[{v.index}]"
        else:
            steps = {use.step for use, _ in v.uses}
            place = v.step if v.node is not None else next(iter(steps)) if len(steps) == 1 and not v.name else None
            name = "/".join((*v.scope, v.op)) if v.node is not None else v.name or (
                "parameter" if v.kind == "leaf" else "input")  # fmt: skip
            number = counts[place, name] = counts.get((place, name), 0) + 1
            v.local = name if number == 1 else f"{name}#{number}"
            v.key = v.local if place is None else f"t{place + 1}/{v.local}"
            continue
        v.key = v.local if v.step is None else f"t{v.step + 1}/{v.local}"


# Gradients


class Reader(Tap):
    """Files the gradient of each vertex as it flows by, and what each step contributes to one leaf, `weight`: a use
    counts at the first edge that enters a step."""

    def __init__(self, graph: Graph, weight: Vertex | None, untracked: Sequence[Vertex]) -> None:
        super().__init__()
        self.found, self.weights = graph._found, shapes_of(weight) if weight is not None else set()
        self.untracked = set(untracked)
        self.contributions: dict[int | None, Any] = {}

    def node(self, node: Node, gradient: Any) -> None:
        for i, g in enumerate(gradient) if node.op.several else ():
            if g is not None and (node, i) in self.found:
                self.found[node, i].gradient = g
        v = self.found.get(node)
        if v is None:
            return
        if not node.op.several:
            v.gradient = gradient
        for tail, i in v.inputs if self.untracked else ():
            if tail in self.untracked and i in node.op.rules:  # an initial state: shown although nobody asked for it
                c = ops.sum_to(node.op.rules[i](gradient, node.value, *node.arrays, **node.params), tail.shape)
                tail.gradient = c if tail.gradient is None else tail.gradient + c

    def edge(self, node: Node, argument: int, parent: Tensor, contribution: Any) -> None:
        source = self.found.get(autograd.key_of(parent))
        if source is None:
            return
        if source.node is None:
            source.gradient = contribution if source.gradient is None else source.gradient + contribution
        if source in self.weights and (node.step is not None or self.found.get(node) not in self.weights):
            c = contribution.T if source.op == "transpose" else contribution
            before = self.contributions.get(node.step)
            self.contributions[node.step] = c if before is None else before + c


def shapes_of(weight: Vertex) -> set[Vertex]:
    """The weight itself and what it became outside the steps by a transposition alone: W.T, taken before a loop."""
    turned = [v for v, _ in weight.uses if v.op == "transpose" and v.step is None]
    return {weight, *(v for v in turned if v.node is not None and v.node.params["axes"] is None)}


def gradients(graph: Graph, weight: Vertex | None = None, untracked: Sequence[Vertex] = ()) -> dict[int | None, Any]:
    """Run one backward pass and file each vertex's gradient; touches no `.grad`.

    What is not a scalar is summed first. Also gives what each step contributes to `weight`: arrays of its shape, by
    step. Does nothing for a graph whose last operation failed.
    """
    leaves = [v.tensor for v in graph.vertices if v.kind == "leaf" and v.tensor is not None]
    if graph.failed is not None or not leaves:
        return {}
    reader = Reader(graph, weight, untracked)
    ones = [backend.xp(x.data).ones_like(x.data) for x in graph.tensors]
    with tap(reader):
        autograd.grad(graph.tensors, leaves, ones, allow_unused=True)
    return reader.contributions
