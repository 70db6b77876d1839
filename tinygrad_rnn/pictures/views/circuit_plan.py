"""In which column and row of a step's circuit each part stands, so that few lines are long or cross."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field

from ..graph import Vertex
from .inside import Inside, Unit

__all__ = ["Item", "Plan", "plan_of"]

SWEEPS = 12


@dataclass
class Item:
    """A source, a unit, the joint of inputs that several gates hear, or a state as it is now."""

    key: str
    hears: list[str]
    vertex: Vertex | None = None
    unit: Unit | None = None
    column: int = 0


@dataclass
class Plan:
    """Items by key; for each column the row of each place; the nets by the key of their maker."""

    items: dict[str, Item]
    rows: list[dict[str, int]] = field(default_factory=list)
    heads: dict[str, list[str]] = field(default_factory=dict)
    lane: list[str] = field(default_factory=list)  # keys on the state's way, which has the top row

    def targets(self, column: int, key: str) -> list[tuple[str, int]]:
        """Where the net goes in the next column: (place, row)."""
        after, heads = self.rows[column + 1], self.heads.get(key, [])
        found = [(head, after[head]) for head in heads if self.items[head].column == column + 1]
        return found + ([(key, after[key])] if any(self.items[head].column > column + 1 for head in heads) else [])

    def turning(self, column: int) -> list[str]:
        """The nets that change their row after this column."""
        rows = self.rows[column]
        return [key for key in rows if any(row != rows[key] for _, row in self.targets(column, key))]


def plan_of(inside: Inside) -> Plan:
    """The whole plan of a step."""
    plan = _in_columns(inside)
    _in_rows(plan)
    return plan


def _in_columns(inside: Inside) -> Plan:
    """Items in the order in which they were made, with their columns."""
    keys: dict[Vertex, str] = {}
    items: dict[str, Item] = {}
    old = {v: f"{letter}_before" for letter, v in inside.before.items() if v is not None}
    inputs = itertools.count()
    for v in inside.sources:
        keys[v] = old[v] if v in old else f"x{n}" if (n := next(inputs)) else "x"
        items[keys[v]] = Item(keys[v], [], v)
    for unit in inside.units.values():
        first = unit.parts[0] if unit.parts else unit.vertex
        keys[unit.vertex] = _free(unit.name or first.op or "part", {*items, "h", "c", "x"})
        items[keys[unit.vertex]] = Item(keys[unit.vertex], [], unit.vertex, unit)
    for unit in inside.units.values():
        items[keys[unit.vertex]].hears = list(dict.fromkeys(keys[wire.tail] for wire in unit.hears))
    _join(items)
    for letter in "ch":
        now = inside.after[letter]
        if now is not None and now in keys:
            items[letter] = Item(letter, [keys[now]], now)
    for item in items.values():
        item.column = 1 + max((items[key].column for key in item.hears), default=-1)
    _late(items)
    last = max(item.column for item in items.values())
    plan = Plan(items, [{} for _ in range(last + 1)])
    for letter in "ch":
        if letter in items:
            items[letter].column = last
    for item in items.values():
        for key in item.hears:
            plan.heads.setdefault(key, []).append(item.key)
    plan.lane = _lane(plan, inside.before)
    return plan


def _free(name: str, taken: set[str]) -> str:
    numbers = (f"{name}#{n}" for n in itertools.count(2))
    return name if name not in taken else next(key for key in numbers if key not in taken)


def _join(items: dict[str, Item]) -> None:
    """Where several gates hear the same sources, these come together first."""
    sources = {key for key, item in items.items() if item.unit is None}
    heard: dict[frozenset[str], list[Item]] = defaultdict(list)
    for item in items.values():
        if item.unit is not None and item.unit.learned:
            heard[frozenset(sources & set(item.hears))].append(item)
    many, gates = max(heard.items(), key=lambda pair: (len(pair[1]), len(pair[0])), default=(frozenset(), []))
    if len(many) < 2 or len(gates) < 2:
        return
    for item in gates:
        item.hears = ["join", *(key for key in item.hears if key not in many)]
    rest = list(items.items())
    first = next(i for i, (_, item) in enumerate(rest) if item.unit is not None)
    items.clear()
    items.update([*rest[:first], ("join", Item("join", sorted(many))), *rest[first:]])


def _late(items: dict[str, Item]) -> None:
    """An operation stands just before the first that hears it; gates and the joint stay as early as they can."""
    for key, item in reversed(items.items()):
        columns = [other.column for other in items.values() if key in other.hears]
        if item.unit is not None and not item.unit.learned and columns:
            item.column = max(item.column, min(columns) - 1)


def _lane(plan: Plan, before: dict[str, Vertex | None]) -> list[str]:
    """The items on the state's way from its old value to the new one, through sums, products and masks only."""
    letter = "c" if "c" in plan.items else "h"
    goal = f"{letter}_before"

    def way(key: str) -> list[str] | None:
        if key == goal:
            return [key]
        unit = plan.items[key].unit
        if key not in "ch" and (unit is None or unit.learned or unit.text in ("1−", "tanh", "σ")):
            return None
        return next(([*found, key] for tail in plan.items[key].hears if (found := way(tail)) is not None), None)

    return way(letter) or []


# Rows


def _in_rows(plan: Plan) -> None:
    """Give each item, and each net in each column that it passes, a row: 0 is the top. Start in order, then swap while
    lines become shorter and cross less."""
    present: list[list[str]] = [[] for _ in plan.rows]
    for key, item in plan.items.items():
        end = max((plan.items[head].column for head in plan.heads.get(key, [])), default=item.column)
        for column in range(item.column, max(item.column + 1, end)):
            present[column].append(key)
    room = max(map(len, present)) + 1
    lane = set(plan.lane)
    for column, keys in enumerate(present):
        fixed = next((key for key in keys if key in lane and (plan.items[key].column == column or _on_lane(plan, key))),
                     None)  # fmt: skip
        free = [key for key in keys if key != fixed]
        plan.rows[column] = {key: row for row, key in enumerate(free, start=1)} | ({fixed: 0} if fixed else {})
    for _ in range(SWEEPS):
        improved = [_improve(plan, column, room, 1 if plan.lane else 0) for column in range(len(plan.rows))]
        if not any(improved):
            break


def _on_lane(plan: Plan, key: str) -> bool:
    """Does this net of the lane go on to an item of the lane?"""
    return any(head in plan.lane for head in plan.heads.get(key, []))


def _improve(plan: Plan, column: int, room: int, top: int) -> bool:
    """Move the places of one column to other rows, or swap two, where that is better; was there any such?"""
    rows, improved, best = plan.rows[column], False, _cost(plan, column)
    for key in [key for key, row in rows.items() if row >= top]:
        for target in range(top, room + 1):
            was, other = rows[key], next((k for k, row in rows.items() if row == target), key)
            rows[other], rows[key] = was, target
            cost = _cost(plan, column)
            if cost < best - 1e-9:
                improved, best = True, cost
            else:
                rows[key], rows[other] = was, target
                rows[key] = was
    return improved


def _cost(plan: Plan, column: int) -> float:
    """Length of the uprights, turns and crossings, before and after a column; and a little for height."""
    total = 0.02 * sum(plan.rows[column].values())
    for left in {max(column - 1, 0), min(column, len(plan.rows) - 2)}:
        rows = plan.rows[left]
        nets = [(row, [target for _, target in plan.targets(left, key)]) for key, row in rows.items()]
        nets = [(row, targets) for row, targets in nets if targets]
        for row, targets in nets:
            total += max(row, *targets) - min(row, *targets) + 0.6 * sum(target != row for target in targets)
        for (a, ends_a), (b, ends_b) in itertools.combinations(nets, 2):
            total += 1.5 * sum((a - b) * (x - y) < 0 for x in ends_a for y in ends_b)
    return total
