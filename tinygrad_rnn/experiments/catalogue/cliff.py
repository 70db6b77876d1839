"""The cliff: the error of a recurrent network of one unit, and a step taken at its edge."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import ops, optim
from ...core import Tensor, tensor
from ...pictures.surface import surface_chart
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size

STEPS, TARGET, LIMIT, RATE = 50, 0.7, 0.1, 0.3
WS, BS = np.linspace(4.0, 5.9, 48), np.linspace(-3.2, -1.7, 40)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), of arrays, outside of any graph."""
    return 1 / (1 + np.exp(-x))


def error_at(w: Any, b: Any, steps: int = STEPS) -> Any:
    """E = (sigmoid(x_50) - 0.7)^2 with x_t = w sigmoid(x_{t-1}) + b, x_0 = 0.5, in NumPy."""
    x: Any = 0.5
    for _ in range(steps):
        x = w * sigmoid(x) + b
    return (sigmoid(x) - TARGET) ** 2


def recorded(w: Tensor, b: Tensor) -> Tensor:
    """The same, recorded, for its gradient."""
    x: Any = tensor(0.5, dtype=np.float64)
    for _ in range(STEPS):
        x = w * ops.sigmoid(x) + b
    return (ops.sigmoid(x) - TARGET) ** 2


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Begin at a random place of the plain and go down to where the error is least, which is the foot of the cliff."""
    rng = np.random.default_rng(seed)
    w = float(rng.uniform(4.7, 5.5))
    b = _edge(w) + float(rng.uniform(0.1, 0.4))
    parameters = [tensor(np.array(value), requires_grad=True, dtype=np.float64) for value in (w, b)]
    path, norms, errors = [(w, b)], [], []
    optimizer = optim.SGD(parameters, RATE)
    for _ in range(size.updates):
        optimizer.zero_grad()
        loss = recorded(*parameters)
        loss.backward()
        errors.append(loss.item())
        norms.append(optim.clip_grad_norm(parameters, LIMIT if arm.settings["clip"] else math.inf))
        optimizer.step()
        path.append((parameters[0].item(), parameters[1].item()))
    jump = max(math.dist(a, c) for a, c in itertools.pairwise(path))
    return {"score": errors[-1], "error": float(np.median(errors[-20:])), "jump": jump, "unclipped": RATE * max(norms),
            "path": path}  # fmt: skip


def _edge(w: float) -> float:
    """The b at which the network, started at 0.5, changes over from the lower to the upper state, by bisection."""
    low, high = -4.0, -1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if error_at(w, middle, 2000) > 0.2 else (low, middle)
    return high


def figures(results: Results) -> dict[str, Any]:
    surface = np.array([[error_at(w, b) for w in WS] for b in BS])
    paths = {arm: [(w, b) for w, b in results.of(arm, "path")[0]] for arm in results.rates}
    return {"cliff": surface_chart(surface, WS, BS, "The cliff, and steps taken at it, first seed", "w", "b",
                                   "error after 50 steps", paths)}  # fmt: skip


def _median(arm: str, key: str, word: str) -> Callable[[Results], str]:
    return lambda results: f"{word} {results.median(arm, key):.2g} (median)"


EXPERIMENT = Experiment(
    title="The cliff: what clipping is for",
    chapter="gradients",
    source="Pascanu, Mikolov & Bengio 2013, figure 6 and section 3.2",
    about="One sigmoid unit, x_t = w sigmoid(x_{t-1}) + b, is to end at 0.7 after 50 steps. Its error is a plateau, a "
    "cliff and a plain, and the least of it lies at the cliff's foot. There the gradient explodes: one step throws the "
    "weights far away. Clipped to the norm 0.1, the same steps walk along the foot.",
    arms=(Arm("clipped", settings={"clip": True}), Arm("unclipped", settings={"clip": False})),
    trial=trial,
    claims=(
        Claim("clipped, it walks along the foot of the cliff (error below 0.02)",
              lambda seed: seed["clipped"]["error"] < 0.02, "figure 6: follows the foot of the cliff",
              _median("clipped", "error", "error")),
        Claim("on this walk an unclipped step would have been longer than 1",
              lambda seed: seed["clipped"]["unclipped"] > 1, "figure 6: thrown far away",
              _median("clipped", "unclipped", "longest")),
        Claim("unclipped, it is thrown farther than 1 on its own way", lambda seed: seed["unclipped"]["jump"] > 1,
              "no figure: it depends on where it comes to the cliff", _median("unclipped", "jump", "longest step")),
        Claim("no clipped step is longer than rate times threshold",
              lambda seed: seed["clipped"]["jump"] <= RATE * LIMIT * (1 + 1e-9), "by definition",
              _median("clipped", "jump", "longest step")),
    ),
    figures=figures,
    quick=Size(seeds=1, updates=20),
    full=Size(seeds=10, updates=150),
    seconds=6,
)  # fmt: skip
