"""A step of any recurrence as a circuit: columns by depth from left to right, the state's way on top, right angles.

Every value is a net: a line from what makes it to all that hear it. Where a net passes a column on its way to a later
one, it has a place of its own there, so no line crosses a box; between two columns each net that turns has an upright
of its own, and dots are where it forks.
"""

from __future__ import annotations

import itertools
from collections import defaultdict

from ..figure import Figure, Node, Point, Text, port, text_at
from ..palette import GREY
from .canvas import CELL, LINE, STATE, Canvas
from .circuit_plan import Item, Plan, plan_of

__all__ = ["draw_circuit"]

PITCH = 60.0  # between rows
GAP, TRACK = 30.0, 11.0  # between columns, and more of it for each upright
EDGE_OF_BOX = 18.0  # from the states outside to the edge of the cell
MOST = 30  # units, more than which nobody could read


def draw_circuit(canvas: Canvas) -> Figure | None:
    """One step; None where there is nothing between the old state and the new one, or too much to be read."""
    if not 0 < len(canvas.inside.units) <= MOST:
        return None
    plan = plan_of(canvas.inside)
    centres = _places(canvas, plan)
    _wire(canvas, plan, centres)
    canvas.gradients()
    outside = [canvas.nodes[key] for key, item in plan.items.items() if item.unit is None and item.key != "join"]
    left = max(node.x + node.width / 2 for node in outside if node.x <= centres[0])
    right = min(node.x - node.width / 2 for node in outside if node.x > centres[0])
    inner = [canvas.nodes[key] for key, item in plan.items.items() if item.unit is not None]
    lowest = -PITCH * max(row for rows in plan.rows[1:-1] for row in rows.values())
    bottom = min(lowest, *(n.y - n.height / 2 for n in inner)) - 18
    top = max(n.y + n.height / 2 for n in inner) + 34
    many, scope = len(canvas.scene.roles.layers) > 1, "/".join(next(iter(canvas.layer.h.values())).scope)
    kind = "Recurrent cell" + (f" ({scope})" if scope and not many else "")
    words = ["A step as a circuit: what each part hears comes from its left."]
    words += ["The state's way is at the top."] if plan.lane else []
    words += [f"{key} hears {', '.join(item.hears)}." for key, item in plan.items.items() if item.hears]
    return canvas.figure(kind, (left + EDGE_OF_BOX, bottom, right - EDGE_OF_BOX, top), " ".join(words))


def _places(canvas: Canvas, plan: Plan) -> list[float]:
    """Draw the items; gives the x of each column's centre."""
    widths = [0.0] * len(plan.rows)
    for key, item in plan.items.items():
        row = -PITCH * plan.rows[item.column][key]
        node = _node(canvas, item, row)
        widths[item.column] = max(widths[item.column], node.width)
    x, centres = 0.0, []
    for column, width in enumerate(widths):
        centres.append(x + width / 2)
        turning = len(plan.turning(column)) if column + 1 < len(widths) else 0
        outer = 2 * EDGE_OF_BOX if column == 0 else EDGE_OF_BOX if column == len(widths) - 2 else 0.0
        x += width + GAP + TRACK * turning + outer
    for key, item in plan.items.items():
        node = canvas.nodes[key]
        canvas.nodes[key] = Node(**{name: getattr(node, name) for name in node.__slots__} | {"x": centres[item.column]})
    return centres


def _node(canvas: Canvas, item: Item, y: float) -> Node:
    v = item.vertex
    if item.key == "join" or v is None:
        return canvas.point(item.key, 0, y)
    if item.unit is not None:
        draw = canvas.gate if item.unit.learned else canvas.op
        return draw(item.key, item.unit, 0, y)
    letter = item.key.removesuffix("_before")
    if item.key in "ch":
        lane = canvas.layer.c if letter == "c" else canvas.layer.h
        v = lane[canvas.step]
    role = {"c": "cell", "h": "state"}.get(letter, "gate" if letter.startswith("gate") else "input")
    return canvas.state(item.key, v, role, 0, y, canvas.source_symbol(v))


def _wire(canvas: Canvas, plan: Plan, centres: list[float]) -> None:
    """All lines: from the right of what makes a value, by its uprights, to the left of each that hears it."""
    ports, colour = _ports(canvas, plan), CELL if "c" in plan.items else STATE
    tracks = [_tracks(canvas, plan, column, centres) for column in range(len(centres) - 1)]
    for key, heads in plan.heads.items():
        start = canvas.nodes[key]
        for head in heads:
            end = canvas.nodes[head]
            points: list[Point] = [port(start, "right") if start.shape != "point" else (start.x, start.y)]
            for column in range(plan.items[key].column, plan.items[head].column):
                arrives = column + 1 == plan.items[head].column
                y = ports[key, head][1] if arrives else -PITCH * plan.rows[column + 1][key]
                if abs(y - points[-1][1]) > 1e-6:
                    x = tracks[column].get(key, (centres[column] + centres[column + 1]) / 2)
                    if arrives and end.shape == "point" and _comes_down(plan, column + 1, key, head):
                        x = end.x
                    points += [(x, points[-1][1]), (x, y)]
            points.append(ports[key, head])
            lane = key in plan.lane and head in plan.lane
            canvas.lead(start, end, points if start.shape != "point" else points[1:], colour if lane else LINE,
                        3.2 if lane else 1.5, end.shape != "point")  # fmt: skip
        _dots(canvas, key, [edge.points for edge in canvas.edges if edge.tail == key],
              colour if key in plan.lane else LINE)  # fmt: skip
        _name(canvas, plan, key)
    canvas.edges.sort(key=lambda edge: edge.width)  # the state's way over what leaves it


def _comes_down(plan: Plan, column: int, key: str, head: str) -> bool:
    """May this net turn right above its joint? Only the first that turns, and where there is no box between."""
    before, rows = plan.rows[column - 1], plan.rows[column]
    turning = [k for k in plan.items[head].hears if before[k] != rows[head]]
    a, b = sorted((before[key], rows[head]))
    boxes = [row for k, row in rows.items() if plan.items[k].column == column and k != head]
    return key == min(turning, key=lambda k: before[k]) and not any(a <= row <= b for row in boxes)


def _ports(canvas: Canvas, plan: Plan) -> dict[tuple[str, str], Point]:
    """Where each net meets each of its heads: on the left, one below another in the order in which they come."""
    found: dict[tuple[str, str], Point] = {}
    for head, item in plan.items.items():
        node, rows = canvas.nodes[head], plan.rows[item.column - 1]
        if not item.hears:
            continue
        own = plan.rows[item.column][head]
        coming = sorted(item.hears, key=lambda key: rows[key])
        level = next((i for i, key in enumerate(coming) if rows[key] == own), None)
        middle = (len(coming) - 1) / 2 if level is None else float(level)
        room = {"box": 0.38, "circle": 0.33, "ellipse": 0.22}.get(node.shape, 0.0) * node.height
        apart = min(12.0, room / max(0.5, middle, len(coming) - 1 - middle))
        for i, key in enumerate(coming):
            offset = apart * (middle - i)
            found[key, head] = (node.x, node.y) if node.shape == "point" else port(node, "left", offset)
    return found


def _tracks(canvas: Canvas, plan: Plan, column: int, centres: list[float]) -> dict[str, float]:
    """The x of the upright of each net that turns between this column and the next."""
    nets = plan.turning(column)
    rows = plan.rows[column]
    ends = {key: {row for _, row in plan.targets(column, key)} for key in nets}

    def first(a: str, b: str) -> int:
        """Which of two has to turn before the other, so that neither runs along the other?"""
        return (rows[a] in ends[b]) - (rows[b] in ends[a])

    order: list[str] = []
    waiting = sorted(nets, key=lambda key: (min(ends[key]), rows[key]))
    while waiting:
        chosen = next((a for a in waiting if not any(first(b, a) > 0 for b in waiting if b != a)), waiting[0])
        waiting.remove(chosen)
        order.append(chosen)
    wide = max((canvas.nodes[key].width for key, item in plan.items.items() if item.column == column), default=0.0)
    left = centres[column] + wide / 2 + 16 + (2 * EDGE_OF_BOX if column == 0 else 0)
    return {key: left + TRACK * i for i, key in enumerate(order)}


def _dots(canvas: Canvas, key: str, lines: list[tuple[Point, ...]], colour: str) -> None:
    """A dot where a net forks: where its lines leave a point in three ways or more."""
    ways: dict[Point, set[Point]] = defaultdict(set)
    corners = {(round(x, 3), round(y, 3)) for line in lines for x, y in line[1:-1]}
    for line in lines:
        for (ax, ay), (bx, by) in itertools.pairwise([(round(x, 3), round(y, 3)) for x, y in line]):
            on = sorted({(ax, ay), (bx, by), *(p for p in corners if min(ax, bx) <= p[0] <= max(ax, bx)
                         and min(ay, by) <= p[1] <= max(ay, by) and (p[0] == ax == bx or p[1] == ay == by))},
                        key=lambda p: abs(p[0] - ax) + abs(p[1] - ay))  # fmt: skip
            for p, q in itertools.pairwise(on):
                ways[p].add(q)
                ways[q].add(p)
    for n, point in enumerate(sorted(p for p, to in ways.items() if len(to) > 2)):
        canvas.point(f"{key}/fork{n}", *point, colour=colour)


def _name(canvas: Canvas, plan: Plan, key: str) -> None:
    """What a gate's value is called, on its line."""
    unit, node = plan.items[key].unit, canvas.nodes[key]
    is_state = not {"h", "c"}.isdisjoint(plan.heads[key])
    if unit is not None and 0 < len(unit.name) < 3 and not is_state:
        symbol, where = Text(unit.name, 11.0, GREY, italic=True), node.x + node.width / 2 + 5
        canvas.nodes[f"{key}/name"] = text_at(f"{key}/name", where, node.y + 9, symbol, align="start")
