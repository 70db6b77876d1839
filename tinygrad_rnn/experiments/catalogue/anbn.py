"""Counting: a^n b^n and a^n b^n c^n, learned from short strings and asked of longer ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor, tensor
from ...data import counted
from ...data.tasks import COUNTED
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

LAYERS = {"LSTM": nn.LSTM, "tanh": nn.RNN}


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Learn strings with n up to `size.most`; then, for every n up to `size.limit`, is the string right at every step?

    The network that counts best is kept while learning, by strings of up to twice the length.
    """
    rng = np.random.default_rng(seed)
    letters = arm.settings["letters"]
    layer = LAYERS[arm.settings["cell"]](len(COUNTED), size.hidden, rng=rng)
    head = nn.Linear(size.hidden, len(COUNTED), rng=rng)
    parameters = [*layer.parameters(), *head.parameters()]
    best: dict[str, Any] = {"n": 0, "weights": [p.data for p in parameters]}

    def loss(update: int) -> Tensor:
        strings = counted(rng, size.batch, 1, size.most, letters)
        logits = head(layer(tensor(strings.x), mask=strings.mask)[0])
        return ops.sequence_loss(logits, strings.y, over_time="mean", mask=strings.mask)

    def reach(limit: int) -> int:
        """The largest n up to which every string is right."""
        n = 0
        with no_grad():
            while n < limit:
                strings = counted(rng, 1, n + 1, n + 1, letters)
                if not strings.learned(head(layer(tensor(strings.x))[0]).numpy())[0]:
                    break
                n += 1
        return n

    def check() -> float:
        n = reach(2 * size.most)
        if n >= best["n"]:
            best.update(n=n, weights=[p.data for p in parameters])
        return -n

    assert rate is not None
    curve, _ = train(parameters, loss, rate, size.updates, every=max(1, size.updates // 40), check=check)
    for p, weights in zip(parameters, best["weights"], strict=True):
        p.data = weights
    n = reach(size.limit)
    states = _states(layer, counted(rng, 1, size.most + 2, size.most + 2, letters).x)
    return {"score": -n, "n": n, "curve": curve, "states": np.round(states, 4)}


def _states(layer: nn.Recurrent, x: np.ndarray) -> np.ndarray:
    """An LSTM's cell states, or h, step by step (T, H)."""
    states, state = [], None
    with no_grad():
        for x_t in x:
            state = layer.layers[0].forward(tensor(x_t), state)
            states.append((state[1] if isinstance(state, tuple) else state).numpy()[0])
    return np.array(states)


def figures(results: Results) -> dict[str, Any]:
    charts = {}
    for arm in results.rates:
        states = np.array(results.of(arm, "states")[0])
        busiest = np.argsort(-np.ptp(states, axis=0))[:4]
        curves = {f"unit {i + 1}": (np.arange(1, len(states) + 1), states[:, i]) for i in sorted(busiest)}
        title = f"{arm}: the states that move most, n = {results.size.most + 2}, first seed"
        letter = "cell state c" if arm.startswith("LSTM") else "state h"
        charts[arm.replace(" ", "-").replace("^", "")] = curve_chart(curves, title, "step", letter, about="")
    return charts


def _n(arm: str) -> Callable[[Results], str]:
    return lambda results: f"n = {', '.join(str(n) for n in results.of(arm, 'n'))}"


EXPERIMENT = Experiment(
    title="Counting: a^n b^n and a^n b^n c^n",
    chapter="grammars",
    source="Gers & Schmidhuber 2001",
    about="Next symbols of strings with n up to 10 are learned. How far beyond that do all strings come out right, at "
    "each symbol? Of the networks on the way the one is kept that counts furthest up to n = 20: only what lies beyond "
    "20 was not chosen. A cell state that goes up with each a and down with each b can count on; the paper's networks "
    "have peepholes, here they have not.",
    arms=(
        Arm("LSTM a^n b^n", (0.01, 0.03), {"letters": "ab", "cell": "LSTM"}),
        Arm("LSTM a^n b^n c^n", (0.01, 0.03), {"letters": "abc", "cell": "LSTM"}),
        Arm("tanh a^n b^n", (0.003, 0.01), {"letters": "ab", "cell": "tanh"}),
    ),
    trial=trial,
    claims=(
        Claim("the LSTM (its best on the way) counts a^n b^n beyond n = 10",
              lambda seed: seed["LSTM a^n b^n"]["n"] > 10,
              "LSTM generalises, from short strings to much longer ones", _n("LSTM a^n b^n")),
        Claim("and a^n b^n c^n beyond n = 10", lambda seed: seed["LSTM a^n b^n c^n"]["n"] > 10,
              "the first network that learned a context-sensitive language", _n("LSTM a^n b^n c^n")),
        Claim("it counts a^n b^n further than tanh", lambda seed: seed["LSTM a^n b^n"]["n"] > seed["tanh a^n b^n"]["n"],
              "no figure in the paper", lambda results: f"tanh: {_n('tanh a^n b^n')(results)}"),
    ),
    figures=figures,
    quick=Size(seeds=1, most=4, limit=12, hidden=8, batch=16, updates=200),
    full=Size(seeds=5, pilots=1, most=10, limit=100, hidden=8, batch=16, updates=4000),
    seconds=150,
)  # fmt: skip
