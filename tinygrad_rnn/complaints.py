"""What an operation says when it cannot be done: what, where and what to do, in one line.

    matmul: h (16, 32) @ W_hh (31, 32): inner sizes 32 and 31 differ (scope rnn, step 3, line 12 of train.py)
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import numpy as np

from . import backend

if TYPE_CHECKING:
    from .core import Node

SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "matmul": "@", "power": "**"}
HOME = os.path.dirname(os.path.abspath(__file__)) + os.sep


def complaint(error: Exception, node: Node, arguments: list[str]) -> Exception:
    """`error`, raised by `node`'s forward rule on the described `arguments`, told as a person would; same type."""
    call, place = f"{node.op.name}: {_call(node, arguments)}", where(node)
    if type(error) not in (ValueError, TypeError, IndexError, FloatingPointError, np.exceptions.AxisError):
        error.add_note(f"in {call} ({place})")
        return error
    kind = ValueError if isinstance(error, np.exceptions.AxisError) else type(error)
    return kind(f"{call}: {_reason(error, node)} ({place})")


def where(node: Node) -> str:
    """`scope rnn, step 3, line 12 of train.py`: where in the model and where in the code."""
    parts = [f"scope {'/'.join(node.scope)}"] if node.scope else []
    parts += [f"step {node.step}"] if node.step is not None else []
    return ", ".join([*parts, node.line or source_line()])


def source_line() -> str:
    """The line of code, outside this package, that is running: `line 12 of train.py`."""
    frame = sys._getframe(1)
    while frame.f_back is not None and os.path.abspath(frame.f_code.co_filename).startswith(HOME):
        frame = frame.f_back
    return f"line {frame.f_lineno} of {os.path.basename(frame.f_code.co_filename)}"


def _call(node: Node, arguments: list[str]) -> str:
    sign = SIGNS.get(node.op.name)
    if sign and len(arguments) == 2:
        return f" {sign} ".join(arguments)
    shown = {k: v for k, v in node.params.items() if not backend.is_array(v) and v != node.op.defaults.get(k)}
    return ", ".join(arguments + [f"{name}={value!r}" for name, value in shown.items()])


def _reason(error: Exception, node: Node) -> str:
    arrays = [x for x in node.arrays if hasattr(x, "shape")]
    devices = sorted({backend.of(x).device for x in arrays})
    if len(devices) > 1:
        return f"the arguments are on {' and '.join(devices)}: move one with .to({devices[-1]!r})"
    shapes = [tuple(x.shape) for x in arrays]
    if node.op.name == "matmul" and len(shapes) == 2:
        a, b = shapes
        if not a or not b:
            return "a 0-d operand has no rows to multiply: use *"
        inner = (a[-1], b[-2] if len(b) > 1 else b[0])
        if inner[0] != inner[1]:
            return f"inner sizes {inner[0]} and {inner[1]} differ"
        shapes = [s[:-2] for s in shapes]  # the stacks must broadcast
    if node.op.name in SIGNS and len(shapes) == 2:
        for axis, (m, n) in enumerate(zip(reversed(shapes[0]), reversed(shapes[1]), strict=False), 1):
            if m != n and 1 not in (m, n):
                axis += 2 if node.op.name == "matmul" else 0
                return f"sizes {m} and {n} differ on axis {-axis}, and neither is 1"
    return str(error) or type(error).__name__
