"""A Tensor's operators and methods: each is the primitive of that name, called on itself.

Nothing is decided here; it is what lets code read `x @ W_xh + h @ W_hh + b_h` and `loss.mean()`. Primitives are made of
Tensors, and Tensors inherit these methods, so `core.ops` is there only once all three are loaded.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from . import core

if TYPE_CHECKING:
    from .core import Tensor


class Methods:
    """What Tensor inherits. `self` is always a Tensor."""

    __slots__ = ()
    data: Any

    # Operators

    __hash__ = object.__hash__  # by identity

    def __add__(self, other: Any) -> Tensor:
        return core.ops.add(self, other)

    def __radd__(self, other: Any) -> Tensor:
        return core.ops.add(other, self)

    def __sub__(self, other: Any) -> Tensor:
        return core.ops.subtract(self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return core.ops.subtract(other, self)

    def __mul__(self, other: Any) -> Tensor:
        return core.ops.multiply(self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return core.ops.multiply(other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return core.ops.divide(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return core.ops.divide(other, self)

    def __pow__(self, other: Any) -> Tensor:
        return core.ops.power(self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return core.ops.power(other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return core.ops.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return core.ops.matmul(other, self)

    def __neg__(self) -> Tensor:
        return core.ops.negative(self)

    def __abs__(self) -> Tensor:
        return core.ops.abs(self)

    def __getitem__(self, index: Any) -> Tensor:
        return core.ops.getitem(self, index)

    # Comparisons and logic give untracked tensors of bool: they have no derivative

    def __eq__(self, other: Any) -> Any:
        return _compared(operator.eq, "==", self, other)

    def __ne__(self, other: Any) -> Any:
        return _compared(operator.ne, "!=", self, other)

    def __lt__(self, other: Any) -> Tensor:
        return _compared(operator.lt, "<", self, other)

    def __le__(self, other: Any) -> Tensor:
        return _compared(operator.le, "<=", self, other)

    def __gt__(self, other: Any) -> Tensor:
        return _compared(operator.gt, ">", self, other)

    def __ge__(self, other: Any) -> Tensor:
        return _compared(operator.ge, ">=", self, other)

    def __and__(self, other: Any) -> Tensor:
        return _compared(operator.and_, "&", self, other)

    def __or__(self, other: Any) -> Tensor:
        return _compared(operator.or_, "|", self, other)

    def __invert__(self) -> Tensor:
        return _untracked(~self.data)

    def argmax(self, axis: int | None = None) -> Tensor:
        return _untracked(self.data.argmax(axis=axis))

    # The methods that NumPy users reach for

    @property
    def T(self) -> Tensor:
        return core.ops.transpose(self)

    def dot(self, other: Any) -> Tensor:
        return core.ops.matmul(self, other)

    def transpose(self, *axes: Any) -> Tensor:
        return core.ops.transpose(self, _spread(axes) or None)

    def reshape(self, *shape: Any) -> Tensor:
        return core.ops.reshape(self, _spread(shape))

    def squeeze(self, axis: Any = None) -> Tensor:
        return core.ops.squeeze(self, axis)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return core.ops.sum(self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return core.ops.mean(self, axis, keepdims)

    def var(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
        return core.ops.var(self, axis, ddof, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return core.ops.max(self, axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return core.ops.min(self, axis, keepdims)

    def exp(self) -> Tensor:
        return core.ops.exp(self)

    def log(self) -> Tensor:
        return core.ops.log(self)

    def sqrt(self) -> Tensor:
        return core.ops.sqrt(self)

    def tanh(self) -> Tensor:
        return core.ops.tanh(self)

    def sigmoid(self) -> Tensor:
        return core.ops.sigmoid(self)

    def relu(self) -> Tensor:
        return core.ops.relu(self)

    def abs(self) -> Tensor:
        return core.ops.abs(self)


def _compared(operation: Any, sign: str, x: Any, y: Any) -> Tensor:
    try:
        return _untracked(operation(x.data, core.raw(y)))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{core.describe(x)} {sign} {core.describe(y)}: {error}") from None


def _untracked(y: Any) -> Tensor:
    return core.Tensor(core.as_array(y))


def _spread(args: tuple[Any, ...]) -> tuple[int, ...]:
    """`f(2, 3)` and `f((2, 3))` alike."""
    return tuple(args[0]) if len(args) == 1 and isinstance(args[0], (tuple, list)) else args
