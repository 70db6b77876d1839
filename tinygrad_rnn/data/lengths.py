"""Sequences of different lengths in one batch: padded at their ends, and a mask that says what is padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def length_mask(lengths: Any, T: int | None = None) -> np.ndarray:
    """bool (T, B): is step t one of the first lengths[b] of sequence b? T is the longest length unless it is given.

    Raises ValueError where a length is negative or longer than T, or lengths is not (B,) of integers.

    >>> length_mask([3, 1]).astype(int).tolist()
    [[1, 1], [1, 0], [1, 0]]
    """
    steps = np.asarray(lengths)
    steps = steps if steps.size else steps.astype(int)
    if steps.ndim != 1 or steps.dtype.kind not in "iu":
        raise ValueError(f"length_mask: lengths are integers (B,), not {steps.dtype} {steps.shape}")
    longest = int(steps.max(initial=0))
    T = longest if T is None else T
    if longest > T or steps.min(initial=0) < 0:
        raise ValueError(f"length_mask: lengths must be from 0 to T = {T}, and they go from {steps.min()} to {longest}")
    return np.arange(T)[:, None] < steps


def pad(sequences: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """`x (T, B, ...), mask (T, B)` of B sequences (T_b, ...): zeros after the end of each, and where they are not.

    What a layer and a loss take: `layer(x, mask=mask)`, `tg.sequence_loss(logits, targets, mask=mask)`. Raises
    ValueError where there is no sequence, or their steps differ in shape.

    >>> x, mask = pad([[1, 2, 3], [4]])
    >>> x.T.tolist(), mask.sum(axis=0).tolist()
    ([[1, 2, 3], [4, 0, 0]], [3, 1])
    """
    arrays = [np.asarray(sequence) for sequence in sequences]
    if not arrays or len({a.shape[1:] for a in arrays}) > 1 or any(a.ndim == 0 for a in arrays):
        shapes = ", ".join(str(a.shape) for a in arrays[:5]) or "none"
        raise ValueError(f"pad: give sequences (T_b, ...) that differ in their length alone, not {shapes}")
    mask = length_mask([len(a) for a in arrays])
    x = np.zeros((*mask.shape, *arrays[0].shape[1:]), np.result_type(*([a for a in arrays if a.size] or arrays)))
    for b, a in enumerate(arrays):
        x[: len(a), b] = a
    return x, mask
