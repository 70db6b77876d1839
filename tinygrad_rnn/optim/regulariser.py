"""Pascanu's regulariser: gradients that keep their length on the way back through time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import ops
from ..autograd import grad
from ..backend import xp
from ..core import Tensor, raw, tensor


def omega(step: Callable[[Any], Tensor], states: Any, gradients: Any) -> Tensor:
    """Omega = sum over k of (|dE/dh_{k+1} dh_{k+1}/dh_k| / |dE/dh_{k+1}| - 1)^2, a mean over the batch (Pascanu,
    Mikolov & Bengio 2013, section 3.3). Added to the loss, it keeps the error from vanishing or exploding in the
    directions that matter.

    `states (T, B, H)`: h_0 ... h_{T-1}, those from which a step was made; `gradients (T, B, H)`: dE/dh_1 ... dE/dh_T,
    the whole gradient that came to each new state. `step(states)` makes all the new ones (T, B, H), or (T * B, H), from
    the old at once: a step that was the first of a loop must not look at its neighbours.

    What is differentiated is what one leaves in the graph. Arrays or detached states and gradients give the paper's
    immediate derivative, by the parameters inside `step` alone, which costs one step. States of the graph, and
    gradients from `tg.grad(..., create_graph=True)`, give the exact one.

    A step whose gradient is zero, as before the first loss, counts nothing. Raises ValueError where shapes differ.

    >>> import numpy as np
    >>> W = tensor([[0.5, 0.0], [0.0, 2.0]], requires_grad=True)
    >>> error = np.array([[[1.0, 0.0]], [[0.0, 1.0]]], np.float32)  # halved, and doubled
    >>> omega(lambda h: h @ W, np.zeros((2, 1, 2), np.float32), error)
    tensor(1.25, op='divide')
    """
    if tuple(states.shape) != tuple(gradients.shape) or len(states.shape) != 3:
        raise ValueError(f"omega: states {tuple(states.shape)} and gradients {tuple(gradients.shape)} must both be "
                         "(T, B, H): the states before each step, the gradients after it")  # fmt: skip
    attached = isinstance(states, Tensor) and states.requires_grad
    old = states if attached else tensor(raw(states), requires_grad=True)
    error = gradients if isinstance(gradients, Tensor) else Tensor(gradients)
    new = step(old)
    (before,) = grad(new, old, ops.reshape(error, new.shape), create_graph=True)
    left, arrived = (ops.sum(e * e, axis=-1) for e in (before, error))
    flows, lives = raw(arrived) > 0, raw(left) > 0  # where not, a ratio is held: at 1 where nothing came, else at 0
    one = xp(flows).ones_like(raw(arrived))
    ratio = ops.sqrt(ops.where(lives, left, one) / ops.where(flows, arrived, one))
    return ops.sum((ops.where(lives, ratio, 1 - one * flows) - 1) ** 2) / states.shape[1]
