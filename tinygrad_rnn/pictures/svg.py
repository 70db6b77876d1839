"""A figure as SVG, written here: no engine, no dependency, the same bytes on every machine.

It follows Graphviz in what can be seen (roundings, arrow heads, line spacing, the order of drawing), so that the three
engines give one picture. Arrow heads are polygons and not markers: slide programs and converters drop markers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from html import escape

from .figure import Box, Edge, Figure, Node, Text, slug
from .lettering import FONT, clean, runs

__all__ = ["PAD", "accessible", "to_svg"]

PAD = 14.4  # white margin around the picture in points, as pad=0.2 (inches) in the DOT
_BASELINE = 0.32  # how far the baseline is below the middle of a line, in units of the font size
_HALF_WIDTH = 0.35  # of an arrow head, in units of its length


def to_svg(figure: Figure, in_runs: bool = False) -> str:
    """The figure as one ``<svg>`` element, well-formed whatever the labels hold; 1 point is 1 unit and 1 pt on paper.

    ``in_runs`` draws each line of text in pieces, for rasterisers: see :func:`tinygrad_rnn.pictures.lettering.runs`.
    """
    text = _text_in_runs if in_runs else _text
    x0, y0, x1, y1 = figure.bounds()
    wide, high = x1 - x0 + 2 * PAD, y1 - y0 + 2 * PAD
    prefix = figure.prefix
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_number(wide)}pt" height="{_number(high)}pt" '
        f'viewBox="{_number(x0 - PAD)} {_number(-y1 - PAD)} {_number(wide)} {_number(high)}">',
        f'<rect x="{_number(x0 - PAD)}" y="{_number(-y1 - PAD)}" width="{_number(wide)}" height="{_number(high)}" '
        'fill="white"/>',
        f'<g font-family="{FONT}" text-anchor="middle">',
    ]
    parts += [_box(box, prefix, text) for box in figure.boxes]
    parts += [_edge(edge, prefix) for edge in figure.edges]
    parts += [_node(node, prefix, text) for node in figure.drawn_nodes()]
    parts += ["</g>", "</svg>", ""]
    return accessible("\n".join(parts), figure)


def accessible(svg: str, figure: Figure) -> str:
    """An SVG document of this figure, ours or Graphviz's, as one element with a title and a description of it all."""
    head, body = svg[svg.index("<svg") + len("<svg") :].split(">", 1)
    title, about = f"{figure.prefix}:title", f"{figure.prefix}:desc"  # no key's id holds a colon
    return (
        f'<svg role="img" aria-labelledby="{title} {about}"{head}>\n'
        f'<title id="{title}">{_content(figure.title)}</title>\n'
        f'<desc id="{about}">{_content(figure.description)}</desc>{body}'
    )


def _box(box: Box, prefix: str, text: Writer) -> str:
    wide, high = box.x1 - box.x0, box.y1 - box.y0
    radius = min(12.0, wide / 3, high / 3)
    parts = [
        _group(prefix, box.key, "cluster", "", box.label),
        f'<rect x="{_number(box.x0)}" y="{_number(-box.y1)}" width="{_number(wide)}" height="{_number(high)}" '
        f'rx="{_number(radius)}" {_ink(box.fill, box.stroke, box.pen, False)}/>',
    ]
    if box.label:
        line, x, y = box.label_row()
        parts.append(text(line, x, y, "middle"))
    return "".join([*parts, "</g>"])


def _edge(edge: Edge, prefix: str) -> str:
    points, tip = edge.shaft()
    first, *rest = (f"{_number(x)},{_number(-y)}" for x, y in points)
    letter = "L" if edge.curve == "line" else "C"
    parts = [
        _group(prefix, edge.key, "edge", edge.role, edge.tooltip),
        f'<path d="M{first}{letter}{" ".join(rest)}" {_ink("none", edge.colour, edge.width, edge.dashed)}/>',
    ]
    if tip is not None:
        bx, by = points[-1]
        length = 10.0 * edge.arrowsize + 2 * edge.width  # Graphviz outlines its heads, which makes them that large
        gap = math.hypot(tip[0] - bx, tip[1] - by)
        ux, uy = length * (tip[0] - bx) / gap, length * (tip[1] - by) / gap
        half = _HALF_WIDTH * max(1.0, edge.width / 4)  # and it widens those of thick lines
        corners = (
            tip,
            (tip[0] - ux - uy * half, tip[1] - uy + ux * half),
            (tip[0] - ux + uy * half, tip[1] - uy - ux * half),
        )
        shape = " ".join(f"{_number(x)},{_number(-y)}" for x, y in corners)
        parts.append(f'<polygon points="{shape}" fill="{_attribute(edge.colour)}"/>')
    return "".join([*parts, "</g>"])


def _node(node: Node, prefix: str, text: Writer) -> str:
    parts = [_group(prefix, node.key, "node", node.role, node.tooltip)]
    x, y, wide, high = node.x, -node.y, node.width, node.height
    if node.shape == "point":
        circle = f'cx="{_number(x)}" cy="{_number(y)}" r="{_number(wide / 2)}"'
        parts.append(f'<circle {circle} fill="{_attribute(node.stroke)}"/>')
    elif node.shape in ("circle", "ellipse"):
        parts.append(
            f'<ellipse cx="{_number(x)}" cy="{_number(y)}" rx="{_number(wide / 2)}" ry="{_number(high / 2)}" '
            f"{_ink(node.fill, node.stroke, node.pen, node.dashed)}/>"
        )
    elif node.shape != "text":
        rounded = f'rx="{_number(node.corner)}" ' if node.corner else ""
        parts.append(
            f'<rect x="{_number(x - wide / 2)}" y="{_number(y - high / 2)}" width="{_number(wide)}" '
            f'height="{_number(high)}" {rounded}{_ink(node.fill, node.stroke, node.pen, node.dashed)}/>'
        )
    at = x - wide / 2 if node.align == "start" else x
    parts += [text(line, at, middle, node.align) for line, middle in node.rows() if line.text]
    parts.append("</g>")
    return "".join(parts)


Writer = Callable[[Text, float, float, str], str]
"""Writes a line of text whose middle height is y; x is its "middle" or its "start"."""


def _text_in_runs(line: Text, x: float, y: float, align: str) -> str:
    left = x - line.width / 2 if align == "middle" else x
    height = y - _BASELINE * line.size  # of the baseline, for all runs
    return "".join(
        _text(replace(line, text=run, size=size), left + dx, height - drop + _BASELINE * size, "start")
        for run, dx, drop, size in runs(clean(line.text), line.size, line.bold)
    )


def _text(line: Text, x: float, y: float, align: str) -> str:
    face = (' font-weight="bold"' if line.bold else "") + (' font-style="italic"' if line.italic else "")
    anchor = "" if align == "middle" else ' text-anchor="start"'
    return (
        f'<text x="{_number(x)}" y="{_number(_BASELINE * line.size - y)}" font-size="{_number(line.size)}" '
        f'fill="{_attribute(line.colour)}"{face}{anchor}>{_content(line.text)}</text>'
    )


def _group(prefix: str, key: str, kind: str, role: str, tooltip: str) -> str:
    classes = f"{kind} {slug(role)}" if role else kind
    title = "\n".join(map(_content, tooltip.split("\n"))) if tooltip else _content(key)
    return f'<g id="{_attribute(prefix + slug(key))}" class="{_attribute(classes)}"><title>{title}</title>'


def _ink(fill: str, stroke: str, width: float, dashed: bool) -> str:
    dashes = ' stroke-dasharray="5,2"' if dashed else ""
    return f'fill="{_attribute(fill)}" stroke="{_attribute(stroke)}" stroke-width="{_number(width)}"{dashes}'


_SPECIAL = re.compile("[&<>\"']")


def _attribute(text: str) -> str:
    return escape(clean(text)) if _SPECIAL.search(text) or not text.isascii() or not text.isprintable() else text


def _content(text: str) -> str:
    text = clean(text)
    return escape(text, quote=False) if _SPECIAL.search(text) else text


def _number(value: float) -> str:
    """Hundredths of a point at most, no trailing zeros: short, and the same on every machine."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
