"""Batch normalisation in deep networks of saturating units."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import data, nn, ops
from ...core import Tensor
from ...pictures.charts import curve_chart
from ..classifying import batches, mistakes
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

WIDTH = 40
RATES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
GOOD = 0.1  # a learning rate is of use where this share of mistakes is reached


def network(depth: int, normalised: bool, rng: np.random.Generator) -> nn.Sequential:
    """`depth` layers of sigmoid units, each with its sums normalised, or not. Weights start four times as large as for
    tanh, since a sigmoid is a quarter as steep (Glorot & Bengio 2010): else the plain ones hardly learn."""
    steps: list[Any] = []
    for i in range(depth):
        linear = nn.Linear(WIDTH if i else 64, WIDTH, rng=rng)
        linear.W.data = nn.init.xavier_normal(linear.W.shape, rng, gain=4)
        steps += [linear, *([nn.BatchNorm(WIDTH)] if normalised else []), ops.sigmoid]
    return nn.Sequential(*steps, nn.Linear(WIDTH, 10, rng=rng))


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """One network at each rate, by plain SGD, all from one start."""
    images, labels, _ = data.digits()
    x = images.reshape(len(images), -1)
    learned, kept = data.random_split(len(labels), 0.2, np.random.default_rng(seed))
    errors, curves = [], []
    for lr in RATES:
        rng = np.random.default_rng(seed)
        net = network(arm.settings["depth"], arm.settings["normalised"], rng)
        curve, _ = train(net.parameters(), _loss(net, x, labels, batches(learned, 64, rng)), lr, size.updates,
                         clip=math.inf, optimizer="sgd", every=max(1, size.updates // 10),
                         check=lambda net=net: mistakes(net, x[kept], labels[kept]))  # type: ignore[misc]  # fmt: skip
        error = curve[-1][1]
        errors.append(error if math.isfinite(error) and error <= 1 else 1.0)
        curves.append(curve)
    best = int(np.argmin(errors))
    return {"score": errors[best], "error": errors[best], "rate": RATES[best], "errors": errors,
            "curve": curves[best], "usable": sum(error < GOOD for error in errors)}  # fmt: skip


def _loss(net: nn.Sequential, x: np.ndarray, labels: np.ndarray, rows: Any) -> Any:
    def loss_of(update: int) -> Tensor:
        chosen = next(rows)
        return ops.cross_entropy(net(x[chosen]), labels[chosen])

    return loss_of


def figures(results: Results) -> dict[str, Any]:
    curves, rates = {}, {}
    for arm in results.rates:
        points = np.array(results.of(arm, "curve"))
        curves[arm] = (points[0, :, 0], 100 * points[:, :, 1].mean(axis=0))
        rates[arm] = (np.log10(RATES), 100 * np.mean(results.of(arm, "errors"), axis=0))
    return {
        "errors": curve_chart(curves, "Digits misread, at the best rate of each network, mean",
                              y_label="% of kept images"),
        "rates": curve_chart(rates, "Which learning rates are of use", "log10 of the learning rate",
                             "% of kept images"),
    }  # fmt: skip


def _middle(key: str, unit: str, *arms: str) -> Any:
    factor = 100 if unit.startswith("%") else 1
    return lambda results: " against ".join(f"{factor * results.median(arm, key):.3g} {unit}" for arm in arms)


def _updates(outcome: Outcome) -> float:
    """When it first reached GOOD."""
    return next((float(update) for update, error in outcome["curve"] if error < GOOD), math.inf)


PLAIN_3, NORMAL_3, PLAIN_10, NORMAL_10 = "plain 3", "normalised 3", "plain 10", "normalised 10"
EXPERIMENT = Experiment(
    title="Batch normalisation in networks of sigmoid units",
    chapter="images",
    source="Ioffe & Szegedy 2015, section 4.1 (three sigmoid layers on MNIST)",
    about="Digits of 8 x 8 points through 3 or 10 layers of 40 sigmoid units, by plain SGD, at six learning rates from "
    "0.03 to 10. What to look at: the rates that are of use, and whether ten layers learn at all. Each network's error "
    "is that of the best of its six rates on the very images that it is asked about.",
    arms=(Arm(PLAIN_3, settings={"depth": 3, "normalised": False}),
          Arm(NORMAL_3, settings={"depth": 3, "normalised": True}),
          Arm(PLAIN_10, settings={"depth": 10, "normalised": False}),
          Arm(NORMAL_10, settings={"depth": 10, "normalised": True})),
    trial=trial,
    claims=(
        Claim("three layers get to 10 % wrong in fewer updates",
              lambda seed: _updates(seed[NORMAL_3]) < _updates(seed[PLAIN_3]),
              "14 times fewer (Inception, on ImageNet)",
              lambda results: " against ".join(
                  f"{np.median([_updates(seed[arm]) for seed in results.seeds]):.0f}" for arm in (NORMAL_3, PLAIN_3))),
        Claim("more learning rates are of use", lambda seed: seed[NORMAL_3]["usable"] > seed[PLAIN_3]["usable"],
              "rates 5 and 30 times as large", _middle("usable", "of 6", NORMAL_3, PLAIN_3)),
        Claim("ten plain layers do not learn, at any rate (half wrong)", lambda seed: seed[PLAIN_10]["error"] > 0.5,
              "no figure: sigmoid Inception stays at chance", _middle("error", "% wrong", PLAIN_10)),
        Claim("ten normalised layers read 8 of 10 digits, at their best rate",
              lambda seed: seed[NORMAL_10]["error"] < 0.2,
              "69.8 % right on ImageNet (Inception with sigmoids)", _middle("error", "% wrong", NORMAL_10)),
    ),
    figures=figures,
    quick=Size(seeds=1, pilots=0, updates=10),
    full=Size(seeds=5, pilots=0, updates=200),
    needs=("sklearn",),
    seconds=46,
)  # fmt: skip
