"""Learning to memorise: a text, and a question about it that comes before it or only after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor, tensor
from ...data import recall
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

VALUES = 4


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train on texts of `size.length` symbols; the share of right answers to 2000 new questions."""
    rng = np.random.default_rng(seed)
    question, length = arm.settings["question"], size.length
    layer = nn.LSTM(VALUES + length, size.hidden, rng=rng)
    head = nn.Linear(size.hidden, VALUES, rng=rng)
    x_test, y_test = recall(rng, length, 2000, VALUES, question)

    def loss(update: int) -> Tensor:
        x, y = recall(rng, length, size.batch, VALUES, question)
        return ops.cross_entropy(head(layer(tensor(x))[0][-1]), y)

    def wrong() -> float:
        with no_grad():
            return float((head(layer(tensor(x_test))[0][-1]).numpy().argmax(axis=1) != y_test).mean())

    assert rate is not None
    curve, _ = train([*layer.parameters(), *head.parameters()], loss, rate, size.updates, every=size.updates // 20,
                     check=wrong)  # fmt: skip
    return {"score": curve[-1][1], "right": 1 - curve[-1][1], "curve": curve}


def figures(results: Results) -> dict[str, Any]:
    curves = {}
    for arm in results.rates:
        for i, curve in enumerate(results.of(arm, "curve")[:2]):
            curves[f"{arm}, seed {i + 1}"] = ([u for u, _ in curve], [1 - wrong for _, wrong in curve])
    return {"right": curve_chart(curves, "Asked before the text, or after it", "update", "share of right answers")}


def _lost(seed: Mapping[str, Outcome]) -> float:
    lost: float = seed["asked before"]["right"] - seed["asked after"]["right"]
    return lost


def _right(arm: str) -> Callable[[Results], str]:
    return lambda results: f"{results.median(arm, 'right'):.0%} right (median; guessing: {1 / VALUES:.0%})"


EXPERIMENT = Experiment(
    title="Learning to memorise: when the question comes after the text",
    chapter="cells",
    source="the lecture's closing page: a transcript of twenty pages, and then a question",
    about="An LSTM reads symbols of four kinds, and is asked for one of them by its place. Told the place first, it "
    "has to keep one symbol; told only afterwards, all of them. Text, network and number of updates are the same.",
    arms=(Arm("asked before", (0.003, 0.01), {"question": "before"}),
          Arm("asked after", (0.003, 0.01), {"question": "after"})),
    trial=trial,
    claims=(
        Claim("asked before the text, it answers (95 % right)", lambda seed: seed["asked before"]["right"] > 0.95,
              "no figure: the lecture's claim", _right("asked before")),
        Claim("asked after it, it is right less often (by 10 % at least)", lambda seed: _lost(seed) > 0.1,
              "no figure: memorising is called still hard", _right("asked after")),
        Claim("but it does memorise: right more often than 35 %",
              lambda seed: seed["asked after"]["right"] > 1.4 / VALUES,
              "no figure", _right("asked after")),
    ),
    figures=figures,
    quick=Size(seeds=1, length=4, hidden=16, batch=32, updates=100),
    full=Size(seeds=5, pilots=1, length=12, hidden=32, batch=32, updates=3000),
    seconds=100,
)  # fmt: skip
