"""One bit, kept for long: through noise, or turned over by every input."""

from __future__ import annotations

import numpy as np

from .sizes import needs, one_of

LATCH_WITHOUT_MEMORY = 0.64
"""The mean squared error of `latch` for the constant answer 0: 0.8 squared."""
PARITY_WITHOUT_MEMORY = float(np.log(2))
"""The cross-entropy of `parity`, in nats, for who has missed one bit."""
Data = tuple[np.ndarray, np.ndarray]


def latch(rng: np.random.Generator, seq_len: int, batch_size: int, informative: int = 3, noise: float = 0.2,
          dtype: type[np.floating] = np.float32) -> Data:  # fmt: skip
    """The latching problem: inputs x (T, B, 1 + 2 L) and targets y (B, 1), -0.8 or 0.8, L being `informative`.

    The class shows in the first L steps alone; then comes Gaussian noise of standard deviation `noise` (channel 0).
    What the network hears in those L steps is for it to learn: channel 1 + t is 1 at step t of class 0, channel
    1 + L + t at step t of class 1, so that the weights of these channels are the trainable inputs h_t of the paper.
    The constant answer 0 has a mean squared error of 0.64. From Y. Bengio, P. Simard and P. Frasconi ("Learning
    Long-Term Dependencies with Gradient Descent is Difficult", 1994, section II), whose cost is half of it.
    Raises ValueError where informative < 1, seq_len <= informative, batch_size < 1 or noise < 0.

    >>> x, y = latch(np.random.default_rng(0), seq_len=20, batch_size=4)
    >>> x.shape, y[:, 0]
    ((20, 4, 7), array([ 0.8,  0.8,  0.8, -0.8], dtype=float32))
    """
    _sizes("latch", seq_len, batch_size, informative)
    if not noise >= 0:
        raise ValueError(f"latch: noise is a standard deviation, not {noise}")
    L, kind = informative, rng.integers(0, 2, batch_size)
    x = np.zeros((seq_len, batch_size, 1 + 2 * L), dtype)
    x[L:, :, 0] = noise * rng.standard_normal((seq_len - L, batch_size))
    for t in range(L):
        x[t, np.arange(batch_size), 1 + L * kind + t] = 1
    return x, np.where(kind == 1, 0.8, -0.8).astype(dtype)[:, None]


def two_sequence(rng: np.random.Generator, seq_len: int, batch_size: int, informative: int = 3, variant: str = "a",
                 dtype: type[np.floating] = np.float32) -> Data:  # fmt: skip
    """The 2-sequence problem: inputs x (T, B, 1) and targets y (B, 1).

    In variant "a" the first `informative` numbers are all 1, and the target 1, or all -1, and the target 0; the rest is
    Gaussian noise of variance 0.2. In "b" such noise lies on the first ones too. In "c" the targets are 0.8 and 0.2
    instead of 1 and 0, with noise of variance 0.1 on them, whose mean must be learned. For baselines see
    `two_sequence_without_memory`. From S. Hochreiter and J. Schmidhuber ("Long Short-Term Memory", 1997, section 5.3),
    after Y. Bengio, P. Simard and P. Frasconi (1994).
    Raises ValueError where informative < 1, seq_len <= informative, batch_size < 1, or for another variant.

    >>> x, y = two_sequence(np.random.default_rng(0), seq_len=20, batch_size=4)
    >>> x[2, :, 0].tolist(), y[:, 0].tolist()
    ([1.0, 1.0, 1.0, -1.0], [1.0, 1.0, 1.0, 0.0])
    """
    one_of("two_sequence", "variant", variant, ("a", "b", "c"))
    _sizes("two_sequence", seq_len, batch_size, informative)
    kind = rng.integers(0, 2, batch_size)
    x = np.sqrt(0.2) * rng.standard_normal((seq_len, batch_size))
    signal = 2.0 * kind - 1
    x[:informative] = signal + (x[:informative] if variant == "b" else 0)
    y = kind if variant != "c" else 0.2 + 0.6 * kind + np.sqrt(0.1) * rng.standard_normal(batch_size)
    return x.astype(dtype)[..., None], y.astype(dtype)[:, None]


def two_sequence_without_memory(variant: str = "a") -> float:
    """The mean squared error of `two_sequence` for the constant answer 1/2: 0.25, and 0.09 + 0.1 where the targets are
    noisy, of which who has learned it keeps 0.1."""
    one_of("two_sequence_without_memory", "variant", variant, ("a", "b", "c"))
    return 0.19 if variant == "c" else 0.25


def parity(rng: np.random.Generator, seq_len: int, batch_size: int, dtype: type[np.floating] = np.float32) -> Data:
    """Parity: bits x (T, B, 1), -1 or 1, and classes y (B,): 1 where the number of 1s is odd.

    Each bit matters as much as any other; who has missed one knows nothing: ln 2. From Y. Bengio, P. Simard and
    P. Frasconi ("Learning Long-Term Dependencies with Gradient Descent is Difficult", 1994, section VII).
    Raises ValueError where seq_len or batch_size < 1.
    """
    needs("parity", seq_len=(seq_len, 1), batch_size=(batch_size, 1))
    bits = rng.integers(0, 2, (seq_len, batch_size))
    return (2 * bits - 1).astype(dtype)[..., None], bits.sum(axis=0) % 2


def _sizes(task: str, seq_len: int, batch_size: int, informative: int) -> None:
    needs(task, informative=(informative, 1), seq_len=(seq_len, informative + 1, "noise after what informs"),
          batch_size=(batch_size, 1))  # fmt: skip
