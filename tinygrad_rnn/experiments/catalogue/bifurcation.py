"""The bifurcation: where a network of one unit ends, as its bias changes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...pictures.charts import curve_chart
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from .cliff import sigmoid


def folds(w: float) -> tuple[float, float]:
    """The two b between which x = w sigmoid(x) + b has three solutions: where w sigmoid'(x) = 1 as well, which is
    sigmoid(x) = (1 +- sqrt(1 - 4/w)) / 2. There are none for w <= 4."""
    root = math.sqrt(1 - 4 / w)
    found = [math.log(s / (1 - s)) - w * s for s in ((1 + root) / 2, (1 - root) / 2)]
    return min(found), max(found)


def settled(w: Any, b: Any, x: Any, steps: int = 20000) -> Any:
    """The state after many steps."""
    for _ in range(steps):
        new = w * sigmoid(x) + b
        if np.all(np.abs(new - x) < 1e-13):
            break
        x = new
    return x


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """For a random w: from low and from high starts, between which b does the network end in different states?"""
    w = 5.0 if seed % 1000 == 0 else float(np.random.default_rng(seed).uniform(4.5, 7.0))
    low, high = folds(w)
    room = 0.3 * (high - low)
    bs = np.linspace(low - room, high + room, size.points)
    below, above = (settled(w, bs, np.full(size.points, start)) for start in (-20.0, 20.0))
    two = np.abs(above - below) > 1e-3
    seen = float(bs[two][0]), float(bs[two][-1])
    spacing = bs[1] - bs[0]
    jump = float(np.abs(np.diff(below)).max() / np.median(np.abs(np.diff(below))))
    return {"score": max(abs(seen[0] - low), abs(seen[1] - high)) / spacing, "w": w, "folds": [low, high], "seen": seen,
            "bs": bs.round(5), "below": below.round(5), "above": above.round(5), "jump": jump,
            "one": int((~two).sum()), "two": int(two.sum())}  # fmt: skip


def figures(results: Results) -> dict[str, Any]:
    one: Outcome = results.seeds[0]["one unit"]
    w = one["w"]
    root = math.sqrt(1 - 4 / w)
    parts = {"ends low": (0.001, (1 - root) / 2), "never ends here": ((1 - root) / 2, (1 + root) / 2),
             "ends high": ((1 + root) / 2, 0.999)}  # fmt: skip
    curves = {}
    for name, (a, b) in parts.items():
        s = np.linspace(a, b, 400)
        x = np.log(s / (1 - s))
        bias = x - w * s
        shown = (bias >= one["bs"][0]) & (bias <= one["bs"][-1])
        curves[name] = (bias[shown], x[shown])
    about = f"w = {w:.2f}: two ends for b between {one['folds'][0]:.3f} and {one['folds'][1]:.3f}"
    return {"bifurcation": curve_chart(curves, "Where the state comes to rest", "bias b", "state x",
                                       about=about)}


EXPERIMENT = Experiment(
    title="The bifurcation: a little more of a weight, and another end",
    chapter="gradients",
    source="Pascanu, Mikolov & Bengio 2013, section 2.2 and figure 3",
    about="x_t = w sigmoid(x_{t-1}) + b runs to a fixed point. For some b there are two of them, and where these "
    "appear and vanish is known in closed form. Crossing that b, the end jumps, and the gradient through many steps "
    "explodes.",
    arms=(Arm("one unit"),),
    trial=trial,
    claims=(
        Claim("two ends appear and vanish where theory says (to 1.5 steps of b)",
              lambda seed: seed["one unit"]["score"] <= 1.5, "figure 3, for w = 5",
              lambda results: f"at most {max(results.of('one unit', 'score')):.1f} steps off"),
        Claim("there the end jumps (20 times its usual change)", lambda seed: seed["one unit"]["jump"] > 20,
              "figure 3", lambda results: f"{results.median('one unit', 'jump'):.0f} times (median)"),
    ),
    figures=figures,
    quick=Size(seeds=1, points=100),
    full=Size(seeds=10, points=400),
    seconds=5,
)  # fmt: skip
