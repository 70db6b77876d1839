"""Derivatives found without the engine, against the engine's: central differences and the complex step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from . import backend, core, ops
from .autograd import grad
from .core import Tensor, tensor
from .recording import enable_grad, glance, no_grad, state


def gradcheck(f: Callable[..., Any], inputs: Any, order: int = 1, method: str = "central",
              tolerance: float | None = None, sample: int | None = None, seed: int = 0) -> bool:  # fmt: skip
    """True if the engine's gradient of f agrees with one found from values of f alone; else AssertionError, which names
    the input, the entry and both values.

    `inputs`: a Tensor or array, or a sequence of them, taken in float64; arrays of integers or bool (indices, masks)
    are given to f as they are and not differentiated. f gives one Tensor of any shape (its entries are weighted by
    fixed random numbers and summed) or several. `order=2` also checks the gradient of the gradient.
    `method`: "central" differences (error about 1e-9 of the value), or "complex" for the step f(x + ih), exact to
    rounding, which refuses by name operations that are not analytic. `tolerance` is relative to the larger of 1 and the
    value: 1e-6 for central, 1e-12 for complex. All entries are checked unless `sample` says how many of each input.

    >>> gradcheck(lambda x: x * x, [3.0])
    True
    """
    if method not in ("central", "complex"):
        raise ValueError(f'gradcheck: method is "central" or "complex", not {method!r}')
    if order not in (1, 2):
        raise ValueError(f"gradcheck: order is 1 or 2, not {order!r}")
    given = list(inputs) if isinstance(inputs, (tuple, list)) else [inputs]
    moving = [i for i, x in enumerate(given) if getattr(x, "dtype", np.dtype(float)).kind not in "iub"]
    if not moving:
        raise ValueError("gradcheck: none of the inputs is of floats, so there is nothing to differentiate")
    f = _of_some(f, given, moving)
    arrays = [np.asarray(backend.to_numpy(core.raw(given[i]))) for i in moving]
    arrays = [a if a.dtype.kind == "c" else a.astype(np.float64) for a in arrays]
    devices = [backend.of(core.raw(given[i])).device for i in moving]
    names = [getattr(given[i], "name", None) or f"input {i}" for i in moving]
    if tolerance is None:
        tolerance = 1e-6 if method == "central" else 1e-12
    rng = np.random.default_rng(seed)
    check = _Check(arrays, devices, names, method, tolerance, sample, rng)
    check.run(_weighted(f, rng), "gradient")
    if order == 2:
        check.run(_gradient_of(_weighted(f, np.random.default_rng(seed)), arrays, rng), "second-order gradient")
    return True


def _of_some(f: Callable[..., Any], given: list[Any], moving: list[int]) -> Callable[..., Any]:
    """f as a function of the inputs numbered `moving`; the others are as given."""

    def of_some(*xs: Tensor) -> Any:
        arguments = list(given)
        for i, x in zip(moving, xs, strict=True):
            arguments[i] = x
        return f(*arguments)

    return of_some


class _Check:
    """One set of inputs, and how to compare."""

    def __init__(self, arrays: list[np.ndarray], devices: list[str], names: list[str], method: str, tolerance: float,
                 sample: int | None, rng: np.random.Generator) -> None:  # fmt: skip
        self.arrays, self.devices, self.names = arrays, devices, names
        self.method, self.tolerance, self.sample, self.rng = method, tolerance, sample, rng
        self.how = "central differences" if method == "central" else "the complex step"

    def run(self, scalar: Callable[..., Tensor], what: str) -> None:
        with enable_grad(), glance() as tr:
            leaves = [tensor(a, requires_grad=True, device=d) for a, d in zip(self.arrays, self.devices, strict=True)]
            y = scalar(*leaves)
        if self.method == "complex" and (bad := sorted({n.op.name for n in tr.nodes if not n.op.analytic})):
            raise ValueError(f'gradcheck: {", ".join(bad)} is not analytic, so the complex step is wrong there: '
                             'use method="central"')  # fmt: skip
        engine = grad(y, leaves, allow_unused=True) if y.requires_grad else [None] * len(leaves)
        for i, (a, g) in enumerate(zip(self.arrays, engine, strict=True)):
            got = np.zeros_like(a) if g is None else backend.to_numpy(g.data)
            for entry in self._entries(a):
                expected = self._slope(scalar, i, entry)
                error = np.abs(got[entry] - expected)
                if not error <= self.tolerance * max(1.0, abs(expected), abs(got[entry])):
                    where = f"[{', '.join(map(str, entry))}]" if entry else ""
                    raise AssertionError(f"gradcheck: the {what} for {self.names[i]}{where} is {got[entry]:.10g} by "
                                         f"the engine and {expected:.10g} by {self.how} (error {error:.2g})")

    def _entries(self, a: np.ndarray) -> Iterator[tuple[int, ...]]:
        numbers: Sequence[int] = range(a.size)
        if self.sample is not None and self.sample < a.size:
            numbers = sorted(self.rng.choice(a.size, self.sample, replace=False).tolist())
        return (tuple(int(k) for k in np.unravel_index(n, a.shape)) for n in numbers)

    def _slope(self, scalar: Callable[..., Tensor], i: int, entry: tuple[int, ...]) -> float:
        """The derivative for one entry of input i, from values of the function."""
        if self.method == "complex":
            h = 1e-30
            return self._value(scalar, i, entry, 1j * h).imag / h
        h = 6e-6 * max(1.0, abs(self.arrays[i][entry]))
        return (self._value(scalar, i, entry, h) - self._value(scalar, i, entry, -h)).real / (2 * h)

    def _value(self, scalar: Callable[..., Tensor], i: int, entry: tuple[int, ...], h: complex) -> complex:
        moved = [a.astype(np.complex128) if self.method == "complex" else a for a in self.arrays]
        moved[i] = moved[i].copy()
        moved[i][entry] += h
        with no_grad():
            y = scalar(*(tensor(a, requires_grad=True, device=d) for a, d in zip(moved, self.devices, strict=True)))
        return complex(y.item())


def _weighted(f: Callable[..., Any], rng: np.random.Generator) -> Callable[..., Tensor]:
    """f as one number: its outputs' entries, each times a fixed random weight, summed."""
    weights: list[np.ndarray] = []

    def scalar(*xs: Tensor) -> Tensor:
        y = f(*xs)
        ys = [part for part in (y if isinstance(y, (tuple, list)) else (y,)) if part is not None]
        if not weights:
            weights.extend(rng.uniform(0.5, 1.5, part.shape) for part in ys)
        parts = [ops.sum(part * backend.to_device(w, part.device)) for part, w in zip(ys, weights, strict=True)]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    return scalar


def _gradient_of(scalar: Callable[..., Tensor], arrays: list[np.ndarray],
                 rng: np.random.Generator) -> Callable[..., Tensor]:  # fmt: skip
    """The gradient of `scalar`, by the engine, as one number: recorded where that is on, else by the rules on arrays,
    so that what a rule loses when it is recorded shows as a difference between the two."""
    weights = [rng.uniform(0.5, 1.5, a.shape) for a in arrays]

    def second(*xs: Tensor) -> Tensor:
        recorded = state.get().on
        with enable_grad():
            y = scalar(*xs)
            gradients = grad(y, xs, create_graph=recorded, allow_unused=True) if y.requires_grad else [None] * len(xs)
        total: Any = ops.sum(xs[0] * 0.0)
        for g, w in zip(gradients, weights, strict=True):
            if g is not None:
                total = total + ops.sum(g * backend.to_device(w, g.device))
        return total

    return second
