"""A tiny autograd engine, on NumPy or CuPy, that shows recurrent networks from the inside.

    import tinygrad_rnn as tg

    x = tg.tensor(data, requires_grad=True)     operations (tg.tanh, tg.matmul, x @ W, ...) on Tensors are recorded
    y.backward()                                gradients into .grad of leaves; tg.grad(y, x) gives them instead
    with tg.step(t), tg.scope("encoder"): ...   where in time and in the model an operation belongs
    tg.draw(loss, view="cells")                 the unrolled graph: cells, rolled, gates, ops or flow
    tg.flow.ledger(loss, W)                     what each time step contributes to dL/dW; see help(tg.flow)
    tg.nn, tg.optim, tg.data                    layers and cells, optimizers, text and tasks
    tg.why(x), tg.debug(), tg.gradcheck(f, x)   why is .grad None; where was the NaN born; is my derivative right
    tg.unroll(loss)                             what a fused layer did, step by step, in place of it in the graph
    tg.memory(loss)                             which operations hold how many bytes; tg.checkpoint_segments: fewer
    @tg.primitive                               an operation of your own, with one derivative per argument
"""

from __future__ import annotations

import importlib
from typing import Any

from .autograd import backward, grad
from .checks import gradcheck
from .core import Node, Tensor, tensor
from .debugging import debug
from .fusion import SlowerRoad, unroll
from .holdings import memory
from .ops import *  # noqa: F403
from .ops import __all__ as _operations
from .primitives import Primitive, primitive
from .products import hvp, jacobian, jvp, vjp
from .reasons import why
from .recompute import checkpoint
from .recording import Tap, enable_grad, no_grad, scope, step, tap, trace
from .segments import checkpoint_segments

__version__ = "0.1.0"
_LAZY = {"nn", "optim", "data", "flow", "pictures", "ops"}

__all__ = [
    "Node", "Primitive", "SlowerRoad", "Tap", "Tensor", "backward", "checkpoint", "checkpoint_segments", "debug",
    "draw", "enable_grad", "grad", "gradcheck", "hvp", "jacobian", "jvp", "memory", "no_grad", "primitive", "scope",
    "step", "tap", "tensor", "trace", "unroll", "vjp", "why",
    "nn", "optim", "data", "flow", *_operations,
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """`tg.nn`, `tg.flow`, ... and `tg.draw` are there after the bare import, loaded when first used."""
    if name in _LAZY:
        return importlib.import_module(f".{name}", __name__)
    if name == "draw":
        return importlib.import_module(".pictures", __name__).draw
    raise AttributeError(f"tinygrad_rnn has no {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
