"""Small grey pictures made of pixels, side by side, with frames around what a network looked at."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from .figure import Edge, Figure, Node, Text, label, text_at
from .palette import GREY, INK
from .plot import SMALL, TITLE, Chart, wrapped

__all__ = ["Frame", "frames_picture", "pixels", "titled"]

LEVELS = 24  # of grey: more than an eye tells apart in squares of this size
READ, WRITE = "#b91c1c", "#15803d"

Frame = tuple[float, float, float, float]
"""x, y of the centre, width and height, in pixels: (1, 1) is the centre of the pixel at the top left, as in DRAW's
equations."""


def pixels(key: str, image: Any, left: float, top: float, size: float | tuple[float, float], ink: str = "#000000",
           lowest: float = 0.0, highest: float = 1.0) -> list[Node]:  # fmt: skip
    """An image (height, width) as nodes, its top left corner at (left, top), of pixels `size` points wide and high:
    white at `lowest`, in the colour `ink` at `highest`. Neighbours of one shade in a row are one rectangle."""
    values = np.asarray(image, float)
    if values.ndim != 2:
        raise ValueError(f"a picture of pixels needs an image (height, width), not {values.shape}")
    wide, high = size if isinstance(size, tuple) else (size, size)
    share = np.clip((values - lowest) / ((highest - lowest) or 1), 0, 1)
    steps = np.rint(np.nan_to_num(share) * LEVELS).astype(int)
    full = [int(ink[i : i + 2], 16) for i in (1, 3, 5)]
    shades = ["#" + "".join(f"{round(255 + (c - 255) * k / LEVELS):02x}" for c in full) for k in range(LEVELS + 1)]
    nodes = [Node(f"{key}/paper", left + wide * values.shape[1] / 2, top - high * values.shape[0] / 2,
                  wide * values.shape[1], high * values.shape[0], "rect", fill="#ffffff", stroke="#9ca3af", pen=0.6,
                  tooltip=key)]  # fmt: skip
    for i, row in enumerate(steps):
        at = 0
        for level, run in groupby(row):
            n = len(list(run))
            if level:
                fill = shades[level]
                nodes.append(Node(f"{key}/{i}.{at}", left + wide * (at + n / 2), top - high * (i + 0.5), wide * n, high,
                                  "rect", fill=fill, stroke=fill, pen=0.25))  # fmt: skip
            at += n
    return nodes


def titled(title: str, about: str, nodes: Sequence[Node], edges: Sequence[Edge] = (), width: float = 0.0) -> Chart:
    """A chart of these nodes and edges with a title and, in lines under it, what there is to see, which is also its
    description."""
    points = [point for edge in edges for point in edge.points]
    left = min([node.x - node.width / 2 for node in nodes] + [x for x, _ in points])
    right = max([node.x + node.width / 2 for node in nodes] + [x for x, _ in points] + [left + max(320.0, width)])
    top = max([node.y + node.height / 2 for node in nodes] + [y for _, y in points]) + 12
    lines = [line for part in about.split("\n") if part for line in wrapped(label(part), right - left)]
    heads = [text_at(f"about/{i}", left, top + 8 + 16 * (len(lines) - 1 - i), Text(line, SMALL, GREY), align="start")
             for i, line in enumerate(lines)]  # fmt: skip
    head = Text(label(title), TITLE, INK, bold=True)
    heads.append(text_at("title", left, top + 14 + 16 * len(lines), head, align="start"))
    return Chart(Figure(title, about.replace("\n", " "), (*heads, *nodes), tuple(edges)))


def frames_picture(rows: Sequence[tuple[str, Sequence[Any]]], title: str, about: str = "",
                   columns: Sequence[str] = (), reads: Sequence[Sequence[Frame | None]] = (),
                   writes: Sequence[Sequence[Frame | None]] = (), pixel: float = 6.0) -> Chart:  # fmt: skip
    """Rows of images, (name, images (height, width) from 0, white, to 1, black) each; `columns` are names above them.

    `reads[i][j]` is a frame around what was looked at in image j of row i, dashed and red; `writes[i][j]` around what
    was painted, solid and green; None draws none. Raises ValueError where there is nothing to draw.
    """
    if not rows or not all(len(images) for _, images in rows):
        raise ValueError(f"{title}: there is no image to draw")
    nodes: list[Node] = []
    frames: list[Node] = []  # drawn last, over all images
    top, gap = 0.0, 8.0
    for i, (name, images) in enumerate(rows):
        left, tallest = 0.0, 0.0
        for j, image in enumerate(images):
            height, width = np.shape(image)
            key = f"row {i + 1}, image {j + 1}"
            nodes += pixels(key, image, left, top, pixel)
            if i == 0 and j < len(columns):
                nodes.append(text_at(f"column/{j}", left + width * pixel / 2, top + 9, Text(columns[j], 10.0, GREY)))
            for kind, boxes, colour in (("read", reads, READ), ("write", writes, WRITE)):
                frame = boxes[i][j] if i < len(boxes) and j < len(boxes[i]) else None
                if frame is not None:
                    frames.append(_outline(f"{key}/{kind}", frame, left, top, pixel, colour, (width, height)))
            left += width * pixel + gap
            tallest = max(tallest, height * pixel)
        if name:
            words = Text(label(name), 11.0, INK)
            nodes.append(text_at(f"row/{i}", -10 - words.width, top - tallest / 2, words, align="start"))
        top -= tallest + gap
    return titled(title, about, [*nodes, *frames])


def _outline(key: str, frame: Frame, left: float, top: float, pixel: float, colour: str, size: tuple[int, int]
             ) -> Node:  # fmt: skip
    """A rectangle around a part of the image, cut off half a pixel outside it so that it meets no neighbour."""
    x, y, width, height = frame
    x0, x1 = np.clip([x - width / 2, x + width / 2], 0.0, size[0] + 1.0) - 0.5
    y0, y1 = np.clip([y - height / 2, y + height / 2], 0.0, size[1] + 1.0) - 0.5
    return Node(key, left + pixel * (x0 + x1) / 2, top - pixel * (y0 + y1) / 2, pixel * (x1 - x0), pixel * (y1 - y0),
                "rect", fill="none", stroke=colour, pen=1.4, dashed=colour == READ, tooltip=key)  # fmt: skip
