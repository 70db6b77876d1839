"""Products that sum over an index: matmul and einsum."""

from __future__ import annotations

import math
from typing import Any

from ..backend import xp
from ..fusion import twin
from ..primitives import primitive
from .placement import as_arrays
from .reduction import sum_to
from .shape import broadcast_to, expand_dims, reshape, squeeze, transpose


@primitive
def matmul(x: Any, y: Any) -> Any:
    """x @ y as in NumPy: vectors, matrices, or stacks of matrices that broadcast."""
    if x.__class__ is y.__class__ and x.ndim == y.ndim == 2:
        return x.dot(y)  # the same product; for a lesson's small matrices NumPy's dot takes two thirds of the time
    if x.ndim > 2 and y.ndim == 2:  # all rows of all stacks in one product, rather than one product a stack
        return _rows(x).dot(y).reshape(*x.shape[:-1], y.shape[1])
    return x @ y


@matmul.vjp(0)
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    if y.ndim == 2 and x.ndim > 1:
        return g.dot(y.T) if x.ndim == 2 else matmul(g, y.T)
    if y.ndim == 1:  # each row of x meets the one vector
        return expand_dims(g, -1) * y
    if x.ndim == 1:
        return squeeze(expand_dims(g, -2) @ _flip(y), -2)
    return g @ _flip(y)


@matmul.vjp(1)
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    if x.ndim == y.ndim == 2:
        return x.T.dot(g)
    if y.ndim == 1:
        return expand_dims(g, -1) * x
    if x.ndim == 1:
        return expand_dims(x, -1) * expand_dims(g, -2)
    if y.ndim == 2 and x.ndim > 2:  # all samples of all stacks at once, rather than one product a stack and their sum
        return _rows(x).T @ _rows(g)
    return _flip(x) @ g


@primitive
def affine(x: Any, W: Any, b: Any) -> Any:
    """x @ W + b for x (..., D), W (D, C) and b (C,): the rows of a whole sequence at once, in one array."""
    y = _rows(x).dot(W)
    y += b
    return y.reshape(*x.shape[:-1], W.shape[1])


@affine.joint_vjp
def _(needed: Any, g: Any, y: Any, x: Any, W: Any, b: Any) -> Any:
    rows = _rows(g)
    dx = reshape(rows.dot(W.T), x.shape) if needed[0] else None
    return dx, _rows(x).T.dot(rows) if needed[1] else None, sum_to(rows, b.shape) if needed[2] else None


@twin(affine, told=False)
def _(x: Any, W: Any, b: Any) -> Any:
    return x @ W + b


def _flip(x: Any) -> Any:
    """The transpose of each matrix in a stack."""
    return transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _rows(x: Any) -> Any:
    """A stack of matrices as one tall matrix."""
    return reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def einsum(spec: str, *operands: Any) -> Any:
    """Einstein's summation, e.g. `einsum("bi,ij->bj", x, W)`.

    Takes the forms with an explicit `->`, one letter an axis, no letter twice in one operand, and no `...`; others
    raise ValueError, and so do sizes that differ along one letter.
    """
    inputs, arrow, output = spec.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if not arrow or "." in spec or any(len(set(t)) < len(t) for t in (*terms, output)) or len(terms) != len(operands):
        raise ValueError(f"einsum: {spec!r} for {len(operands)} operands: one term an operand and an explicit ->, "
                         'one letter an axis, none twice in a term, no "..."')  # fmt: skip
    operands = tuple(as_arrays(operands))
    for letter in set("".join(terms)):
        sizes = {n for term, x in zip(terms, operands, strict=True)
                 for axis, n in zip(term, x.shape, strict=False) if axis == letter}  # fmt: skip
        if len(sizes) > 1:
            raise ValueError(f"einsum: {spec!r}: axis {letter} has sizes {' and '.join(map(str, sorted(sizes)))}")
    return _einsum(*operands, spec=f"{inputs}->{output}")


@primitive
def _einsum(*operands: Any, spec: str) -> Any:
    return xp(operands[0]).einsum(spec, *operands)


@_einsum.joint_vjp
def _(needed: Any, g: Any, y: Any, *operands: Any, spec: str) -> Any:
    """The gradient of one operand is the einsum of g with all the others, spread along the letters that only it has."""
    inputs, output = spec.split("->")
    terms = inputs.split(",")
    gradients: list[Any] = []
    for i, (term, operand) in enumerate(zip(terms, operands, strict=True)):
        if not needed[i]:
            gradients.append(None)
            continue
        others = [t for j, t in enumerate(terms) if j != i]
        here = "".join(c for c in term if c in output or any(c in t for t in others))
        c = einsum(",".join([output, *others]) + "->" + here, g, *(x for j, x in enumerate(operands) if j != i))
        for axis, letter in enumerate(term):
            if letter not in here:
                c = expand_dims(c, axis)
        gradients.append(c if here == term else broadcast_to(c, operand.shape))
    return gradients
