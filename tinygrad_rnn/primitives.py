"""Primitive: an operation on arrays and, beside it, its derivatives.

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

import sys
from collections.abc import Callable, Mapping
from functools import update_wrapper
from inspect import CO_VARARGS
from typing import Any, overload

import numpy as np

from .complaints import complaint
from .core import Node, Tensor, as_array, describe
from .recording import state

Rule = Callable[..., Any]
_ndarray = np.ndarray
_NONE: dict[str, Any] = {}  # the parameters of a call that has none


def _plain(args: tuple[Any, ...], held: list[Any]) -> tuple[Any, ...]:
    """The arguments as their rule should see them. Beside a Tensor, NumPy scalars act as Python's (`x / np.sqrt(H)`
    stays float32) and a list of numbers has the Tensor's dtype."""
    dtype = next((x.dtype for x in args if x.__class__ is Tensor and x.dtype.kind == "f"), None)
    plain = []
    for given, x in zip(args, held, strict=True):
        if isinstance(given, np.generic) and dtype is not None:
            x = given.item()
        elif isinstance(given, (list, tuple)):
            x = np.asarray(given)
            x = x.astype(dtype) if dtype is not None and x.dtype.kind in "iuf" else x
        plain.append(x)
    return tuple(plain)


_AS_IT_IS = frozenset({type(None), bool, int, float, str, tuple, _ndarray})
_CONVERTED = (np.generic, Tensor)


class _Rules(dict[int, Rule]):
    """The derivatives of a primitive by argument; asking for one that is not there says how to write it."""

    def __init__(self, op: Primitive) -> None:
        self.op = op

    def __missing__(self, argument: int) -> Any:
        name = self.op.name
        raise NotImplementedError(f"{name} has no derivative for argument {argument}: "
                                  f"write it with @{name}.vjp({argument})")  # fmt: skip


class Primitive:
    """An operation on arrays and, beside it, one derivative per argument. Made by `@primitive`.

    Arguments before the `/` of its forward function (all those without a default, where there is none) are arrays,
    which can be differentiated; the others are parameters. `rules` holds the derivatives.
    """

    def __init__(self, forward: Any, saves: bool, several: bool, analytic: bool) -> None:
        if not hasattr(forward, "__code__"):
            raise TypeError(f"primitive: {forward!r} is not a Python function: wrap it in one that names its arguments")
        update_wrapper(self, forward)
        self.forward, self.name = forward, forward.__name__.strip("_")
        self.saves, self.several, self.analytic = saves, several, analytic
        self.rules = _Rules(self)
        self.joint: Rule | None = None
        self.adders: dict[int, Rule] = {}
        self.ours = forward.__module__.startswith(__package__ + ".")  # its own traceback then says nothing to users
        self.differentiable = False  # until it has a rule
        self.twin: Callable[..., Any] | None = None  # of a fused operation: the same in other primitives, see `fusion`
        self.replays = False  # its joint rule walks a graph of its own, whose edges taps see instead of this one's
        code, defaults = forward.__code__, forward.__defaults__ or ()
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        self.arity = code.co_posonlyargcount or code.co_argcount - len(defaults)
        self.arguments, self.parameters = names[: self.arity], names[self.arity :]
        if code.co_flags & CO_VARARGS:
            self.arity = sys.maxsize
        self.defaults = {**dict(zip(reversed(names[: code.co_argcount]), reversed(defaults), strict=False)),
                         **(forward.__kwdefaults__ or {})}  # fmt: skip

    def vjp(self, argument: int) -> Callable[[Rule], Rule]:
        """Decorates the derivative for one argument: `rule(g, y, *arguments, **parameters)`, with g = dL/dy, gives
        dL/d(argument) before broadcasting is undone. With several outputs g and y are tuples. Where the forward rule
        saves, `saved` comes as a parameter on the array path and is None on the Tensor path: compute it again there."""

        def keep(rule: Rule) -> Rule:
            self.rules[argument] = rule
            self.differentiable = True
            return rule

        return keep

    def joint_vjp(self, rule: Rule) -> Rule:
        """Decorates one rule for all arguments: `rule(needed, g, y, *arguments, **parameters)`, where `needed` says of
        each argument whether its gradient is asked for, gives a sequence with None where it is not."""
        self.joint = rule
        self.differentiable = True
        return rule

    def adds_into(self, argument: int) -> Callable[[Rule], Rule]:
        """Decorates a faster form of the rule for an argument of which only a part is used:
        `adder(buffer, g, *parameters)` adds into the one buffer that all uses share, instead of each giving an array
        that is zero almost everywhere."""

        def keep(adder: Rule) -> Rule:
            self.adders[argument] = adder
            return adder

        return keep

    def __call__(self, *args: Any, **params: Any) -> Any:
        if self.parameters or params:
            args, params = self._complete(args, params)
        else:
            params = _NONE
        held = []
        tracked = None  # None: there is no Tensor; else: does one require a gradient?
        other = False
        for x in args:
            if x.__class__ is Tensor:
                tracked = tracked or x.requires_grad
                x = x._data
            elif x.__class__ is not _ndarray:
                other = True
            held.append(x)
        arrays = tuple(held) if not other else _plain(args, held)
        try:
            y = self.forward(*arrays, **params)
        except Exception as error:
            told = self._raised(error, args, arrays, params)
            if told is error:
                raise
            raise told from (None if self.ours else error)
        if self.saves:
            y, saved = y
            params = {**params, "saved": saved}
        if tracked is None:
            return y
        if y.__class__ is not _ndarray:
            y = tuple(map(as_array, y)) if self.several else as_array(y)
        now = state.get()
        if not (tracked and now.on and self.differentiable):
            for watcher in now.watchers:
                watcher.computed(Node(self, args, arrays, params, y, now.scope, now.step))
            return self._untracked(y, args, tracked, now.on)
        node = Node(self, args, arrays, params, y, now.scope, now.step)
        if now.watchers:
            for watcher in now.watchers:
                watcher.made(node)
        return node.outputs if self.several else Tensor(y, True, node)

    def _complete(self, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arrays, and all parameters by name: with defaults, NumPy scalars as Python's, Tensors as arrays."""
        for name in params:
            if name not in self.parameters:
                raise TypeError(f"{self.name}: arrays are given by position, not as {name}=" if name in self.arguments
                                else f"{self.name} has no parameter {name!r}")  # fmt: skip
        if extra := args[self.arity :]:
            if len(extra) > len(self.parameters):
                raise TypeError(f"{self.name} takes {self.arity + len(self.parameters)} arguments, not {len(args)}")
            for name, value in zip(self.parameters, extra):  # noqa: B905 (strict= takes half the time)
                if name in params:
                    raise TypeError(f"{self.name}: {name} is given twice, by position and by name")
                params[name] = value
            args = args[: self.arity]
        for name, value in params.items():
            if value.__class__ not in _AS_IT_IS and isinstance(value, _CONVERTED):
                params[name] = self._converted(name, value)
        return args, {**self.defaults, **params} if self.defaults else params

    def _converted(self, name: str, value: Any) -> Any:
        if isinstance(value, np.generic):
            return value.item()
        if value.requires_grad:
            raise TypeError(f"{self.name}: {name} is a parameter, which has no derivative, and {describe(value)} is "
                            "tracked: detach it, or write the function in other operations")  # fmt: skip
        return value.data

    def _untracked(self, y: Any, args: tuple[Any, ...], tracked: bool, on: bool) -> Any:
        """The result without history, and why, for `why` to tell."""
        if not tracked:
            origin = next((x.origin for x in args if isinstance(x, Tensor) and x.origin), None)
        else:
            origin = f"{self.name} has no derivative" if on else "no_grad"
        results = [Tensor(value) for value in (y if self.several else (y,))]
        for result in results:
            result.origin = origin
        return tuple(results) if self.several else results[0]

    def _raised(self, error: Exception, args: tuple[Any, ...], arrays: Any, params: Mapping[str, Any]) -> Exception:
        """`error` saying what, where and what to do; watchers are told."""
        now = state.get()
        node = Node(self, args, arrays, dict(params), None, now.scope, now.step)
        told = complaint(error, node, [describe(x) for x in args])
        for watcher in now.watchers:
            watcher.raised(node, told)
        return told

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


@overload
def primitive(forward: Rule) -> Primitive: ...
@overload
def primitive(*, saves: bool = False, several: bool = False, analytic: bool = True) -> Callable[[Rule], Primitive]: ...
def primitive(forward: Rule | None = None, *, saves: bool = False, several: bool = False, analytic: bool = True) -> Any:
    """Make an operation of a function on arrays; give it derivatives with `.vjp(argument)`.

    `saves`: the function returns `(y, saved)` and its rules get `saved`; `several`: y is a sequence of outputs;
    `analytic=False`: not complex-differentiable, so that `gradcheck(method="complex")` refuses it by name.
    """
    if forward is None:
        return lambda forward: Primitive(forward, saves, several, analytic)
    return Primitive(forward, saves, several, analytic)
