"""The same fact in different places of a sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .sizes import needs

_FILLERS = ("I", "went", "to", "Russia", "and", "then", "home", ",", "we", "saw", "snow", "again")
YEARS = tuple(str(year) for year in range(2010, 2020))
YEAR_WORDS = (*_FILLERS, "in", *YEARS)
"""The words of `year_sentences`, by their number."""
YEAR_WITHOUT_READING = float(np.log(10))
"""The cross-entropy of `year_sentences`, in nats, for who finds no year: ten, all as likely."""


def year_sentences(rng: np.random.Generator, seq_len: int, batch_size: int,
                   places: Sequence[int] | None = None) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Sentences of words, integers x (T, B), and the year that each names, y (B,), an integer from 0 to 9.

    "I went to Russia in 2019" and "In 2019, I went to Russia" say the same; from Goodfellow, Bengio and Courville
    ("Deep Learning", 2016, chapter 10), who ask it of networks that share their weights over time and of those that do
    not. Here a year stands after the word "in" at one of `places` (counted from 0, all but the first by default), the
    same chance for each, and every other word is one of twelve at random. Raises ValueError where a place is not from 1
    to seq_len - 1, seq_len < 2 or batch_size < 1.

    >>> x, y = year_sentences(np.random.default_rng(0), seq_len=6, batch_size=1, places=[5])
    >>> " ".join(YEAR_WORDS[word] for word in x[:, 0]), YEARS[y[0]]
    ('snow , home Russia in 2010', '2010')
    """
    needs("year_sentences", seq_len=(seq_len, 2), batch_size=(batch_size, 1))
    allowed = np.arange(1, seq_len) if places is None else np.asarray(places)
    if allowed.size == 0 or allowed.min() < 1 or allowed.max() >= seq_len:
        raise ValueError(f"year_sentences: places are from 1 (the word before is `in`) to {seq_len - 1}, not "
                         f"{list(allowed)}")  # fmt: skip
    x = rng.integers(0, len(_FILLERS), (seq_len, batch_size))
    y, rows = rng.integers(0, len(YEARS), batch_size), np.arange(batch_size)
    at = rng.choice(allowed, batch_size)
    x[at - 1, rows] = len(_FILLERS)
    x[at, rows] = len(_FILLERS) + 1 + y
    return x, y
