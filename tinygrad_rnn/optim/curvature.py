"""Curvature without its matrix: products with the Gauss-Newton matrix of a recorded run."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .. import backend
from ..autograd import grad
from ..backend import Array
from ..core import Tensor, describe, tensor
from ..fusion import SlowerRoad
from ..ops import softmax

Hessian = Callable[..., Any]  # of a loss by the outputs: arrays u, one an output, in; arrays H_L u out


class GaussNewton:
    """G = J' H_L J: `G @ v`, where J is the Jacobian of the outputs of a model by its parameters, and H_L the Hessian
    of the loss by the outputs (Schraudolph 2002; Martens 2010, section 4.2).

    `outputs`: one Tensor or several, recorded with gradients; `parameters`: the leaves. A vector v is flat, (N,), all
    parameters in a row as `flatten` gives them. `H_L(u)`, for arrays u of the outputs' shapes (one argument each),
    gives an array like u (a tuple of them, for several outputs): `softmax_hessian`, `squared_hessian`, or
    `hessian_of(loss, outputs)` for any other loss.

    G is the Hessian without the term of the model's own curvature. It is the Hessian where the model is linear, and
    positive semi-definite where the loss is convex in the outputs, which the Hessian is not.

    The model runs once. J'u is a backward pass; it is linear in u, so recording it and differentiating by u gives J v,
    a second one: a product costs about two. A fused layer is unrolled for it, once.
    Raises ValueError where no output depends on a parameter, or a vector is of the wrong length.

    >>> import numpy as np
    >>> W = tensor([1.0, 2.0], requires_grad=True)
    >>> y = W * W  # J = diag(2, 4); the loss is |y|^2, so H_L = 2
    >>> (GaussNewton(y, W, squared_hessian(1.0)) @ np.ones(2)).tolist()
    [8.0, 32.0]
    """

    def __init__(self, outputs: Tensor | Sequence[Tensor], parameters: Tensor | Iterable[Tensor],
                 H_L: Hessian) -> None:  # fmt: skip
        self.outputs = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
        self.parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
        self.H_L = H_L
        for y in self.outputs:
            if not y.requires_grad:
                raise ValueError(f"GaussNewton: the output {describe(y)} depends on no parameter: record it with "
                                 "gradients")  # fmt: skip
        self.us = [tensor(backend.zeros_like(y.data), requires_grad=True) for y in self.outputs]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SlowerRoad)  # there is no faster one to a second derivative
            back = grad(self.outputs, self.parameters, self.us, create_graph=True, allow_unused=True)
        self.used = [i for i, g in enumerate(back) if g is not None]
        if not self.used:
            raise ValueError(f"GaussNewton: no output depends on any of the {len(self.parameters)} parameters: give "
                             "those that the model used")  # fmt: skip
        self.back = [back[i] for i in self.used]

    def __matmul__(self, v: Array) -> Array:
        return self.back_from(self.curved(self.along(v)))

    def along(self, v: Array) -> list[Array]:
        """J v: how each output changes as the parameters move along v."""
        vs = unflatten(v, self.parameters)
        changes = grad(self.back, self.us, [Tensor(vs[i]) for i in self.used], allow_unused=True)
        return [backend.zeros_like(u.data) if c is None else c.data for c, u in zip(changes, self.us, strict=True)]

    def curved(self, us: Sequence[Array]) -> list[Array]:
        """H_L u."""
        curved = self.H_L(*us)
        return [curved] if len(us) == 1 and backend.is_array(curved) else list(curved)

    def back_from(self, us: Sequence[Array]) -> Array:
        """J' u, flat."""
        found = grad(self.outputs, self.parameters, [Tensor(u) for u in us], allow_unused=True)
        return flatten([backend.zeros_like(p.data) if g is None else g.data
                        for g, p in zip(found, self.parameters, strict=True)])  # fmt: skip


def softmax_hessian(logits: Any, weight: float | Array = 1.0) -> Hessian:
    """H_L of `weight` times the cross-entropy of logits (..., C): diag(p) - p p' for each row, p its softmax.

    `weight` is a number, such as 1/B for a mean over the batch, or an array that broadcasts to (..., 1). The targets do
    not matter.
    """
    p = softmax(logits.data if isinstance(logits, Tensor) else logits)
    return lambda u: weight * (p * u - p * (p * u).sum(-1, keepdims=True))


def squared_hessian(weight: float = 1.0) -> Hessian:
    """H_L of `weight` times the sum of the squares of (output - target): 2 weight."""
    return lambda u: 2 * weight * u


def hessian_of(loss: Callable[..., Tensor], outputs: Tensor | Sequence[Tensor]) -> Hessian:
    """H_L of any `loss(*outputs)`, a scalar: the gradient of (dL/dy . u), of a loss that is recorded once."""
    ys = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
    leaves = [tensor(y.data, requires_grad=True) for y in ys]
    first = grad(loss(*leaves), leaves, create_graph=True, allow_unused=True)

    def H_L(*us: Array) -> Any:
        pairs = [(g, Tensor(u)) for g, u in zip(first, us, strict=True) if g is not None and g.requires_grad]
        found: Sequence[Any] = [None] * len(leaves)
        if pairs:
            gs, vs = zip(*pairs, strict=True)
            found = grad(gs, leaves, vs, allow_unused=True)
        curved = [backend.zeros_like(u) if g is None else g.data for g, u in zip(found, us, strict=True)]
        return curved[0] if len(curved) == 1 else tuple(curved)

    return H_L


def flatten(arrays: Iterable[Any]) -> Array:
    """Arrays (or Tensors) in a row, as one vector (N,)."""
    flat = [(a.data if isinstance(a, Tensor) else a).reshape(-1) for a in arrays]
    return backend.xp(flat[0]).concatenate(flat)


def unflatten(vector: Array, like: Sequence[Tensor]) -> list[Array]:
    """The pieces of a vector (N,), in the shapes of `like`. Raises ValueError where their sizes do not add up to N."""
    total = sum(p.size for p in like)
    if vector.shape != (total,):
        raise ValueError(f"unflatten: the vector has shape {tuple(vector.shape)}, the {len(like)} parameters "
                         f"{total} numbers together: give ({total},)")  # fmt: skip
    pieces, start = [], 0
    for p in like:
        pieces.append(vector[start : start + p.size].reshape(p.shape))
        start += p.size
    return pieces
