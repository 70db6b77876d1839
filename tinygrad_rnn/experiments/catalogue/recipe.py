"""The seven steps of choosing hyper-parameters, on a small network, and on one whose first weights are too large."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import numpy as np

from ... import data, nn, ops
from ...core import tensor
from ...course import recipe
from ...pictures.charts import curve_chart
from ..classifying import batches, mistakes
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Tune a small network on digits by the seven steps: what each of them found, and the digits misread at the end."""
    images, labels, writers = data.digits()
    x = images.reshape(len(images), -1)
    learned, kept = data.writer_split(writers)
    order = batches(learned, 32, np.random.default_rng(seed))

    def build(rng: np.random.Generator, hidden: int = 32) -> nn.Module:
        net = nn.MLP([64, hidden, 10], rng=rng)
        for linear in (net[0], net[2]):
            linear.W = tensor(arm.settings["times"] * linear.W.data, requires_grad=True, name="W")
        return net

    def draw(rng: np.random.Generator) -> Any:
        chosen = next(order)
        return x[chosen], labels[chosen]

    task = recipe.Task(build, draw, lambda net, batch: ops.cross_entropy(net(batch[0]), batch[1]),
                       lambda net: ops.cross_entropy(net(x[kept]), labels[kept]).item())  # fmt: skip
    lines: list[str] = []
    found = recipe.tune(task, {"hidden": (16, 64), "weight_decay": (0.0, 1e-3)}, classes=10, updates=size.updates,
                        rounds=size.rounds, seed=seed, say=lines.append)  # fmt: skip
    assert found.best is not None
    assert found.model is not None
    others = [recipe.run_trial(task, {**found.best.choice, "lr": found.lr * factor}, size.updates, seed)[0].score
              for factor in (0.01, 1.0, 30.0)]  # fmt: skip
    return {"score": found.best.score, "initial": found.initial_loss, "overfit": found.overfit_loss, "lr": found.lr,
            "others": [min(score, 1e6) for score in others], "error": mistakes(found.model, x[kept], labels[kept]),
            "range": [found.rates.tolist(), found.losses.tolist()], "lines": lines}  # fmt: skip


def figures(results: Results) -> dict[str, Any]:
    seen = results.seeds[0]
    curves = {arm: (np.log10(o["range"][0]), np.array(o["range"][1])) for arm, o in seen.items()}
    said = "".join(f"<h2>{escape(arm)}</h2>\n<pre>{escape(chr(10).join(outcome['lines']))}</pre>\n"
                   for arm, outcome in seen.items())  # fmt: skip
    return {
        "range": curve_chart(curves, "One step at each learning rate, from small to large (first seed)",
                             "log10 of the learning rate", "loss before the step"),
        "said": '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>What the seven steps found</title>'
                f"</head>\n<body><h1>What the seven steps found</h1>\n{said}</body></html>\n",
    }  # fmt: skip


SMALL, LARGE = "first weights as usual", "first weights 10 times as large"
EXPERIMENT = Experiment(
    title="Choosing hyper-parameters in seven steps",
    chapter="images",
    source="CS 7643, lecture 12 (choosing hyper-parameters); Smith 2017 (range test)",
    about="A network of one hidden layer on digits. The first step already tells that weights are too large: a network "
    "that knows nothing should have a loss of ln 10. The third finds a learning rate with a hundred updates. There are "
    "images to learn from and images to choose by, and no third part: what is chosen is asked about those that it was "
    "chosen by.",
    arms=(Arm(SMALL, settings={"times": 1.0}), Arm(LARGE, settings={"times": 10.0})),
    trial=trial,
    claims=(
        Claim("the initial loss is ln 10, within 5 %",
              lambda seed: abs(seed[SMALL]["initial"] / math.log(10) - 1) < 0.05, "ln C (the lecture)",
              lambda results: f"{results.median(SMALL, 'initial'):.3f}"),
        Claim("the first step finds the weights that are too large (loss over 3)",
              lambda seed: seed[LARGE]["initial"] > 3,
              "no figure", lambda results: f"{results.median(LARGE, 'initial'):.1f}"),
        Claim("one batch is learned by heart, to a tenth of ln 10 and less",
              lambda seed: seed[SMALL]["overfit"] < 0.1 * math.log(10), "100 % of 5 to 10 minibatches (the lecture)",
              lambda results: f"loss {results.median(SMALL, 'overfit'):.3g}"),
        Claim("the rate of the range test beats a hundredth of it and 30 times it",
              lambda seed: seed[SMALL]["others"][1] < min(seed[SMALL]["others"][0], seed[SMALL]["others"][2]),
              "no figure", lambda results: " / ".join(
                  f"{np.median([o[i] for o in results.of(SMALL, 'others')]):.3g}" for i in range(3))),
        Claim("what it chooses misreads under 15 % of the digits it was chosen by",
              lambda seed: seed[SMALL]["error"] < 0.15,
              "no figure", lambda results: f"{100 * results.median(SMALL, 'error'):.1f} %"),
    ),
    figures=figures,
    quick=Size(seeds=1, pilots=0, updates=10, rounds=1),
    full=Size(seeds=5, pilots=0, updates=200, rounds=2),
    needs=("sklearn",),
    seconds=20,
)  # fmt: skip
