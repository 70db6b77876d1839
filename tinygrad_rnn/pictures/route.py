"""Where a line goes: from outline to outline, so that the tip of an arrow touches the shape it points at."""

from __future__ import annotations

import math
from typing import Protocol

__all__ = ["Point", "Stop", "border", "curve", "elbow", "port", "route", "straight"]

Point = tuple[float, float]


class Outlined(Protocol):
    """What :class:`~tinygrad_rnn.pictures.figure.Node` gives: a shape around a centre, in points."""

    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...
    @property
    def width(self) -> float: ...
    @property
    def height(self) -> float: ...
    @property
    def shape(self) -> str: ...
    @property
    def corner(self) -> float: ...


Stop = Outlined | Point
"""An end of a line: a node, at whose outline the line is cut, or a point, which is taken as it is."""


def border(node: Outlined, towards: Point) -> Point:
    """The point of the node's outline on the ray from its centre ``towards`` a point; the centre if the two are one."""
    dx, dy = towards[0] - node.x, towards[1] - node.y
    length = math.hypot(dx, dy)
    if length < 1e-9:
        return node.x, node.y
    across, up = node.width / 2, node.height / 2
    if not across or not up:
        return node.x, node.y
    if node.shape in ("circle", "ellipse", "point"):
        reach = 1 / math.hypot(dx / across, dy / up)
    else:
        reach = 1 / max(abs(dx) / across, abs(dy) / up)
        radius = node.corner
        cx, cy = across - radius, up - radius  # the centre of the corner's circle
        if radius and abs(dx) * reach > cx and abs(dy) * reach > cy:
            ux, uy = abs(dx) / length, abs(dy) / length
            along = ux * cx + uy * cy
            reach = (along + math.sqrt(max(0.0, along**2 - cx**2 - cy**2 + radius**2))) / length
    return node.x + dx * reach, node.y + dy * reach


def port(node: Outlined, side: str, offset: float = 0.0) -> Point:
    """The point of a node's outline on its "left", "right", "top" or "bottom" side.

    ``offset``: points up or right of the middle of that side (at most to its end); rounded corners are followed.
    Raises ValueError for another side.
    """
    if side not in ("left", "right", "top", "bottom"):
        raise ValueError(f'side must be "left", "right", "top" or "bottom", not {side!r}')
    level, sign = side in ("left", "right"), 1 if side in ("right", "top") else -1
    out, room = (node.width / 2, node.height / 2) if level else (node.height / 2, node.width / 2)
    offset = max(-room, min(room, offset))
    if node.shape in ("circle", "ellipse", "point"):
        out *= math.sqrt(1 - (offset / room) ** 2) if room else 1.0
    else:
        into = max(0.0, abs(offset) - (room - node.corner))  # how far into the rounding
        out -= node.corner - math.sqrt(node.corner**2 - into**2)
    return (node.x + sign * out, node.y + offset) if level else (node.x + offset, node.y + sign * out)


def route(*stops: Stop) -> tuple[Point, ...]:
    """A polyline through the stops. A node at either end is met at its outline, a node between at its centre.

    To meet a node elsewhere than on the line to its centre, end at a :func:`port` of it.
    Raises ValueError for fewer than two stops.
    """
    if len(stops) < 2:
        raise ValueError(f"a line needs two stops, not {len(stops)}")
    middle = [_centre(stop) for stop in stops]
    points = [_end(stops[0], middle[1]), *middle[1:-1], _end(stops[-1], middle[-2])]
    return tuple((float(x), float(y)) for x, y in points)


def straight(tail: Stop, head: Stop) -> tuple[Point, ...]:
    """The straight line between two outlines."""
    return route(tail, head)


def elbow(tail: Stop, head: Stop, first: str = "x") -> tuple[Point, ...]:
    """A line with one right angle: along ``first`` ("x": level, "y": upright), then along the other axis.

    Where the two are already in line, it is straight. Raises ValueError if ``first`` is neither.
    """
    (tx, ty), (hx, hy) = _centre(tail), _centre(head)
    if first not in ("x", "y"):
        raise ValueError(f'first must be "x" or "y", not {first!r}')
    if tx == hx or ty == hy:
        return route(tail, head)
    return route(tail, (hx, ty) if first == "x" else (tx, hy), head)


def curve(tail: Stop, control1: Point, control2: Point, head: Stop) -> tuple[Point, ...]:
    """A cubic Bezier (for ``Edge(curve="bezier")``) that leaves towards ``control1`` and arrives from ``control2``."""
    return _end(tail, control1), control1, control2, _end(head, control2)


def _centre(stop: Stop) -> Point:
    return stop if isinstance(stop, tuple) else (stop.x, stop.y)


def _end(stop: Stop, towards: Point) -> Point:
    return stop if isinstance(stop, tuple) else border(stop, towards)
