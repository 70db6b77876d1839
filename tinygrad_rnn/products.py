"""Products with Jacobians and Hessians of a function f, from `grad` alone.

f takes Tensors and gives one Tensor or several. `primals` and `vectors` are one or a sequence: bare in, bare out.
Results are out of the graph, but for `create_graph=True`, and inside the f of another product, so that products nest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from . import backend, core, ops
from .autograd import grad
from .core import Tensor, tensor
from .recording import enable_grad, state

_inside: ContextVar[bool] = ContextVar("tinygrad_rnn.products.inside", default=False)  # the f of another product


def vjp(f: Callable[..., Any], primals: Any, vectors: Any, create_graph: bool = False) -> tuple[Any, Any]:
    """`(f(*primals), vectors @ Jacobian)`: the gradient of sum(f * vectors), for each primal.

    With `create_graph` both can be differentiated again, by primals, vectors and what f captures. Raises ValueError
    where a vector has not the shape or the device of its output, TypeError where f gives no Tensor.
    """
    run = _Run("vjp", f, primals, create_graph)
    vectors = _one_each("vjp", vectors, run.ys, "output", run.y_bare)
    return run.value(), run.for_primals(run.gradients(run.ys, run.leaves, vectors, run.keep))


def jvp(f: Callable[..., Any], primals: Any, tangents: Any, create_graph: bool = False) -> tuple[Any, Any]:
    """`(f(*primals), Jacobian @ tangents)`: how f changes as the primals move along `tangents`.

    A vector-Jacobian product is linear in its vector u, so differentiating it by u gives the Jacobian times a tangent.
    `create_graph` and errors are as in `vjp`.
    """
    run = _Run("jvp", f, primals, create_graph)
    tangents = _one_each("jvp", tangents, run.leaves, "primal", run.bare)
    us = [tensor(backend.zeros_like(y.data), requires_grad=True) for y in run.ys]
    back = run.gradients(run.ys, run.leaves, us, create_graph=True)
    products = run.gradients(back, us, tangents, run.keep)
    return run.value(), products[0] if run.y_bare else tuple(products)


def hvp(f: Callable[..., Any], primals: Any, vectors: Any, create_graph: bool = False) -> tuple[Any, Any]:
    """`(f(*primals), Hessian @ vectors)` for a scalar f: the gradient of (gradient . vectors).

    `create_graph` and errors are as in `vjp`; an f that is not scalar raises ValueError too.
    """
    run = _Run("hvp", f, primals, create_graph)
    vectors = _one_each("hvp", vectors, run.leaves, "primal", run.bare)
    first = run.gradients(run.ys, run.leaves, [None] * len(run.ys), create_graph=True)
    return run.value(), run.for_primals(run.gradients(first, run.leaves, vectors, run.keep))


def jacobian(f: Callable[..., Any], x: Any, create_graph: bool = False) -> Any:
    """dy/dx as a Tensor of shape `y.shape + x.shape` (a tuple of them for several x), one backward pass a row.

    With `create_graph` it can be differentiated again. Raises TypeError where f does not give one Tensor.
    """
    run = _Run("jacobian", f, x, create_graph)
    if not run.y_bare:
        raise TypeError(f"jacobian: f gives a {type(run.y).__name__}, not one Tensor: take each output's Jacobian by "
                        "itself")  # fmt: skip
    (y,) = run.ys
    rows = []
    for j in range(y.size):
        unit = np.zeros(y.size, y.dtype)
        unit[j] = 1
        seed = backend.to_device(unit.reshape(y.shape), y.device)
        rows.append(run.gradients(run.ys, run.leaves, [seed], run.keep))
    with enable_grad():
        results = [ops.reshape(ops.stack([row[i] for row in rows]), y.shape + leaf.shape) if rows else
                   Tensor(backend.xp(y.data).zeros(y.shape + leaf.shape, y.dtype))
                   for i, leaf in enumerate(run.leaves)]  # fmt: skip
    return run.for_primals(results)


class _Run:
    """f, run and recorded on leaves that hold the numbers of the primals.

    `keep`: do the results stay in the graph? Then a primal that is tracked enters as a copy that leads back to it.
    """

    def __init__(self, product: str, f: Callable[..., Any], primals: Any, create_graph: bool) -> None:
        self.keep = create_graph or (_inside.get() and state.get().on)
        self.bare = not isinstance(primals, (tuple, list))
        with enable_grad():
            self.leaves = [ops.copy(p) if self.keep and isinstance(p, Tensor) and p.requires_grad else
                           tensor(p, requires_grad=True) for p in ((primals,) if self.bare else primals)]  # fmt: skip
            outer = _inside.set(True)
            try:
                self.y = f(*self.leaves)
            finally:
                _inside.reset(outer)
        self.y_bare = not isinstance(self.y, (tuple, list))
        self.ys: tuple[Tensor, ...] = (self.y,) if self.y_bare else tuple(self.y)
        for y in self.ys:
            if not isinstance(y, Tensor):
                raise TypeError(f"{product}: f gives a {type(y).__name__}, not a Tensor: compute it from f's arguments")

    def gradients(self, outputs: Iterable[Tensor], inputs: Any, vectors: Iterable[Any],
                  create_graph: bool) -> list[Tensor]:  # fmt: skip
        """The gradient for `inputs` of sum(output . vector); zeros for what nothing depends on."""
        pairs = [(y, v) for y, v in zip(outputs, vectors, strict=True) if y.requires_grad]
        found: Iterable[Any] = [None] * len(inputs)
        if pairs:
            ys, vs = zip(*pairs, strict=True)
            found = grad(ys, inputs, vs, create_graph=create_graph, allow_unused=True)
        return [Tensor(backend.zeros_like(x.data)) if g is None else g for g, x in zip(found, inputs, strict=True)]

    def value(self) -> Any:
        ys = self.ys if self.keep else tuple(y.detach() for y in self.ys)
        return ys[0] if self.y_bare else ys

    def for_primals(self, results: Sequence[Tensor]) -> Any:
        return results[0] if self.bare else tuple(results)


def _one_each(product: str, vectors: Any, whose: Sequence[Tensor], word: str, bare: bool) -> list[Tensor]:
    """`vectors` as Tensors, one for each of `whose`, checked. Where that is bare, a list of numbers is one vector."""
    several = isinstance(vectors, (tuple, list)) and (not bare or any(map(_is_array, vectors)))
    given = vectors if several else (vectors,)
    if len(given) != len(whose):
        raise ValueError(f"{product}: {len(given)} vector{'s' * (len(given) != 1)} for {len(whose)} {word}"
                         f"{'s' * (len(whose) != 1)}: give one of the shape of each")  # fmt: skip
    return [_fitting(product, v, x, f"the {word}" if bare else f"{word} {i}", f"the {word}")
            for i, (v, x) in enumerate(zip(given, whose, strict=True))]  # fmt: skip


def _fitting(product: str, vector: Any, x: Tensor, which: str, it: str) -> Tensor:
    """`vector` as a Tensor of the dtype of x, on its device and of its shape."""
    if not _is_array(vector):
        vector = backend.to_device(np.asarray(vector, x.dtype), x.device)
    v = vector if isinstance(vector, Tensor) else Tensor(vector)
    if v.device != x.device:
        raise ValueError(f"{product}: the vector for {which} is on {v.device} and {it} on {x.device}: move one with "
                         f".to({x.device!r})")  # fmt: skip
    if v.shape != x.shape:
        raise ValueError(f"{product}: the vector for {which} has shape {tuple(v.shape)}, {it} {tuple(x.shape)}")
    with enable_grad():
        return v.astype(x.dtype)


def _is_array(x: Any) -> bool:
    return backend.is_array(core.raw(x))
