"""What is what inside a cell, found in the graph: a gate is a sigmoid that something is multiplied by."""

from __future__ import annotations

from dataclasses import dataclass

from ..graph import Vertex
from ..states import Layer, ancestors

__all__ = ["GRUParts", "LSTMParts", "find_gru", "find_lstm", "kind_of", "place_of", "state_before",
           "unflipped"]  # fmt: skip


@dataclass
class LSTMParts:
    """The values inside the cell: c = keep + write, keep = f * c_before, write = i * g, h = o * squashed."""

    f: Vertex
    i: Vertex
    g: Vertex
    o: Vertex
    keep: Vertex
    write: Vertex
    squashed: Vertex


@dataclass
class GRUParts:
    """h = keep + new, keep = z * h_before, new = (1 - z) * n; r resets, inside n."""

    z: Vertex
    n: Vertex
    r: Vertex
    keep: Vertex
    new: Vertex


def _factors(v: Vertex) -> tuple[Vertex, Vertex] | None:
    if v.op == "multiply" and len(v.inputs) == 2:
        return v.inputs[0][0], v.inputs[1][0]
    return None


def _gate_and(v: Vertex, other: Vertex | None = None) -> tuple[Vertex, Vertex] | None:
    """The sigmoid factor of a product and the other one (which must be `other`, if given)."""
    pair = _factors(v)
    for gate, rest in (pair, pair[::-1]) if pair else ():
        if gate.op == "sigmoid" and (other is None or rest is other):
            return gate, rest
    return None


def find_lstm(layer: Layer, t: int, steps: list[int]) -> LSTMParts | None:
    """The parts of step t, or None where the structure is another."""
    c, h = layer.c.get(t), layer.h.get(t)
    if c is None or h is None or c.op != "add" or len(c.inputs) != 2:
        return None
    before = state_before(layer, "c", t, steps)
    one, two = c.inputs[0][0], c.inputs[1][0]
    for keep, write in ((one, two), (two, one)):
        kept = _gate_and(keep, before) if before is not None else None
        written, out = _gate_and(write), _gate_and(h)
        if kept and written and out and any(tail is c for tail, _ in out[1].inputs) and out[1].op != "sigmoid":
            return LSTMParts(kept[0], written[0], written[1], out[0], keep, write, out[1])
    return None


def find_gru(layer: Layer, t: int, steps: list[int]) -> GRUParts | None:
    """The parts of step t, or None where the structure is another; which of z and 1 - z keeps, differs."""
    h = layer.h.get(t)
    before = state_before(layer, "h", t, steps)
    if h is None or before is None or h.op != "add" or len(h.inputs) != 2:
        return None
    for keep, new in ((0, 1), (1, 0)):
        kept, fresh = _factors(h.inputs[keep][0]), _factors(h.inputs[new][0])
        if kept is None or fresh is None or before not in kept:
            continue
        first = kept[0] if kept[1] is before else kept[1]
        for share, n in (fresh, fresh[::-1]):
            z = {unflipped(first), unflipped(share)}
            if len(z) == 1 and (gate := z.pop()).op == "sigmoid" and n.op != "sigmoid" and first is not share:
                r = next((v for v in ancestors(n, t) if v.op == "sigmoid" and v is not gate), None)
                if r is not None:
                    return GRUParts(gate, n, r, h.inputs[keep][0], h.inputs[new][0])
    return None


def kind_of(layer: Layer, steps: list[int]) -> str:
    """ "LSTM", "GRU" or "RNN", by what a step in the middle is made of."""
    inside = sorted(layer.h)
    is_gru = bool(inside) and find_gru(layer, inside[len(inside) // 2], steps) is not None
    return "LSTM" if layer.c else "GRU" if is_gru else "RNN"


def place_of(layer: Layer, many: bool) -> str:
    """Which layer, where there are several: "layer 2, backwards (gru/layer 1)", with the scope that the code gave."""
    if not many:
        return ""
    scope = "/".join(next(iter(layer.h.values())).scope)
    return f"layer {layer.number}{', backwards' if layer.backward else ''}" + (f" ({scope})" if scope else "")


def unflipped(v: Vertex) -> Vertex:
    """z, of 1 - z."""
    return v.inputs[0][0] if v.op == "subtract" and len(v.inputs) == 1 and v.literals.get(0) == 1 else v


def state_before(layer: Layer, letter: str, t: int, steps: list[int]) -> Vertex | None:
    """The state "h" or "c" that step t starts from."""
    lane, first = (layer.c, layer.c0) if letter == "c" else (layer.h, layer.h0)
    at = steps.index(t) + (1 if layer.backward else -1)
    return lane.get(steps[at], first) if 0 <= at < len(steps) else first
