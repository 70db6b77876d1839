"""How many inputs of the past a reservoir remembers: never more than it has units."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import nn
from ...optim import Ridge
from ...pictures.charts import curve_chart
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size

WASHOUT = 200


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """The squared correlation of u(t - k) with the best linear read-out of the state at t, for each k; their sum is the
    memory capacity. Read-outs are fitted on one stretch and scored on another."""
    rng = np.random.default_rng(seed)
    cell = nn.ReservoirCell(1, size.N, dtype=np.float64, rng=rng, **arm.settings)
    u = rng.uniform(-1, 1, (size.length, 1, 1))
    states = nn.EchoState(cell).states(u)[0][:, 0]
    lags = np.arange(1, 2 * size.N + 1)
    past = np.stack([np.roll(u[:, 0, 0], k) for k in lags], axis=1)
    start = max(WASHOUT, 2 * size.N)
    half = (start + size.length) // 2
    readout = Ridge(states[start:half], past[start:half]).readout(1e-8)
    said, meant = readout(states[half:]), past[half:]
    r2 = np.array([np.corrcoef(a, b)[0, 1] ** 2 for a, b in zip(said.T, meant.T, strict=True)])
    r2 = np.maximum(0, r2 - 1 / len(meant))  # what chance alone gives on so many points
    return {"score": -float(r2.sum()), "capacity": float(r2.sum()), "curve": r2.round(5)}


def figures(results: Results) -> dict[str, Any]:
    curves = {arm: (np.arange(1, 2 * results.size.N + 1), np.mean(results.of(arm, "curve"), axis=0))
              for arm in results.rates}  # fmt: skip
    about = "\n".join(f"{arm}: capacity {results.median(arm, 'capacity'):.1f} of {results.size.N}" for arm in curves)
    return {"memory": curve_chart(curves, "What a reservoir knows of its past", "steps back", "squared correlation",
                                  about=about)}  # fmt: skip


ARMS = (
    Arm("rho 0.5", settings={"spectral_radius": 0.5, "input_scale": 0.1}),
    Arm("rho 0.9", settings={"spectral_radius": 0.9, "input_scale": 0.1}),
    Arm("rho 0.99", settings={"spectral_radius": 0.99, "input_scale": 0.1}),
    Arm("rho 0.9, loud", settings={"spectral_radius": 0.9, "input_scale": 1.0}),
)

EXPERIMENT = Experiment(
    title="The memory capacity of a reservoir",
    chapter="learning",
    source="Jaeger 2002, 'Short term memory in echo state networks', propositions 2 and 4",
    about="A reservoir hears random numbers, and a linear read-out is asked for the number k steps ago. Summed over "
    "all k, the squared correlation is at most the number of units. Closer to rho = 1 it remembers longer; a loud "
    "input saturates the units, and costs memory.",
    arms=ARMS,
    trial=trial,
    claims=(
        Claim("no reservoir remembers more than it has units",
              lambda seed: all(0 < found["capacity"] <= len(found["curve"]) / 2 for found in seed.values()),
              "MC <= N, for any",
              lambda results: "largest "
              f"{max(max(results.of(arm.name, 'capacity')) for arm in ARMS):.1f} of {results.size.N}"),
        Claim("rho 0.99 remembers more than rho 0.5",
              lambda seed: seed["rho 0.99"]["capacity"] > seed["rho 0.5"]["capacity"], "longer for a larger rho",
              lambda results: f"{results.median('rho 0.99', 'capacity'):.1f} against "
              f"{results.median('rho 0.5', 'capacity'):.1f}"),
        Claim("a loud input costs memory",
              lambda seed: seed["rho 0.9, loud"]["capacity"] < seed["rho 0.9"]["capacity"],
              "the nonlinearity costs capacity",
              lambda results: f"{results.median('rho 0.9, loud', 'capacity'):.1f} against "
              f"{results.median('rho 0.9', 'capacity'):.1f}"),
    ),
    figures=figures,
    quick=Size(seeds=1, N=20, length=1500),
    full=Size(seeds=5, N=50, length=4000),
    seconds=10,
)  # fmt: skip
