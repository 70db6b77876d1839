"""Penalties on the size of weights, to be added to the loss: loss + l2_penalty(model.parameters(), 1e-4)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from .. import ops
from ..core import Tensor


def l1_penalty(params: Iterable[Tensor], strength: float = 1.0) -> Any:
    """strength * sum |p|: pulls each number towards 0 by the same amount, so that many end there (lasso)."""
    return strength * _total("l1_penalty", params, strength, ops.abs)


def l2_penalty(params: Iterable[Tensor], strength: float = 1.0) -> Any:
    """strength / 2 * sum p^2: pulls each number towards 0 in proportion to its size. With SGD it is what `weight_decay`
    does; with Adam it is not, since Adam divides by the size of gradients (Loshchilov & Hutter 2019)."""
    return strength / 2 * _total("l2_penalty", params, strength, lambda p: p * p)


def _total(name: str, params: Iterable[Tensor], strength: float, of: Any) -> Any:
    given = [params] if isinstance(params, Tensor) else list(params)
    if not given:
        raise ValueError(f"{name}: there are no parameters: pass module.parameters()")
    if not 0 <= strength < math.inf:
        raise ValueError(f"{name}: strength must be finite and not negative, and it is {strength}")
    total = ops.sum(of(given[0]))
    for p in given[1:]:
        total = total + ops.sum(of(p))
    return total
