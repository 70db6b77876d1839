"""A text coloured by what one unit did at each character, and under each character what the model expected next.

The figure of Karpathy, Johnson & Fei-Fei, "Visualizing and Understanding Recurrent Networks" (2015). It is an HTML page
of real text, or a drawing (SVG, PNG, PDF).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np

from .figure import Node, Text
from .lettering import clean
from .palette import GREY, ink_on
from .plot import Chart, Plot, chart
from .scales import Scale, number

__all__ = ["Firing", "firing", "guess_grid"]

LOW, REST, HIGH, GUESS = (37, 99, 235), (255, 255, 255), (220, 38, 38), (234, 88, 12)
WIDE, TALL, SMALL, BAR = 8.4, 15.0, 10.5, 2.5  # of a character, of a guess, and the thickest bar, in points
_GUESSED = "Below each character what the model expected next, the likeliest on top, the darker the likelier."
VISIBLE = 0.15  # of full strength: what is less than that gets no bar

Guesses = Sequence[Sequence[tuple[str, float]]]


@dataclass(frozen=True)
class _Cell:
    """A character: its number in the text, what is shown for it, how strongly the unit fired (-1 to 1), its guesses."""

    i: int
    shown: str
    strength: float
    value: float | None
    guesses: Sequence[tuple[str, float]]

    @property
    def fill(self) -> str:
        return _mixed(REST, LOW if self.strength < 0 else HIGH, abs(self.strength))

    @property
    def bar(self) -> float:
        """How thick the bar is in points, 0 for none: above the character where the unit is low, else below."""
        return BAR * abs(self.strength) if abs(self.strength) >= VISIBLE else 0.0

    @property
    def words(self) -> str:
        told = self.shown if self.value is None else f"{self.shown}  {number(self.value)}"
        after = ", ".join(f"{_shown(c)} {p:.0%}" for c, p in self.guesses)
        return f"{told}; next: {after}" if after else told


def firing(text: str, activations: Any, name: str = "the unit", guesses: Guesses | None = None,
           title: str | None = None, columns: int = 80, about: str | None = None) -> Firing:  # fmt: skip
    """Colour each character of `text` by `activations (N,)`, the unit's state after it was read.

    Red with a bar below is above 0, blue with a bar above is below 0, the stronger the further; full colour is the
    largest that this text has. `guesses`: for each character what was held likely to come next, [(character,
    probability), ...], the likeliest first; they stand below it, the darker the likelier. `name` is the unit's, for
    title and words. Lines end where the text's do, and after `columns` characters.
    Raises ValueError where the text is empty, or numbers and characters differ in number or are not finite.
    """
    values = np.asarray(activations, float)
    if values.shape != (len(text),) or not text:
        raise ValueError(f"firing: give one number for each character, not {values.shape} for {len(text)} of them")
    if not np.isfinite(values).all():
        raise ValueError(f"firing: character {int(np.flatnonzero(~np.isfinite(values))[0]) + 1} has no finite number")
    largest = float(np.abs(values).max())
    said = (f"Each character is coloured by {name} after reading it: from {number(float(values.min()))} to "
            f"{number(float(values.max()))}, red with a bar below above 0, blue with a bar above below 0, full colour "
            f"at {number(largest)}.")  # fmt: skip
    if guesses is not None:
        said += f"\n{_GUESSED} {_right(text, guesses)}"
    strengths = values / largest if largest else values
    return _picture(text, strengths, values, guesses, title or f"What {name} does", columns, said, about)


def guess_grid(text: str, guesses: Guesses, title: str = "What comes next?", columns: int = 80,
               about: str | None = None) -> Firing:  # fmt: skip
    """The text with the model's guesses alone: under each character what it held likely to come next."""
    if not text:
        raise ValueError("guess_grid: the text is empty")
    said = f"{_GUESSED}\n{_right(text, guesses)}"
    return _picture(text, np.zeros(len(text)), None, guesses, title, columns, said, about)


def _picture(text: str, strengths: np.ndarray, values: np.ndarray | None, guesses: Guesses | None, title: str,
             columns: int, said: str, about: str | None) -> Firing:  # fmt: skip
    if guesses is not None and len(guesses) != len(text):
        raise ValueError(f"give guesses for each character, not {len(guesses)} for {len(text)} of them")
    if columns < 1:
        raise ValueError(f"columns must be 1 or more, not {columns}")
    cells = [_Cell(i, _shown(c), float(strengths[i]), None if values is None else float(values[i]),
                   guesses[i] if guesses is not None else ()) for i, c in enumerate(text)]  # fmt: skip
    lines = list(_lines(text, cells, columns))
    rows = max((len(cell.guesses) for cell in cells), default=0)
    high = TALL + rows * SMALL + (8 if rows else 3)
    plot = Plot("text", Scale(0, columns, 0, columns * WIDE), Scale(0, len(lines), -high * len(lines), 0),
                -high * len(lines), 0)  # fmt: skip
    for row, line in enumerate(lines):
        for column, cell in enumerate(line):
            plot.nodes.extend(_nodes(cell, (column + 0.5) * WIDE, -row * high))
    drawn = chart(title, said, [plot], about)
    return Firing(drawn.figure, lines)


def _lines(text: str, cells: list[_Cell], columns: int) -> Iterator[list[_Cell]]:
    start = 0
    for i, character in enumerate(text, 1):
        if character == "\n" or i - start == columns or i == len(text):
            yield cells[start:i]
            start = i


def _nodes(cell: _Cell, x: float, top: float) -> Iterator[Node]:
    fill = cell.fill
    colour = GREY if cell.shown in "¶·" and fill == "#ffffff" else ink_on(fill)
    words = Text("" if cell.shown == "·" else cell.shown, 10.0, colour)
    yield Node(f"c{cell.i}", x, top - TALL / 2, WIDE, TALL, "rect", (words,), fill, fill, 0.0, tooltip=cell.words)
    if cell.bar:
        y = top - cell.bar / 2 if cell.strength < 0 else top - TALL + cell.bar / 2
        ink = _mixed(REST, LOW if cell.strength < 0 else HIGH, 1.0)
        yield Node(f"c{cell.i}/bar", x, y, WIDE, cell.bar, "rect", fill=_darker(ink), stroke=_darker(ink), pen=0.0)
    for k, (character, p) in enumerate(cell.guesses):
        fill = _mixed(REST, GUESS, p)
        y = top - TALL - 2 - (k + 0.5) * SMALL
        yield Node(f"c{cell.i}/{k}", x, y, WIDE, SMALL, "rect", (Text(_shown(character), 7.5, ink_on(fill)),), fill,
                   fill, 0.0, tooltip=f"{_shown(character)} {p:.1%}")  # fmt: skip


class Firing(Chart):
    """The picture. `.html` is a page of text that can be selected, searched and read aloud."""

    def __init__(self, figure: Any, lines: list[list[_Cell]]) -> None:
        super().__init__(figure)
        self.lines = lines

    @cached_property
    def html(self) -> str:
        title = escape(clean(self.figure.title))
        about = escape(clean(self.figure.description))
        body = "\n".join(f"<p>{''.join(map(_span, line))}</p>" for line in self.lines)
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
            f'<main>\n<h1>{title}</h1>\n<p class="about">{about}</p>\n<div class="text">\n{body}\n</div>\n</main>\n'
            "</body>\n</html>\n"
        )


_STYLE = """
body{font-family:Helvetica,Arial,sans-serif;color:#111827;background:#fff;margin:2em}
h1{font-size:1.3em}.about{max-width:60em;color:#4b5563}
.text{font-family:ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-x:auto}
.text p{margin:0 0 .15em;white-space:nowrap}
.text span{display:inline-block;vertical-align:top;width:1.25ch;text-align:center}
.text b{display:block;font-weight:normal;line-height:1.55;white-space:pre}
.text i{display:block;font-style:normal;font-size:.72em;line-height:1.35;user-select:none}
"""


def _span(cell: _Cell) -> str:
    fill = cell.fill
    style = f"background:{fill};color:{GREY if cell.shown == '¶' and fill == '#ffffff' else ink_on(fill)}"
    if cell.bar:
        ink = _darker(_mixed(REST, LOW if cell.strength < 0 else HIGH, 1.0))
        style += f";box-shadow:inset 0 {cell.bar if cell.strength < 0 else -cell.bar:.1f}px {ink}"
    character = " " if cell.shown == "·" else cell.shown
    parts = [f'<span title="{escape(cell.words)}"><b style="{style}">{escape(character)}</b>']
    for guess, p in cell.guesses:
        fill = _mixed(REST, GUESS, p)
        style = f"background:{fill};color:{ink_on(fill)}"
        parts.append(f'<i aria-hidden="true" style="{style}">{escape(_shown(guess))}</i>')
    return "".join([*parts, "</span>"])


def _right(text: str, guesses: Guesses) -> str:
    """How often the first guess was what came next, in words."""
    pairs = [(guess[0][0], after) for guess, after in zip(guesses, text[1:], strict=False) if guess]
    right = sum(guess == after for guess, after in pairs)
    return f"The first guess was right {right} times of {len(pairs)}." if pairs else ""


def _shown(character: str) -> str:
    return {"\n": "¶", " ": "·", "\t": "→"}.get(character, clean(character).strip("\u00a0") or "\ufffd")


def _mixed(a: tuple[int, int, int], b: tuple[int, int, int], part: float) -> str:
    part = min(1.0, max(0.0, part)) if math.isfinite(part) else 0.0
    return "#" + "".join(f"{round(x + (y - x) * part):02x}" for x, y in zip(a, b, strict=True))


def _darker(colour: str) -> str:
    return "#" + "".join(f"{int(colour[i : i + 2], 16) * 6 // 10:02x}" for i in (1, 3, 5))
