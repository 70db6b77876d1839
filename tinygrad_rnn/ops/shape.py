"""Operations that move elements and leave them as they are: shapes, joins, splits, indexing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from .. import backend
from ..backend import xp
from ..core import raw
from ..primitives import primitive
from .placement import as_arrays, zeros_like

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
    """The tensors one after another along an axis that they have; lists of numbers among them take their dtype."""
    return _concat(*_some(tensors, "concat"), axis=axis)


@primitive
def _concat(*xs: Any, axis: int) -> Any:
    return xp(xs[0]).concatenate(xs, axis=axis)


@_concat.joint_vjp
def _(needed: Any, g: Any, y: Any, *xs: Any, axis: int) -> Any:
    return split(g, list(accumulate(x.shape[axis] for x in xs[:-1])), axis)


def stack(tensors: Sequence[Any], axis: int = 0) -> Any:
    """The tensors, all of one shape, along a new axis; Python numbers among them take their dtype."""
    return _stack(*_some(tensors, "stack"), axis=axis)


@primitive
def _stack(*xs: Any, axis: int) -> Any:
    return xp(xs[0]).stack(xs, axis=axis)


@_stack.joint_vjp
def _(needed: Any, g: Any, y: Any, *xs: Any, axis: int) -> Any:
    return unstack(g, axis)


def _some(tensors: Sequence[Any], op: str) -> Sequence[Any]:
    if len(tensors) == 0:
        raise ValueError(f"{op}: the list of tensors is empty, so there is no shape to give the result")
    return as_arrays(tensors)


@primitive(several=True)
def unstack(x: Any, /, axis: int = 0) -> Any:
    """The slices of x along an axis, as a tuple: what a layer iterates over."""
    return tuple(xp(x).moveaxis(x, axis, 0))


@unstack.vjp(0)
def _(g: Any, y: Any, x: Any, axis: int) -> Any:
    return stack(_with_zeros(g, y), axis)


@primitive(several=True)
def split(x: Any, /, sections: int | Sequence[int], axis: int = 0) -> Any:
    """x cut along an axis, as a tuple: into `sections` equal parts, or before each index in `sections`, which must not
    decrease."""
    size = x.shape[axis]
    if isinstance(sections, int):
        if sections < 1 or size % sections:
            raise ValueError(f"axis {axis}, of size {size}, does not divide into {sections} equal parts")
        sections = range(size // sections, size, size // sections) if size else [0] * (sections - 1)
    ends = [slice(None, index).indices(size)[1] for index in sections]
    if any(a > b for a, b in pairwise(ends)):
        raise ValueError(f"the indices must not decrease, and they cut at {', '.join(map(str, ends))}")
    before = (slice(None),) * (axis % x.ndim)
    return tuple([x[(*before, slice(a, b))] for a, b in pairwise((0, *ends, size))])


@split.vjp(0)
def _(g: Any, y: Any, x: Any, sections: Any, axis: int) -> Any:
    return concat(_with_zeros(g, y), axis)


def _with_zeros(g: Any, y: Any) -> list[Any]:
    """The gradients of several outputs, with zeros for those that nobody used."""
    return [zeros_like(yi) if gi is None else gi for gi, yi in zip(g, y, strict=True)]


# Indexing


def getitem(x: Any, index: Any) -> Any:
    """x[index]: integers, slices, None and `...`, integer arrays, or a mask of bool."""
    return _getitem(x, index=_index(index, x))


def _index(index: Any, x: Any) -> Any:
    """An index whose lists, arrays and Tensors are arrays on the device of x."""
    if isinstance(index, tuple):
        return tuple(_index(part, x) for part in index)
    if isinstance(index, list):
        index = np.asarray(index, None if index else np.intp)
    index = raw(index)
    return backend.to_device(index, backend.of(raw(x)).device) if backend.is_array(index) else index


@primitive
def _getitem(x: Any, /, index: Any) -> Any:
    return x[index]


@_getitem.vjp(0)
def _(g: Any, y: Any, x: Any, index: Any) -> Any:
    return _put(g, x.shape, index)


@_getitem.adds_into(0)
def _(buffer: Any, g: Any, index: Any) -> None:
    add_at(buffer, index, g)


def put(x: Any, shape: tuple[int, ...], index: Any) -> Any:
    """Zeros of `shape` to which x is added at `index`, once for each time that an element is named."""
    return _put(x, shape, _index(index, x))


@primitive
def _put(x: Any, /, shape: tuple[int, ...], index: Any) -> Any:
    y = xp(x).zeros(shape, dtype=x.dtype)
    add_at(y, index, x)
    return y


@_put.vjp(0)
def _(g: Any, y: Any, x: Any, shape: tuple[int, ...], index: Any) -> Any:
    return _getitem(g, index)


def take(W: Any, indices: Any) -> Any:
    """The rows of W (V, D) that `indices` (any shape, of integers) name: an embedding; y (*indices.shape, D).

    Raises IndexError for an index below 0 or above V - 1.
    """
    return _take(W, indices=as_indices(indices, W, W.shape[0], "take: index"))


@primitive
def _take(W: Any, /, indices: Any) -> Any:
    return W[indices]


@_take.vjp(0)
def _(g: Any, y: Any, W: Any, indices: Any) -> Any:
    return _put(g, W.shape, indices)


@_take.adds_into(0)
def _(buffer: Any, g: Any, indices: Any) -> None:
    add_at(buffer, indices, g)


def as_indices(indices: Any, like: Any, size: int, what: str) -> Any:
    """Integer indices or class targets as an array on the device of `like`; those of NumPy may come from the CPU.

    Raises TypeError unless they are integers, IndexError for one outside 0..size-1: -1 is no way to say the last row,
    and a GPU would wrap what is too large.
    """
    array = raw(indices)
    array = array if backend.is_array(array) else np.asarray(array)
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"{what} must be an integer, not {array.dtype}")
    array = array.astype(np.intp, copy=False)  # an empty list is of floats
    if array.size:
        flat = array.reshape(-1).astype(np.uint64)  # where -1 is the largest
        if int(flat[flat.argmax()]) >= size:  # a third of the time of flat.max(), for a batch of targets
            wrong = int(array.min()) if int(array.min()) < 0 else int(array.max())
            raise IndexError(f"{what} {wrong} is outside 0..{size - 1}")
    like = raw(like)
    return array if type(array) is type(like) else backend.to_device(array, backend.of(like).device)


def add_at(buffer: Any, index: Any, x: Any) -> None:
    """buffer[index] += x, counting repeated indices each time."""
    parts = index if isinstance(index, tuple) else (index,)
    if not any(backend.is_array(p) and p.dtype.kind in "iu" for p in parts):
        buffer[index] += x  # nothing else names an element twice
    elif type(index) is np.ndarray and x.size > 2000 and x.shape == index.shape + buffer.shape[1:] != index.shape:
        _add_rows(buffer, index, x)
    else:
        xp(buffer).add.at(buffer, index, x)


def _add_rows(buffer: np.ndarray, index: np.ndarray, x: np.ndarray) -> None:
    """buffer[index] += x for one array of integers. Sorted, so that equal ones lie side by side, many rows take half
    to a fifth of the time of `add.at`."""
    rows = np.arange(len(buffer))[index.reshape(-1)]  # -1 and the last row are one; what is outside is an IndexError
    order = rows.argsort(kind="stable")
    rows = rows[order]
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    buffer[rows[first]] += np.add.reduceat(x.reshape(-1, *buffer.shape[1:])[order], first)
