"""Operations that keep the numbers and change where or how they are held: copies, dtypes, devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend
from ..backend import xp
from ..core import Tensor, raw
from ..primitives import primitive


@primitive
def copy(x: Any) -> Any:
    """The numbers of x in an array of their own."""
    return x.copy()


@copy.vjp(0)
def _(g: Any, y: Any, x: Any) -> Any:
    return g


def astype(x: Any, dtype: Any) -> Any:
    """x in another dtype; integers and bool have no derivative, so they have no history either."""
    return cast(x, dtype) if np.dtype(dtype).kind in "fc" else Tensor(raw(x).astype(dtype))


@primitive
def cast(x: Any, /, dtype: Any) -> Any:
    """x in another float dtype."""
    return x.astype(dtype)


@cast.vjp(0)
def _(g: Any, y: Any, x: Any, dtype: Any) -> Any:
    return cast(g, x.dtype)


@primitive
def to_device(x: Any, /, device: str) -> Any:
    """x on "cpu" or "cuda"; the gradient travels back."""
    return backend.to_device(x, device)


@to_device.vjp(0)
def _(g: Any, y: Any, x: Any, device: str) -> Any:
    return to_device(g, backend.of(raw(x)).device)


def as_arrays(xs: Sequence[Any]) -> list[Any]:
    """`xs` with Python numbers and lists as arrays, on the device of the first Tensor or array among them, and of the
    dtype of the first that is of floats."""
    held = [x for x in map(raw, xs) if backend.is_array(x)]
    if len(held) == len(xs):
        return list(xs)
    dtype = next((x.dtype for x in held if x.dtype.kind in "fc"), None)
    device = backend.of(held[0]).device if held else "cpu"
    return [x if backend.is_array(raw(x)) else backend.to_device(np.asarray(x, dtype), device) for x in xs]


@primitive
def zeros_like(x: Any) -> Any:
    """Zeros of the shape, dtype and place of x; constant, whatever x is."""
    return xp(x).zeros_like(x)
