"""Letters in a picture: subscripts that every engine can draw, and one width table on which all engines agree.

Graphviz builds without pango only guess how wide a text is, and HTML-like ``<SUB>`` is missing from some of them and
ignored by some browsers. So subscripts are Unicode characters, and widths come from Helvetica's own table, here.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["FONT", "LINE_SPACING", "clean", "label", "runs", "text_width"]

FONT = "Helvetica,Arial,sans-serif"
LINE_SPACING = 1.2  # distance of two lines, in units of the font size

_SUBSCRIPTS = dict(zip("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
_SUBSCRIPTS["\N{MINUS SIGN}"] = "₋"

# A symbol (one or two letters) may have up to three letters below it; numbers and braces may follow any name. Longer
# words, like hidden_state, are names and not symbols.
_SUBSCRIPTED = re.compile(
    r"(?<!\w)(?:(?P<symbol>[^\W\d_]{1,2})_(?P<letters>[A-Za-z]{1,3})"
    r"|(?P<name>[^\W_]+)_(?:(?P<number>[0-9]+)|\{(?P<braced>[^{}]+)\}))(?![\w{])"
)


def label(text: str) -> str:
    """Write subscripts as Unicode characters, where every character of the subscript exists as one.

    Otherwise the text is left as it is: there is no subscript ``y``, so ``W_hy`` stays plain rather than half lowered.

    >>> label("h_1"), label("h_{t-1}"), label("W_hh"), label("W_hy"), label("hidden_state")
    ('h₁', 'hₜ₋₁', 'Wₕₕ', 'W_hy', 'hidden_state')
    """

    def lower(match: re.Match[str]) -> str:
        base = match["symbol"] or match["name"]
        below = match["letters"] or match["number"] or match["braced"]
        if all(character in _SUBSCRIPTS for character in below):
            return base + "".join(_SUBSCRIPTS[character] for character in below)
        return match[0]

    return _SUBSCRIPTED.sub(lower, text) if "_" in text else text


# Helvetica's advance widths (Adobe's font metrics) for space to tilde, in thousandths of the font size.
_WIDTHS = dict(
    zip(
        map(chr, range(32, 127)),
        [
            278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
            556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
            1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
            667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
            333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
            556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
        ],
        strict=True,
    )
)
_WIDTHS.update({below: round(0.7 * _WIDTHS[plain]) for plain, below in _SUBSCRIPTS.items() if plain in _WIDTHS})
_WIDTHS.update({"₋": 409, "∇": 700, "∂": 500, "∑": 713, "×": 584, "−": 584, "…": 1000, "‖": 400, "·": 278})
_WIDTHS.update(dict.fromkeys("⁰¹²³⁴⁵⁶⁷⁸⁹", 333))


@lru_cache(maxsize=4096)
def text_width(text: str, size: float = 12.0, bold: bool = False) -> float:
    """Width in points of one line of Helvetica of the given size; a fixed table, the same on every machine.

    >>> text_width("h", 10.0)
    5.56
    """
    thousandths = sum(_WIDTHS.get(character) or _other_width(character) for character in text)
    return round(thousandths * size * (1.07 if bold else 1.0) / 1000, 4)


def _other_width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Cc"):
        return 0
    return 1000 if unicodedata.east_asian_width(character) in "WF" else 600


_LETTERS = {character: plain for plain, character in _SUBSCRIPTS.items()} | {"₋": "\N{MINUS SIGN}"}
_RUNS = re.compile(
    f"(?P<below>[{''.join(_LETTERS)}]+)"
    "|(?P<common>[\x20-\u02ff\u0370-\u04ff\u2013-\u2026\u2190-\u2193∂∑√∞−≈≠≤≥]+)|(?P<rare>.)"
)


def runs(text: str, size: float = 12.0, bold: bool = False) -> list[tuple[str, float, float, float]]:
    """One line cut into runs (text, x, drop below the line, font size), in points, x from the left end of the line.

    For a rasteriser that takes a single font for a whole line: subscripts become plain letters, smaller and lower, and
    a character that Helvetica's relatives lack stands alone.

    >>> runs("h₁", 10.0)
    [('h', 0.0, 0.0, 10.0), ('1', 5.56, 1.8, 7.0)]
    """
    placed, x = [], 0.0
    for match in _RUNS.finditer(text):
        if match["below"]:
            placed.append(("".join(_LETTERS[c] for c in match[0]), x, round(0.18 * size, 4), round(0.7 * size, 4)))
        else:
            placed.append((match[0], x, 0.0, size))
        x += text_width(match[0], size, bold)
    return placed


# What XML 1.0 cannot hold, escaped or not: control characters, lone surrogates and two non-characters.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_OUTER_SPACE = re.compile(r"^ +| +$| {2,}")


def clean(text: str) -> str:
    """One line of text as every engine can draw it: no control characters, and spaces that are not collapsed."""
    text = _ILLEGAL.sub("", text).replace("\r", "").replace("\t", "    ").replace("\n", " ")
    return _OUTER_SPACE.sub(lambda spaces: "\N{NO-BREAK SPACE}" * len(spaces[0]), text) if " " in text else text
