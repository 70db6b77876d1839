"""The parameters of the cells view: each group drawn once, on a bus with a copy point for every use.

That is the copy gate, whose backward pass is a sum.
"""

from __future__ import annotations

from collections import Counter

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
    groups: dict[str, list[Vertex]] = {}
    heads: dict[str, dict[tuple[int, Vertex], int]] = {}
    hidden = {v: i for i, layer in enumerate(roles.layers) for v in layer.h.values()}
    if grid.scene.graph.failed is not None:
        hidden[grid.scene.graph.failed] = 0
    for p in roles.parameters:
        for use in _uses(p):
            owner = _owner(grid, use, use.step) if use.step in grid.at and use.step is not None else None
            if owner is None or use.step is None or (owner not in hidden and not each):
                continue
            many = len(roles.layers) > 1
            group = p.key if each else name_of(roles.layers, hidden[owner], "W") if many else "W"
            if p not in groups.setdefault(group, []):
                groups[group].append(p)
            heads.setdefault(group, {})[use.step, owner] = 1
    height = -58.0 - (8 if grid.scene.values else 0)
    for number, (group, members) in enumerate(groups.items()):
        _bus(grid, group, members, list(heads[group]), height, number, each)
        height -= 56 if each and grid.scene.values else 46


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


def _bus(grid: Grid, group: str, members: list[Vertex], heads: list[tuple[int, Vertex]], y: float, number: int,
         each: bool) -> None:  # fmt: skip
    if each:
        start = grid.put(group, members[0], 0.0, y)
    else:
        fill, stroke = style("parameter")
        hidden = next((layer for layer in grid.roles.layers if heads[0][1] in layer.h.values()), None)
        mark = "".join(c for c in grid.roles.symbol(hidden.h[heads[0][0]]) if c in "→←¹²³⁴⁵⁶⁷⁸⁹⁰") if hidden else ""
        text = Text("W" + mark, 15.0, bold=True)
        about = "the weights, the same in every step:\n" + "\n".join(tooltip(p) for p in members)
        start = grid.nodes[group] = Node(
            group, 0.0, y, 53.0, 36.0, "box", (text,), fill, stroke, tooltip=about, role="parameter"
        )
        names = ", ".join(label(p.name) for p in members if p.name)
        if len(members) > 1 and names and group == "W":
            grid.nodes[f"{group}/names"] = text_at(f"{group}/names", 0.0, y - 28, Text(names, 9.0, "#92400e"))
    before = start
    several = Counter(t for t, _ in heads)
    for t, owner in heads:
        head = grid.nodes[grid.key[owner]]
        mirrored = any(layer.backward and owner in layer.h.values() for layer in grid.roles.layers) and grid.both
        out = grid.out + (8.0 if each else 3.0) * number
        x, side = (head.x + out, "right") if mirrored else (head.x - out, "left")
        key = f"t{t + 1}/{group}" + (f"/{head.key.rpartition('/')[2]}" if several[t] > 1 else "")
        point = grid.nodes[key] = Node(
            key,
            x,
            y,
            7.2,
            7.2,
            "point",
            stroke=WEIGHT,
            role="copy",
            tooltip=f"copy of {group} for step {t + 1}: its gradients are summed",
        )
        grid.link(before.key, key, route(before, point), colour=WEIGHT, width=1.8, arrow=False, role="bus")
        low = -5 - 2.6 * (number % 5) if each else -0.3 * head.height
        points = route(point, (x, head.y + low), port(head, side, low))
        grid.link(key, head.key, points, colour=WEIGHT, arrowsize=0.45 if each else 0.65, role="weight")
        before = point
