"""The colours of the pictures, by what a thing is. Light fills print well; no meaning hangs on colour alone."""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["BACKWARD", "EDGE", "FORWARD", "GREY", "INK", "ROLES", "STEP", "Style", "gradient_colour", "ink_on", "style"]


class Style(NamedTuple):
    """Fill and outline colour, as ``#rrggbb``."""

    fill: str
    stroke: str


INK = "#111827"  # text
GREY = "#6b7280"  # remarks
EDGE = "#374151"  # a line that has no role of its own
FORWARD = "#15803d"  # values, and what flows forwards: green, as in cs231n
BACKWARD = "#dc2626"  # gradients, and what flows backwards: red

ROLES: dict[str, Style] = {
    "input": Style("#dbeafe", "#2563eb"),
    "state": Style("#dcfce7", "#16a34a"),
    "output": Style("#f3e8ff", "#9333ea"),
    "loss": Style("#fee2e2", "#dc2626"),
    "parameter": Style("#fef3c7", "#d97706"),
    "cell": Style("#fde68a", "#b45309"),  # the LSTM's c, the conveyor
    "op": Style("#fbcfe8", "#db2777"),
    "gate": Style("#fef08a", "#ca8a04"),
    "bar": Style("#fdba74", "#ea580c"),  # the contribution of a step, in the flow view
    "delay": Style("#111827", "#111827"),  # the black square: one time step
    "constant": Style("#f3f4f6", "#6b7280"),
    "error": Style("#fecaca", "#b91c1c"),
}
STEP = Style("#f9fafb", "#d1d5db")  # the box around a time step


def style(role: str) -> Style:
    """Colours of a role; a neutral grey for a role that is not in the table."""
    return ROLES.get(role, ROLES["constant"])


_VANISHED, _NEUTRAL, _EXPLODED, _UNDEFINED = (37, 99, 235), (245, 245, 245), (220, 38, 38), "#6b21a8"


def gradient_colour(log10_norm: float, vanished: float = -5.0, exploded: float = 2.5) -> str:
    """Colour of a gradient norm by its log10: blue when vanished, near white at norm 1, red when exploded.

    ``vanished`` and ``exploded`` are the log10 norms at which blue and red are full. A norm of 0 (-inf) is full blue,
    an infinite one full red, NaN purple.

    >>> gradient_colour(0.0), gradient_colour(float("-inf")), gradient_colour(9.0)
    ('#f5f5f5', '#2563eb', '#dc2626')
    """
    if math.isnan(log10_norm):
        return _UNDEFINED
    end, limit = (_VANISHED, vanished) if log10_norm < 0 else (_EXPLODED, exploded)
    part = min(1.0, log10_norm / limit)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(_NEUTRAL, end, strict=True))


def ink_on(fill: str) -> str:
    """The text colour, near black or white, that contrasts more with a ``#rrggbb`` fill (WCAG relative luminance).

    >>> ink_on("#f5f5f5"), ink_on("#2563eb")
    ('#111827', '#ffffff')
    """

    def linear(start: int) -> float:
        part = int(fill[start : start + 2], 16) / 255
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    luminance = 0.2126 * linear(1) + 0.7152 * linear(3) + 0.0722 * linear(5)
    dark = 0.0092  # the luminance of INK
    return INK if (luminance + 0.05) / (dark + 0.05) >= 1.05 / (luminance + 0.05) else "#ffffff"
