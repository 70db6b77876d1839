"""The grid of the cells view: where rows and columns stand, and what has been drawn on it."""

from __future__ import annotations

from ..figure import Box, Edge, Node, Point
from ..graph import Vertex
from ..states import Layer
from .scene import ELLIPSIS, Scene, box, free

__all__ = ["DX", "GAP", "Grid", "name_of"]

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
        self.key: dict[Vertex, str] = {}
        tall = 16.0 if scene.values else 0.0
        self.gap = GAP + tall
        cell = self.cell = any(layer.c for layer in self.roles.layers)
        both = self.both = {layer.backward for layer in self.roles.layers} == {True, False}
        self.dx = DX + (42 if cell else 0) + ((140 if cell else 92) if both else 0) + (24 if scene.values else 0)
        self.dx += 8 * len(self.roles.parameters) if scene.parameters == "each" else 0
        self.at: dict[int, float] = {}
        self.dots: list[float] = []
        hidden = {v for layer in self.roles.layers for v in layer.h.values()}
        self.joins: dict[int, list[Vertex]] = {}
        for v in scene.graph.vertices if both else ():
            if (
                v.op == "concat"
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

    def put(self, key: str, v: Vertex, x: float, y: float, **look: object) -> Node:
        key = free(key, self.nodes)
        node = self.nodes[key] = box(key, v, self.scene, x, y, **look)  # type: ignore[arg-type]
        self.key[v] = key
        return node

    def link(self, tail: str, head: str, points: tuple[Point, ...], **look: object) -> None:
        name, same = f"{tail}->{head}", sum(e.tail == tail and e.head == head for e in self.edges[-4:])
        self.edges.append(Edge(name if not same else f"{name}#{same + 1}", tail, head, points, **look))  # type: ignore[arg-type]


def name_of(layers: list[Layer], i: int, letter: str) -> str:
    many = len(layers) > 1
    return letter + (f"{layers[i].number}" if many else "") + ("back" if many and layers[i].backward else "")
