"""A figure: what is drawn, and where. Every position is already known; the engines only put ink on it.

Points are 1/72 inch; x goes right and y goes *up*, as in Graphviz. Keys are stable human strings ("t3/h", "W_hh",
"a->b", "a->b#2" for a second edge between the same two), unique in a figure: tests, tooltips and the replay find things
by them.

>>> a = Node("a", 0, 0, 54, 36, lines=(Text("a"),), **ROLES["input"]._asdict())
>>> b = Node("b", 100, 0, 30, 30, shape="circle", lines=(Text("tanh"),), role="op")
>>> figure = Figure("a to b", nodes=(a, b), edges=(Edge("a->b", "a", "b", straight(a, b)),))
>>> figure.edges[0].points
((27.0, 0.0), (85.0, 0.0))
>>> figure.keys()
('a', 'b', 'a->b')
"""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal
from urllib.parse import quote, unquote

from .lettering import LINE_SPACING, clean, label, text_width
from .palette import EDGE, GREY, INK, ROLES, Style, style
from .route import Point, Stop, border, curve, elbow, port, route, straight

__all__ = [
    "ROLES",
    "Box",
    "Edge",
    "Figure",
    "Node",
    "Point",
    "Stop",
    "Style",
    "Text",
    "border",
    "curve",
    "elbow",
    "label",
    "port",
    "route",
    "slug",
    "straight",
    "style",
    "text_at",
    "text_width",
    "unslug",
]  # fmt: skip

Shape = Literal["box", "circle", "ellipse", "square", "rect", "point", "text"]
SHAPES = ("box", "circle", "ellipse", "square", "rect", "point", "text")


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text: ``size`` in points, ``colour`` as ``#rrggbb``. Use :func:`label` for subscripts."""

    text: str
    size: float = 12.0
    colour: str = INK
    bold: bool = False
    italic: bool = False

    @property
    def width(self) -> float:
        """Width in points, by the fixed table of :func:`text_width`."""
        return text_width(self.text, self.size, self.bold)


@dataclass(frozen=True, slots=True)
class Node:
    """A shape with lines of text, centred on (x, y); all lengths in points.

    shape: "box" (rounded), "circle", "ellipse", "square" and "rect" (sharp corners), "point" (a dot of diameter
    ``width`` in the colour ``stroke``), "text" (no outline). ``lines`` stand one under another around the centre; a
    newline in a line starts another. ``align="start"`` lets the text of a "text" node begin at its left edge:
    :func:`text_at`.
    ``role`` ("state", "op", ...) becomes a class in the SVG. It sets no colour: pass ``**style(role)._asdict()`` too.
    ``tooltip`` may have several lines.
    """

    key: str
    x: float
    y: float
    width: float
    height: float
    shape: Shape = "box"
    lines: tuple[Text, ...] = ()
    fill: str = "#ffffff"
    stroke: str = EDGE
    pen: float = 1.4
    dashed: bool = False
    tooltip: str = ""
    role: str = ""
    align: Literal["middle", "start"] = "middle"

    @property
    def corner(self) -> float:
        """Radius of the corners in points: Graphviz's own rule for rounded boxes, so that all engines agree."""
        return min(12.0, self.width / 3, self.height / 3) if self.shape == "box" else 0.0

    def rows(self) -> list[tuple[Text, float]]:
        """Each line of text with the height (y, up) of its middle."""
        if not self.lines:
            return []
        if len(self.lines) == 1 and "\n" not in self.lines[0].text:
            return [(self.lines[0], self.y)]
        split = [
            Text(part, line.size, line.colour, line.bold, line.italic)
            for line in self.lines
            for part in line.text.split("\n")
        ]
        top = self.y + LINE_SPACING * sum(line.size for line in split) / 2
        placed = []
        for line in split:
            placed.append((line, top - LINE_SPACING * line.size / 2))
            top -= LINE_SPACING * line.size
        return placed


def text_at(
    key: str,
    x: float,
    y: float,
    *lines: Text | str,
    align: Literal["middle", "start"] = "middle",
    role: str = "remark",
    tooltip: str = "",
) -> Node:
    """A "text" node around (x, y), or with ``align="start"`` beginning at x; strings become small grey remarks."""
    texts = tuple(Text(line, 11.0, GREY) if isinstance(line, str) else line for line in lines)
    width = max((line.width for line in texts), default=0.0)
    height = LINE_SPACING * sum(line.size for line in texts)
    centre = x + width / 2 if align == "start" else x
    return Node(key, centre, y, width, height, "text", texts, tooltip=tooltip, role=role, align=align)


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from node ``tail`` to node ``head`` (their keys), along ``points`` that are already computed.

    curve: "line" (a polyline of 2 or more points) or "bezier" (cubic, 3n+1 control points). The last point is the tip
    of the arrow and lies on the head's outline: :func:`straight`, :func:`elbow`, :func:`route` and :func:`curve` see to
    that.
    ``width`` in points; the arrow head is 10 x ``arrowsize`` points long. Only layouts take edges without points.
    """

    key: str
    tail: str
    head: str
    points: tuple[Point, ...] = ()
    curve: Literal["line", "bezier"] = "line"
    colour: str = EDGE
    width: float = 1.4
    arrow: bool = True
    arrowsize: float = 0.75
    dashed: bool = False
    tooltip: str = ""
    role: str = ""

    def shaft(self) -> tuple[tuple[Point, ...], Point | None]:
        """The line without the arrow's head, and the tip of the head (None: no head)."""
        if not self.arrow:
            return self.points, None
        (bx, by), (tx, ty) = self.points[-2:]
        gap = math.hypot(bx - tx, by - ty)
        if gap < 1e-6:  # a point has no direction
            return self.points, None
        part = min(10.0 * self.arrowsize, 0.8 * gap) / gap
        return (*self.points[:-1], (tx + (bx - tx) * part, ty + (by - ty) * part)), (tx, ty)


@dataclass(frozen=True, slots=True)
class Box:
    """A labelled rectangle behind everything (a time step, a cell), from (x0, y0) bottom left to (x1, y1) top right."""

    key: str
    x0: float
    y0: float
    x1: float
    y1: float
    label: str = ""
    fill: str = "#f9fafb"
    stroke: str = "#d1d5db"
    pen: float = 1.0
    label_colour: str = GREY

    def label_row(self) -> tuple[Text, float, float]:
        """The label as a line of text, with the x and y of its middle: at the top left, inside."""
        line = Text(clean(self.label), 11.0, self.label_colour)
        return line, self.x0 + 10 + line.width / 2, self.y1 - 12


@dataclass(frozen=True)
class Figure:
    """Nodes, edges and boxes with positions; ``title`` and ``description`` are read out by screen readers.

    ``note`` is one line to show under the picture (what was left out, which engine was missing); it may be empty.
    Raises ValueError for a key that is empty or used twice, an edge to no node, an unknown shape, a length that is
    negative or not finite, or an edge whose number of points does not fit its curve.
    """

    title: str
    description: str = ""
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    boxes: tuple[Box, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        for name in ("nodes", "edges", "boxes"):  # lists are welcome, and frozen here
            object.__setattr__(self, name, tuple(getattr(self, name)))
        seen: set[str] = set()
        for key in self.keys():
            if not key or key in seen:
                raise ValueError(f"figure {self.title!r}: key {key!r} is {'used twice' if key else 'empty'}")
            seen.add(key)
        for node in self.nodes:
            if node.shape not in SHAPES:
                raise ValueError(f"node {node.key!r}: shape {node.shape!r} is none of {', '.join(SHAPES)}")
            if not (math.isfinite(node.x + node.y) and 0 <= node.width < math.inf and 0 <= node.height < math.inf):
                where = f"at {node.x}, {node.y}, size {node.width} x {node.height}"
                raise ValueError(f"node {node.key!r}: {where}: not finite, or negative")
        names = {node.key for node in self.nodes}
        for edge in self.edges:
            if edge.tail not in names or edge.head not in names:
                missing = edge.head if edge.tail in names else edge.tail
                raise ValueError(f"edge {edge.key!r}: there is no node {missing!r}")
            count = len(edge.points)
            if count < 2 or (edge.curve == "bezier" and count % 3 != 1):
                raise ValueError(f"edge {edge.key!r}: {count} points do not make a {edge.curve}")
            if not math.isfinite(sum(map(sum, edge.points))):
                raise ValueError(f"edge {edge.key!r}: a point is not finite")
        for box in self.boxes:
            if not (box.x0 <= box.x1 and box.y0 <= box.y1 and math.isfinite(box.x0 + box.y0 + box.x1 + box.y1)):
                raise ValueError(f"box {box.key!r}: corners are not in order, or not finite")

    def keys(self) -> tuple[str, ...]:
        """Every key: nodes, then edges, then boxes, in drawing order."""
        return tuple(item.key for items in (self.nodes, self.edges, self.boxes) for item in items)

    @cached_property
    def prefix(self) -> str:
        """What starts each id of this figure in an SVG, so that pictures on one page do not answer for each other."""
        return f"f{zlib.crc32(chr(0).join((self.title, *self.keys())).encode('utf-8', 'replace')):08x}-"

    def id_of(self, key: str) -> str:
        """The ``id`` that the thing called ``key`` has in every SVG of this figure."""
        return self.prefix + slug(key)

    def drawn_nodes(self) -> tuple[Node, ...]:
        """The nodes and, last, the note as a line of text under everything else (":note", which is not in keys())."""
        if not self.note:
            return self.nodes
        x0, y0, _, _ = self._bounds(self.nodes)
        return (*self.nodes, text_at(":note", x0, y0 - 18, clean(self.note), align="start", role="note"))

    def bounds(self) -> tuple[float, float, float, float]:
        """Smallest x and y and largest x and y of anything drawn, in points, without a margin; zeros if nothing is."""
        return self._bounds(self.drawn_nodes())

    def _bounds(self, nodes: tuple[Node, ...]) -> tuple[float, float, float, float]:
        corners: list[Point] = []
        for node in nodes:
            across = max([node.width, *(line.width for line in node.lines)]) / 2
            corners.append((node.x - across, node.y - node.height / 2))
            corners.append((node.x + across, node.y + node.height / 2))
        for edge in self.edges:
            corners.extend(edge.points)
        for box in self.boxes:
            corners += (box.x0, box.y0), (box.x1, box.y1)
        if not corners:
            return 0.0, 0.0, 0.0, 0.0
        xs, ys = zip(*corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


_PLAIN = re.compile(r"[\w/.#>()+=,*@\[\]-]+", re.ASCII)


def slug(key: str) -> str:
    """A key as DOT names and XML ids can hold it: other bytes than these become ``~`` and two hexadecimal digits.

    (Not ``%``: Graphviz takes a name that begins with it for one of its own.)

    >>> slug("t3/h"), slug("n:port"), slug("a b")
    ('t3/h', 'n~3Aport', 'a~20b')
    >>> unslug(slug("~ 50%"))
    '~ 50%'
    """
    if _PLAIN.fullmatch(key):
        return key
    return quote(key, safe="/.#>()+=,*@[]-_", errors="surrogatepass").replace("~", "%7E").replace("%", "~")


def unslug(name: str) -> str:
    """The key of a name made by :func:`slug`."""
    return unquote(name.replace("~", "%"), errors="surrogatepass")
