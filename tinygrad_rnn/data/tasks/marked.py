"""Two of many are marked, and the answer is made of these two: adding, multiplying, exclusive or.

Sequences have two channels, a value and a marker. The papers draw each batch's length between T and 1.1 T; here it is
`seq_len`, so draw that: `rng.integers(T, T * 11 // 10 + 1)`.
"""

from __future__ import annotations

import numpy as np

from .sizes import needs, one_of

ADDING_WITHOUT_MEMORY = 1 / 6
"""The mean squared error of `adding` for the constant answer 1: the variance of a sum of two uniform numbers, 2/12."""
XOR_WITHOUT_MEMORY = float(np.log(2))
"""The cross-entropy of `xor`, in nats, for who lacks one of the bits."""
DIALECTS = ("sum", "hs97", "ms", "pascanu")
Data = tuple[np.ndarray, np.ndarray]


def adding(rng: np.random.Generator, seq_len: int, batch_size: int, dtype: type[np.floating] = np.float32,
           dialect: str = "sum") -> Data:  # fmt: skip
    """The adding problem: inputs x (T, B, 2) and targets y (B, 1).

    Channel 0 holds uniform numbers in [0, 1); channel 1 marks two of them with 1, one in each half of the sequence; y
    is the sum of the two. The constant answer 1 has a mean squared error of 1/6 = 0.1667, what a network does that
    forgets. Devised by S. Hochreiter and J. Schmidhuber ("Long Short-Term Memory", 1997, section 5.4); the unscaled sum
    is that of Q. Le, N. Jaitly and G. Hinton ("A Simple Way to Initialize Recurrent Networks of Rectified Linear
    Units", 2015, section 4.1), one marker in each half that of M. Arjovsky, A. Shah and Y. Bengio ("Unitary Evolution
    Recurrent Neural Networks", 2016). Papers speak dialects of it (`adding_without_memory` has their baselines):

    - "sum": the above.
    - "hs97", as first devised: numbers in [-1, 1), markers -1 at both ends, 1 at the marked and 0 elsewhere; one of the
      first ten is marked, and one of the first T/2 - 1 others; y = 1/2 + (X1 + X2)/4. Where the very first is chosen
      its marker stays -1 and it counts as 0.
    - "ms": one marked in the first tenth, one from there to the half; y = (X1 + X2)/2 (J. Martens and I. Sutskever,
      "Learning Recurrent Neural Networks with Hessian-Free Optimization", 2011).
    - "pascanu": the same with the marker in channel 0 and the number in channel 1 (the code of R. Pascanu, T. Mikolov
      and Y. Bengio, "On the Difficulty of Training Recurrent Neural Networks", 2013).

    Raises ValueError where seq_len < 2 ("hs97": 11, "ms" and "pascanu": 10) or batch_size < 1.

    >>> x, y = adding(np.random.default_rng(0), seq_len=10, batch_size=3)
    >>> x.shape, y.shape, x[:5, :, 1].sum(axis=0).tolist()
    ((10, 3, 2), (3, 1), [1.0, 1.0, 1.0])
    """
    one_of("adding", "dialect", dialect, DIALECTS)
    x, places = _marked("adding", rng, seq_len, batch_size, dialect, dtype)
    if dialect == "hs97":
        x[..., 0] = 2 * x[..., 0] - 1
    X1, X2 = (_chosen(x, place, 0.0, dialect) for place in places)
    y = {"sum": X1 + X2, "hs97": 0.5 + (X1 + X2) / 4}.get(dialect, (X1 + X2) / 2)
    return (x[..., ::-1].copy() if dialect == "pascanu" else x), y[:, None]


def adding_without_memory(dialect: str = "sum", seq_len: int | None = None) -> float:
    """The mean squared error of `adding` for the best constant answer (1, or 1/2 where the sum is scaled), what a
    network does that forgets. "hs97", whose first number counts as 0, needs seq_len."""
    one_of("adding_without_memory", "dialect", dialect, DIALECTS)
    if dialect == "hs97":
        return (2 - _first_is_chosen("adding_without_memory", seq_len)) / 3 / 16  # a number has variance 1/3
    return {"sum": 1 / 6}.get(dialect, 1 / 24)


def multiplication(rng: np.random.Generator, seq_len: int, batch_size: int, dtype: type[np.floating] = np.float32,
                   dialect: str = "ms") -> Data:  # fmt: skip
    """The multiplication problem: inputs x (T, B, 2), uniform numbers in [0, 1) and markers, and targets y (B, 1), the
    product of the two that are marked.

    Places and markers are those of `adding` in its dialects "ms" and "hs97" (S. Hochreiter and J. Schmidhuber, "Long
    Short-Term Memory", 1997, section 5.5, where the very first number, if chosen, counts as 1). For the baseline see
    `multiplication_without_memory`. Raises ValueError where seq_len < 10 ("hs97": 11) or batch_size < 1.

    >>> x, y = multiplication(np.random.default_rng(0), seq_len=10, batch_size=3)
    >>> bool(np.allclose(y[:, 0], np.where(x[..., 1] == 1, x[..., 0], 1).prod(axis=0)))
    True
    """
    one_of("multiplication", "dialect", dialect, ("ms", "hs97"))
    x, places = _marked("multiplication", rng, seq_len, batch_size, dialect, dtype)
    X1, X2 = (_chosen(x, place, 1.0, dialect) for place in places)
    return x, (X1 * X2)[:, None]


def multiplication_without_memory(dialect: str = "ms", seq_len: int | None = None) -> float:
    """The mean squared error of `multiplication` for the best constant answer, the variance of the product: 7/144 =
    0.0486 for "ms", at which the mean is 1/4; a little more for "hs97", which needs seq_len."""
    one_of("multiplication_without_memory", "dialect", dialect, ("ms", "hs97"))
    alone = _first_is_chosen("multiplication_without_memory", seq_len) if dialect == "hs97" else 0.0
    mean, square = (1 - alone) / 4 + alone / 2, (1 - alone) / 9 + alone / 3
    return square - mean**2


def xor(rng: np.random.Generator, seq_len: int, batch_size: int, dtype: type[np.floating] = np.float32) -> Data:
    """The exclusive or of two marked bits: inputs x (T, B, 2), bits 0 or 1 and markers, and classes y (B,), 1 where the
    two differ.

    One is marked in the first tenth, one from there to the half. Who lacks either bit knows nothing: a cross-entropy of
    ln 2. The hardest of its kind (J. Martens and I. Sutskever, "Learning Recurrent Neural Networks with Hessian-Free
    Optimization", 2011, section 5). Raises ValueError where seq_len < 10 or batch_size < 1.
    """
    x, (first, second) = _marked("xor", rng, seq_len, batch_size, "ms", dtype)
    x[..., 0] = x[..., 0] >= 0.5
    rows = np.arange(batch_size)
    return x, (x[first, rows, 0] != x[second, rows, 0]).astype(np.int64)


def _marked(task: str, rng: np.random.Generator, T: int, B: int, dialect: str, dtype: type[np.floating]) -> tuple:
    """x (T, B, 2), uniform numbers and markers, and the two places (B,) that are marked."""
    least = {"sum": (2, "a marker in each half"), "hs97": (11, "one of the first ten is marked, and not the last")}
    needs(task, seq_len=(T, *least.get(dialect, (10, "a tenth is a step"))), batch_size=(B, 1))
    x, rows = np.zeros((T, B, 2), dtype), np.arange(B)
    x[..., 0] = rng.random((T, B))
    if dialect == "hs97":
        first, second = rng.integers(0, 10, B), rng.integers(0, T // 2 - 1, B)
        second += second >= first  # among those that are not yet marked
    else:
        border = T // 2 if dialect == "sum" else T // 10
        first, second = rng.integers(0, border, B), rng.integers(border, T if dialect == "sum" else T // 2, B)
    x[first, rows, 1] = x[second, rows, 1] = 1
    if dialect == "hs97":
        x[[0, -1], :, 1] = -1
    return x, (first, second)


def _chosen(x: np.ndarray, place: np.ndarray, neutral: float, dialect: str) -> np.ndarray:
    """The numbers (B,) at `place`; in "hs97" the neutral one for the first of all."""
    picked = x[place, np.arange(len(place)), 0]
    return np.where(place == 0, x.dtype.type(neutral), picked) if dialect == "hs97" else picked


def _first_is_chosen(who: str, seq_len: int | None) -> float:
    """How probable it is, in "hs97", that the first number of all is one of the two."""
    if seq_len is None or seq_len < 11:
        raise ValueError(f'{who}: "hs97" depends on the length: give seq_len >= 11, not {seq_len}')
    return 1 / 10 + 9 / 10 / (seq_len // 2 - 1)
