"""The adding problem: two numbers among a hundred must be kept to the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor, tensor
from ...data import adding
from ...data.tasks import ADDING_WITHOUT_MEMORY
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

SOLVED = 0.01  # mean squared error, 17 times below what forgetting gives
ENOUGH = 0.004  # where training ends
LOUD = "IRNN, std 0.1"


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train on fresh sequences of `size.T` steps; the mean squared error on 500 others."""
    assert rate is not None
    rng = np.random.default_rng(seed)
    layer = nn.Recurrent(2, size.hidden, rng=rng, **arm.settings)
    return add_up(layer, rate, rng, size)


def add_up(layer: Any, rate: float, rng: np.random.Generator, size: Size) -> Outcome:
    """What comes of training `layer` and a readout of its last step on the adding problem."""
    head = nn.Linear(size.hidden, 1, rng=rng)
    head.b = tensor(np.ones(1, np.float32), requires_grad=True, name="b")  # the mean of the targets
    x_test, y_test = adding(rng, size.T, 500)

    def loss(update: int) -> Tensor:
        x, y = adding(rng, size.T, size.batch)
        return ops.mse_loss(head(layer(tensor(x))[0][-1]), y)

    def error() -> float:
        with no_grad():
            return ops.mse_loss(head(layer(tensor(x_test))[0][-1]), y_test).item()

    curve, _ = train([*layer.parameters(), *head.parameters()], loss, rate, size.updates,
                     every=max(1, size.updates // 25), check=error, enough=ENOUGH)  # fmt: skip
    errors = [e for _, e in curve]
    area = sum(min(e, 1.0) for e in errors) / 25  # sooner is better
    return {"score": area, "error": errors[-1], "updates": first(curve), "curve": curve}


def first(curve: list[list[float]]) -> float | None:
    """The update at which a note of the curve is below SOLVED; None where there is none."""
    return next((update for update, error in curve if error < SOLVED), None)


def curves_of(results: Results) -> dict[str, tuple[Any, Any]]:
    """The curve of the first seed of each arm."""
    first_seed = {arm: results.of(arm, "curve")[0] for arm in results.rates}
    return {arm: ([u for u, _ in curve], [e for _, e in curve]) for arm, curve in first_seed.items()}


def told(arm: str) -> Callable[[Results], str]:
    """An arm's median error, and after how many sequences it was solved."""

    def ours(results: Results) -> str:
        solved = [updates for updates in results.of(arm, "updates") if updates]
        after = f", solved after {np.median(solved) * results.size.batch:,.0f} sequences" if solved else ""
        return f"error {results.median(arm, 'error'):.4f} (median){after}; forgetting: {ADDING_WITHOUT_MEMORY:.3f}"

    return ours


def figures(results: Results) -> dict[str, Any]:
    title = f"Adding two of {results.size.T} numbers, first seed"
    return {"error": curve_chart(curves_of(results), title, "update", "mean squared error", log=True)}


EXPERIMENT = Experiment(
    title="Adding two numbers across a gap",
    chapter="cells",
    source="Hochreiter & Schmidhuber 1997, section 5.4; Le, Jaitly & Hinton 2015, section 4.1",
    about="Two of a hundred numbers are marked, one in each half, and their sum is asked at the end. Who forgets the "
    "first has an error of 1/6. An LSTM, a tanh network and one of relu units that starts as the identity (IRNN) have "
    "the same size and at most as many updates; who comes below 0.004 stops. The IRNN's input weights start tiny, as "
    "in its paper; a fourth arm, added after that one had failed here, has larger ones.",
    arms=(Arm("LSTM", (0.005, 0.01), {"cell": nn.LSTMCell}), Arm("tanh", (0.001, 0.003), {"cell": nn.RNNCell}),
          Arm("IRNN", (0.001, 0.003), {"cell": nn.IRNNCell}),
          Arm(LOUD, (0.001, 0.003), {"cell": nn.IRNNCell, "std": 0.1})),
    trial=trial,
    claims=(
        Claim("the LSTM solves it (error below 0.01)", lambda seed: seed["LSTM"]["error"] < SOLVED,
              "HS97: T=100 solved after 74,000 sequences", told("LSTM")),
        Claim("the tanh network does not, in as many updates", lambda seed: seed["tanh"]["error"] > 10 * SOLVED,
              "Le et al.: tanh fails from T=150 on (not verified)", told("tanh")),
        Claim("the identity of relus (IRNN) solves it too", lambda seed: seed["IRNN"]["error"] < SOLVED,
              "Le et al.: as well as an LSTM up to T=300 (not verified)", told("IRNN")),
        Claim("it does where its input weights start at 0.1", lambda seed: seed[LOUD]["error"] < SOLVED,
              "no figure; 0.001 in the paper, this arm is ours", told(LOUD)),
    ),
    figures=figures,
    quick=Size(seeds=1, T=20, hidden=16, batch=32, updates=200),
    full=Size(seeds=5, pilots=1, T=100, hidden=32, batch=32, updates=2000),
    seconds=130,
)  # fmt: skip
