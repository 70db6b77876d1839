"""The last symbol is the first: long time lags without noise, with and without regularities between.

S. Hochreiter and J. Schmidhuber ("Long Short-Term Memory", 1997, section 5.2).
"""

from __future__ import annotations

import numpy as np

from .sizes import needs, one_of

LAG_WITHOUT_MEMORY = float(np.log(2))
"""The cross-entropy of the last symbol, in nats, for who has forgotten which of the two came first."""
Data = tuple[np.ndarray, np.ndarray]


def noise_free_lag(rng: np.random.Generator, lag: int, batch_size: int, variant: str = "2a",
                   dtype: type[np.floating] = np.float32) -> Data:  # fmt: skip
    """Long time lag without noise: one-hot symbols x (p, B, p + 1) and after each the next, y (p, B), with p = `lag`.

    There are two sequences, (x, a1, ..., a_{p-1}, x) and (y, a1, ..., a_{p-1}, y), and the next symbol is asked at each
    step; symbol i - 1 is a_i, p - 1 is x, p is y. In variant "2a" the middle is always the same, which helps who
    compresses what is predictable; in "2b" each symbol in the middle is any of the a's, and only the last target,
    y[-1], can be known. Who has forgotten the first has ln 2 there, LAG_WITHOUT_MEMORY, and so a mean over the steps of
    ln(2)/p in "2a". Raises ValueError where lag < 2 or batch_size < 1, or for another variant.

    >>> x, y = noise_free_lag(np.random.default_rng(0), lag=4, batch_size=2)
    >>> x.argmax(axis=2).T.tolist(), y.T.tolist()
    ([[4, 0, 1, 2], [4, 0, 1, 2]], [[0, 1, 2, 4], [0, 1, 2, 4]])
    """
    one_of("noise_free_lag", "variant", variant, ("2a", "2b"))
    needs("noise_free_lag", lag=(lag, 2, "something lies between"), batch_size=(batch_size, 1))
    symbols = np.empty((lag + 1, batch_size), np.int64)
    symbols[0] = symbols[-1] = lag - 1 + rng.integers(0, 2, batch_size)
    middle = np.arange(lag - 1)[:, None]
    symbols[1:-1] = middle if variant == "2a" else rng.integers(0, lag - 1, (lag - 1, batch_size))
    return np.eye(lag + 1, dtype=dtype)[symbols[:-1]], symbols[1:]


def very_long_lag(rng: np.random.Generator, least: int, batch_size: int, distractors: int = 50,
                  dtype: type[np.floating] = np.float32) -> Data:  # fmt: skip
    """Very long time lag without local regularities (experiment 2c): one-hot symbols x (T, B, p + 4) and the class of
    the last symbol, y (B,), 0 for x and 1 for y, with p = `distractors`.

    A sequence is b, then x or y, then at least q = `least` of the p distractors and on with nine chances in ten after
    each, then e, after which the second symbol comes again and is asked. Symbols 0 to p - 1 are distractors, then e, b,
    x, y. A batch has one length, T = q + k + 3, with k geometric of mean 9. Who has forgotten has ln 2,
    LAG_WITHOUT_MEMORY. Raises ValueError where least, batch_size or distractors < 1.

    >>> x, y = very_long_lag(np.random.default_rng(0), least=4, batch_size=1, distractors=3)
    >>> x[:, 0].argmax(axis=1).tolist(), y.tolist()
    ([4, 6, 0, 0, 0, 0, 2, 1, 2, 1, 1, 2, 3], [1])
    """
    needs("very_long_lag", least=(least, 1), batch_size=(batch_size, 1), distractors=(distractors, 1))
    length, y = least + int(rng.geometric(0.1)) - 1, rng.integers(0, 2, batch_size)
    e, b, first = distractors, distractors + 1, distractors + 2
    symbols = rng.integers(0, distractors, (length + 3, batch_size))
    symbols[0], symbols[1], symbols[-1] = b, first + y, e
    return np.eye(distractors + 4, dtype=dtype)[symbols], y
