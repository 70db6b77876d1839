"""Two figures of the lectures on feed-forward networks: a window that strides over an image, and activations with their
derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .. import ops
from ..autograd import grad
from ..core import tensor
from ..ops.convolution import output_size
from .drawing import Drawing
from .figure import Edge, Figure, Node, Text, label, text_at
from .palette import GREY, INK
from .plot import SERIES, SMALL, TITLE, Chart, Plot, chart
from .scales import number, scale

__all__ = ["activation_chart", "stride_drawing"]

CELL = 24.0
EMPTY, PAD, PAINTED = "#f9fafb", "#e5e7eb", ("#bfdbfe", "#fecaca", "#bbf7d0", "#e9d5ff", "#fed7aa", "#a5f3fc")


def stride_drawing(size: int = 7, window: int = 3, stride: int = 2, padding: int = 0) -> Drawing:
    """How a window strides over a square image: the image on the left, dark where it is padded, the result on the
    right, and the windows of the first row in the colours of what they become (7 x 7 to 3 x 3 with a window of 3 and a
    stride of 2). Raises ValueError where no window fits."""
    count, whole = output_size(size, window, stride, padding)[0], size + 2 * padding
    nodes = []
    for row in range(whole):
        for column in range(whole):
            inside = padding <= row < size + padding and padding <= column < size + padding
            fill, text = (EMPTY, "") if inside else (PAD, "0")
            nodes.append(_cell(f"x{row + 1},{column + 1}", column, -row, fill, text))
    left, drop = whole + 2.5, (whole - count) / 2
    for row in range(count):
        for column in range(count):
            fill = PAINTED[column % len(PAINTED)] if row == 0 else EMPTY
            text = str(column + 1) if row == 0 else ""
            nodes.append(_cell(f"y{row + 1},{column + 1}", left + column, -row - drop, fill, text))
    edges = []
    for n in range(count):
        series, middle = SERIES[n % len(SERIES)], n * stride + (window - 1) / 2
        inset = 1.5 + 2.5 * (n % 2)  # so that neighbours that overlap are both seen
        x, y, side = middle * CELL, -(window - 1) / 2 * CELL, window * CELL - 2 * inset
        nodes.append(Node(f"window{n + 1}", x, y, side, side, "rect", fill="none", stroke=series.colour, pen=2.4,
                          dashed=series.dashed, tooltip=f"window {n + 1}: columns {n * stride + 1} to "
                          f"{n * stride + window}"))  # fmt: skip
        tag = text_at(f"window{n + 1}:name", x, CELL * 0.95, Text(str(n + 1), SMALL, series.colour, bold=True))
        nodes.append(tag)
    tail = Node("arrow:from", (whole - 0.2) * CELL, -(whole - 1) / 2 * CELL, 1, 1, "point", stroke="#ffffff")
    head = Node("arrow:to", (left - 0.8) * CELL, -(whole - 1) / 2 * CELL, 1, 1, "point", stroke="#ffffff")
    edges.append(Edge("arrow", tail.key, head.key, ((tail.x, tail.y), (head.x, head.y))))
    said = (f"({size} + 2 · {padding} − {window}) // {stride} + 1 = {count} windows of {window} x {window}, "
            f"{stride} apart, across and down")  # fmt: skip
    name = f"{size} x {size} becomes {count} x {count}"
    heads = [text_at("title", -CELL / 2, 3.1 * CELL, Text(name, TITLE, INK, bold=True), align="start"),
             text_at("about", -CELL / 2, 2.2 * CELL, Text(said, SMALL, GREY), align="start")]  # fmt: skip
    return Chart(Figure(name, f"{said}.", (*heads, *nodes, tail, head), tuple(edges)))


def _cell(key: str, column: float, row: float, fill: str, text: str) -> Node:
    lines = (Text(text, SMALL, GREY if text == "0" else INK),) if text else ()
    return Node(key, column * CELL, row * CELL, CELL, CELL, "rect", lines, fill=fill, stroke="#9ca3af", pen=0.8)


LECTURE: dict[str, Callable[[Any], Any]] = {
    "sigmoid": ops.sigmoid, "tanh": ops.tanh, "ReLU": ops.relu,
    "leaky ReLU (0.1)": lambda x: ops.leaky_relu(x, 0.1),
}  # fmt: skip


def activation_chart(functions: Mapping[str, Callable[[Any], Any]] | None = None, low: float = -4.0, high: float = 4.0,
                     points: int = 161) -> Chart:  # fmt: skip
    """Activation functions and, below, their derivatives, which the engine computes; by default those of the lectures.
    `functions` maps names to elementwise functions."""
    functions = LECTURE if functions is None else functions
    xs = np.linspace(low, high, points)
    values, slopes = {}, {}
    for name, f in functions.items():
        x = tensor(xs, requires_grad=True)
        y = f(x)
        values[name], slopes[name] = y.numpy(), grad(y.sum(), x)[0].numpy()
    steepest = [f"{name} {number(float(slope.max()))}" for name, slope in slopes.items()]
    plots = []
    for i, (heading, curves) in enumerate((("activation", values), ("derivative", slopes))):
        bottom, tall = -i * 215.0, 160.0
        y_axis = scale([float(v) for ys in curves.values() for v in (*ys, 0.0)], bottom, bottom + tall)
        plot, ends = Plot(heading, scale([low, high], 0, 300, tight=True), y_axis, bottom, bottom + tall), []
        plot.axes("x" if i else "", "y" if i == 0 else "dy/dx", heading=label(heading))
        for j, (name, ys) in enumerate(curves.items()):
            series = SERIES[j % len(SERIES)]
            plot.line(name, xs.tolist(), ys.tolist(), series, phase=j / len(curves))
            end = y_axis.at(float(ys[-1]))
            assert end is not None
            ends.append((name, (plot.x.end, end), series.colour))
        plot.names(ends)
        plots.append(plot)
    return chart("Activations and their derivatives", f"Steepest slopes: {', '.join(steepest)}.", plots)
