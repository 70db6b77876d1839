"""Products that sum over an index: matmul and einsum."""

from __future__ import annotations

from typing import Any

from ..backend import xp
from ..core import primitive
from .shape import broadcast_to, expand_dims, transpose


@primitive
def matmul(x: Any, y: Any) -> Any:
    """x @ y as in NumPy: vectors, matrices, or stacks of matrices that broadcast."""
    return x @ y


@matmul.vjp(0)
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    if y.ndim == 2 and x.ndim > 1:
        return g @ y.T
    if y.ndim == 1:
        return g * y if x.ndim == 1 else expand_dims(g, -1) * y
    return expand_dims(g, -2) @ _flip(y) if x.ndim == 1 else g @ _flip(y)


@matmul.vjp(1)
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    if x.ndim == 2 and y.ndim == 2:
        return x.T @ g
    if x.ndim == 1:
        return g * x if y.ndim == 1 else expand_dims(x, -1) * expand_dims(g, -2)
    return _sum_rows(_flip(x) @ expand_dims(g, -1)) if y.ndim == 1 else _flip(x) @ g


def _flip(x: Any) -> Any:
    """The transpose of each matrix in a stack."""
    return transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _sum_rows(x: Any) -> Any:
    return x[..., 0]


def einsum(spec: str, *operands: Any) -> Any:
    """Einstein's summation, e.g. `einsum("bi,ij->bj", x, W)`.

    Takes the forms with an explicit `->`, one letter an axis, no letter twice in one operand, and no `...`; others raise
    ValueError.
    """
    inputs, arrow, output = spec.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if not arrow or "." in spec or any(len(set(t)) < len(t) for t in (*terms, output)) or len(terms) != len(operands):
        raise ValueError(f"einsum: {spec!r} for {len(operands)} operands: write one term an operand and an explicit ->, one "
                         'letter an axis, none twice in a term, no "..."')  # fmt: skip
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
