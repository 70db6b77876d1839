"""What the ops view draws of each time step, and where a state's or a parameter's lines begin."""

from __future__ import annotations

from dataclasses import replace

from ..figure import Box, Edge, Node, Point, style
from ..graph import Vertex
from ..roles import Roles, by_step
from .generic import op_node
from .scene import Scene, box, free
from .step import Item, Plan, plan

__all__ = ["Contents", "is_slice"]

FIRST, LAST = 3, 2


class Contents:
    """The items of each step, planned once for each kind of step."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.roles, self.graph = scene, scene.roles, scene.graph
        self.groups = by_step(scene.graph)
        self.columns = scene.columns(FIRST, LAST)
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.edge_keys: set[str] = set()
        self.bottom = self.top = 0.0
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

    def link(self, tail: str, head: str, points: tuple[Point, ...], **look: object) -> None:
        key, n = f"{tail}->{head}", 1
        while key in self.edge_keys:
            n += 1
            key = f"{tail}->{head}#{n}"
        self.edge_keys.add(key)
        self.edges.append(Edge(key, tail, head, points, **look))  # type: ignore[arg-type]

    def _items(self, t: int) -> list[Item]:
        roles = self.roles
        items: dict[str, Item] = {}
        owner = self._owners(t)
        made: dict[Vertex, str] = {}
        reserved = {v.key for v in self.groups[t]}
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
                items[v.key] = Item(
                    v.key,
                    op_node(v.key, v, 0, 0, self.scene.values and not row),
                    "op",
                    inputs,
                    carried,
                    "",
                    owner.get(v),
                )
            if (row or v.name) and v.kind != "failed" and not taken:
                name = f"t{t + 1}/{self._letter(row) if row else v.local + '/' + (v.name or '')}"
                name = free(name, items.keys() | reserved)
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
        inputs: list[str] = []
        carried: list[str] = []
        if is_slice(self.roles, v, t):
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
        text = (
            self.roles.symbol(v)
            if is_x or v in self.roles.restarts
            else v.name or ("target" if layer is None else "const" if v.is_leaf else v.op)
        )
        name = free(name, items.keys() | {u.key for u in self.groups[t] if u is not v})
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
            numbered = [
                replace(item, name=str(i), inputs=[str(number[n]) for n in item.inputs]) for i, item in enumerate(items)
            ]
            self.plans[signature] = plan(numbered, self.row, self.mirrored)
        found = self.plans[signature]
        names = [item.name for item in items]

        def named(n: str) -> str:
            return n if n.startswith("<") else names[int(n)]

        return Plan(
            {named(n): p for n, p in found.at.items()},
            {(named(a), named(b)): p for (a, b), p in found.via.items()},
            found.lanes,
            {named(n) for n in found.open_below},
            found.width,
            found.bottom,
            found.top,
        )


def is_slice(roles: Roles, v: Vertex, t: int) -> bool:
    """Is this X[t], which stands for the input itself?"""
    return v.op == "getitem" and roles.x.get(t) is v
