"""What is what inside a cell, found in the graph: a gate is a sigmoid that something is multiplied by."""

from __future__ import annotations

from dataclasses import dataclass

from ..graph import Vertex
from ..roles import Roles
from ..states import Layer
from .inside import Inside, Unit

__all__ = ["GRUParts", "LSTMParts", "find_gru", "find_lstm", "kind_of", "place_of"]

NOT_SQUASHED = ("×", "+", "−", "1−", "σ")


@dataclass
class LSTMParts:
    """The units of c = keep + write, keep = f * c_before, write = i * g, h = out = o * squash, squash = tanh(c); None
    where one is left out, as if its gate were 1. `coupled`: f is 1 - i."""

    g: Unit
    add: Unit
    f: Unit | None = None
    i: Unit | None = None
    o: Unit | None = None
    keep: Unit | None = None
    write: Unit | None = None
    squash: Unit | None = None
    out: Unit | None = None
    coupled: bool = False

    @property
    def gates(self) -> dict[str, Unit]:
        """The learned layers, by name."""
        found = {"f": None if self.coupled else self.f, "i": self.i, "g": self.g, "o": self.o}
        return {name: unit for name, unit in found.items() if unit is not None}


@dataclass
class GRUParts:
    """The units of h = add = keep + new, keep = z * h_before, new = (1 - z) * n; r resets, inside n. `z_keeps`: as
    written here; else keep = (1 - z) * h_before and new = z * n."""

    z: Unit
    n: Unit
    r: Unit
    keep: Unit
    new: Unit
    flip: Unit
    add: Unit
    z_keeps: bool


def find_lstm(inside: Inside) -> LSTMParts | None:
    """The parts of an LSTM or of a relative, whose gates may be left out or coupled; None where the structure is
    another, or a gate hears another thing than x, h, gates and, by a peephole, c."""
    units, before = inside.units, inside.before
    c, h = inside.after["c"], inside.after["h"]
    add = units.get(c) if c is not None else None
    if add is None or c is None or h is None or h is c or before["c"] is None or add.text != "+" or len(add.hears) != 2:
        return None
    one, two = (wire.tail for wire in add.hears)
    for kept, written in ((one, two), (two, one)):
        parts = LSTMParts(add, add)  # g is found below
        if kept is not before["c"] and not _split(units, kept, before["c"], parts):
            continue
        if not _written(units, written, parts) or not _shown(units, h, c, parts):
            continue
        listed = [parts.add, parts.keep, parts.write, parts.squash, parts.out, parts.f, *parts.gates.values()]
        if units.keys() <= {unit.vertex for unit in listed if unit is not None} and _hear_all(inside, parts):
            return parts
    return None


def _factors(units: dict[Vertex, Unit], v: Vertex) -> tuple[Vertex, Vertex] | None:
    unit = units.get(v)
    if unit is None or unit.text != "×" or len(unit.hears) != 2:
        return None
    return unit.hears[0].tail, unit.hears[1].tail


def _is_gate(unit: Unit | None) -> bool:
    return unit is not None and unit.learned and unit.text == "σ"


def _split(units: dict[Vertex, Unit], kept: Vertex, c_before: Vertex | None, parts: LSTMParts) -> bool:
    """keep = f * c_before, f learned or 1 - i."""
    pair = _factors(units, kept)
    if pair is None or c_before not in pair:
        return False
    parts.keep, parts.f = units[kept], units.get(pair[0] if pair[1] is c_before else pair[1])
    parts.coupled = parts.f is not None and parts.f.text == "1−"
    return parts.coupled or _is_gate(parts.f)


def _written(units: dict[Vertex, Unit], written: Vertex, parts: LSTMParts) -> bool:
    """write = i * g, or g alone."""
    pair = _factors(units, written) or (written,)
    learned = [units[v] for v in pair if v in units and units[v].learned]
    gates = [unit for unit in learned if _is_gate(unit)]
    candidates = [unit for unit in learned if not _is_gate(unit)]
    if len(candidates) != 1 or len(gates) != len(pair) - 1:
        return False
    parts.g, parts.i = candidates[0], gates[0] if gates else None
    parts.write = units[written] if gates else None
    return not parts.coupled or (parts.f is not None and parts.i is not None
                                 and parts.f.hears[0].tail is parts.i.vertex)  # fmt: skip


def _shown(units: dict[Vertex, Unit], h: Vertex, c: Vertex, parts: LSTMParts) -> bool:
    """h = o * squash(c), or without one of the two."""
    pair = _factors(units, h) or (h,)
    gates = [units[v] for v in pair if _is_gate(units.get(v))]
    rest = [v for v in pair if not _is_gate(units.get(v))]
    if len(rest) != 1 or len(gates) != len(pair) - 1 or h not in units:
        return False
    parts.o, parts.out = (gates[0], units[h]) if gates else (None, None)
    if rest[0] is c:
        return True
    parts.squash = units.get(rest[0])
    squash = parts.squash
    return squash is not None and not squash.learned and squash.text not in NOT_SQUASHED \
        and [wire.tail for wire in squash.hears] == [c]  # fmt: skip


def _hear_all(inside: Inside, parts: LSTMParts) -> bool:
    """Do all gates hear x and h, and nothing else but gates, and c through peepholes?"""
    before = inside.before
    gates_before = {v for letter, v in before.items() if letter.startswith("gate") and v is not None}
    c_before, c = before["c"], inside.after["c"]
    for name, unit in parts.gates.items():
        heard = {wire.tail for wire in unit.hears if wire.weight is not None and not wire.peephole}
        peeps = {wire.tail for wire in unit.hears if wire.peephole}
        inputs = heard - {before["h"]} - gates_before
        if len(inputs) != 1 or before["h"] not in heard or not inputs <= set(inside.sources):
            return False
        if any(wire.weight is None for wire in unit.hears) or not peeps <= {c if name == "o" else c_before}:
            return False
    return True


def find_gru(inside: Inside) -> GRUParts | None:
    """The parts of a GRU, or None where the structure is another; which of z and 1 - z keeps, differs."""
    units, h_before, h = inside.units, inside.before["h"], inside.after["h"]
    add = units.get(h) if h is not None else None
    if add is None or h_before is None or add.text != "+" or len(add.hears) != 2:
        return None
    one, two = (wire.tail for wire in add.hears)
    for keep, new in ((one, two), (two, one)):
        kept, fresh = _factors(units, keep), _factors(units, new)
        if kept is None or fresh is None or h_before not in kept:
            continue
        share = units.get(kept[0] if kept[1] is h_before else kept[1])
        for other, n in ((units.get(a), units.get(b)) for a, b in (fresh, fresh[::-1])):
            if share is None or other is None or n is None or not n.learned:
                continue
            for z, flip in ((share, other), (other, share)):
                if _is_gate(z) and flip.text == "1−" and flip.hears[0].tail is z.vertex:
                    r = _reset(inside, n, z)
                    if r is not None:
                        return GRUParts(z, n, r, units[keep], units[new], flip, add, z is share)
    return None


def _reset(inside: Inside, n: Unit, z: Unit) -> Unit | None:
    """The gate r of n = tanh(x W + (r h) W), or of r (h W); None unless it, z and n hear what a GRU's do."""
    units, h_before = inside.units, inside.before["h"]
    inputs = [wire.tail for wire in n.hears if wire.tail in inside.sources and wire.weight is not None]
    products = [wire for wire in n.hears if wire.tail in units and units[wire.tail].text == "×"]
    if len(inputs) != 1 or len(products) != 1 or len(n.hears) != 2:
        return None
    pair = _factors(units, products[0].tail) or ()
    r = next((units[v] for v in pair if _is_gate(units.get(v))), None)
    rest = [v for v in pair if r is None or v is not r.vertex]
    before_the_product = rest == [h_before] and products[0].weight is not None
    inner = units.get(rest[0]) if len(rest) == 1 else None
    after = inner is not None and inner.text == "" and [wire.tail for wire in inner.hears] == [h_before]
    if r is None or not (before_the_product or after):
        return None
    usual = {inputs[0], h_before}
    for gate in (r, z):
        if {wire.tail for wire in gate.hears} != usual or any(wire.weight is None for wire in gate.hears):
            return None
    return r


def kind_of(layer: Layer, roles: Roles) -> str:
    """ "LSTM", "GRU" or "RNN", by what a step in the middle is made of."""
    inside = sorted(layer.h)
    if layer.c or not inside:
        return "LSTM" if layer.c else "RNN"
    return "GRU" if find_gru(Inside(layer, inside[len(inside) // 2], roles)) is not None else "RNN"


def place_of(layer: Layer, many: bool) -> str:
    """Which layer, where there are several: "layer 2, backwards (gru/layer 1)", with the scope that the code gave."""
    if not many:
        return ""
    scope = "/".join(next(iter(layer.h.values())).scope)
    return f"layer {layer.number}{', backwards' if layer.backward else ''}" + (f" ({scope})" if scope else "")
