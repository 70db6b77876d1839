"""The unrolled network with the first wrong edge in red: how far a learner's backward pass is right, and where not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from ...pictures.figure import Box, Edge, Figure, Node, Point, Text, label, port, route, straight, style, text_at
from ...pictures.palette import BACKWARD, FORWARD, INK
from ...pictures.svg import to_svg
from ..words import say

__all__ = ["Where", "first_wrong_edge", "located", "unrolled"]

MOST = 7  # columns
X, H, C, BUS = 0.0, 92.0, 158.0, -58.0  # the heights of the rows
HIGH = 36.0  # of a box
WEIGHTS = {"W": ("W_xh", "W_hh", "b_h"), "V": ("W_hy", "b_y")}
RED, GREEN, GREY = BACKWARD, FORWARD, "#9ca3af"

Line = Literal["input", "output", "state", "cell", "inside", "weight", "node"]


@dataclass(frozen=True)
class Where:
    """The line of one step on which an output lives: `tail` and `head` name its ends in the figure.

    `goes` says which way the quantity travels, "back" for a gradient, "forth" for a value of the forward pass.
    """

    line: Line
    tail: str
    head: str
    goes: Literal["back", "forth"]


def first_wrong_edge(kind: str, output: str, step: int, steps: int) -> str:
    """The unrolled network as one <svg>, with the line on which `output` is first wrong, at `step` (from 0), in red.

    `kind` is "elman" or "lstm"; of more than 7 `steps` the first, the last and those around the wrong one are drawn.
    Raises ValueError for another kind, or a step that is not among the steps.
    """
    return to_svg(unrolled(kind, output, step, steps))


def located(kind: str, output: str, step: int, steps: int) -> Where:
    """The line on which an output of an exercise lives, read from its name.

    A gradient of x or y is on the line to x or y. The whole gradient of a state, dh_t, has come by the line from the
    step after, and at the last step by the one from y; dh_prev leaves by the line to the step before. A weight's
    gradient is on its copy of this step. What has another name is inside the cell.

    >>> located("elman", "dX", 2, 5)
    Where(line='input', tail='t3/x', head='t3/h', goes='back')
    >>> located("elman", "dH", 2, 5).head, located("elman", "dH", 4, 5).head, located("elman", "dh_prev", 2, 5).tail
    ('t4/h', 't5/y', 't2/h')
    """
    t, lstm = step + 1, kind == "lstm"
    back = re.match(r"(d|grad_?)[A-Za-z]", output) is not None
    goes: Literal["back", "forth"] = "back" if back else "forth"
    name = re.sub(r"^(d|grad_?)(?=[A-Za-z])", "", output).partition("/")[0]
    letter, previous = name[0].lower(), "prev" in name
    if re.match(r"[WUV]|b(_|$)", name):
        owner = "V" if name.startswith("V") or name.endswith("y") else "W"
        return Where("weight", f"t{t}/{owner}", f"t{t}/{'y' if owner == 'V' else 'h'}", goes)
    if re.fullmatch(r"(x|X)s?", name):
        return Where("input", f"t{t}/x", f"t{t}/h", goes)
    if re.fullmatch(r"([yYoO]s?|logits|probs|z_?y)", name):
        return Where("output", f"t{t}/h", f"t{t}/y", goes)
    if re.fullmatch(r"[hH]s?(_?prev|_?next)?", name) or (lstm and re.fullmatch(r"[cC]s?(_?prev|_?next)?", name)):
        line: Line = "cell" if letter == "c" else "state"
        if back and not previous and t == steps:  # nothing comes from after the last step
            return Where("inside", f"t{t}/c", f"t{t}/h", goes) if letter == "c" else Where(
                "output", f"t{t}/h", f"t{t}/y", goes)  # fmt: skip
        first = t if back and not previous else t - 1
        return Where(line, f"t{first}/{letter}", f"t{first + 1}/{letter}", goes)
    return Where("node", f"t{t}/h", f"t{t}/h", goes)


def unrolled(kind: str, output: str, step: int, steps: int) -> Figure:
    """The same as a Figure. Green is what is known to be right: the lines of this quantity that it passed before the
    wrong one, and those that lead there."""
    if kind not in ("elman", "lstm"):
        raise ValueError(f'the unrolled graph is "elman" or "lstm", not {kind!r}')
    if not 0 <= step < steps:
        raise ValueError(f"step {step} is not among {steps} steps, counted from 0")
    where = located(kind, output, step, steps)
    drawing = _Drawing(kind == "lstm", _columns(step, steps), where, step + 1)
    drawing.draw()
    drawing.mark()
    said = say("steps.step", number=step + 1, index=step)
    neighbour = say("render.after" if where.head != f"t{step + 1}/{where.head[-1]}" else "render.before")
    line = say(f"render.edge_{where.line}", neighbour=neighbour, weight=where.tail.rpartition("/")[2])
    green = sum(edge.colour == GREEN for edge in drawing.edges)
    about = say("render.figure_about", steps=steps, kind=say(f"render.kind_{kind}"), step=said, where=line,
                way=say(f"render.figure_about_{where.goes}"), output=output,
                right=say("render.figure_about_right", count=green) if green else "")  # fmt: skip
    title = say(f"render.figure_{where.goes}", output=output, step=said)
    suspect = any(edge.role == "suspect" for edge in drawing.edges)
    about += " " + say("render.figure_about_suspect") if suspect else ""
    legend_text = say(f"render.figure_legend_{where.goes}") + (say("render.figure_legend_suspect") if suspect else "")
    words = Text(legend_text, 12.5, INK)
    left = min(node.x - node.width / 2 for node in drawing.nodes.values())
    legend = text_at("legend", left, BUS - 48, words, align="start", role="legend")
    nodes = (*drawing.nodes.values(), legend)
    return Figure(title, about, nodes, tuple(drawing.edges), tuple(drawing.boxes))


def _columns(step: int, steps: int) -> list[int]:
    """The steps that are drawn, from 0: all, or the first, the last and those around the wrong one, at most 7."""
    if steps <= MOST:
        return list(range(steps))
    near = sorted(range(steps), key=lambda t: (abs(t - step), t))
    kept = {0, steps - 1, step}
    for t in near:
        if len(kept) == MOST - 1:  # the ellipses take the room of one
            break
        kept.add(t)
    return sorted(kept)


class _Drawing:
    """The parts of the figure as they are put down. `number` is that of the first wrong step, counted from 1."""

    def __init__(self, lstm: bool, columns: list[int], where: Where, number: int) -> None:
        self.lstm, self.columns, self.where, self.number = lstm, columns, where, number
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.boxes: list[Box] = []
        self.y = 264.0 if lstm else 194.0
        self.dx, self.out = (140.0, 84.0) if lstm else (112.0, 50.0)  # of columns; of a weight's line from the middle
        self.at: dict[int, float] = {}
        x = self.dx
        for before, t in pairwise([columns[0] - 1, *columns]):
            x += self.dx * 0.6 if t - before > 1 else 0.0
            self.at[t] = x
            x += self.dx

    def draw(self) -> None:
        self._box("t0/h", "h_0", 0.0, H, "state", dashed=True)
        if self.lstm:
            self._box("t0/c", "c_0", -32.0, C, "cell", dashed=True)
        for t, x in self.at.items():
            for row, height, role in (("x", X, "input"), ("h", H, "state"), ("y", self.y, "output")):
                self._box(f"t{t + 1}/{row}", f"{row}_{t + 1}", x, height, role)
            if self.lstm:
                c, h = self._box(f"t{t + 1}/c", f"c_{t + 1}", x - 32, C, "cell"), self.nodes[f"t{t + 1}/h"]
                self.boxes.append(Box(f"t{t + 1}/cell", x - 68, H - 30, x + 40, C + 30, "", "#f0fdf4", "#86efac"))
                self._line(c.key, h.key, "inside", (port(c, "bottom", 13), port(h, "top", -19)))
            self._line(f"t{t + 1}/x", f"t{t + 1}/h", "input")
            self._line(f"t{t + 1}/h", f"t{t + 1}/y", "output")
        for letter in "hc" if self.lstm else "h":
            self._chain(letter)
        self._bus("W", BUS, BUS)
        self._bus("V", self.y - 36.0, self.y)

    def mark(self) -> None:
        """The words beside what is wrong."""
        words = [Text(part, 12.0, RED, bold=True) for part in say("render.figure_mark").split("|")]
        beside = 8 + max(word.width for word in words) / 2
        tail, head = self.nodes[self.where.tail], self.nodes[self.where.head]
        x, y = (tail.x + head.x) / 2, (tail.y + head.y) / 2
        if self.where.line in ("state", "cell"):
            y += 30
        elif self.where.line == "weight":
            x, y = (tail.x - beside, (X + H) / 2) if tail.key.endswith("W") else (tail.x, tail.y - 28)
        elif self.where.line == "node":
            x, y = x + beside, y - (50 if self.lstm else 42)
        elif self.where.line == "output":
            x, y = x + beside, (C + H + HIGH / 2) / 2 if self.lstm else self.y - 60
        elif self.where.line == "input":
            x += beside
        else:  # from h to c, at its left
            x, y = head.x - 19 - beside - 1, C - HIGH / 2 - 23
        self.nodes["mark"] = text_at("mark", x, y, *words, role="mark")

    def _box(self, key: str, symbol: str, x: float, y: float, role: str, dashed: bool = False) -> Node:
        fill, stroke = style(role)
        wrong = self.where.line == "node" and key == self.where.head
        wide = 46.0 if role == "cell" else 53.0
        self.nodes[key] = Node(key, x, y, wide, HIGH, "box", (Text(label(symbol), 15.0),), fill,
                               RED if wrong else stroke, 4.0 if wrong else 1.4, dashed, role=role)  # fmt: skip
        return self.nodes[key]

    def _chain(self, letter: str) -> None:
        """From state to state, with dots where steps are left out."""
        line: Line = "state" if letter == "h" else "cell"
        before = self.nodes[f"t0/{letter}"]
        for last, t in pairwise([-1, *self.columns]):
            here = self.nodes[f"t{t + 1}/{letter}"]
            if t - last > 1:
                dots = Node(f"{letter}/...{t}", here.x - self.dx * 0.8, here.y, 24.0, 18.0, "text",
                            (Text("...", 15.0),), role="remark")  # fmt: skip
                self.nodes[dots.key] = dots
                self._line(before.key, dots.key, line)
                before = dots
            self._line(before.key, here.key, line)
            before = here

    def _bus(self, name: str, y: float, row: float) -> None:
        """The weights, drawn once, with a copy for each step: W makes h, V makes y."""
        fill, stroke = style("parameter")
        box = Node(name, 0.0, row, 53.0, HIGH, "box", (Text(name, 15.0, bold=True),), fill, stroke, role="parameter")
        self.nodes[name] = before = box
        names = Text(", ".join(map(label, WEIGHTS[name])), 9.0, "#92400e")
        self.nodes[f"{name}/names"] = text_at(f"{name}/names", 0.0, row + (28 if row > BUS else -28), names)
        for t, x in self.at.items():
            copy = Node(f"t{t + 1}/{name}", x - (self.out if name == "W" else 50), y, 7.2, 7.2, "point", stroke=stroke,
                        role="copy")  # fmt: skip
            self.nodes[copy.key] = copy
            down = before is box and y != row
            points = route(port(box, "bottom"), (0.0, y), copy) if down else route(before, copy)
            self.edges.append(Edge(f"{before.key}->{copy.key}", before.key, copy.key, points, colour=stroke, width=1.2,
                                   arrow=False, role="bus"))  # fmt: skip
            head = self.nodes[f"t{t + 1}/{'h' if name == 'W' else 'y'}"]
            low = -0.3 * HIGH
            self._line(copy.key, head.key, "weight", route(copy, (copy.x, head.y + low), port(head, "left", low)))
            before = copy

    def _line(self, tail: str, head: str, line: Line, points: tuple[Point, ...] = ()) -> None:
        """An edge in the colour of what is known of it, its arrow the way in which the quantity travels."""
        points = points or straight(self.nodes[tail], self.nodes[head])
        colour, width, role = GREY, 1.2, "not judged"
        if (tail, head) == (self.where.tail, self.where.head):
            colour, width, role = RED, 5.0, "wrong"
        elif self._right(tail, head, line):
            colour, width, role = GREEN, 2.4, "right"
        elif self._suspect(tail, head, line):
            colour, width, role = RED, 2.4, "suspect"
        points = points[::-1] if self.where.goes == "back" else points
        self.edges.append(Edge(f"{tail}->{head}", tail, head, points, colour=colour, width=width,
                               dashed=role in ("not judged", "suspect"), arrowsize=0.75 if role == "wrong" else 0.6,
                               role=role))  # fmt: skip

    def _right(self, tail: str, head: str, line: Line) -> bool:
        """Known to be right: this quantity's own lines at the steps that it passes before the wrong one, and the lines
        without which it could not be right there."""
        mine, at = self.where, _number(tail) or _number(head) - 1
        ways = {"state": "input cell inside W", "cell": "input W", "output": "input state cell inside W V"}
        if mine.goes == "back":
            ways = dict.fromkeys(("state", "cell", "input", "inside", "node"), "output state cell inside")
            ways["weight"] = ways["node"] if mine.tail.endswith("W") else ""
        if _named(line, tail) == _named(mine.line, mine.tail):
            return at > _number(mine.tail) if mine.goes == "back" else at < _number(mine.tail)
        if _named(line, tail) not in ways.get(mine.line, "").split():
            return False
        if mine.goes == "forth":
            return at + (line in ("state", "cell")) < self.number
        after = mine.line == "state" and line in ("cell", "inside")  # dh_t says what dc of the step after was
        return at > self.number + after

    def _suspect(self, tail: str, head: str, line: Line) -> bool:
        """What comes into a cell whose gradient is wrong may be wrong already: from the step after, or, at the last
        step, from y."""
        mine = self.where
        if mine.goes == "forth" or mine.line not in ("input", "weight", "node") or mine.tail.endswith("V"):
            return False
        ways = ("output",) if self.number == self.columns[-1] + 1 else ("state", "cell")
        return line in ways and (_number(tail) or _number(head) - 1) == self.number


def _number(key: str) -> int:
    """3 of "t3/h"; 0 of dots."""
    match = re.match(r"t(\d+)/", key)
    return int(match[1]) if match else 0


def _named(line: Line, tail: str) -> str:
    """The kind of a line, and of a weight's which one: "W" or "V"."""
    return tail[-1] if line == "weight" else line
