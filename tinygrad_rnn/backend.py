"""Which array library holds the numbers: NumPy ("cpu") or CuPy ("cuda"), and moving arrays between them.

Everything above this floor asks `xp(x)` for the library that made `x`, so one rule serves every device.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = Any  # numpy.ndarray, cupy.ndarray or what another backend registers


class Backend(NamedTuple):
    """One array library: the device it serves, its module, its array type, and the two ways to and from NumPy."""

    device: str
    xp: Any
    array: type
    from_numpy: Callable[[np.ndarray], Array]
    to_numpy: Callable[[Array], np.ndarray]


_by_device: dict[str, Backend] = {}
_by_type: dict[type, Backend] = {}


def register(backend: Backend) -> None:
    """Make `backend` answer for its device and its array type (CuPy does so on first use; tests add a strict one)."""
    _by_device[backend.device] = _by_type[backend.array] = backend


# Once a block of this size has been freed, glibc's malloc keeps memory that is freed (up to twice as much) for the next
# arrays, instead of handing every array above 128 kB back to the system: fresh pages cost as much as the arithmetic.
np.empty(2**25 - 2**16, np.uint8)

CPU = Backend("cpu", np, np.ndarray, lambda a: a, lambda a: a)
register(CPU)


def get(device: str) -> Backend:
    """The backend of `device`, importing CuPy the first time "cuda" is asked for.

    Raises ValueError for a device nobody knows, RuntimeError for one that this machine lacks.
    """
    if device not in _by_device:
        if device != "cuda":
            known = " or ".join(map(repr, sorted({*_by_device, "cuda"})))
            raise ValueError(f"device {device!r} is unknown: use {known}")
        _register_cuda()
    return _by_device[device]


def _register_cuda() -> None:
    try:
        import cupy

        if not cupy.cuda.runtime.getDeviceCount():
            raise RuntimeError("no GPU is visible")
    except Exception as why:  # a missing package, a missing driver and no GPU each raise their own kind
        remedy = "pip install 'tinygrad_rnn[gpu]' on a machine with an NVIDIA GPU"
        raise RuntimeError(f'device "cuda" is not available here ({type(why).__name__}: {why}): {remedy}') from None
    register(Backend("cuda", cupy, cupy.ndarray, cupy.asarray, cupy.asnumpy))


def is_array(x: object) -> bool:
    """Is `x` an array of a library that is in use?"""
    return type(x) in _by_type or isinstance(x, np.ndarray)


def of(x: object) -> Backend:
    """The backend that holds `x`; Python and NumPy scalars belong to NumPy."""
    return _by_type.get(type(x), CPU)


def xp(x: object) -> Any:
    """The module (`numpy`, `cupy`) whose functions take `x`."""
    return _by_type.get(type(x), CPU).xp


def to_device(x: Array, device: str) -> Array:
    """`x` as an array on `device`; the same array where it is there already."""
    here, there = of(x), get(device)
    return x if here is there else there.from_numpy(here.to_numpy(x))


def to_numpy(x: Array) -> np.ndarray:
    """`x` as a NumPy array, brought from its device."""
    return of(x).to_numpy(x)


def zeros_like(x: Array) -> Array:
    """Zeros of the shape, dtype and device of `x`."""
    return xp(x).zeros_like(x)


def copy(x: Any) -> Array:
    """The numbers of `x`, an array or a NumPy scalar, in a fresh array."""
    return xp(x).array(x, copy=True)
