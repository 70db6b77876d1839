"""What stands between the layers of a stack, for all steps at once; the twins do it step by step, where it is seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...fusion import twin
from ...primitives import primitive
from ...recording import step
from ..elementwise import add, multiply
from ..noise import _dropout, dropout_mask
from ..shape import concat, split, stack, unstack

MERGES: dict[str, Any] = {"concat": lambda ahead, back: concat([ahead, back], axis=-1), "sum": add, "mul": multiply}
"""What becomes of the outputs (..., H) of two directions: side by side (..., 2H), their sum, or their product."""


@primitive
def join_directions(ahead: Any, back: Any, /, offset: int = 0, merge: str = "concat") -> Any:
    """What two directions found in each step, merged: (T, B, 2H), or (T, B, H), of (T, B, H) and (T, B, H)."""
    return MERGES[merge](ahead, back)


@join_directions.joint_vjp
def _(needed: Any, g: Any, y: Any, ahead: Any, back: Any, offset: int, merge: str) -> Any:
    if merge == "concat":
        return split(g, [ahead.shape[2]], axis=2)
    return (g, g) if merge == "sum" else (g * back, g * ahead)


@twin(join_directions)
def _(ahead: Any, back: Any, offset: int, merge: str) -> Any:
    joined = []
    for t, (a, b) in enumerate(zip(unstack(ahead), unstack(back), strict=True), offset):
        with step(t):
            joined.append(MERGES[merge](a, b))
    return stack(joined)


def dropout_sequence(x: Any, p: float, rng: np.random.Generator, offset: int = 0) -> Any:
    """Dropout of x (T, B, H); the same numbers are drawn as by `dropout` of one step after the other."""
    return _dropout_sequence(x, mask=dropout_mask(x, p, rng), offset=offset)


@primitive
def _dropout_sequence(x: Any, /, mask: Any, offset: int) -> Any:
    return x * mask


@_dropout_sequence.vjp(0)
def _(g: Any, y: Any, x: Any, mask: Any, offset: int) -> Any:
    return g * mask


@twin(_dropout_sequence)
def _(x: Any, mask: Any, offset: int) -> Any:
    dropped = []
    for t, (a, kept) in enumerate(zip(unstack(x), mask, strict=True), offset):
        with step(t):
            dropped.append(_dropout(a, mask=kept))
    return stack(dropped)
