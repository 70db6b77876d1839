"""The cell that computes a graph."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import ops
from ...core import Tensor
from .. import init
from ..layers import parameter
from .cell import Cell
from .graph import LINEAR, Graph

COMPUTE: dict[str, Any] = {
    "tanh": ops.tanh, "sigmoid": ops.sigmoid, "relu": ops.relu, "identity": ops.copy, "one_minus": lambda a: 1 - a,
    "add": ops.add, "subtract": ops.subtract, "multiply": ops.multiply,
}  # fmt: skip


class GraphCell(Cell):
    """One step as a `Graph` says: `h = cell(x, h)`, or `h, c = cell(x, (h, c))` where it has a c; x (B, D), h (B, H).

    Linear nodes that read the same are stacked, as the gates of an LSTM are: for n such nodes, `weights[k]` holds for
    each source its matrix (D or H, n * H), and `biases[k]` is (n * H,). Where something other than a linear node reads
    x, D must be H; with `project=True` it reads `x @ P` instead, with P (D, H). Matrices start uniform within
    1/sqrt(H). Raises ValueError where x does not fit and there is no projection, or there is nothing to learn.

    >>> from tinygrad_rnn.nn.cells.graph import LSTM
    >>> cell = GraphCell(3, 5, LSTM, rng=0)
    >>> [(name, p.shape) for name, p in cell.named_parameters()]
    [('weights.0.x', (3, 20)), ('weights.0.h', (5, 20)), ('biases.0', (20,))]
    """

    def __init__(self, input_size: int, hidden_size: int, graph: Graph, project: bool = False, **options: Any) -> None:
        self.graph, self.project, self.states = graph, project, graph.states
        bare = [name for name, (op, *reads) in graph.nodes.items() if op not in LINEAR and "x" in reads]
        if bare and not project and input_size != hidden_size:
            raise ValueError(f"GraphCell: {bare[0]} = {graph.nodes[bare[0]][0]} reads x itself, so input_size must be "
                             f"{hidden_size}, not {input_size}: embed x first, or project=True")  # fmt: skip
        self._projects = bool(bare) and project
        super().__init__(input_size, hidden_size, **options)

    def make(self, rng: np.random.Generator, dtype: Any, device: str | None) -> None:
        D, H, bound = self.input_size, self.hidden_size, 1 / math.sqrt(self.hidden_size)
        stacks: dict[tuple[str, ...], list[str]] = {}
        for name, (op, *reads) in self.graph.nodes.items():
            if op in LINEAR:
                stacks.setdefault(tuple(dict.fromkeys(reads)), []).append(name)
        self.P = parameter(init.uniform((D, H), rng, bound, dtype), "P", device) if self._projects else None
        self.weights: list[dict[str, Tensor]] = []
        self.biases: list[Tensor] = []
        for sources, names in stacks.items():
            told, shapes = "_".join(names), {source: (D if source == "x" else H, len(names) * H) for source in sources}
            self.weights.append({source: parameter(init.uniform(shape, rng, bound, dtype), f"W_{source}_{told}", device)
                                 for source, shape in shapes.items()})  # fmt: skip
            start = np.repeat([float(self.graph.nodes[name][0] == "linear1") for name in names], H)
            self.biases.append(parameter(start.astype(dtype), f"b_{told}", device))
        if not stacks and self.P is None:
            raise ValueError("GraphCell: the graph has no linear node, so there is nothing to learn: give it one")
        self._stacks = {name: k for k, names in enumerate(stacks.values()) for name in names}

    @property
    def W_xh(self) -> Tensor:  # type: ignore[override]
        """A parameter, that tells of what dtype and where all are."""
        return self.parameters()[0]

    def forward(self, x: Any, state: Any) -> Any:
        parts = state if len(self.states) > 1 else (state,)
        values: dict[str, Any] = {"x": x, **dict(zip(self.states, parts, strict=True))}
        seen = values if self.P is None else {"x": x @ self.P}  # x as others than linear nodes read it
        for name, (op, *reads) in self.graph.nodes.items():
            if op in COMPUTE:
                values[name] = COMPUTE[op](*(seen["x"] if source == "x" else values[source] for source in reads))
            elif name not in values:  # the first of its stack computes all of it
                values |= self._stack(self._stacks[name], values)
        new = tuple(_tensor(values[self.graph.outputs[part]]).named(part) for part in self.states)
        return new if len(new) > 1 else new[0]

    def _stack(self, k: int, values: dict[str, Any]) -> dict[str, Any]:
        """The values of the linear nodes of a stack, by name."""
        names = [name for name, stack in self._stacks.items() if stack == k]
        total: Any = None
        for source, W in self.weights[k].items():
            product = values[source] @ W
            total = product if total is None else total + product
        total = total + self.biases[k]
        return dict(zip(names, ops.split(total, len(names), axis=-1) if len(names) > 1 else [total], strict=True))


def _tensor(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else Tensor(value)
