"""Where the operations of one time step stand: columns by depth, the state's way straight through, what only the input
feeds below it, gates above it, the cell state on top, and what is made of the state (output, loss) up its column."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from ..figure import Node

__all__ = ["Item", "Plan", "plan"]

MARGIN = 24.0  # between columns


@dataclass
class Item:
    """One drawn thing of a step. `inputs` are names of items; `carried` the states of the step before that it takes.

    `kind`: "op", "result" (the box of a state, output or loss), "leaf". `lane`: "h0", "c0", ... for a state's box.
    `layer`: which recurrence it belongs to; None for what is made of the states.
    """

    name: str
    node: Node
    kind: str
    inputs: list[str] = field(default_factory=list)
    carried: list[str] = field(default_factory=list)
    lane: str = ""
    layer: int | None = None


@dataclass
class Plan:
    """Centres by item name, relative to the left of the step and the level of the lowest state; the way of each line
    that is no straight one, as points; the extent."""

    at: dict[str, tuple[float, float]]
    via: dict[tuple[str, str], list[tuple[float, float]]]
    lanes: dict[str, float]
    open_below: set[str]
    width: float
    bottom: float
    top: float


def plan(items: list[Item], row: float, mirrored: frozenset[int] = frozenset()) -> Plan:
    """Places for all items; `row` is the distance of two rows in points. Layers that read backwards are `mirrored`."""
    layers = sorted({item.layer for item in items if item.layer is not None})
    result = Plan({}, {}, {}, set(), 0.0, 0.0, 0.0)
    level = None
    for number in layers:
        body = [item for item in items if item.layer == number]
        part = _Layer(body, row).place()
        if number in mirrored:
            part.at = {name: (part.width - x, y) for name, (x, y) in part.at.items()}
            part.via = {ends: [(part.width - x, y) for x, y in points] for ends, points in part.via.items()}
        up = 0.0 if level is None else level - part.bottom + row * 1.1
        for name, (x, y) in part.at.items():
            result.at[name] = (x, y + up)
        for ends, points in part.via.items():
            result.via[ends] = [(x, y + up) for x, y in points]
        result.lanes.update({lane: y + up for lane, y in part.lanes.items()})
        result.open_below |= part.open_below if level is None else set()
        result.width = max(result.width, part.width)
        result.bottom = min(result.bottom, part.bottom + up)
        result.top = level = max(result.top, part.top + up)
    _head(items, result, row)
    return result


def _head(items: list[Item], result: Plan, row: float) -> None:
    """What is made of the states goes up the column of the last one; constants stand at the right."""
    head = [item for item in items if item.layer is None and item.kind != "leaf"]
    if not head:
        return
    states = [item for item in items if item.lane and item.name in result.at]
    x = max((result.at[item.name][0] for item in states), default=MARGIN + 10)
    depth: dict[str, int] = {}
    used: dict[int, int] = defaultdict(int)
    for item in head:
        depth[item.name] = 1 + max((depth.get(name, 0) for name in item.inputs), default=0)
    for item in head:
        n = used[depth[item.name]]
        used[depth[item.name]] += 1
        result.at[item.name] = (x + n * (MARGIN + 40), result.top + depth[item.name] * row * 0.94)
        result.width = max(result.width, result.at[item.name][0] + item.node.width / 2 + MARGIN)
    for item in items:
        if item.kind == "leaf" and item.name not in result.at:
            user = next((other for other in items if item.name in other.inputs), None)
            ux, uy = result.at[user.name] if user is not None and user.name in result.at else (x, result.top)
            result.at[item.name] = (ux + MARGIN + item.node.width / 2 + 22, uy)
            result.width = max(result.width, result.at[item.name][0] + item.node.width / 2 + MARGIN / 2)
    result.top = max(result.top, max(result.at[item.name][1] for item in head))


class _Layer:
    """The layout of one recurrence within the step."""

    def __init__(self, body: list[Item], row: float) -> None:
        self.items = {item.name: item for item in body if item.kind != "leaf"}
        self.leaves = [item for item in body if item.kind == "leaf"]
        self.row = row
        self.rank: dict[str, int] = {}
        for item in body:  # in the order made, so inputs come first
            if item.kind != "leaf":
                self.rank[item.name] = 1 + max((self.rank[n] for n in item.inputs if n in self.rank), default=-1)
        self.above: dict[str, bool] = {}  # does it come from a state?
        for name, item in self.items.items():
            self.above[name] = bool(item.carried) or any(self.above.get(n, False) for n in item.inputs)
        for name in reversed(list(self.items)):  # what the state does not feed stands just before its use
            users = [self.rank[u] for u, other in self.items.items() if name in other.inputs]
            if not self.above[name] and users:
                self.rank[name] = min(users) - 1
        self.lowest = min(self.rank.values(), default=0)

    def place(self) -> Plan:
        ranks: dict[int, list[str]] = defaultdict(list)
        links: list[list[str]] = []  # each line as the chain of places that it passes
        places = dict(self.rank)
        self.kind = {name: self.above[name] for name in self.items}
        fixed = self._pins()
        for name, item in self.items.items():
            sources = [n for n in item.inputs if n in self.items] + [f"<{lane}" for lane in item.carried]
            for source in sources:
                start = self.rank.get(source, self.lowest - 1)
                chain = [source]
                lane = source[1:] if source.startswith("<") else fixed.get(source)
                straight = lane is not None and fixed.get(name) == lane and not any(
                    start < self.rank[n] < self.rank[name] for n, other in fixed.items() if other == lane)  # fmt: skip
                if not straight:
                    for between in range(start + 1, self.rank[name]):
                        passed = f"{source}>{name}@{between}"
                        places[passed] = between
                        self.kind[passed] = self.above.get(source, True)
                        chain.append(passed)
                links.append([*chain, name])
        for name, rank in places.items():
            ranks[rank].append(name)
        y = self._heights(ranks, links, fixed)
        return self._plan(ranks, places, links, y)

    def _pins(self) -> dict[str, str]:
        """What stands on a lane: the way of each state from the step before to its box."""
        fixed: dict[str, str] = {}
        lanes = sorted({item.lane for item in self.items.values() if item.lane}, reverse=True)  # h before c
        cells = [item.name for item in self.items.values() if item.lane.startswith("c")]
        for lane in lanes:
            target = next(item.name for item in self.items.values() if item.lane == lane)
            best: dict[str, tuple[int, str]] = {}
            for name, item in self.items.items():
                if name in fixed or (name in cells and name != target):
                    continue
                options = [(best[n][0] + 1, n) for n in item.inputs if n in best]
                if lane in item.carried:
                    options.append((0, ""))
                if options:
                    best[name] = max(options)
            name = target
            while name:
                fixed[name] = lane
                name = best.get(name, (0, ""))[1]
        return fixed

    def _heights(self, ranks: dict[int, list[str]], links: list[list[str]], fixed: dict[str, str]) -> dict[str, float]:
        beside: dict[str, list[str]] = defaultdict(list)
        for chain in links:
            for a, b in pairwise(chain):
                beside[a].append(b)
                beside[b].append(a)
        most = max(
            (sum(self._room(n) for n in names if self.kind.get(n) and n not in fixed) for names in ranks.values()),
            default=0,
        )
        top = max(1.0, 1 + most) * self.row
        lanes = {lane: top if lane.startswith("c") else 0.0 for lane in {*fixed.values()}}
        lanes.update({f"<{lane}": lanes.get(lane, 0.0) for item in self.items.values() for lane in item.carried})
        self.lanes = lanes
        y = {name: lanes[fixed[name]] if name in fixed else top / 2 if self.kind.get(name) else -self.row
             for names in ranks.values() for name in names}  # fmt: skip
        y.update({name: height for name, height in lanes.items() if name.startswith("<")})
        for sweep in range(6):
            for rank in sorted(ranks, reverse=bool(sweep % 2)):
                for side in (True, False):
                    group = [n for n in ranks[rank] if n not in fixed and bool(self.kind.get(n)) == side]
                    wish = {
                        n: sum(y[o] for o in beside[n]) / max(1, len(beside[n])) if beside[n] else y[n] for n in group
                    }
                    group.sort(key=lambda n: wish[n])
                    if side:
                        self._stack(
                            group, wish, y, 0.0, top if any(fixed.get(n, "").startswith("c") for n in fixed) else None
                        )
                    else:
                        down = 0.0
                        for n in reversed(group):
                            down -= self.row * self._room(n)
                            y[n] = down = min(wish[n], down)
        return y

    def _stack(
        self, group: list[str], wish: dict[str, float], y: dict[str, float], low: float, high: float | None
    ) -> None:
        """Heights as wished, but apart, and between the lanes."""
        before = low + self.row * 0.15
        for n in group:
            room = self.row * self._room(n)
            y[n] = max(wish[n], before + room * 0.85 if n is not group[0] or self._room(n) == 1 else before + room)
            before = y[n]
        if high is not None:
            after = high
            for n in reversed(group):
                after = y[n] = min(y[n], after - self.row * self._room(n) * 0.9)

    @staticmethod
    def _room(name: str) -> float:
        return 0.45 if "@" in name and ">" in name else 1.0

    def _plan(
        self, ranks: dict[int, list[str]], places: dict[str, int], links: list[list[str]], y: dict[str, float]
    ) -> Plan:
        x: dict[int, float] = {}
        left = MARGIN * 0.75
        for rank in sorted(ranks):
            wide = max((self.items[n].node.width for n in ranks[rank] if n in self.items), default=0.0)
            wide = max([wide, *(leaf.node.width for leaf in self.leaves if self._user_rank(leaf) == rank)])
            x[rank] = left + wide / 2
            left += wide + MARGIN
        at = {name: (x[self.rank[name]], y[name]) for name in self.items}
        open_below = {name for name in self.items
                      if not any(self.rank[o] == self.rank[name] and y[o] < y[name] for o in self.items)}  # fmt: skip
        for leaf in self.leaves:
            rank = self._user_rank(leaf)
            lowest = min([0.0, *(at[n][1] for n in at if abs(at[n][0] - x[rank]) < 1)])
            at[leaf.name] = (x[rank], lowest - self.row * 0.94)
            open_below -= {n for n in self.items if self.rank[n] == rank}
        via = {(chain[0], chain[-1]): [(x[places[p]], y[p]) for p in chain[1:-1]] for chain in links if len(chain) > 2}
        heights = [py for _, py in at.values()]
        lanes = {lane: height for lane, height in self.lanes.items() if not lane.startswith("<")}
        return Plan(
            at, via, lanes, open_below, left - MARGIN * 0.25, min(heights, default=0.0), max(heights, default=0.0)
        )

    def _user_rank(self, leaf: Item) -> int:
        return min((self.rank[n] for n, item in self.items.items() if leaf.name in item.inputs), default=self.lowest)
