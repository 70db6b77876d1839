"""Debug mode: where each node was made, arrays that the graph holds locked, and NaN or Inf named where it was born."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self
from weakref import WeakValueDictionary

import numpy as np

from . import backend
from .complaints import source_line, where
from .core import Node, Tensor
from .recording import State, Surroundings, state

_FINITE, _INF, _NAN = range(3)  # how bad a number is
_WORDS = ("finite", "infinite", "NaN")


class debug(Surroundings):
    """`with tg.debug():` inside, each node keeps its source line; NumPy arrays that the graph uses, indices and targets
    too, cannot be written to until the block ends; and the first operation, forward or backward, that makes an Inf out
    of finite numbers, or a NaN out of anything, raises FloatingPointError with its name, place and inputs, rather than
    its victims later. An Inf that is given (the -inf of a mask) passes; a NaN that comes in from outside, say from an
    operation that was not recorded, is told with the input through which it came.

    Every number is looked at, so this is for a few steps, not for a training run."""

    closely = True

    def __init__(self) -> None:
        self._locked: WeakValueDictionary[int, np.ndarray] = WeakValueDictionary()  # an array before the views of it
        self._arriving = _FINITE

    def _recreate_cm(self) -> Self:  # each call of a decorated function unlocks what it has locked itself
        return type(self)()

    def change(self, new: State) -> None:
        new.watchers, new.taps = (*new.watchers, self), (*new.taps, self)

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        if self._open:  # entered again while it was open
            return
        for array in self._locked.values():
            array.flags.writeable = True
        self._locked.clear()

    # As a watcher

    def made(self, node: Node) -> None:
        node.line = source_line()
        self.computed(node)
        for array in (*_given(node), *_values(node)):
            self._lock(array)

    def computed(self, node: Node) -> None:
        """Raise FloatingPointError, and tell the other watchers, if `node` brought a NaN or an Inf into being."""
        made = max(map(_badness, _values(node)), default=_FINITE)
        if made == _FINITE or (made == _INF and made <= max(map(_badness, _given(node)), default=_FINITE)):
            return
        guilty = [i for i, x in enumerate(node.arrays) if _badness(x) == _NAN] if made == _NAN else []
        if guilty:
            what = f"gave NaN, which came in through its {_name(node, guilty[0])}"
        else:
            given = max(map(_badness, _given(node)), default=_FINITE)
            what = f"made {'NaN' if made == _NAN else 'Inf'} of {_WORDS[given]} inputs"
        error = FloatingPointError(f"{node.op.name} {what}: {_ranges(node)} ({where(node)})")
        for watcher in state.get().watchers:
            watcher.raised(node, error)
        raise error

    def raised(self, node: Node, error: Exception) -> None:
        pass

    # As a tap on the backward pass

    def node(self, node: Node, gradients: Any) -> None:
        arriving = gradients if isinstance(gradients, tuple) else (gradients,)
        self._arriving = max(_badness(g) for g in arriving)

    def edge(self, node: Node, argument: int, parent: Tensor, contribution: Any) -> None:
        made = _badness(contribution)
        if made > self._arriving and made > max(map(_badness, _given(node))):
            kind = "NaN" if made == _NAN else "Inf"
            arriving = "a finite" if self._arriving == _FINITE else "an infinite"
            raise FloatingPointError(f"the derivative of {node.op.name} for {_name(node, argument)} made {kind} of "
                                     f"{arriving} gradient: {_ranges(node)} ({where(node)})")  # fmt: skip

    def _lock(self, array: Any) -> None:
        """Forbid writing to `array` and to what it is a view of; what was read-only before stays so after."""
        views = []
        while isinstance(array, np.ndarray):
            views.append(array)
            array = array.base
        for view in reversed(views):  # a view of a locked array is born read-only; one of repeats is so anyhow
            born_locked = view.base is not None and id(view.base) in self._locked and 0 not in view.strides
            if id(view) not in self._locked and (view.flags.writeable or born_locked):
                view.flags.writeable = False
                self._locked[id(view)] = view


def _values(node: Node) -> tuple[Any, ...]:
    return node.value if node.op.several else (node.value,)


def _given(node: Node) -> Iterable[Any]:
    """What went into `node`: its arguments and parameters, those inside a tuple (an index) one by one."""
    parameters = [value for name, value in node.params.items() if name != "saved"]
    for x in (*node.arrays, *parameters):
        yield from x if isinstance(x, tuple) else (x,)


def _badness(x: Any) -> int:
    """The worst of the numbers in an array, Tensor or scalar: finite, infinite or NaN. What is no number is finite."""
    x = x.data if isinstance(x, Tensor) else x
    if isinstance(x, (float, complex)):
        x = np.asarray(x)
    if not backend.is_array(x) or x.dtype.kind not in "fc":
        return _FINITE
    lib = backend.xp(x)
    return _FINITE if bool(lib.isfinite(x).all()) else _NAN if bool(lib.isnan(x).any()) else _INF


def _name(node: Node, argument: int) -> str:
    x = node.inputs[argument]
    return (x.name if isinstance(x, Tensor) else None) or f"argument {argument}"


def _ranges(node: Node) -> str:
    parts = []
    for argument, x in zip(node.inputs, node.arrays, strict=True):
        name = (argument.name if isinstance(argument, Tensor) else None) or "input"
        if not backend.is_array(x) or not x.size:
            parts.append(f"{name} {x!r}")
        else:
            parts.append(f"{name} {tuple(x.shape)} in [{float(x.min()):.4g}, {float(x.max()):.4g}]")
    return ", ".join(parts)
