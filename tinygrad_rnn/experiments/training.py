"""The loop that most trials share: loss, gradients, clipping, a step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from .. import optim
from ..core import Tensor
from ..optim.schedules import Schedule

OPTIMIZERS: dict[str, Callable[..., optim.Optimizer]] = {
    "adam": optim.Adam, "sgd": optim.SGD, "rmsprop": optim.RMSprop, "adagrad": optim.Adagrad,
}  # fmt: skip


def train(parameters: Iterable[Tensor], loss_of: Callable[[int], Tensor], rate: float | Schedule, updates: int, *,
          clip: float = 1.0, optimizer: str = "adam", every: int = 0, check: Callable[[], float] | None = None,
          enough: float = -math.inf, **options: Any) -> tuple[list[list[float]], bool]:  # fmt: skip
    """Take `updates` steps along the gradients of `loss_of(update)`, clipped to the norm `clip`, at the learning
    rate `rate` or by a schedule of `optim.schedules`.

    Every `every` updates, and at the end, `check()` is noted; without it the mean loss since the last note is. Gives
    the notes as [update, value] pairs and whether a note came down to `enough`, which ends the training. A loss that is
    not finite ends it too.
    """
    parameters = list(parameters)
    schedule = rate if callable(rate) else None
    step = OPTIMIZERS[optimizer](parameters, lr=schedule(0) if schedule else rate, **options)
    notes: list[list[float]] = []
    losses: list[float] = []
    for update in range(1, updates + 1):
        step.zero_grad()
        loss = loss_of(update)
        losses.append(loss.item())
        finite = math.isfinite(losses[-1])
        if finite:
            step.lr = schedule(update - 1) if schedule else step.lr
            loss.backward()
            optim.clip_grad_norm(parameters, clip)
            step.step()
        if (every and update % every == 0) or update == updates or not finite:
            value = check() if check is not None and finite else sum(losses) / len(losses)
            notes.append([update, value])
            losses = []
            if value <= enough or not finite:
                return notes, value <= enough
    return notes, False
