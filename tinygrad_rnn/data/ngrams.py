"""Counted contexts, the baseline of every language model: how often did each character follow the last few?"""

from __future__ import annotations

from typing import Any

import numpy as np


class NGrams:
    """Chances of the next character from its last n - 1, for n from 1 to `order`, counted in `ids (N,)` of a vocabulary
    of V characters.

    A long context is seldom seen, so each is mixed with the one shorter by a character, down to 1 / V for all:

        p_n(x | context) = (count(context x) + types(context) p_{n-1}(x | shorter context)) / (count(context) + types)

    where `types` counts what has ever followed the context: who has been surprised often expects to be again. I. Witten
    & T. Bell, "The zero-frequency problem" (1991), method C. Raises ValueError where there is nothing to count, or
    V^order is more than 64 bits hold.

    >>> import math
    >>> model = NGrams(np.array([0, 1, 0, 1, 0]), V=2, order=2)
    >>> model.probabilities(np.array([0, 1]))[:, 1].round(4).tolist()  # of the 1 after a 0: alone, and after the 0
    [0.4286, 0.8095]
    """

    def __init__(self, ids: Any, V: int, order: int) -> None:
        ids = np.asarray(ids)
        if order < 1 or V**order >= 2**63:
            raise ValueError(f"NGrams: order {order} of {V} characters: from 1 to {int(63 / np.log2(max(V, 2)))}")
        if len(ids) < order:
            raise ValueError(f"NGrams: {len(ids)} characters are fewer than the order, {order}")
        self.V, self.order = V, order
        self.levels = [_Level(_codes(ids, V, n), V) for n in range(1, order + 1)]

    def probabilities(self, ids: Any) -> np.ndarray:
        """(order, N): the chance that each n gives to each character of a text; at its beginning contexts are as long
        as it allows."""
        ids = np.asarray(ids)
        found = np.empty((self.order, len(ids)))
        p = np.full(len(ids), 1 / self.V)
        for n, level in enumerate(self.levels, 1):
            later = p[n - 1 :]
            seen, total, types = level.look_up(_codes(ids, self.V, n))
            p = p.copy()
            p[n - 1 :] = np.where(total > 0, (seen + types * later) / np.maximum(total + types, 1), later)
            found[n - 1] = p
        return found

    def bits(self, ids: Any) -> np.ndarray:
        """(order,): for each n, the mean number of bits that a character of the text costs."""
        return -np.log2(self.probabilities(ids)).mean(axis=1)


class _Level:
    """All n-grams of one n: how often each was seen, and for each context how often, followed by how many different."""

    def __init__(self, codes: np.ndarray, V: int) -> None:
        self.V = V
        self.grams, self.seen = np.unique(codes, return_counts=True)
        self.contexts, start = np.unique(self.grams // V, return_index=True)
        self.types = np.diff(np.append(start, len(self.grams)))
        self.total = np.add.reduceat(self.seen, start)

    def look_up(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """count(context x), count(context), types(context), 0 for what was not seen."""
        contexts = codes // self.V
        return (_at(self.grams, self.seen, codes), _at(self.contexts, self.total, contexts),
                _at(self.contexts, self.types, contexts))  # fmt: skip


def _at(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)


def _codes(ids: np.ndarray, V: int, n: int) -> np.ndarray:
    """Each n characters in a row as one number, the last as its lowest digit."""
    count = max(0, len(ids) - n + 1)
    codes = np.zeros(count, np.int64)
    for k in range(n):
        codes = codes * V + ids[k : k + count]
    return codes
