"""What surrounds an operation while it is recorded: is recording on, which scope and step, who is watching.

The surroundings are one immutable State in a context variable, so threads and coroutines do not see each other's.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from contextlib import ContextDecorator
from contextvars import ContextVar
from copy import copy
from functools import wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from .core import Node, Tensor


class State:
    """`on`: are operations recorded; `scope`, `step`: where a new node belongs; `watchers` see each new node, `taps`
    each gradient that flows back; `draws`: the generators that were drawn from, for whoever must draw the same again.
    """

    __slots__ = ("draws", "on", "scope", "step", "taps", "watchers")

    def __init__(self) -> None:
        self.on = True
        self.scope: tuple[str, ...] = ()
        self.step: int | None = None
        self.watchers: tuple[Any, ...] = ()
        self.taps: tuple[Any, ...] = ()
        self.draws: dict[Any, Any] | None = None


state: ContextVar[State] = ContextVar("tinygrad_rnn.recording", default=State())  # noqa: B039 (never changed)


def watched_closely() -> bool:
    """Does somebody watch who wants to see each step of what could be done in one fused operation?"""
    return any(getattr(watcher, "closely", False) for watcher in state.get().watchers)


class Surroundings(ContextDecorator):
    """A `with` block (or a decorated function or coroutine) in which the State differs. Subclasses say how, in
    `change`. Raises TypeError as the decorator of a generator, whose body runs outside the call."""

    _open: Any = None  # how to undo it: (token, the same of the block around, if it was entered while it was open)

    def __new__(cls, *args: Any, **options: Any) -> Self:
        if args and isinstance(args[0], FunctionType):
            inner = "..." if inspect.signature(cls.__init__).parameters.keys() - {"self", "reader"} else ""
            raise TypeError(f"{cls.__name__}: write @tg.{cls.__name__}({inner}), with brackets")
        return super().__new__(cls)

    def __init__(self) -> None:
        """No arguments, unless a subclass says which."""

    def __call__(self, f: Callable[..., Any]) -> Any:
        if inspect.isgeneratorfunction(f) or inspect.isasyncgenfunction(f):
            kind = type(self).__name__
            raise TypeError(f"{kind}: {f.__name__} is a generator, whose body runs outside the call that is decorated: "
                            f"put `with tg.{kind}(...):` inside it")  # fmt: skip
        if not inspect.iscoroutinefunction(f):
            return super().__call__(f)

        @wraps(f)
        async def inside(*args: Any, **options: Any) -> Any:
            with self._recreate_cm():
                return await f(*args, **options)

        return inside

    def change(self, new: State) -> None:
        """Alter `new`, a copy of the State outside, into that inside."""

    def _recreate_cm(self) -> Self:  # a decorated function may run in several threads at once
        fresh = copy(self)
        fresh._open = None
        return fresh

    def __enter__(self) -> Any:
        now, new = state.get(), State.__new__(State)
        new.on, new.scope, new.step = now.on, now.scope, now.step
        new.watchers, new.taps, new.draws = now.watchers, now.taps, now.draws
        self.change(new)
        self._open = state.set(new), self._open
        return self

    def __exit__(self, *_: object) -> None:
        token, self._open = self._open
        state.reset(token)


class no_grad(Surroundings):
    """Inside, operations compute and are not recorded: nothing can be differentiated through them."""

    def change(self, new: State) -> None:
        new.on = False


class enable_grad(Surroundings):
    """Inside, operations are recorded, also within `no_grad`."""

    def change(self, new: State) -> None:
        new.on = True


class scope(Surroundings):
    """`with tg.scope("encoder"):` every node made inside has "encoder" at the end of its `.scope`."""

    def __init__(self, name: str) -> None:
        self.name = str(name)

    def change(self, new: State) -> None:
        new.scope = (*new.scope, self.name)


class step(Surroundings):
    """`with tg.step(t):` every node made inside belongs to time step `t` of the data, counted from 0.

    The innermost step wins. A layer that reads backwards still passes the time of the data that it reads.
    """

    def __init__(self, t: int) -> None:
        try:
            self.t = operator.index(t)
        except TypeError:
            raise TypeError(f"step: t is the number of a time step, counted from 0, not {t!r}") from None

    def change(self, new: State) -> None:
        new.step = self.t


class trace(Surroundings):
    """`with tg.trace() as tr:` remembers in `tr.nodes` what is recorded inside, in order, also when the code raises;
    then `tr.failed` is the operation that raised and `tr.error` what it said. `tg.draw(tr)` draws that far."""

    closely = True  # fused operations are to be recorded step by step

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.failed: Node | None = None
        self.error: Exception | None = None

    def change(self, new: State) -> None:
        new.watchers = (*new.watchers, self)

    def made(self, node: Node) -> None:
        self.nodes.append(node)

    def computed(self, node: Node) -> None:
        """An operation that was not recorded is not remembered either."""

    def raised(self, node: Node, error: Exception) -> None:
        if self.nodes and self.nodes[-1] is node:  # made, and then refused by debug mode
            self.nodes.pop()
        self.failed, self.error = node, error


class Tap:
    """What a reader of the backward pass implements; this one records everything.

    `edge(node, argument, parent, contribution)` comes for each gradient that `node` sends to its input number
    `argument`; `node(node, gradients)` when a node fires, with the gradient of its output (of each output, a tuple with
    None for the unused, where there are several).
    """

    def __init__(self) -> None:
        self.edges: list[tuple[Node, int, Tensor, Any]] = []
        self.nodes: list[tuple[Node, Any]] = []

    def edge(self, node: Node, argument: int, parent: Tensor, contribution: Any) -> None:
        self.edges.append((node, argument, parent, contribution))

    def node(self, node: Node, gradients: Any) -> None:
        self.nodes.append((node, gradients))


class tap(Surroundings):
    """`with tg.tap() as seen:` every backward pass inside is read by `seen`, a fresh Tap or the one given."""

    def __init__(self, reader: Any = None) -> None:
        self.reader = Tap() if reader is None else reader

    def change(self, new: State) -> None:
        new.taps = (*new.taps, self.reader)

    def __enter__(self) -> Any:
        super().__enter__()
        return self.reader
