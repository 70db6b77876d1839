"""Tensor and Node: an array, and how it was made.

An operation on Tensors (see `primitives`) makes a Node, which remembers what was done to what, and a Tensor, which
holds the array made and points to the node. So every Tensor can be followed back to the leaves it was computed from.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np

from . import backend
from .backend import Array
from .methods import Methods

if TYPE_CHECKING:
    from .primitives import Primitive

next_order = itertools.count().__next__  # creation order is a topological order: inputs are older than what they make


class Node:
    """One operation that happened: what was done, to what, and where in the model.

    `inputs` are the arguments as given (Tensors and constants), `arrays` the same as arrays at that moment (a parameter
    may be rebound later), `value` the array made (a tuple, for several outputs).
    """

    __slots__ = (
        "__weakref__",
        "arrays",
        "inputs",
        "kept",
        "line",
        "names",
        "op",
        "order",
        "params",
        "scope",
        "step",
        "value",
    )  # fmt: skip

    def __init__(self, op: Primitive, inputs: tuple[Any, ...], arrays: Any, params: dict[str, Any], value: Any,
                 scope: tuple[str, ...], step: int | None) -> None:  # fmt: skip
        self.op = op
        self.inputs = inputs
        self.arrays = arrays
        self.params = params
        self.value = value
        self.scope = scope
        self.step = step
        self.order: float = next_order()  # a fraction for what was unrolled, see `fusion`
        self.names: dict[int, str] | None = None  # of its outputs, by index
        self.kept: WeakValueDictionary[int, Tensor] | None = None  # outputs that asked to keep their gradient
        self.line: str | None = None  # the source line, in debug mode

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """Tensors of what this node made (new ones each time; a Tensor is only a view of its node)."""
        if not self.op.several:
            return (Tensor(self.value, True, self),)
        outputs = tuple(Tensor(value, True, self, i) for i, value in enumerate(self.value))
        for i, output in enumerate(outputs):
            output.key = (self, i)
        return outputs

    def __repr__(self) -> str:
        where = "/".join(self.scope) + (f" step {self.step}" if self.step is not None else "")
        return f"<{self.op.name} {where}>" if where else f"<{self.op.name}>"


class Tensor(Methods):
    """An array, and how it was made: `node` is None for a leaf, else the Node whose output number `index` it is.

    Gradients arrive in `.grad` (a Tensor, or None) of leaves that require them. `==` compares elements and hashing is
    by identity.
    """

    __slots__ = ("__weakref__", "_data", "_name", "grad", "index", "key", "node", "origin", "requires_grad")
    __array_ufunc__ = None  # `ndarray + tensor` is left to Tensor.__radd__

    def __init__(self, data: Array, requires_grad: bool = False, node: Node | None = None, index: int = 0) -> None:
        self._data = data
        self.requires_grad = requires_grad
        self.node = node
        self.index = index
        self.key: Any = node  # what its gradient is filed under: its node, (node, index) of several, None for a leaf
        self.grad: Tensor | None = None
        self._name: str | None = None
        self.origin: str | None = None  # why it has no history although it was computed; `why` tells

    def __init_subclass__(cls) -> None:
        raise TypeError("a Tensor is not to be subclassed: write functions of Tensors, or an nn.Module")

    # What it is

    @property
    def data(self) -> Array:
        """Its array. Rebind it (`w.data = w.data - lr * g`) rather than write into it: the graph may hold it."""
        return self._data

    @data.setter
    def data(self, value: Array) -> None:
        if not (backend.is_array(value) or isinstance(value, np.generic)):
            raise TypeError(f"{describe(self)}.data takes an array, not a {type(value).__name__}")
        self._data = as_array(value)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    @property
    def ndim(self) -> int:
        return self._data.ndim

    @property
    def size(self) -> int:
        return self._data.size

    @property
    def dtype(self) -> np.dtype:
        return self._data.dtype

    @property
    def device(self) -> str:
        return backend.of(self.data).device

    @property
    def op(self) -> str | None:
        """The name of the operation that made it; None for a leaf."""
        return self.node.op.name if self.node else None

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The Tensors that it was made from."""
        return tuple(x for x in self.node.inputs if isinstance(x, Tensor)) if self.node else ()

    @property
    def scope(self) -> tuple[str, ...]:
        return self.node.scope if self.node else ()

    @property
    def step(self) -> int | None:
        return self.node.step if self.node else None

    @property
    def name(self) -> str | None:
        if self.node is not None:
            return self.node.names.get(self.index) if self.node.names else None
        return self._name

    @name.setter
    def name(self, name: str | None) -> None:
        if self.node is None:
            self._name = name
        else:
            self.node.names = {**(self.node.names or {}), self.index: name or ""}

    def named(self, name: str) -> Tensor:
        """Itself, called `name` in pictures and in errors, whatever role a picture would infer."""
        self.name = name
        return self

    def retain_grad(self) -> Tensor:
        """Itself; backward will keep its gradient although it is no leaf."""
        if self.node is not None:
            self.node.kept = self.node.kept if self.node.kept is not None else WeakValueDictionary()
            self.node.kept[self.index] = self
        return self

    # Out of the graph

    def numpy(self) -> np.ndarray:
        """Its numbers as a NumPy array: the array itself on the CPU, a copy from another device."""
        return backend.to_numpy(self.data)

    def item(self) -> Any:
        """Its single number as a Python scalar. Raises ValueError where there are more."""
        if self.size != 1:
            raise ValueError(f"item: {describe(self)} holds {self.size} numbers, not one: index it first")
        return self.numpy().item()

    def tolist(self) -> Any:
        return self.numpy().tolist()

    def detach(self) -> Tensor:
        """The same numbers as a new leaf: no gradient flows back through it."""
        leaf = Tensor(self.data)
        leaf._name, leaf.origin = self.name, "detach"
        return leaf

    def to(self, device: str) -> Tensor:
        """Itself on `device` ("cpu" or "cuda"); differentiable."""
        return self if device == self.device else ops.to_device(self, device)

    def astype(self, dtype: Any) -> Tensor:
        return self if self.dtype == np.dtype(dtype) else ops.astype(self, np.dtype(dtype))

    def backward(self, grad: Any = None, create_graph: bool = False) -> None:
        """Add d(self)/d(leaf) to `.grad` of every leaf that requires it. `grad` is dL/d(self), by default 1 for a
        scalar. With `create_graph` the gradients are recorded too and can be differentiated again."""
        autograd.backward(self, grad, create_graph)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self.requires_grad:
            raise TypeError(f"{describe(self)} is tracked, and NumPy would lose its gradient: use tg functions, or "
                            "x.detach().numpy() for the numbers alone")  # fmt: skip
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """`np.sum(x)` and the like: NumPy's answer for the numbers of an untracked tensor; a tracked one is refused."""

        def numbers(x: Any) -> Any:
            if isinstance(x, (list, tuple)):
                return type(x)(map(numbers, x))
            return np.asarray(x) if isinstance(x, Tensor) else x

        return func(*map(numbers, args), **{name: numbers(x) for name, x in kwargs.items()})

    def __repr__(self) -> str:
        text = np.array2string(self.numpy(), threshold=20, precision=4, separator=", ", prefix="tensor(")
        parts = [text, *([f"name={self.name!r}"] if self.name else [])]
        if self.dtype != np.float32:
            parts.append(f"dtype={self.dtype}")
        if self.device != "cpu":
            parts.append(f"device={self.device!r}")
        parts += [f"op={self.op!r}"] if self.node else ["requires_grad=True"] if self.requires_grad else []
        return f"tensor({', '.join(parts)})"

    def __deepcopy__(self, memo: Any) -> Tensor:
        if self.node is not None:
            raise TypeError(f"deepcopy: {describe(self)} is part of a graph; copy a leaf, or x.detach()")
        copy = Tensor(self.data.copy(), self.requires_grad)
        copy.name, memo[id(self)] = self.name, copy
        return copy

    def __reduce__(self) -> Any:
        raise TypeError("a Tensor is not pickled: save x.numpy(), or a module's state_dict with safetensors")

    def __bool__(self) -> bool:
        if self.requires_grad:
            raise TypeError(f"bool({describe(self)}): a branch on a tracked tensor is invisible to its gradient: use "
                            "tg.where(condition, a, b), or x.item() if that is meant")  # fmt: skip
        return bool(self.data)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError(f"{describe(self)} is 0-d and cannot be iterated over")
        return iter(ops.unstack(self))

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(f"{describe(self)}[...] = value would change what the graph has used: build a new tensor "
                        "with tg.where, tg.stack or tg.concat, or write into x.data of a leaf before it is used")


def tensor(data: Any, requires_grad: bool = False, dtype: Any = None, device: str | None = None,
           name: str | None = None) -> Tensor:  # fmt: skip
    """A new leaf that holds a copy of `data` (an array, nested lists, a number, or a Tensor's numbers).

    A float array keeps its dtype; Python numbers become float32, as do integers that are to be differentiated.
    Raises TypeError where `data` is not numbers, ValueError or RuntimeError for a device that is not here.

    >>> tensor([1.0, 2.0]).dtype
    dtype('float32')
    """
    given = raw(data)
    array = given if backend.is_array(given) and not isinstance(given, np.ndarray) else _from_python(given)
    from_numbers = not hasattr(given, "dtype") or isinstance(given, np.generic)
    if isinstance(given, (list, tuple)):
        from_numbers = not any(backend.is_array(x) for x in given)
    if device is not None:
        array = backend.to_device(array, device)
    if dtype is None and array.dtype.kind in ("iuf" if from_numbers else "iu" if requires_grad else ""):
        dtype = np.float32
    leaf = Tensor(array.astype(dtype or array.dtype, copy=True))
    if requires_grad and leaf.dtype.kind not in "fc":
        raise TypeError(f"tensor: {leaf.dtype} has no derivative: give dtype=np.float32 or leave requires_grad out")
    leaf.requires_grad, leaf.name = requires_grad, name
    return leaf


def _from_python(data: Any) -> np.ndarray:
    if isinstance(data, (list, tuple)) and any(isinstance(x, Tensor) for x in data):
        raise TypeError("tensor: a list of Tensors would lose their gradients: use tg.stack")
    try:
        array = np.asarray(data)
    except ValueError:
        raise ValueError("tensor: the nested lists are ragged: give rows of one length") from None
    if array.dtype.kind not in "biufc":
        raise TypeError(f"tensor: {type(data).__name__} is not numbers (NumPy reads it as {array.dtype})")
    return array


def raw(x: Any) -> Any:
    """The array of a Tensor; anything else as it is."""
    return x.data if isinstance(x, Tensor) else x


def describe(x: Any) -> str:
    """A Tensor or array in a few words, for messages: its name (or its op, or "tensor") and its shape."""
    shape = getattr(x, "shape", None)
    if shape is None:
        return repr(x)
    word = (x.name or (x.op and f"the result of {x.op}") or "tensor") if isinstance(x, Tensor) else "array"
    return f"{word} {tuple(shape)}"


def as_array(x: Any) -> Array:
    """An array of x: NumPy's reductions give scalars, and `.data` is always an array."""
    return x if type(x) in backend._by_type else np.asarray(x)


# At the end, because a Tensor's methods are made of primitives, which are made of Tensors.
from . import autograd as autograd  # noqa: E402
from . import ops as ops  # noqa: E402
