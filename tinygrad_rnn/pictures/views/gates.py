"""Inside one step of a recurrence: an LSTM or a relative, a GRU, a simple cell, and any other in a layout of its own.

The parts are found in the graph: see `inside` and `parts`.
"""

from __future__ import annotations

from ... import backend
from ..figure import Figure, port
from ..palette import EDGE
from ..states import Layer
from .canvas import STATE, Canvas
from .circuit import draw_circuit
from .inside import Inside
from .lstm import draw_lstm
from .parts import GRUParts, find_gru, find_lstm
from .scene import Scene

__all__ = ["gates"]


def gates(scene: Scene, step: int, layer: Layer) -> Figure | None:
    """The figure of one step of one layer, or None where it is no step of anything that could be told apart."""
    inside = Inside(layer, step, scene.roles)
    canvas = Canvas(scene, step, layer, inside)
    lstm = find_lstm(inside)
    if lstm is not None:
        return draw_lstm(canvas, lstm)
    gru = find_gru(inside)
    if gru is not None:
        return _gru(canvas, gru)
    if _is_simple(inside):
        return _simple(canvas)
    return draw_circuit(canvas)


def _is_simple(inside: Inside) -> bool:
    """Is all that it does one nonlinearity of x and h?"""
    h, h_before = inside.after["h"], inside.before["h"]
    unit = inside.units.get(h) if h is not None else None
    if unit is None or len(inside.units) > 1 or not unit.learned or unit.text not in ("tanh", "relu", "σ"):
        return False
    weighted = all((wire.weight is not None and not wire.peephole) or wire.tail is h_before for wire in unit.hears)
    return weighted and len({wire.tail for wire in unit.hears} - {h_before}) < 2


def _gru(canvas: Canvas, parts: GRUParts) -> Figure:
    h0, h1, before = canvas.symbols("h")
    line, point = canvas.line, canvas.point
    lane = 220 if parts.z_keeps else 244  # of the state
    hp = canvas.state("h_before", before, "state", -60, lane, h0)
    hn = canvas.state("h", canvas.layer.h[canvas.step], "state", 440, lane, h1)
    r, z = canvas.gate("r", parts.r, 100, 56, "W_r"), canvas.gate("z", parts.z, 180, 56, "W_z")
    n = canvas.gate("n", parts.n, 275, 108, "W_n")
    keep, add = canvas.op("keep", parts.keep, 180, lane), canvas.op("add", parts.add, 350, lane)
    new, reset = canvas.op("new", parts.new, 350, 156), canvas.op("reset", parts.keep, 100, 140)
    x = canvas.input(40, -78)
    fork, low, join = point("fork", 0, lane, STATE), point("fork_reset", 0, 140), point("join", 40, 0)
    r_in, z_in, x_on = point("to_r", 100, 0), point("to_z", 180, 0), point("to_n", 40, -18)
    line(hp, fork, colour=STATE, width=3.2, arrow=False)
    for tail, head in ((fork, keep), (keep, add), (add, hn)):
        line(tail, head, colour=STATE, width=3.2)
    line(fork, low, colour=EDGE, width=1.7, arrow=False)
    line(low, reset, colour=EDGE)
    line(low, join, (0, 0), colour=EDGE, width=1.7, arrow=False)
    for tail, head in ((x, x_on), (x_on, join), (join, r_in), (r_in, z_in)):
        line(tail, head, colour=EDGE, width=1.7, arrow=False)
    for tail, head in ((r_in, r), (z_in, z)):
        line(tail, head, colour=EDGE)
    line(x_on, n, (275, -18), colour=EDGE)  # which hears h only through r
    line(r, reset)
    canvas.lead(reset, n, [port(reset, "right"), (230.0, 140.0), (230.0, 114.0), port(n, "left", 6)])
    if parts.z_keeps:  # z keeps, 1 - z lets in
        share, flip = point("share", 180, 174), canvas.op("flip", parts.flip, 240, 174)
        line(z, share, arrow=False)
        line(share, keep)
        line(share, flip)
        canvas.lead(flip, new, [port(flip, "right"), (320.0, 174.0), (320.0, 162.0), port(new, "left", 6)])
    else:
        share, flip = point("share", 180, 156), canvas.op("flip", parts.flip, 180, 198)
        line(z, share, arrow=False)
        line(share, flip)
        line(flip, keep)
        canvas.lead(share, new, [port(share, "right"), port(new, "left")])
    line(n, new, (350, 108))
    line(new, add)
    canvas.remark("slope", 262, lane + 18, f"keeps {'z' if parts.z_keeps else '1−z'} of the old state")
    return canvas.figure(
        "GRU cell",
        (-28, -32, 392, lane + 35),
        "The state runs along the top: the update gate z says how much of the "
        "old state stays and how much of the candidate n comes in; the reset gate r acts inside n.",
    )


def _simple(canvas: Canvas) -> Figure:
    h0, h1, before = canvas.symbols("h")
    h = canvas.layer.h[canvas.step]
    unit = canvas.inside.units[canvas.inside.after["h"] or h]
    hp = canvas.state("h_before", before, "state", -60, 40, h0)
    hn = canvas.state("h", h, "state", 260, 40, h1)
    gate = canvas.gate("cell_op", unit, 120, 40, "W")
    canvas.facts.clear()
    x = canvas.input(40, -60)
    join = canvas.point("join", 40, 40)
    up, turn = canvas.state("h_up", h, "state", 200, 130, h1), canvas.point("turn", 200, 40, STATE)
    canvas.line(hp, join, colour=STATE, width=3.2, arrow=False)
    canvas.line(x, join, colour=EDGE, width=1.7, arrow=False)
    canvas.line(join, gate, colour=EDGE, width=1.7)
    canvas.line(gate, turn, colour=STATE, width=3.2, arrow=False)
    canvas.line(turn, hn, colour=STATE, width=3.2)
    canvas.line(turn, up, colour=STATE, width=2.2)
    if unit.text == "tanh":
        share = 100 * float((abs(backend.to_numpy(h.value)) > 0.9).mean())
        canvas.facts.append(f"{share:.0f} % of the units are saturated (|h| above 0.9).")
        canvas.remark("saturated", 120, 6, f"{share:.0f} % saturated")
    return canvas.figure(
        "Simple recurrent cell",
        (8, -18, 226, 92),
        "The old state and the input together go through one learned layer, and come out as the new state.",
    )
