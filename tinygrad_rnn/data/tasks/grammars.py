"""Strings of a grammar, to be predicted symbol by symbol: what may come next is known at every step.

A string becomes x, all its symbols but the last, and y, all but the first; `legal (T, B, V)` is True for each symbol
that may follow. A network has learned a string when, at every step, each legal symbol is more active than any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..lengths import pad
from .sizes import needs, one_of

REBER = "BTSXPVE"
"""The symbols of Reber's grammar: B begins a string, E ends it."""
COUNTED = "Sabc"
"""The symbols of a^n b^n and a^n b^n c^n; S stands at both ends."""
OUTER_WITHOUT_MEMORY = float(np.log(2))
"""What a string of the embedded grammar costs more, in nats, for who has forgotten its second symbol when the same is
due as its last but one: both are as likely."""

_NEXT = {0: {"B": 1}, 1: {"T": 2, "P": 3}, 2: {"S": 2, "X": 4}, 3: {"T": 3, "V": 5}, 4: {"X": 3, "S": 6},
         5: {"P": 4, "V": 6}, 6: {"E": 7}}  # fmt: skip


class Strings(NamedTuple):
    """A batch of strings: one-hot x (T, B, V), targets y (T, B), legal (T, B, V), and mask (T, B), True within each."""

    x: np.ndarray
    y: np.ndarray
    legal: np.ndarray
    mask: np.ndarray

    def learned(self, logits: np.ndarray) -> np.ndarray:
        """Which strings (B,) are right at every step: no illegal symbol's logit reaches a legal one's (T, B, V)."""
        legal = np.where(self.legal, logits, np.inf).min(axis=2)
        illegal = np.where(self.legal, -np.inf, logits).max(axis=2)
        return ((legal > illegal) | ~self.mask).all(axis=0)


def reber(rng: np.random.Generator) -> str:
    """A string of Reber's grammar: a walk from B to E in which every choice of two is as likely.

    From A. Reber ("Implicit learning of artificial grammars", 1967), with the ends of A. Cleeremans,
    D. Servan-Schreiber and J. McClelland ("Finite State Automata and Simple Recurrent Networks", 1989).

    >>> reber(np.random.default_rng(1))
    'BTXSE'
    """
    string, state = "", 0
    while state != 7:
        ways = list(_NEXT[state])
        symbol = ways[rng.integers(2)] if len(ways) == 2 else ways[0]
        string, state = string + symbol, _NEXT[state][symbol]
    return string


def embedded_reber(rng: np.random.Generator) -> str:
    """B, then T or P, then a string of `reber`, then the same T or P, then E: to predict the last but one symbol, the
    second has to be remembered across the string in between (S. Fahlman, "The Recurrent Cascade-Correlation
    Architecture", 1991; S. Hochreiter and J. Schmidhuber, "Long Short-Term Memory", 1997, section 5.1).

    >>> embedded_reber(np.random.default_rng(1))
    'BTBPVVETE'
    """
    outer = "TP"[rng.integers(2)]
    return f"B{outer}{reber(rng)}{outer}E"


def followers(string: str, embedded: bool = True) -> list[str]:
    """For each symbol of a string but the last, all symbols that may follow what has been read until there.

    Raises ValueError where the string is not of the grammar.

    >>> followers("BTBTXSETE")
    ['TP', 'B', 'TP', 'SX', 'XS', 'E', 'T', 'E']
    """
    inner = string[2:-2] if embedded else string
    found, state = [], 0
    for symbol in inner:
        if symbol not in _NEXT.get(state, {}):
            raise ValueError(f"followers: {string!r} is no string of the{' embedded' * embedded} grammar")
        state = _NEXT[state][symbol]
        found.append("".join(_NEXT.get(state, {})))
    if state != 7 or (embedded and string != f"B{string[1]}{inner}{string[1]}E") or string[1:2] not in ("T", "P"):
        raise ValueError(f"followers: {string!r} is no string of the{' embedded' * embedded} grammar")
    return ["TP", "B", *found[:-1], string[1], "E"] if embedded else found[:-1]


def reber_strings(rng: np.random.Generator, batch_size: int, embedded: bool = True) -> Strings:
    """A batch of strings of `embedded_reber`, or of `reber`: V = 7, in the order of REBER. Who forgets pays
    OUTER_WITHOUT_MEMORY more for each embedded string. Raises ValueError where batch_size < 1.

    >>> strings = reber_strings(np.random.default_rng(0), 3)
    >>> strings.x.shape, strings.mask.sum(axis=0).tolist()
    ((15, 3, 7), [15, 8, 8])
    """
    needs("reber_strings", batch_size=(batch_size, 1))
    strings = [(embedded_reber if embedded else reber)(rng) for _ in range(batch_size)]
    return encode(strings, REBER, lambda string: followers(string, embedded))


def reber_stream(rng: np.random.Generator, seq_len: int, batch_size: int) -> Strings:
    """Embedded strings one after another, without a sign that one has ended but its E: `seq_len` steps of batch_size
    streams, each beginning with a string. After E comes B (F. Gers, J. Schmidhuber and F. Cummins, "Learning to Forget:
    Continual Prediction with LSTM", 2000, section 4). Raises ValueError where seq_len or batch_size < 1.

    >>> reber_stream(np.random.default_rng(0), 100, 2).x.shape
    (100, 2, 7)
    """
    needs("reber_stream", seq_len=(seq_len, 1), batch_size=(batch_size, 1))
    streams, legal = [], []
    for _ in range(batch_size):
        stream, may = "", list[str]()
        while len(stream) <= seq_len:
            string = embedded_reber(rng)
            stream, may = stream + string, [*may, *followers(string), "B"]
        streams.append(stream[: seq_len + 1])
        legal.append(may[:seq_len])
    table = iter(legal)
    return encode(streams, REBER, lambda stream: next(table))


def counted(rng: np.random.Generator, batch_size: int, least: int = 1, most: int = 10, letters: str = "ab") -> Strings:
    """A batch of S a^n b^n S, or with letters="abc" of S a^n b^n c^n S, n from `least` to `most`: V = 4, as in COUNTED.

    After an a both a and b may come; the rest is certain, to who has counted (F. Gers and J. Schmidhuber, "LSTM
    Recurrent Networks Learn Simple Context-Free and Context-Sensitive Languages", 2001). Who cannot count knows no
    better than the chance of each b to be the last. Raises ValueError where batch_size or least < 1, most < least, or
    letters is neither.

    >>> counted(np.random.default_rng(0), 1, 2, 2, "abc").y[:, 0].tolist()
    [1, 1, 2, 2, 3, 3, 0]
    """
    needs("counted", batch_size=(batch_size, 1), least=(least, 1), most=(most, least, "least"))
    one_of("counted", "letters", letters, ("ab", "abc"))
    strings = ["S" + "".join(letter * n for letter in letters) + "S" for n in rng.integers(least, most + 1, batch_size)]
    return encode(strings, COUNTED, _counted_followers)


def _counted_followers(string: str) -> list[str]:
    return ["ab" if symbol == "a" else after for symbol, after in pairwise(string)]


def encode(strings: Sequence[str], symbols: str, followers: Callable[[str], Sequence[str]],
           dtype: type[np.floating] = np.float32) -> Strings:  # fmt: skip
    """Strings as arrays; `followers(string)` gives, for each symbol but the last, the symbols that may come next."""
    eye = np.eye(len(symbols), dtype=dtype)
    ids = [np.array([symbols.index(symbol) for symbol in string]) for string in strings]
    x, mask = pad([eye[each[:-1]] for each in ids])
    y, _ = pad([each[1:] for each in ids])
    legal, _ = pad([[[symbol in may for symbol in symbols] for may in followers(string)] for string in strings])
    return Strings(x, y, legal, mask)
