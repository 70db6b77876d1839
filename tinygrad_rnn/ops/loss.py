"""Softmax and the losses. `reduction` ("mean", "sum", "none") is over the batch, `over_time` over time."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from ..backend import xp
from ..core import raw
from ..primitives import primitive
from .elementwise import exp, sigmoid, softplus
from .placement import as_arrays
from .reduction import sum
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
    """-log softmax(logits)[target], in nats: logits (..., C), integer targets (...), mask (...) of bool, 0 and 1, or
    weights.

    "mean" divides by the sum of the mask, the number of unmasked targets, and is 0 where that is 0. Raises ValueError
    where shapes differ, IndexError for a target outside 0..C-1 (under the mask too: give any class there).
    """
    if not hasattr(logits, "shape"):
        (logits,) = as_arrays([logits])
    *shape, size = logits.shape
    targets = as_indices(targets, logits, size, "cross_entropy: target")
    if targets.shape != tuple(shape):
        raise ValueError(f"cross_entropy: logits {(*shape, size)} need targets {tuple(shape)}, not {targets.shape}")
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f'cross_entropy: reduction is "mean", "sum" or "none", not {reduction!r}')
    if mask is None:
        weights = None if reduction == "none" else 1.0 if reduction == "sum" else 1 / (targets.size or 1)
        return _cross_entropy(logits, targets, weights)
    weights = _weights(mask, logits, targets.shape)
    if reduction == "none":
        return _cross_entropy(logits, targets, None) * weights
    return _cross_entropy(logits, targets, _shares(weights) if reduction == "mean" else weights)


@primitive(saves=True)
def _cross_entropy(logits: Any, /, targets: Any, weights: Any) -> Any:
    """One loss a target, or with `weights` (a number, or one a target) their weighted sum. Saves dL/dlogits of each
    loss, softmax - one_hot."""
    lib, size = xp(logits), logits.shape[-1]
    rows = lib.ascontiguousarray(logits).reshape(-1, size)  # so that what comes of it is flat without copying
    x = rows - rows.max(axis=1, keepdims=True)
    p = lib.exp(x)
    total = p.sum(axis=1, keepdims=True)
    at = lib.arange(0, p.size, size) + targets.reshape(-1)
    log_p = x.reshape(-1)[at] - lib.log(total[:, 0])
    p /= total
    p.reshape(-1)[at] = lib.expm1(log_p)  # p - 1, with all its digits where p is nearly 1
    saved = p.reshape(logits.shape)
    if isinstance(weights, float):
        return log_p.sum() * -weights, saved
    losses = -log_p.reshape(targets.shape)
    return losses if weights is None else (losses * weights).sum(), saved


@_cross_entropy.vjp(0)
def _(g: Any, y: Any, logits: Any, targets: Any, weights: Any, saved: Any) -> Any:
    d = softmax(logits) - _is_target(targets, logits.shape[-1]) if saved is None else saved
    each = g if weights is None else g * weights
    return d * (expand_dims(each, -1) if each.ndim else each)


def _is_target(targets: Any, size: int) -> Any:
    """bool (*targets.shape, size): True where a target points."""
    return targets[..., None] == xp(targets).arange(size)


def one_hot(indices: Any, size: int, dtype: Any = np.float32) -> Any:
    """An array (*indices.shape, size) with a 1 where each index points. Raises IndexError for one outside 0..size-1."""
    indices = as_indices(indices, indices, size, "one_hot: index")
    return _is_target(indices, size).astype(dtype)


def binary_cross_entropy(logits: Any, targets: Any, reduction: str = "mean") -> Any:
    """-[y log p + (1 - y) log(1 - p)] with p = sigmoid(logits), in nats; targets y between 0 and 1.

    Raises ValueError where the shapes differ, which broadcasting would hide.
    """
    logits, targets = as_arrays([logits, targets])
    _same_shape("binary_cross_entropy", logits=logits, targets=targets)
    return _reduced(_binary_cross_entropy(logits, targets), reduction)


@primitive
def _binary_cross_entropy(logits: Any, targets: Any) -> Any:
    return targets * softplus(-logits) + (1 - targets) * softplus(logits)


@_binary_cross_entropy.vjp(0)
def _(g: Any, y: Any, logits: Any, targets: Any) -> Any:
    return g * (sigmoid(logits) - targets)


@_binary_cross_entropy.vjp(1)
def _(g: Any, y: Any, logits: Any, targets: Any) -> Any:
    return -g * logits


def mse_loss(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """The squared difference. Raises ValueError where the shapes differ, which broadcasting would hide."""
    prediction, target = as_arrays([prediction, target])
    _same_shape("mse_loss", prediction=prediction, target=target)
    difference = prediction - target
    return _reduced(difference * difference, reduction)


def sequence_loss(logits: Any, targets: Any, over_time: str = "sum", mask: Any = None) -> Any:
    """Cross-entropy of logits (T, B, C) against integer targets (T, B): a mean over the batch, and over time the "sum"
    or the "mean". With mask (T, B), each step's mean is over its unmasked sequences, time's over all unmasked steps.

    Learning rates and clip thresholds do not transfer between "sum" and "mean": they differ by a factor of T.
    """
    if over_time not in ("sum", "mean"):
        raise ValueError(f'sequence_loss: over_time is "sum" or "mean", not {over_time!r}')
    if not hasattr(logits, "shape"):
        (logits,) = as_arrays([logits])
    T, B = logits.shape[0], logits.shape[1]
    if mask is None:
        total = cross_entropy(logits, targets, None, "sum")
        return total / ((B * T if over_time == "mean" else B) or 1)
    if over_time == "mean":
        return cross_entropy(logits, targets, mask, "mean")
    weights = _weights(mask, logits, logits.shape[:-1])
    return sum(cross_entropy(logits, targets, None, "none") * _shares(weights, axis=1))


def _weights(mask: Any, like: Any, shape: tuple[int, ...]) -> Any:
    """A mask as floats on the device of `like`, checked."""
    array = raw(mask)
    array = array if backend.is_array(array) else np.asarray(array)
    if tuple(array.shape) != tuple(shape):
        raise ValueError(f"mask {tuple(array.shape)} must have the shape of the targets, {shape}")
    return backend.to_device(array, backend.of(raw(like)).device).astype(like.dtype)


def _shares(weights: Any, axis: int | None = None) -> Any:
    """The weights divided by their sum; zeros, where that is 0."""
    total = weights.sum(axis=axis, keepdims=True)
    return weights / (total + (total == 0))


def _same_shape(loss: str, **given: Any) -> None:
    (a, x), (b, y) = ((name, tuple(getattr(value, "shape", ()))) for name, value in given.items())
    if x != y:
        raise ValueError(f"{loss}: {a} {x} and {b} {y} differ in shape: reshape one")


def _reduced(losses: Any, reduction: str) -> Any:
    if reduction == "mean":
        return sum(losses) / (losses.size or 1)  # the mean over nothing is 0
    if reduction == "sum":
        return sum(losses)
    if reduction == "none":
        return losses
    raise ValueError(f'reduction is "mean", "sum" or "none", not {reduction!r}')
