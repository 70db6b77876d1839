"""Products with Jacobians and Hessians of a function f, from `grad` alone.

f takes Tensors and gives one Tensor or several. `primals` and `vectors` are one or a sequence: bare in, bare out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from . import backend, core
from .autograd import grad
from .core import Tensor, tensor
from .recording import enable_grad


def _leaves(primals: Any) -> tuple[tuple[Tensor, ...], bool]:
    """Fresh leaves with the numbers of `primals`, and whether one was given bare."""
    bare = not isinstance(primals, (tuple, list))
    leaves = tuple(tensor(p, requires_grad=True) for p in ((primals,) if bare else primals))
    return leaves, bare


def _several(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _one_each(vectors: Any, whose: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    """`vectors` as a tuple, one for each of `whose`."""
    if len(_several(vectors)) != len(whose):
        raise ValueError(f"{name}: {len(_several(vectors))} vectors for {len(whose)}: give one of the shape of each")
    return _several(vectors)


def _detached(result: Any) -> Any:
    return tuple(r.detach() for r in result) if isinstance(result, (tuple, list)) else result.detach()


def _or_zeros(gradients: Iterable[Any], like: Iterable[Tensor]) -> list[Tensor]:
    return [Tensor(backend.zeros_like(x.data)) if g is None else g for g, x in zip(gradients, like, strict=True)]


def _gradient_of_sum(ys: Iterable[Any], vectors: Iterable[Any], inputs: Any) -> Iterable[Any]:
    """The gradient for `inputs` of sum(y . v), over those y that depend on anything."""
    pairs = [(y, core.raw(v)) for y, v in zip(ys, vectors, strict=True) if y is not None and y.requires_grad]
    if not pairs:
        return [None] * len(inputs)
    return grad([y for y, _ in pairs], inputs, [v for _, v in pairs], allow_unused=True)


def vjp(f: Callable[..., Any], primals: Any, vectors: Any) -> tuple[Any, Any]:
    """`(f(*primals), vectors @ Jacobian)`: the gradient of sum(f * vectors), for each primal."""
    leaves, bare = _leaves(primals)
    with enable_grad():
        y = f(*leaves)
        gradients = grad(_several(y), leaves, _one_each(vectors, _several(y), "vjp: outputs"), allow_unused=True)
    results = _or_zeros(gradients, leaves)
    return _detached(y), results[0] if bare else tuple(results)


def jvp(f: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """`(f(*primals), Jacobian @ tangents)`: how f changes as the primals move along `tangents`.

    A vector-Jacobian product is linear in its vector u, so differentiating it by u gives the Jacobian times a tangent.
    """
    leaves, _ = _leaves(primals)
    with enable_grad():
        y = f(*leaves)
        ys = _several(y)
        us = [tensor(backend.zeros_like(yi.data), requires_grad=True) for yi in ys]
        tracked = [i for i, yi in enumerate(ys) if yi.requires_grad]
        back = grad([ys[i] for i in tracked], leaves, [us[i] for i in tracked], create_graph=True, allow_unused=True)
        products = _gradient_of_sum(back, _one_each(tangents, leaves, "jvp: primals"), us)
    results = _or_zeros(products, ys)
    return _detached(y), tuple(results) if isinstance(y, (tuple, list)) else results[0]


def hvp(f: Callable[..., Any], primals: Any, vectors: Any) -> tuple[Any, Any]:
    """`(f(*primals), Hessian @ vectors)` for a scalar f: the gradient of (gradient . vectors)."""
    leaves, bare = _leaves(primals)
    with enable_grad():
        y = f(*leaves)
        first = grad(y, leaves, create_graph=True, allow_unused=True)
        second = _gradient_of_sum(first, _one_each(vectors, leaves, "hvp: primals"), leaves)
    results = _or_zeros(second, leaves)
    return _detached(y), results[0] if bare else tuple(results)


def jacobian(f: Callable[..., Any], x: Any) -> Any:
    """dy/dx as a Tensor of shape `y.shape + x.shape` (a tuple of them for several x), one backward pass a row."""
    leaves, bare = _leaves(x)
    with enable_grad():
        y = f(*leaves)
    if not isinstance(y, Tensor):
        raise TypeError(f"jacobian: f gives a {type(y).__name__}, not one Tensor: take each output's Jacobian apart")
    rows: list[list[Any]] = [[] for _ in leaves]
    for j in range(y.size):
        unit = np.zeros(y.size, y.dtype)
        unit[j] = 1
        seed = backend.to_device(unit.reshape(y.shape), y.device)
        gradients = grad(y, leaves, seed, allow_unused=True) if y.requires_grad else [None] * len(leaves)
        for row, g in zip(rows, _or_zeros(gradients, leaves), strict=True):
            row.append(g.data.reshape(1, *g.shape))
    xp = backend.xp(y.data)
    results = []
    for row, leaf in zip(rows, leaves, strict=True):
        shape = y.shape + leaf.shape
        results.append(Tensor(xp.concatenate(row).reshape(shape) if row else xp.zeros(shape, y.dtype)))
    return results[0] if bare else tuple(results)
