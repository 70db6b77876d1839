"""Tensor and Node: an array, and how it was made. Primitive: an operation and, beside it, its derivatives.

    @primitive
    def tanh(x):                      # arrays in, array out
        return xp(x).tanh(x)

    @tanh.vjp(0)                      # the derivative for argument 0: g is dL/dy
    def _(g, y, x):
        return g * (1 - y * y)

Given arrays, `tanh` computes. Given a Tensor it also records: the result's `node` remembers the operation and what it
was given. `autograd` walks those nodes backwards and calls the rules; a rule is written in primitives and operators, so
it runs on arrays for speed and on Tensors where the gradient is to be differentiated again.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from functools import update_wrapper
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from . import backend
from .backend import Array
from .complaints import complaint
from .recording import state

_order = itertools.count()  # creation order, which is a topological order: inputs are older than what they make


class Node:
    """One operation that happened: what was done, to what, and where in the model.

    `inputs` are the arguments as given (Tensors and constants), `arrays` the same as arrays at that moment (a parameter
    may be rebound later), `value` the array made (a tuple, for several outputs).
    """

    __slots__ = ("op", "inputs", "arrays", "params", "value", "scope", "step", "order", "names", "kept", "line",
                 "__weakref__")  # fmt: skip

    def __init__(self, op: Primitive, inputs: tuple[Any, ...], arrays: Any, params: dict[str, Any], value: Any,
                 scope: tuple[str, ...], step: int | None) -> None:  # fmt: skip
        self.op = op
        self.inputs = inputs
        self.arrays = arrays
        self.params = params
        self.value = value
        self.scope = scope
        self.step = step
        self.order = next(_order)
        self.names: dict[int, str] | None = None  # of its outputs, by index
        self.kept: WeakValueDictionary[int, Tensor] | None = None  # outputs that asked to keep their gradient
        self.line: str | None = None  # the source line, in debug mode

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """Tensors of what this node made (new ones each time; a Tensor is only a view of its node)."""
        values = self.value if self.op.several else (self.value,)
        return tuple(Tensor(value, True, self, i) for i, value in enumerate(values))

    def __repr__(self) -> str:
        where = "/".join(self.scope) + (f" step {self.step}" if self.step is not None else "")
        return f"<{self.op.name} {where}>" if where else f"<{self.op.name}>"


class Tensor:
    """An array, and how it was made: `node` is None for a leaf, else the Node whose output number `index` it is.

    Gradients arrive in `.grad` (a Tensor, or None) of leaves that require them. `==` compares elements and hashing is
    by identity.
    """

    __slots__ = ("data", "requires_grad", "node", "index", "grad", "_name", "origin", "__weakref__")
    __array_ufunc__ = None  # `ndarray + tensor` is left to Tensor.__radd__

    def __init__(self, data: Array, requires_grad: bool = False, node: Node | None = None, index: int = 0) -> None:
        self.data = data
        self.requires_grad = requires_grad
        self.node = node
        self.index = index
        self.grad: Tensor | None = None
        self._name: str | None = None
        self.origin: str | None = None  # why it has no history although it was computed; `why` tells

    # What it is

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def ndim(self) -> int:
        return self.data.ndim

    @property
    def size(self) -> int:
        return self.data.size

    @property
    def dtype(self) -> np.dtype:
        return self.data.dtype

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
        return np.asarray(self.numpy(), dtype=dtype)

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
        raise TypeError(f"{describe(self)}[...] = value would change what the graph has used: build a new tensor with "
                        "tg.where, tg.stack or tg.concat (or write into x.data of a leaf before it is used)")  # fmt: skip

    # Operators: each is the primitive of that name

    __hash__ = object.__hash__

    def __add__(self, other: Any) -> Tensor:
        return ops.add(self, other)

    def __radd__(self, other: Any) -> Tensor:
        return ops.add(other, self)

    def __sub__(self, other: Any) -> Tensor:
        return ops.subtract(self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return ops.subtract(other, self)

    def __mul__(self, other: Any) -> Tensor:
        return ops.multiply(self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return ops.multiply(other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return ops.divide(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return ops.divide(other, self)

    def __pow__(self, other: Any) -> Tensor:
        return ops.power(self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return ops.power(other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return ops.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return ops.matmul(other, self)

    def __neg__(self) -> Tensor:
        return ops.negative(self)

    def __abs__(self) -> Tensor:
        return ops.abs(self)

    def __getitem__(self, index: Any) -> Tensor:
        return ops.getitem(self, index)

    # Comparisons and logic give untracked tensors of bool: they have no derivative

    def __eq__(self, other: Any) -> Any:
        return Tensor(self.data == raw(other))

    def __ne__(self, other: Any) -> Any:
        return Tensor(self.data != raw(other))

    def __lt__(self, other: Any) -> Tensor:
        return Tensor(self.data < raw(other))

    def __le__(self, other: Any) -> Tensor:
        return Tensor(self.data <= raw(other))

    def __gt__(self, other: Any) -> Tensor:
        return Tensor(self.data > raw(other))

    def __ge__(self, other: Any) -> Tensor:
        return Tensor(self.data >= raw(other))

    def __and__(self, other: Any) -> Tensor:
        return Tensor(self.data & raw(other))

    def __or__(self, other: Any) -> Tensor:
        return Tensor(self.data | raw(other))

    def __invert__(self) -> Tensor:
        return Tensor(~self.data)

    def argmax(self, axis: int | None = None) -> Tensor:
        return Tensor(_asarray(self.data.argmax(axis=axis)))

    # The methods that NumPy users reach for

    @property
    def T(self) -> Tensor:
        return ops.transpose(self)

    def transpose(self, *axes: Any) -> Tensor:
        return ops.transpose(self, _spread(axes) or None)

    def reshape(self, *shape: Any) -> Tensor:
        return ops.reshape(self, _spread(shape))

    def squeeze(self, axis: Any = None) -> Tensor:
        return ops.squeeze(self, axis)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return ops.sum(self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return ops.mean(self, axis, keepdims)

    def var(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
        return ops.var(self, axis, ddof, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return ops.max(self, axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return ops.min(self, axis, keepdims)

    def exp(self) -> Tensor:
        return ops.exp(self)

    def log(self) -> Tensor:
        return ops.log(self)

    def sqrt(self) -> Tensor:
        return ops.sqrt(self)

    def tanh(self) -> Tensor:
        return ops.tanh(self)

    def sigmoid(self) -> Tensor:
        return ops.sigmoid(self)

    def relu(self) -> Tensor:
        return ops.relu(self)

    def abs(self) -> Tensor:
        return ops.abs(self)


def tensor(data: Any, requires_grad: bool = False, dtype: Any = None, device: str | None = None,
           name: str | None = None) -> Tensor:  # fmt: skip
    """A new leaf that holds a copy of `data` (an array, nested lists, a number, or a Tensor's numbers).

    A float array keeps its dtype; Python numbers become float32, as do integers that are to be differentiated.
    Raises TypeError where `data` is not numbers, ValueError or RuntimeError for a device that is not here.

    >>> tensor([1.0, 2.0]).dtype
    dtype('float32')
    """
    given = raw(data)
    array = given if backend.is_array(given) else _from_python(given)
    if device is not None:
        array = backend.to_device(array, device)
    if dtype is None and (not backend.is_array(given) or requires_grad) and array.dtype.kind in "iuf":
        dtype = array.dtype if backend.is_array(given) and array.dtype.kind == "f" else np.float32
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
    except ValueError as why:
        raise ValueError(f"tensor: the nested lists are ragged ({why}): give rows of one length") from None
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


def _spread(args: tuple[Any, ...]) -> tuple[int, ...]:
    """`f(2, 3)` and `f((2, 3))` alike."""
    return tuple(args[0]) if len(args) == 1 and isinstance(args[0], (tuple, list)) else args


def _asarray(x: Any) -> Array:
    """NumPy's reductions give scalars; `.data` is always an array."""
    return x if type(x) in backend._by_type else np.asarray(x)


def _plain(x: Any, tensors: bool) -> Any:
    """An argument as its rule should see it. Beside Tensors, NumPy scalars act as Python's: `x / np.sqrt(H)` stays
    float32."""
    if isinstance(x, np.generic) and tensors:
        return x.item()
    return np.asarray(x) if isinstance(x, (list, tuple)) else x


class Primitive:
    """An operation on arrays and, beside it, one derivative per argument. Made by `@primitive`.

    Arguments before the `/` of its forward function (all those without a default, where there is none) are arrays,
    which can be differentiated; the others are parameters. `rules` holds the derivatives.
    """

    def __init__(self, forward: Callable[..., Any], saves: bool, several: bool, analytic: bool) -> None:
        update_wrapper(self, forward)
        self.forward, self.name = forward, forward.__name__.strip("_")
        self.saves, self.several, self.analytic = saves, several, analytic
        self.rules: dict[int, Callable[..., Any]] = {}
        self.joint: Callable[..., Any] | None = None
        self.adders: dict[int, Callable[..., Any]] = {}
        self.replays = False  # its joint rule walks a graph of its own, whose edges taps see instead of this one's
        signature = inspect.signature(forward).parameters.values()
        slash = any(p.kind is p.POSITIONAL_ONLY for p in signature)
        arrays = [p for p in signature if (p.kind is p.POSITIONAL_ONLY if slash else p.default is p.empty)]
        rest = [p for p in signature if p not in arrays]
        self.arguments = tuple(p.name for p in arrays)
        self.arity = 10**9 if any(p.kind is p.VAR_POSITIONAL for p in arrays) else len(arrays)
        self.parameters = tuple(p.name for p in rest)
        self.defaults = {p.name: p.default for p in rest if p.default is not p.empty}

    def vjp(self, argument: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorates the derivative for one argument: `rule(g, y, *arguments, **parameters)`, with g = dL/dy, gives
        dL/d(argument) before broadcasting is undone. With several outputs g and y are tuples. Where the forward rule
        saves, `saved` comes as a parameter on the array path and is None on the Tensor path: compute it again there."""

        def keep(rule: Callable[..., Any]) -> Callable[..., Any]:
            self.rules[argument] = rule
            return rule

        return keep

    def joint_vjp(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Decorates one rule for all arguments: `rule(needed, g, y, *arguments, **parameters)`, where `needed` says of
        each argument whether its gradient is asked for, gives a sequence with None where it is not."""
        self.joint = rule
        return rule

    def adds_into(self, argument: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorates a faster form of the rule for an argument of which only a part is used:
        `adder(buffer, g, *parameters)` adds into the one buffer that all uses share, instead of each giving an array
        that is zero almost everywhere."""

        def keep(adder: Callable[..., Any]) -> Callable[..., Any]:
            self.adders[argument] = adder
            return adder

        return keep

    @property
    def differentiable(self) -> bool:
        return bool(self.rules) or self.joint is not None

    def __call__(self, *args: Any, **params: Any) -> Any:
        if len(args) > self.arity:
            params.update(zip(self.parameters, args[self.arity :], strict=False))
            args = args[: self.arity]
        if self.parameters:
            params = self._complete(params)
        arrays = []
        tensors = tracked = other = False
        for x in args:
            if x.__class__ is Tensor:
                tensors = True
                tracked = tracked or x.requires_grad
                x = x.data
            elif x.__class__ is not np.ndarray:
                other = True
            arrays.append(x)
        if other:
            arrays = [_plain(x, tensors) for x in arrays]
        try:
            y = self.forward(*arrays, **params)
        except Exception as error:
            raise self._raised(error, args, arrays, params) from None
        if self.saves:
            y, params["saved"] = y
        if not tensors:
            return y
        y = tuple(map(_asarray, y)) if self.several else y if y.__class__ is np.ndarray else _asarray(y)
        now = state.get()
        if not (tracked and now.on and self.differentiable):
            return self._untracked(y, tracked and not now.on)
        node = Node(self, args, arrays, params, y, now.scope, now.step)
        for watcher in now.watchers:
            watcher.made(node)
        return node.outputs if self.several else Tensor(y, True, node)

    def _complete(self, params: dict[str, Any]) -> dict[str, Any]:
        """The parameters with defaults filled in and Tensors (an index, a mask) replaced by their arrays."""
        for name, value in params.items():
            if value.__class__ is Tensor:
                params[name] = value.data
        return {**self.defaults, **params}

    def _untracked(self, y: Any, lost: bool) -> Any:
        """The result without history; `lost` where only `no_grad` is the reason, so that `why` can say so."""
        results = [Tensor(value) for value in (y if self.several else (y,))]
        for result in results:
            result.origin = "no_grad" if lost else None
        return tuple(results) if self.several else results[0]

    def _raised(self, error: Exception, args: tuple[Any, ...], arrays: Any, params: Mapping[str, Any]) -> Exception:
        """The same kind of error, saying what, where and what to do; watchers are told."""
        now = state.get()
        node = Node(self, args, arrays, dict(params), None, now.scope, now.step)
        told = complaint(error, node, [describe(raw_or) if not np.isscalar(raw_or) else repr(raw_or) for raw_or in args])
        for watcher in now.watchers:
            watcher.raised(node, told)
        return told

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


def primitive(forward: Callable[..., Any] | None = None, *, saves: bool = False, several: bool = False,
              analytic: bool = True) -> Any:  # fmt: skip
    """Make an operation of a function on arrays; give it derivatives with `.vjp(argument)`.

    `saves`: the function returns `(y, saved)` and its rules get `saved`; `several`: y is a sequence of outputs;
    `analytic=False`: not complex-differentiable, so that `gradcheck(method="complex")` refuses it by name.
    """
    if forward is None:
        return lambda forward: Primitive(forward, saves, several, analytic)
    return Primitive(forward, saves, several, analytic)


from . import autograd, ops  # noqa: E402  (a Tensor's methods are made of primitives, which are made of Tensors)
