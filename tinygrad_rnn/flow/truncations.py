"""What truncating backpropagation through time does to the gradient: its bias against full BPTT.

Three things are called truncated BPTT. They are told apart by the state that a segment starts from:

- "isolated": the sequence is cut into segments, each starts from the start state; forward and backward see k steps.
- "carried": the state is carried on and detached, so the forward pass sees everything and only the gradient is cut.
  Every k1 steps the newest k1 losses send their gradient back through k2 >= k1 steps (Williams & Peng 1990; Sutskever
  2013, section 2.8.6). With k1 = k2 = k that is the usual `h = h.detach()` at each segment.
- "windows": overlapping windows of k2 steps, one every k1 steps, each on its own from the start state. A loss in
  several windows is averaged over them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import backend
from ..autograd import grad
from ..core import Tensor
from ..recording import enable_grad, no_grad, step
from .graphs import norm

KINDS = ("isolated", "carried", "windows")
State = Any  # a Tensor, or a tuple of them
Advance = Callable[[int, Any], tuple[Tensor | None, Any]]


@dataclass(frozen=True)
class Truncation:
    """How one truncated gradient g compares with the full one, over all parameters at once.

    `relative_error`: ||g - full|| / ||full||; `cosine`: of the angle between them (1: only the length differs);
    `length`: ||g|| / ||full||. NaN where the full gradient (for the cosine: either) is zero.
    """

    kind: str
    k1: int
    k2: int
    relative_error: float
    cosine: float
    length: float


@dataclass(frozen=True)
class _Segment:
    """Steps `start` to `stop`, of which the losses from `first` on count, from the `carried` or from the start
    state."""

    start: int
    first: int
    stop: int
    carried: bool


def truncation_bias(advance: Advance, state: State, steps: int, parameters: Sequence[Tensor] | Tensor,
                    windows: Iterable[int | tuple[int, int]],
                    kinds: Sequence[str] = KINDS) -> list[Truncation]:  # fmt: skip
    """The bias of each truncation of BPTT, against the full gradient of the sum of the losses.

    `advance(t, state) -> (loss, state)` does step t (the loss a scalar, or None where step t has none) and must give
    the same numbers each time; it runs inside `tg.step(t)`, for t in `range(steps)`. `state`: the start state, a Tensor
    or a tuple of them. `windows`: each a k, or a pair (k1, k2). A single k means k1 = k2 = k, and for "windows" one
    window of k steps at every step (k1 = 1); "isolated" takes segments of k2. No `.grad` is touched.

    Raises ValueError for k1, k2 without 1 <= k1 <= k2 <= steps, an unknown kind, or no loss.
    """
    inputs = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    windows = list(windows)
    pairs = [(kind, *_sizes(kind, window, steps)) for kind in kinds for window in windows]
    full = _gradient(advance, [_Segment(0, 0, steps, False)], [state] * (steps + 1), inputs)
    with no_grad():
        passed = [state]
        for t in range(steps):
            passed.append(_detached(_at(advance, t, passed[-1])[1]))
    rows = []
    for kind, k1, k2 in pairs:
        gradient = _gradient(advance, _segments(kind, k1, k2, steps), passed, inputs)
        rows.append(Truncation(kind, k1, k2, *_compare(gradient, full)))
    return rows


def _sizes(kind: str, window: int | tuple[int, int], steps: int) -> tuple[int, int]:
    if kind not in KINDS:
        raise ValueError(f"truncation_bias: kind {kind!r} is none of {', '.join(KINDS)}")
    k1, k2 = window if isinstance(window, tuple) else (1 if kind == "windows" else window, window)
    if not 1 <= k1 <= k2 <= steps:
        raise ValueError(f"truncation_bias: window {window}: every k1 steps back through k2 needs "
                         f"1 <= k1 <= k2 <= {steps}")  # fmt: skip
    return (k2, k2) if kind == "isolated" else (k1, k2)


def _segments(kind: str, k1: int, k2: int, steps: int) -> list[_Segment]:
    if kind == "isolated":
        return [_Segment(a, a, min(a + k2, steps), False) for a in range(0, steps, k2)]
    if kind == "carried":
        return [_Segment(max(0, a + k1 - k2), a, min(a + k1, steps), True) for a in range(0, steps, k1)]
    starts = [*range(0, steps - k2, k1), steps - k2]  # the last ends with the sequence
    return [_Segment(a, a, a + k2, False) for a in starts]


def _gradient(advance: Advance, segments: list[_Segment], passed: list[State],
              inputs: list[Tensor]) -> list[np.ndarray]:  # fmt: skip
    """The gradient that the segments give together; a loss that several count is averaged over them."""
    counts = np.zeros(max(s.stop for s in segments), int)
    for s in segments:
        counts[s.first : s.stop] += 1
    total = [np.zeros(x.shape) for x in inputs]
    found = False
    for s in segments:
        with enable_grad():
            state, weighted = passed[s.start if s.carried else 0], None
            for t in range(s.start, s.stop):
                loss, state = _at(advance, t, state)
                if loss is not None and t >= s.first:
                    share = loss / int(counts[t]) if counts[t] > 1 else loss
                    weighted = share if weighted is None else weighted + share
        if weighted is None:
            continue
        found = True
        if weighted.requires_grad:
            for sum_, g in zip(total, grad(weighted, inputs, allow_unused=True), strict=True):
                if g is not None:
                    sum_ += backend.to_numpy(g.data)
    if not found:
        raise ValueError("truncation_bias: advance(t, state) gave no loss at any step: give (loss, state)")
    return total


def _at(advance: Advance, t: int, state: State) -> tuple[Tensor | None, State]:
    with step(t):
        return advance(t, state)


def _detached(state: State) -> State:
    return tuple(x.detach() for x in state) if isinstance(state, (tuple, list)) else state.detach()


def _compare(gradient: list[np.ndarray], full: list[np.ndarray]) -> tuple[float, float, float]:
    g, f = (np.concatenate([part.reshape(-1) for part in parts]) for parts in (gradient, full))
    size, truth = norm(g), norm(f)
    if not truth > 0:
        return (float("nan"),) * 3
    cosine = float((g / size) @ (f / truth)) if size > 0 else float("nan")
    return norm(g - f) / truth, cosine, size / truth
