"""A sheet on which one step of a cell is drawn: states, gates, operations, lines; the pieces of the gates view."""

from __future__ import annotations

from ... import backend
from ..figure import Box, Edge, Figure, Node, Point, Text, label, route, straight, style, text_at
from ..graph import Vertex
from ..palette import EDGE, FORWARD, GREY
from ..states import Layer
from .inside import Inside, Unit
from .parts import place_of
from .scene import Scene, norm, number, tooltip

__all__ = ["CELL", "LINE", "STATE", "Canvas"]

STATE, CELL = style("state").stroke, style("cell").stroke
LINE = "#4b5563"


class Canvas:
    """Collects what is drawn. Whoever draws chooses the places; the numbers come from the run."""

    def __init__(self, scene: Scene, step: int, layer: Layer, inside: Inside) -> None:
        self.scene, self.step, self.layer, self.inside = scene, step, layer, inside
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

    def op(self, key: str, unit: Unit, x: float, y: float) -> Node:
        """An operation: a circle for a sign, an ellipse for a word."""
        fill, stroke = style("op")
        sign = len(unit.text) == 1
        text = Text(unit.text, 17.0 if sign else 12.0)
        width, height = (30.2, 30.2) if sign else (max(45.0, text.width + 18), 24.5)
        self.nodes[key] = Node(key, x, y, width, height, "circle" if sign else "ellipse", (text,), fill, stroke,
                               tooltip=tooltip(unit.vertex), role="op")  # fmt: skip
        return self.nodes[key]

    def gate(self, key: str, unit: Unit, x: float, y: float, weights: str = "") -> Node:
        """A learned layer: its nonlinearity, the weights' name and what it says in this run."""
        fill, stroke = style("gate")
        v = unit.vertex
        values = backend.to_numpy(v.value)
        average = float(values.mean())
        said = f"{average:.2f}" if values.size == 1 else f"mean {average:.2f}"
        lines = [Text(unit.text, 14.0)] if unit.text else []
        names = weights or unit.weights or "W"
        lines += [Text(names if " " in names else label(names), 9.5, GREY), Text(said, 8.5, FORWARD)]
        if unit.text == "σ" and values.size > 1:
            left, right = 100 * float((values < 0.1).mean()), 100 * float((values > 0.9).mean())
            self.facts.append(
                f"Gate {key} has mean {average:.2f}; {left:.0f} % of it is shut (below 0.1), {right:.0f} % open "
                "(above 0.9)."
            )
        else:
            self.facts.append(f"{key} has mean {average:.2f}.")
        about = f"{tooltip(v)}\nmean {average:.3f}, from {values.min():.3f} to {values.max():.3f}"
        width = max(52.0, max(line.width for line in lines) + 12)
        node = self.nodes[key] = Node(key, x, y, width, 46.0, "box", tuple(lines), fill, stroke, tooltip=about,
                                      role="gate")  # fmt: skip
        return node

    def point(self, key: str, x: float, y: float, colour: str = EDGE) -> Node:
        self.nodes[key] = Node(key, x, y, 5.6, 5.6, "point", stroke=colour, role="copy")
        return self.nodes[key]

    def line(self, a: Node, b: Node, *via: Point, colour: str = LINE, width: float = 1.5, arrow: bool = True) -> None:
        points = route(a, *via, b) if via else straight(a, b)
        self._edge(a, b, points, colour, width, arrow)

    def lead(self, a: Node, b: Node, points: list[Point], colour: str = LINE, width: float = 1.5,
             arrow: bool = True) -> None:  # fmt: skip
        """A line from the middle of a, or from the first point if that is none, through points up to the last."""
        whole = ((a.x, a.y), *points) if a.shape == "point" else tuple(points)
        self._edge(a, b, whole, colour, width, arrow)

    def _edge(self, a: Node, b: Node, points: tuple[Point, ...], colour: str, width: float, arrow: bool) -> None:
        key = f"{a.key}->{b.key}"
        while any(edge.key == key for edge in self.edges):
            key += "'"
        self.edges.append(Edge(key, a.key, b.key, points, colour=colour, width=width, arrow=arrow))

    def remark(self, key: str, x: float, y: float, text: str) -> None:
        self.nodes[key] = text_at(key, x, y, Text(label(text), 11.0, GREY, italic=True))

    def symbols(self, letter: str) -> tuple[str, str, Vertex | None]:
        """Of a state: its name before, its name now, and the vertex before."""
        lane = self.layer.c if letter == "c" else self.layer.h
        before = self.inside.before[letter]
        now = self.scene.roles.symbol(lane[self.step])
        return (self.scene.roles.symbol(before) if before is not None else f"{letter}_{self.step}"), now, before

    def feed(self, names: list[tuple[str, float]], h_before: Node, level: float, top: float) -> None:
        """x and h run along the bottom and go up into each gate."""
        x_node = self.input(40, level - 78)
        joint = self.point("join", 40, level)
        self.line(h_before, joint, colour=EDGE, width=1.7, arrow=False)
        self.line(x_node, joint, colour=EDGE, width=1.7, arrow=False)
        last = joint
        for name, at in names:
            point = self.point(f"to_{name}", at, level)
            self.line(last, point, colour=EDGE, width=1.7, arrow=False)
            self.line(point, self.nodes[name], colour=EDGE, width=1.7)
            last = point

    def input(self, x: float, y: float) -> Node:
        """The box of what comes in: x, or the state of the layer below."""
        inputs = [v for v in self.inside.sources if v not in self.inside.before.values()]
        symbol = self.source_symbol(inputs[0]) if inputs else f"x_{self.step + 1}"
        return self.state("x", inputs[0] if inputs else None, "input", x, y, symbol)

    def source_symbol(self, v: Vertex) -> str:
        """A source's name: that of x, of the states that another layer hands in, or x with a prime for what was made of
        x alone and not recorded."""
        roles, x = self.scene.roles, self.scene.roles.x.get(self.step)
        if v in self.inside.handed:
            return " ".join(map(roles.symbol, self.inside.handed[v]))
        plain = f"x_{self.step + 1}"
        return roles.symbol(v) or (plain if v is x or x is None else v.name or f"{plain}′")

    def gradients(self) -> None:
        """Say what gradient arrives at the states."""
        states = {letter: self.inside.after[letter] for letter in "ch"}
        norms = [f"{number(norm(v.gradient))} at {letter}" for letter, v in states.items()
                 if v is not None and v.gradient is not None]  # fmt: skip
        if norms:
            self.facts.append(f"The gradient norm is {' and '.join(norms)}.")

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
