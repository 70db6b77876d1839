"""The lecture slide: rows x, h, y, L over time, one column a step, the shared weights feeding every step from a bus."""

from __future__ import annotations

from itertools import pairwise

from ..figure import Box, Figure, Node, Point, Text, curve, port, route, straight, style
from ..graph import Vertex
from ..palette import EDGE
from ..roles import Roles, outputs_apart
from .grid import GAP, Grid, name_of
from .parts import kind_of
from .scene import ELLIPSIS, Scene, numbers, tooltip
from .weights import draw_weights

__all__ = ["cells"]

STATE, CELL = style("state").stroke, style("cell").stroke


def cells(scene: Scene) -> Figure:
    """The figure; every step has one column, or the first and last few where there are many."""
    outputs_apart(scene.roles)
    grid = Grid(scene)
    heights = _rows(grid)
    for t, x in grid.at.items():
        _column(grid, t, x, heights)
    _chains(grid, heights)
    for t in grid.at:
        _inner_edges(grid, t)
        _other_edges(grid, t)
    _failure(grid)
    draw_weights(grid)
    _total(grid, heights["top"])
    return Figure(scene.title or _title(scene), _description(scene), tuple(grid.nodes.values()), tuple(grid.edges),
                  tuple(grid.boxes), " ".join(scene.notes))  # fmt: skip


def _rows(grid: Grid) -> dict[str, float]:
    """The height of each row: "x", "h0", "h1", ... (with "c0", ... above them), "y", "L", "top"."""
    heights = {"x": 0.0}
    y = 92.0 if grid.roles.x else 0.0
    for i, layer in enumerate(grid.roles.layers):
        heights[f"h{i}"] = y
        if layer.c:
            heights[f"c{i}"] = y + 62 + (grid.gap - GAP)
            y = heights[f"c{i}"]
        y += grid.gap + (10 if layer.c else 0) + (26 if layer.c and layer.backward and grid.joins else 0)
    y += 16 if grid.joins and grid.roles.y else 0
    for row, things in (("y", grid.roles.y), ("L", grid.roles.loss)):
        if things:
            heights[row] = y
            y += grid.gap
    heights["top"] = y + 4
    return heights


def _column(grid: Grid, t: int, x: float, heights: dict[str, float]) -> None:
    roles = grid.roles
    for row, things in (("x", roles.x), ("y", roles.y), ("L", roles.loss)):
        if t in things and things[t] not in grid.key:
            grid.put(f"t{t + 1}/{row}", things[t], x, heights[row], width=grid.wide[row])
    for i, layer in enumerate(roles.layers):
        side = 1 if layer.backward else -1
        centre = x + side * grid.apart
        key = {letter: f"t{t + 1}/{name_of(roles.layers, i, letter)}" for letter in "hc"}
        if t in layer.h:
            h = grid.put(key["h"], layer.h[t], centre, heights[f"h{i}"], width=grid.wide["h"])
        if t in layer.c:  # which has no h where the step failed between them
            c = grid.put(key["c"], layer.c[t], centre + side * grid.aside, heights[f"c{i}"], width=grid.wide["c"])
        if t in layer.h and t in layer.c:
            left, right = min(c.x - c.width / 2, h.x - h.width / 2), max(c.x + c.width / 2, h.x + h.width / 2)
            cell = Box(f"t{t + 1}/{name_of(roles.layers, i, 'cell')}", left - 12, h.y - h.height / 2 - 12,
                       right + 12, c.y + c.height / 2 + 12, "", "#f0fdf4", "#86efac")  # fmt: skip
            grid.boxes.append(cell)
            grid.cell_of[h.key] = cell
    for v in grid.joins.get(t, ()):  # both directions of a layer, merged for the next one
        above = max(grid.nodes[grid.key[tail]].y for tail, _ in v.inputs) + (62 if grid.cell else 0) + 46
        grid.nodes[v.key] = Node(v.key, x, above, 7.2, 7.2, "point", stroke=EDGE, tooltip=tooltip(v), role="join")
        grid.key[v] = v.key


def _chains(grid: Grid, heights: dict[str, float]) -> None:
    """The states' lines from step to step, with what was before the first, and dots where steps are left out."""
    layers = grid.roles.layers
    for i, layer in enumerate(layers):
        for letter, lane, first, colour in (("h", layer.h, layer.h0, STATE), ("c", layer.c, layer.c0, CELL)):
            order = [t for t in grid.at if t in lane]
            if not order:
                continue
            y, name = heights[f"{letter}{i}"], name_of(layers, i, letter)
            shift = grid.nodes[f"t{order[0] + 1}/{name}"].x - grid.at[order[0]]
            stops: list[tuple[float, str]] = [(grid.at[t], f"t{t + 1}/{name}") for t in order]
            for number, x in enumerate(grid.dots):
                key = f"{name}/...{number + 1 if len(grid.dots) > 1 else ''}"
                grid.nodes[key] = Node(key, x + shift, y, 24.0, 18.0, "text", (Text("...", 15.0),), role="remark")
                stops.append((x, key))
            start, left = order[-1] if layer.backward else order[0], grid.columns[-1 if layer.backward else 0]
            if first is not None and left is not ELLIPSIS and lane and start == left:
                x = grid.end if layer.backward else 0.0
                key = f"t{'end' if layer.backward else 0}/{name}"
                grid.put(key, first, x + shift, y, dashed=True, width=grid.wide[letter])
                stops.append((x, key))
            stops.sort(reverse=layer.backward)
            vertex = {key: v for v, key in grid.key.items() if key.endswith(f"/{name}")}
            for (_, a), (_, b) in pairwise(stops) if layer.carried else ():
                tail, head = vertex.get(a), vertex.get(b)
                cut = tail is not None and head is not None and not grid.roles.linked(tail, head)
                grid.link(a, b, straight(grid.nodes[a], grid.nodes[b]), colour="#9ca3af" if cut else colour,
                          width=1.4 if cut else 2.6, dashed=cut, role="detached" if cut else "chain",
                          tooltip="detached: no gradient flows back here" if cut else _carried(tail, head))  # fmt: skip


def _carried(tail: Vertex | None, head: Vertex | None) -> str:
    if head is None or tail is None or head.gradient is None or tail.gradient is None:
        return ""
    return f"gradient: {numbers(head.gradient)} arrives, {numbers(tail.gradient)} goes on"


def _inner_edges(grid: Grid, t: int) -> None:
    """Within a step: from each thing that is drawn to the next that is drawn, through what is not."""
    roles = grid.roles
    cells = {layer.c[t] for layer in roles.layers if t in layer.c}
    mine = [v for layer in roles.layers for lane in (layer.h, layer.c) if t in lane for v in [lane[t]]]
    mine += [*grid.joins.get(t, ()), *(row[t] for row in (roles.y, roles.loss) if t in row)]
    for head in dict.fromkeys(mine):
        for tail in _drawn_before(grid, head, t):
            if head in cells and tail not in cells:
                continue
            a, b = grid.nodes[grid.key[tail]], grid.nodes[grid.key[head]]
            if tail in cells:
                side = a.x + (a.width / 2 - 10) * (1 if a.x < b.x else -1)
                points: tuple[Point, ...] = (port(a, "bottom", side - a.x), port(b, "top", side - b.x))
                grid.link(a.key, b.key, points, colour=CELL, width=1.8)
            elif abs(a.x - b.x) < 1 and _between(grid, a, b):
                out = max(a.width, b.width) / 2 + 14
                points = route(port(a, "right"), (a.x + out, a.y), (a.x + out, b.y), port(b, "right"))
                grid.link(a.key, b.key, points, colour=EDGE)
            else:
                grid.link(a.key, b.key, straight(a, b), colour=EDGE)


def _other_edges(grid: Grid, t: int) -> None:
    """What else comes from another step, beside the chains: an output that is fed back, attention to old states."""
    order = {s: i for i, s in enumerate(grid.roles.steps)}
    layer_of = {v: i for i, layer in enumerate(grid.roles.layers) for lane in (layer.h, layer.c) for v in lane.values()}
    for head in [v for row in (*_lanes(grid), grid.roles.y, grid.roles.loss) for v in [row.get(t)] if v in grid.key]:
        for tail in _drawn_before(grid, head, t, same_step=False):
            chained = tail in layer_of and layer_of[tail] == layer_of.get(head)
            if tail.step is None or (chained and abs(order[tail.step] - order[t]) == 1):
                continue
            a, b = grid.nodes[grid.key[tail]], grid.nodes[grid.key[head]]
            if a.y == b.y:  # over the states between
                up = a.y + 34 + 6 * abs(order[tail.step] - order[t])
                points = curve(a, ((3 * a.x + b.x) / 4, up), ((a.x + 3 * b.x) / 4, up), b)
                grid.link(a.key, b.key, points, curve="bezier", colour=EDGE, role="skip")
            else:
                grid.link(a.key, b.key, straight(a, b), colour=EDGE, role="skip")


def _lanes(grid: Grid) -> list[dict[int, Vertex]]:
    return [lane for layer in grid.roles.layers for lane in (layer.h, layer.c)]


def _between(grid: Grid, a: Node, b: Node) -> bool:
    step = a.key.partition("/")[0]
    return any(n.key.startswith(step + "/") and a.y < n.y < b.y and abs(n.x - a.x) < 10 for n in grid.nodes.values()
               ) if len(grid.nodes) < 300 else False  # fmt: skip


def _drawn_before(grid: Grid, head: Vertex, t: int, same_step: bool = True) -> list[Vertex]:
    """What is drawn and goes into `head` through nothing else that is drawn: of this step, or of others."""
    found: dict[Vertex, None] = {}
    seen, waiting = {head}, [head]
    while waiting:
        for tail, _ in waiting.pop().inputs:
            if tail in seen:
                continue
            seen.add(tail)
            if tail in grid.key:
                if tail is not head and (tail.step == t or grid.roles.x.get(t) is tail) == same_step:
                    found[tail] = None
            elif tail.step == t:
                waiting.append(tail)
    return list(found)


def _total(grid: Grid, y: float) -> None:
    roles, total = grid.roles, grid.roles.total
    if total is None or not grid.at:
        return
    leaving = []
    for t in grid.at:
        rows = [roles.loss.get(t), roles.y.get(t), *(layer.h.get(t) for layer in reversed(roles.layers))]
        top = next((v for v in rows if v is not None and v in grid.key and _reaches(grid, v, total)), None)
        if top is not None:
            leaving.append(grid.nodes[grid.key[top]])
    centre = (min(grid.at.values()) + max(grid.at.values())) / 2
    if len(leaving) == 1:
        centre = leaving[0].x
    text = roles.symbol(total) + total_formula(roles)
    node = grid.put(
        roles.symbol(total), total, centre, y, width=102.0 if len(text) > 3 else 53.0, text=text, bold=len(text) < 4
    )
    for tail in leaving:
        aside = max(-tail.width / 2 + 8, min(tail.width / 2 - 8, node.x - tail.x))  # a line may leave off the centre
        room = node.width / 2 - 14
        if abs(tail.x + aside - node.x) <= room:
            x = max(node.x - room, min(node.x + room, tail.x))
            points: tuple[Point, ...] = (port(tail, "top", x - tail.x), port(node, "bottom", x - node.x))
        else:
            points = route(port(tail, "top"), (tail.x, node.y), port(node, "left" if tail.x < node.x else "right"))
        grid.link(tail.key, node.key, points, colour=EDGE)


def total_formula(roles: Roles) -> str:
    """How the total comes from the losses of the steps: said only where the numbers bear it out."""
    losses, total = roles.loss, roles.total
    if len(losses) < 2 or total is None or total.size != 1:
        return ""
    parts = [float(v.value.reshape(-1)[0]) for v in losses.values()]
    for value, text in ((sum(parts), " = ∑ L_t"), (sum(parts) / len(parts), " = mean L_t")):
        if abs(float(total.value.reshape(-1)[0]) - value) <= 1e-5 * max(1.0, sum(map(abs, parts))):
            return text
    return ""


def _reaches(grid: Grid, v: Vertex, total: Vertex) -> bool:
    """Does it go into the total past the end of its own step?"""
    sums = grid.roles.sums
    return v is not total and any(use is total or use.step is None or use in sums for use, _ in v.uses)


def _failure(grid: Grid) -> None:
    """Where the run broke off: a red box in the row that is missing, and the error under the picture."""
    failed = grid.scene.graph.failed
    if failed is None:
        return
    x = grid.at.get(failed.step) if failed.step is not None else None
    x = grid.end if x is None else x
    below = [n.y for n in grid.nodes.values() if abs(n.x - x) < 30 and n.y >= 0 and n.shape == "box"]
    y = max(below, default=0.0) + (92.0 if below == [0.0] or not below else grid.gap)
    node = grid.put(failed.key, failed, x, y, text=f"{failed.op} failed", size=12.0)
    for tail, _ in failed.inputs:
        source = grid.key.get(tail)
        if source is not None and grid.nodes[source] is not node:
            grid.link(source, node.key, straight(grid.nodes[source], node), colour=style("error").stroke, dashed=True)
    grid.scene.notes.append(failed.error)


def _title(scene: Scene) -> str:
    kinds = {kind_of(layer, scene.roles) for layer in scene.roles.layers}
    kind = kinds.pop() if len(kinds) == 1 and kinds != {"RNN"} else "Recurrent network"
    return f"{kind} unrolled over {len(scene.roles.steps)} time steps"


def _description(scene: Scene) -> str:
    roles = scene.roles
    rows = [name for name, row in (("inputs x", roles.x), ("outputs y", roles.y), ("losses L", roles.loss)) if row]
    states = "cell and hidden states c, h" if any(layer.c for layer in roles.layers) else "hidden states h"
    parts = [f"Columns are the time steps 1 to {len(roles.steps)}; rows: {', '.join([states, *rows])}."]
    if roles.parameters:
        names = ", ".join(p.name or p.key for p in roles.parameters)
        parts.append(f"The same parameters ({names}) feed every step; their gradients are summed over the copies.")
    for v, was in roles.restarts.items():
        steps = ", ".join(str(use.step + 1) for use, _ in v.uses if use.step is not None)
        parts.append(f"{roles.symbol(was)} is detached: no gradient flows back from step {steps} (dashed).")
    return " ".join([*parts, scene.facts()])
