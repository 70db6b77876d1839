"""Small pictures with what a network says of them, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

__all__ = ["page"]

PIXEL, COLUMNS, WIDE = 10, 3, 300


def page(title: str, rows: Sequence[tuple[Any, str, bool, str]], size: int) -> str:
    """An SVG of pictures (size, size, 3), numbers from 0 to 255, each with what was said under it, a tick or a cross,
    and, where it was wrong, the truth."""
    side, high = size * PIXEL, size * PIXEL + 60
    lines = -(-len(rows) // COLUMNS)
    width, height = COLUMNS * WIDE, 50 + lines * high
    about = "; ".join(f"{said}: {'right' if right else f'wrong, {truth}'}" for _, said, right, truth in rows)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
             f'height="{height}" role="img" font-family="Helvetica, Arial, sans-serif">',
             f"<title>{escape(title)}</title>", f"<desc>{escape(about)}</desc>",
             f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
             f'<text x="{width / 2:g}" y="28" text-anchor="middle" font-size="17" font-weight="bold">'
             f"{escape(title)}</text>"]  # fmt: skip
    for i, (picture, said, right, truth) in enumerate(rows):
        x0, y0 = (i % COLUMNS) * WIDE + (WIDE - side) / 2, 50 + (i // COLUMNS) * high
        for y, line in enumerate(picture):
            for x, (r, g, b) in enumerate(line):
                parts.append(f'<rect x="{x0 + x * PIXEL:g}" y="{y0 + y * PIXEL:g}" width="{PIXEL}" height="{PIXEL}" '
                             f'fill="#{r:02x}{g:02x}{b:02x}"/>')  # fmt: skip
        middle, colour = x0 + side / 2, "#15803d" if right else "#b91c1c"
        for line, text in enumerate([f"{'✓' if right else '✗'} {said}", "" if right else truth]):
            parts.append(f'<text x="{middle:g}" y="{y0 + side + 18 + 16 * line:g}" text-anchor="middle" font-size="13" '
                         f'fill="{colour if not line else "#374151"}">{escape(text)}</text>')  # fmt: skip
    return "\n".join([*parts, "</svg>"])
