"""Hessian-free optimization: a Newton-like step from products with the curvature alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from .. import backend
from ..autograd import grad
from ..backend import Array
from ..core import Tensor
from ..recording import no_grad
from .curvature import GaussNewton, Hessian, flatten, hessian_of, unflatten
from .krylov import Solution, conjugate_gradient
from .optimizer import Optimizer

STEP_SIZES = tuple(0.8**j for j in range(40))  # of the line search


class Run(NamedTuple):
    """One run of a model on some data: its `outputs`, the `loss` of outputs as a function (convex in them), and the
    hidden `states`, which structural damping keeps from moving."""

    outputs: Tensor
    loss: Callable[[Tensor], Tensor]
    states: Tensor | None = None


@dataclass(frozen=True)
class Report:
    """What a step of `HessianFree` did.

    `loss`: on the gradient's data, before and `after`; `ratio`: of the loss's reduction to what the quadratic foretold;
    `damping`: lambda after it; `cg_steps` taken, `chosen`: the iterate gone back to; `step_size`: of the line search, 0
    where nothing helped and the parameters stayed; `products` with the curvature, `runs` of the model forward.
    """

    loss: float
    after: float
    ratio: float
    damping: float
    cg_steps: int
    chosen: int
    step_size: float
    products: int
    runs: int

    def __str__(self) -> str:
        return (f"loss {self.loss:.5g} -> {self.after:.5g}, ratio {self.ratio:.2f}, lambda {self.damping:.3g}, CG "
                f"{self.chosen}/{self.cg_steps}, step {self.step_size:.2g}")  # fmt: skip


class HessianFree(Optimizer):
    """Minimises the loss's quadratic model, g'd + d'(G + lambda I) d / 2, by conjugate gradients, and moves along d
    (Martens 2010; for recurrent networks Martens & Sutskever 2011).

    G is the Gauss-Newton matrix, never formed. It divides out the curvature: directions with a tiny gradient but an
    even smaller curvature, such as those through a long time, are followed as far as they go.

    `step(model, data, curvature_data)` calls `model(data) -> Run`. The gradient is of all `data`; the many products
    with G are taken on `curvature_data`, which may be less (by default the same). Then

    - lambda (`damping`) is set by Levenberg and Marquardt's rule: * 3/2 where the loss fell by less than 1/4 of what
      the quadratic foretold, * 2/3 where by more than 3/4 (Martens 2010, section 4.1);
    - `structural` (mu) adds lambda mu times the Gauss-Newton matrix of the mean squared change of the hidden states:
      long memories are where a small change of weights changes the states most (Martens & Sutskever 2011, section 3.2);
    - conjugate gradients begin at `decay` times the last d, end by Martens' rule or after `cg_steps`, and d goes back
      to the earlier iterate with the least loss on the curvature's data (section 4.6);
    - a line search shortens the step until the loss falls; where it never does, the parameters stay.

    `state_dict` holds lambda and d. Raises ValueError for a negative setting, or where the loss is not finite.
    """

    hyperparameters = ("damping", "structural", "decay", "cg_steps")
    remembers = ("direction",)

    def __init__(self, params: Iterable[Tensor], damping: float = 0.1, structural: float = 0.0, decay: float = 0.95,
                 cg_steps: int = 100) -> None:  # fmt: skip
        self.damping, self.structural, self.decay, self.cg_steps = damping, structural, decay, cg_steps
        super().__init__(params, lr=1.0)

    def step(self, model: Callable[[Any], Run], data: Any, curvature_data: Any = None) -> Report:  # type: ignore[override]
        """One step; the parameters get new arrays. `.grad` is neither read nor written."""
        small = data if curvature_data is None else curvature_data
        start = flatten(self.params)
        counts = {"runs": 0}

        def loss_at(d: Array, of: Any) -> float:
            counts["runs"] += 1
            self._place(start + d)
            with no_grad():
                run = model(of)
                return run.loss(run.outputs).item()

        run = model(data)
        loss = run.loss(run.outputs)
        before = loss.item()
        if not math.isfinite(before):
            raise ValueError(f"HessianFree: the loss is {before} before the step: begin with smaller weights")
        found = grad(loss, self.params, allow_unused=True)
        g = flatten([backend.zeros_like(p.data) if d is None else d.data
                     for d, p in zip(found, self.params, strict=True)])  # fmt: skip
        curvature = self._curvature(model(small))
        counts["products"] = 0

        def product(v: Array) -> Array:
            counts["products"] += 1
            return curvature @ v + self.damping * v

        solution = conjugate_gradient(product, -g, self._last_direction(), self.cg_steps, progress=0.0005)
        try:
            at, d = self._best(solution, lambda d: loss_at(d, small))
            after = loss_at(d, data)
            foretold = solution.values[solution.kept[at]]
            ratio = (after - before) / foretold if foretold < 0 else -math.inf
            size, after = self._searched(d, g, before, after, lambda d: loss_at(d, data))
        except BaseException:
            self._place(start)
            raise
        self._place(start + size * d if size else start)
        if not ratio >= 0.25:  # NaN too
            self.damping *= 1.5
        elif ratio > 0.75:
            self.damping /= 1.5
        for memory, piece in zip(self.memories, unflatten(solution.x if size else 0 * d, self.params), strict=True):
            memory["direction"] = piece
        return Report(before, after, ratio, self.damping, solution.steps, solution.kept[at], size, counts["products"],
                      counts["runs"] + 2)  # fmt: skip

    def _curvature(self, run: Run) -> GaussNewton:
        H_L = hessian_of(run.loss, run.outputs)
        if not self.structural:
            return GaussNewton(run.outputs, self.params, H_L)
        if run.states is None:
            raise ValueError("HessianFree: structural damping holds the hidden states: let the model give "
                             "Run(outputs, loss, states)")  # fmt: skip
        weight = self.damping * self.structural * 2 / run.states.shape[1]  # summed over time, as a memory is
        both: Hessian = lambda u, s: (H_L(u), weight * s)  # noqa: E731
        return GaussNewton((run.outputs, run.states), self.params, both)

    def _last_direction(self) -> Array | None:
        if not self.memories[0]:
            return None
        return self.decay * flatten([memory["direction"] for memory in self.memories])

    def _best(self, solution: Solution, loss_at: Callable[[Array], float]) -> tuple[int, Array]:
        """From the last iterate back, as long as the loss falls."""
        at = len(solution.iterates) - 1
        least = loss_at(solution.iterates[at])
        while at > 1:
            earlier = loss_at(solution.iterates[at - 1])
            if earlier >= least:
                break
            at, least = at - 1, earlier
        return at, solution.iterates[at]

    def _searched(self, d: Array, g: Array, before: float, after: float,
                  loss_at: Callable[[Array], float]) -> tuple[float, float]:  # fmt: skip
        """The first step size whose loss is below the tangent's, by a hundredth of its slope (Armijo's rule)."""
        slope = min(float(g @ d), 0.0)
        for size in STEP_SIZES:
            loss = after if size == 1 else loss_at(size * d)
            if loss <= before + 0.01 * size * slope:
                return size, loss
        return 0.0, before

    def _place(self, theta: Array) -> None:
        for p, piece in zip(self.params, unflatten(theta, self.params), strict=True):
            p.data = piece
