"""Copy memory: forget gates that start half open, and gates that start as open as the task is long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor, tensor
from ...data import memorisation
from ...data.tasks import memorisation_without_memory
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

BIAS, CHRONO = "forget bias 1", "chrono"
VALUES, NOTES = 8, 25


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train to say `size.length` symbols again after `size.gap` steps; the loss on 300 new sequences, and the share of
    right symbols."""
    assert rate is not None
    rng, length = np.random.default_rng(seed), size.length
    longest = 1.5 * (size.gap + 2 * length) if arm.name == CHRONO else None
    layer = nn.LSTM(VALUES + 2, size.hidden, chrono=longest, rng=rng)
    head = nn.Linear(size.hidden, VALUES + 1, rng=rng)
    x_test, y_test = memorisation(rng, size.gap, 300, length, VALUES)

    def loss(update: int) -> Tensor:
        x, y = memorisation(rng, size.gap, size.batch, length, VALUES)
        return ops.sequence_loss(head(layer(tensor(x))[0]), y, over_time="mean")

    def test() -> float:
        with no_grad():
            logits = head(layer(tensor(x_test))[0])
        right.append(float((logits.numpy()[-length:].argmax(axis=2) == y_test[-length:]).mean()))
        return ops.sequence_loss(logits, y_test, over_time="mean").item()

    right: list[float] = []
    baseline = forgetting(size)
    curve, _ = train([*layer.parameters(), *head.parameters()], loss, rate, size.updates, optimizer="rmsprop",
                     alpha=0.9, every=max(1, size.updates // NOTES), check=test, enough=baseline / 20)  # fmt: skip
    losses = [value for _, value in curve]
    area = sum(min(value, 2 * baseline) for value in losses) / NOTES  # sooner is better
    return {"score": area, "loss": losses[-1], "right": right[-1], "curve": curve}


def forgetting(size: Size) -> float:
    """The loss of who forgets."""
    return memorisation_without_memory(size.gap, size.length, VALUES)


def figures(results: Results) -> dict[str, Any]:
    curves: dict[str, Any] = {}
    for arm in results.rates:
        for i, curve in enumerate(results.of(arm, "curve")[:2]):
            curves[f"{arm}, seed {i + 1}"] = ([u for u, _ in curve], [loss for _, loss in curve])
    curves["who forgets"] = ([0, results.size.updates], [forgetting(results.size)] * 2)
    title = f"Said again after {results.size.gap} steps"
    return {"loss": curve_chart(curves, title, "update", "cross-entropy of a step, nats", log=True)}


def _told(arm: str) -> Callable[[Results], str]:
    def ours(results: Results) -> str:
        loss, right = results.median(arm, "loss"), results.median(arm, "right")
        baseline = forgetting(results.size)
        return f"{right:.0%} right (guessing: 12 %), loss {loss:.4f} (forgetting: {baseline:.4f}), medians"

    return ours


EXPERIMENT = Experiment(
    title="Copy memory: how open a forget gate should start",
    chapter="cells",
    source="Arjovsky, Shah & Bengio 2016, section 5.1; Tallec & Ollivier 2018, section 4",
    about="One symbol of eight must be said again after a long pause; in the papers it is ten symbols and many more "
    "updates. This size was chosen because the two arms part here: it shows what is meant, not how often it is so. One "
    "LSTM starts with forget biases of 1, a memory of a few steps; the other with biases drawn so that its units "
    "remember for anything up to the length of the task (chrono initialisation). Otherwise they are the same.",
    arms=(Arm(BIAS, (0.003, 0.01)), Arm(CHRONO, (0.003, 0.01))),
    trial=trial,
    claims=(
        Claim("with chrono initialisation it is learned (90 % right)", lambda seed: seed[CHRONO]["right"] > 0.9,
              "Tallec & Ollivier: solved for T=500 and 2000, ten symbols", _told(CHRONO)),
        Claim("with a bias of 1 it is not (50 % right), in as many updates", lambda seed: seed[BIAS]["right"] < 0.5,
              "Tallec & Ollivier: stays at the baseline, T=500 and 2000", _told(BIAS)),
        Claim("chrono is ahead while learning", lambda seed: seed[CHRONO]["score"] < seed[BIAS]["score"], "the same",
              lambda results: f"loss {results.median(CHRONO, 'loss'):.4f} against {results.median(BIAS, 'loss'):.4f}"),
    ),
    figures=figures,
    quick=Size(seeds=1, gap=20, length=1, hidden=16, batch=32, updates=50),
    full=Size(seeds=5, pilots=1, gap=150, length=1, hidden=32, batch=32, updates=1000),
    seconds=170,
)  # fmt: skip
