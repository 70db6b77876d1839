"""Embedded Reber strings: local rules, and one symbol that has to be carried across a string of unknown length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor, tensor
from ...data import reber_strings
from ...data.tasks import REBER
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

LAYERS = {"LSTM": nn.LSTM, "tanh": nn.RNN}


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Predict the next symbol; after how many strings are all of the test strings right at every step?"""
    rng = np.random.default_rng(seed)
    layer = LAYERS[arm.name](len(REBER), size.hidden, rng=rng)
    head = nn.Linear(size.hidden, len(REBER), rng=rng)
    training, test = reber_strings(rng, 256), reber_strings(rng, 256)

    def loss(update: int) -> Tensor:
        chosen = rng.integers(0, 256, size.batch)
        x, y, mask = training.x[:, chosen], training.y[:, chosen], training.mask[:, chosen]
        return ops.sequence_loss(head(layer(tensor(x), mask=mask)[0]), y, over_time="mean", mask=mask)

    def wrong() -> float:
        with no_grad():
            return 1.0 - float(test.learned(head(layer(tensor(test.x), mask=test.mask)[0]).numpy()).mean())

    assert rate is not None
    curve, solved = train([*layer.parameters(), *head.parameters()], loss, rate, size.updates, every=50, check=wrong,
                          enough=0.0)  # fmt: skip
    strings = curve[-1][0] * size.batch
    return {"score": strings if solved else size.updates * size.batch * (1 + curve[-1][1]), "solved": solved,
            "strings": strings, "wrong": curve[-1][1], "curve": curve}  # fmt: skip


def figures(results: Results) -> dict[str, Any]:
    seeds = {arm: results.of(arm, "curve") for arm in LAYERS}
    curves = {f"{arm}, seed {i + 1}": ([0, *(u for u, _ in curve)], [1.0, *(wrong for _, wrong in curve)])
              for arm, each in seeds.items() for i, curve in enumerate(each[:2])}  # fmt: skip
    return {"wrong": curve_chart(curves, "Embedded Reber strings", "update", "share of test strings with a mistake")}


def _strings(arm: str) -> Callable[[Results], str]:
    def said(results: Results) -> str:
        solved = [n for n, yes in zip(results.of(arm, "strings"), results.of(arm, "solved"), strict=True) if yes]
        wrong = results.median(arm, "wrong")
        return f"{np.median(solved):,.0f} strings (median)" if solved else f"{wrong:.0%} of strings wrong at the end"

    return said


EXPERIMENT = Experiment(
    title="Embedded Reber strings",
    chapter="grammars",
    source="Hochreiter & Schmidhuber 1997, section 5.1, table 1",
    about="The network reads a string symbol by symbol and says what may come next. The last symbol but one equals the "
    "second, whatever stood between. A string is right when at every step all legal symbols are more active than all "
    "others; the task is solved when all 256 test strings are, and then training ends. The paper learns string by "
    "string, with plain gradient descent; here are batches, Adam and clipping, which help tanh too.",
    arms=(Arm("LSTM", rates=(0.01, 0.02, 0.05)), Arm("tanh", rates=(0.003, 0.01, 0.02))),
    trial=trial,
    claims=(
        Claim("the LSTM gets all test strings right", lambda seed: seed["LSTM"]["solved"],
              "100 % of runs, 8 440 strings (3 blocks of 2, rate 0.5, one by one)", _strings("LSTM")),
        Claim("the LSTM needs fewer strings than tanh", lambda seed: seed["LSTM"]["score"] < seed["tanh"]["score"],
              "Elman: 0 % of runs after 200 000 strings", _strings("tanh")),
        Claim("the tanh network does not learn it, in as many updates", lambda seed: not seed["tanh"]["solved"],
              "Elman: 0 % of runs after 200 000 strings", _strings("tanh")),
    ),
    figures=figures,
    quick=Size(seeds=1, hidden=12, batch=16, updates=150),
    full=Size(seeds=8, pilots=2, hidden=12, batch=16, updates=3000),
    seconds=50,
)
