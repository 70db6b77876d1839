"""Axes, lines, markers and names, from which the charts are made: shapes of a Figure like those of any drawing."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from . import engines
from .drawing import Drawing
from .figure import Edge, Figure, Node, Point, Text, label, text_at, text_width
from .palette import GREY, INK
from .scales import Scale, number
from .svg import to_svg

__all__ = ["SERIES", "Chart", "Plot", "Series", "chart", "wrapped"]

GRID, AXIS = "#e5e7eb", "#9ca3af"
WIDER = 1.2  # than Helvetica: DejaVu, which stands in where Helvetica and Arial are missing
SMALL, TITLE = 12.0, 15.0  # font sizes in points; a picture as wide as a phone shows them at about two thirds


@dataclass(frozen=True, slots=True)
class Series:
    """How one line is told from another: colour, marker, and dashes; any one of the three is enough."""

    colour: str
    marker: Literal["circle", "square"]
    filled: bool
    dashed: bool


SERIES = (
    Series("#1d4ed8", "circle", True, False),
    Series("#b91c1c", "square", False, True),
    Series("#15803d", "circle", False, False),
    Series("#7e22ce", "square", True, True),
    Series("#b45309", "square", False, False),
    Series("#0e7490", "circle", False, True),
    Series("#374151", "square", True, False),
    Series("#be185d", "circle", True, True),
)


def wrapped(text: str, width: float, size: float = SMALL) -> list[str]:
    """The text in lines of at most `width` points, also in a font that is WIDER; a longer word stands alone."""
    lines, width = [""], width / WIDER
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


@dataclass
class Plot:
    """One pair of axes, x from `x.start` to `x.end` and y from `y.start` to `y.end`, and what is drawn there.

    `name` starts every key, so that several plots share a figure.
    """

    name: str
    x: Scale
    y: Scale
    bottom: float
    top: float
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    missing: int = 0

    def __post_init__(self) -> None:
        self.anchor = f"{self.name}/axes"
        self.nodes.append(Node(self.anchor, self.x.start, self.bottom, 0.5, 0.5, "point", stroke=AXIS))

    def stroke(self, key: str, points: Sequence[Point], colour: str, width: float, dashed: bool = False,
               tooltip: str = "") -> None:  # fmt: skip
        """A line without arrow through points of the page."""
        line = tuple(points)
        self.edges.append(Edge(f"{self.name}/{key}", self.anchor, self.anchor, line, colour=colour, width=width,
                               arrow=False, dashed=dashed, tooltip=tooltip))  # fmt: skip

    def write(self, key: str, x: float, y: float, text: str, align: str = "middle", colour: str = GREY,
              size: float = SMALL, bold: bool = False) -> None:  # fmt: skip
        """A line of text whose middle height is y; x is its "start", "middle" or "end"."""
        line = Text(label(text), size, colour, bold)
        x -= line.width / 2 if align == "end" else 0
        self.nodes.append(text_at(f"{self.name}/{key}", x, y, line, align="start" if align == "start" else "middle"))

    def axes(self, x_label: str, y_label: str, x_ticks: Sequence[tuple[str, float]] | None = None,
             heading: str = "") -> None:  # fmt: skip
        """Grid lines with their numbers, what x is below them, and what y is above its numbers, where it reads best,
        after a `heading`. Without `x_label` there are no numbers for x either: the plot below has them."""
        left, right = self.x.start, self.x.end
        for i, (text, place) in enumerate(self.y.ticks()):
            odd = place in (self.y.zero, self.y.infinity)
            self.stroke(f"y{i}", [(left, place), (right, place)], GRID, 0.7, dashed=odd)
            self.write(f"y{i}:label", left - 7, place, text, "end")
        self.stroke("x", [(left, self.bottom), (right, self.bottom)], AXIS, 1.0)
        for i, (text, place) in enumerate(self.x.ticks() if x_ticks is None else x_ticks):
            self.stroke(f"x{i}", [(place, self.bottom), (place, self.bottom - 4)], AXIS, 1.0)
            if x_label:
                self.write(f"x{i}:label", place, self.bottom - 13, text)
        if x_label:
            self.write("x:name", (left + right) / 2, self.bottom - 31, x_label)
        if heading:
            self.write("heading", left - 36, self.top + 17, heading, "start", INK, bold=True)
        indent = text_width(f"{heading}   ", SMALL, True) if heading else 0
        self.write("y:name", left - 36 + indent, self.top + 17, y_label, "start")

    def line(self, name: str, xs: Sequence[float], ys: Sequence[float], series: Series, width: float = 1.8,
             markers: int = 7, phase: float = 0.0, colour: str = "") -> None:  # fmt: skip
        """A line through the numbers, with about `markers` markers, of which the first is `phase` of their
        distance from the start, so that lines do not hide each other's; numbers without a place interrupt it."""
        places = [(self.x.at(float(x)), self.y.at(float(y))) for x, y in zip(xs, ys, strict=True)]
        self.missing += sum(y is None for _, y in places)
        runs: list[list[Point]] = [[]]
        for (x, y), value in zip(places, ys, strict=True):
            if x is not None and y is not None and math.isfinite(value) and (value > 0 or not self.y.log):
                runs[-1].append((x, y))
            elif runs[-1]:
                runs.append([])
        for i, run in enumerate(run for run in runs if len(run) > 1):
            self.stroke(f"{name}/line{i or ''}", run, colour or series.colour, width, series.dashed, tooltip=name)
        every = max(1, round((len(xs) - 1) / max(1, markers - 1)))
        if not markers:
            return
        chosen = {*range(int(phase * every), len(xs), every), len(xs) - 1}
        for i, ((x, y), value) in enumerate(zip(places, ys, strict=True)):
            odd = self.y.log and (value == 0 or math.isinf(value))
            if x is None or y is None or not (odd or i in chosen):
                continue
            said = f"{name}: {number(float(value))} at {number(float(xs[i]))}"
            self.mark(f"{name}/{i}", x, y, series, said, hollow=odd)

    def mark(self, key: str, x: float, y: float, series: Series, tooltip: str, hollow: bool = False) -> None:
        """The marker of a series."""
        size = 6.0 if series.marker == "circle" else 5.4
        fill = series.colour if series.filled and not hollow else "#ffffff"
        self.nodes.append(Node(f"{self.name}/{key}", x, y, size, size, series.marker, fill=fill, stroke=series.colour,
                               pen=1.3, tooltip=tooltip))  # fmt: skip

    def names(self, ends: Sequence[tuple[str, Point, str]]) -> None:
        """The name of each line to the right of its end: names keep a distance; a thin line leads to those moved."""
        gap, x = SMALL * 1.35, self.x.end + 18
        order = sorted(range(len(ends)), key=lambda i: ends[i][1][1])
        heights: list[float] = []
        for i in order:
            heights.append(max(ends[i][1][1], heights[-1] + gap if heights else -math.inf))
        excess = max(0.0, heights[-1] - self.top) if heights else 0.0
        for j in range(len(heights) - 1, -1, -1):
            above = heights[j + 1] - gap if j + 1 < len(heights) else heights[j] - excess
            heights[j] = min(heights[j], above)
        for i, height in zip(order, heights, strict=True):
            name, (px, py), colour = ends[i]
            if abs(height - py) > 3 or self.x.end - px > 3:
                self.stroke(f"{name}:lead", [(px + 5, py), (x - 3, height)], colour, 0.6)
            self.write(f"{name}:name", x, height, name, "start", colour, bold=True)
            self.nodes.append(Node(f"{self.name}/{name}:room", x + WIDER * text_width(label(name), SMALL, True), height,
                                   0.1, 0.1, "point", stroke="#ffffff"))  # fmt: skip


def chart(title: str, said: str, plots: Sequence[Plot], about: str | None = None) -> Chart:
    """The plots with a title and, above them, what the numbers say, in lines: `said`, or `about` instead.

    It becomes the description too; an empty `about` shows nothing, and `said` is then the description alone.
    """
    shown = said if about is None else about.strip()
    nodes = [node for plot in plots for node in plot.nodes]
    left = min(node.x - node.width / 2 for node in nodes)
    right = max(node.x + node.width / 2 for node in nodes)
    top = max(node.y + node.height / 2 for node in nodes) + 12
    wide = max(300.0, right - left)
    lines = [line for part in shown.split("\n") for line in wrapped(label(part), wide)] if shown else []
    heads = []
    for i, line in enumerate(reversed(lines)):
        words = Text(line, SMALL, GREY)
        heads.append(text_at(f"about/{len(lines) - 1 - i}", left, top + 8 + 16 * i, words, align="start"))
    titles = wrapped(label(title), wide, TITLE * 1.07)
    for i, line in enumerate(reversed(titles)):
        words, height = Text(line, TITLE, INK, bold=True), top + 14 + 16 * len(lines) + 19 * i
        heads.append(text_at(f"title/{len(titles) - 1 - i}", left, height, words, align="start"))
    missing = sum(plot.missing for plot in plots)
    note = f"{missing} value{'s are' if missing > 1 else ' is'} not a number (NaN) and missing here" if missing else ""
    edges = [edge for plot in plots for edge in plot.edges]
    return Chart(Figure(title, _sentences(shown or said), tuple(heads + nodes), tuple(edges), note=note))


class Chart(Drawing):
    """A drawing that our own writer draws, unless the environment asks for an engine: a chart has nothing to lay out,
    and its texts begin where they should whatever fonts Graphviz finds."""

    @cached_property
    def _drawn(self) -> tuple[str, str, str]:
        return super()._drawn if os.environ.get(engines.VARIABLE, "").strip() else (to_svg(self.figure), "builtin", "")


def _sentences(lines: str) -> str:
    """The lines as one text to be read out."""
    return " ".join(line if line.endswith((".", ":")) else f"{line}." for line in lines.split("\n"))
