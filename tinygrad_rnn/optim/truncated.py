"""Truncated backpropagation through time, for training: three different things of one name.

- isolated: the sequence is cut into segments of k steps that know nothing of each other. `windows(x, k)`.
- windows: the same with segments that overlap. `windows(x, k, stride)`, stride < k.
- carried: the state is carried on from segment to segment, and only the gradient is cut. `carried(...)`.

Of the first two each segment is a sequence of its own from the start state, so that all can be one batch, and nothing
longer than k can be learned. What is carried may be remembered for ever, though the gradient that would teach to
remember it sees k steps. `flow.truncation_bias` measures what each does to the gradient.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from ..backend import xp
from ..core import Tensor, raw
from ..nn import detach


def windows(x: Any, length: int, stride: int | None = None) -> Any:
    """Windows of `length` steps, one every `stride` (as many, by default: they do not overlap), side by side in the
    batch: x (T, B, ...) in, (length, windows * B, ...) out, the first window's B sequences first.

    Steps at the end that fill no window are left out. The same call cuts the targets. Raises ValueError where not even
    one window fits, or for a stride below 1.

    >>> import numpy as np
    >>> windows(np.arange(7)[:, None], length=3, stride=2).T.tolist()
    [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    """
    x = raw(x)
    stride = length if stride is None else stride
    if not 1 <= length <= len(x) or stride < 1:
        raise ValueError(f"windows: length {length} and stride {stride} of {len(x)} steps: a window has 1 to {len(x)} "
                         "steps, and the next begins at least one later")  # fmt: skip
    starts = range(0, len(x) - length + 1, stride)
    return xp(x).concatenate([x[a : a + length] for a in starts], axis=1)


def carried(run: Callable[[int, int, Any], tuple[Tensor, Any]], state: Any, steps: int, k1: int,
            k2: int | None = None) -> Iterator[tuple[Tensor, Any]]:  # fmt: skip
    """Every k1 steps, the loss of these steps, whose gradient goes back through k2 >= k1 (default: k1) of them at most;
    and the state there, detached (Williams & Peng 1990; Sutskever 2013, section 2.8.6: BPTT(k2, k1)).

        for loss, state in carried(run, state, steps=len(x), k1=20):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    `run(start, stop, state) -> (loss, state)` does the steps from `start` up to `stop`, the loss being their sum; None
    as `state` is whatever `run` makes of it. A segment's state is computed with the parameters of its time, as is
    usual; the next begins from it even after an update. With k2 > k1 the k2 - k1 steps before are run again. A last
    segment of fewer than k1 steps goes back by as many fewer.

    Raises ValueError without 1 <= k1 <= k2.
    """
    k2 = k1 if k2 is None else k2
    if not 1 <= k1 <= k2:
        raise ValueError(f"carried: every k1 = {k1} steps back through k2 = {k2}: give 1 <= k1 <= k2")
    start = 0  # of the gradient's road, where `state` is
    for first in range(0, steps, k1):
        stop = min(first + k1, steps)
        following = max(0, stop + k1 - k2) if stop < steps else stop
        # the next segment's road begins at `following`: the state there, and at the end, is noted on the way
        h, kept, loss = state, state, None
        for a, b in _pieces(start, first, following, stop):
            piece, h = run(a, b, h)
            if a >= first:
                loss = piece if loss is None else loss + piece
            if b == following:
                kept = detach(h)
        assert loss is not None
        yield loss, detach(h)
        start, state = following, kept


def _pieces(*cuts: int) -> Iterator[tuple[int, int]]:
    ordered = sorted(set(cuts))
    return itertools.pairwise(ordered)
