"""What every view starts from: the graph, its roles, and the words and numbers that views share."""

from __future__ import annotations

import math
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ... import backend
from ..figure import Node, Text, label, style
from ..graph import Graph, Vertex
from ..palette import BACKWARD, FORWARD, GREY, INK
from ..roles import Roles

__all__ = ["ELLIPSIS", "Scene", "box", "free", "norm", "number", "numbers", "tooltip", "value_lines"]

ELLIPSIS = None  # stands in a list of steps for those left out
SMALL = 4  # this many numbers are shown as they are; of more, the norm


@dataclass
class Scene:
    """One computation, ready to be drawn. `values`: are numbers shown; `steps`: True (all), None (the view's choice) or
    a pair (first, last), in code's counting, both included; `contributions` to `weight` by step, for the flow."""

    graph: Graph
    roles: Roles
    title: str = ""
    values: bool = False
    steps: bool | tuple[int, int] | None = None
    step: int | None = None
    parameters: str = "merged"
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
            parts.append(f"{self.roles.symbol(output) or 'The output'} is {number(_scalar(output.value))}.")
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


def _scalar(array: Any) -> float:
    return float(np.real(backend.to_numpy(array).reshape(-1)[0]))


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


def numbers(array: Any, digits: int = 3) -> str:
    """An array in a few characters: its numbers where they are few, else its shape and norm."""
    if array.size == 0:
        return "empty"
    if array.size <= SMALL:
        return " ".join(f"{float(np.real(x)):.{digits}g}" for x in backend.to_numpy(array).ravel())
    return f"norm {number(norm(array))}"


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
    width = max(width, max(line.width for line in lines) + 12)
    bad = v.value is not None and v.value.size and not _finite(v.value)
    fill, stroke = style(role)
    return Node(key, x, y, width, height, "box", lines, fill, BACKWARD if bad else stroke, 2.6 if bad else 1.4, dashed,
                tooltip(v, symbol), role)  # fmt: skip
