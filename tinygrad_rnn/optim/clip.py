"""Clipping: what is done about a gradient that explodes."""

from __future__ import annotations

import math
from collections.abc import Iterable

from .. import ops
from ..backend import Array
from ..core import Tensor, describe
from .optimizer import gradient


def clip_grad_norm(params: Iterable[Tensor], max_norm: float, error_if_nonfinite: bool = False) -> float:
    """Scale the gradients of `params`, together, so that their norm is at most `max_norm`, and return the norm that
    they had: the square root of the sum of all squares (Pascanu, Mikolov & Bengio 2013, algorithm 1).

    The norm itself does not overflow where the squares would. Where it is inf or NaN no scale helps: the gradients stay
    as they are, so check `math.isfinite` of the result before a step, or pass `error_if_nonfinite`, which raises
    FloatingPointError naming the parameters. Raises ValueError for a `max_norm` that is negative or NaN.

    >>> import numpy as np, tinygrad_rnn as tg
    >>> p = tg.tensor([0.0, 0.0], requires_grad=True)
    >>> p.grad = tg.tensor([3.0, 4.0])
    >>> clip_grad_norm(p, 1.0), p.grad
    (5.0, tensor([0.6, 0.8]))
    """
    if not max_norm >= 0:
        raise ValueError(f"clip_grad_norm: max_norm must not be negative or NaN, and it is {max_norm}")
    learning = _with_grad(params, "clip_grad_norm")
    norms = [_norm(g.data) for _, g in learning]
    total = math.hypot(*norms)
    if not math.isfinite(total):
        if error_if_nonfinite:
            guilty = [describe(p) for (p, _), norm in zip(learning, norms, strict=True) if not math.isfinite(norm)]
            raise FloatingPointError(f"clip_grad_norm: the gradient of {', '.join(guilty)} has norm {total}: lower the "
                                     "learning rate, or find the operation with tg.debug()")  # fmt: skip
        return total
    if total > max_norm:
        for p, g in learning:
            p.grad = g * (max_norm / total)
    return total


def clip_grad_value(params: Iterable[Tensor], limit: float) -> None:
    """Bring each number of the gradients of `params` between -limit and limit, inf too; this bends their direction.

    Raises ValueError for a `limit` that is negative or NaN.
    """
    if not limit >= 0:
        raise ValueError(f"clip_grad_value: limit must not be negative or NaN, and it is {limit}")
    for p, g in _with_grad(params, "clip_grad_value"):
        p.grad = ops.clip(g, -limit, limit)


def _with_grad(params: Iterable[Tensor], who: str) -> list[tuple[Tensor, Tensor]]:
    """The parameters that have a gradient, each once, and the numbers of that gradient; checked as by `gradient`."""
    given = [params] if isinstance(params, Tensor) else params
    gradients = {p: gradient(p, who) for p in given}
    return [(p, Tensor(g)) for p, g in gradients.items() if g is not None]


def _norm(g: Array) -> float:
    """The square root of the sum of squares, relative to the largest so that no square overflows or vanishes."""
    largest = float(abs(g).max()) if g.size else 0.0
    if largest == 0 or not math.isfinite(largest):
        return largest
    scaled = g.astype("float64") / largest
    return largest * math.sqrt(float((scaled * scaled).sum()))
