"""The smallest character model's text."""

from __future__ import annotations

import numpy as np

from ..text import Vocabulary

HELLO_WITHOUT_MEMORY = float(np.log(2) / 2)
"""The least loss of `hello`, in nats a character, for a model that sees only the present one: after l comes l or o."""


def hello() -> tuple[Vocabulary, np.ndarray]:
    """The smallest character model: the vocabulary h, e, l, o and "hello" in numbers as one window (T + 1 = 5, B = 1).

    Inputs are h, e, l, l and targets e, l, l, o. The two l's have different targets, so a model without memory cannot
    get below ln(2)/2 = 0.3466 nats a character; one that knows nothing starts at ln 4 = 1.386. From the lectures on
    character-level language models (A. Karpathy, "The Unreasonable Effectiveness of Recurrent Neural Networks", 2015).

    >>> vocabulary, window = hello()
    >>> vocabulary.chars, window[:, 0].tolist()
    ('helo', [0, 1, 2, 2, 3])
    """
    vocabulary = Vocabulary("helo")
    return vocabulary, vocabulary.encode("hello")[:, None]
