"""Handwriting as a pen sees it: words of the Hershey fonts as sequences of small offsets, and back to lines.

The glyphs are the Hershey Fonts, originally created by Dr. A. V. Hershey while working at the U.S. National Bureau of
Standards; the format of the font data that carries them was created by James Hurt, Cognition, Inc., 900 Technology
Park Drive, Billerica, MA 01821. (Their licence asks that this be said; the data are not in the format of the U.S.
NTIS.) The package Hershey-Fonts brings them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from .lengths import pad
from .text import Vocabulary

BASELINE, CAPITAL = 9, 21  # of the fonts' own grid, in which y runs downwards: where a line stands, and an A's height
JOINED = 1.5 / CAPITAL  # strokes of neighbouring letters whose ends are so near are one: a cursive hand


def hershey(text: str, font: str = "scripts", spacing: float | None = None) -> list[np.ndarray]:
    """The strokes of a line of text, each (n, 2), n >= 2: x to the right, y upwards from 0, where the letters stand; a
    capital letter is 1 high. "scripts" is a cursive hand whose letters join, "futural" plain print; about 30 more.

    With `spacing`, `resampled` at that distance, letter by letter: a letter's points depend on it alone. Raises
    ValueError, naming what there is, for another font or a character that the font lacks, RuntimeError where the
    package is missing.

    >>> [stroke.round(2).tolist() for stroke in hershey("l", "futural")]
    [[[0.19, 1.0], [0.19, 0.0]]]
    """
    glyphs = _font(font, spacing)
    strokes, at = [], 0.0
    for number, letter in enumerate(text, 1):
        if letter not in glyphs:
            raise ValueError(f"hershey: character {letter!r} (number {number} of the text) is not in the font {font}, "
                             f"which has {''.join(sorted(glyphs)).strip()}")  # fmt: skip
        of_letter, width = glyphs[letter]
        strokes += [stroke + np.array([at, 0]) for stroke in of_letter]
        at += width
    return strokes


@cache
def _font(name: str, spacing: float | None) -> dict[str, tuple[list[np.ndarray], float]]:
    """The strokes and the width of each letter."""
    try:
        from HersheyFonts import HersheyFonts
    except ImportError:
        raise RuntimeError("the strokes of letters come with the package Hershey-Fonts, which is not installed: "
                           "pip install 'tinygrad_rnn[data]'") from None  # fmt: skip
    fonts = HersheyFonts()
    if name not in fonts.default_font_names:
        raise ValueError(f"hershey: there is no font {name!r}; there are {', '.join(fonts.default_font_names)}")
    fonts.load_default_font(name)
    letters = {}
    for letter, glyph in fonts.all_glyphs.items():
        strokes = [(np.array(stroke, float) - (glyph.left_offset, BASELINE)) * (1, -1) / CAPITAL
                   for stroke in glyph.strokes if len(stroke) > 1]  # fmt: skip
        strokes = strokes if spacing is None else [resampled(stroke, spacing) for stroke in strokes]
        letters[letter] = strokes, glyph.char_width / CAPITAL
    return letters


def resampled(stroke: np.ndarray, spacing: float) -> np.ndarray:
    """Points (m, 2) at even distances along a stroke (n, 2), its ends among them, about `spacing` apart; m >= 2, and
    m >= 4 where it ends where it began, as the dot of an i does.

    >>> resampled(np.array([[0.0, 0.0], [0.0, 1.0], [2.0, 1.0]]), 0.5).tolist()
    [[0.0, 0.0], [0.0, 0.5], [0.0, 1.0], [0.5, 1.0], [1.0, 1.0], [1.5, 1.0], [2.0, 1.0]]
    """
    if not spacing > 0:
        raise ValueError(f"resampled: the spacing of the points must be positive, and it is {spacing}")
    walked = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])
    fewest = 3 if np.allclose(stroke[0], stroke[-1]) else 1
    places = np.linspace(0, walked[-1], max(fewest, round(walked[-1] / spacing)) + 1)
    return np.stack([np.interp(places, walked, stroke[:, axis]) for axis in (0, 1)], axis=1)


@dataclass(frozen=True)
class Hand:
    """How a word is written: the angles in radians, the sizes relative to the font's, `wobble` in spacings of points.

    `Hand.drawn(rng)` is somebody's: a little slanted, climbing, wide, large, and never twice the same.
    """

    slant: float = 0.0
    climb: float = 0.0
    width: float = 1.0
    size: float = 1.0
    wobble: float = 0.0

    @classmethod
    def drawn(cls, rng: np.random.Generator, variety: float = 1.0, wobble: float = 0.06) -> Hand:
        """Another hand each time; `variety` 0 is the font's own."""
        slant, climb, width, size = rng.uniform(-variety, variety, 4) * (0.2, 0.06, 0.12, 0.12)
        return cls(slant, climb, 1 + width, 1 + size, wobble)

    def written(self, points: np.ndarray) -> np.ndarray:
        """The points (n, 2) sheared, stretched, scaled and rotated."""
        cos, sin = np.cos(self.climb), np.sin(self.climb)
        shear = np.array([[self.width, 0.0], [np.tan(self.slant), 1.0]])  # rows are points: (x, y) @ shear
        return self.size * points @ shear @ np.array([[cos, sin], [-sin, cos]])


def handwriting(text: str, rng: np.random.Generator | None = None, hand: Hand | None = None, font: str = "scripts",
                spacing: float = 0.15) -> np.ndarray:  # fmt: skip
    """A word as the pen's movements: float32 (T, 3), in rows (dx, dy, end), from each point to the next.

    Points lie at even distances of about `spacing` (a capital letter is 1 high) along each letter's strokes, and dx, dy
    are in units of it: most steps have length 1, which is what a network likes. `end` is 1 where the pen is lifted
    after the step (Graves 2013, section 4). The first row leads from the word's first point to its second. Letters of a
    cursive font are joined. With a generator, the `hand` is drawn from it unless it is given, and points wobble.

    >>> x = handwriting("hi")
    >>> x.shape, float(x[:, 2].sum())
    ((35, 3), 3.0)
    """
    hand = hand or (Hand() if rng is None else Hand.drawn(rng))
    strokes: list[np.ndarray] = []
    for points in hershey(text, font, spacing):
        if strokes and np.hypot(*(strokes[-1][-1] - points[0])) < JOINED:
            strokes[-1] = np.concatenate([strokes[-1], points[1:]])
        else:
            strokes.append(points)
    if not strokes:
        raise ValueError(f"handwriting: {text!r} has nothing to write")
    points = hand.written(np.concatenate(strokes)) / spacing
    if rng is not None:
        points += hand.wobble * rng.standard_normal(points.shape)
    ends = np.concatenate([np.arange(len(stroke)) == len(stroke) - 1 for stroke in strokes])
    return np.concatenate([np.diff(points, axis=0), ends[1:, None]], axis=1).astype(np.float32)


def to_lines(strokes: Sequence[Any] | np.ndarray, spacing: float = 1.0, start: tuple[float, float] = (0.0, 0.0)
             ) -> list[np.ndarray]:  # fmt: skip
    """The lines (n, 2) that a pen draws which starts down at `start` and moves by the rows (dx, dy, end) of `strokes`,
    (T, 3), in units of `spacing`: the inverse of `handwriting` but for where it starts.

    Raises ValueError for another shape.

    >>> [line.tolist() for line in to_lines([[1, 0, 0], [0, 1, 1], [5, 0, 0], [1, 1, 1]])]
    [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], [[6.0, 1.0], [7.0, 2.0]]]
    """
    rows = np.asarray(strokes, float)
    if rows.ndim != 2 or rows.shape[1] != 3:
        raise ValueError(f"to_lines: strokes are (T, 3), rows of (dx, dy, end of stroke), not {rows.shape}")
    points = np.concatenate([[start], start + spacing * np.cumsum(rows[:, :2], axis=0)])
    after = np.flatnonzero(rows[:-1, 2] > 0.5) + 2 if len(rows) else np.zeros(0, int)
    return [line for line in np.split(points, after) if len(line)]


def handwriting_batch(words: Sequence[str], rng: np.random.Generator | None = None, **options: Any
                      ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """x (T + 1, B, 3) and mask (T, B) of words written as by `handwriting`: row 0 is (0, 0, 1), a pen in the air, so
    that inputs are x[:-1], targets x[1:], and the mask says which targets there are.

    >>> x, mask = handwriting_batch(["a", "lstm"])
    >>> x.shape, mask.sum(axis=0).tolist(), x[0].tolist()
    ((68, 2, 3), [16, 67], [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    """
    x, mask = pad([handwriting(word, rng, **options) for word in words])
    lifted = np.zeros((1, *x.shape[1:]), x.dtype)
    lifted[..., 2] = 1
    return np.concatenate([lifted, x]), mask


def one_hot_text(words: Sequence[str], letters: str, length: int | None = None) -> np.ndarray:
    """Words as one-hot letters, float32 (B, U, V), V = len(letters); U is the longest word's length, or `length`;
    shorter words end in places that are all zero. Raises ValueError for a letter that is not one of `letters`.

    >>> one_hot_text(["ab", "b"], "ab").tolist()
    [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 0.0]]]
    """
    known = Vocabulary(letters)
    text = np.zeros((len(words), max(map(len, words)) if length is None else length, len(letters)), np.float32)
    for b, word in enumerate(words):
        text[b, range(len(word)), known.encode(word)] = 1
    return text
