"""Symbols come, time passes, and they must be said again."""

from __future__ import annotations

import numpy as np

from .sizes import needs

Data = tuple[np.ndarray, np.ndarray]


def memorisation(rng: np.random.Generator, gap: int, batch_size: int, length: int = 5, values: int = 2,
                 dtype: type[np.floating] = np.float32) -> Data:  # fmt: skip
    """Noiseless memorisation: one-hot symbols x (T, B, values + 2), and what is to be said, y (T, B), below values + 1.

    `length` symbols below `values` come first, then blanks (channel `values`), `gap` steps in all, the last of them the
    trigger (channel values + 1), and then `length` blanks during which the symbols are to be said in their order:
    T = 2 length + gap. Before that the answer is the blank, class `values`. Five bits (32 sequences) are the defaults;
    the "20 bits" of the papers are length=10, values=5 (5^10, 23 bits).
    For the baseline see `memorisation_without_memory`. From J. Martens and I. Sutskever ("Learning Recurrent Neural
    Networks with Hessian-Free Optimization", 2011, section 5), with the trigger where M. Arjovsky, A. Shah and
    Y. Bengio have it ("Unitary Evolution Recurrent Neural Networks", 2016).
    Raises ValueError where gap, batch_size or length < 1, or values < 2.

    >>> x, y = memorisation(np.random.default_rng(0), gap=3, batch_size=1, length=2)
    >>> x[:, 0].argmax(axis=1).tolist(), y[:, 0].tolist()
    ([1, 1, 2, 2, 3, 2, 2], [2, 2, 2, 2, 2, 1, 1])
    """
    needs("memorisation", gap=(gap, 1, "the trigger"), batch_size=(batch_size, 1), length=(length, 1),
          values=(values, 2))  # fmt: skip
    symbols = rng.integers(0, values, (length, batch_size))
    seen = np.full((2 * length + gap, batch_size), values)
    said = seen.copy()
    seen[:length], seen[length + gap - 1], said[-length:] = symbols, values + 1, symbols
    return np.eye(values + 2, dtype=dtype)[seen], said


def memorisation_without_memory(gap: int, length: int = 5, values: int = 2) -> float:
    """The mean cross-entropy of a step of `memorisation`, in nats, for who knows when to speak but not what to say:
    length ln(values) / (2 length + gap)."""
    return float(length * np.log(values) / (2 * length + gap))


def copy_memory(rng: np.random.Generator, gap: int, batch_size: int, dtype: type[np.floating] = np.float32) -> Data:
    """The copy memory task: `memorisation` of ten symbols of eight values: x (gap + 20, B, 10), y (gap + 20, B).

    Channels 0 to 7 are symbols, 8 the blank, 9 the delimiter, after which they are to be said (M. Arjovsky, A. Shah and
    Y. Bengio, "Unitary Evolution Recurrent Neural Networks", 2016, section 5.1). Who forgets has a mean cross-entropy
    of 10 ln 8 / (gap + 20), see `copy_memory_without_memory`. Raises ValueError where gap or batch_size < 1.

    >>> x, y = copy_memory(np.random.default_rng(0), gap=30, batch_size=2)
    >>> x.shape, bool((y[-10:] == x[:10].argmax(axis=2)).all())
    ((50, 2, 10), True)
    """
    needs("copy_memory", gap=(gap, 1, "the delimiter"), batch_size=(batch_size, 1))
    return memorisation(rng, gap, batch_size, length=10, values=8, dtype=dtype)


def copy_memory_without_memory(gap: int) -> float:
    """The mean cross-entropy of a step of `copy_memory`, in nats, for who forgets: 10 ln 8 / (gap + 20)."""
    return memorisation_without_memory(gap, length=10, values=8)


def echo(rng: np.random.Generator, seq_len: int, batch_size: int, lag: int = 5,
         dtype: type[np.floating] = np.float32) -> Data:  # fmt: skip
    """The delayed echo: bits x (T, B, 1), -1 or 1, and y (T, B), classes 0 or 1: at step t the bit of step t - lag, and
    0 before there is one.

    The state must hold `lag` bits at once and move them on at each step: memory as a shift register. Who forgets has a
    mean cross-entropy of ln 2 (T - lag)/T, see `echo_without_memory`. Raises ValueError where lag < 1, seq_len <= lag
    or batch_size < 1.

    >>> x, y = echo(np.random.default_rng(0), seq_len=6, batch_size=1, lag=2)
    >>> x[:, 0, 0].tolist(), y[:, 0].tolist()
    ([1.0, 1.0, 1.0, -1.0, -1.0, -1.0], [0, 0, 1, 1, 1, 0])
    """
    needs("echo", lag=(lag, 1), seq_len=(seq_len, lag + 1, "longer than the lag"), batch_size=(batch_size, 1))
    bits = rng.integers(0, 2, (seq_len, batch_size))
    y = np.zeros_like(bits)
    y[lag:] = bits[:-lag]
    return (2 * bits - 1).astype(dtype)[..., None], y


def echo_without_memory(seq_len: int, lag: int = 5) -> float:
    """The mean cross-entropy of a step of `echo`, in nats, for who forgets."""
    return float(np.log(2) * (seq_len - lag) / seq_len)
