"""Operations that keep the numbers and change where or how they are held: copies, dtypes, devices."""

from __future__ import annotations

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


@primitive
def zeros_like(x: Any) -> Any:
    """Zeros of the shape, dtype and place of x; constant, whatever x is."""
    return xp(x).zeros_like(x)
