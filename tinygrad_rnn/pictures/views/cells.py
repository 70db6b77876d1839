"""The lecture slide: rows x, h, y, L over time, one column a step, the shared weights feeding every step from a bus."""

from __future__ import annotations

from collections import Counter

from ..figure import Box, Edge, Figure, Node, Point, Text, label, port, route, straight, style, text_at
from ..graph import Vertex
from ..palette import EDGE
from ..roles import Layer, Roles
from .scene import ELLIPSIS, Scene, box, numbers, tooltip

__all__ = ["cells"]

DX, GAP = 108.0, 74.0  # between columns, between rows
FIRST, LAST = 5, 5  # of a long sequence
STATE, CELL, WEIGHT = style("state").stroke, style("cell").stroke, style("parameter").stroke


class Grid:
    """Where rows and columns stand, and what has been drawn."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.roles = scene, scene.roles
        self.columns = scene.columns(FIRST, LAST)
        self.at_steps = set(self.columns) - {ELLIPSIS}
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.boxes: list[Box] = []
        self.key: dict[Vertex, str] = {}
        tall = 16.0 if scene.values else 0.0
        self.gap = GAP + tall
        cell = self.cell = any(layer.c for layer in self.roles.layers)
        both = self.both = {layer.backward for layer in self.roles.layers} == {True, False}
        self.dx = DX + (42 if cell else 0) + ((140 if cell else 92) if both else 0) + (24 if scene.values else 0)
        self.dx += 8 * len(self.roles.parameters) if scene.parameters == "each" else 0
        self.at: dict[int | None, float] = {}
        self.dots: list[float] = []
        hidden = {v for layer in self.roles.layers for v in layer.h.values()}
        self.joins: dict[int, list[Vertex]] = {}
        for v in scene.graph.vertices if both else ():
            if v.op == "concat" and v.step in self.at_steps and v not in self.roles.role and all(u in hidden for u, _ in v.inputs):
                self.joins.setdefault(v.step or 0, []).append(v)
        x = self.dx
        for t in self.columns:
            if t is ELLIPSIS:
                x -= self.dx * 0.25
                self.dots.append(x)
                x += self.dx * 0.75
            else:
                self.at[t] = x
                x += self.dx
        self.end = x

    def put(self, key: str, v: Vertex, x: float, y: float, **look: object) -> Node:
        node = self.nodes[key] = box(key, v, self.scene, x, y, **look)  # type: ignore[arg-type]
        self.key[v] = key
        return node

    def link(self, tail: str, head: str, points: tuple[Point, ...], **look: object) -> None:
        name, same = f"{tail}->{head}", sum(e.tail == tail and e.head == head for e in self.edges[-4:])
        self.edges.append(Edge(name if not same else f"{name}#{same + 1}", tail, head, points, **look))  # type: ignore[arg-type]


def cells(scene: Scene) -> Figure:
    """The figure; every step has one column, or the first and last few where there are many."""
    grid = Grid(scene)
    heights = _rows(grid)
    for t, x in grid.at.items():
        _column(grid, t, x, heights)
    _chains(grid, heights)
    for t in grid.at:
        _inner_edges(grid, t)
    _failure(grid)
    _weights(grid)
    _total(grid, heights["top"])
    return Figure(scene.title or _title(scene), _description(scene), tuple(grid.nodes.values()), tuple(grid.edges),
                  tuple(grid.boxes), " ".join(scene.notes))  # fmt: skip


def _rows(grid: Grid) -> dict[str, float]:
    """The height of each row: "x", "h0", "h1", ... (with "c0", ... above them), "y", "L", "top"."""
    heights = {"x": 0.0}
    y = 92.0 + (grid.gap - GAP)
    for i, layer in enumerate(grid.roles.layers):
        heights[f"h{i}"] = y
        if layer.c:
            heights[f"c{i}"] = y + 62 + (grid.gap - GAP)
            y = heights[f"c{i}"]
        y += grid.gap + (10 if layer.c else 0)
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
            grid.put(f"t{t + 1}/{row}", things[t], x, heights[row])
    both = grid.both
    for i, layer in enumerate(roles.layers):
        if t not in layer.h:
            continue
        centre = x + (45 if layer.backward and both else -45 if both else 0)
        h = grid.put(f"t{t + 1}/{_name(roles.layers, i, 'h')}", layer.h[t], centre, heights[f"h{i}"])
        if t in layer.c:
            aside = 32 if layer.backward else -32
            c = grid.put(f"t{t + 1}/{_name(roles.layers, i, 'c')}", layer.c[t], centre + aside, heights[f"c{i}"], width=46)
            left, right = min(c.x - c.width / 2, h.x - h.width / 2), max(c.x + c.width / 2, h.x + h.width / 2)
            grid.boxes.append(Box(f"t{t + 1}/{_name(roles.layers, i, 'cell')}", left - 12, h.y - h.height / 2 - 12,
                                  right + 12, c.y + c.height / 2 + 12, "", "#f0fdf4", "#86efac"))  # fmt: skip
    for v in grid.joins.get(t, ()):  # both directions of a layer, side by side for the next one
        above = max(grid.nodes[grid.key[tail]].y for tail, _ in v.inputs) + (62 if grid.cell else 0) + 46
        grid.nodes[v.key] = Node(v.key, x, above, 7.2, 7.2, "point", stroke=EDGE, tooltip=tooltip(v), role="join")
        grid.key[v] = v.key


def _name(layers: list[Layer], i: int, letter: str) -> str:
    many = len(layers) > 1
    return letter + (f"{layers[i].number}" if many else "") + ("back" if many and layers[i].backward else "")


def _chains(grid: Grid, heights: dict[str, float]) -> None:
    """The states' lines from step to step, with what was before the first, and dots where steps are left out."""
    layers = grid.roles.layers
    for i, layer in enumerate(layers):
        for letter, lane, first, colour in (("h", layer.h, layer.h0, STATE), ("c", layer.c, layer.c0, CELL)):
            order = [t for t in grid.at if t in lane]
            if not order:
                continue
            y, name = heights[f"{letter}{i}"], _name(layers, i, letter)
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
                grid.put(key, first, x + shift, y, dashed=True, **({"width": 46.0} if letter == "c" else {}))
                stops.append((x, key))
            stops.sort(reverse=layer.backward)
            vertex = {key: v for v, key in grid.key.items() if key.endswith(f"/{name}")}
            for (_, a), (_, b) in zip(stops, stops[1:], strict=False):
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
                points = (port(a, "bottom", side - a.x), port(b, "top", side - b.x))
                grid.link(a.key, b.key, points, colour=CELL, width=1.8)
            elif abs(a.x - b.x) < 1 and _between(grid, a, b):
                out = max(a.width, b.width) / 2 + 14
                points = route(port(a, "right"), (a.x + out, a.y), (a.x + out, b.y), port(b, "right"))
                grid.link(a.key, b.key, points, colour=EDGE)
            else:
                grid.link(a.key, b.key, straight(a, b), colour=EDGE)


def _between(grid: Grid, a: Node, b: Node) -> bool:
    step = a.key.partition("/")[0]
    return any(n.key.startswith(step + "/") and a.y < n.y < b.y and abs(n.x - a.x) < 10 for n in grid.nodes.values()
               ) if len(grid.nodes) < 300 else False  # fmt: skip


def _drawn_before(grid: Grid, head: Vertex, t: int) -> list[Vertex]:
    found: dict[Vertex, None] = {}
    seen, waiting = {head}, [head]
    while waiting:
        for tail, _ in waiting.pop().inputs:
            if tail in seen:
                continue
            seen.add(tail)
            if tail in grid.key:
                if tail is not head and (tail.step == t or grid.roles.x.get(t) is tail):
                    found[tail] = None
            elif tail.step == t:
                waiting.append(tail)
    return list(found)


# The weights


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


def _weights(grid: Grid) -> None:
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
            group = p.key if each else _name(roles.layers, hidden[owner], "W") if many else "W"
            if p not in groups.setdefault(group, []):
                groups[group].append(p)
            heads.setdefault(group, {})[use.step, owner] = 1
    height = -58.0 - (8 if grid.scene.values else 0)
    for number, (group, members) in enumerate(groups.items()):
        _bus(grid, group, members, list(heads[group]), height, number, each)
        height -= 46


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
        start = grid.nodes[group] = Node(group, 0.0, y, 53.0, 36.0, "box", (text,), fill, stroke, tooltip=about, role="parameter")
        names = ", ".join(label(p.name) for p in members if p.name)
        if len(members) > 1 and names and group == "W":
            grid.nodes[f"{group}/names"] = text_at(f"{group}/names", 0.0, y - 28, Text(names, 9.0, "#92400e"))
    before = start
    several = Counter(t for t, _ in heads)
    for t, owner in heads:
        head = grid.nodes[grid.key[owner]]
        mirrored = any(layer.backward and owner in layer.h.values() for layer in grid.roles.layers) and grid.both
        out = 50 + (32 if grid.cell else 0) + (8.0 * number if each else 3.0 * number)
        x, side = (head.x + out, "right") if mirrored else (head.x - out, "left")
        key = f"t{t + 1}/{group}" + (f"/{head.key.rpartition('/')[2]}" if several[t] > 1 else "")
        point = grid.nodes[key] = Node(key, x, y, 7.2, 7.2, "point", stroke=WEIGHT, role="copy",
                                       tooltip=f"copy of {group} for step {t + 1}: its gradients are summed")  # fmt: skip
        grid.link(before.key, key, route(before, point), colour=WEIGHT, width=1.8, arrow=False, role="bus")
        low = -5 - 2.6 * (number % 5) if each else -11.0
        points = route(point, (x, head.y + low), port(head, side, low))
        grid.link(key, head.key, points, colour=WEIGHT, arrowsize=0.65, role="weight")
        before = point


# The end


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
    node = grid.put(roles.symbol(total), total, centre, y, width=102.0 if len(text) > 3 else 53.0, text=text, bold=len(text) < 4)
    for tail in leaving:
        aside = max(-tail.width / 2 + 8, min(tail.width / 2 - 8, node.x - tail.x))  # a line may leave off the centre
        room = node.width / 2 - 14
        if abs(tail.x + aside - node.x) <= room:
            x = max(node.x - room, min(node.x + room, tail.x))
            points = (port(tail, "top", x - tail.x), port(node, "bottom", x - node.x))
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
    kind = "LSTM" if any(layer.c for layer in scene.roles.layers) else "Recurrent network"
    return f"{kind} unrolled over {len(scene.roles.steps)} time steps"


def _description(scene: Scene) -> str:
    roles = scene.roles
    rows = [name for name, row in (("inputs x", roles.x), ("outputs y", roles.y), ("losses L", roles.loss)) if row]
    states = "cell and hidden states c, h" if any(layer.c for layer in roles.layers) else "hidden states h"
    parts = [f"Columns are the time steps 1 to {len(roles.steps)}; rows: {', '.join([states, *rows])}."]
    if roles.parameters:
        names = ", ".join(p.name or p.key for p in roles.parameters)
        parts.append(f"The same parameters ({names}) feed every step; their gradients are summed over the copies.")
    return " ".join([*parts, scene.facts()])
