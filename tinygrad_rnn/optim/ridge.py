"""Ridge regression: the read-out of an echo state network, in closed form."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..core import Tensor


@dataclass(frozen=True, eq=False)
class Readout:
    """y = x @ W + b, with `W (N, M)` and `b (M,)`."""

    W: np.ndarray
    b: np.ndarray

    def __call__(self, x: Any) -> np.ndarray:
        return np.asarray(_numbers(x) @ self.W + self.b)


class Choice(NamedTuple):
    """The penalty with the least score, its read-out, and all scores, by penalty."""

    penalty: float
    readout: Readout
    scores: dict[float, float]


class Ridge:
    """min |Y - X W - b|^2 + penalty |W|^2 over W and b, in closed form, for any number of penalties.

    `X (T, N)` and `Y (T, M)`, or (T, B, N) and (T, B, M), are features, such as a reservoir's states, and targets; the
    first `washout` steps, which still remember where the states began, are left out. b is not penalised: it makes the
    means agree. Computed in float64 by the singular values of X, which lose nothing where X'X is close to singular, as
    that of a reservoir is (Hoerl & Kennard 1970; Lukosevicius 2012, section 4.1).

    A penalty belongs to the sum of squares, not to their mean; with 0 it is least squares, and of all solutions the
    smallest. Raises ValueError for shapes that do not fit, numbers that are not finite, a washout that leaves nothing,
    a negative penalty.

    >>> X, y = np.array([[0.0], [1.0], [2.0]]), np.array([[1.0], [3.0], [5.0]])
    >>> Ridge(X, y).readout(0.0)
    Readout(W=array([[2.]]), b=array([1.]))
    """

    def __init__(self, X: Any, Y: Any, washout: int = 0) -> None:
        X, Y = _numbers(X), _numbers(Y)
        if X.ndim < 2 or X.shape[:-1] != Y.shape[:-1]:
            raise ValueError(f"Ridge: X {X.shape} and Y {Y.shape} must agree but for their last axis: give (T, N) and "
                             "(T, M)")  # fmt: skip
        if not 0 <= washout < len(X):
            raise ValueError(f"Ridge: a washout of {washout} leaves nothing of {len(X)} steps: give 0 to {len(X) - 1}")
        X, Y = (a[washout:].reshape(-1, a.shape[-1]) for a in (X, Y))
        for name, a in (("X", X), ("Y", Y)):
            if not np.isfinite(a).all():
                raise ValueError(f"Ridge: {name} holds NaN or infinity: a reservoir that explodes wants a smaller "
                                 "spectral radius or smaller inputs")  # fmt: skip
        self.x_mean, self.y_mean = X.mean(axis=0), Y.mean(axis=0)
        U, self.s, self.Vt = np.linalg.svd(X - self.x_mean, full_matrices=False)
        self.UtY = U.T @ (Y - self.y_mean)

    def readout(self, penalty: float) -> Readout:
        """The solution for one penalty."""
        if not penalty >= 0:
            raise ValueError(f"Ridge: the penalty must not be negative or NaN, and it is {penalty}")
        smallest = self.s[0] * np.finfo(float).eps * max(self.Vt.shape)  # rounding, as numpy's lstsq has it
        shrink = np.where(self.s > smallest, self.s, 0) / np.maximum(self.s**2 + penalty, np.finfo(float).tiny)
        W = self.Vt.T @ (shrink[:, None] * self.UtY)
        return Readout(W, self.y_mean - self.x_mean @ W)

    def choose(self, penalties: Iterable[float], score: Callable[[Readout], float]) -> Choice:
        """The penalty whose read-out has the least `score`: an error on a validation stretch, which neither X here nor
        the final test may hold. What is not finite counts as infinite."""
        readouts = {penalty: self.readout(penalty) for penalty in penalties}
        if not readouts:
            raise ValueError("Ridge: there is no penalty to choose from: give some, such as 10.0 ** np.arange(-10, 1)")
        scores = {penalty: float(score(readout)) for penalty, readout in readouts.items()}
        scores = {penalty: s if np.isfinite(s) else float("inf") for penalty, s in scores.items()}
        best = min(scores, key=lambda penalty: scores[penalty])
        return Choice(best, readouts[best], scores)


def _numbers(x: Any) -> np.ndarray:
    return np.asarray(backend.to_numpy(x.data if isinstance(x, Tensor) else x), float)
