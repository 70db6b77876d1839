"""Every primitive, in a box for each time step; each parameter drawn once below, with a copy point for each use."""

from __future__ import annotations

from dataclasses import replace

from ..dot import TooLarge
from ..figure import Box, Edge, Figure, Node, Point, Stop, Text, port, route, straight, style
from ..graph import Vertex
from ..palette import EDGE, STEP
from ..roles import by_step
from .cells import total_formula
from .generic import op_node
from .scene import ELLIPSIS, Scene, box
from .step import Item, Plan, plan

__all__ = ["MAX_NODES", "ops"]

FIRST, LAST = 3, 2
MAX_NODES = 2000
GAP = 22.0  # between the boxes of two steps
STATE, CELL, WEIGHT = style("state").stroke, style("cell").stroke, style("parameter").stroke
LINE = "#4b5563"


def ops(scene: Scene) -> Figure:
    """The figure. Raises TooLarge above MAX_NODES nodes, unless all steps were asked for."""
    return _Ops(scene).figure()


class _Ops:
    def __init__(self, scene: Scene) -> None:
        self.scene, self.roles, self.graph = scene, scene.roles, scene.graph
        self.groups = by_step(scene.graph)
        self.columns = scene.columns(FIRST, LAST)
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.edge_keys: set[str] = set()
        self.boxes: list[Box] = []
        self.key: dict[Vertex, str] = {}  # where lines from a vertex start
        self.row = 62.0 if scene.values else 44.0
        self.lanes = {v: f"{letter}{i}" for i, layer in enumerate(self.roles.layers)
                      for letter, lane in (("h", layer.h), ("c", layer.c)) for v in lane.values()}  # fmt: skip
        self.first = {layer.h0: f"h{i}" for i, layer in enumerate(self.roles.layers) if layer.h0 is not None}
        self.first |= {layer.c0: f"c{i}" for i, layer in enumerate(self.roles.layers) if layer.c0 is not None}
        self.shared = set(self.roles.parameters)
        self.weights: dict[Vertex, list[tuple[str, str, float, bool]]] = {p: [] for p in self.roles.parameters}
        for p in self.roles.parameters:  # W.T, taken once outside the loop
            for use, _ in p.uses:
                if use.step is None and len(use.inputs) == 1 and any(u.step is not None for u, _ in use.uses):
                    self.shared.add(use)
                    self.weights[use] = []
        self.plans: dict[tuple, Plan] = {}
        self.mirrored = frozenset(i for i, layer in enumerate(self.roles.layers) if layer.backward)
        self.heads: set[str] = set()  # operations that stand above the states

    def figure(self) -> Figure:
        drawn = sum(len(self.groups[t]) for t in self.columns if t is not ELLIPSIS)
        if drawn > MAX_NODES and self.scene.steps is not True:
            raise TooLarge(f'draw: {drawn} operations are too many to read: view="cells" or "flow" shows as many steps with '
                           'less, steps=(a, b) fewer of them; steps="all" draws them all the same')  # fmt: skip
        parts = []
        x = 42.0
        for t in self.columns:
            if t is ELLIPSIS:
                parts.append((t, x + 20, [], None))
                x += 40 + GAP
                continue
            items = self._items(t)
            placed = self._plan(items)
            parts.append((t, x, items, placed))
            x += placed.width + GAP
        self.end = x
        plans = [p for _, _, _, p in parts if p is not None]
        self.bottom = min(p.bottom for p in plans)
        self.top = max(p.top for p in plans)
        self.parts = parts
        for t, left, items, placed in parts:
            if placed is not None and t is not None:
                self._step(t, left, items, placed)
        self._initial(parts)
        for t, left, items, placed in parts:
            if placed is not None and t is not None:
                self._lines(t, left, items, placed)
        self._dots(parts)
        self._after()
        self._buses()
        return Figure(self.scene.title or f"Every operation of {len(self.roles.steps)} time steps", self._description(),
                      tuple(self.nodes.values()), tuple(self.edges), tuple(self.boxes), " ".join(self._notes()))  # fmt: skip

    # What a step holds

    def _items(self, t: int) -> list[Item]:
        roles = self.roles
        items: dict[str, Item] = {}
        owner = self._owners(t)
        made: dict[Vertex, str] = {}
        for v in self.groups[t]:
            if v in roles.sums:
                continue
            inputs, carried = self._inputs(v, t, items, made, owner)
            row = "y" if roles.y.get(t) is v else "L" if roles.loss.get(t) is v else self.lanes.get(v, "")
            taken = roles.x.get(t) is v and v.op == "getitem"
            if v.kind == "part":
                made[v] = made[v.inputs[0][0]]
            elif taken:
                made[v] = self._leaf(v, t, items, owner.get(v))
            else:
                made[v] = v.key
                if v not in owner:
                    self.heads.add(v.key)
                items[v.key] = Item(v.key, op_node(v.key, v, 0, 0, self.scene.values and not row), "op", inputs, carried, "",
                                    owner.get(v))  # fmt: skip
            if (row or v.name) and v.kind != "failed" and not taken:
                name = f"t{t + 1}/{self._letter(row) if row else v.local + '/' + (v.name or '')}"
                text = roles.symbol(v) if row else v.name
                node = box(name, v, self.scene, 0, 0, 32.0, 28.0, 12.0, text)
                if not row:
                    node = replace(node, fill="#ffffff", stroke=style("op").stroke)
                lane = row if v in self.lanes else ""
                items[name] = Item(name, node, "result", [made[v]], [], lane, owner.get(v))
                made[v] = name
            self.key[v] = made[v]
        return list(items.values())

    def _letter(self, row: str) -> str:
        if row in ("y", "L") or len(self.roles.layers) == 1:
            return row[0]
        layer = self.roles.layers[int(row[1:])]
        return f"{row[0]}{layer.number}{'back' if layer.backward else ''}"

    def _owners(self, t: int) -> dict[Vertex, int]:
        """To which layer an operation leads; none, for what is made of the states."""
        owner: dict[Vertex, int] = {}
        for i, layer in enumerate(self.roles.layers):
            waiting = [v for v in (layer.h.get(t), layer.c.get(t)) if v is not None]
            while waiting:
                v = waiting.pop()
                if v not in owner:
                    owner[v] = i
                    waiting += [tail for tail, _ in v.inputs if tail.step == t]
        if not self.roles.layers or not owner:
            owner = dict.fromkeys(self.groups[t], 0)
        elif self.graph.failed is not None and self.graph.failed.step == t:
            owner |= {v: 0 for v in self.groups[t] if v not in owner}
        return owner

    def _inputs(self, v: Vertex, t: int, items: dict[str, Item], made: dict[Vertex, str],
                owner: dict[Vertex, int]) -> tuple[list[str], list[str]]:  # fmt: skip
        inputs, carried = [], []
        if roles_taken(self.roles, v, t):
            return inputs, carried
        for tail, _ in v.inputs:
            if tail in made:
                inputs.append(made[tail])
            elif tail in self.lanes and tail.step != t:
                carried.append(self.lanes[tail])
            elif tail in self.first:
                carried.append(self.first[tail])
            elif tail in self.shared or tail.step is not None or tail in self.roles.sums:
                continue
            else:
                made[tail] = self._leaf(tail, t, items, owner.get(v))
                inputs.append(made[tail])
        return inputs, carried

    def _leaf(self, v: Vertex, t: int, items: dict[str, Item], layer: int | None) -> str:
        is_x = self.roles.x.get(t) is v
        name = f"t{t + 1}/x" if is_x else v.key if v.key.startswith(f"t{t + 1}/") else f"t{t + 1}/{v.key}"
        text = self.roles.symbol(v) if is_x or v in self.roles.restarts else v.name or ("target" if layer is None else "const" if v.is_leaf else v.op)
        node = box(name, v, self.scene, 0, 0, 36.0, 26.0, 12.0 if is_x else 9.0, text)
        items[name] = Item(name, node, "leaf", layer=layer)
        self.key.setdefault(v, name)
        return name

    def _plan(self, items: list[Item]) -> Plan:
        """Most steps are alike: each kind is laid out once."""
        number = {item.name: i for i, item in enumerate(items)}
        signature = tuple((item.kind, item.lane, item.layer, item.node.width, tuple(number[n] for n in item.inputs),
                           tuple(item.carried)) for item in items)  # fmt: skip
        if signature not in self.plans:
            numbered = [replace(item, name=str(i), inputs=[str(number[n]) for n in item.inputs]) for i, item in enumerate(items)]
            self.plans[signature] = plan(numbered, self.row, self.mirrored)
        found = self.plans[signature]
        names = [item.name for item in items]

        def named(n: str) -> str:
            return n if n.startswith("<") else names[int(n)]

        return Plan({named(n): p for n, p in found.at.items()}, {(named(a), named(b)): p for (a, b), p in found.via.items()},
                    found.lanes, {named(n) for n in found.open_below}, found.width, found.bottom, found.top)  # fmt: skip

    # Drawing it

    def _step(self, t: int, left: float, items: list[Item], placed: Plan) -> None:
        for item in items:
            x, y = placed.at[item.name]
            self.nodes[item.name] = replace(item.node, x=left + x, y=y)
        self.boxes.append(Box(f"t{t + 1}", left, self.bottom - 26, left + placed.width, self.top + 40, f"t = {t + 1}", *STEP))

    def link(self, tail: str, head: str, points: tuple[Point, ...], **look: object) -> None:
        key, n = f"{tail}->{head}", 1
        while key in self.edge_keys:
            n += 1
            key = f"{tail}->{head}#{n}"
        self.edge_keys.add(key)
        self.edges.append(Edge(key, tail, head, points, **look))  # type: ignore[arg-type]

    def _initial(self, parts: list) -> None:
        """The states before the first step, dashed, left of it (right of the last, for a layer that reads backwards)."""
        self.before: dict[tuple[str, bool], str] = {}
        lanes = next(p for _, _, _, p in parts if p is not None).lanes
        for v, lane in self.first.items():
            backward = self.roles.layers[int(lane[1:])].backward
            if self.columns[-1 if backward else 0] is ELLIPSIS:
                continue
            key = f"t{'end' if backward else 0}/{self._letter(lane)}"
            x = self.end + 20 if backward else -10.0
            self.nodes[key] = box(key, v, self.scene, x, lanes.get(lane, 0.0), 36.0, 28.0, 12.0, dashed=True)
            self.key[v] = key

    def _lines(self, t: int, left: float, items: list[Item], placed: Plan) -> None:
        names = {item.name for item in items}
        for item in items:
            head = self.nodes[item.name]
            for name in item.inputs:
                self._line(self.nodes[name], head, placed.via.get((name, item.name)), left, LINE, 1.3)
        for v in self.groups[t]:
            if v in self.roles.sums or v.kind == "part" or roles_taken(self.roles, v, t):
                continue
            for tail, _ in v.inputs:
                head = self.nodes[v.key]
                if tail in self.shared:
                    self.weights[tail].append((f"t{t + 1}", v.key, head.x, v.key in placed.open_below))
                elif tail in self.key and self.key[tail] not in names and (tail.step is not None or tail in self.first):
                    self._carry(t, tail, head, placed, left)

    def _carry(self, t: int, tail: Vertex, head: Node, placed: Plan, left: float) -> None:
        """A line from another step: a state's is thick."""
        lane = self.lanes.get(tail) or self.first.get(tail, "")
        source = self.nodes.get(self.key[tail])
        if source is None or (tail.step is not None and tail.step not in self.columns):
            return
        colour = CELL if lane.startswith("c") else STATE if lane else EDGE
        self._line(source, head, placed.via.get((f"<{lane}", head.key)), left, colour, 2.6 if lane else 1.3)

    def _line(self, a: Node, b: Node, via: list[Point] | None, left: float, colour: str, width: float) -> None:
        """Smooth through the places that were kept free for it."""
        look = {"colour": colour, "width": width, "arrowsize": 0.6 if width < 2 else 0.7}
        if not via:
            self.link(a.key, b.key, straight(a, b), **look)
            return
        stops: list[Stop] = [a, *((left + x, y) for x, y in via), b]
        places = [(s.x, s.y) if isinstance(s, Node) else s for s in stops]  # type: ignore[union-attr]
        points: list[Point] = []
        for i, ((ax, ay), (bx, by)) in enumerate(zip(places, places[1:], strict=False)):
            reach = (bx - ax) / 2
            start = straight(stops[i], (ax + reach, ay))[0] if i == 0 else (ax, ay)
            end = straight((bx - reach, by), stops[i + 1])[-1] if i == len(places) - 2 else (bx, by)
            points += [*([start] if i == 0 else []), (ax + reach, ay), (bx - reach, by), end]
        self.link(a.key, b.key, tuple(points), curve="bezier", **look)

    def _dots(self, parts: list) -> None:
        """Three dots on each lane where steps are left out."""
        for i, (t, x, _, _) in enumerate(parts):
            if t is not None:
                continue
            near = [p for p in (parts[i - 1] if i else None, parts[i + 1] if i + 1 < len(parts) else None) if p]
            lanes = next((p[3].lanes for p in near if p[3] is not None), {})
            for lane, y in lanes.items():
                key = f"{self._letter(lane)}/...{i}"
                dots = self.nodes[key] = Node(key, x, y, 24, 18, "text", (Text("...", 15.0),), role="remark")
                colour = CELL if lane[0] == "c" else STATE
                layer = self.roles.layers[int(lane[1:])]
                states = layer.c if lane[0] == "c" else layer.h
                for number in (i + 1, i - 1):
                    other = parts[number][0] if 0 <= number < len(parts) else None
                    if other is None or other not in states:
                        continue
                    if (number < i) != layer.backward:  # from its state to the dots
                        source = self.nodes[self.key[states[other]]]
                        self.link(source.key, key, straight(source, dots), colour=colour, width=2.6)
                    else:
                        self._from_dots(key, other, lane, parts[number], colour)

    def _from_dots(self, key: str, t: int, lane: str, part: tuple, colour: str) -> None:
        for item in part[2]:
            if lane in item.carried:
                self._line(self.nodes[key], self.nodes[item.name], part[3].via.get((f"<{lane}", item.name)), part[1], colour, 2.6)

    # After the steps

    def _after(self) -> None:
        """The total: in one box if it is the sum of the losses; else the operations after the steps, to the right."""
        total = self.roles.total
        if total is None:
            return
        rail = self.top + 40 + 34
        formula = total_formula(self.roles)
        if formula or (self.roles.loss and total in self.roles.sums):
            losses = [self.nodes[self.key[v]] for t, v in self.roles.loss.items() if t in self.columns]
            x = (losses[0].x + losses[-1].x) / 2
            node = box(self.roles.symbol(total), total, self.scene, x, rail, 94.0 if formula else 40.0, 30.0, 13.0,
                       self.roles.symbol(total) + formula)  # fmt: skip
            self.nodes[node.key] = node
            for tail in losses:
                self._to_rail(tail, node)
            return
        self._tail(total, rail)

    def _to_rail(self, tail: Node, node: Node) -> None:
        if abs(tail.x - node.x) < node.width / 2 - 8:
            points = (port(tail, "top"), port(node, "bottom", tail.x - node.x))
        else:
            points = route(port(tail, "top"), (tail.x, node.y), port(node, "left" if tail.x < node.x else "right"))
        self.link(tail.key, node.key, points, colour=LINE, width=1.3, arrowsize=0.6)

    def _tail(self, total: Vertex, rail: float) -> None:
        """Operations after the steps, in a row on the rail, from the last step on."""
        waiting, found = [total], {total: None}
        while waiting:
            for tail, _ in waiting.pop().inputs:
                if tail.step is None and tail.node is not None and tail not in found and tail not in self.shared:
                    found[tail] = None
                    waiting.append(tail)
        x = self.end + 10
        row = sorted((v for v in found if v.kind != "part"), key=lambda v: v.order)
        if len(row) > 40:
            self.scene.notes.append(f"{len(row) - 1} operations after the steps are drawn as one box")
            row = [total]
        for v in row:
            node = op_node(v.key, v, x, rail, self.scene.values and v is not total)
            self.nodes[v.key] = node
            self.key[v] = v.key
            x += node.width + 40
        result = box(self.roles.symbol(total) or "L", total, self.scene, x, rail, 36.0, 28.0, 12.0, self.roles.symbol(total))
        self.nodes[result.key] = result
        self.link(row[-1].key, result.key, straight(self.nodes[row[-1].key], result), colour=LINE, width=1.3, arrowsize=0.6)
        for i, v in enumerate(row):
            for tail, _ in v.inputs:
                source = self.key.get(tail) or self.key.get(tail.inputs[0][0] if tail.inputs else tail, "")
                if tail in self.weights:
                    self.weights[tail].append(("after", v.key, self.nodes[v.key].x, True))
                elif source in self.nodes and tail.step is not None:
                    self._to_rail(self.nodes[source], self.nodes[v.key])
                elif source in self.nodes:
                    a, b = self.nodes[source], self.nodes[v.key]
                    near = i and source == row[i - 1].key
                    arc = (port(a, "top"), (a.x + 10, rail + 50), (b.x - 10, rail + 50), port(b, "top"))
                    self.link(source, v.key, straight(a, b) if near else arc, curve="line" if near else "bezier", colour=LINE,
                              width=1.3, arrowsize=0.6)  # fmt: skip

    # Parameters

    def _buses(self) -> None:
        """A line for each parameter, with a point from which each use takes its copy."""
        y = self.bottom - 52.0
        fill, stroke = style("parameter")
        channel = self._channels()
        for p, uses in self.weights.items():
            if not uses:
                continue
            key = p.key
            if p.is_leaf:
                node = box(key, p, self.scene, -10.0, y, 40.0, 24.0, 12.0, self.roles.symbol(p))
            else:
                node = replace(op_node(key, p, -10.0, y, False), fill=fill, stroke=stroke)
            before = self.nodes[key] = node
            for where, use, at, is_straight in sorted((*u[:2], *channel[p, n]) for n, u in enumerate(uses)):
                head = self.nodes[use]
                name = f"{where}/{key}"
                while name in self.nodes:
                    name += "'"
                point = self.nodes[name] = Node(name, at, y, 5.4, 5.4, "point", stroke=WEIGHT, role="copy",
                                                tooltip=f"a copy of {self.roles.symbol(p) or p.key}: its gradients are summed")  # fmt: skip
                self.link(before.key, name, route(before, point), colour=WEIGHT, arrow=False, role="bus")
                points = straight(point, head) if is_straight else route(point, (at, head.y - head.height / 2 - 6), head)
                self.link(name, use, points, colour=WEIGHT, width=1.3, arrowsize=0.6, role="weight")
                before = point
            y -= max(30.0, node.height + 6)
        for p in self.weights:
            if not p.is_leaf and p.key in self.nodes:
                source = p.inputs[0][0]
                if source.key not in self.nodes:
                    self.nodes[source.key] = box(source.key, source, self.scene, -75.0, self.nodes[p.key].y, 40.0, 24.0, 12.0)
                self.link(source.key, p.key, straight(self.nodes[source.key], self.nodes[p.key]), colour=WEIGHT)

    def _channels(self) -> dict[tuple[Vertex, int], tuple[float, bool]]:
        """Where each use's line goes up: straight from below, or beside the column, the higher the further out."""
        beside: dict[tuple[str, int, bool], list[tuple[float, Vertex, int]]] = {}
        found: dict[tuple[Vertex, int], tuple[float, bool]] = {}
        open_taken: set[str] = set()
        for p, uses in self.weights.items():
            for n, (where, use, x, is_open) in enumerate(uses):
                head = self.nodes[use]
                if is_open and use not in open_taken:
                    open_taken.add(use)
                    found[p, n] = (x, True)
                else:
                    beside.setdefault((where, round(x), use in self.heads), []).append((head.y, p, n))
        for (_, _, is_head), lines in beside.items():
            lines.sort(key=lambda line: line[0])
            widest = max(self.nodes[self.weights[p][n][1]].width for _, p, n in lines) / 2
            for i, (_, p, n) in enumerate(lines):
                out = widest + 6 + 5.0 * i
                found[p, n] = (self.weights[p][n][2] + (out if is_head else -out), False)
        return found

    def _notes(self) -> list[str]:
        failed = self.graph.failed
        return [*self.scene.notes, *([failed.error] if failed is not None else [])]

    def _description(self) -> str:
        count = sum(v.kind == "op" for v in self.graph.vertices)
        names = ", ".join(p.name or p.key for p in self.roles.parameters)
        return (f"{count} operations, in a box for each of the time steps; below, the parameters ({names or 'none'}) with a copy "
                f"point for each use, whose gradients are summed. {self.scene.facts()}")  # fmt: skip


def roles_taken(roles: object, v: Vertex, t: int) -> bool:
    """Is this X[t], which stands for the input itself?"""
    return v.op == "getitem" and getattr(roles, "x", {}).get(t) is v
