"""What every view starts from: the graph, its roles, and the words and numbers that views share."""

from __future__ import annotations

import math
from collections.abc import Container
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ... import backend
from ..figure import Figure, Node, Text, label, style, text_at
from ..graph import Graph, Vertex
from ..palette import BACKWARD, FORWARD, GREY, INK
from ..roles import Roles
from ..states import Layer

__all__ = ["ELLIPSIS", "Scene", "box", "free", "norm", "number", "numbers", "tooltip", "value_lines",
           "with_legend"]  # fmt: skip

ELLIPSIS = None  # stands in a list of steps for those left out
SMALL = 4  # this many numbers are shown as they are; of more, the norm


@dataclass
class Scene:
    """One computation, ready to be drawn.

    `values`: are numbers shown; `steps`: True (all), None (the view's choice) or a pair (first, last), in code's
    counting, both included; for the flow, `contributions` to `weight` by step, and `state`: the chain of "h" or "c";
    for the gates, `step` and `layer`, None for the last.
    """

    graph: Graph
    roles: Roles
    title: str = ""
    values: bool = False
    steps: bool | tuple[int, int] | None = None
    step: int | None = None
    parameters: str = "merged"
    state: str = "h"
    layer: Layer | None = None
    weight: Vertex | None = None
    contributions: dict[int | None, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def columns(self, first: int, last: int) -> list[int | None]:
        """The steps to draw, with ELLIPSIS where some are left out: by default at most `first` + `last` + 1 of them."""
        steps = self.roles.steps
        if self.steps is True or (self.steps is None and len(steps) <= first + last + 1):
            return list(steps)
        if isinstance(self.steps, tuple):
            a, b = self.steps
            inside = [t for t in steps if a <= t <= b]
            if not inside:
                raise ValueError(f"draw: steps=({a}, {b}) leaves nothing of the steps {steps[0]} to {steps[-1]}")
            before = [ELLIPSIS] if inside[0] != steps[0] else []
            after = [ELLIPSIS] if inside[-1] != steps[-1] else []
            return [*before, *inside, *after]
        left_out = len(steps) - first - last
        self.notes.append(f'{left_out} of {len(steps)} steps are left out: steps="all" or steps=(a, b) draws more')
        return [*steps[:first], ELLIPSIS, *steps[-last:]]

    def facts(self) -> str:
        """What the run says, in words, for those who cannot see the picture."""
        parts = []
        output = self.roles.total or (self.graph.outputs[0] if self.graph.outputs else None)
        if output is not None and output.size == 1:
            parts.append(f"{self.roles.symbol(output) or 'The output'} is {numbers(output.value)}.")
        elif output is not None and self.graph.failed is None:
            parts.append(f"The output has shape {output.shape}; its gradients are those of its sum.")
        for layer in self.roles.layers:
            chain = sorted((v for v in layer.h.values() if v.gradient is not None), key=lambda v: v.step or 0)
            if len(chain) > 1:
                first, last = chain[0], chain[-1]
                parts.append(f"The gradient norm is {number(norm(last.gradient))} at {self.roles.symbol(last)} and "
                             f"{number(norm(first.gradient))} at {self.roles.symbol(first)}.")  # fmt: skip
        if self.graph.failed is not None:
            parts.append(f"It failed: {self.graph.failed.error}")
        return " ".join(parts)


def free(key: str, taken: Container[str]) -> str:
    """The key, or with primes so that it is not taken: a parameter may be called "L" and an operation "h"."""
    while key in taken:
        key += "'"
    return key


def norm(array: Any) -> float:
    """The Euclidean norm of all entries, without overflow on the way."""
    if array is None:
        return math.nan
    x = np.abs(backend.to_numpy(array).astype(np.float64, copy=False)).ravel()
    largest = float(x.max(initial=0.0))
    if not 0 < largest < math.inf:
        return largest
    x = x / largest
    return largest * math.sqrt(float(x @ x))


def number(x: float) -> str:
    """A number in a few characters: "0", "0.012", "171", "4e-6", "-0.3", "inf".

    >>> number(0.0), number(0.01234), number(171.3), number(3.6e-6), number(-0.5), number(12000.0)
    ('0', '0.012', '171', '4e-6', '-0.5', '1e4')
    """
    if not math.isfinite(x) or x == 0:
        return "0" if x == 0 else str(x)
    if 1e-2 <= abs(x) < 9999.5:
        return f"{x:.0f}" if abs(x) >= 99.5 else f"{x:.2g}"
    mantissa, exponent = f"{x:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def numbers(array: Any, digits: int | None = None) -> str:
    """An array in a few characters: its numbers where they are few, else its norm.

    One number has 3 significant digits. Several all have 2 decimals, so that they are compared at a glance (3 where
    none reaches 0.05, fewer where one reaches 10); what vanishes thereby is "0.00", and only a zero is "0". `digits`:
    as many significant digits for each instead.

    >>> numbers(np.array(5.9731)), numbers(np.array([1.0, 0.0])), numbers(np.array([0.0739, -0.1532, 0.004, 0.0]))
    ('5.97', '1 0', '0.07 -0.15 0.00 0')
    """
    if array.size == 0:
        return "empty"
    if array.size > SMALL:
        return f"norm {number(norm(array))}"
    entries = [float(x) for x in np.real(backend.to_numpy(array)).ravel()]
    largest = max(map(abs, entries))
    if digits is not None or len(entries) == 1:
        return " ".join(f"{x + 0.0:.{digits or 3}g}" for x in entries)
    if not 0.01 <= largest < 9999.5 or not all(map(math.isfinite, entries)):
        return " ".join(map(number, entries))
    if all(x == round(x) for x in entries):
        return " ".join(f"{x + 0.0:.0f}" for x in entries)
    decimals = 3 if largest < 0.05 else 2 if largest < 10 else 1 if largest < 100 else 0
    return " ".join(f"{x:z.{decimals}f}" if x else "0" for x in entries)  # z: no "-0.00"


def value_lines(v: Vertex, size: float = 9.0) -> tuple[Text, ...]:
    """The value in green and, where there is one, the gradient in red with a nabla."""
    if v.value is None:
        return ()
    shape = "×".join(map(str, v.shape)) + " " if v.size > SMALL else ""
    lines = [Text(shape + numbers(v.value), size, FORWARD if _finite(v.value) else BACKWARD)]
    if v.gradient is not None:
        lines.append(Text("∇ " + numbers(v.gradient), size, BACKWARD))
    elif v.kind == "leaf":
        lines.append(Text("no grad", size, GREY))
    return tuple(lines)


def _finite(array: Any) -> bool:
    return array.dtype.kind not in "fc" or bool(np.isfinite(backend.to_numpy(array)).all())


def with_legend(figure: Figure, scene: Scene) -> Figure:
    """The figure with two lines that say what the green and the red numbers are, where numbers are shown.

    They stand in the top left corner where that is empty, else below.
    """
    if not scene.values:
        return figure
    x0, y0, _, y1 = replace(figure, note="").bounds()
    outputs = scene.graph.outputs
    total = scene.roles.total or (outputs[0] if len(outputs) == 1 else None)
    name = scene.roles.symbol(total) if total is not None and total.size == 1 else ""
    gradient = f"∂{label(name)}/∂·" if name else "of the sum of the output"
    texts = Text("green: value", 10.0, FORWARD), Text(f"red: ∇, the gradient {gradient}", 10.0, BACKWARD)
    top = y1 - 8 if _is_empty(figure, x0 + texts[1].width + 20, y1 - 40) else y0 - 14
    keys = (free(f"legend/{what}", figure.keys()) for what in ("value", "gradient"))
    lines = (text_at(key, x0, top - 14 * i, text, align="start", role="legend")
             for i, (key, text) in enumerate(zip(keys, texts, strict=True)))  # fmt: skip
    return replace(figure, nodes=(*figure.nodes, *lines))


def _is_empty(figure: Figure, right: float, bottom: float) -> bool:
    """Is nothing left of `right` and above `bottom`?"""
    corners = [(n.x - n.width / 2, n.y + n.height / 2) for n in figure.nodes] + [(b.x0, b.y1) for b in figure.boxes]
    corners += [(min(a[0], b[0]), max(a[1], b[1])) for edge in figure.edges for a, b in pairwise(edge.points)]
    return not any(x < right and y > bottom for x, y in corners)


def tooltip(v: Vertex, symbol: str = "") -> str:
    """What a mouse finds out: name, key, operation, shape, value, gradient."""
    what = f"{v.op}{v.error and ' failed'}" if v.op else {"leaf": "a leaf", "constant": "a constant"}[v.kind]
    lines = [f"{symbol or v.name or v.op or v.local} = {what} {v.shape if v.value is not None else ''}".strip(), v.key]
    if v.value is not None and v.value.size:
        lines.append("value " + numbers(v.value, 6))
    if v.gradient is not None:
        lines.append(f"gradient {numbers(v.gradient, 6)}" + (f", norm {norm(v.gradient):.3e}" if v.size > 1 else ""))
    if v.error:
        lines.append(v.error)
    return "\n".join(lines)


def box(key: str, v: Vertex, scene: Scene, x: float, y: float, width: float = 53.0, height: float = 36.0,
        size: float = 15.0, text: str | None = None, dashed: bool = False, bold: bool = False) -> Node:  # fmt: skip
    """The rounded box of a vertex with a role, with its numbers where they are shown."""
    role = "error" if v.kind == "failed" else scene.roles.role.get(v, "op")
    symbol = scene.roles.symbol(v) if text is None else text
    lines: tuple[Text, ...] = (Text(label(symbol), size, INK, bold),)
    if scene.values and v.kind != "failed":
        more = value_lines(v)
        lines = (Text(label(symbol), min(size, 12.0), INK, bold), *more)
        height = max(height, 14.4 + 11.5 * len(more) + 9)
    width = max(width, max(line.width for line in lines) + 14)
    bad = v.value is not None and v.value.size and not _finite(v.value)
    fill, stroke = style(role)
    return Node(key, x, y, width, height, "box", lines, fill, BACKWARD if bad else stroke, 2.6 if bad else 1.4, dashed,
                tooltip(v, symbol), role)  # fmt: skip
