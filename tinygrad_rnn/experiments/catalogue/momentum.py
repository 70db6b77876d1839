"""Initialisation and momentum: how far first-order methods go when both are right."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import Any

import numpy as np

from ... import nn, ops
from ...data import adding
from ...nn import init
from ...optim import Momentum, momentum_schedule
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size

CLOSE = 0.04  # an answer farther off is wrong


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Learn to add, with the momentum of the arm from a network of the arm's scale; the share that is wrong."""
    assert rate is not None
    rng = np.random.default_rng(seed)
    mu, nesterov, rho = (arm.settings[name] for name in ("momentum", "nesterov", "rho"))
    layer, head = nn.RNN(2, size.hidden, rng=rng), nn.Linear(size.hidden, 1, rng=rng)
    cell = layer.layers[0].forward
    cell.W_hh.data = init.spectral_radius(init.sparse(cell.W_hh.shape, rng), rho)
    cell.W_xh.data = init.normal(cell.W_xh.shape, rng, size.input_scale)
    head.W.data = init.normal(head.W.shape, rng, 0.1)
    optimizer = Momentum([*layer.parameters(), *head.parameters()], rate, 0.0)

    def draw(batch: int) -> tuple[np.ndarray, np.ndarray]:
        x, y = adding(rng, size.T, batch, dialect="ms")
        return x - x.mean(axis=(0, 1)), y - np.float32(0.5)  # centred, as in the paper

    x_test, y_test = draw(1000)

    def test() -> tuple[float, float]:
        with no_grad():
            off = np.abs(head(layer(x_test)[0][-1]).numpy() - y_test)
        return float((off > CLOSE).mean()), float((off**2).mean())

    curve = []
    for update in range(1, size.updates + 1):
        optimizer.momentum = momentum_schedule(update, mu)
        optimizer.zero_grad()
        x, y = draw(size.batch)
        with optimizer.look_ahead() if nesterov else nullcontext():
            loss = ops.mse_loss(head(layer(x)[0][-1]), y)
            loss.backward()
        if not math.isfinite(loss.item()):
            break
        optimizer.step()
        if update % (size.updates // 20) == 0:
            curve.append([update, test()[1]])
    wrong, error = test()
    finite = math.isfinite(error)
    score, wrong = (min(error, 1.0), wrong) if finite else (1.0, 1.0)
    return {"score": score, "wrong": wrong, "curve": curve or [[0, 1.0]]}


def figures(results: Results) -> dict[str, Any]:
    groups = {"momentum": [arm.name for arm in ARMS if arm.settings["rho"] == 1.1],
              "scale": [arm.name for arm in ARMS if arm.name.startswith("0.99 N")]}  # fmt: skip
    charts = {}
    for group, names in groups.items():
        curves = {}
        for name in names:
            curve = min(results.of(name, "curve"), key=lambda curve: curve[-1][1])
            curves[name] = ([u for u, _ in curve], [max(e, 1e-12) for _, e in curve])
        charts[group] = curve_chart(curves, f"Adding, T = {results.size.T}: the best of {len(results.seeds)} seeds",
                                    "update", "squared error", log=True, about="")  # fmt: skip
    return charts


def _wrong(results: Results, *arms: str) -> str:
    return ", ".join(f"{arm}: {results.median(arm, 'wrong'):.0%}" for arm in arms) + " wrong (medians)"


ARMS = (
    *(Arm(f"{mu} {kind}" if mu else "none", (0.003, 0.01, 0.03),
          {"momentum": mu, "nesterov": kind == "N", "rho": 1.1})
      for mu, kind in ((0.0, "M"), (0.9, "N"), (0.99, "N"), (0.9, "M"), (0.99, "M"))),
    *(Arm(f"0.99 N, rho {rho}", (0.003, 0.01, 0.03), {"momentum": 0.99, "nesterov": True, "rho": rho})
      for rho in (0.25, 2.0)),
)  # fmt: skip

EXPERIMENT = Experiment(
    title="Initialisation and momentum",
    chapter="learning",
    source="Sutskever, Martens, Dahl & Hinton 2013, tables 3 to 5",
    about="The adding problem by a tanh network, with no momentum, classical (M) and Nesterov's (N), each at the best "
    "of three rates; and from recurrent weights of other spectral radii than 1.1. Better is whose squared error is "
    "less in the end; wrong is an answer more than 0.04 off. The paper has T = 80 and 50 000 updates, here there are "
    "fewer of both.",
    arms=ARMS,
    trial=trial,
    claims=(
        Claim("momentum 0.99 (N) is better than none", lambda seed: seed["0.99 N"]["score"] < seed["none"]["score"],
              "T = 80: 0.025 % wrong with 0.995 N, 39 % without",
              lambda results: _wrong(results, "none", "0.9 N", "0.99 N")),
        Claim("with 0.99, Nesterov's is better than the classical",
              lambda seed: seed["0.99 N"]["score"] < seed["0.99 M"]["score"],
              "T = 80: 21 % (0.98 N) against 62 % (0.98 M); 0.025 % against 3.6 % (0.995)",
              lambda results: _wrong(results, "0.99 N", "0.99 M")),
        Claim("a spectral radius of 1.1 is better than 0.25",
              lambda seed: seed["0.99 N"]["score"] < seed["0.99 N, rho 0.25"]["score"],
              "a deep autoencoder, scale 0.25: 16; 1: 0.074; 2: 0.083 (not verified)",
              lambda results: _wrong(results, "0.99 N", "0.99 N, rho 0.25", "0.99 N, rho 2.0")),
    ),
    figures=figures,
    quick=Size(seeds=1, T=12, hidden=16, batch=16, updates=40, input_scale=0.1),
    full=Size(seeds=5, pilots=1, T=20, hidden=50, batch=32, updates=2500, input_scale=0.1),
    seconds=160,
)  # fmt: skip
