"""Handwriting on paper: strokes as lines, letter by letter where a window read them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from .figure import Edge, Node, Text, text_at
from .frames import pixels, titled
from .palette import GREY, INK
from .plot import Chart

__all__ = ["density_picture", "handwriting_picture", "window_picture"]

INKS = ("#1d4ed8", "#b45309")  # of neighbouring letters


def handwriting_picture(written: Sequence[tuple[str, Any]], title: str, about: str = "",
                        windows: Sequence[Any] = (), scale: float = 3.0, columns: int = 1) -> Chart:  # fmt: skip
    """Handwritten words, (name, strokes) each, one under another or `columns` beside each other, names small above.

    Strokes are (T, 3), rows (dx, dy, end) as `tg.data.handwriting` has them; a step of length 1 is `scale` points long.
    With `windows`, one (T, U) for each word, how much each step read of each letter of its name, the ink changes where
    the window goes on to the next letter. Raises ValueError where there is nothing to draw.
    """
    if not written:
        raise ValueError(f"{title}: there is no handwriting to draw")
    paths = [_path(strokes, scale) for _, strokes in written]
    wide, high = (max(path[:, axis].max() for path in paths) for axis in (0, 1))
    low = min(path[:, 1].min() for path in paths)
    nodes: list[Node] = []
    edges: list[Edge] = []
    for i, ((name, strokes), path) in enumerate(zip(written, paths, strict=True)):
        row, column = divmod(i, columns)
        x, y = column * (wide + 36), -row * (high - low + 28)
        nodes.append(text_at(f"{i}", x, y + high + 12, Text(name, 10.0, GREY), align="start", tooltip=name))
        looks = np.asarray(windows[i])[:, : len(name)].argmax(1) if windows else None
        edges += _ink(str(i), str(i), np.asarray(strokes), path + np.array([x, y]), looks)
    return titled(title, about, nodes, edges)


def window_picture(text: str, strokes: Any, window: Any, title: str, about: str = "", scale: float = 3.0) -> Chart:
    """A written text and, under it, the window (T, U) that read it: a row for each letter, a column for each step, the
    darker, the more of the letter was read (Graves 2013, figure 13)."""
    looks = np.asarray(window, float)[:, : len(text)].T
    path = _path(strokes, scale)
    nodes = [Node("paper", 0, 0, 0.5, 0.5, "point", stroke="#ffffff")]
    edges = _ink("word", "paper", np.asarray(strokes), path, looks.argmax(0))
    wide, down, top = max(float(path[:, 0].max()), 240.0), 13.0, float(path[:, 1].min()) - 20
    nodes += pixels("window", looks, 0, top, (wide / looks.shape[1], down), INK, highest=float(looks.max()))
    for u, letter in enumerate(text):
        ink = Text(letter, 11.0, INKS[u % 2], bold=True)
        nodes.append(text_at(f"letter/{u}", -9, top - down * (u + 0.5), ink))
    below = top - down * len(text) - 10
    nodes.append(text_at("time", wide / 2, below, Text("time, in steps of the pen", 10.0, GREY)))
    return titled(title, about, nodes, edges)


def _path(strokes: Any, scale: float) -> np.ndarray:
    """Where the pen is before, between and after its steps, (T + 1, 2), in points; the leftmost place has x = 0."""
    steps = np.asarray(strokes, float)
    if steps.ndim != 2 or steps.shape[1] != 3 or not len(steps):
        raise ValueError(f"handwriting is strokes (T, 3), rows of (dx, dy, end of stroke), not {steps.shape}")
    path = scale * np.concatenate([[(0.0, 0.0)], np.cumsum(steps[:, :2], axis=0)])
    return path - (path[:, 0].min(), 0)


def _ink(key: str, anchor: str, strokes: np.ndarray, path: np.ndarray, looks: np.ndarray | None) -> list[Edge]:
    """A line for each run of steps with the pen down and, with `looks`, one letter."""
    down = np.concatenate([[True], strokes[:-1, 2] < 0.5])
    edges = []
    for (drawn, letter), run in groupby(range(len(down)), lambda t: (down[t], -1 if looks is None else looks[t])):
        steps = list(run)
        if drawn:
            points = tuple((x, y) for x, y in path[steps[0] : steps[-1] + 2].tolist())
            colour = INK if looks is None else INKS[letter % 2]
            edges.append(Edge(f"{key}/{steps[0] + 1}", anchor, anchor, points, colour=colour, width=1.5, arrow=False))
    return edges


def density_picture(strokes: Any, density: Any, corner: tuple[float, float], cell: float, title: str, about: str = "",
                    scale: float = 12.0) -> Chart:  # fmt: skip
    """What a network expected of a word's strokes: a map (height, width) of where it thought that the pen would go, the
    darker the surer, its top left corner at `corner` and its cells `cell` wide, in steps from where the pen starts; and
    over it, as orange dots, where it was after each step (Graves 2013, figure 10)."""
    steps = np.asarray(strokes, float)
    path = scale * np.concatenate([[(0.0, 0.0)], np.cumsum(steps[:, :2], axis=0)])
    left, top = scale * corner[0], scale * corner[1]
    shades = np.asarray(density, float)
    nodes = pixels("map", shades, left, top, scale * cell, INK, highest=float(shades.max()))
    nodes += [Node(f"pen/{t}", x, y, 2.6, 2.6, "point", stroke="#ea580c") for t, (x, y) in enumerate(path.tolist())]
    return titled(title, about, nodes)
