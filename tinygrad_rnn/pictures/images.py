"""Arrays of numbers as images: heat-maps of a layer's channels, filters, digits, canvases, side by side.

    image_grid(flow.activations(net, image, "conv_block1.0")["conv_block1.0"][0], "What the first layer sees")

The images are PNG inside of the SVG, so that thousands of points cost little.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from . import engines
from .figure import Figure, Node, Text, label, text_at
from .palette import GREY, INK
from .plot import SMALL, TITLE, Chart, wrapped
from .scales import number
from .svg import to_svg

__all__ = ["COLOURS", "ImageGrid", "image_grid", "to_png"]

FRAME, GAP = "#d1d5db", 14.0

COLOURS: dict[str, tuple[str, ...]] = {
    "ink": ("#ffffff", "#111827"),  # as on paper: nothing is white
    "heat": ("#ffffff", "#fde68a", "#f97316", "#991b1b", "#1c0a0a"),
    "signed": ("#1d4ed8", "#93c5fd", "#ffffff", "#fca5a5", "#b91c1c"),  # below 0 blue, 0 white, above 0 red
}
"""Colours from the least number to the largest; all get darker away from white, so that they print."""


def image_grid(images: Any, title: str, captions: Sequence[str] = (), columns: int = 8, colours: str = "heat",
               limits: tuple[float, float] | None = None, size: float = 84.0,
               about: str | None = None) -> ImageGrid:  # fmt: skip
    """Images side by side: `images` (N, H, W), or several (H, W) of different sizes, `columns` in a row, each `size`
    points high.

    `colours` is "heat", "ink" (0 is white) or "signed" (0 is white, blue below, red above). All share one scale, from
    the least number to the largest or between `limits`, which the words under the title tell; "signed" is symmetric.
    `about` stands in place of those words. Raises ValueError where there is nothing to draw, numbers are not finite,
    or captions are not one an image.
    """
    arrays = [np.asarray(image, float) for image in images]
    if not arrays or any(a.ndim != 2 or not a.size for a in arrays):
        raise ValueError("image_grid: give images (N, H, W), at least one: a batch (B, C, H, W) as maps[0] or "
                         "digits[:, 0]")  # fmt: skip
    if not all(np.isfinite(a).all() for a in arrays):
        raise ValueError("image_grid: an image holds NaN or infinity: look where with tg.debug()")
    if captions and len(captions) != len(arrays):
        raise ValueError(f"image_grid: {len(arrays)} images and {len(captions)} captions: give one an image, or none")
    if colours not in COLOURS:
        raise ValueError(f"image_grid: colours are {', '.join(COLOURS)}, not {colours!r}")
    low, high = limits or (min(a.min() for a in arrays), max(a.max() for a in arrays))
    if colours == "ink" and limits is None:
        low = min(low, 0.0)
    if colours == "signed":
        high = max(abs(low), abs(high))
        low = -high
    ends = ("blue is", "red") if colours == "signed" else ("white is", "darkest")
    said = f"{len(arrays)} images; {ends[0]} {number(low)}, {ends[1]} {number(high)}"
    return _laid_out(arrays, title, captions, columns, colours, (low, high), size, said if about is None else about)


def _laid_out(arrays: list[np.ndarray], title: str, captions: Sequence[str], columns: int, colours: str,
              limits: tuple[float, float], size: float, said: str) -> ImageGrid:  # fmt: skip
    wide = max(size * a.shape[1] / a.shape[0] for a in arrays)
    room = SMALL * 1.5 if captions else 0.0
    nodes, placed = [], []
    for i, a in enumerate(arrays):
        across = size * a.shape[1] / a.shape[0]
        x, y = (i % columns) * (wide + GAP), -(i // columns) * (size + room + GAP)
        name = captions[i] if captions else f"image {i + 1}"
        told = f"{name}: {number(a.min())} to {number(a.max())}, {a.shape[0]} x {a.shape[1]}"
        nodes.append(Node(f"image{i + 1}", x + across / 2, y - size / 2, across + 1, size + 1, "rect", stroke=FRAME,
                          pen=1.0, tooltip=told))  # fmt: skip
        placed.append((x, y, across, size, _coloured(a, limits, colours)))
        if captions:
            text = Text(label(captions[i]), SMALL, GREY)
            nodes.append(text_at(f"image{i + 1}:caption", x + across / 2, y - size - room / 2, text))
    page = max(300.0, min(columns, len(arrays)) * (wide + GAP) - GAP)
    height = 16.0
    for key, words, fit, colour in (("about", said, SMALL, GREY), ("title", title, TITLE, INK)):
        for j, line in enumerate(reversed(wrapped(label(words), page, fit * 1.07) if words else [])):
            head = Text(line, fit, colour, bold=key == "title")
            nodes.append(text_at(f"{key}/{j}", 0, height, head, align="start"))
            height += fit * 1.3
        height += 3
    return ImageGrid(Figure(title, said, tuple(nodes)), placed)


Placed = tuple[float, float, float, float, np.ndarray]
"""Left, top, width and height in points, and the colours (H, W, 3)."""


class ImageGrid(Chart):
    """A drawing with images in it. It saves itself as svg, png or html."""

    def __init__(self, figure: Figure, placed: Sequence[Placed]) -> None:
        super().__init__(figure)
        self.placed = placed

    @cached_property
    def _drawn(self) -> tuple[str, str, str]:
        return self._with_images(to_svg(self.figure)), "builtin", ""

    def _with_images(self, svg: str) -> str:
        body, end = svg.rsplit("</g>", 1)
        return body + "".join(map(_element, self.placed)) + "</g>" + end

    def _content(self, suffix: str, scale: float) -> bytes:
        if suffix in (".pdf", ".dot"):
            raise ValueError(f"images do not go into {suffix}: save them as .svg, .png or .html")
        if suffix == ".png":
            return engines.png(self._with_images(to_svg(self.figure, in_runs=True)), self.dot, scale)
        return super()._content(suffix, scale)


def _element(placed: Placed) -> str:
    x, y, wide, high, colours = placed
    again = max(1, round(128 / max(colours.shape[:2])))  # larger points: what enlarges images may smooth them
    png = base64.b64encode(to_png(colours.repeat(again, 0).repeat(again, 1))).decode()
    return (f'<image x="{x:.2f}" y="{-y:.2f}" width="{wide:.2f}" height="{high:.2f}" preserveAspectRatio="none" '
            f'href="data:image/png;base64,{png}"/>\n')  # fmt: skip


def _coloured(a: np.ndarray, limits: tuple[float, float], colours: str) -> np.ndarray:
    """uint8 (H, W, 3)"""
    low, high = limits
    stops = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in COLOURS[colours]], float)
    part = np.clip((a - low) / (high - low), 0, 1) if high > low else np.zeros_like(a)
    if high == low and colours == "signed":
        part += 0.5
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(part, at, stops[:, i]) for i in range(3)], axis=-1).round().astype(np.uint8)


def to_png(colours: np.ndarray) -> bytes:
    """uint8 (H, W, 3) as the bytes of a PNG file (ISO/IEC 15948: 8 bits each of red, green and blue, no filter)."""
    high, wide, _ = colours.shape
    rows = b"".join(b"\0" + row.tobytes() for row in np.ascontiguousarray(colours))
    chunk: Callable[[bytes, bytes], bytes] = lambda kind, data: (  # noqa: E731
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    )
    header = struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
