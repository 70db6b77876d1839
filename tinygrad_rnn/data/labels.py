"""What a reader of a text knows at each character: is this inside a string, how deep in brackets, how far in the line.

The label of character t says how things stand *after* it was read, as does the state of a network that has read it: an
opening quote is inside, the closing one outside. So activations and labels are compared at the same t.

Texts are scanned here and not by `tokenize`, since they may be cut anywhere, or be no Python at all.
"""

from __future__ import annotations

import re

import numpy as np

LABELS = {
    "quotes": "inside a string on one line",
    "docstrings": "inside a string in three quotes",
    "comments": "inside a comment",
    "if": "in the condition of an if or elif",
    "brackets": "inside brackets of any kind",
    "depth": "how many brackets are open",
    "position": "characters since the bracket opened, where one is open",
    "indent": "spaces before the text of the line, until that of the next begins",
    "line": "characters since the line began",
    "newline": "the next character ends the line",
    "url": "inside a web address, after http:",
}
"""The labels, by name, and what they mean; those that prose has too are IN_PROSE."""
IN_PROSE = ("quotes", "brackets", "depth", "position", "line", "newline", "url")

_CODE = re.compile(r"""
      (?P<comments> \#[^\n]* )
    | (?P<docstrings> \"{3} (?:\\.|[^\\])*? (?:\"{3}|\Z)  |  '{3} (?:\\.|[^\\])*? (?:'{3}|\Z) )
    | (?P<quotes> \" (?:\\.|[^"\\\n])*+ (?:"|(?=\n)|\Z)  |  ' (?:\\.|[^'\\\n])*+ (?:'|(?=\n)|\Z) )
""", re.VERBOSE | re.DOTALL)  # fmt: skip
_PROSE = re.compile(r'(?P<quotes>"(?:[^"\n]|\n(?!\n))*+(?:"|(?=\n)|\Z))')  # no apostrophes; a paragraph ends it
_IF = re.compile(r"^[ \t]*(?:el)?if\b", re.MULTILINE)
_URL = re.compile(r"https?(://[^\s\"'<>)]+)")
_BRACKETS = {ord(opening): 1 for opening in "([{"} | {ord(closing): -1 for closing in ")]}"}


def text_labels(text: str, prose: bool = False) -> dict[str, np.ndarray]:
    """Each label of LABELS for every character of `text`, float64 (N,): 0 and 1 for no and yes, else a number, and NaN
    where it makes no sense. `prose`: strings are what stands in double quotes, and only those IN_PROSE are given.

    In code a bracket in a string or comment is none. A string that is not closed ends with its line.

    >>> found = text_labels('f("a)") # x')
    >>> [found[name].astype(int).tolist() for name in ("quotes", "comments", "depth")]
    [[0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1], [0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]]
    """
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    inside = {name: np.zeros(len(text), bool) for name in ("quotes", "docstrings", "comments")}
    plain = np.ones(len(text), bool)  # neither string nor comment, their last quotes included
    for match in (_PROSE if prose else _CODE).finditer(text):
        start, stop = match.span()
        closed = match.lastgroup != "comments" and text[stop - 1] in "\"'" and stop - start > 1
        inside[match.lastgroup or ""][start : stop - closed] = True
        plain[start:stop] = prose
    depth = _depth(points, plain)
    newline = points == ord("\n")
    place = np.arange(len(text))
    found: dict[str, np.ndarray] = {
        **inside,
        "if": _conditions(text, plain, depth),
        "brackets": depth > 0,
        "depth": depth,
        "position": np.where(depth > 0, place - _latest(place, depth == 0, -1) - 1, np.nan),
        "indent": _indentation(text),
        "line": place - _latest(place, newline, -1),
        "newline": np.append(newline[1:], np.nan) if len(text) else newline,
        "url": _within(text, _URL, 1),
    }
    return {name: found[name].astype(np.float64) for name in (IN_PROSE if prose else LABELS)}


def _latest(values: np.ndarray, where: np.ndarray, before: int) -> np.ndarray:
    """At each place the last of the rising values that stood where `where` is True; before the first, `before`."""
    return np.maximum.accumulate(np.where(where, values, before))


def _depth(points: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """How many brackets are open; one that closes nothing counts for nothing."""
    change = np.zeros(len(points), int)
    for bracket, by in _BRACKETS.items():
        change[(points == bracket) & plain] = by
    running = np.cumsum(change)
    return running - np.minimum(np.minimum.accumulate(running), 0)


def _conditions(text: str, plain: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """From `if` or `elif`, where it begins a line outside brackets, strings and comments, up to its colon."""
    inside = np.zeros(len(text), bool)
    for match in _IF.finditer(text):
        start = match.end() - 1
        if not plain[start] or depth[start]:
            continue
        for stop in range(start, len(text)):
            if plain[stop] and not depth[stop] and (text[stop] == ":" or (text[stop] == "\n" != text[stop - 1])):
                break
        inside[start:stop] = True
    return inside


def _indentation(text: str) -> np.ndarray:
    """Of the line whose text began last: what a block's depth is told by, kept over the line's end and blank lines."""
    begins = [(match.end(), match.end() - match.start()) for match in re.finditer(r"^ *(?=\S)", text, re.MULTILINE)]
    at = np.array([0, *(place for place, _ in begins), len(text)])
    return np.repeat([0, *(spaces for _, spaces in begins)], np.diff(at))


def _within(text: str, pattern: re.Pattern[str], group: int) -> np.ndarray:
    inside = np.zeros(len(text), bool)
    for match in pattern.finditer(text):
        inside[slice(*match.span(group))] = True
    return inside
