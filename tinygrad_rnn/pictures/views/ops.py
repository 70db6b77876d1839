"""Every primitive, in a box for each time step; each parameter drawn once below, with a copy point for each use."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

from ..dot import TooLarge
from ..figure import Box, Figure, Node, Point, Stop, Text, curve, port, route, straight, style
from ..graph import Vertex
from ..palette import EDGE, STEP
from .buses import draw_buses
from .cells import total_formula
from .generic import op_node
from .items import Contents, is_slice
from .scene import ELLIPSIS, Scene, box, free
from .step import Item, Plan

__all__ = ["MAX_NODES", "ops"]

MAX_NODES = 2000
GAP = 22.0  # between the boxes of two steps
STATE, CELL = style("state").stroke, style("cell").stroke
LINE = "#4b5563"
T = TypeVar("T")

Part = tuple[int | None, float, list[Item], Plan | None]  # step, left end, items, plan; None where steps are left out


def ops(scene: Scene) -> Figure:
    """The figure. Raises TooLarge above MAX_NODES nodes, unless all steps were asked for."""
    return _Ops(scene).figure()


def bends(tails: Sequence[T]) -> list[tuple[T, float]]:
    """How far the line from each is to be bent, in points: 0, unless one comes twice, as in x * x."""
    total, seen = Counter(tails), Counter[T]()
    found = []
    for tail in tails:
        found.append((tail, 14.0 * (seen[tail] - (total[tail] - 1) / 2)))
        seen[tail] += 1
    return found


def bent(a: Node, b: Node, bend: float) -> tuple[Point, ...]:
    """A curve that swings out to the left of the way from a to b by about `bend`."""
    dx, dy = b.x - a.x, b.y - a.y
    length = math.hypot(dx, dy) or 1.0
    out, up = -dy / length * bend, dx / length * bend
    return curve(a, (a.x + dx / 3 + out, a.y + dy / 3 + up), (b.x - dx / 3 + out, b.y - dy / 3 + up), b)


class _Ops(Contents):
    """Draws the steps, the lines between them, what comes after, and the parameters below."""

    def figure(self) -> Figure:
        drawn = sum(len(self.groups[t]) for t in self.columns if t is not ELLIPSIS)
        if drawn > MAX_NODES and self.scene.steps is not True:
            raise TooLarge(
                f'draw: {drawn} operations are too many to read: view="cells" or "flow" shows as many steps with '
                'less, steps=(a, b) fewer of them; steps="all" draws them all the same'
            )
        parts: list[Part] = []
        x = 42.0
        for t in self.columns:
            if t is ELLIPSIS:
                parts.append((t, x + 20, [], None))
                x += 40 + GAP
                continue
            items = self._items(t)
            planned = self._plan(items)
            parts.append((t, x, items, planned))
            x += planned.width + GAP
        self.end = x
        plans = [p for *_, p in parts if p is not None]
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
        draw_buses(self)
        return Figure(
            self.scene.title or f"Every operation of {len(self.roles.steps)} time steps",
            self._description(),
            tuple(self.nodes.values()),
            tuple(self.edges),
            tuple(self.boxes),
            " ".join(self._notes()),
        )

    # Drawing it

    def _step(self, t: int, left: float, items: list[Item], placed: Plan) -> None:
        for item in items:
            x, y = placed.at[item.name]
            self.nodes[item.name] = replace(item.node, x=left + x, y=y)
        self.boxes.append(
            Box(f"t{t + 1}", left, self.bottom - 26, left + placed.width, self.top + 40, f"t = {t + 1}", *STEP)
        )

    def _initial(self, parts: list[Part]) -> None:
        """The states before the first step, dashed, left of it (right of the last, for layers that read backwards)."""
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
            for name, bend in bends(item.inputs):
                self._line(self.nodes[name], head, placed.via.get((name, item.name)), left, LINE, 1.3, bend)
        for v in self.groups[t]:
            if v in self.roles.sums or v.kind == "part" or is_slice(self.roles, v, t):
                continue
            for tail, bend in bends([tail for tail, _ in v.inputs]):
                head = self.nodes[v.key]
                if tail in self.shared:
                    self.weights[tail].append((f"t{t + 1}", v.key, head.x, v.key in placed.open_below))
                elif tail in self.key and self.key[tail] not in names and (tail.step is not None or tail in self.first):
                    self._carry(t, tail, head, placed, left, bend)

    def _carry(self, t: int, tail: Vertex, head: Node, placed: Plan, left: float, bend: float) -> None:
        """A line from another step: a state's is thick."""
        lane = self.lanes.get(tail) or self.first.get(tail, "")
        source = self.nodes.get(self.key[tail])
        if source is None or (tail.step is not None and tail.step not in self.columns):
            return
        colour = CELL if lane.startswith("c") else STATE if lane else EDGE
        self._line(source, head, placed.via.get((f"<{lane}", head.key)), left, colour, 2.6 if lane else 1.3, bend)

    def _line(self, a: Node, b: Node, via: list[Point] | None, left: float, colour: str, width: float,
              bend: float = 0.0) -> None:  # fmt: skip
        """Smooth through the places that were kept free for it; `bend`: so far to its left."""
        look = {"colour": colour, "width": width, "arrowsize": 0.6 if width < 2 else 0.7}
        if not via and bend:
            self.link(a.key, b.key, bent(a, b, bend), curve="bezier", **look)
            return
        if not via:
            self.link(a.key, b.key, straight(a, b), **look)
            return
        via = [(x, y + bend) for x, y in via]
        stops: list[Stop] = [a, *((left + x, y) for x, y in via), b]
        places = [(a.x, a.y), *((left + x, y) for x, y in via), (b.x, b.y)]
        points: list[Point] = []
        for i, ((ax, ay), (bx, by)) in enumerate(pairwise(places)):
            reach = (bx - ax) / 2
            start = straight(stops[i], (ax + reach, ay))[0] if i == 0 else (ax, ay)
            end = straight((bx - reach, by), stops[i + 1])[-1] if i == len(places) - 2 else (bx, by)
            points += [*([start] if i == 0 else []), (ax + reach, ay), (bx - reach, by), end]
        self.link(a.key, b.key, tuple(points), curve="bezier", **look)

    def _dots(self, parts: list[Part]) -> None:
        """Three dots on each lane where steps are left out."""
        for i, (t, x, _, _) in enumerate(parts):
            if t is not None:
                continue
            no_lanes: dict[str, float] = {}
            near = [p for p in (parts[i - 1] if i else None, parts[i + 1] if i + 1 < len(parts) else None) if p]
            lanes = next((p[3].lanes for p in near if p[3] is not None), no_lanes)
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

    def _from_dots(self, key: str, t: int, lane: str, part: Part, colour: str) -> None:
        for item in part[2]:
            if part[3] is not None and lane in item.carried:
                self._line(
                    self.nodes[key],
                    self.nodes[item.name],
                    part[3].via.get((f"<{lane}", item.name)),
                    part[1],
                    colour,
                    2.6,
                )

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
            key, wide = free(self.roles.symbol(total), self.nodes), 94.0 if formula else 40.0
            node = box(key, total, self.scene, x, rail, wide, 30.0, 13.0, self.roles.symbol(total) + formula)
            self.nodes[node.key] = node
            for tail in losses:
                self._to_rail(tail, node)
            return
        self._tail(total, rail)

    def _to_rail(self, tail: Node, node: Node, aside: float = 0.0) -> None:
        x = tail.x + aside
        if abs(x - node.x) < node.width / 2 - 8:
            points: tuple[Point, ...] = (port(tail, "top", aside), port(node, "bottom", x - node.x))
        else:
            side = "left" if x < node.x else "right"
            down = -abs(aside) if (aside < 0) == (side == "right") else abs(aside)  # lines that do not cross
            points = route(port(tail, "top", aside), (x, node.y + down), port(node, side, down))
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
        result = box(
            free(self.roles.symbol(total) or "L", self.nodes),
            total,
            self.scene,
            x,
            rail,
            36.0,
            28.0,
            12.0,
            self.roles.symbol(total),
        )
        self.nodes[result.key] = result
        self.link(
            row[-1].key, result.key, straight(self.nodes[row[-1].key], result), colour=LINE, width=1.3, arrowsize=0.6
        )
        for i, v in enumerate(row):
            for tail, bend in bends([tail for tail, _ in v.inputs]):
                source = self.key.get(tail) or self.key.get(tail.inputs[0][0] if tail.inputs else tail, "")
                if tail in self.weights:
                    self.weights[tail].append(("after", v.key, self.nodes[v.key].x, True))
                elif source in self.nodes and tail.step is not None:
                    self._to_rail(self.nodes[source], self.nodes[v.key], bend / 3)
                elif source in self.nodes:
                    a, b = self.nodes[source], self.nodes[v.key]
                    if i and source == row[i - 1].key:
                        self._line(a, b, None, 0.0, LINE, 1.3, bend)
                        continue
                    up = rail + 50 + bend
                    arc = (port(a, "top"), (a.x + 10, up), (b.x - 10, up), port(b, "top"))
                    self.link(source, v.key, arc, curve="bezier", colour=LINE, width=1.3, arrowsize=0.6)

    def _notes(self) -> list[str]:
        failed = self.graph.failed
        return [*self.scene.notes, *([failed.error] if failed is not None else [])]

    def _description(self) -> str:
        count = sum(v.kind == "op" for v in self.graph.vertices)
        names = ", ".join(p.name or p.key for p in self.roles.parameters)
        return (
            f"{count} operations, in a box for each time step; below, the parameters ({names or 'none'}) with a copy "
            f"point for each use, whose gradients are summed. {self.scene.facts()}"
        )
