"""Full BPTT with little memory: a long sequence in segments, each run again when its gradient comes back."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from . import backend, ops
from .core import Tensor, describe
from .recompute import checkpoint


def checkpoint_segments(f: Callable[..., Any], xs: Any, state: Any = None,
                        length: int | None = None) -> tuple[list[Any], Any]:  # fmt: skip
    """`(results, state)` of f over a long sequence, cut in time into segments that each run under `checkpoint`.

    `f(x, state, t0)` gives `(result, state)` for the steps from t0 on that x holds. `xs` is an array or Tensor
    (T, ...), or a tuple of them, of which f gets one part each: `f(x, y, state, t0)`. The parts are views. `state` is
    what the first segment starts from and what each hands to the next: Tensors in tuples, lists and dicts, or None.
    `results` are those of f in order of time, None where it gave None: `tg.concat` outputs; sum losses, if f sums over
    its steps rather than takes their mean.

    Numbers and gradients are those of one call on all T steps, but for the order in which several layers draw their
    dropout. What is remembered are the states between segments and, in backward, the graph of one segment: with
    `length` steps in a segment, by default the square root of T (rounded up), memory grows as that root, at the cost of
    one more forward pass (Chen et al. 2016, "Training deep nets with sublinear memory cost"; Gruslys et al. 2016,
    "Memory-efficient backpropagation through time"). A gradient to be differentiated again (`create_graph`) holds every
    segment's graph. A tap sees every step; a picture shows a segment as one operation. Not for a layer that also reads
    backwards: it would start anew at each segment's end.

    Raises ValueError where the sequences differ in T or have no step, TypeError where f gives no pair.

    >>> import numpy as np
    >>> import tinygrad_rnn as tg
    >>> lstm, head = tg.nn.LSTM(3, 5, rng=0), tg.nn.Linear(5, 4, rng=0)
    >>> X, Y = np.ones((100, 2, 3), np.float32), np.zeros((100, 2), int)
    >>> def segment(x, y, state, t0):
    ...     outputs, state = lstm(x, state, offset=t0)
    ...     return tg.sequence_loss(head(outputs), y), state
    >>> losses, (h, c) = checkpoint_segments(segment, (X, Y))
    >>> len(losses), h.shape
    (10, (2, 5))
    >>> sum(losses).backward()
    """
    sequences = tuple(xs) if isinstance(xs, (tuple, list)) else (xs,)
    T = _steps(sequences)
    starts = range(0, T, math.isqrt(T - 1) + 1 if length is None else _checked(length))
    cut = [ops.split(x, starts[1:]) for x in sequences]  # one operation a sequence: its gradient is joined once
    results = []
    for t0, *parts in zip(starts, *cut, strict=True):
        pair = checkpoint(f, *parts, state, t0)
        if not (isinstance(pair, (tuple, list)) and len(pair) == 2):
            got = f"{len(pair)} values" if isinstance(pair, (tuple, list)) else _kind(pair)
            raise TypeError(f"checkpoint_segments: f must give (result, state), not {got}")
        result, state = pair
        results.append(result)
    return results, state


def _steps(sequences: tuple[Any, ...]) -> int:
    """T, the length that all sequences have."""
    for i, x in enumerate(sequences):
        if not ((isinstance(x, Tensor) or backend.is_array(x)) and x.ndim):
            raise TypeError(f"checkpoint_segments: sequence {i} is {_kind(x)}: give an array or a Tensor (T, ...), "
                            "time first, or a tuple of them")  # fmt: skip
    lengths = [x.shape[0] for x in sequences]
    if not lengths:
        raise ValueError("checkpoint_segments: there is no sequence: give an array or a Tensor (T, ...)")
    if len({*lengths}) > 1:
        raise ValueError(f"checkpoint_segments: the sequences must be of one length T, not {lengths}")
    if lengths[0] == 0:
        raise ValueError("checkpoint_segments: the sequence has no time step")
    return lengths[0]


def _checked(length: Any) -> int:
    try:
        steps = operator.index(length)
    except TypeError:
        raise TypeError("checkpoint_segments: length is the number of steps in a segment, not "
                        f"{length!r}") from None  # fmt: skip
    if steps < 1:
        raise ValueError(f"checkpoint_segments: length is the number of steps in a segment, at least 1, not {steps}")
    return steps


def _kind(x: Any) -> str:
    """What x is, for messages: an array or Tensor with its shape, else its type."""
    if isinstance(x, Tensor) or backend.is_array(x):
        return describe(x)
    return "None" if x is None else f"a {type(x).__name__}"
