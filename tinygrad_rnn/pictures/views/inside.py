"""What one step is made of, read from the graph: learned layers ("gates"), operations, and who hears whom.

A gate is a nonlinearity of a sum of products with weights; all of that is one unit. What is left are operations on
signals: products of gates and states, sums, 1 - z. Shapes and slices are looked through.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..graph import Vertex
from ..roles import Roles
from ..states import PRODUCTS, By, Layer
from .scene import number

__all__ = ["Inside", "Unit", "Wire"]

SIGNS = {"add": "+", "multiply": "×", "subtract": "−", "divide": "÷", "sigmoid": "σ", "negative": "−"}
SHAPES = ("reshape", "broadcast_to", "expand_dims", "squeeze", "copy", "cast", "getitem", "transpose")


@dataclass(frozen=True)
class Wire:
    """One thing that a unit hears: `tail`, a unit's vertex or a source; the leaf of its `weight`, if there is one; and
    whether that is one number for each unit, as in a peephole."""

    tail: Vertex
    weight: Vertex | None = None
    peephole: bool = False


@dataclass(eq=False)
class Unit:
    """A gate (`learned`) or an operation; `text` is what it does: "σ", "4σ−2", "×", "1−"; "" for a product alone."""

    vertex: Vertex
    text: str
    hears: list[Wire]
    learned: bool = False
    name: str = ""
    weights: str = ""
    parts: list[Vertex] = field(default_factory=list)  # other vertices that it stands for


class Inside:
    """The units of step t of one layer, in the order in which they were made, and its `sources`: the states before
    (`before`, by letter), the input, or what another layer hands in. `after` is what the states are now."""

    def __init__(self, layer: Layer, t: int, roles: Roles) -> None:
        self.t = t
        lanes = {"h": layer.h, "c": layer.c} | {f"gate {k}": lane for k, lane in enumerate(layer.gates)}
        first = {"h": layer.h0, "c": layer.c0}
        self.before = {letter: _earlier(layer, lane, t, roles.steps) or first.get(letter)
                       for letter, lane in lanes.items()}  # fmt: skip
        self.after = {letter: _unmasked(lane.get(t), self.before[letter]) for letter, lane in lanes.items()}
        self.handed = _handed([other.h[t] for other in roles.layers if other is not layer and t in other.h], t)
        self.known = {v for v in (*self.before.values(), roles.x.get(t), *self.handed) if v is not None}
        self.several = len(roles.steps) > 1
        self.sources: list[Vertex] = []
        self.units: dict[Vertex, Unit] = {}
        self._depends: dict[Vertex, bool] = {}
        for v in self.after.values():
            if v is not None:
                self.signal(v)
        self._call()

    def signal(self, v: Vertex) -> Vertex:
        """The vertex of the unit or source that v is the value of, found and filed."""
        while v not in self.known and v not in self.units:
            inputs = self._dependent(v)
            if not inputs:
                break
            if v.op in SHAPES and not self._is_affine(v):
                v = inputs[0]
                continue
            self.units[v] = Unit(v, "", [])  # known from now on
            found = self._unit(v, inputs)
            del self.units[v]
            if found.vertex is not v:  # folded into the one before
                found.parts.append(found.vertex)
                self.units.pop(found.vertex)
                found.vertex = v
            self.units[v] = found
        if v not in self.units and v not in self.sources:
            self.sources.append(v)
        return v

    def _unit(self, v: Vertex, inputs: list[Vertex]) -> Unit:
        name = v.name or ""
        if self._is_affine(v):
            return Unit(v, "", self._wires(v), True, name)
        if len(inputs) == 1 and v.literals:
            return self._scaled(v, inputs[0])
        if len(inputs) == 1 and self._is_affine(inputs[0]) and v.op not in ("add", "multiply"):
            return Unit(v, SIGNS.get(v.op, v.op), self._wires(inputs[0]), True, name)
        if v.op in ("add", "multiply"):
            inputs = self._flattened(v)
        return Unit(v, SIGNS.get(v.op, v.op), [Wire(self.signal(tail)) for tail in inputs], name=name)

    def _scaled(self, v: Vertex, tail: Vertex) -> Unit:
        """Arithmetic with a plain number: part of the nonlinearity that it follows, if nothing else hears that."""
        k = number(next(iter(v.literals.values())))
        first = 0 in v.literals
        sign = SIGNS.get(v.op, v.op)
        tail = self.signal(tail)
        unit = self.units.get(tail)
        alone = unit is not None and len(tail.uses) == 1 and unit.text not in ("", "+", "×") and sign != "1−"
        if unit is not None and alone and not (v.op == "subtract" and first):
            text = unit.text
            text = {"×": f"{k}{text}" if len(text) == 1 else f"{k} {text}", "+": f"{text}+{k}"}.get(
                sign, f"{k}{sign}{text}" if first else f"{text}{sign}{k}")  # fmt: skip
            unit.text, unit.name = text, v.name or unit.name
            return unit
        text = f"{k}{sign}" if first or v.op == "multiply" else f"{sign}{k}"
        return Unit(v, f"{k}×" if v.op == "multiply" else text, [Wire(tail)], name=v.name or "")

    def _flattened(self, v: Vertex) -> list[Vertex]:
        """The terms of a sum of sums (the factors of a product of products) that nothing else hears."""
        terms: list[Vertex] = []
        for tail in self._dependent(v):
            inner = tail.op == v.op and len(tail.uses) == 1 and not self._is_affine(tail) and not tail.literals
            terms += self._flattened(tail) if inner and tail not in self.known else [tail]
        return terms

    # Sums of products with weights

    def _is_affine(self, v: Vertex) -> bool:
        inputs = self._dependent(v)
        if v in self.known or not inputs:
            return False
        weights = [tail for tail, _ in v.inputs if not self._hears(tail)]
        if v.op in PRODUCTS:
            return len(inputs) == 1
        if v.op in ("add", "subtract"):
            return bool(weights) or any(map(self._is_affine, inputs))
        if v.op == "multiply":
            return len(inputs) == 1 and (bool(weights) or self._is_affine(inputs[0]))
        return (v.kind == "part" or v.op in ("split", *SHAPES)) and len(inputs) == 1 and self._is_affine(inputs[0])

    def _wires(self, v: Vertex) -> list[Wire]:
        """What an affine value hears."""
        inputs = self._dependent(v)
        weights = [tail for tail, _ in v.inputs if not self._hears(tail)]
        if v.op in PRODUCTS or (v.op == "multiply" and weights and not self._is_affine(inputs[0])):
            joined = inputs[0].op == "concat" and inputs[0] not in self.known  # [h, x] W
            tails = self._dependent(inputs[0]) if joined else inputs
            return [Wire(self.signal(tail), _leaf(weights[0]), v.op == "multiply") for tail in tails]
        wires: list[Wire] = []
        for tail in inputs:
            wires += self._wires(tail) if self._is_affine(tail) else [Wire(self.signal(tail))]
        return list(dict.fromkeys(wires))

    def _hears(self, v: Vertex) -> bool:
        """Does v depend on a state, or on the input? So does what was made of the input alone and was not recorded,
        because nothing needs its gradient: it is a constant of this one step."""
        if v in self.known:
            return True
        is_array = v.kind == "constant" and v.value.dtype.kind == "f" and v.size > 1
        alone = is_array and self.several and {use.step for use, _ in v.uses} == {self.t}
        if alone or v.step not in (self.t, None):  # or of another step, although it is no state of this layer
            self.known.add(v)
            return True
        if v not in self._depends:
            self._depends[v] = v.step == self.t and any(self._hears(tail) for tail, _ in v.inputs)
        return self._depends[v]

    def _dependent(self, v: Vertex) -> list[Vertex]:
        return [tail for tail, _ in v.inputs if self._hears(tail)]

    def _call(self) -> None:
        """Write on each gate which weights it has: W_i of a stack; "W" where all are its own; else by their names."""
        users: dict[Vertex, set[Unit]] = {}
        for unit in self.units.values():
            for wire in unit.hears:
                if wire.weight is not None:
                    users.setdefault(wire.weight, set()).add(unit)
        x = [v for v in self.sources if v not in self.before.values()]
        for unit in self.units.values():
            heard = [wire for wire in unit.hears if wire.weight is not None and not wire.peephole]
            leaves = list(dict.fromkeys(wire.weight for wire in heard if wire.weight is not None))
            if not unit.learned or not leaves:
                continue
            names = [leaf.name for leaf in leaves if leaf.name]
            if any(len(users[leaf]) > 1 for leaf in leaves):
                only = "" if len({wire.tail in x for wire in heard}) == 2 else "x" if heard[0].tail in x else "h"
                unit.weights = f"W_{only}{unit.name}" if unit.name else "W"
            elif len(leaves) == len(unit.hears) == 2 and {wire.tail for wire in heard} == {self.before["h"], *x}:
                unit.weights = "W"
            else:
                unit.weights = " ".join(names) or "W"


def _unmasked(v: Vertex | None, before: Vertex | None) -> Vertex | None:
    """The state as a step makes it, also where a mask then lets that of before stand, for sequences that have ended."""
    is_mask = v is not None and v.op == "where" and before is not None and v.inputs[-1][0] is before
    return v.inputs[-2][0] if v is not None and is_mask else v


def _handed(others: list[Vertex], t: int) -> dict[Vertex, list[Vertex]]:
    """What other layers hand in: their states, and what is made of these alone, such as both directions side by side;
    each with the states that it is made of."""
    handed = {v: [v] for v in others}
    waiting = list(others)
    while waiting:
        for use, _ in waiting.pop().uses:
            tails = [tail for tail, _ in use.inputs]
            ready = all(v in handed or v.kind == "constant" for v in tails)  # a constant: a mask
            if use.step == t and use not in handed and use.op not in PRODUCTS and ready:
                handed[use] = list(dict.fromkeys(state for v in tails for state in handed.get(v, [])))
                waiting.append(use)
    return handed


def _leaf(v: Vertex) -> Vertex:
    """The parameter that a weight is a part of, or made from."""
    while v.inputs:
        v = v.inputs[0][0]
    return v


def _earlier(layer: Layer, lane: By, t: int, steps: list[int]) -> Vertex | None:
    """What the lane held before step t."""
    at = steps.index(t) + (1 if layer.backward else -1)
    return lane.get(steps[at]) if 0 <= at < len(steps) else None
