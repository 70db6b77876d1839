"""The LSTM as colah draws it: the cell state is a conveyor on top, the gates below let it through. And its relatives,
with gates left out or coupled, and with peepholes."""

from __future__ import annotations

from itertools import pairwise

from ..figure import Figure, Node, Point, port, style
from ..graph import Vertex
from ..roles import Roles
from .canvas import CELL, STATE, Canvas
from .parts import LSTMParts

__all__ = ["draw_lstm"]

COLUMNS = {"f": 95.0, "i": 165.0, "g": 235.0, "o": 305.0}
LANE, FEED, GATES = 220.0, 8.0, 66.0  # heights of the cell state, of the line that feeds the gates, of the gates


def draw_lstm(canvas: Canvas, parts: LSTMParts) -> Figure:
    """One step. Keys are the names of the parts."""
    layer, step, add = canvas.layer, canvas.step, canvas.line
    (c0, c1, c_before), (h0, h1, h_before) = canvas.symbols("c"), canvas.symbols("h")
    c, h = layer.c[step], layer.h[step]
    start, end = canvas.state("c_before", c_before, "cell", -60, LANE, c0), canvas.state("c", c, "cell", 520, LANE, c1)
    hp, hn = canvas.state("h_before", h_before, "state", -60, FEED, h0), canvas.state("h", h, "state", 520, FEED, h1)
    up = canvas.state("h_up", h, "state", 430, 312, h1)
    for name, unit in parts.gates.items():
        canvas.gate(name, unit, COLUMNS[name], GATES, "" if unit.weights == "W" else f"W_{name}")
    canvas.feed([(name, COLUMNS[name]) for name in parts.gates], hp, FEED, GATES)
    _gates_before(canvas, parts)
    peeps = {name: any(wire.peephole for wire in unit.hears) for name, unit in parts.gates.items()}

    plus, fork = canvas.op("add", parts.add, 235, LANE), canvas.point("fork", 370, LANE, CELL)
    lane = [start, *([canvas.op("keep", parts.keep, 95, LANE)] if parts.keep else []), plus]
    for tail, head in pairwise(lane):
        add(tail, head, colour=CELL, width=3.2)
    add(plus, fork, colour=CELL, width=3.2, arrow=False)
    add(fork, end, colour=CELL, width=3.2)
    _write(canvas, parts)
    _show(canvas, parts, fork, hn, up)
    _peepholes(canvas, peeps)
    heights = {"f": (103.0, 140.0), "i": (158.0, 128.0), "g": (243.0, 112.0), "o": (297.0, 101.0)}
    for name in parts.gates:
        x, y = (337.0, 121.0) if name == "o" and peeps["o"] else heights[name]
        canvas.remark(f"{name}/name", x, y, name)
    slope = "1" if parts.keep is None else "1−i" if parts.coupled else "f"
    canvas.remark("slope", 166, LANE + 18, f"directly: ∂{c1.rstrip('→←')}/∂{c0.rstrip('→←')} = {slope}")
    canvas.gradients()
    kind = _kind(parts, peeps)
    room = 271 if canvas.which() or kind != "LSTM cell" else 255  # for a long label above the slope
    return canvas.figure(kind, (8, -32, 452, room), _words(parts, peeps, slope))


def _gates_before(canvas: Canvas, parts: LSTMParts) -> None:
    """The gates of the step before, where they are heard: a line of their own below that of x and h."""
    before = [v for letter, v in canvas.inside.before.items() if letter.startswith("gate") and v is not None]
    if not before:
        return
    symbol = " ".join(_gate_symbol(v, canvas.scene.roles) for v in before)
    colour, level, beside = style("gate").stroke, FEED - 18, 14.0
    last = canvas.state("gates_before", before[0], "gate", -60, FEED - 54, symbol)
    way: list[Point] = [port(last, "right"), (24.0, last.y), (24.0, level)]
    hearing = [name for name, unit in parts.gates.items() if any(wire.tail in before for wire in unit.hears)]
    for name in hearing:
        x, gate = COLUMNS[name] + beside, canvas.nodes[name]
        turn = canvas.point(f"gates_to_{name}", x, level, colour)
        canvas.lead(last, turn, [*way, (x, level)], colour, arrow=False)
        canvas.lead(turn, gate, [(x, gate.y - gate.height / 2)], colour)
        last, way = turn, []


def _gate_symbol(v: Vertex, roles: Roles) -> str:
    return f"{v.name or 'gate'}_{(v.step or 0) + 1}"


def _write(canvas: Canvas, parts: LSTMParts) -> None:
    """What comes into the cell: i * g, or g; and the forget gate, which may be 1 - i."""
    n, add = canvas.nodes, canvas.line
    if parts.write is None or parts.i is None:
        add(n["g"], n["add"])
    else:
        write = canvas.op("write", parts.write, 235, 150)
        add(n["g"], write)
        add(write, n["add"])
        if parts.coupled and parts.f is not None:
            share, flip = canvas.point("share", 165, 150), canvas.op("flip", parts.f, 95, 150)
            add(n["i"], share, arrow=False)
            add(share, write)
            add(share, flip)
            add(flip, n["keep"])
            canvas.remark("f/name", 113, 184, "1−i")
        else:
            add(n["i"], write, (165, 150))
    if "f" in n:
        add(n["f"], n["keep"])


def _show(canvas: Canvas, parts: LSTMParts, fork: Node, hn: Node, up: Node) -> None:
    """What goes out: o * tanh(c), without what is left out."""
    add, turn = canvas.line, canvas.point("turn", 430, FEED, STATE)
    last = fork
    if parts.squash is not None:
        last = canvas.op("squash", parts.squash, 370, 168)
        add(fork, last)
    if parts.out is not None:
        out = canvas.op("out", parts.out, 370, 112)
        add(last, out)
        add(canvas.nodes["o"], out, (305, 112))
        last = out
    add(last, turn, (370, FEED), colour=STATE, width=2.2, arrow=False)
    add(turn, hn, colour=STATE, width=2.2)
    add(turn, up, colour=STATE, width=2.2)


def _peepholes(canvas: Canvas, peeps: dict[str, bool]) -> None:
    """Thin lines from the cell state into the gates that see it: f and i the old one, o the new one."""
    level, entry = 106.0, 17.0
    gates = [name for name in "fi" if peeps.get(name)]
    if gates:
        tap, last = canvas.point("peep", 40, LANE, CELL), (40.0, LANE)
        for k, name in enumerate(gates):
            x = COLUMNS[name] - entry
            gate = canvas.nodes[name]
            ends = (x, gate.y + gate.height / 2)
            begin = tap if k == 0 else canvas.point(f"peep_{gates[k - 1]}", last[0], level, CELL)
            via = [(40.0, level)] if k == 0 else []
            canvas.lead(begin, gate, [*via, (x, level), ends], CELL)
            last = (x, level)
    if peeps.get("o"):
        gate, x = canvas.nodes["o"], COLUMNS["o"] - entry
        tap = canvas.point("peep_o", x, LANE, CELL)
        canvas.lead(tap, gate, [(x, gate.y + gate.height / 2)], CELL)


def _kind(parts: LSTMParts, peeps: dict[str, bool]) -> str:
    """ "LSTM cell without forget gate, with peepholes"."""
    if set(parts.gates) == {"g"}:
        return "Incomplete LSTM cell"
    gone = [word for word, unit in (("input", parts.i), ("forget", parts.f), ("output", parts.o)) if unit is None]
    words = [f"without {' and '.join(gone)} gate{'s' * (len(gone) > 1)}"] if gone else []
    words += ["with coupled gates"] * parts.coupled + ["with peepholes"] * any(peeps.values())
    return " ".join(["LSTM cell", *words[:1]]) + "".join(f", {word}" for word in words[1:])


def _words(parts: LSTMParts, peeps: dict[str, bool], slope: str) -> str:
    """The picture for those who cannot see it."""
    kept = {"f": "multiplied by the forget gate f, then", "1": "never multiplied,",
            "1−i": "multiplied by 1 - i, the input gate's complement, then"}[slope]  # fmt: skip
    written = "the input gate i times the candidate g" if parts.i is not None else "the candidate g"
    squashed = f"{parts.squash.text}(c)" if parts.squash is not None else "c"
    shown = f"the output gate o lets {squashed} out as h" if parts.o is not None else f"h is {squashed}"
    seen = [name for name, sees in peeps.items() if sees]
    peeping = f" Peepholes show the cell state to {', '.join(seen)}." if seen else ""
    return (f"The cell state runs along the top: {kept} increased by {written}; {shown}. The derivative of c by the c "
            f"before it is {slope.replace('−', ' - ')} along this direct path; a second part goes by way of h and the "
            f"gates.{peeping}")  # fmt: skip
