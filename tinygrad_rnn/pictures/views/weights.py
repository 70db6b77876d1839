"""The parameters of the cells view: each group drawn once, on a bus with a copy point for every use.

That is the copy gate, whose backward pass is a sum. Those of the states, W, have their bus below everything; those
that lead from a state to the output, V, have it under the row that they make.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

from ..figure import Node, Text, label, port, route, style, text_at
from ..graph import Vertex
from .grid import Grid, name_of
from .scene import tooltip

__all__ = ["draw_weights"]

WEIGHT = style("parameter").stroke


def _owner(grid: Grid, use: Vertex, t: int) -> Vertex | None:
    """What, of the drawn things of step t, a parameter's use goes into: a cell's h rather than its c."""
    hidden = {layer.c[t]: layer.h.get(t) for layer in grid.roles.layers if t in layer.c}
    seen, waiting = {use}, [use]
    while waiting:
        v = waiting.pop(0)
        if v in grid.key and v.step == t:
            return hidden.get(v) or v
        for head, _ in v.uses:
            if head.step == t and head not in seen:
                seen.add(head)
                waiting.append(head)
    return None


def draw_weights(grid: Grid) -> None:
    """A bus for each layer's parameters together (or for each parameter), with a copy point where it is used."""
    roles, each = grid.roles, grid.scene.parameters == "each"
    groups: dict[str, dict[Vertex, dict[tuple[int, Vertex], int]]] = {}  # of each parameter, the steps that use it
    hidden = {v: i for i, layer in enumerate(roles.layers) for v in layer.h.values()}
    if grid.scene.graph.failed is not None:
        hidden[grid.scene.graph.failed] = 0
    for p in roles.parameters:
        for use in _uses(p):
            owner = _owner(grid, use, use.step) if use.step in grid.at and use.step is not None else None
            group = _group(grid, p, owner, hidden)
            if owner is None or use.step is None or not group:
                continue
            groups.setdefault(group, {}).setdefault(p, {})[use.step, owner] = 1
    height = -58.0 - (8 if grid.scene.values else 0)
    number = 0
    for group, members in groups.items():
        turns = _turns(members)
        if each or turns[0][1][0][1] in hidden:
            for turn, (part, uses) in enumerate(turns):
                _bus(grid, group, part, uses, height, number, each, turn + 1 if len(turns) > 1 else 0)
            height -= 56 if each and grid.scene.values else 46
            number += 1
        else:
            _output_bus(grid, group, list(members), list(dict.fromkeys(u for uses in members.values() for u in uses)))


def _turns(members: dict[Vertex, dict[tuple[int, Vertex], int]]) -> list[tuple[list[Vertex], list[tuple[int, Vertex]]]]:
    """Parameters with their uses, apart from those that are used in other steps alone: where a decoder goes on from the
    state of an encoder, one set of weights serves the first steps, and another the last."""
    turns: list[tuple[list[Vertex], dict[tuple[int, Vertex], int]]] = []
    for p, uses in members.items():
        mine = next((turn for turn in turns if not {t for t, _ in turn[1]}.isdisjoint(t for t, _ in uses)), None)
        if mine is None:
            turns.append(([p], dict(uses)))
        else:
            mine[0].append(p)
            mine[1].update(uses)
    return sorted(((part, list(uses)) for part, uses in turns), key=lambda turn: min(t for t, _ in turn[1]))


def _group(grid: Grid, p: Vertex, owner: Vertex | None, hidden: dict[Vertex, int]) -> str:
    """The key of the bus from which a use takes its copy; "" for none."""
    if grid.scene.parameters == "each":
        return p.key
    if owner in hidden:
        layers = grid.roles.layers
        return name_of(layers, hidden[owner], "W") if len(layers) > 1 else "W"
    if owner is None:
        return ""
    rows = {"V": grid.roles.y, "V/L": grid.roles.loss}
    return next((group for group, row in rows.items() if owner in row.values()), "")


def _uses(p: Vertex) -> list[Vertex]:
    """Where it is used in a step, also by way of something made of it outside the steps (W.T)."""
    found: list[Vertex] = []
    waiting = [p]
    seen = {p}
    while waiting:
        for use, _ in waiting.pop().uses:
            if use in seen:
                continue
            seen.add(use)
            if use.step is None and all(tail.is_leaf for tail, _ in use.inputs):
                waiting.append(use)
            elif use.step is not None:
                found.append(use)
    return found


def _merged(grid: Grid, group: str, text: str, members: list[Vertex], y: float, above: float,
            room: float = math.inf) -> Node:  # fmt: skip
    """The box that stands for several parameters, with their names at the height `above` its middle, where they find
    `room`."""
    fill, stroke = style("parameter")
    about = "the weights, the same in every step:\n" + "\n".join(tooltip(p) for p in members)
    node = grid.nodes[group] = Node(group, 0.0, y, 53.0, 36.0, "box", (Text(text, 15.0, bold=True),), fill, stroke,
                                    tooltip=about, role="parameter")  # fmt: skip
    names = Text(", ".join(label(p.name) for p in members if p.name), 9.0, "#92400e")
    if above and names.text not in ("", text) and names.width <= room:
        grid.nodes[f"{group}/names"] = text_at(f"{group}/names", 0.0, y + above, names)
    return node


def _moved(grid: Grid, group: str, x: float) -> Node:
    for key in (group, f"{group}/names"):
        if key in grid.nodes:
            grid.nodes[key] = replace(grid.nodes[key], x=x)
    return grid.nodes[group]


def _copy(grid: Grid, key: str, group: str, t: int, x: float, y: float) -> Node:
    about = f"copy of {group} for step {t + 1}: its gradients are summed"
    node = grid.nodes[key] = Node(key, x, y, 7.2, 7.2, "point", stroke=WEIGHT, role="copy", tooltip=about)
    return node


def _output_bus(grid: Grid, group: str, members: list[Vertex], heads: list[tuple[int, Vertex]]) -> None:
    """The parameters that make an output: their box at the left of its row, and the bus between that and the row below,
    above whatever the step draws there."""
    drawn = {t: grid.nodes[grid.key[owner]] for t, owner in sorted(heads, key=lambda head: head[0])}
    row = next(iter(drawn.values()))
    bottom = row.y - max(row.height, 36.0) / 2
    below = [n.y + n.height / 2 for n in grid.nodes.values() if n.shape != "text" and n.y + n.height / 2 < bottom]
    below += [box.y1 for box in grid.boxes if box.y1 < bottom]
    y = (bottom + max(below, default=bottom - 36.0)) / 2
    start = _merged(grid, group, "V", members, row.y, 28.0, 2 * (row.x - row.width / 2 - 8))
    out = min(23.5, (grid.dx - row.width) / 2)
    before = start
    for t, head in drawn.items():
        x = head.x - head.width / 2 - out
        point = _copy(grid, f"t{t + 1}/{group}", "V", t, x, y)
        first = before is start
        points = route(port(start, "bottom"), (start.x, y), point) if first else route(before, point)
        grid.link(before.key, point.key, points, colour=WEIGHT, width=1.8, arrow=False, role="bus")
        low = -0.3 * head.height
        grid.link(point.key, head.key, route(point, (x, head.y + low), port(head, "left", low)), colour=WEIGHT,
                  arrowsize=0.65, role="weight")  # fmt: skip
        before = point


def _bus(grid: Grid, group: str, members: list[Vertex], heads: list[tuple[int, Vertex]], y: float, number: int,
         each: bool, turn: int = 0) -> None:  # fmt: skip
    """The parameters below, and a line to all their uses. Those that take turns, W₁ and W₂, stand on one line, each
    before its first use."""
    if each:
        start = grid.put(group, members[0], 0.0, y)
    else:
        hidden = next((layer for layer in grid.roles.layers if heads[0][1] in layer.h.values()), None)
        mark = "".join(c for c in grid.roles.symbol(hidden.h[heads[0][0]]) if c in "→←¹²³⁴⁵⁶⁷⁸⁹⁰") if hidden else ""
        name, named = "W" + mark + "₀₁₂₃₄₅₆₇₈₉"[turn] * bool(turn), len(members) > 1 and group == "W"
        group += f"/{turn}" * (turn > 1)
        start = _merged(grid, group, name, members, y, -28.0 if named else 0.0)
        if turn > 1:
            first = min(grid.nodes[grid.key[owner]].x for _, owner in heads)
            start = _moved(grid, group, first - grid.out - grid.dx / 2)
    before = start
    several = Counter(t for t, _ in heads)
    for t, owner in heads:
        head = grid.nodes[grid.key[owner]]
        mirrored = any(layer.backward and owner in layer.h.values() for layer in grid.roles.layers) and grid.both
        out = grid.out + (8.0 if each else 3.0) * number
        x, side = (head.x + out, "right") if mirrored else (head.x - out, "left")
        key = f"t{t + 1}/{group}" + (f"/{head.key.rpartition('/')[2]}" if several[t] > 1 else "")
        point = _copy(grid, key, group, t, x, y)
        grid.link(before.key, key, route(before, point), colour=WEIGHT, width=1.8, arrow=False, role="bus")
        low = -5 - 2.6 * (number % 5) if each else -0.3 * head.height
        points = route(point, (x, head.y + low), port(head, side, low))
        grid.link(key, head.key, points, colour=WEIGHT, arrowsize=0.45 if each else 0.65, role="weight")
        before = point
