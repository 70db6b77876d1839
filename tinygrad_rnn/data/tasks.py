"""Small tasks whose answer needs memory, and whose loss without memory is known."""

from __future__ import annotations

import numpy as np

from .text import Vocabulary

HELLO_WITHOUT_MEMORY = float(np.log(2) / 2)
"""The least loss of `hello`, in nats a character, for a model that sees only the present one: after l comes l or o."""
ADDING_WITHOUT_MEMORY = 1 / 6
"""The mean squared error of `adding` for the constant answer 1: the variance of a sum of two uniform numbers, 2/12."""


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


def adding(rng: np.random.Generator, seq_len: int, batch_size: int,
           dtype: type[np.floating] = np.float32) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """The adding problem: inputs x (T, B, 2) and targets y (B, 1).

    Channel 0 holds uniform numbers in [0, 1); channel 1 marks two of them with 1, one in each half of the sequence; y
    is the sum of the two. The constant answer 1 has a mean squared error of 1/6 = 0.1667, what a network does that
    forgets. Devised by S. Hochreiter and J. Schmidhuber ("Long Short-Term Memory", 1997, section 5.4); the unscaled sum
    is that of Q. Le, N. Jaitly and G. Hinton ("A Simple Way to Initialize Recurrent Networks of Rectified Linear
    Units", 2015, section 4.1), one marker in each half that of M. Arjovsky, A. Shah and Y. Bengio ("Unitary Evolution
    Recurrent Neural Networks", 2016).
    Raises ValueError where seq_len < 2 or batch_size < 1.

    >>> x, y = adding(np.random.default_rng(0), seq_len=10, batch_size=3)
    >>> x.shape, y.shape, x[:5, :, 1].sum(axis=0).tolist()
    ((10, 3, 2), (3, 1), [1.0, 1.0, 1.0])
    """
    if seq_len < 2 or batch_size < 1:
        raise ValueError(f"adding: needs seq_len >= 2 (a marker in each half) and batch_size >= 1, not {seq_len} and "
                         f"{batch_size}")  # fmt: skip
    half = seq_len // 2
    x = np.zeros((seq_len, batch_size, 2), dtype=dtype)
    x[..., 0] = rng.random((seq_len, batch_size))
    rows = np.arange(batch_size)
    x[rng.integers(0, half, batch_size), rows, 1] = 1
    x[rng.integers(half, seq_len, batch_size), rows, 1] = 1
    return x, (x[..., 0] * x[..., 1]).sum(axis=0)[:, None]
