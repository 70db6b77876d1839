"""Convolution and pooling: windows that slide over images x (B, C, H, W).

Everything here rests on two linear operations, each the other's derivative: `unfold` copies every window of an image
into a column of its own, `fold` adds the columns back to where they were copied from. A convolution is one matrix
product with the unfolded windows; max-pooling is a max over them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from ..backend import xp
from ..primitives import primitive
from .placement import cast
from .reduction import sum
from .shape import reshape, transpose

Pair = int | tuple[int, int]


@primitive
def unfold(x: Any, /, size: Pair, stride: Pair = 1, padding: Pair = 0) -> Any:
    """All windows of `size` (kh, kw) of images x (B, C, H, W), `stride` apart, after `padding` with zeros on all sides:
    y (C, kh, kw, B, H', W') with y[c, i, j, b, m, n] = x[b, c, m * stride + i - padding, n * stride + j - padding].

    H' and W' are `output_size`. Raises ValueError where x has not four axes or is smaller than a window.
    """
    (B, C, H, W), (ph, pw) = _image(x), pair(padding)
    fit = output_size((H, W), size, stride, padding)
    if ph or pw:
        padded = xp(x).zeros((B, C, H + 2 * ph, W + 2 * pw), x.dtype)
        padded[:, :, ph : ph + H, pw : pw + W] = x
        x = padded
    y = xp(x).empty((C, *pair(size), B, *fit), x.dtype)
    x = x.transpose(1, 0, 2, 3)
    for i, j, rows, columns in _offsets(y.shape, stride):
        y[:, i, j] = x[:, :, rows, columns]
    return y


@unfold.vjp(0)
def _(g: Any, y: Any, x: Any, size: Pair, stride: Pair, padding: Pair) -> Any:
    return fold(g, x.shape, stride, padding)


@primitive
def fold(y: Any, /, shape: tuple[int, int, int, int], stride: Pair = 1, padding: Pair = 0) -> Any:
    """Windows y (C, kh, kw, B, H', W') added up where `unfold` took them from: x of `shape` (B, C, H, W)."""
    (B, C, H, W), (ph, pw) = shape, pair(padding)
    x = xp(y).zeros((C, B, H + 2 * ph, W + 2 * pw), y.dtype)
    for i, j, rows, columns in _offsets(y.shape, stride):
        x[:, :, rows, columns] += y[:, i, j]
    return x[:, :, ph : ph + H, pw : pw + W].transpose(1, 0, 2, 3)


@fold.vjp(0)
def _(g: Any, x: Any, y: Any, shape: Any, stride: Pair, padding: Pair) -> Any:
    return unfold(g, y.shape[1:3], stride, padding)


@primitive
def conv2d(x: Any, k: Any, /, stride: Pair = 1, padding: Pair = 0) -> Any:
    """Images x (B, C, H, W) seen through kernels k (O, C, kh, kw): y (B, O, H', W'), of `output_size`.

    y[b, o, m, n] is the sum over c, i, j of x[b, c, m * stride + i - padding, n * stride + j - padding] k[o, c, i, j]:
    a correlation, as everywhere in deep learning; nothing is flipped. `stride` and `padding` are a number or a pair
    (down, across); what is outside of the image is 0. Raises ValueError where the channels differ or an image, with its
    padding, is smaller than the kernel.
    """
    channels = _image(x)[1]
    if k.ndim != 4 or k.shape[1] != channels:
        raise ValueError(f"the kernels must be (O, {channels}, kh, kw) for images of {channels} channels")
    windows = unfold(x, k.shape[2:], stride, padding)
    y = _matrix(k, 1).dot(_matrix(windows, 3))
    return xp(x).ascontiguousarray(y.reshape(len(k), *windows.shape[3:]).transpose(1, 0, 2, 3))


@conv2d.vjp(0)
def _(g: Any, y: Any, x: Any, k: Any, stride: Pair, padding: Pair) -> Any:
    columns = _matrix(k, 1).T @ _matrix(transpose(g, (1, 0, 2, 3)), 1)
    return fold(reshape(columns, (*k.shape[1:], g.shape[0], *g.shape[2:])), x.shape, stride, padding)


@conv2d.vjp(1)
def _(g: Any, y: Any, x: Any, k: Any, stride: Pair, padding: Pair) -> Any:
    windows = unfold(x, k.shape[2:], stride, padding)
    return reshape(_matrix(transpose(g, (1, 0, 2, 3)), 1) @ _matrix(windows, 3).T, k.shape)


@primitive(analytic=False)
def max_pool2d(x: Any, /, size: Pair, stride: Pair | None = None) -> Any:
    """The largest element of each window of `size`, windows `stride` apart (by default side by side): x (B, C, H, W),
    y (B, C, H', W'). Ties share the gradient equally. Raises ValueError where an image is smaller than a window."""
    B, C, H, W = _image(x)
    stride = size if stride is None else stride
    found: Any = None
    for _, _, rows, columns in _offsets((C, *pair(size), B, *output_size((H, W), size, stride)), stride):
        part = x[:, :, rows, columns]
        found = part if found is None else xp(x).maximum(found, part)
    return found.copy()  # of a window of one element it is a view so far


@max_pool2d.vjp(0)
def _(g: Any, y: Any, x: Any, size: Pair, stride: Pair | None) -> Any:
    stride = size if stride is None else stride
    best = unfold(x, size, stride)
    best = cast(best == transpose(y, (1, 0, 2, 3))[:, None, None], x.dtype)
    shared = transpose(g, (1, 0, 2, 3)) / sum(best, (1, 2))
    return fold(best * shared[:, None, None], x.shape, stride)


def output_size(size: Pair, window: Pair, stride: Pair = 1, padding: Pair = 0) -> tuple[int, int]:
    """How many windows fit, down and across: (n + 2 padding - window) // stride + 1 each.

    Raises ValueError where none does.

    >>> output_size(7, 3, stride=2)
    (3, 3)
    """
    fit = [(n + 2 * p - k) // s + 1 if s > 0 and p >= 0 else 0
           for n, k, s, p in zip(*map(pair, (size, window, stride, padding)), strict=True)]  # fmt: skip
    if min(fit) < 1:
        raise ValueError(f"no window {pair(window)} with stride {pair(stride)} fits into an image {pair(size)} with "
                         f"padding {pair(padding)}: make the image or the padding larger, or the window smaller; a "
                         "stride is at least 1, a padding not negative")  # fmt: skip
    return fit[0], fit[1]


def pair(value: Pair) -> tuple[int, int]:
    """One number for both directions, or two: (down, across)."""
    down, across = (value, value) if isinstance(value, int) else value
    return down, across


def _image(x: Any) -> tuple[int, int, int, int]:
    if x.ndim != 4:
        raise ValueError("images are (B, C, H, W): give a single one as x[None], grey ones as x[:, None]")
    return tuple(x.shape)


def _offsets(windows: Any, stride: Pair) -> Iterator[tuple[int, int, slice, slice]]:
    """For each place (i, j) in a window, the rows and columns of the image that stand there in one window or another;
    `windows` is the shape (C, kh, kw, B, H', W')."""
    (_, kh, kw, _, down, across), (sh, sw) = windows, pair(stride)
    for i, j in product(range(kh), range(kw)):
        yield i, j, slice(i, i + sh * (down - 1) + 1, sh), slice(j, j + sw * (across - 1) + 1, sw)


def _matrix(x: Any, axes: int) -> Any:
    """x as a matrix whose rows are its first `axes` axes and whose columns are the others."""
    rows = 1
    for n in x.shape[:axes]:
        rows *= n
    return reshape(x, (rows, -1))
