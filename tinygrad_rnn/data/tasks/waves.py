"""Sequences of different lengths, to be told apart by their shape."""

from __future__ import annotations

import numpy as np

from .sizes import needs

WAVES = ("sawtooth up", "sawtooth down", "triangle")
"""The classes of `waves`."""
WAVES_WITHOUT_MEMORY = float(np.log(3))
"""The cross-entropy of `waves`, in nats, for who sees single values: all three shapes are uniform in [-1, 1]."""


def waves(rng: np.random.Generator, batch_size: int, shortest: int = 10, longest: int = 60,
          noise: float = 0.1) -> tuple[list[np.ndarray], np.ndarray]:  # fmt: skip
    """Noisy waves of different lengths: B sequences (T_b, 1), and classes y (B,), integers from 0 to 2.

    Each is a sawtooth that rises slowly and falls at once, one that does the reverse, or a triangle, with a period of 8
    to 16 steps, a random phase, and Gaussian noise. All three take every value in [-1, 1] equally often, so a single
    step says nothing: the order does. Lengths are uniform from `shortest` to `longest`; `tg.data.pad` makes a batch of
    them with its mask. Raises ValueError unless 2 <= shortest <= longest, and batch_size >= 1.

    >>> sequences, y = waves(np.random.default_rng(0), batch_size=3)
    >>> [s.shape for s in sequences], y.tolist()
    ([(23, 1), (25, 1), (12, 1)], [2, 1, 1])
    """
    needs("waves", shortest=(shortest, 2), longest=(longest, shortest, "shortest"), batch_size=(batch_size, 1))
    classes, lengths = rng.integers(0, 3, batch_size), rng.integers(shortest, longest + 1, batch_size)
    sequences = []
    for kind, T in zip(classes, lengths, strict=True):
        turns = rng.random() + np.arange(T) / rng.uniform(8, 16)
        saw = 2 * (turns % 1) - 1
        wave = [saw, -saw, 2 * np.abs(saw) - 1][kind]
        sequences.append((wave + noise * rng.standard_normal(T))[:, None].astype(np.float32))
    return sequences, classes
