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
        self._locked: list[np.ndarray] = []

    def change(self, now: State) -> State:
        return now.but(watchers=(*now.watchers, self), taps=(*now.taps, self))

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        for array in reversed(self._locked):  # an array before the views of it
            array.flags.writeable = True
        self._locked.clear()

    # As a watcher

    def made(self, node: Node) -> None:
        node.line = source_line()
        values = node.value if node.op.several else (node.value,)
        if not all(map(_finite, values)) and all(map(_finite, node.arrays)):
            raise FloatingPointError(f"{node.op.name} made {_kinds(values)} of finite inputs: {_ranges(node)} ({where(node)})")
        for array in (*node.arrays, *values):
            self._lock(array)

    def raised(self, node: Node, error: Exception) -> None:
        pass

    # As a tap on the backward pass

    def node(self, node: Node, gradients: Any) -> None:
        self._arriving = all(g is None or _finite(g) for g in (gradients if isinstance(gradients, tuple) else (gradients,)))

    def edge(self, node: Node, argument: int, parent: Tensor, contribution: Any) -> None:
        c = contribution.data if isinstance(contribution, Tensor) else contribution
        if self._arriving and not _finite(c):
            name = parent.name or f"argument {argument}"
            raise FloatingPointError(f"the derivative of {node.op.name} for {name} made {_kinds((c,))} of a finite gradient: "
                                     f"{_ranges(node)} ({where(node)})")  # fmt: skip

    def _lock(self, array: Any) -> None:
        """Forbid writing to `array` and to what it is a view of."""
        while isinstance(array, np.ndarray):
            if array.flags.writeable:
                array.flags.writeable = False
                self._locked.insert(0, array)
            array = array.base


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
