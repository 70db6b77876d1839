"""Latching one bit: the basin of an attractor, and how seldom gradient descent finds it through a long time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import nn, optim
from ...data import latch
from ...ops import mse_loss
from ...pictures.charts import curve_chart
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size

INFORMATIVE = 3


def threshold(w: float) -> float:
    """h*: the largest constant input under which a_t = w tanh(a_{t-1}) + h, w > 1, keeps both its attractors: there the
    unstable fixed point meets one of the stable ones, w (1 - tanh^2 a) = 1."""
    x = math.sqrt(1 - 1 / w)
    return w * x - math.atanh(x)


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """The basin of a unit of random w: does the bit survive inputs just below h*, and just above? Then learning: of
    `size.runs` units, each with a w of its own, how many latch the bit through T steps of noise?"""
    rng = np.random.default_rng(seed)
    w = float(rng.uniform(1.2, 3.0))
    limit, a = threshold(w), math.atanh(math.sqrt(1 - 1 / w)) + 1.0
    ends = {}
    for name, h in (("below", -0.99 * limit), ("above", -1.01 * limit)):
        state = a
        for _ in range(5000):
            state = w * math.tanh(state) + h
        ends[name] = state
    latched = {str(T): [_learned(rng, T, size) for _ in range(size.runs)] for T in size.lengths}
    rates = {T: float(np.mean(found)) for T, found in latched.items()}
    return {"score": 1 - rates[str(size.lengths[0])], "w": w, "limit": limit, "ends": ends, "latched": rates}


def _learned(rng: np.random.Generator, T: int, size: Size) -> bool:
    """Gradient descent on the inputs of the first steps, and on w, from a random w: right in 95 of 100 sequences?"""
    layer = nn.RNN(1 + 2 * INFORMATIVE, 1, rng=rng)
    cell = layer.layers[0].forward
    cell.W_hh.data = np.array([[rng.uniform(0.5, 2.0)]], np.float32)
    start = 0.1 * rng.standard_normal(cell.W_xh.shape)
    start[0] = 1.0  # the noise comes in as it is
    cell.W_xh.data = start.astype(np.float32)
    optimizer = optim.SGD([cell.W_xh, cell.W_hh], lr=size.rate)
    for _ in range(size.updates):
        x, y = latch(rng, T, 18, INFORMATIVE, size.noise)
        optimizer.zero_grad()
        (0.5 * mse_loss(layer(x)[0][-1], y)).backward()
        grad = cell.W_xh.grad
        assert grad is not None
        grad.data[0] = 0  # nor is it for the network to make the noise smaller
        optimizer.step()
    x, y = latch(rng, T, 100, INFORMATIVE, size.noise)
    return bool((np.sign(layer(x)[0].numpy()[-1]) == np.sign(y)).mean() >= 0.95)


def figures(results: Results) -> dict[str, Any]:
    ws = np.linspace(1.01, 3, 60)
    lengths = list(results.size.lengths)
    share = [np.mean([found[str(T)] for found in results.of("one unit", "latched")]) for T in lengths]
    a = np.linspace(-3, 3, 121)
    return {
        "threshold": curve_chart({"h*": (ws, [threshold(float(w)) for w in ws])},
                                 "The largest input that cannot flip the bit", "w", "h", about=""),
        "fixed-points": curve_chart({"tanh(a)": (a, np.tanh(a)), "a / w, w = 2": (a[20:101], a[20:101] / 2),
                                     "a / w, w = 0.9": (a[33:88], a[33:88] / 0.9)},
                                    "Fixed points: where tanh(a) = a / w", "a", "state", about=""),
        "learning": curve_chart({"latched": (lengths, share)}, "How often gradient descent latches the bit",
                                "length T", "share of runs"),
    }  # fmt: skip


def _share(results: Results, T: int) -> float:
    return float(np.mean([found[str(T)] for found in results.of("one unit", "latched")]))


def _ends(seed: Mapping[str, Outcome]) -> tuple[float, float]:
    """The shares of the shortest and of the longest."""
    shares = list(seed["one unit"]["latched"].values())
    return shares[0], shares[-1]


EXPERIMENT = Experiment(
    title="Latching a bit, and learning to",
    chapter="gradients",
    source="Bengio, Simard & Frasconi 1994, sections II and III",
    about="A unit a_t = w tanh(a_{t-1}) + h_t with w > 1 has two attractors, and keeps a bit as long as no input is "
    "larger than h*, which is known in closed form. Learning to put the bit there is another matter: the longer it has "
    "to be kept, the more seldom gradient descent finds out how.",
    arms=(Arm("one unit"),),
    trial=trial,
    claims=(
        Claim("inputs of 0.99 h* leave the bit, 1.01 h* flip it",
              lambda seed: seed["one unit"]["ends"]["below"] > 0 > seed["one unit"]["ends"]["above"], "theorem 1",
              lambda results: f"h* from {min(results.of('one unit', 'limit')):.2f} to "
              f"{max(results.of('one unit', 'limit')):.2f}"),
        Claim("the longest is latched in fewer runs than the shortest",
              lambda seed: _ends(seed)[1] < _ends(seed)[0],
              "figure 3: ever more rarely as T grows",
              lambda results: ", ".join(f"T={T}: {_share(results, T):.0%}" for T in results.size.lengths)),
    ),
    figures=figures,
    quick=Size(seeds=1, lengths=(5, 20), runs=2, updates=50, rate=0.1, noise=0.3),
    full=Size(seeds=5, lengths=(5, 10, 20, 40, 80), runs=8, updates=300, rate=0.1, noise=0.3),
    seconds=20,
)  # fmt: skip
