"""Sequences of words, or of any tokens, as integers, with 0 for END."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .lengths import pad


@dataclass(frozen=True)
class Words:
    """The words that a model knows, numbered from 1; 0 is END, which closes a sequence, and what pads it.

    Raises ValueError where there are none, or one twice.

    >>> words = Words.of([["one", "hundred"], ["one"]])
    >>> words.words, len(words)
    (('hundred', 'one'), 3)
    >>> ids, mask = words.batch([["one", "hundred"], ["one"]])
    >>> ids.T.tolist(), mask.astype(int).T.tolist(), words.decode(ids)
    ([[2, 1, 0], [2, 0, 0]], [[1, 1, 1], [1, 1, 0]], [['one', 'hundred'], ['one']])
    """

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.words or len(set(self.words)) < len(self.words):
            raise ValueError(f"Words: needs words, each once, not {self.words[:10]}")

    @classmethod
    def of(cls, sequences: Iterable[Iterable[str]]) -> Words:
        """The words of these sequences, sorted."""
        return cls(tuple(sorted({word for sequence in sequences for word in sequence})))

    def __len__(self) -> int:
        """How many numbers there are: the words and END."""
        return len(self.words) + 1

    @cached_property
    def _number(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words, 1)}

    def batch(self, sequences: Sequence[Sequence[str]], end: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """`ids (T, B), mask (T, B)` of B sequences, each with END behind it unless `end` is False; the mask is True on
        its words and its END. Raises ValueError for a word that is not known."""
        rows = [[self._find(word) for word in sequence] + [0] * end for sequence in sequences]
        return pad([np.array(row, int) for row in rows])

    def decode(self, ids: Any) -> list[list[str]]:
        """The words of each sequence of ids (T, B), up to its first END."""
        found = []
        for column in np.asarray(ids).T.tolist():
            column = column[: column.index(0)] if 0 in column else column
            found.append([self.words[i - 1] for i in column])
        return found

    def _find(self, word: str) -> int:
        if word not in self._number:
            raise ValueError(f"Words: {word!r} is not one of the {len(self.words)} words that the model knows")
        return self._number[word]
