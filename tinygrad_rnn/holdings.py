"""What a recorded graph holds in memory: `tg.memory(loss)` says which operations keep how many bytes alive."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np

from . import backend
from .autograd import reachable
from .core import Node, Tensor
from .recording import trace

SHOWN = 20  # rows of the printed table; the smaller ones are summed in one line


@dataclass(frozen=True)
class Row:
    """What the operations of one kind and scope made: how many there are, and the bytes that they hold."""

    scope: tuple[str, ...]
    op: str
    nodes: int
    bytes: int


@dataclass(frozen=True, repr=False)
class Holdings:
    """The bytes that a graph holds; printed, or shown in a notebook, it is a table.

    `leaves`: bytes of arrays that the graph was given (parameters, inputs, states to start from), of which there are
    `given`; `made`: bytes of arrays that its operations made or keep as constants (targets, masks, what they saved for
    backward); `total`: both. `nodes`: how many operations there are. `rows`: `made` by scope and operation, largest
    first. `steps`: pairs (time step, bytes made in it), in order. `bookkeeping`: beside `total`, the bytes of the
    Python objects themselves (nodes, tensors, tuples, the headers of arrays) as Python gives their sizes.
    """

    leaves: int
    given: int
    nodes: int
    bookkeeping: int
    rows: tuple[Row, ...]
    steps: tuple[tuple[int, int], ...]

    @property
    def made(self) -> int:
        return sum(row.bytes for row in self.rows)

    @property
    def total(self) -> int:
        return self.leaves + self.made

    def __repr__(self) -> str:
        table = self._table()
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = []
        for row in table:
            words = [cell.ljust(width) for cell, width in zip(row[:2], widths, strict=False)]
            numbers = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
            lines.append("  ".join(words + numbers).rstrip())
        return "\n".join([*lines, *self._notes()])

    def _repr_html_(self) -> str:
        from html import escape

        head, *body = ["".join(f'<td style="text-align: {"left" if i < 2 else "right"}">{escape(cell)}</td>'
                               for i, cell in enumerate(row)) for row in self._table()]  # fmt: skip
        rows = "".join(f"<tr>{cells}</tr>" for cells in body)
        notes = "<br>".join(map(escape, self._notes()))
        return f"<table><thead><tr>{head.replace('td', 'th')}</tr></thead><tbody>{rows}</tbody></table><p>{notes}</p>"

    def _table(self) -> list[tuple[str, ...]]:
        """Scope, operation, nodes, bytes and share of the total, in words, under their titles."""

        def line(scope: str, op: str, count: int, size: int) -> tuple[str, ...]:
            return scope, op, f"{count:,}", _size(size), f"{size / (self.total or 1):.0%}"

        body = [line("/".join(row.scope) or "-", row.op, row.nodes, row.bytes) for row in self.rows[:SHOWN]]
        if rest := self.rows[SHOWN:]:
            body.append(line("others", f"({len(rest)} rows)", sum(r.nodes for r in rest), sum(r.bytes for r in rest)))
        return [("scope", "operation", "count", "bytes", "share"), *body, line("leaves", "", self.given, self.leaves),
                line("total", "", self.nodes + self.given, self.total)]  # fmt: skip

    def _notes(self) -> list[str]:
        notes = [f"beside the arrays, {_size(self.bookkeeping)} of Python objects"]
        if self.steps:
            (first, a), (last, b) = self.steps[0], self.steps[-1]
            mean = sum(size for _, size in self.steps) / len(self.steps)
            notes.insert(0, f"made in step {first}: {_size(a)}, in step {last}: {_size(b)}; "
                            f"the mean of {len(self.steps):,} steps: {_size(mean)}")  # fmt: skip
        return notes


def memory(output: Tensor | Sequence[Tensor] | trace) -> Holdings:
    """What the graph of `output` (a Tensor, several, or a finished `tg.trace()`) holds in memory.

    Each buffer counts once, whole, for the operation that made it: a view keeps the array alive that it looks into. An
    object that an operation saved for backward counts with its `nbytes`. Gradients in `.grad` are not the graph's.
    Raises TypeError for anything else.

    >>> import numpy as np
    >>> import tinygrad_rnn as tg
    >>> x, W = tg.tensor(np.ones((8, 4))), tg.tensor(np.ones((4, 16)), requires_grad=True)
    >>> held = memory(tg.sum(tg.tanh(x @ W)))
    >>> held.leaves, held.made, held.total
    (768, 2056, 2824)
    >>> print(held)  # doctest: +ELLIPSIS
    scope   operation  count   bytes  share
    -       matmul         1  1.0 kB    36%
    -       tanh           1  1.0 kB    36%
    -       sum            1     8 B     0%
    leaves                 2   768 B    27%
    total                  5  2.8 kB   100%
    beside the arrays, ... kB of Python objects
    """
    nodes, outputs = _graph(output)
    held = _Held()
    given = leaves = 0
    by_kind: dict[tuple[tuple[str, ...], str], list[int]] = {}
    by_step: dict[int, int] = {}
    for array in [x.data for x in outputs if x.node is None]:
        size = held.add(array)
        given, leaves = given + (size > 0), leaves + size
    for node in nodes:  # oldest first: who made an array comes before those that look into it
        for x, array in zip(node.inputs, node.arrays, strict=True):
            size = held.add(array) if id(array) not in held.seen else 0
            if x.__class__ is Tensor:
                held.keep(x)
                if x.data is not array:  # rebound since: both are alive
                    size += held.add(x.data)
            if size:
                given, leaves = given + 1, leaves + size
        size = held.add(node.value)
        if node.params:
            size += sum(map(held.add, node.params.values()))
        held.objects += sum(map(sys.getsizeof, _own_objects(node)))
        kind = by_kind.setdefault((node.scope, node.op.name), [0, 0])
        kind[0] += 1
        kind[1] += size
        if node.step is not None:
            by_step[node.step] = by_step.get(node.step, 0) + size
    rows = [Row(scope, op, count, size) for (scope, op), (count, size) in by_kind.items()]
    rows.sort(key=attrgetter("bytes"), reverse=True)
    return Holdings(leaves, given, len(nodes), held.objects, tuple(rows), tuple(sorted(by_step.items())))


def _graph(output: Any) -> tuple[list[Node], Sequence[Tensor]]:
    """The nodes that `output` keeps alive, oldest first, and the tensors in which it ends."""
    if isinstance(output, trace):
        traced = [*output.nodes, *([output.failed] if output.failed else [])]
        older = reachable([x for node in traced for x in node.inputs if isinstance(x, Tensor)], -1)
        return sorted({*traced, *older}, key=attrgetter("order")), ()
    outputs = (output,) if isinstance(output, Tensor) else output
    if not (isinstance(outputs, (tuple, list)) and all(isinstance(x, Tensor) for x in outputs)):
        raise TypeError(f"memory: output is a Tensor, a list of them, or a trace, not a {type(output).__name__}")
    return reachable(outputs, -1)[::-1], outputs


class _Held:
    """What has been counted, by identity, and the bytes of `objects`: of all that is no array's numbers."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.objects = 0

    def add(self, value: Any) -> int:
        """The bytes of those buffers in `value` (an array, tuples of them, an object that tells its `nbytes`; others
        hold none) that were not counted yet."""
        if id(value) in self.seen:
            return 0
        if isinstance(value, (tuple, list)):
            self.seen.add(id(value))
            self.objects += sys.getsizeof(value)
            return sum(map(self.add, value))
        if isinstance(value, np.generic) or not hasattr(value, "nbytes"):
            return 0
        self.seen.add(id(value))
        self.objects += sys.getsizeof(value)
        base = getattr(value, "base", None)
        if backend.is_array(base):
            return self.add(base)
        if isinstance(value, np.ndarray) and value.flags.owndata:
            self.objects -= value.nbytes  # which Python counts among the object's own
        return int(value.nbytes)

    def keep(self, x: Tensor) -> None:
        """Count the tensor itself, as an object."""
        if id(x) not in self.seen:
            self.seen.add(id(x))
            self.objects += sys.getsizeof(x) + (sys.getsizeof(x.key) if x.key.__class__ is tuple else 0)


def _own_objects(node: Node) -> list[Any]:
    """A node, and the objects that belong to it alone."""
    own = [node, node.order, node.inputs, node.arrays]
    if node.params:  # without parameters, nodes share one empty dict
        own.append(node.params)
    if node.names:
        own.append(node.names)
    return own


def _size(n: float) -> str:
    """A number of bytes with its unit: 12 B, 1.3 kB, 4.0 MB."""
    if n < 999.5:
        return f"{n:.0f} B"
    for unit in ("kB", "MB", "GB"):
        n /= 1000
        if n < 999.95:
            return f"{n:.1f} {unit}"
    return f"{n / 1000:.1f} TB"
