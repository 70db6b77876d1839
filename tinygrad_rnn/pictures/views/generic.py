"""Any graph, with or without steps: values as boxes, operations as circles, the number in green and the gradient in red
on each (as the circuits of cs231n and micrograd have them); Graphviz's dot places them, or a layout of ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ...core import Tensor
from ...recording import trace
from .. import engines
from ..dot import MAX_LAYOUT_NODES, TooLarge, layout_with_dot
from ..figure import Edge, Figure, Node, Text, label, style
from ..graph import Vertex, census
from ..layered import layered
from ..palette import EDGE, INK
from ..roles import OF_NAME
from .scene import Scene, box, norm, number, tooltip, value_lines

__all__ = ["SIGNS", "generic", "op_node", "summary"]

SIGNS = {
    "matmul": "@",
    "add": "+",
    "subtract": "−",
    "multiply": "×",
    "divide": "÷",
    "negative": "−",
    "sigmoid": "σ",
    "power": "^",
    "cross_entropy": "CE",
    "softplus": "softplus",
    "sum": "∑",
    "unstack": "unstack",
    "getitem": "[ ]",
    "transpose": "T",
    "square": "²",
}


def sign(v: Vertex) -> str:
    """What an operation's circle says, with the plain number that took part: "× 0.5", "^2"."""
    text = SIGNS.get(v.op, v.op)
    if v.op == "power" and 1 in v.literals:
        return f"^{number(v.literals[1])}"
    if len(v.literals) == 1 and len(v.inputs) == 1:
        ((argument, value),) = v.literals.items()
        return f"{text} {number(value)}" if argument else f"{number(value)} {text}"
    return text


def op_node(key: str, v: Vertex, x: float, y: float, values: bool, size: float = 12.0) -> Node:
    """An operation: a pink circle with its sign, or, with numbers, a pink box with them under it."""
    role = "error" if v.kind == "failed" else "op"
    fill, stroke = style(role)
    text = Text(sign(v) + (" failed" if v.error else ""), size if len(sign(v)) < 3 else size - 1.5)
    more = value_lines(v) if values else ()
    if more:
        height = 14.4 + 11.5 * len(more) + 7
        width = max(44.0, *(line.width + 12 for line in (text, *more)))
        return Node(key, x, y, width, height, "box", (text, *more), fill, stroke, tooltip=tooltip(v), role=role)
    width = max(24.5, text.width + 14)
    return Node(key, x, y, width, 24.5, "circle" if width < 25 else "ellipse", (text,), fill, stroke, 1.2,
                tooltip=tooltip(v), role=role)  # fmt: skip


def generic(scene: Scene) -> Figure:
    """The figure. Raises TooLarge where it could not be read."""
    graph = scene.graph
    drawn = [v for v in graph.vertices if v.kind != "part" or v.name]
    if len(drawn) > MAX_LAYOUT_NODES:
        raise TooLarge(
            f"draw: {len(drawn)} nodes without time steps are too many to read (at most {MAX_LAYOUT_NODES}): mark "
            'the steps with tg.step(t) and draw view="cells", "rolled" or "flow"'
        )
    nodes: list[Node] = []
    edges: list[Edge] = []
    place: dict[Vertex, str] = {}
    for v in graph.vertices:
        if v.kind == "part" and not v.name:
            place[v] = place[v.inputs[0][0]]
            continue
        result = v.name or (v in graph.outputs and v.kind == "op")
        if v.is_leaf or v.kind == "part":
            nodes.append(_leaf(v, scene))
            place[v] = v.key
            edges += _edges_into(v, place)
        else:
            nodes.append(op_node(v.key, v, 0, 0, scene.values and not result))
            place[v] = v.key
            edges += _edges_into(v, place)
            if result and v.kind == "op":
                text = scene.roles.symbol(v) or ("L" if v.size == 1 and len(graph.outputs) == 1 else "output")
                nodes.append(box(f"{v.key}/result", v, scene, 0, 0, text=text, size=13.0))
                nodes[-1] = _role(nodes[-1], scene.roles.role.get(v, "output"))
                edges.append(Edge(f"{v.key}->{v.key}/result", v.key, f"{v.key}/result", colour=EDGE, width=1.2))
                place[v] = f"{v.key}/result"
    title = scene.title or f"Graph of {len(graph.vertices)} values"
    about = _description(scene)
    note = " ".join([*scene.notes, graph.failed.error if graph.failed else ""]).strip()
    try:
        return layout_with_dot(nodes, edges, title=title, description=about, note=note)
    except engines.EngineError:
        return layered(nodes, edges, title=title, description=about, note=note)


def _leaf(v: Vertex, scene: Scene) -> Node:
    node = box(v.key, v, scene, 0, 0, text=v.name or v.local, size=13.0, width=44.0, height=30.0)
    named = OF_NAME.get((v.name or "").lower())
    return _role(node, "input" if v.kind == "constant" or named == "input" else "parameter")


def _role(node: Node, role: str) -> Node:
    fill, stroke = style(role)
    return replace(node, fill=fill, stroke=stroke if node.pen == 1.4 else node.stroke, role=role)


def _edges_into(v: Vertex, place: dict[Vertex, str]) -> list[Edge]:
    """One edge for each argument: x * x has two."""
    made: list[Edge] = []
    seen: Counter[str] = Counter()
    for tail, argument in v.inputs:
        a, b = place[tail], v.key
        if a == b:
            continue
        seen[a] += 1
        key = f"{a}->{b}" + (f"#{seen[a]}" if seen[a] > 1 else "")
        made.append(
            Edge(key, a, b, colour=EDGE, width=1.2, arrowsize=0.65, tooltip=f"argument {argument + 1} of {v.op}")
        )
    return made


def _description(scene: Scene) -> str:
    graph = scene.graph
    leaves = [v for v in graph.vertices if v.is_leaf]
    named = [f"{label(v.name or v.local)} = {_said(v)}" for v in leaves[:12]]
    parts = [f"{len(leaves)} leaves ({', '.join(named)}) and {sum(v.kind == 'op' for v in graph.vertices)} operations."]
    slopes = [f"{v.name or v.local}: {_gradient(v)}" for v in leaves[:12] if v.gradient is not None]
    return " ".join([*parts, scene.facts(), "Gradients: " + ", ".join(slopes) + "." if slopes else ""]).strip()


def _said(v: Vertex) -> str:
    return number(float(v.value.reshape(-1)[0])) if v.size == 1 else f"shape {v.shape}"


def _gradient(v: Vertex) -> str:
    return number(float(v.gradient.reshape(-1)[0])) if v.size == 1 else f"norm {number(norm(v.gradient))}"


def summary(output: Tensor | Sequence[Tensor] | trace, title: str) -> Figure:
    """A graph too large to draw, told in three boxes: what it starts from, how often it does what, its result."""
    counts, leaves, shape = census(output)
    total = sum(counts.values())
    common = counts.most_common(6)
    lines = [f"{n:,} × {op}" for op, n in common]
    rest = total - sum(n for _, n in common)
    lines += [f"{rest:,} others"] if rest else []
    texts = [Text(f"{total:,} operations", 13.0, INK, True), *(Text(line, 11.0) for line in lines)]
    fill, stroke = style("op")
    middle = Node("operations", 0, 0, 170, 30 + 16.0 * len(lines), "box", tuple(texts), fill, stroke, role="op")
    nodes = [middle]
    for key, text, role in (("leaves", f"{leaves:,} leaves", "parameter"), ("output", f"output {shape}", "output")):
        fill, stroke = style(role)
        nodes.append(Node(key, 0, 0, 110, 40, "box", (Text(text, 13.0),), fill, stroke, role=role))
    edges = [Edge("leaves->operations", "leaves", "operations"), Edge("operations->output", "operations", "output")]
    about = f"A summary of a graph too large to draw: {leaves:,} leaves, then {', '.join(lines)}."
    return layered(
        nodes,
        edges,
        title=title or "A large graph, in summary",
        description=about,
        note="too large to draw node by node: mark the time steps with tg.step(t) for the views over time",
    )
