"""Operations that bring many elements to fewer: sums, means, extremes. `axis` and `keepdims` as in NumPy."""

from __future__ import annotations

import math
from typing import Any

from ..backend import xp
from ..primitives import primitive
from .elementwise import exp
from .placement import cast
from .shape import broadcast_to, reshape

Axis = int | tuple[int, ...] | None


@primitive
def sum(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum over `axis` (over everything, for None)."""
    return x.sum(axis=axis, keepdims=keepdims)


@sum.vjp(0)
def _(g: Any, y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    return broadcast_to(_with_axes(g, x, axis), x.shape)


@primitive
def mean(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The mean over `axis` (over everything, for None)."""
    return x.mean(axis=axis, keepdims=keepdims)


@mean.vjp(0)
def _(g: Any, y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    return broadcast_to(_with_axes(g / _count(x, axis), x, axis), x.shape)


@primitive(analytic=False)
def var(x: Any, /, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """The variance over `axis`: the mean squared distance from the mean, with n - ddof for n."""
    return x.var(axis=axis, ddof=ddof, keepdims=keepdims)


@var.vjp(0)
def _(g: Any, y: Any, x: Any, axis: Axis, ddof: int, keepdims: bool) -> Any:
    centred = x - mean(x, axis, True)
    return _with_axes(g, x, axis) * (2 * centred) / (_count(x, axis) - ddof)


@primitive(analytic=False)
def max(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest element; ties share the gradient equally."""
    return x.max(axis=axis, keepdims=keepdims)


@primitive(analytic=False)
def min(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The smallest element; ties share the gradient equally."""
    return x.min(axis=axis, keepdims=keepdims)


@max.vjp(0)
@min.vjp(0)
def _(g: Any, y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    best = cast(x == _with_axes(y, x, axis), x.dtype)
    return _with_axes(g, x, axis) * (best / sum(best, axis, True))


@primitive
def logsumexp(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) without overflow."""
    lib = xp(x)
    m = x.max(axis=axis, keepdims=True)
    m = lib.where(lib.isfinite(m), m, 0 * m.real)
    y = lib.log(lib.exp(x - m).sum(axis=axis, keepdims=True)) + m
    return y if keepdims else y.squeeze(axis)


@logsumexp.vjp(0)
def _(g: Any, y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    return _with_axes(g, x, axis) * exp(x - _with_axes(y, x, axis))


@primitive
def sum_to(x: Any, /, shape: tuple[int, ...]) -> Any:
    """x summed down to `shape`, from which it could be broadcast: what undoes broadcasting."""
    lead = x.ndim - len(shape)
    if lead > 0 and len(shape) == 1 and x.size and x.shape[lead:] == shape:  # a bias: the commonest case
        rows = x if lead == 1 else x.reshape(math.prod(x.shape[:lead]), shape[0])
        return rows[0] if len(rows) == 1 else xp(x).ones(len(rows), x.dtype).dot(rows)  # faster than a sum
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, x.shape[lead:], strict=True)):
        raise ValueError(f"{shape} does not broadcast to {x.shape}")
    stretched = tuple(i + lead for i, n in enumerate(shape) if n == 1 and x.shape[i + lead] != 1)
    return x.sum(axis=(*range(lead), *stretched), keepdims=True).reshape(shape)


@sum_to.vjp(0)
def _(g: Any, y: Any, x: Any, shape: tuple[int, ...]) -> Any:
    return broadcast_to(g, x.shape)


def _axes(x: Any, axis: Axis) -> tuple[int, ...]:
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return tuple(a % x.ndim for a in axes)


def _count(x: Any, axis: Axis) -> int:
    """How many elements of x go into one of the result; 1 for none, which then divides nothing."""
    return math.prod(x.shape[a] for a in _axes(x, axis)) or 1


def _with_axes(g: Any, x: Any, axis: Axis) -> Any:
    """g with the axes that the reduction took away put back with size 1."""
    axes = _axes(x, axis)
    shape = tuple(1 if a in axes else n for a, n in enumerate(x.shape))
    return g if g.shape == shape else reshape(g, shape)
