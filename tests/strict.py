"""An array library with CuPy's manners, on the CPU: what leaks from a GPU into NumPy fails here too.

It is no subclass of ndarray; it never turns into a NumPy array by itself and takes none as an operand, an argument or
an index; reductions give 0-d arrays of its own; there is no write flag; integer indices out of range wrap around.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tinygrad_rnn.backend import Backend


class StrictArray:
    __array_ufunc__ = None  # NumPy's operators and functions do not know it
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, inner: np.ndarray) -> None:
        self._inner = inner

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    shape = property(lambda self: self._inner.shape)
    ndim = property(lambda self: self._inner.ndim)
    size = property(lambda self: self._inner.size)
    dtype = property(lambda self: self._inner.dtype)
    nbytes = property(lambda self: self._inner.nbytes)
    real = property(lambda self: wrap(self._inner.real))
    imag = property(lambda self: wrap(self._inner.imag))
    T = property(lambda self: wrap(self._inner.T))
    flags = property(lambda self: _Flags(self._inner))

    def __len__(self) -> int:
        return len(self._inner)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> StrictArray:
        return wrap(self._inner[_index(index, self.shape)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self._inner[_index(index, self.shape)] = unwrap(value)

    def __bool__(self) -> bool:
        return bool(self._inner)

    def __int__(self) -> int:
        return int(self._inner)

    def __float__(self) -> float:
        return float(self._inner)

    def __repr__(self) -> str:
        return f"strict({self._inner!r})"


class _Flags:
    """CuPy's flags know the memory's order and nothing about writing."""

    def __init__(self, inner: np.ndarray) -> None:
        self.c_contiguous = inner.flags.c_contiguous
        self.f_contiguous = inner.flags.f_contiguous
        self.owndata = inner.flags.owndata


class _Library:
    """`numpy`'s functions, for StrictArrays alone. A ufunc keeps its methods (`add.at`)."""

    def __getattr__(self, name: str) -> Any:
        member = getattr(np, name)
        if isinstance(member, np.ufunc):
            return _Ufunc(member)
        return _function(member) if callable(member) and not isinstance(member, type) else member


class _Ufunc:
    def __init__(self, ufunc: np.ufunc) -> None:
        self._ufunc = ufunc

    def __call__(self, *args: Any, **options: Any) -> Any:
        return _function(self._ufunc)(*args, **options)

    def at(self, array: StrictArray, index: Any, value: Any) -> None:
        self._ufunc.at(array._inner, _index(index, array.shape), unwrap(value))


def wrap(x: Any) -> Any:
    """A result of NumPy's as the library's own; also scalars, which NumPy's reductions give."""
    if isinstance(x, (np.ndarray, np.generic)):
        return StrictArray(np.asarray(x))
    return type(x)(map(wrap, x)) if isinstance(x, (tuple, list)) else x


def unwrap(x: Any) -> Any:
    """An argument as NumPy takes it, refusing what CuPy refuses."""
    if isinstance(x, StrictArray):
        return x._inner
    if isinstance(x, np.ndarray):
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    return type(x)(map(unwrap, x)) if isinstance(x, (tuple, list)) else x


def _function(f: Any) -> Any:
    return lambda *args, **options: wrap(f(*map(unwrap, args), **{k: unwrap(v) for k, v in options.items()}))


def _index(index: Any, shape: tuple[int, ...]) -> Any:
    """An index as NumPy takes it, with the elements of integer arrays wrapped into range."""
    parts = list(index) if isinstance(index, tuple) else [index]
    takes = [_axes_taken(part) for part in parts]
    axis = 0
    for i, part in enumerate(parts):
        if part is Ellipsis:
            axis = len(shape) - sum(takes[i + 1 :])
        inner = unwrap(part)
        if isinstance(part, StrictArray) and inner.dtype.kind in "iu":
            inner = inner.astype(np.intp) % max(shape[axis], 1)
        parts[i] = inner
        axis += takes[i]
    return tuple(parts) if isinstance(index, tuple) else parts[0]


def _axes_taken(part: Any) -> int:
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if getattr(part, "dtype", None) is np.dtype(bool) else 1


def _method(name: str) -> Any:
    return lambda self, *args, **options: _function(getattr(self._inner, name))(*args, **options)


for _name in ("reshape", "transpose", "squeeze", "astype", "copy", "sum", "mean", "var", "max", "min", "clip", "argmax",
              "any", "all", "item", "tolist", "dot"):  # fmt: skip
    setattr(StrictArray, _name, _method(_name))
for _name in ("add", "sub", "mul", "truediv", "pow", "matmul", "and_", "or_", "eq", "ne", "lt", "le", "gt", "ge", "neg",
              "invert", "abs", "iadd", "isub", "imul"):  # fmt: skip
    _op = getattr(operator, _name)
    _dunder = f"__{_name.strip('_')}__"
    setattr(StrictArray, _dunder, lambda *xs, op=_op: _function(op)(*xs))
    if _name in ("add", "sub", "mul", "truediv", "pow", "matmul", "and_", "or_"):
        setattr(StrictArray, f"__r{_name.strip('_')}__", lambda x, y, op=_op: _function(op)(y, x))

STRICT = Backend("strict", _Library(), StrictArray, lambda a: StrictArray(np.array(a)), lambda a: np.array(a._inner))
