"""A figure as DOT text that every Graphviz draws alike, and Graphviz's own layout for graphs without positions.

What makes the text portable: every position is pinned (nodes, edges, boxes); sizes are ours, so nobody's font metrics
matter; plain labels only; each line of a label of several lines is a text node of its own, because a plain label has
one colour and one size. Draw it with ``dot -Knop2 -Tsvg`` (that is ``neato -n2``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import graphviz

from . import engines
from .figure import Edge, Figure, Node, Point, Text, slug
from .lettering import FONT, LINE_SPACING, clean

__all__ = ["MAX_LAYOUT_NODES", "TooLarge", "layout_with_dot", "to_dot"]

MAX_LAYOUT_NODES = 400
"""Above this ``dot`` may need minutes or crash on a graph with one much-used node, and nobody can read the result."""

LONGEST = 200
"""Pieces of a line in one edge of the DOT: Graphviz refuses quoted strings of more than 16384 characters."""

_FACES = {(True, False): "Helvetica-Bold", (False, True): "Helvetica-Oblique", (True, True): "Helvetica-BoldOblique"}
_SHAPES = {
    "box": {},
    "circle": {"shape": "circle", "style": "filled"},
    "ellipse": {"shape": "ellipse", "style": "filled"},
    "square": {"style": "filled"},
    "rect": {"style": "filled"},
    "point": {"shape": "circle", "style": "filled"},
    "text": {"shape": "plaintext", "style": "", "margin": "0"},
}


class TooLarge(ValueError):
    """The graph is too large to be laid out, or to be read."""


def to_dot(figure: Figure) -> str:
    """The figure as DOT: the same text for the same figure, on every run and machine.

    Nodes are called by their keys (as :func:`~tinygrad_rnn.pictures.figure.slug` writes them); edges and boxes carry
    theirs in ``id``, after ``figure.prefix``.
    """
    graph = graphviz.Digraph("figure")
    graph.attr("graph", bgcolor="white", pad="0.2", splines="line", notranslate="true", outputorder="edgesfirst")
    graph.attr("graph", fontname=FONT, id=f"{figure.prefix}:graph", tooltip=_escape(figure.title))
    graph.attr("node", fontname=FONT, fontsize="12", shape="box", style="rounded,filled", penwidth="1.4")
    graph.attr("node", fixedsize="true", label="")
    graph.attr("edge", fontname=FONT, arrowhead="normal", arrowsize="0.75", penwidth="1.4")
    for number, box in enumerate(figure.boxes):
        line, x, y = box.label_row()
        with graph.subgraph(name=f"cluster_{number}") as cluster:
            cluster.attr(
                "graph", bb=",".join(map(_number, (box.x0, box.y0, box.x1, box.y1))), id=figure.id_of(box.key),
                style="rounded,filled", fillcolor=box.fill, color=box.stroke, penwidth=_number(box.pen),
                label=_escape(line.text), lp=_pair((x, y)), fontsize="11", fontcolor=line.colour,
                tooltip=_escape(box.label or box.key),
            )  # fmt: skip
    for node in figure.drawn_nodes():
        _add_node(graph, figure, node)
    for edge in figure.edges:
        _add_edge(graph, figure, edge)
    return str(graph.source)


def _add_node(graph: graphviz.Digraph, figure: Figure, node: Node) -> None:
    name = slug(node.key)
    # Text that begins at a left edge is pushed over it where Graphviz's font is wider than its node: leave room.
    wide = node.width * (1.5 if node.align == "start" else 1)
    x = node.x + (wide - node.width) / 2
    attributes = {
        "pos": _pair((x, node.y)), "width": _inches(wide), "height": _inches(node.height),
        "id": figure.prefix + name, "class": slug(node.role), **_SHAPES[node.shape],
    }  # fmt: skip
    if node.tooltip:
        attributes["tooltip"] = _escape(node.tooltip)
    if node.shape == "point":
        attributes.update(height=_inches(node.width), fillcolor=node.stroke, color=node.stroke, penwidth="0")
    elif node.shape != "text":
        attributes.update(fillcolor=node.fill, color=node.stroke)
        if node.pen != 1.4:
            attributes["penwidth"] = _number(node.pen)
        if node.dashed:
            attributes["style"] = attributes.get("style", "rounded,filled") + ",dashed"
    rows = node.rows()
    if len(rows) == 1:
        graph.node(name, **_label(rows[0][0], node.align), **attributes)
        return
    graph.node(name, label="", **attributes)
    for number, (line, y) in enumerate(rows):
        graph.node(
            f"{name}:{number}", **_label(line, node.align), **_SHAPES["text"], pos=_pair((x, y)),
            width=_inches(wide if node.align == "start" else max(line.width, 1.0)),
            height=_inches(LINE_SPACING * line.size), id=f"{figure.prefix}{name}:{number}",
            **{"class": "line"}, **({"tooltip": attributes["tooltip"]} if node.tooltip else {}),
        )  # fmt: skip


def _label(line: Text, align: str) -> dict[str, str]:
    text = _escape(line.text)
    attributes = {"label": text + r"\l" if align == "start" else text}
    if line.size != 12:
        attributes["fontsize"] = _number(line.size)
    attributes["fontcolor"] = line.colour
    if line.bold or line.italic:
        attributes["fontname"] = _FACES[line.bold, line.italic]
    return attributes


def _add_edge(graph: graphviz.Digraph, figure: Figure, edge: Edge) -> None:
    shaft, tip = edge.shaft()
    spline = shaft if edge.curve == "bezier" else _thirds(shaft)
    attributes = {"class": slug(edge.role), "color": edge.colour, "tooltip": _escape(edge.tooltip or edge.key)}
    if edge.width != 1.4:
        attributes["penwidth"] = _number(edge.width)
    if edge.dashed:
        attributes["style"] = "dashed"
    starts = range(0, len(spline) - 1, 3 * LONGEST)
    for number, start in enumerate(starts):
        look = {"pos": " ".join(map(_pair, spline[start : start + 3 * LONGEST + 1])),
                "id": figure.id_of(edge.key) + (f":{number}" if number else ""), **attributes}  # fmt: skip
        if tip is None or start != starts[-1]:
            look["arrowhead"] = "none"
        else:
            look["pos"] = f"e,{_pair(tip)} {look['pos']}"
            if edge.arrowsize != 0.75:
                look["arrowsize"] = _number(edge.arrowsize)
        graph.edge(slug(edge.tail), slug(edge.head), **look)


def _thirds(points: tuple[Point, ...]) -> list[Point]:
    """A polyline as the cubic splines that Graphviz wants: two control points on each piece, at its thirds."""
    spline = [points[0]]
    for (ax, ay), (bx, by) in pairwise(points):
        spline += [((2 * ax + bx) / 3, (2 * ay + by) / 3), ((ax + 2 * bx) / 3, (ay + 2 * by) / 3), (bx, by)]
    return spline


def _escape(text: str) -> str:
    """Text as Graphviz prints it: its escapes, its character references and HTML-like labels all mean themselves."""
    parts = (clean(part).replace("\\", r"\\").replace("&", "&amp;") for part in text.split("\n"))
    plain: str = graphviz.nohtml(r"\n".join(parts))  # a str that says of itself that it is no HTML-like label
    return plain


def _pair(point: Point) -> str:
    return f"{_number(point[0])},{_number(point[1])}"


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _inches(points: float) -> str:
    return f"{points / 72:.4f}".rstrip("0").rstrip(".")


def layout_with_dot(
    nodes: Iterable[Node],
    edges: Iterable[Edge],
    *,
    title: str,
    description: str = "",
    rankdir: str = "LR",
    note: str = "",
) -> Figure:
    """Positions by Graphviz's ``dot`` for nodes that have sizes but no positions, and edges that have no points.

    Everything else about them (keys, colours, text) is kept. ``rankdir``: "LR", "RL", "TB" or "BT".
    Raises :class:`TooLarge` above ``MAX_LAYOUT_NODES`` nodes, naming the smaller views, and
    :class:`~tinygrad_rnn.pictures.engines.EngineError` where no Graphviz is there, or it fails or takes over 20 s:
    :func:`tinygrad_rnn.pictures.layered.layered` lays out without one.
    """
    nodes, edges = tuple(nodes), tuple(edges)
    if len(nodes) > MAX_LAYOUT_NODES:
        raise TooLarge(
            f"{len(nodes)} nodes are too many to lay out or to read (at most {MAX_LAYOUT_NODES}): mark the time steps "
            'with tg.step(t) and draw view="cells", "rolled" or "flow", or fewer steps with steps=(a, b)'
        )
    graph = graphviz.Digraph("layout")
    graph.attr("graph", rankdir=rankdir, nodesep="0.3", ranksep="0.4")
    graph.attr("node", shape="box", fixedsize="true", label="")
    for number, node in enumerate(nodes):
        shape = {"shape": "ellipse"} if node.shape in ("circle", "ellipse", "point") else {}
        graph.node(f"n{number}", width=_inches(node.width), height=_inches(node.height), **shape)
    names = {node.key: f"n{number}" for number, node in enumerate(nodes)}
    for number, edge in enumerate(edges):
        for end in (edge.tail, edge.head):
            if end not in names:
                raise ValueError(f"edge {edge.key!r}: there is no node {end!r}")
        head = {"arrowsize": _number(edge.arrowsize)} if edge.arrow else {"arrowhead": "none"}
        graph.edge(names[edge.tail], names[edge.head], id=str(number), **head)
    answer = json.loads(engines.first_that_works(graph.source, "json", program="dot")[0])
    centres = {item["name"]: item["pos"].split(",") for item in answer.get("objects", ()) if "pos" in item}
    splines = {int(item["id"]): _control_points(item["pos"]) for item in answer.get("edges", ())}
    return Figure(
        title,
        description,
        tuple(replace(n, x=float(centres[names[n.key]][0]), y=float(centres[names[n.key]][1])) for n in nodes),
        tuple(replace(e, points=splines[number], curve="bezier") for number, e in enumerate(edges)),
        note=note,
    )


def _control_points(pos: str) -> tuple[Point, ...]:
    """Graphviz's ``e,tip p0 c c p1 ...`` as control points whose last is the tip."""
    words = pos.split()
    tip = words.pop(0) if words[0].startswith("e,") else ""
    points = [(float(x), float(y)) for x, y in (word.split(",") for word in words)]
    if tip:
        _, x, y = tip.split(",")
        points[-1] = (float(x), float(y))
    return tuple(points)
