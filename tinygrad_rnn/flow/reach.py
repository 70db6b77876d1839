"""How far back a loss reaches: gradient norms by lag, and the horizon at which they have died."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from ..autograd import grad
from ..core import Tensor
from .graphs import norm
from .states import ByName, sequences_of


@dataclass(frozen=True, eq=False)
class Lags:
    """`norms (lags,)`: ||dL_t/dh_{t-lag}|| for lag = 0, 1, ..., the mean over the losses that reach that far back;
    `counts (lags,)`: how many those are."""

    norms: np.ndarray
    counts: np.ndarray

    def __len__(self) -> int:
        return len(self.norms)

    def __repr__(self) -> str:
        if not len(self):
            return "<lags: none>"
        return f"<lags 0 to {len(self) - 1}: norms {self.norms[0]:.3g} (lag 0) to {self.norms[-1]:.3g} (the last)>"


@overload
def by_lag(losses: Tensor | Sequence[Tensor], states: Sequence[Tensor]) -> Lags: ...
@overload
def by_lag(losses: Tensor | Sequence[Tensor], states: ByName | None = None) -> dict[str, Lags]: ...
def by_lag(losses: Any, states: Any = None) -> Any:
    """The norm of a loss's gradient by how many steps before the loss the state was made.

    `losses`: one scalar, or several (one backward pass each), whose norms are averaged at each lag (the arithmetic
    mean, which large ones dominate). `states`: as in `state_gradients`. The lag counts from the step in which the loss
    was made, or, for a loss made outside any step, from the last state that it depends on: give single losses L_t,
    because a sum over time mixes all lags. A layer that reads backwards is counted the other way. Where states are
    listed, a start state made outside any step counts as one step before the next.
    """
    losses = [losses] if isinstance(losses, Tensor) else list(losses)
    if not losses:
        raise ValueError("by_lag: the list of losses is empty: give at least one")
    one = isinstance(states, Sequence)
    sequences = {"": list(states)} if one else sequences_of(losses, states)
    everything = [x for xs in sequences.values() for x in xs]
    sums: dict[str, dict[int, list[float]]] = {name: {} for name in sequences}
    for loss in losses:
        arrived = iter(grad(loss, everything, allow_unused=True))
        for name, xs in sequences.items():
            times = _times(xs)
            reached = {t: norm(g) for t in times if (g := next(arrived)) is not None}
            if reached:
                now = loss.step if loss.step is not None else max(reached)
                for t, size in reached.items():
                    sums[name].setdefault(abs(now - t), []).append(size)
    results = {name: _mean(by) for name, by in sums.items()}
    return results[""] if one else results


def _times(states: list[Tensor]) -> list[int]:
    """The step of each state; one that was made outside any is a step before the next."""
    times: list[int] = []
    for x in reversed(states):
        times.append(x.step if x.step is not None else times[-1] - 1 if times else 0)
    return times[::-1]


def _mean(by: dict[int, list[float]]) -> Lags:
    longest = max(by, default=-1) + 1
    counts = np.array([len(by.get(lag, ())) for lag in range(longest)], int)
    norms = np.array([np.mean(by[lag]) if lag in by else np.nan for lag in range(longest)])
    return Lags(norms, counts)


@overload
def horizon(norms: Mapping[str, Any], threshold: float = 0.01) -> dict[str, int]: ...
@overload
def horizon(norms: Any, threshold: float = 0.01) -> int: ...
def horizon(norms: Any, threshold: float = 0.01) -> Any:
    """How many steps back a loss reaches: the largest lag at which the norm is at least `threshold` times that at lag
    0.

    `norms`: Lags, or norms by lag (lags,), or several by name for a dict of horizons. A result of `len(norms) - 1`
    means "at least": the loss reaches as far as was measured. 0 where nothing arrives at lag 0 either. Lags without a
    measurement (NaN) are passed over. Raises ValueError for a threshold that is not positive, no norms, or NaN at lag
    0.

    >>> horizon([1.0, 0.5, 0.25, 0.125], threshold=0.2)
    2
    """
    if isinstance(norms, Mapping):
        return {name: horizon(each, threshold) for name, each in norms.items()}
    values = np.asarray(norms.norms if isinstance(norms, Lags) else norms, float)
    if not threshold > 0:
        raise ValueError(f"horizon: threshold is a share of the norm at lag 0 and positive, not {threshold}")
    if values.ndim != 1 or not values.size or np.isnan(values[0]):
        raise ValueError(f"horizon: norms are one number a lag, from lag 0 on, not an array {values.shape} "
                         f"that starts with {values.flat[0] if values.size else 'nothing'}")  # fmt: skip
    if values[0] == 0:
        return 0
    return int(np.flatnonzero(values >= threshold * values[0]).max())
