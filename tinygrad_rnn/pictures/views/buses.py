"""The parameters of the ops view: each drawn once below, with a point from which each use takes its copy."""

from __future__ import annotations

from dataclasses import replace

from ..figure import Node, route, straight, style
from ..graph import Vertex
from .generic import op_node
from .items import Contents
from .scene import box, free

__all__ = ["draw_buses"]

WEIGHT = style("parameter").stroke


def draw_buses(ops: Contents) -> None:
    """A line for each parameter, with a point from which each use takes its copy."""
    y = ops.bottom - 52.0
    fill, stroke = style("parameter")
    channel = _channels(ops)
    for p, uses in ops.weights.items():
        if not uses:
            continue
        key = free(p.key, ops.nodes)
        ops.key[p] = key
        if p.is_leaf:
            node = box(key, p, ops.scene, -10.0, y, 40.0, 24.0, 12.0, ops.roles.symbol(p))
        else:
            node = replace(op_node(key, p, -10.0, y, False), fill=fill, stroke=stroke)
        before = ops.nodes[key] = node
        for where, use, at, is_straight in sorted((*u[:2], *channel[p, n]) for n, u in enumerate(uses)):
            head = ops.nodes[use]
            name = free(f"{where}/{key}", ops.nodes)
            point = ops.nodes[name] = Node(
                name,
                at,
                y,
                5.4,
                5.4,
                "point",
                stroke=WEIGHT,
                role="copy",
                tooltip=f"a copy of {ops.roles.symbol(p) or p.key}: its gradients are summed",
            )
            ops.link(before.key, name, route(before, point), colour=WEIGHT, arrow=False, role="bus")
            points = straight(point, head) if is_straight else route(point, (at, head.y - head.height / 2 - 6), head)
            ops.link(name, use, points, colour=WEIGHT, width=1.3, arrowsize=0.6, role="weight")
            before = point
        y -= max(30.0, node.height + 6)
    for p in ops.weights:
        if not p.is_leaf and p in ops.key:  # W.T, taken once: W stands left of it
            turned, source = ops.nodes[ops.key[p]], p.inputs[0][0]
            if source not in ops.key:
                key = ops.key[source] = free(source.key, ops.nodes)
                ops.nodes[key] = box(key, source, ops.scene, -75.0, turned.y, 40.0, 24.0, 12.0)
            ops.link(ops.key[source], turned.key, straight(ops.nodes[ops.key[source]], turned), colour=WEIGHT)


def _channels(ops: Contents) -> dict[tuple[Vertex, int], tuple[float, bool]]:
    """Where each use's line goes up: straight from below, or beside the column, the higher the further out."""
    beside: dict[tuple[str, int, bool], list[tuple[float, Vertex, int]]] = {}
    found: dict[tuple[Vertex, int], tuple[float, bool]] = {}
    open_taken: set[str] = set()
    for p, uses in ops.weights.items():
        for n, (where, use, x, is_open) in enumerate(uses):
            head = ops.nodes[use]
            if is_open and use not in open_taken:
                open_taken.add(use)
                found[p, n] = (x, True)
            else:
                beside.setdefault((where, round(x), use in ops.heads), []).append((head.y, p, n))
    for (_, _, is_head), lines in beside.items():
        lines.sort(key=lambda line: line[0])
        widest = max(ops.nodes[ops.weights[p][n][1]].width for _, p, n in lines) / 2
        for i, (_, p, n) in enumerate(lines):
            out = widest + 6 + 5.0 * i
            found[p, n] = (ops.weights[p][n][2] + (out if is_head else -out), False)
    return found
