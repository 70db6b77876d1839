"""The network folded in time: one column, whose loop passes a black square, the delay of one step; unfolded beside it
(as in Goodfellow, Bengio & Courville, Deep Learning, figure 10.3)."""

from __future__ import annotations

from itertools import pairwise

from ..figure import Box, Edge, Figure, Node, Text, curve, label, straight, style, text_at
from ..graph import Vertex
from ..palette import EDGE, GREY
from .grid import to_border
from .scene import Scene, tooltip

__all__ = ["rolled"]

STATE, CELL = style("state").stroke, style("cell").stroke
ROW = 80.0


def rolled(scene: Scene) -> Figure:
    """The figure; a middle step of the run stands for all of them."""
    roles = scene.roles
    steps = [t for t in roles.steps if all(t in layer.h for layer in roles.layers)]
    if not roles.layers or not steps:
        raise ValueError('draw: nothing is carried from one step to the next, so there is no loop to draw: view="ops" '
                         "shows the steps")  # fmt: skip
    t = steps[min(len(steps) - 1, (len(steps) + 1) // 2)]
    rows = _rows(scene, t)
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    cells: dict[str, Box] = {}
    loops = [row for row in rows if row[2] in ("state", "cell")]
    for column, x, shift in (("t", 0.0, 0), ("t-1", 360.0, -1), ("t", 460.0, 0), ("t+1", 560.0, 1)):
        _column(scene, nodes, edges, cells, rows, x, "folded" if not x else column, shift)
    for letter, y, role, _ in loops:
        _loop(nodes, edges, cells, letter, y, role)
        _chain(nodes, edges, cells, letter, y, role)
    nodes["delay/text"] = text_at("delay/text", 90.0, loops[0][1], "delay: 1 step", align="start")
    middle = sum(y for _, y, _, _ in loops) / len(loops)
    nodes["unfold/a"] = Node("unfold/a", 206.0, middle + 16, 0, 0, "text")
    nodes["unfold/b"] = Node("unfold/b", 266.0, middle + 16, 0, 0, "text")
    nodes["unfold"] = text_at("unfold", 236.0, middle + 32, Text("unfold", 13.0))
    edges.append(Edge("unfold/a->unfold/b", "unfold/a", "unfold/b", ((206.0, middle + 16), (266.0, middle + 16)),
                      colour=GREY, width=2.4))  # fmt: skip
    about = (
        f"One time step with its loop: the state passes a delay of one step (the black square) and comes back. Beside "
        f"it the same, unfolded, for t-1, t and t+1; the run had {len(roles.steps)} steps. {scene.facts()}"
    )
    return Figure(
        scene.title or "The network folded in time, and unfolded",
        about,
        tuple(nodes.values()),
        tuple(edges),
        tuple(cells.values()),
        " ".join(scene.notes),
    )


def _rows(scene: Scene, t: int) -> list[tuple[str, float, str, Vertex]]:
    """Rows from the bottom: (letter, height, role, the vertex of step t)."""
    roles = scene.roles
    found: list[tuple[str, str, Vertex]] = [("x", "input", roles.x[t])] if t in roles.x else []
    many = len(roles.layers) > 1
    for layer in roles.layers:
        letters = f"{layer.number}" + ("back" if layer.backward else "") if many else ""
        found += [("c" + letters, "cell", layer.c[t])] if t in layer.c else []
        found += [("h" + letters, "state", layer.h[t])] if t in layer.h else []
    found += [("y", "output", roles.y[t])] if t in roles.y else []
    found += [("L", "loss", roles.loss[t])] if t in roles.loss else []
    return [(letter, i * ROW, role, v) for i, (letter, role, v) in enumerate(found)]


def _column(
    scene: Scene,
    nodes: dict[str, Node],
    edges: list[Edge],
    cells: dict[str, Box],
    rows: list[tuple[str, float, str, Vertex]],
    x: float,
    name: str,
    shift: int,
) -> None:
    index = {-1: "t-1", 0: "t", 1: "t+1"}[shift]
    keys = {}
    for letter, y, role, v in rows:
        base = scene.roles.symbol(v).rpartition("_")[0] or letter
        arrow = scene.roles.symbol(v)[-1] if scene.roles.symbol(v)[-1] in "→←" else ""
        fill, stroke = style(role)
        key = keys[v] = f"{name}/{letter}"
        nodes[key] = Node(key, x, y, 53.0, 36.0, "box", (Text(_below(base, index) + arrow, 15.0),), fill, stroke,
                          tooltip=tooltip(v), role=role)  # fmt: skip
    for (below, low, _, _), (letter, high, role, _) in pairwise(rows):
        if role == "state" and below == letter.replace("h", "c", 1):  # what comes from outside goes into c and h
            cells[f"{name}/{letter}"] = Box(f"{name}/{letter.replace('h', 'cell', 1)}", x - 37, low - 29, x + 37,
                                            high + 29, "", "#f0fdf4", "#86efac")  # fmt: skip
    for _, _, _, v in rows:
        for tail in _before(scene, v, set(keys)):
            a, b = nodes[keys[tail]], nodes[keys[v]]
            cell = next((box for box in cells.values() if box.x0 < b.x < box.x1 and box.y0 < b.y < box.y1), None)
            if b.y - a.y > ROW * 1.5:
                out = x - 44
                points = curve(a, (out - 14, a.y + 10), (out - 14, b.y - 10), b)
                points = (*points[:-1], (cell.x0, points[-1][1])) if cell else points
                edges.append(Edge(f"{a.key}->{b.key}", a.key, b.key, points, "bezier", EDGE))
            else:
                points = to_border(straight(a, b), cell) if cell else straight(a, b)
                edges.append(Edge(f"{a.key}->{b.key}", a.key, b.key, points, colour=EDGE))


def _below(base: str, index: str) -> str:
    """A subscript after a superscript: h and 2, t-1."""
    bare = base.rstrip("¹²³⁴⁵⁶⁷⁸⁹⁰")
    return label(f"{bare}_{{{index}}}").replace(bare, base, 1) if len(bare) <= 2 else f"{base} {index}"


def _before(scene: Scene, head: Vertex, known: set[Vertex]) -> list[Vertex]:
    found: dict[Vertex, None] = {}
    seen, waiting = {head}, [head]
    while waiting:
        for tail, _ in waiting.pop().inputs:
            if tail in seen:
                continue
            seen.add(tail)
            if tail in known:
                found[tail] = None
            elif tail.step == head.step:
                waiting.append(tail)
    own = next((layer.c.get(t) for layer in scene.roles.layers for t, h in layer.h.items() if h is head), None)
    return [v for v in found if own not in found or v is own]


def _loop(nodes: dict[str, Node], edges: list[Edge], cells: dict[str, Box], letter: str, y: float, role: str) -> None:
    state, colour = nodes[f"folded/{letter}"], CELL if role == "cell" else STATE
    key = f"folded/{letter}/delay"
    fill, stroke = style("delay")
    square = nodes[key] = Node(key, 78.0, y, 14.4, 14.4, "square", (), fill, stroke, role="delay",
                               tooltip="a delay of one time step")  # fmt: skip
    top = ((18.0, y + 18.0), (24.0, y + 42.0), (78.0, y + 44.0), (78.0, y + 7.2))
    back = ((78.0, y - 7.2), (78.0, y - 42.0), (34.0, y - 50.0), (20.0, y - 18.0))
    if state.key in cells:
        back = ((78.0, y - 7.2), (78.0, y - 24.0), (62.0, y - 14.0), (cells[state.key].x1, y - 12.0))
    edges.append(Edge(f"{state.key}->{key}", state.key, key, top, "bezier", colour, 2.6, arrow=False))
    edges.append(Edge(f"{key}->{state.key}", square.key, state.key, back, "bezier", colour, 2.6))


def _chain(nodes: dict[str, Node], edges: list[Edge], cells: dict[str, Box], letter: str, y: float, role: str) -> None:
    colour = CELL if role == "cell" else STATE
    back = "back" in letter
    stops = [_dots(f"before/{letter}", 292.0, y), *(nodes[f"{c}/{letter}"] for c in ("t-1", "t", "t+1")),
             _dots(f"after/{letter}", 628.0, y)]  # fmt: skip
    nodes.update({stops[0].key: stops[0], stops[-1].key: stops[-1]})
    order = stops[::-1] if back else stops
    for a, b in pairwise(order):
        points = to_border(straight(a, b), cells[b.key]) if b.key in cells else straight(a, b)
        edges.append(Edge(f"{a.key}->{b.key}", a.key, b.key, points, colour=colour, width=2.6))


def _dots(key: str, x: float, y: float) -> Node:
    return Node(key, x, y, 20.0, 18.0, "text", (Text("...", 15.0),), role="remark")
