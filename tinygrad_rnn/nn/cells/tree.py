"""A cell written in ten tokens: the search space of Zoph & Le (2017), at its smallest."""

from __future__ import annotations

from collections.abc import Sequence

from .graph import Graph

COMBINE = ("add", "multiply")
ACTIVATE = ("identity", "tanh", "sigmoid", "relu")
TREE = (2, 4) * 4 + (2, 2)
"""How many choices each token of `tree_graph` has."""


def tree_graph(tokens: Sequence[int]) -> Graph:
    """The cell of ten tokens: a tree with two leaves, as in figure 5 of Zoph & Le (2017, section 3.4).

    Leaf 0, leaf 1, the root and the injection of c take two tokens each: how two things are combined (0 add, 1
    multiply) and what is applied to that (0 identity, 1 tanh, 2 sigmoid, 3 relu). Each leaf combines x and h, each
    times a matrix; the root combines the leaves, and is h. The last two tokens say which leaf c is injected into,
    before the root reads it, and which leaf's value, before its activation, is the next c. Raises ValueError for
    tokens that are none.

    >>> print(tree_graph([0, 1, 1, 3, 1, 2, 0, 3, 0, 1]))  # the paper's example
    c' = linear(x) * linear(h)
    h = sigmoid(relu(tanh(linear(x) + linear(h)) + c) * relu(c'))
    """
    if len(tokens) != len(TREE) or not all(0 <= token < size for token, size in zip(tokens, TREE, strict=True)):
        raise ValueError(f"tree_graph: takes {len(TREE)} tokens below {', '.join(map(str, TREE))}, not {list(tokens)}")
    *pairs, into, shown = map(int, tokens)
    (op_0, f_0, op_1, f_1, op, f, op_c, f_c) = pairs
    nodes: dict[str, tuple[str, ...]] = {}
    for leaf, op_leaf, f_leaf in ((0, op_0, f_0), (1, op_1, f_1)):
        nodes[f"x{leaf}"], nodes[f"h{leaf}"] = ("linear", "x"), ("linear", "h")
        nodes[f"sum{leaf}"] = (COMBINE[op_leaf], f"x{leaf}", f"h{leaf}")
        nodes[f"leaf{leaf}"] = (ACTIVATE[f_leaf], f"sum{leaf}")
    nodes["with_c"] = (COMBINE[op_c], f"leaf{into}", "c")
    nodes["injected"] = (ACTIVATE[f_c], "with_c")
    leaves = ["injected" if leaf == into else f"leaf{leaf}" for leaf in (0, 1)]
    nodes["root"] = (COMBINE[op], *leaves)
    nodes["new"] = (ACTIVATE[f], "root")
    return Graph(nodes, {"h": "new", "c": f"sum{shown}"})
