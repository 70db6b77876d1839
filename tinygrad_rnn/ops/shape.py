"""Operations that move elements and leave them as they are: shapes, joins, splits, indexing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend
from ..backend import xp
from ..core import Tensor, primitive, raw

# Another shape


@primitive
def reshape(x: Any, /, shape: tuple[int, ...]) -> Any:
    """The elements of x, in order, in another shape; one size may be -1."""
    return x.reshape(shape)


@reshape.vjp(0)
def _(g: Any, y: Any, x: Any, shape: tuple[int, ...]) -> Any:
    return reshape(g, x.shape)


@primitive
def transpose(x: Any, /, axes: tuple[int, ...] | None = None) -> Any:
    """The axes of x in another order, reversed by default."""
    return x.transpose(axes)


@transpose.vjp(0)
def _(g: Any, y: Any, x: Any, axes: tuple[int, ...] | None) -> Any:
    return transpose(g, axes and tuple(sorted(range(x.ndim), key=lambda i: axes[i] % x.ndim)))


@primitive
def squeeze(x: Any, /, axis: int | tuple[int, ...] | None = None) -> Any:
    """x without its axes of size 1, or without those named."""
    return x.squeeze(axis)


@squeeze.vjp(0)
def _(g: Any, y: Any, x: Any, axis: Any) -> Any:
    return reshape(g, x.shape)


@primitive
def expand_dims(x: Any, /, axis: int | tuple[int, ...]) -> Any:
    """x with a new axis of size 1."""
    return xp(x).expand_dims(x, axis)


@expand_dims.vjp(0)
def _(g: Any, y: Any, x: Any, axis: Any) -> Any:
    return reshape(g, x.shape)


@primitive
def broadcast_to(x: Any, /, shape: tuple[int, ...]) -> Any:
    """x repeated, without copying, to a larger shape."""
    return xp(x).broadcast_to(x, shape)


@broadcast_to.vjp(0)
def _(g: Any, y: Any, x: Any, shape: tuple[int, ...]) -> Any:
    return g  # the engine sums over what was stretched


# Joining and splitting


def concat(tensors: Sequence[Any], axis: int = 0) -> Any:
    """The tensors one after another along an axis that they have."""
    return _concat(*tensors, axis=axis)


@primitive
def _concat(*xs: Any, axis: int) -> Any:
    return xp(xs[0]).concatenate(xs, axis=axis)


@_concat.joint_vjp
def _(needed: Any, g: Any, y: Any, *xs: Any, axis: int) -> Any:
    return split(g, np.cumsum([x.shape[axis] for x in xs])[:-1].tolist(), axis)


def stack(tensors: Sequence[Any], axis: int = 0) -> Any:
    """The tensors, all of one shape, along a new axis."""
    return _stack(*tensors, axis=axis)


@primitive
def _stack(*xs: Any, axis: int) -> Any:
    return xp(xs[0]).stack(xs, axis=axis)


@_stack.joint_vjp
def _(needed: Any, g: Any, y: Any, *xs: Any, axis: int) -> Any:
    return unstack(g, axis)


@primitive(several=True)
def unstack(x: Any, /, axis: int = 0) -> Any:
    """The slices of x along an axis, as a tuple: what a layer iterates over."""
    return tuple(xp(x).moveaxis(x, axis, 0))


@unstack.vjp(0)
def _(g: Any, y: Any, x: Any, axis: int) -> Any:
    return stack(_with_zeros(g, y), axis)


@primitive(several=True)
def split(x: Any, /, sections: int | Sequence[int], axis: int = 0) -> Any:
    """x cut along an axis, as a tuple: into `sections` equal parts, or before each index in `sections`."""
    return tuple(xp(x).split(x, sections, axis=axis))


@split.vjp(0)
def _(g: Any, y: Any, x: Any, sections: Any, axis: int) -> Any:
    return concat(_with_zeros(g, y), axis)


def _with_zeros(g: Any, y: Any) -> list[Any]:
    """The gradients of several outputs, with zeros for those that nobody used."""
    return [yi * 0.0 if gi is None else gi for gi, yi in zip(g, y, strict=True)]


# Indexing


def getitem(x: Any, index: Any) -> Any:
    """x[index]: integers, slices, None and `...`, integer arrays, or a mask of bool."""
    return _getitem(x, index=tuple(map(raw, index)) if isinstance(index, tuple) else raw(index))


@primitive
def _getitem(x: Any, /, index: Any) -> Any:
    return x[index]


@_getitem.vjp(0)
def _(g: Any, y: Any, x: Any, index: Any) -> Any:
    return put(g, x.shape, index)


@_getitem.adds_into(0)
def _(buffer: Any, g: Any, index: Any) -> None:
    _add_at(buffer, index, g)


@primitive
def put(x: Any, /, shape: tuple[int, ...], index: Any) -> Any:
    """Zeros of `shape` to which x is added at `index`, once for each time that an element is named."""
    y = xp(x).zeros(shape, dtype=x.dtype)
    _add_at(y, index, x)
    return y


@put.vjp(0)
def _(g: Any, y: Any, x: Any, shape: tuple[int, ...], index: Any) -> Any:
    return getitem(g, index)


def take(W: Any, indices: Any) -> Any:
    """The rows of W (V, D) that `indices` (any shape, of integers) name: an embedding; y (*indices.shape, D).

    Raises IndexError for an index below 0 or above V - 1.
    """
    return _take(W, indices=as_indices(indices, W))


@primitive
def _take(W: Any, /, indices: Any) -> Any:
    return W[indices]


@_take.vjp(0)
def _(g: Any, y: Any, W: Any, indices: Any) -> Any:
    return put(g, W.shape, indices)


@_take.adds_into(0)
def _(buffer: Any, g: Any, indices: Any) -> None:
    _add_at(buffer, indices, g)


def as_indices(indices: Any, like: Any) -> Any:
    """Integer indices or class targets as an array on the device of `like`; NumPy integers may come from the CPU.

    They are turned unsigned, so that -1 is out of range rather than the last row.
    """
    array = raw(indices)
    array = array if backend.is_array(array) else np.asarray(array)
    if array.dtype.kind not in "iu":
        raise TypeError(f"take: indices must be integers, not {array.dtype}")
    there = backend.of(raw(like)).device
    if backend.of(array).device == "cpu":
        if array.dtype.kind == "i" and array.size and there != "cpu" and int(array.min()) < 0:
            raise IndexError(f"take: index {int(array.min())} is below 0")
        array = array.astype(np.uintp, copy=False) if there == "cpu" else array
    return backend.to_device(array, there)


def _add_at(buffer: Any, index: Any, x: Any) -> None:
    """buffer[index] += x, counting repeated indices each time."""
    parts = index if isinstance(index, tuple) else (index,)
    if all(p is None or p is Ellipsis or isinstance(p, (int, slice, np.integer)) for p in parts):
        buffer[index] += x
    else:
        xp(buffer).add.at(buffer, index, x)


def is_tensor(x: Any) -> bool:
    """Is x a Tensor (rather than an array or a number)?"""
    return isinstance(x, Tensor)
