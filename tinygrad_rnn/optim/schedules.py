"""Learning rates that change while learning: a schedule gives the rate of update t, counted from 0.

    rate = schedules.warm_up(schedules.cosine(0.1, steps=1000), steps=50)
    for t in range(1000):
        optimizer.lr = rate(t)
"""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[int], float]


def step_decay(lr: float, every: int, factor: float = 0.1) -> Schedule:
    """lr, multiplied by `factor` after each `every` updates.

    >>> [round(step_decay(1.0, every=2)(t), 6) for t in range(5)]
    [1.0, 1.0, 0.1, 0.1, 0.01]
    """
    _at_least_one("step_decay: every", every)
    return lambda t: lr * factor ** (t // every)


def exponential(lr: float, factor: float) -> Schedule:
    """lr factor^t: multiplied by `factor` after each update."""
    return lambda t: lr * factor**t


def inverse_time(lr: float, decay: float) -> Schedule:
    """lr / (1 + decay t): for SGD the sum of all rates has no bound, that of their squares has one (Robbins & Monro
    1951)."""
    return lambda t: lr / (1 + decay * t)


def linear(lr: float, steps: int, end: float = 0.0) -> Schedule:
    """From lr on a straight line to `end`, reached at update `steps`; then `end`."""
    _at_least_one("linear: steps", steps)
    return lambda t: end + (lr - end) * (1 - min(t / steps, 1))


def cosine(lr: float, steps: int, end: float = 0.0) -> Schedule:
    """From lr on half a wave of the cosine to `end`, reached at update `steps`; then `end` (Loshchilov & Hutter 2017,
    equation 5)."""
    _at_least_one("cosine: steps", steps)
    return lambda t: end + (lr - end) * (1 + math.cos(math.pi * min(t / steps, 1))) / 2


def warm_up(schedule: Schedule, steps: int) -> Schedule:
    """The schedule, of which the first `steps` updates take only a share: 1/steps, 2/steps, ..., 1."""
    _at_least_one("warm_up: steps", steps)
    return lambda t: schedule(t) * min((t + 1) / steps, 1)


def _at_least_one(what: str, steps: int) -> None:
    if steps < 1:
        raise ValueError(f"{what} is a number of updates, 1 or more, not {steps}")
