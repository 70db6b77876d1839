"""A series or a text as windows of N steps, to learn what comes next: after the window, or after each of its steps."""

from __future__ import annotations

from typing import Any

import numpy as np


def windows_n_to_1(series: Any, N: int, stride: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """`x (N, B, ...), y (B, ...)`: the steps t-N..t-1 of `series (T, ...)`, and step t, for every `stride`-th t.

    The model that gives one output a window (`wirings.ManyToOne`): each target has N steps of context, and each step of
    the series goes through the network N times. Both are views; a series of numbers (T,) gets an axis of width 1,
    one of integers, which stand for symbols, none. Raises ValueError where the series has not N + 1 steps.

    >>> x, y = windows_n_to_1(np.arange(6), 3)
    >>> x.T.tolist(), y.tolist()
    ([[0, 1, 2], [1, 2, 3], [2, 3, 4]], [3, 4, 5])
    """
    windows = _windows("windows_n_to_1", series, N, stride)
    return windows[:-1], windows[-1]


def windows_n_to_n(series: Any, N: int, stride: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """`x (N, B, ...), y (N, B, ...)`: the steps t-N..t-1, and the same shifted by one, t-N+1..t: targets for each step.

    The model that gives an output in each step (`wirings.ManyToMany`). Windows stand side by side (`stride=N`, the
    default) so that each step goes through the network once; the target of a window's first step has one step of
    context, that of its last N. Else as `windows_n_to_1`.

    >>> x, y = windows_n_to_n(np.arange(7), 3)
    >>> x.T.tolist(), y.T.tolist()
    ([[0, 1, 2], [3, 4, 5]], [[1, 2, 3], [4, 5, 6]])
    """
    windows = _windows("windows_n_to_n", series, N, N if stride is None else stride)
    return windows[:-1], windows[1:]


def _windows(name: str, series: Any, N: int, stride: int) -> np.ndarray:
    """(N + 1, B, ...): window b is the steps b * stride .. b * stride + N, a view."""
    steps = np.asarray(series)
    if N < 1 or stride < 1:
        raise ValueError(f"{name}: N and stride must be 1 or more, not {N} and {stride}")
    if steps.ndim == 0 or len(steps) < N + 1:
        raise ValueError(f"{name}: a window of {N} and the step after it are longer than the series, {steps.shape}: "
                         "give a longer series or a smaller N")  # fmt: skip
    if steps.ndim == 1 and steps.dtype.kind == "f":
        steps = steps[:, None]
    windows = np.lib.stride_tricks.sliding_window_view(steps, N + 1, axis=0)[::stride]  # (B, ..., N + 1)
    return np.moveaxis(windows, -1, 0)
