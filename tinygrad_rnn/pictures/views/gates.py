"""Inside one step of an LSTM, as colah draws it: the cell state is a conveyor on top, the gates below let it through.
A GRU and a simple cell are drawn in the same manner. The parts are found in the graph: see `parts`."""

from __future__ import annotations

from ... import backend
from ..figure import Box, Edge, Figure, Node, Point, Text, label, port, route, straight, style, text_at
from ..graph import Vertex
from ..palette import EDGE, FORWARD, GREY
from ..states import Layer
from .parts import GRUParts, LSTMParts, find_gru, find_lstm, place_of, state_before, unflipped
from .scene import Scene, norm, number, tooltip

__all__ = ["gates"]

STATE, CELL = style("state").stroke, style("cell").stroke
LINE = "#4b5563"


def gates(scene: Scene, step: int, layer: Layer) -> Figure | None:
    """The figure of one step of one layer, or None where it is neither an LSTM's, a GRU's nor a simple cell's."""
    steps = scene.roles.steps
    lstm = find_lstm(layer, step, steps)
    if lstm is not None:
        return _Canvas(scene, step, layer).lstm(lstm)
    gru = find_gru(layer, step, steps)
    if gru is not None:
        return _Canvas(scene, step, layer).gru(gru)
    h = layer.h.get(step)
    if h is not None and not layer.c and h.op in ("tanh", "relu", "sigmoid") and layer.h:
        return _Canvas(scene, step, layer).simple(h)
    return None


class _Canvas:
    """Draws one cell. All positions are those of the pattern; only the numbers come from the run."""

    def __init__(self, scene: Scene, step: int, layer: Layer) -> None:
        self.scene, self.step, self.layer = scene, step, layer
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.facts: list[str] = []

    # Pieces

    def state(self, key: str, v: Vertex | None, role: str, x: float, y: float, symbol: str) -> Node:
        fill, stroke = style(role)
        dashed = v is not None and v in (self.layer.h0, self.layer.c0)
        lines = [Text(label(symbol), 14.0)]
        if self.scene.values and v is not None and v.size == 1:
            lines = [Text(label(symbol), 12.0), Text(number(float(v.value.reshape(-1)[0])), 9.0, FORWARD)]
        node = self.nodes[key] = Node(
            key,
            x,
            y,
            max(43.0, lines[0].width + 10),
            30.0,
            "box",
            tuple(lines),
            fill,
            stroke,
            dashed=dashed,
            tooltip=tooltip(v, symbol) if v is not None else "",
            role=role,
        )
        return node

    def op(self, key: str, v: Vertex, text: str, x: float, y: float) -> Node:
        fill, stroke = style("op")
        wide = len(text) > 1
        self.nodes[key] = Node(
            key,
            x,
            y,
            45.0 if wide else 30.2,
            24.5 if wide else 30.2,
            "ellipse" if wide else "circle",
            (Text(text, 12.0 if wide else 17.0),),
            fill,
            stroke,
            tooltip=tooltip(v),
            role="op",
        )
        return self.nodes[key]

    def gate(self, key: str, v: Vertex, x: float, y: float) -> Node:
        """A learned layer: its nonlinearity, the weights' name and what it says in this run."""
        fill, stroke = style("gate")
        values = backend.to_numpy(v.value)
        average = float(values.mean())
        said = f"{average:.2f}" if values.size == 1 else f"mean {average:.2f}"
        lines = (Text("σ" if v.op == "sigmoid" else v.op, 14.0), Text(f"W_{key}", 9.5, GREY), Text(said, 8.5, FORWARD))
        if v.op == "sigmoid" and values.size > 1:
            left, right = 100 * float((values < 0.1).mean()), 100 * float((values > 0.9).mean())
            self.facts.append(
                f"Gate {key} has mean {average:.2f}; {left:.0f} % of it is shut (below 0.1), {right:.0f} % open "
                "(above 0.9)."
            )
        else:
            self.facts.append(f"{key} has mean {average:.2f}.")
        about = f"{tooltip(v)}\nmean {average:.3f}, from {values.min():.3f} to {values.max():.3f}"
        node = self.nodes[key] = Node(key, x, y, 52.0, 46.0, "box", lines, fill, stroke, tooltip=about, role="gate")
        return node

    def point(self, key: str, x: float, y: float, colour: str = EDGE) -> Node:
        self.nodes[key] = Node(key, x, y, 5.6, 5.6, "point", stroke=colour, role="copy")
        return self.nodes[key]

    def line(self, a: Node, b: Node, *via: Point, colour: str = LINE, width: float = 1.5, arrow: bool = True) -> None:
        points = route(a, *via, b) if via else straight(a, b)
        key = f"{a.key}->{b.key}"
        if any(edge.key == key for edge in self.edges):
            key += "#2"
        self.edges.append(Edge(key, a.key, b.key, points, colour=colour, width=width, arrow=arrow))

    def remark(self, key: str, x: float, y: float, text: str) -> None:
        self.nodes[key] = text_at(key, x, y, Text(label(text), 11.0, GREY, italic=True))

    def symbols(self, letter: str) -> tuple[str, str, Vertex | None]:
        """Of a state: its name before, its name now, and the vertex before."""
        lane = self.layer.c if letter == "c" else self.layer.h
        before = state_before(self.layer, letter, self.step, self.scene.roles.steps)
        now = self.scene.roles.symbol(lane[self.step])
        return (self.scene.roles.symbol(before) if before is not None else f"{letter}_{self.step}"), now, before

    def feed(self, names: list[tuple[str, float]], h_before: Node, level: float, top: float) -> None:
        """x and h run along the bottom and go up into each gate."""
        x = self.scene.roles.x.get(self.step)
        x_node = self.state(
            "x", x, "input", 40, level - 78, self.scene.roles.symbol(x) if x is not None else f"x_{self.step + 1}"
        )
        joint = self.point("join", 40, level)
        self.line(h_before, joint, colour=EDGE, width=1.7, arrow=False)
        self.line(x_node, joint, colour=EDGE, width=1.7, arrow=False)
        last = joint
        for name, at in names:
            point = self.point(f"to_{name}", at, level)
            self.line(last, point, colour=EDGE, width=1.7, arrow=False)
            self.line(point, self.nodes[name], colour=EDGE, width=1.7)
            last = point

    def which(self) -> str:
        """In few words: which layer, where there are several."""
        many = any(layer.number > 1 for layer in self.scene.roles.layers)
        return f", layer {self.layer.number}" * many + ", backwards" * self.layer.backward

    def figure(self, kind: str, box: tuple[float, float, float, float], extra: str) -> Figure:
        layers = self.scene.roles.layers
        title = self.scene.title or ", ".join(filter(None, (kind, place_of(self.layer, len(layers) > 1),
                                                            f"step {self.step + 1}")))  # fmt: skip
        cell = Box("cell", *box, f"{kind}{self.which()}, step {self.step + 1}", "#f0fdf4", "#86efac", 2.0, "#15803d")
        about = f"{extra} {' '.join(self.facts)} {self.scene.facts()}".strip()
        return Figure(title, about, tuple(self.nodes.values()), tuple(self.edges), (cell,), " ".join(self.scene.notes))

    # The three cells

    def lstm(self, parts: LSTMParts) -> Figure:
        (c0, c1, c_before), (h0, h1, h_before) = self.symbols("c"), self.symbols("h")
        c, h = self.layer.c[self.step], self.layer.h[self.step]
        a = self.state("c_before", c_before, "cell", -60, 220, c0)
        b = self.state("c", c, "cell", 520, 220, c1)
        hp = self.state("h_before", h_before, "state", -60, 8, h0)
        hn = self.state("h", h, "state", 520, 8, h1)
        up = self.state("h_up", h, "state", 430, 312, h1)
        for name, v, x in (("f", parts.f, 95.0), ("i", parts.i, 165.0), ("g", parts.g, 235.0), ("o", parts.o, 305.0)):
            self.gate(name, v, x, 66)
        keep, add = self.op("keep", parts.keep, "×", 95, 220), self.op("add", c, "+", 235, 220)
        write, out = self.op("write", parts.write, "×", 235, 150), self.op("out", h, "×", 370, 112)
        squash = self.op("squash", parts.squashed, parts.squashed.op, 370, 168)
        fork, turn = self.point("fork", 370, 220, CELL), self.point("turn", 430, 8, STATE)
        self.feed([("f", 95), ("i", 165), ("g", 235), ("o", 305)], hp, 8, 66)
        for tail, head, arrow in ((a, keep, True), (keep, add, True), (add, fork, False), (fork, b, True)):
            self.line(tail, head, colour=CELL, width=3.2, arrow=arrow)
        n = self.nodes
        self.line(n["f"], keep)
        self.line(n["i"], write, (165, 150))
        self.line(n["g"], write)
        self.line(write, add)
        self.line(fork, squash)
        self.line(squash, out)
        self.line(n["o"], out, (305, 112))
        self.line(out, turn, (370, 8), colour=STATE, width=2.2, arrow=False)
        self.line(turn, hn, colour=STATE, width=2.2)
        self.line(turn, up, colour=STATE, width=2.2)
        for name, x, y in (("f", 103, 140), ("i", 158, 128), ("g", 243, 112), ("o", 297, 101)):
            self.remark(f"{name}/name", x, y, name)
        self.remark("slope", 166, 238, f"directly: ∂{c1.rstrip('→←')}/∂{c0.rstrip('→←')} = f")
        self._shares(c, h)
        return self.figure(
            "LSTM cell",
            (8, -32, 452, 271 if self.which() else 255),  # room for a long label above the slope
            "The cell state runs along the top: multiplied by the forget gate f, then increased by the input gate i "
            "times the candidate g; the output gate o lets tanh(c) out as h. The derivative of c by the c before it is "
            "f along this direct path; a second part goes by way of h and the gates.",
        )

    def _shares(self, c: Vertex, h: Vertex) -> None:
        if c.gradient is not None and h.gradient is not None:
            self.facts.append(
                f"The gradient norm is {number(norm(c.gradient))} at c and {number(norm(h.gradient))} at h."
            )

    def gru(self, parts: GRUParts) -> Figure:
        h0, h1, before = self.symbols("h")
        h = self.layer.h[self.step]
        kept_by_z = unflipped(next(v for v, _ in parts.keep.inputs if v is not before)) is next(
            v for v, _ in parts.keep.inputs if v is not before)  # fmt: skip
        lane = 220 if kept_by_z else 244  # of the state
        hp = self.state("h_before", before, "state", -60, lane, h0)
        hn = self.state("h", h, "state", 440, lane, h1)
        self.gate("r", parts.r, 100, 56)
        self.gate("z", parts.z, 180, 56)
        n = self.gate("n", parts.n, 275, 108)
        keep, add = self.op("keep", parts.keep, "×", 180, lane), self.op("add", h, "+", 350, lane)
        new = self.op("new", parts.new, "×", 350, 156)
        reset = self.op("reset", parts.r, "×", 100, 140)
        x = self.scene.roles.x.get(self.step)
        xn = self.state("x", x, "input", 40, -78, self.scene.roles.symbol(x) if x is not None else f"x_{self.step + 1}")
        fork, low, join = (
            self.point("fork", 0, lane, STATE),
            self.point("fork_reset", 0, 140),
            self.point("join", 40, 0),
        )
        r_in, z_in, n_in = self.point("to_r", 100, 0), self.point("to_z", 180, 0), self.point("to_n", 275, 0)
        self.line(hp, fork, colour=STATE, width=3.2, arrow=False)
        self.line(fork, keep, colour=STATE, width=3.2)
        self.line(keep, add, colour=STATE, width=3.2)
        self.line(add, hn, colour=STATE, width=3.2)
        self.line(fork, low, colour=EDGE, width=1.7, arrow=False)
        self.line(low, reset, colour=EDGE)
        self.line(low, join, (0, 0), colour=EDGE, width=1.7, arrow=False)
        self.line(xn, join, colour=EDGE, width=1.7, arrow=False)
        for tail, head in ((join, r_in), (r_in, z_in), (z_in, n_in)):
            self.line(tail, head, colour=EDGE, width=1.7, arrow=False)
        self.line(r_in, self.nodes["r"], colour=EDGE)
        self.line(z_in, self.nodes["z"], colour=EDGE)
        self.line(n_in, n, colour=EDGE)
        self.line(self.nodes["r"], reset)
        middle = (230.0, 140.0)
        self.edges.append(
            Edge(
                "reset->n",
                "reset",
                "n",
                (*route(reset, middle)[:-1], (230.0, 140.0), (230.0, 114.0), port(n, "left", 6)),
                colour=LINE,
                width=1.5,
            )
        )
        if kept_by_z:  # z keeps, 1 - z lets in
            share, flip = self.point("share", 180, 174), self.op("flip", parts.z, "1−", 240, 174)
            self.line(self.nodes["z"], share, arrow=False)
            self.line(share, keep)
            self.line(share, flip)
            points: tuple[Point, ...] = (port(flip, "right"), (320.0, 174.0), (320.0, 162.0), port(new, "left", 6))
            self.edges.append(Edge("flip->new", "flip", "new", points, colour=LINE, width=1.5))
        else:
            share, flip = self.point("share", 180, 156), self.op("flip", parts.z, "1−", 180, 198)
            self.line(self.nodes["z"], share, arrow=False)
            self.line(share, flip)
            self.line(flip, keep)
            points = (port(share, "right"), port(new, "left"))
            self.edges.append(Edge("share->new", "share", "new", points, colour=LINE, width=1.5))
        self.line(n, new, (350, 108))
        self.line(new, add)
        name = "z" if kept_by_z else "1−z"
        self.remark(
            "slope", 262, lane + 18, f"keeps {name} of the old state" if kept_by_z else "keeps 1−z of the old state"
        )
        return self.figure(
            "GRU cell",
            (-28, -32, 392, lane + 35),
            "The state runs along the top: the update gate z says how much of the "
            "old state stays and how much of the candidate n comes in; the reset gate r acts inside n.",
        )

    def simple(self, h: Vertex) -> Figure:
        h0, h1, before = self.symbols("h")
        hp = self.state("h_before", before, "state", -60, 40, h0)
        hn = self.state("h", h, "state", 260, 40, h1)
        fill, stroke = style("gate")
        lines = (Text(h.op, 14.0), Text("W", 9.5, GREY))
        gate = self.nodes["cell_op"] = Node(
            "cell_op", 120, 40, 56, 42, "box", lines, fill, stroke, tooltip=tooltip(h), role="gate"
        )
        x = self.scene.roles.x.get(self.step)
        xn = self.state("x", x, "input", 40, -60, self.scene.roles.symbol(x) if x is not None else f"x_{self.step + 1}")
        join = self.point("join", 40, 40)
        up, turn = self.state("h_up", h, "state", 200, 130, h1), self.point("turn", 200, 40, STATE)
        self.line(hp, join, colour=STATE, width=3.2, arrow=False)
        self.line(xn, join, colour=EDGE, width=1.7, arrow=False)
        self.line(join, gate, colour=EDGE, width=1.7)
        self.line(gate, turn, colour=STATE, width=3.2, arrow=False)
        self.line(turn, hn, colour=STATE, width=3.2)
        self.line(turn, up, colour=STATE, width=2.2)
        values = backend.to_numpy(h.value)
        if h.op == "tanh":
            share = 100 * float((abs(values) > 0.9).mean())
            self.facts.append(f"{share:.0f} % of the units are saturated (|h| above 0.9).")
            self.remark("saturated", 120, 8, f"{share:.0f} % saturated")
        return self.figure(
            "Simple recurrent cell",
            (8, -18, 226, 92),
            "The old state and the input together go through one learned layer, and come out as the new state.",
        )
