"""The grid of the cells view: where rows and columns stand, and what has been drawn on it."""

from __future__ import annotations

from ..figure import Box, Edge, Node, Point
from ..graph import Vertex
from ..states import Layer
from .scene import ELLIPSIS, Scene, box, free

__all__ = ["DX", "GAP", "Grid", "name_of", "to_border"]

DX, GAP = 108.0, 74.0  # between columns, between rows
FIRST, LAST = 5, 5  # of a long sequence


class Grid:
    """Where rows and columns stand, and what has been drawn."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.roles = scene, scene.roles
        self.columns = scene.columns(FIRST, LAST)
        self.at_steps = set(self.columns) - {ELLIPSIS}
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.boxes: list[Box] = []
        self.cell_of: dict[str, Box] = {}  # of the h of an LSTM: what comes from outside goes into its c too
        self.key: dict[Vertex, str] = {}
        tall = 16.0 if scene.values else 0.0
        self.gap = GAP + tall
        self.cell = any(layer.c for layer in self.roles.layers)
        both = self.both = {layer.backward for layer in self.roles.layers} == {True, False}
        self._measure()
        self.at: dict[int, float] = {}
        self.dots: list[float] = []
        hidden = {v for layer in self.roles.layers for v in layer.h.values()}
        self.joins: dict[int, list[Vertex]] = {}
        for v in scene.graph.vertices if both else ():
            if (
                v.op in ("concat", "add", "multiply")
                and v.step in self.at_steps
                and v not in self.roles.role
                and all(u in hidden for u, _ in v.inputs)
            ):
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

    def _measure(self) -> None:
        """How wide the boxes of each row are, and so how far apart the columns stand.

        `aside`: of an LSTM's c from its h; `apart`: of the two directions from the middle; `out`: of the line of the
        weights from the middle of h, to its side.
        """
        layers, each = self.roles.layers, self.scene.parameters == "each"
        lanes = {"x": [self.roles.x], "y": [self.roles.y], "L": [self.roles.loss],
                 "h": [layer.h for layer in layers], "c": [layer.c for layer in layers]}  # fmt: skip
        drawn = {row: [by[t] for by in found for t in by.keys() & self.at_steps] for row, found in lanes.items()}
        drawn["h"] += [layer.h0 for layer in layers if layer.h0 is not None]
        drawn["c"] += [layer.c0 for layer in layers if layer.c0 is not None]
        least = dict.fromkeys(lanes, 53.0) | {"c": 46.0}
        wide = self.wide = {
            row: max([least[row], *(box("", v, self.scene, 0.0, 0.0, 0.0).width for v in vertices)])
            for row, vertices in drawn.items()
        }
        left = right = wide["h"] / 2
        self.aside = wide["c"] / 2 + 9
        if self.cell:
            left, right = max(left, self.aside + wide["c"] / 2) + 12, right + 12
        self.apart = max(45.0, right + 6.5) if self.both else 0.0
        passed = max(wide["x"], wide["y"] if each else 0.0) / 2  # rows through which the line goes
        self.out = max(left + (15.0 if self.cell else 23.5), passed + 14)
        each_one = 8.0 * len(self.roles.parameters) if each else 0.0
        self.dx = DX + (42 if self.cell else 0) + ((140 if self.cell else 92) if self.both else 0) + each_one
        beside = 2 * (self.apart + self.out) + 30 if self.both else self.out + max(right, passed) + 20
        self.dx = max(self.dx, beside + each_one, wide["y"] + 24, wide["L"] + 24)

    def put(self, key: str, v: Vertex, x: float, y: float, **look: object) -> Node:
        key = free(key, self.nodes)
        node = self.nodes[key] = box(key, v, self.scene, x, y, **look)  # type: ignore[arg-type]
        self.key[v] = key
        return node

    def link(self, tail: str, head: str, points: tuple[Point, ...], **look: object) -> None:
        name, same = f"{tail}->{head}", sum(e.tail == tail and e.head == head for e in self.edges[-4:])
        if head in self.cell_of and look.get("curve") is None:
            points = to_border(points, self.cell_of[head])
        self.edges.append(Edge(name if not same else f"{name}#{same + 1}", tail, head, points, **look))  # type: ignore[arg-type]


def to_border(points: tuple[Point, ...], cell: Box) -> tuple[Point, ...]:
    """The line, which ends inside the box, up to where it enters; all of it where it begins inside."""
    (ax, ay), (bx, by) = points[-2:]
    entered = 0.0
    for a, b, low, high in ((ax, bx, cell.x0, cell.x1), (ay, by, cell.y0, cell.y1)):
        if not low <= a <= high:
            entered = max(entered, ((low if a < low else high) - a) / (b - a))
    return (*points[:-1], (ax + entered * (bx - ax), ay + entered * (by - ay))) if entered else points


def name_of(layers: list[Layer], i: int, letter: str) -> str:
    """The key of layer number i: the letter of its state, numbered where there are several."""
    many = len(layers) > 1
    return letter + (f"{layers[i].number}" if many else "") + ("back" if many and layers[i].backward else "")
