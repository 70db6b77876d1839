"""Numbers in digits and in words, in some fifty languages: pairs of sequences of different lengths, as many as wanted.

Needs num2words, of the extra `data`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

import numpy as np

UNITS = ("words", "characters")
Pairs = tuple[list[list[str]], list[list[str]]]


def number_words(numbers: Iterable[int], language: str = "en", units: str = "words") -> Pairs:
    """Each number as its digits, and as its words in a language of num2words ("en", "de", "fr", "hu", ...).

    `units`: the name is cut into "words", without hyphens and commas, or, for languages that write it as one word, into
    "characters". Raises RuntimeError, which names the remedy, where num2words is not installed; ValueError for a number
    below 0 or a language that it does not know.

    >>> number_words([1984, 7])
    ([['1', '9', '8', '4'], ['7']],
     [['one', 'thousand', 'nine', 'hundred', 'and', 'eighty', 'four'], ['seven']])
    """
    if units not in UNITS:
        raise ValueError(f'number_words: units are "words" or "characters", not {units!r}')
    package = _num2words()
    if language not in package.CONVERTER_CLASSES:
        raise ValueError(f"number_words: num2words has no language {language!r}, but {_few(package)}")
    digits, names = [], []
    for number in numbers:
        if number < 0:
            raise ValueError(f"number_words: numbers are 0 or more, not {number}")
        name = package.num2words(int(number), lang=language)
        digits.append(list(str(int(number))))
        names.append(list(name) if units == "characters" else name.replace("-", " ").replace(",", " ").split())
    return digits, names


def held_out_numbers(limit: int, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The numbers below `limit`, shuffled and parted: those to learn from, and a `share` of them, from 0 to 1, that
    must not be seen. No number is in both. Raises ValueError where either would be empty.

    >>> learn, test = held_out_numbers(10, 0.2, np.random.default_rng(0))
    >>> sorted(learn.tolist() + test.tolist()) == list(range(10)), len(test)
    (True, 2)
    """
    cut = round(limit * share)
    if not 0 < cut < limit:
        raise ValueError(f"held_out_numbers: a share {share} of {limit} numbers leaves {limit - cut} to learn from and "
                         f"{cut} to test: at least one of each")  # fmt: skip
    shuffled = rng.permutation(limit)
    return shuffled[cut:], shuffled[:cut]


def _num2words() -> Any:
    try:
        return importlib.import_module("num2words")
    except ImportError:
        raise RuntimeError("number_words: the names come from num2words, which is not installed: "
                           "pip install 'tinygrad_rnn[data]'") from None  # fmt: skip


def _few(package: Any) -> str:
    known = sorted(name for name in package.CONVERTER_CLASSES if len(name) == 2)
    return ", ".join(known)
