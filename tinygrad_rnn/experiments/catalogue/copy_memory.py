"""Copy memory: forget gates that start open, and forget gates that start as open as the task is long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor, tensor
from ...data import copy_memory
from ...data.tasks import copy_memory_without_memory
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

BIAS, CHRONO = "forget bias 1", "chrono"


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train to say ten symbols again after `size.gap` steps; the loss on 200 new sequences, and the share of right
    symbols."""
    assert rate is not None
    rng = np.random.default_rng(seed)
    longest = 1.5 * (size.gap + 20) if arm.name == CHRONO else None
    layer = nn.LSTM(10, size.hidden, chrono=longest, rng=rng)
    head = nn.Linear(size.hidden, 9, rng=rng)
    x_test, y_test = copy_memory(rng, size.gap, 200)

    def loss(update: int) -> Tensor:
        x, y = copy_memory(rng, size.gap, size.batch)
        return ops.sequence_loss(head(layer(tensor(x))[0]), y, over_time="mean")

    def test() -> float:
        with no_grad():
            logits = head(layer(tensor(x_test))[0])
        right.append(float((logits.numpy()[-10:].argmax(axis=2) == y_test[-10:]).mean()))
        return ops.sequence_loss(logits, y_test, over_time="mean").item()

    right: list[float] = []
    curve, _ = train([*layer.parameters(), *head.parameters()], loss, rate, size.updates, optimizer="rmsprop",
                     alpha=0.9, every=max(1, size.updates // 25), check=test)  # fmt: skip
    losses = [value for _, value in curve]
    return {"score": sum(losses) / len(losses), "loss": losses[-1], "right": right[-1], "curve": curve}


def figures(results: Results) -> dict[str, Any]:
    curves: dict[str, Any] = {}
    for arm in results.rates:
        for i, curve in enumerate(results.of(arm, "curve")[:2]):
            curves[f"{arm}, seed {i + 1}"] = ([u for u, _ in curve], [loss for _, loss in curve])
    updates = curves[f"{BIAS}, seed 1"][0]
    curves["who forgets"] = ([updates[0], updates[-1]], [copy_memory_without_memory(results.size.gap)] * 2)
    title = f"Ten symbols, said again after {results.size.gap} steps"
    return {"loss": curve_chart(curves, title, "update", "cross-entropy of a step, nats", log=True)}


def _told(arm: str) -> Callable[[Results], str]:
    def ours(results: Results) -> str:
        loss, right = results.median(arm, "loss"), results.median(arm, "right")
        baseline = copy_memory_without_memory(results.size.gap)
        return f"loss {loss:.4f} (forgetting: {baseline:.4f}), {right:.0%} of the symbols right (guessing: 12 %), medians"

    return ours


EXPERIMENT = Experiment(
    title="Copy memory: how open a forget gate should start",
    chapter="cells",
    source="Arjovsky, Shah & Bengio 2016, section 5.1; Tallec & Ollivier 2018, section 4",
    about="Ten symbols must be said again after a long pause. One LSTM starts with forget biases of 1, which is a memory "
    "of a few steps; the other with biases drawn so that its units remember for anything up to the length of the task "
    "(chrono initialisation). Otherwise they are the same.",
    arms=(Arm(BIAS, (0.001, 0.003)), Arm(CHRONO, (0.001, 0.003))),
    trial=trial,
    claims=(
        Claim("with chrono initialisation, the loss falls below half of the baseline of who forgets",
              lambda seed: seed[CHRONO]["right"] > 0.5, "Tallec & Ollivier: solved for T=500 and 2000", _told(CHRONO)),
        Claim("with a bias of 1 it stays there, in as many updates", lambda seed: seed[BIAS]["right"] < 0.3,
              "Tallec & Ollivier: stays at the baseline", _told(BIAS)),
        Claim("chrono is ahead", lambda seed: seed[CHRONO]["loss"] < seed[BIAS]["loss"], "the same, figure 3",
              lambda results: f"loss {results.median(CHRONO, 'loss'):.4f} against {results.median(BIAS, 'loss'):.4f}"),
    ),
    figures=figures,
    quick=Size(seeds=1, gap=10, hidden=16, batch=32, updates=100),
    full=Size(seeds=5, pilots=1, gap=50, hidden=64, batch=32, updates=1500),
    seconds=150,
)  # fmt: skip
