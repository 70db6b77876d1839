"""A cell as a graph of small operations: what a search changes, and what can be written down as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

ARITHMETIC = {"add": "{} + {}", "subtract": "{} - {}", "multiply": "{} * {}"}
ACTIVATIONS = ("tanh", "sigmoid", "relu", "identity", "one_minus")
LINEAR = ("linear", "linear1")
OPERATIONS = (*LINEAR, *ACTIVATIONS, *ARITHMETIC)
Nodes = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Graph:
    """One step of a cell: `nodes`, from a name to (operation, what it reads, ...), and `outputs`, from each part of the
    state to the node that is its next value.

    A node reads "x", parts of the state ("h", and "c" where `outputs` has one) and nodes that stand before it, so no
    graph has a circle. Operations: "linear", a sum of what it reads, each times a matrix of its own, and a bias, which
    starts at 0, or in "linear1" at 1; "tanh", "sigmoid", "relu", "identity" and "one_minus" (1 - a) of one; "add",
    "subtract" and "multiply" of two, element by element. `GraphCell` computes it. Raises ValueError, in one line, for
    what is none.

    >>> graph = Graph({"a": ("linear", "x", "h"), "new": ("tanh", "a")}, {"h": "new"})
    >>> print(graph)
    h = tanh(linear(x, h))
    >>> Graph.from_json(graph.to_json()) == graph
    True
    """

    nodes: Nodes
    outputs: Mapping[str, str]

    def __post_init__(self) -> None:
        if "h" not in self.outputs:
            raise ValueError(f"Graph: outputs give the next value of each part of the state, h among them, not of "
                             f"{', '.join(self.outputs) or 'nothing'}")  # fmt: skip
        known = {"x", *self.outputs}
        for name, (op, *reads) in self.nodes.items():
            takes = 2 if op in ARITHMETIC else 1 if op in ACTIVATIONS else None
            if takes is None and op not in LINEAR:
                raise ValueError(f"Graph: {name} is a {op!r}, and there are {', '.join(OPERATIONS)}")
            if name in known:
                raise ValueError(f"Graph: there are two called {name!r}: give nodes names of their own")
            if len(reads) != takes and (takes is not None or not reads):
                raise ValueError(f"Graph: {name}, a {op}, reads {takes or 'at least 1'}, not {len(reads)}")
            for source in reads:
                if source not in known:
                    raise ValueError(f"Graph: {name} reads {source!r}, which is no input and no node before it")
            known.add(name)
        for part, name in self.outputs.items():
            if name not in self.nodes:
                raise ValueError(f"Graph: the next {part} is {name!r}, which is no node")

    @property
    def states(self) -> tuple[str, ...]:
        """The parts of the state, h first."""
        return ("h", *(part for part in self.outputs if part != "h"))

    def ancestors(self, name: str) -> set[str]:
        """All that `name` is computed from, inputs too."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            new = set(self.nodes.get(waiting.pop(), ("",))[1:]) - found
            found |= new
            waiting += new
        return found

    @property
    def remembers(self) -> bool:
        """Does h hear of x, at once or by way of the rest of the state, and of some part of the state before?"""
        heard: set[str] = set()
        waiting = ["h"]
        while waiting:
            new = self.ancestors(self.outputs[waiting.pop()]) - heard
            heard |= new
            waiting += [part for part in new if part in self.outputs]
        return "x" in heard and not heard.isdisjoint(self.outputs)

    def to_json(self) -> str:
        """As text that `from_json` reads."""
        return json.dumps({"nodes": {name: list(node) for name, node in self.nodes.items()},
                           "outputs": dict(self.outputs)})  # fmt: skip

    @staticmethod
    def from_json(text: str) -> Graph:
        """The graph of a text. Raises ValueError where it is none."""
        try:
            given = json.loads(text)
            nodes = {name: tuple(map(str, node)) for name, node in given["nodes"].items() if node}
            outputs = {part: str(name) for part, name in given["outputs"].items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            raise ValueError('Graph.from_json: expected {"nodes": {name: [operation, what it reads, ...]}, "outputs": '
                             '{"h": name}}: give what to_json gave') from None  # fmt: skip
        return Graph(nodes, outputs)

    def __str__(self) -> str:
        """One equation a line; what is used once stands where it is used. Right of a sign of equality h and c are
        those before the step; c' is the new c, where it is used again."""
        uses = [source for _, *reads in self.nodes.values() for source in reads]
        own = {name for name in self.nodes if uses.count(name) > 1} - set(self.outputs.values())
        names = {name: part for part, name in self.outputs.items() if name in uses}
        texts: dict[str, str] = {}
        lines = []
        for name, (op, *reads) in self.nodes.items():
            texts[name] = _written(op, [texts.get(source, source) for source in reads])
            if name in own or name in names:
                shown = f"{names[name]}'" if name in names else name
                lines.append(f"{shown} = {texts[name]}")
                texts[name] = shown
        last = [f"{part} = {texts[name]}" for part, name in self.outputs.items() if name not in names]
        return "\n".join([*lines, *last])

    def __hash__(self) -> int:
        return hash(self.to_json())


def arranged(nodes: Nodes, outputs: Mapping[str, str]) -> Graph:
    """The graph of nodes in any order, without those that no output needs. Raises ValueError where they make a circle.

    >>> print(arranged({"b": ("tanh", "a"), "a": ("linear", "x", "h"), "idle": ("relu", "x")}, {"h": "b"}))
    h = tanh(linear(x, h))
    """
    order: dict[str, tuple[str, ...]] = {}
    open_: dict[str, Iterator[str]] = {}
    for output in outputs.values():
        waiting = [output]
        while waiting:
            name = waiting[-1]
            if name in order or name not in nodes:
                waiting.pop()
                continue
            ahead = open_.setdefault(name, iter(nodes[name][1:]))
            source = next((source for source in ahead if source in nodes and source not in order), None)
            if source is None:
                order[name] = nodes[name]
            elif source in open_:
                raise ValueError(f"Graph: {source} is computed from itself, through {name}")
            else:
                waiting.append(source)
    return Graph(order, outputs)


def _written(op: str, reads: list[str]) -> str:
    if op in ARITHMETIC:
        first, second = reads
        return ARITHMETIC[op].format(_bracketed(first) if op == "multiply" else first,
                                     second if op == "add" else _bracketed(second))  # fmt: skip
    if op == "one_minus":
        return f"1 - {_bracketed(reads[0])}"
    return reads[0] if op == "identity" else f"{op}({', '.join(reads)})"


def _bracketed(text: str) -> str:
    """With brackets, where a sum or a difference stands outside of any."""
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth == 0 and character in "+-":
            return f"({text})"
    return text


TANH = Graph({"a": ("linear", "x", "h"), "new": ("tanh", "a")}, {"h": "new"})
"""The simple recurrence, `RNNCell`."""
LSTM = Graph(
    {"i_in": ("linear", "x", "h"), "f_in": ("linear1", "x", "h"), "o_in": ("linear", "x", "h"),
     "g_in": ("linear", "x", "h"), "i": ("sigmoid", "i_in"), "f": ("sigmoid", "f_in"), "o": ("sigmoid", "o_in"),
     "g": ("tanh", "g_in"), "kept": ("multiply", "f", "c"), "written": ("multiply", "i", "g"),
     "new_c": ("add", "kept", "written"), "shown": ("tanh", "new_c"), "new_h": ("multiply", "o", "shown")},
    {"h": "new_h", "c": "new_c"},
)  # fmt: skip
"""`LSTMCell`."""
GRU = Graph(
    {"r_in": ("linear", "x", "h"), "z_in": ("linear", "x", "h"), "r": ("sigmoid", "r_in"), "z": ("sigmoid", "z_in"),
     "rh": ("multiply", "r", "h"), "n_in": ("linear", "x", "rh"), "n": ("tanh", "n_in"),
     "kept": ("multiply", "z", "h"), "new_part": ("one_minus", "z"), "written": ("multiply", "new_part", "n"),
     "new": ("add", "kept", "written")},
    {"h": "new"},
)  # fmt: skip
"""`GRUCell`, in which z keeps the old state."""
MUT1 = Graph(
    {"z_in": ("linear", "x"), "z": ("sigmoid", "z_in"), "r_in": ("linear", "x", "h"), "r": ("sigmoid", "r_in"),
     "rh": ("multiply", "r", "h"), "heard": ("linear", "rh"), "seen": ("tanh", "x"), "sum": ("add", "heard", "seen"),
     "n": ("tanh", "sum"), "written": ("multiply", "n", "z"), "old_part": ("one_minus", "z"),
     "kept": ("multiply", "h", "old_part"), "new": ("add", "written", "kept")},
    {"h": "new"},
)  # fmt: skip
"""`MUT1Cell`, the first of the three that Jozefowicz, Zaremba & Sutskever (2015) found."""
