"""Conjugate gradients: solving A x = b from products with A alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..backend import Array, xp

Product = Callable[[Array], Array]


@dataclass(frozen=True)
class Solution:
    """What `conjugate_gradient` found: the last `x`, and on the way to it `iterates`, of step numbers `kept`, the last
    being x; `values[i]` is the quadratic x'Ax/2 - b'x after i steps, which each step lowers."""

    x: Array
    steps: int
    values: list[float]
    iterates: list[Array]
    kept: list[int]


def conjugate_gradient(product: Product, b: Array, start: Array | None = None, max_steps: int | None = None,
                       tolerance: float = 0.0, precondition: Product | None = None,
                       progress: float | None = None) -> Solution:  # fmt: skip
    """Lower x'Ax/2 - b'x, for a symmetric positive definite A given as `product(v)` = A v (Hestenes & Stiefel 1952).

    In exact arithmetic the solution of A x = b (N,) is reached in as many steps as A has different eigenvalues, at most
    N. It begins at `start` (zero) and ends after `max_steps` (N), at a residual |b - Ax| <= `tolerance` |b|, or
    (`progress`, Martens 2010, section 4.4, has 0.0005) after step i, once the quadratic is negative and over the last
    k = max(10, i/10) steps fell by less than k * progress of itself. `precondition(r)` is M^-1 r for a
    positive definite M that is like A.

    Iterates are kept at steps 1, 2, 3, 4, 6, 8, 11, ..., each at least 1.3 times the one before, so that one may go
    back to an earlier one that is better for what the quadratic stands for (Martens 2010, section 4.6). Directions of
    no or negative curvature end it before they are taken. Raises ValueError where b is not a vector, or `start` has
    another shape.

    >>> import numpy as np
    >>> A = np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> found = conjugate_gradient(lambda v: A @ v, np.array([3.0, 4.0]))
    >>> found.x.round(12), found.steps
    (array([1., 1.]), 2)
    """
    if b.ndim != 1 or (start is not None and start.shape != b.shape):
        shape = None if start is None else tuple(start.shape)
        raise ValueError(f"conjugate_gradient: b has shape {tuple(b.shape)}, start {shape}: give vectors (N,) of one "
                         "length")  # fmt: skip
    x = xp(b).zeros_like(b) if start is None else start.copy()
    r = b.copy() if start is None else b - product(x)
    y = r if precondition is None else precondition(r)
    direction, ry = y, _dot(r, y)
    enough = tolerance * _dot(b, b) ** 0.5
    values, iterates, kept, step = [_quadratic(x, b, r)], [x], [0], 0
    last = b.size if max_steps is None else max_steps
    while step < last and _dot(r, r) ** 0.5 > enough:
        curved = product(direction)
        curvature = _dot(direction, curved)
        if not curvature > 0:
            break
        step += 1
        alpha = ry / curvature
        x = x + alpha * direction
        r = r - alpha * curved
        values.append(_quadratic(x, b, r))
        if step >= 1.3 * kept[-1]:
            iterates.append(x)
            kept.append(step)
        if progress is not None and _settled(values, progress):
            break
        y = r if precondition is None else precondition(r)
        before, ry = ry, _dot(r, y)
        direction = y + (ry / before) * direction
    if kept[-1] != step:
        iterates.append(x)
        kept.append(step)
    return Solution(x, step, values, iterates, kept)


def _settled(values: list[float], progress: float) -> bool:
    """Martens' rule, which looks at the quadratic and not at the residual: that one says little before it is small."""
    i = len(values) - 1
    k = max(10, i // 10)
    return i > k and values[i] < 0 and (values[i] - values[i - k]) / values[i] < k * progress


def _quadratic(x: Array, b: Array, r: Array) -> float:
    """x'Ax/2 - b'x, by Ax = b - r."""
    return -_dot(x, b + r) / 2


def _dot(x: Array, y: Array) -> float:
    return float(x @ y)
