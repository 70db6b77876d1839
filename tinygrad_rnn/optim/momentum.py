"""Momentum as Sutskever et al. write it, in which Nesterov's differs from the classical only in where the gradient is
taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from .. import backend
from ..backend import Array
from ..core import Tensor
from .optimizer import Optimizer, kept


class Momentum(Optimizer):
    """v := mu v - lr g; theta := theta + v (Sutskever, Martens, Dahl & Hinton 2013, equations 1 to 4).

    Classical momentum takes the gradient g at theta. Nesterov's accelerated gradient takes it where the velocity is
    about to lead, at theta + mu v: run the model inside `look_ahead()`, and a step that is about to overshoot is
    corrected before it is made.

        with optimizer.look_ahead():    # leave it out, and momentum is classical
            loss = ...
            loss.backward()
        optimizer.step()

    lr scales only the new gradient, so that `momentum` (mu) may be set anew at each step: see `momentum_schedule`.
    `SGD(nesterov=True)` is the same where mu and lr stay, with its parameters at the looked-ahead place.
    """

    hyperparameters = ("lr", "momentum", "weight_decay")
    may_remember = ("velocity",)

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float, weight_decay: float = 0.0) -> None:
        self.momentum = momentum
        super().__init__(params, lr, weight_decay)

    @contextmanager
    def look_ahead(self) -> Iterator[None]:
        """Inside, parameters are at theta + mu v; afterwards, also after an error, at theta again."""
        places = [p.data for p in self.params]
        for p, memory in zip(self.params, self.memories, strict=True):
            if "velocity" in memory:
                p.data = backend.xp(p.data).asarray(p.data + self.momentum * memory["velocity"], dtype=p.dtype)
        try:
            yield
        finally:
            for p, place in zip(self.params, places, strict=True):
                p.data = place

    def change(self, p: Array, g: Array, memory: dict[str, Any]) -> Array:
        v = kept("velocity", memory, p)
        v *= self.momentum
        v -= self.lr * g
        return -v


def momentum_schedule(step: int, limit: float) -> float:
    """mu at a step, from 0: 1/2 for 250 steps, then 3/4, 5/6, 7/8, ... up to `limit` (Sutskever et al. 2013, equation
    5).

    >>> [momentum_schedule(step, limit=0.9) for step in (0, 249, 250, 750, 5000)]
    [0.5, 0.5, 0.75, 0.875, 0.9]
    """
    return min(1 - 2 ** (-1 - math.log2(step // 250 + 1)), limit)


def momentum_path(gradient: Callable[[Any], Any], theta: Any, steps: int, lr: float, momentum: float,
                  nesterov: bool = False) -> list[Any]:  # fmt: skip
    """theta_0, theta_1, ... theta_steps of the same equations, as they stand, for a known `gradient(theta)`: for
    functions that one draws or solves by hand. v begins at zero.

    On a quadratic with curvature lambda Nesterov's is classical momentum with mu (1 - lr lambda) in place of mu, along
    each eigenvector (theorem 2.1).

    >>> momentum_path(lambda theta: theta, 1.0, steps=2, lr=0.5, momentum=0.5, nesterov=True)
    [1.0, 0.5, 0.125]
    """
    path, v = [theta], 0 * theta
    for _ in range(steps):
        g = gradient(theta + momentum * v if nesterov else theta)
        v = momentum * v - lr * g
        theta = theta + v
        path.append(theta)
    return path
