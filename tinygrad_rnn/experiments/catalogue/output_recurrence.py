"""Recurrence from the output alone: what it cannot know, and what a teacher makes easy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor
from ...nn.wirings import ManyToMany, OutputRecurrence
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train


def echo(bits: np.ndarray) -> np.ndarray:
    """y_t = x_{t-2}, and 0 before: the output of the step before says x_{t-3}, which is no help."""
    return np.concatenate([np.zeros_like(bits[:2]), bits[:-2]])


def parity(bits: np.ndarray) -> np.ndarray:
    """y_t = y_{t-1} xor x_t: the output of the step before says all that need be known."""
    return bits.cumsum(axis=0) % 2


TASKS = {"echo": echo, "parity": parity}


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Learn on sequences of `size.T` bits; then run freely, with nobody to tell what was right, on longer ones."""
    rng = np.random.default_rng(seed)
    target, how = TASKS[arm.settings["task"]], arm.settings["how"]
    if how == "hidden":
        hidden = ManyToMany(nn.RNN(2, size.hidden, rng=rng), nn.Linear(size.hidden, 2, rng=rng))
        model: nn.Module = hidden
    else:
        model = OutputRecurrence(2, size.hidden, 2, feed=ops.softmax, rng=rng)

    def run(bits: np.ndarray, teacher: Any = None) -> Any:
        x = np.eye(2, dtype=np.float32)[bits]
        return model(x)[0] if how == "hidden" else model(x, teacher)

    def loss(update: int) -> Tensor:
        bits = rng.integers(0, 2, (size.T, size.batch))
        y = target(bits)
        return ops.sequence_loss(run(bits, y if how == "taught" else None), y, over_time="mean")

    def error(T: int) -> float:
        bits = np.random.default_rng([seed, 1]).integers(0, 2, (T, 100))
        with no_grad():
            return float((run(bits).numpy().argmax(axis=2) != target(bits)).mean())

    assert rate is not None
    curve, _ = train(model.parameters(), loss, rate, size.updates, every=max(1, size.updates // 40),
                     check=lambda: error(size.T))  # fmt: skip
    solved = next((update for update, wrong in curve if wrong < 0.01), size.updates + 1)
    return {"score": error(size.T) + solved / size.updates, "error": error(size.T), "solved": solved,
            "longer": error(size.longer * size.T), "curve": curve}  # fmt: skip


def figures(results: Results) -> dict[str, Any]:
    charts = {}
    for task in TASKS:
        curves = {how: tuple(np.array(results.of(f"{task}: {how}", "curve")[0]).T) for how in HOW.values()}
        charts[task] = curve_chart(curves, {"echo": "The label is the bit of two steps ago",
                                            "parity": "The label is the parity so far"}[task] + " (first seed)",
                                   y_label="share wrong, running freely",
                                   about=(_said(task, "error")(results) + "\n" + _solved(results) * (task == "parity"))
                                   .replace(", output", "\noutput").replace("), ", "),\n").strip())  # fmt: skip
    return charts


HOW = {"hidden": "hidden recurrence", "taught": "output recurrence, taught", "free": "output recurrence, free"}
ARMS = tuple(
    Arm(f"{task}: {said}", (0.003, 0.01), {"task": task, "how": how}) for task in TASKS for how, said in HOW.items()
)


def _said(task: str, key: str) -> Callable[[Results], str]:
    return lambda results: "errors: " + ", ".join(
        f"{said} {results.median(f'{task}: {said}', key):.3f}" for said in HOW.values()
    )


def _solved(results: Results) -> str:
    updates = {said: results.median(f"parity: {said}", "solved") for said in HOW.values()}
    never = {said: f"{n:.0f}" if n <= results.size.updates else "never" for said, n in updates.items()}
    return "solved after " + ", ".join(f"{n} ({said})" for said, n in never.items()) + " updates"


EXPERIMENT = Experiment(
    title="Recurrence from the output alone",
    chapter="wirings",
    source="Goodfellow, Bengio & Courville 2016, section 10.2, figures 10.3, 10.4 and 10.6",
    about="Two tasks on random bits. The bit of two steps ago must be kept, and an output that says something else "
    "cannot keep it: recurrence from the output alone fails, whoever teaches. The parity so far is its own memory: "
    "there the output says all, and with the right outputs fed in while learning, no step waits for another and there "
    "is nothing to send back through time. Without them the parity has to be found, and that takes longer. Guessing is "
    "wrong 0.45 of the time where the bits are echoed, as the first two answers are known. That something can be "
    "smuggled through an output was seen before it was claimed.",
    arms=ARMS,
    trial=trial,
    claims=(
        Claim("echo: recurrent hidden units keep the bit", lambda seed: seed["echo: hidden recurrence"]["error"] < 0.02,
              "as powerful as a Turing machine; no figure",
              lambda results: f"error {results.median('echo: hidden recurrence', 'error'):.3f} (median)"),
        Claim("echo: output recurrence that is taught guesses (over 0.4 wrong)",
              lambda seed: seed["echo: output recurrence, taught"]["error"] > 0.4,
              "strictly less powerful, unless the output says all of the past; no figure",
              lambda results: f"error {results.median('echo: output recurrence, taught', 'error'):.3f} (median)"),
        Claim("echo: left to itself it smuggles something through, not enough",
              lambda seed: 0.2 < seed["echo: output recurrence, free"]["error"] < 0.45,
              "strictly less powerful, unless the output says all of the past; no figure",
              lambda results: f"error {results.median('echo: output recurrence, free', 'error'):.3f} (median)"),
        Claim("parity: taught by force, it runs five times as long (1 % wrong)",
              lambda seed: seed["parity: output recurrence, taught"]["longer"] < 0.01,
              "teacher forcing makes steps independent; no figure",
              lambda results: f"error {results.median('parity: output recurrence, taught', 'longer'):.3f} (median)"),
        Claim("parity: without a teacher it takes more than twice as many updates",
              lambda seed: seed["parity: output recurrence, free"]["solved"]
              > 2 * seed["parity: output recurrence, taught"]["solved"], "no figure",
              lambda results: " against ".join(f"{results.median(f'parity: output recurrence, {how}', 'solved'):.0f}"
                                               for how in ("free", "taught")) + " updates (medians)"),
        Claim("parity: so it does with recurrent hidden units",
              lambda seed: seed["parity: hidden recurrence"]["solved"]
              > 2 * seed["parity: output recurrence, taught"]["solved"], "no figure",
              lambda results: " against ".join(f"{results.median(f'parity: {said}', 'solved'):.0f}" for said in
                                               ("hidden recurrence", "output recurrence, taught"))
              + " updates (medians)"),
    ),
    figures=figures,
    quick=Size(seeds=1, T=10, longer=2, hidden=16, batch=16, updates=60),
    full=Size(seeds=5, pilots=1, T=20, longer=5, hidden=16, batch=32, updates=800),
    seconds=55,
)  # fmt: skip
