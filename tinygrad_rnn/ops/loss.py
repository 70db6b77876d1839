"""Softmax and the losses. `reduction` ("mean", "sum", "none") is over the batch, `over_time` over time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import backend
from ..backend import xp
from ..core import primitive, raw
from .elementwise import exp, softplus
from .reduction import mean, sum
from .shape import as_indices, expand_dims


@primitive
def softmax(x: Any, /, axis: int = -1) -> Any:
    """e^x divided by its sum over `axis`, without overflow."""
    e = xp(x).exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@softmax.vjp(0)
def _(g: Any, y: Any, x: Any, axis: int) -> Any:
    return y * (g - sum(g * y, axis, True))


@primitive
def log_softmax(x: Any, /, axis: int = -1) -> Any:
    """The logarithm of softmax, exact where softmax would underflow."""
    lib = xp(x)
    x = x - x.max(axis=axis, keepdims=True)
    return x - lib.log(lib.exp(x).sum(axis=axis, keepdims=True))


@log_softmax.vjp(0)
def _(g: Any, y: Any, x: Any, axis: int) -> Any:
    return g - exp(y) * sum(g, axis, True)


def cross_entropy(logits: Any, targets: Any, mask: Any = None, reduction: str = "mean") -> Any:
    """-log softmax(logits)[target], in nats: logits (..., C), integer targets (...), mask (...) of 0 and 1 or bool.

    "mean" divides by the number of unmasked targets. Raises ValueError where shapes differ, IndexError for a target
    outside 0..C-1.
    """
    targets = as_indices(targets, logits)
    if tuple(targets.shape) != tuple(logits.shape[:-1]):
        raise ValueError(f"cross_entropy: logits {tuple(logits.shape)} need targets {tuple(logits.shape[:-1])}, not "
                         f"{tuple(targets.shape)}")  # fmt: skip
    if mask is None:
        losses = _cross_entropy(logits, targets)
        if reduction == "mean":
            return mean(losses)
        return _reduced(losses, reduction)
    weights = _weights(mask, logits, losses_shape=tuple(targets.shape))
    losses = _cross_entropy(logits, targets) * weights
    if reduction == "mean":
        return sum(losses) / weights.sum().clip(1)
    return _reduced(losses, reduction)


@primitive(saves=True)
def _cross_entropy(logits: Any, /, targets: Any) -> Any:
    """One loss per target; saves the softmax."""
    lib = xp(logits)
    x = logits - logits.max(axis=-1, keepdims=True)
    e = lib.exp(x)
    total = e.sum(axis=-1, keepdims=True)
    losses = lib.log(total[..., 0]) - x[_picked(targets)]
    return losses, (e / total)


@_cross_entropy.vjp(0)
def _(g: Any, y: Any, logits: Any, targets: Any, saved: Any) -> Any:
    p = softmax(logits) if saved is None else saved
    return (p - one_hot(targets, logits.shape[-1], logits.dtype)) * expand_dims(g, -1)


def one_hot(indices: Any, size: int, dtype: Any = np.float32) -> Any:
    """An array (*indices.shape, size) with a 1 where each index points."""
    indices = raw(indices)
    y = xp(indices).zeros((*indices.shape, size), dtype=dtype)
    y[_picked(indices)] = 1
    return y


def _picked(targets: Any) -> tuple[Any, ...]:
    """The index of one element a row: all positions of `targets`, and the target there."""
    lib = xp(targets)
    grid = [lib.arange(n).reshape((-1,) + (1,) * (targets.ndim - i - 1)) for i, n in enumerate(targets.shape)]
    return (*grid, targets)


def binary_cross_entropy(logits: Any, targets: Any, reduction: str = "mean") -> Any:
    """-[y log p + (1 - y) log(1 - p)] with p = sigmoid(logits), in nats; targets of logits' shape, between 0 and 1."""
    return _reduced(softplus(logits) - logits * targets, reduction)


def mse_loss(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """The squared difference. Raises ValueError where the shapes differ, which broadcasting would hide."""
    shapes = [tuple(getattr(x, "shape", ())) for x in (prediction, target)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"mse_loss: prediction {shapes[0]} and target {shapes[1]} differ in shape: reshape one")
    difference = prediction - target
    return _reduced(difference * difference, reduction)


def sequence_loss(logits: Any, targets: Any, over_time: str = "sum", mask: Any = None) -> Any:
    """Cross-entropy of logits (T, B, C) against integer targets (T, B): a mean over the batch, and over time the "sum"
    or the "mean". With mask (T, B), each step's mean is over its unmasked sequences, and time's over all unmasked steps.

    Learning rates and clip thresholds do not transfer between "sum" and "mean": they differ by a factor of T.
    """
    if over_time not in ("sum", "mean"):
        raise ValueError(f'sequence_loss: over_time is "sum" or "mean", not {over_time!r}')
    T, B = logits.shape[0], logits.shape[1]
    if mask is None:
        total = cross_entropy(logits, targets, None, "sum")
        return total / (B * T if over_time == "mean" else B)
    if over_time == "mean":
        return cross_entropy(logits, targets, mask, "mean")
    weights = _weights(mask, logits, losses_shape=tuple(logits.shape[:-1]))
    losses = cross_entropy(logits, targets, None, "none") * (weights / weights.sum(axis=1, keepdims=True).clip(1))
    return sum(losses)


def _weights(mask: Any, like: Any, losses_shape: tuple[int, ...]) -> Any:
    """A mask as floats on the device of `like`, checked."""
    array = raw(mask)
    array = array if backend.is_array(array) else np.asarray(array)
    if tuple(array.shape) != losses_shape:
        raise ValueError(f"mask {tuple(array.shape)} must have the shape of the targets, {losses_shape}")
    return backend.to_device(array, backend.of(raw(like)).device).astype(like.dtype)


def _reduced(losses: Any, reduction: str) -> Any:
    if reduction == "mean":
        return mean(losses)
    if reduction == "sum":
        return sum(losses)
    if reduction == "none":
        return losses
    raise ValueError(f'reduction is "mean", "sum" or "none", not {reduction!r}')


def uniform_loss(classes: int) -> float:
    """The cross-entropy of knowing nothing, log C nats: what an untrained classifier should start at."""
    return math.log(classes)
