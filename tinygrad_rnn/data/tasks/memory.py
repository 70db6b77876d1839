"""Small tasks whose answer needs memory, and whose loss without memory is known."""

from __future__ import annotations

import numpy as np

ADDING_WITHOUT_MEMORY = 1 / 6
"""The mean squared error of `adding` for the constant answer 1: the variance of a sum of two uniform numbers, 2/12."""
TEMPORAL_ORDER_WITHOUT_MEMORY = float(np.log(4))
"""The cross-entropy of `temporal_order`, in nats, for who forgets both letters: four classes, all as likely."""


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


def temporal_order(rng: np.random.Generator, seq_len: int, batch_size: int,
                   dtype: type[np.floating] = np.float32) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """The temporal order problem: one-hot letters x (T, B, 6) and classes y (B,), integers from 0 to 3.

    All letters are noise (c, d, e, f: channels 2 to 5) but two, each an A or a B (channels 0 and 1): the first between
    a tenth and a fifth of the way, the second between five and six tenths. The class is which two they were and in
    which order: AA 0, AB 1, BA 2, BB 3. Who has forgotten both is wrong three times out of four, with a cross-entropy
    of ln 4 = 1.386; who remembers one of them, half of the time, with ln 2.
    Devised by S. Hochreiter and J. Schmidhuber ("Long Short-Term Memory", 1997, section 5.6), with a letter more at
    either end; the two stretches as shares of T are those of J. Martens and I. Sutskever ("Learning Recurrent Neural
    Networks with Hessian-Free Optimization", 2011). Raises ValueError where seq_len < 10 or batch_size < 1.

    >>> x, y = temporal_order(np.random.default_rng(0), seq_len=20, batch_size=3)
    >>> x.shape, y.shape, np.flatnonzero(x[:, 0, :2].any(axis=1)).tolist()
    ((20, 3, 6), (3,), [3, 11])
    """
    if seq_len < 10 or batch_size < 1:
        raise ValueError(f"temporal_order: needs seq_len >= 10 (a tenth is a step) and batch_size >= 1, not {seq_len} "
                         f"and {batch_size}")  # fmt: skip
    letters, rows = rng.integers(2, 6, (seq_len, batch_size)), np.arange(batch_size)
    first, second = rng.integers(0, 2, (2, batch_size))
    letters[rng.integers(seq_len // 10, seq_len // 5, batch_size), rows] = first
    letters[rng.integers(seq_len // 2, seq_len * 6 // 10, batch_size), rows] = second
    return np.eye(6, dtype=dtype)[letters], 2 * first + second
