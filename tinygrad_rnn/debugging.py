"""Debug mode: where each node was made, arrays that the graph holds locked, and NaN or Inf named where it was born."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import backend
from .complaints import source_line, where
from .core import Node, Tensor
from .recording import State, Surroundings


class debug(Surroundings):
    """`with tg.debug():` inside, each node keeps its source line; NumPy arrays that the graph uses cannot be written to
    until the block ends; and the first operation, forward or backward, that makes a NaN or an Inf out of finite numbers
    raises FloatingPointError with its name, place and inputs, rather than its victims later."""

    def __init__(self) -> None:
        super().__init__()
        self._locked: dict[int, np.ndarray] = {}  # by id; an array before the views of it

    def change(self, new: State) -> None:
        new.watchers, new.taps = (*new.watchers, self), (*new.taps, self)

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        for array in self._locked.values():
            array.flags.writeable = True
        self._locked.clear()

    # As a watcher

    def made(self, node: Node) -> None:
        node.line = source_line()
        values = node.value if node.op.several else (node.value,)
        if not all(map(_finite, values)) and all(map(_finite, node.arrays)):
            raise FloatingPointError(f"{node.op.name} made {_kinds(values)} of finite inputs: {_ranges(node)} "
                                     f"({where(node)})")  # fmt: skip
        for array in (*node.arrays, *values):
            self._lock(array)

    def raised(self, node: Node, error: Exception) -> None:
        pass

    # As a tap on the backward pass

    def node(self, node: Node, gradients: Any) -> None:
        arriving = gradients if isinstance(gradients, tuple) else (gradients,)
        self._finite_so_far = all(g is None or _finite(g) for g in arriving)

    def edge(self, node: Node, argument: int, parent: Tensor, contribution: Any) -> None:
        c = contribution.data if isinstance(contribution, Tensor) else contribution
        if self._finite_so_far and not _finite(c):
            name = parent.name or f"argument {argument}"
            raise FloatingPointError(f"the derivative of {node.op.name} for {name} made {_kinds((c,))} of a finite "
                                     f"gradient: {_ranges(node)} ({where(node)})")  # fmt: skip

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


def _finite(x: Any) -> bool:
    return not backend.is_array(x) or x.dtype.kind not in "fc" or bool(backend.xp(x).isfinite(x).all())


def _kinds(values: Any) -> str:
    lib = backend.xp(values[0])
    return "NaN" if any(bool(lib.isnan(v).any()) for v in values) else "Inf"


def _ranges(node: Node) -> str:
    parts = []
    for argument, x in zip(node.inputs, node.arrays, strict=True):
        name = (argument.name if isinstance(argument, Tensor) else None) or "input"
        if not backend.is_array(x) or not x.size:
            parts.append(f"{name} {x!r}")
        else:
            parts.append(f"{name} {tuple(x.shape)} in [{float(x.min()):.4g}, {float(x.max()):.4g}]")
    return ", ".join(parts)
