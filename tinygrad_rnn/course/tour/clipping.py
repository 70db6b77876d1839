"""Clipping: a wall in the simplest recurrent network, and a task that plain gradient descent learns only with it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import nn, ops, optim
from ...autograd import grad
from ...core import Tensor, tensor
from ...pictures.charts import curve_chart
from ..render.blocks import Part, Picture, Prose, Table
from . import remarks
from .clock import Clock

STEPS, TARGET, BIAS = 50, 0.7, -2.3  # of the wall: E = (sigmoid(x_50) - 0.7)^2, along one line of weights w
DESCENT_RATE, DESCENT_CLIP, DESCENT_STEPS, DESCENT_START = 0.3, 0.2, 100, 5.2
LENGTH, HIDDEN, BATCH, RATE, CLIP, RADIUS, UPDATES = 20, 30, 20, 0.3, 1.0, 1.2, 800
RUNS = 3  # with other weights each: one could be luck
CHANCE = 0.75  # of being wrong, with four classes
Report = Callable[[str], None]


def clipping_part(seed: int, seconds: float, device: str, report: Report) -> Part:
    """The part on exploding gradients: the wall in one dimension, then temporal order with and without clipping."""
    part = Part("clipping", "When the gradient explodes: clipping")
    wall = _wall()
    runs = _runs(seed, seconds, device)
    report(
        f"temporal order, {RUNS} networks with clipping and without: {min(len(r['losses']) for r in runs)} updates each"
    )
    part.numbers = {
        "wall": wall,
        "order": {
            "seed": seed,
            "length": LENGTH,
            "hidden_size": HIDDEN,
            "batch_size": BATCH,
            "learning_rate": RATE,
            "clip": CLIP,
            "chance": CHANCE,
            "runs": [{k: v for k, v in run.items() if k != "losses"} for run in runs],
        },
    }
    part.summary = remarks.clipping_summary(runs)
    part.blocks = [
        Prose(remarks.WALL_INTRODUCTION),
        *_wall_pictures(wall),
        Prose(remarks.ORDER_INTRODUCTION),
        *_order_pictures(runs),
    ]
    return part


# The wall


def error(w: Tensor, b: float) -> Tensor:
    """E(w) of x_t = w sigmoid(x_{t-1}) + b, x_0 = 0.5, elementwise (Pascanu, Mikolov & Bengio 2013, section 2.3)."""
    x: Any = 0.5
    for _ in range(STEPS):
        x = w * ops.sigmoid(x) + b
    E: Tensor = (ops.sigmoid(x) - TARGET) ** 2
    return E


def slope(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """E and dE/dw for each of the weights w."""
    leaf = tensor(np.asarray(w, float), requires_grad=True)
    E = error(leaf, BIAS)
    return E.numpy(), grad(E.sum(), leaf)[0].numpy()


def _descend(clip: float | None) -> dict[str, Any]:
    w = np.array([DESCENT_START])
    path, errors, norms = [], [], []
    for _ in range(DESCENT_STEPS + 1):
        E, g = slope(w)
        norm = abs(float(g[0]))
        path.append(float(w[0]))
        errors.append(float(E[0]))
        norms.append(norm)
        w = w - DESCENT_RATE * g * (1 if clip is None else min(1.0, clip / norm if norm else 1.0))
    return {"w": path, "error": errors, "norm": norms}


def _wall() -> dict[str, Any]:
    w = np.linspace(4.0, 5.5, 601)
    E, g = slope(w)
    return {
        "bias": BIAS,
        "steps": STEPS,
        "target": TARGET,
        "w": w,
        "error": E,
        "slope": np.abs(g),
        "learning_rate": DESCENT_RATE,
        "clip": DESCENT_CLIP,
        "plain": _descend(None),
        "clipped": _descend(DESCENT_CLIP),
    }


def _wall_pictures(wall: dict[str, Any]) -> list[Picture]:
    steps = np.arange(DESCENT_STEPS + 1)
    both = {
        "without clipping": (steps, wall["plain"]["w"]),
        f"clipped at {DESCENT_CLIP:g}": (steps, wall["clipped"]["w"]),
    }
    return [
        Picture(
            "wall",
            curve_chart(
                {"error E": (wall["w"], wall["error"]), "slope |dE/dw|": (wall["w"], wall["slope"])},
                "A wall in the error",
                "weight w",
                "E and its slope",
                True,
                about="",
            ),
            remarks.wall(wall),
        ),
        Picture(
            "wall_descent",
            curve_chart(both, "Gradient descent meets the wall", "update", "weight w", about=""),
            remarks.descent(wall),
        ),
    ]


# The temporal order problem


def temporal_order(rng: np.random.Generator, length: int, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Sequences x (length, batch, 6) of one-hot letters: two of them, early and in the middle, are A or B, all others
    c to f; the class (batch,) says which two in which order (Hochreiter & Schmidhuber 1997, section 5.6)."""
    letters, rows = rng.integers(2, 6, (length, batch)), np.arange(batch)
    first, second = rng.integers(0, 2, (2, batch))
    letters[rng.integers(length // 10, length // 5 + 1, batch), rows] = first
    letters[rng.integers(2 * length // 5, length // 2 + 1, batch), rows] = second
    return np.eye(6, dtype=np.float32)[letters], 2 * first + second


def _runs(seed: int, seconds: float, device: str) -> list[dict[str, Any]]:
    return [order_run(seed + i, clip, seconds / (2 * RUNS), device) for i in range(RUNS) for clip in (None, CLIP)]


def order_run(seed: int, clip: float | None, seconds: float, device: str) -> dict[str, Any]:
    """Plain gradient descent on the task: what each update's gradient measured and how often the answer was wrong."""
    rng = np.random.default_rng(seed)
    layer, head = nn.RNN(6, HIDDEN, rng=rng), nn.Linear(HIDDEN, 4, rng=rng)
    cell = layer.layers[0].forward
    cell.W_hh.data = init_recurrent(rng)
    cell.W_xh.data = nn.init.normal((6, HIDDEN), rng, 0.5)
    parameters = layer.to(device).parameters() + head.to(device).parameters()
    optimizer, data = optim.SGD(parameters, lr=RATE), np.random.default_rng(seed + 100)
    norms: list[float] = []
    losses: list[float] = []
    wrong: list[float] = []
    clock = Clock(seconds)
    while clock and len(losses) < UPDATES:
        x, y = temporal_order(data, LENGTH, BATCH)
        optimizer.zero_grad()
        outputs, _ = layer(tensor(x, device=device))
        logits = head(outputs[-1])
        loss = ops.cross_entropy(logits, y)
        loss.backward()
        norms.append(optim.clip_grad_norm(parameters, math.inf if clip is None else clip))
        optimizer.step()
        losses.append(loss.item())
        wrong.append(float((logits.numpy().argmax(axis=1) != y).mean()))
    tail = max(1, len(wrong) // 6)
    return {
        "seed": seed,
        "clip": clip,
        "updates": len(losses),
        "largest_norm": max(norms),
        "losses": losses,
        "median_norm": float(np.median(norms)),
        "wrong": float(np.mean(wrong[-tail:])),
        "over_threshold": float(np.mean(np.array(norms) > CLIP)),
        "norms": norms,
        "wrong_by_update": wrong,
    }


def init_recurrent(rng: np.random.Generator) -> np.ndarray:
    """Sparse, with a spectral radius above 1: it remembers from the start, and its gradient may explode."""
    return nn.init.spectral_radius(nn.init.sparse((HIDDEN, HIDDEN), rng), RADIUS)


def stretches(
    values: list[float], of: Callable[[list[float]], Any], points: int = 40
) -> tuple[list[float], list[float]]:
    """One number for each stretch of updates: (update in its middle, what `of` makes of its values)."""
    parts = np.array_split(np.arange(len(values)), min(points, len(values)))
    return [float(p.mean() + 1) for p in parts], [float(of([values[i] for i in p])) for p in parts]


def _order_pictures(runs: list[dict[str, Any]]) -> list[Picture | Table]:
    plain, clipped = runs[:2]
    names = {"without clipping": plain, f"clipped at {CLIP:g}": clipped}
    norms = {name: stretches(run["norms"], max) for name, run in names.items()}
    wrong = {name: stretches(run["wrong_by_update"], np.mean) for name, run in names.items()}
    rows = [
        (
            f"weights {run['seed']}, {'clipped' if run['clip'] else 'not clipped'}",
            f"{run['updates']}",
            f"{run['median_norm']:.2f}",
            f"{run['largest_norm']:.1f}",
            f"{run['wrong']:.0%}",
        )
        for run in runs
    ]
    return [
        Picture(
            "order_wrong",
            curve_chart(wrong, "Temporal order: how often it is wrong", "update", "share of wrong answers", about=""),
            remarks.order(runs),
        ),
        Picture(
            "order_norms",
            curve_chart(
                norms, "Temporal order: the largest gradients", "update", "largest norm of each stretch", True, about=""
            ),
            remarks.order_norms(plain, clipped),
        ),
        Table(("network", "updates", "median norm", "largest norm", "wrong at the end"), rows),
    ]
