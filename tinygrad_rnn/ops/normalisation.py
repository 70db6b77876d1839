"""Batch normalisation: each feature with mean 0 and variance 1 over the batch."""

from __future__ import annotations

from typing import Any

from ..backend import xp
from ..primitives import primitive
from .elementwise import sqrt
from .reduction import mean
from .shape import reshape

Axes = int | tuple[int, ...]


@primitive
def standardize(x: Any, /, axis: Axes, eps: float = 1e-5) -> Any:
    """x less its mean over `axis`, divided by sqrt(variance + eps)."""
    centred = x - x.mean(axis=axis, keepdims=True)
    return centred / xp(x).sqrt((centred * centred).mean(axis=axis, keepdims=True) + eps)


@standardize.vjp(0)
def _(g: Any, y: Any, x: Any, axis: Axes, eps: float) -> Any:
    """Mean and variance move with x, so a constant g, and one along y, do not get through (but for eps)."""
    centred = x - mean(x, axis, True)
    deviation = sqrt(mean(centred * centred, axis, True) + eps)
    return (g - mean(g, axis, True) - y * mean(g * y, axis, True)) / deviation


def batch_norm(x: Any, w: Any, b: Any, eps: float = 1e-5) -> Any:
    """w (x - mean) / sqrt(variance + eps) + b, with the mean and the biased variance of each feature over this batch
    (Ioffe & Szegedy 2015, algorithm 1): x (B, F), or (B, C, H, W) with its channels as features; w and b (F,)."""
    return standardize(x, feature_axes(x), eps) * per_feature(w, x) + per_feature(b, x)


def feature_axes(x: Any) -> tuple[int, ...]:
    """The axes over which the numbers of one feature lie: all but axis 1."""
    return (0, *range(2, len(x.shape)))


def per_feature(w: Any, x: Any) -> Any:
    """One number a feature, w (F,), in the shape in which it meets x (B, F, ...)."""
    return w if len(x.shape) == 2 else reshape(w, (-1, *[1] * (len(x.shape) - 2)))
