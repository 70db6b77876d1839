"""Nesterov's accelerated gradient is classical momentum with a smaller momentum where the curvature is large."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import optim
from ...core import tensor
from ...ops import sum as total
from ...optim import momentum_path
from ...pictures.charts import curve_chart
from ...pictures.surface import surface_chart
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size

VALLEY = np.array([1.0, 12.0])  # curvatures of the picture's valley, along and across
START, MU, LR = np.array([-2.0, 0.9]), 0.9, 0.06


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """A random quadratic w'Aw/2 - b'w, a random momentum and learning rate: the path of Nesterov's method against the
    theorem's, direction by direction; against `SGD(nesterov=True)`; and the overshoot of both kinds of momentum."""
    rng = np.random.default_rng(seed)
    vectors, _ = np.linalg.qr(rng.standard_normal((size.n, size.n)))
    values, b = rng.uniform(0.01, 1.0, size.n), rng.standard_normal(size.n)
    A, start = (vectors * values) @ vectors.T, 10 * rng.standard_normal(size.n)
    mu, lr = float(rng.uniform(0.5, 0.99)), float(rng.uniform(0.1, 1.0))
    path = np.stack(momentum_path(lambda w: A @ w - b, start, size.steps, lr, mu, nesterov=True))
    along = path @ vectors
    scale, error = np.abs(path).max(), 0.0
    for i, value in enumerate(values):
        classical = momentum_path(_slope(value, vectors[:, i] @ b), vectors[:, i] @ start, size.steps, lr,
                                  mu * (1 - lr * value))  # fmt: skip
        error = max(error, float(np.abs(along[:, i] - classical).max() / scale))
    return {"score": error, "error": error, "sgd": _by_sgd(A, b, start, path, lr, mu) / scale,
            "swing": _swings(A, b, start, size.steps)}  # fmt: skip


def _slope(value: float, b: float) -> Callable[[float], float]:
    return lambda w: value * w - b


def _by_sgd(A: np.ndarray, b: np.ndarray, start: np.ndarray, path: np.ndarray, lr: float, mu: float) -> float:
    """How far `SGD(nesterov=True)` is from where this path looks ahead to."""
    w = tensor(start, requires_grad=True)
    optimizer = optim.SGD(w, lr, momentum=mu, nesterov=True)
    far = 0.0
    for i in range(1, len(path)):
        optimizer.zero_grad()
        (total((w @ A) * w) / 2 - total(w * b)).backward()
        optimizer.step()
        far = max(far, float(np.abs(w.numpy() - path[i] - mu * (path[i] - path[i - 1])).max()))
    return far


def _swings(A: np.ndarray, b: np.ndarray, start: np.ndarray, steps: int) -> dict[str, float]:
    """How far each kind strays from the bottom along the steepest direction, in sum, in units of where it began, with
    mu 0.95 and a rate of half the reciprocal curvature."""
    values, vectors = np.linalg.eigh(A)
    lr = 0.5 / values[-1]
    counts = {}
    for name, nesterov in (("classical", False), ("Nesterov", True)):
        away = (np.stack(momentum_path(lambda w: A @ w - b, start, steps, lr, 0.95, nesterov))
                - np.linalg.solve(A, b)) @ vectors[:, -1]  # fmt: skip
        counts[name] = float(np.abs(away).sum() / np.abs(away[0]))
    return counts


def figures(results: Results) -> dict[str, Any]:
    xs, ys = np.linspace(-2.2, 1.4, 48), np.linspace(-1.1, 1.1, 40)
    height = (VALLEY[0] * xs[None] ** 2 + VALLEY[1] * ys[:, None] ** 2) / 2
    paths = {name: momentum_path(lambda w: VALLEY * w, START, 30, LR, MU, nesterov)
             for name, nesterov in (("classical", False), ("Nesterov", True))}  # fmt: skip
    across = {name: (np.arange(31), [w[1] for w in path]) for name, path in paths.items()}
    roads = {name: [(float(w[0]), float(w[1])) for w in path] for name, path in paths.items()}
    return {
        "valley": surface_chart(np.sqrt(height), xs, ys, "Down a valley, momentum 0.9", "along the valley", "across it",
                                "square root of the height", roads, ""),
        "across": curve_chart(across, "Across the valley: classical momentum swings", "step", "place across", about=""),
    }  # fmt: skip


EXPERIMENT = Experiment(
    title="Nesterov's momentum is classical momentum, smaller where it is steep",
    chapter="learning",
    source="Sutskever, Martens, Dahl & Hinton 2013, theorem 2.1 and figure 1",
    about="On a quadratic, Nesterov's accelerated gradient is classical momentum with mu (1 - lr lambda) in place of "
    "mu, along each direction of curvature lambda. Random quadratics, momenta and rates; the path of the one is "
    "compared, step by step, with the other's. In the picture both go down a valley: the classical one swings across.",
    arms=(Arm("random quadratics"),),
    trial=trial,
    claims=(
        Claim("the two paths are the same to 1e-12", lambda seed: seed["random quadratics"]["error"] < 1e-12,
              "a theorem", lambda results: f"largest difference {max(results.of('random quadratics', 'error')):.1e}"),
        Claim("SGD(nesterov=True) stands where this form looks ahead to, to 1e-12",
              lambda seed: seed["random quadratics"]["sgd"] < 1e-12, "a change of variables",
              lambda results: f"largest difference {max(results.of('random quadratics', 'sgd')):.1e}"),
        Claim("in the steepest direction Nesterov's strays less than half as far",
              lambda seed: seed["random quadratics"]["swing"]["Nesterov"]
              < 0.5 * seed["random quadratics"]["swing"]["classical"],
              "figure 1: hardly any oscillation",
              lambda results: "sum of distances, in units of the first: "
              f"{np.median([s['Nesterov'] for s in results.of('random quadratics', 'swing')]):.1f} against "
              f"{np.median([s['classical'] for s in results.of('random quadratics', 'swing')]):.1f}"),
    ),
    figures=figures,
    quick=Size(seeds=1, n=5, steps=50),
    full=Size(seeds=20, n=20, steps=200),
    seconds=2,
)  # fmt: skip
