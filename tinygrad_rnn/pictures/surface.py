"""A function of two numbers as a map: darker for more, with roads across it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .figure import Node, Text
from .palette import INK, ink_on
from .plot import SERIES, Chart, Plot, chart
from .scales import Scale, number

__all__ = ["surface_chart"]

WIDE, HIGH = 320.0, 240.0  # of the map, in points
LIGHT, DARK = (255, 243, 224), (124, 45, 18)
LEVELS = 24  # of colour: what cannot be told apart is one
MARKS = 40  # along a road, about
MOST = 64  # cells along a side; finer ones only make the file larger


def surface_chart(values: Any, xs: Any, ys: Any, title: str, x_label: str, y_label: str, value_label: str = "",
                  paths: Mapping[str, Sequence[tuple[float, float]]] | None = None,
                  about: str | None = None) -> Chart:  # fmt: skip
    """`values (len(ys), len(xs))` at rising, evenly spaced `xs` and `ys`, by colour from the least to the most.

    `paths`: named sequences of (x, y), such as the steps of an optimizer, drawn across the map with a marker at each,
    or at each n-th of many; one that leaves the map, or goes to infinity, is drawn as far as it can be, and said so.
    Raises ValueError where sizes do not fit or there are more than 64 values along a side.

    >>> surface_chart([[0, 1], [1, 4]], [0, 1], [0, 1], "A corner", "x", "y").svg.startswith("<svg")
    True
    """
    z, x, y = (np.asarray(a, float) for a in (values, xs, ys))
    if z.shape != (len(y), len(x)) or min(z.shape, default=0) < 2 or max(z.shape) > MOST:
        raise ValueError(f"surface_chart: values {z.shape} for {len(y)} ys and {len(x)} xs: give 2 to {MOST} of each, "
                         "and a value for each pair")  # fmt: skip
    least, most = float(np.nanmin(z)), float(np.nanmax(z))
    half = [(a[1] - a[0]) / 2 for a in (x, y)]  # of a cell: the numbers stand in their middles
    across, up = (Scale(a[0] - h, a[-1] + h, 0, size) for a, h, size in zip((x, y), half, (WIDE, HIGH), strict=True))
    plot = Plot("map", across, up, 0, HIGH)
    for i, row in enumerate(z):
        _band(plot, i, row, least, most, HIGH / len(y))
    for text, place in across.ticks():
        plot.write(f"x{text}:label", place, -13, text)
    for text, place in up.ticks():
        plot.write(f"y{text}:label", -7, place, text, "end")
    plot.write("x:name", WIDE / 2, -31, x_label)
    plot.write("y:name", -36, HIGH + 17, y_label, "start")
    left = _roads(plot, paths or {}, across, up)
    for i, value in enumerate(np.linspace(least, most, 5)):
        fill = _shade(i / 4)
        label = Text(number(float(value)), 11.0, ink_on(fill))
        plot.nodes.append(Node(f"legend/{i}", (i + 0.5) * WIDE / 5, -62, WIDE / 5, 20, "rect", (label,), fill,
                               "#ffffff"))  # fmt: skip
    if value_label:
        plot.write("legend:name", 0, -84, value_label, "start")
    said = f"{value_label or 'The values'}: from {number(least)} to {number(most)}" + "".join(left)
    return chart(title, said, [plot], about)


def _band(plot: Plot, i: int, row: np.ndarray, least: float, most: float, high: float) -> None:
    """One row of the map as thick lines, which lie under the roads; cells of one colour are one line."""
    parts = np.zeros(len(row)) if most == least else (row - least) / (most - least)
    fills = [_shade(float(part)) for part in parts]
    plot.missing += int(np.isnan(row).sum())
    start = 0
    for j in range(1, len(fills) + 1):
        if j == len(fills) or fills[j] != fills[start]:
            x = (start * WIDE / len(row), min(WIDE, j * WIDE / len(row) + 0.4))  # without seams
            ends = [(place, (i + 0.5) * high) for place in x]
            plot.stroke(f"map/{i}-{start}", ends, fills[start], high + 0.4)
            start = j


def _roads(plot: Plot, paths: Mapping[str, Sequence[tuple[float, float]]], across: Scale, up: Scale) -> list[str]:
    """Draw the paths, as far as they are on the map; say which leave it."""
    ends, left = [], []
    for n, (name, path) in enumerate(paths.items()):
        series = SERIES[n % len(SERIES)]
        points = [(_at(across, px, WIDE), _at(up, py, HIGH)) for px, py in path]
        inside = [0 <= px <= WIDE and 0 <= py <= HIGH for px, py in points]
        seen = points[: inside.index(False)] if False in inside else points
        road = list(seen)
        if False in inside:
            left.append(f"\n{name}: {'leaves the map at step ' + str(len(seen)) if seen else 'is not on the map'}")
            if not seen:
                continue
            if all(map(math.isfinite, points[len(seen)])):
                road.append(_edge(seen[-1], points[len(seen)]))
        plot.stroke(f"{name}/halo", road, "#ffffff", 3.6)
        plot.stroke(f"{name}/line", road, series.colour, 1.6, series.dashed, tooltip=name)
        every = math.ceil(len(seen) / MARKS) or 1
        for i, (px, py) in enumerate(seen):
            if i % every and i < len(seen) - 1:
                continue
            plot.mark(f"{name}/{i}", px, py, series, f"{name}, step {i}: {path[i][0]:.4g}, {path[i][1]:.4g}")
        if road:
            ends.append((name, road[-1], series.colour if n < len(SERIES) else INK))
    if ends:
        plot.names(ends)
    return left


def _at(axis: Scale, value: float, size: float) -> float:
    """The place of a number, also beyond the map's edges, by the axis's own proportion."""
    return (value - axis.low) / (axis.high - axis.low) * size


def _edge(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    """Where the way from a, on the map, to b, beyond it, crosses the edge."""
    parts = [1.0]
    for p, q, size in ((a[0], b[0], WIDE), (a[1], b[1], HIGH)):
        if q > size or q < 0:
            parts.append(((size if q > size else 0) - p) / (q - p))
    t = min(parts)
    return a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])


def _shade(part: float) -> str:
    if np.isnan(part):
        return "#6b21a8"
    part = round(LEVELS * part) / LEVELS
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(LIGHT, DARK, strict=True))
