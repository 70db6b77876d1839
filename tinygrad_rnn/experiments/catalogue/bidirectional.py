"""Both directions: answers that lie ahead, three ways to merge, and a language model that cheats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor
from ...nn.wirings import ManyToMany
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

LETTERS = 8


def ahead(x: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """y_t = x_{t+lag}, and at which steps there is one."""
    y = np.roll(x, -lag, axis=0)
    return y, np.broadcast_to(np.arange(len(x))[:, None] < len(x) - lag, x.shape)


def around(x: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """y_t = x_{t-lag} xor x_{t+lag}, and at which steps there are both."""
    t = np.arange(len(x))[:, None]
    both = (t >= lag) & (t < len(x) - lag)
    return np.roll(x, lag, axis=0) ^ np.roll(x, -lag, axis=0), np.broadcast_to(both, x.shape)


TASKS = {"ahead": (ahead, 2), "around": (around, 2), "language": (ahead, LETTERS)}


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Label each step of random bits, or "predict" the next of random letters, and count the errors on fresh ones."""
    rng = np.random.default_rng(seed)
    task, classes = TASKS[arm.settings["task"]]
    lag = 1 if classes == LETTERS else size.lag
    layer = nn.RNN(classes, size.hidden, rng=rng, **arm.settings["layer"])
    model = ManyToMany(layer, nn.Linear(layer.output_size, classes, rng=rng))

    def batch(draw: np.random.Generator, many: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x = draw.integers(0, classes, (size.T, many))
        return x, *task(x, lag)

    def loss(update: int) -> Tensor:
        x, y, mask = batch(rng, size.batch)
        return ops.sequence_loss(model(x)[0], y, over_time="mean", mask=mask)

    assert rate is not None
    curve, _ = train(model.parameters(), loss, rate, size.updates, every=max(1, size.updates // 20))
    x, y, mask = batch(np.random.default_rng([seed, 1]), 200)
    with no_grad():
        logits = model(x)[0]
        nats = ops.sequence_loss(logits, y, over_time="mean", mask=mask).item()
        error = float((logits.numpy().argmax(axis=2) != y)[mask].mean())
        found: Outcome = {"score": nats, "nats": nats, "error": error, "curve": curve}
        if arm.settings["task"] == "language":  # asked as a language model is: the future is not there yet
            prefixes = [model(x[: t + 1])[0][-1] for t in range(4, size.T - 1)]
            found["honest"] = ops.sequence_loss(ops.stack(prefixes), y[4:-1], over_time="mean").item()
    return found


def figures(results: Results) -> dict[str, Any]:
    charts = {}
    for task in TASKS:
        mine = [arm for arm in EXPERIMENT.arms if arm.settings["task"] == task]
        curves = {arm.name.split(": ")[1]: tuple(np.array(results.of(arm.name, "curve")[0]).T) for arm in mine}
        title = {"ahead": f"The label is the bit {results.size.lag} steps ahead",
                 "around": f"The label is the xor of the bits {results.size.lag} steps behind and ahead",
                 "language": "Random letters: whoever predicts the next has seen it"}[task]  # fmt: skip
        charts[task] = curve_chart(curves, f"{title} (first seed)", y_label="loss, nats")
    return charts


def _errors(task: str) -> Callable[[Results], str]:
    arms = [arm.name for arm in ARMS if arm.settings["task"] == task]
    return lambda results: "errors " + ", ".join(
        f"{arm.split(': ')[1]} {results.median(arm, 'error'):.3f}" for arm in arms
    )


def _leak(results: Results) -> str:
    whole, honest = (results.median("language: both directions", key) for key in ("nats", "honest"))
    return f"{whole:.3f} nats with the future in sight, {honest:.2f} without; ln {LETTERS} = {np.log(LETTERS):.3f}"


BOTH = ("concat", "sum", "mul")
RATES = (0.003, 0.01)
ARMS = (
    Arm("ahead: forward", RATES, {"task": "ahead", "layer": {}}),
    *(Arm(f"ahead: {merge}", RATES, {"task": "ahead", "layer": {"bidirectional": True, "merge": merge}})
      for merge in BOTH),
    *(Arm(f"around: {merge}", RATES, {"task": "around", "layer": {"bidirectional": True, "merge": merge}})
      for merge in BOTH),
    Arm("around: concat, two layers", RATES,
        {"task": "around", "layer": {"bidirectional": True, "merge": "concat", "num_layers": 2}}),
    Arm("language: forward", RATES, {"task": "language", "layer": {}}),
    Arm("language: both directions", RATES, {"task": "language", "layer": {"bidirectional": True}}),
)  # fmt: skip

EXPERIMENT = Experiment(
    title="Both directions: answers ahead, three merges, and a leak",
    chapter="wirings",
    source="Schuster & Paliwal 1997; the lectures' addition, multiplication or concatenation",
    about="Where the label of a step lies ahead, one direction can only guess, and any merge of two directions solves "
    "it. Where it is the xor of something behind and something ahead, no sum of what each direction knows can be "
    "right, concatenated or added: the product can, and so can a second layer. And a bidirectional network that is "
    "trained to predict the next of letters that cannot be predicted does so at once: it reads it from behind.",
    arms=ARMS,
    trial=trial,
    claims=(
        Claim("ahead: one direction is at chance", lambda seed: seed["ahead: forward"]["error"] > 0.4,
              "needs the future; no figure", _errors("ahead")),
        Claim("ahead: both directions solve it, however merged",
              lambda seed: all(seed[f"ahead: {merge}"]["error"] < 0.02 for merge in BOTH),
              "three ways of aggregation; no figure", _errors("ahead")),
        Claim("around: concatenation and sum are at chance",
              lambda seed: all(seed[f"around: {merge}"]["error"] > 0.4 for merge in ("concat", "sum")),
              "a theorem: logits that are sums are no xor", _errors("around")),
        Claim("around: the product solves it", lambda seed: seed["around: mul"]["error"] < 0.05,
              "no figure", _errors("around")),
        Claim("around: so does a second layer", lambda seed: seed["around: concat, two layers"]["error"] < 0.05,
              "no figure", _errors("around")),
        Claim("a bidirectional language model predicts what cannot be predicted",
              lambda seed: seed["language: both directions"]["nats"] < 0.1
              and seed["language: forward"]["nats"] > np.log(LETTERS) - 0.05,
              "y1 cannot be copied from x2 trivially, thanks to one direction", _leak),
        Claim("without the future it is no better than chance",
              lambda seed: seed["language: both directions"]["honest"] > np.log(LETTERS) - 0.05,
              "no figure", _leak),
    ),
    figures=figures,
    quick=Size(seeds=1, T=12, lag=2, hidden=16, batch=16, updates=60),
    full=Size(seeds=5, pilots=1, T=16, lag=2, hidden=16, batch=32, updates=600),
    seconds=50,
)  # fmt: skip
