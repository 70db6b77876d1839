"""Mutation: a cell's graph, changed a little, is the graph of another cell (Jozefowicz, Zaremba & Sutskever 2015)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .graph import ARITHMETIC, Graph, arranged

CHANGEABLE = ("tanh", "sigmoid", "relu", "one_minus", "linear", "linear1")  # of one input
Nodes = dict[str, tuple[str, ...]]


def mutate(graph: Graph, rng: np.random.Generator, most: int = 24) -> Graph:
    """Another graph, one mutation away: one of six operators at one node, both drawn at random.

    What comes out is well formed, has at most `most` nodes, all of them of use, at least one of them linear, and
    `remembers`. The operators are those of section 3.3 of the paper (`OPERATORS`). Raises RuntimeError where none of a
    thousand draws gives such a graph, as from one that is larger than `most`.

    >>> from tinygrad_rnn.nn.cells.graph import TANH
    >>> print(mutate(TANH, np.random.default_rng(1)))
    h = tanh(sigmoid(linear(x, h)))
    """
    for _ in range(1000):
        nodes, outputs = dict(graph.nodes), dict(graph.outputs)
        name = _any(list(nodes), rng)
        operator = OPERATORS[int(rng.integers(len(OPERATORS)))]
        if not operator(graph, nodes, outputs, name, rng) or not set(outputs.values()) <= nodes.keys():
            continue
        mutant = arranged(nodes, outputs)
        useful = mutant.remembers and any(op.startswith("linear") for op, *_ in mutant.nodes.values())
        if mutant != graph and useful and len(mutant.nodes) <= most:
            return mutant
    raise RuntimeError(f"mutate: no useful graph of at most {most} nodes lies beside this one of {len(graph.nodes)}: "
                       "allow more")  # fmt: skip


# Each operator changes nodes and outputs, which are copies of the graph's, at the node `name`, and says whether it did.


def change_activation(graph: Graph, nodes: Nodes, outputs: dict[str, str], name: str, rng: Any) -> bool:
    """Another function of one input in place of the node's."""
    op, *reads = nodes[name]
    if len(reads) == 1:
        nodes[name] = (_any([other for other in CHANGEABLE if other != op], rng), reads[0])
    return len(reads) == 1


def change_arithmetic(graph: Graph, nodes: Nodes, outputs: dict[str, str], name: str, rng: Any) -> bool:
    """Another of sum, difference and product."""
    op, *reads = nodes[name]
    if op in ARITHMETIC:
        nodes[name] = (_any([other for other in ARITHMETIC if other != op], rng), *reads)
    return op in ARITHMETIC


def insert_activation(graph: Graph, nodes: Nodes, outputs: dict[str, str], name: str, rng: Any) -> bool:
    """A function of one input between the node and one that it reads."""
    op, *reads = nodes[name]
    k = int(rng.integers(len(reads)))
    new = _fresh(nodes)
    nodes[new] = (_any(list(CHANGEABLE), rng), reads[k])
    nodes[name] = (op, *reads[:k], new, *reads[k + 1 :])
    return True


def remove(graph: Graph, nodes: Nodes, outputs: dict[str, str], name: str, rng: Any) -> bool:
    """A node of one input is left out."""
    _, *reads = nodes[name]
    if len(reads) == 1:
        _replace(nodes, outputs, name, reads[0])
    return len(reads) == 1


def replace_by_ancestor(graph: Graph, nodes: Nodes, outputs: dict[str, str], name: str, rng: Any) -> bool:
    """What read the node reads one of its ancestors: the graph shrinks."""
    _replace(nodes, outputs, name, _any(sorted(graph.ancestors(name)), rng))
    return True


def combine_ancestors(graph: Graph, nodes: Nodes, outputs: dict[str, str], name: str, rng: Any) -> bool:
    """In place of the node the sum, difference or product of one of its ancestors and one of another node's, which must
    not be computed from the node itself."""
    other = _any(list(nodes), rng)
    theirs = [a for a in sorted(graph.ancestors(other)) if a != name and name not in graph.ancestors(a)]
    if theirs:
        nodes[name] = (_any(list(ARITHMETIC), rng), _any(sorted(graph.ancestors(name)), rng), _any(theirs, rng))
    return bool(theirs)


OPERATORS: tuple[Callable[[Graph, Nodes, dict[str, str], str, Any], bool], ...] = (
    change_activation, change_arithmetic, insert_activation, remove, replace_by_ancestor, combine_ancestors,
)  # fmt: skip


def _replace(nodes: Nodes, outputs: dict[str, str], name: str, by: str) -> None:
    for reader, (op, *reads) in nodes.items():
        nodes[reader] = (op, *(by if source == name else source for source in reads))
    outputs |= {part: by for part, output in outputs.items() if output == name}


def _any(options: list[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _fresh(nodes: Nodes) -> str:
    return next(name for k in range(len(nodes) + 1) if (name := f"n{k}") not in nodes)
