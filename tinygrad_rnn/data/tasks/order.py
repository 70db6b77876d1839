"""What came when: which letters, in which order; and what came first."""

from __future__ import annotations

import numpy as np

from .sizes import needs

TEMPORAL_ORDER_WITHOUT_MEMORY = float(np.log(4))
"""The cross-entropy of `temporal_order`, in nats, for who forgets both letters: four classes, all as likely. With three
letters it is ln 8."""
PERMUTATION_WITHOUT_MEMORY = float(np.log(2))
"""The cross-entropy of the last symbol of `random_permutation`, in nats, for who has forgotten the first."""
STRETCHES = {2: ((1, 2), (5, 6)), 3: ((1, 2), (3, 4), (6, 7))}  # in tenths of T: where the letters may be
Data = tuple[np.ndarray, np.ndarray]


def temporal_order(rng: np.random.Generator, seq_len: int, batch_size: int, dtype: type[np.floating] = np.float32,
                   symbols: int = 2) -> Data:  # fmt: skip
    """The temporal order problem: one-hot letters x (T, B, 6) and classes y (B,), integers from 0 to 3.

    All letters are noise (c, d, e, f: channels 2 to 5) but two, each an A or a B (channels 0 and 1): the first between
    a tenth and a fifth of the way, the second between five and six tenths. The class is which two they were and in
    which order: AA 0, AB 1, BA 2, BB 3. Who has forgotten both is wrong three times out of four, with a cross-entropy
    of ln 4 = 1.386; who remembers one of them, half of the time, with ln 2. With `symbols=3` there are three such
    letters, the second between three and four tenths and the third between six and seven, and eight classes, AAA 0 to
    BBB 7.
    Devised by S. Hochreiter and J. Schmidhuber ("Long Short-Term Memory", 1997, section 5.6), with a letter more at
    either end; the stretches as shares of T are those of J. Martens and I. Sutskever ("Learning Recurrent Neural
    Networks with Hessian-Free Optimization", 2011). Raises ValueError where seq_len < 10 or batch_size < 1, or symbols
    is neither 2 nor 3.

    >>> x, y = temporal_order(np.random.default_rng(0), seq_len=20, batch_size=3)
    >>> x.shape, y.shape, np.flatnonzero(x[:, 0, :2].any(axis=1)).tolist()
    ((20, 3, 6), (3,), [3, 11])
    """
    needs("temporal_order", seq_len=(seq_len, 10, "a tenth is a step"), batch_size=(batch_size, 1))
    if symbols not in STRETCHES:
        raise ValueError(f"temporal_order: symbols is 2 or 3, not {symbols}")
    letters, rows = rng.integers(2, 6, (seq_len, batch_size)), np.arange(batch_size)
    y = np.zeros(batch_size, np.int64)
    which = rng.integers(0, 2, (symbols, batch_size))
    for (start, end), letter in zip(STRETCHES[symbols], which, strict=True):
        letters[rng.integers(seq_len * start // 10, seq_len * end // 10, batch_size), rows] = letter
        y = 2 * y + letter
    return np.eye(6, dtype=dtype)[letters], y


def random_permutation(rng: np.random.Generator, seq_len: int, batch_size: int, symbols: int = 100,
                       dtype: type[np.floating] = np.float32) -> Data:  # fmt: skip
    """The random permutation problem: one-hot symbols x (T, B, symbols) and after each the next, y (T, B).

    The first symbol is 0 or 1, all others are any of the rest, and after the last of x comes the first once more: only
    y[-1] can be known, by who has remembered x[0] for T steps. Who has forgotten it knows that it is one of two, a
    cross-entropy of ln 2. The name is older than the task, which has no permutation (J. Martens and I. Sutskever,
    "Learning Recurrent Neural Networks with Hessian-Free Optimization", 2011, section 5; after experiment 2b of
    S. Hochreiter and J. Schmidhuber, "Long Short-Term Memory", 1997).
    Raises ValueError where seq_len < 2, batch_size < 1 or symbols < 3.

    >>> x, y = random_permutation(np.random.default_rng(0), seq_len=5, batch_size=3)
    >>> x.shape, bool((y[-1] == x[0].argmax(axis=1)).all())
    ((5, 3, 100), True)
    """
    needs("random_permutation", seq_len=(seq_len, 2, "something lies between"), batch_size=(batch_size, 1),
          symbols=(symbols, 3, "two and others"))  # fmt: skip
    sequence = rng.integers(2, symbols, (seq_len + 1, batch_size))
    sequence[0] = sequence[-1] = rng.integers(0, 2, batch_size)
    return np.eye(symbols, dtype=dtype)[sequence[:-1]], sequence[1:]
