"""How far the cell state reaches back by itself: the product of the forget gates."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import flow, nn
from ...core import Tensor, tensor
from ...pictures.charts import curve_chart
from ...recording import step
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size

ARMS = (
    Arm("bias 0", settings={"forget_bias": 0.0}), Arm("bias 1", settings={"forget_bias": 1.0}),
    Arm("bias 2", settings={"forget_bias": 2.0}), Arm("no forget gate"),
)  # fmt: skip


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Run an untrained cell on noise; by lag, the direct path dc_t/dc_{t-lag}, the gates' product, and all paths."""
    rng = np.random.default_rng(seed)
    D, H = 5, size.hidden
    options: dict[str, Any] = {"dtype": np.float64, "rng": rng}
    cell = nn.LSTMCell(D, H, **arm.settings, **options) if arm.settings else nn.LSTM97Cell(D, H, **options)
    state = tuple(tensor(np.zeros((1, H)), requires_grad=True) for _ in "hc")
    states, gates = [state], []
    for t in range(size.T):
        with step(t):
            x = tensor(rng.standard_normal((1, D)))
            gates.append(_forget_gate(cell, x, state[0]))
            state = cell(x, state)
            states.append(state)
    jacobians = flow.jacobian_products(states, of=1)
    direct, product = [], np.ones(H)
    whole = jacobians.norms[-1]
    difference = 0.0
    for lag in range(1, size.T + 1):
        diagonal = np.diag(jacobians.direct.matrix(-1, size.T - lag))
        product = product * gates[-lag]
        difference = max(difference, float(abs(diagonal / product - 1).max()))
        direct.append(math.exp(np.log(diagonal).mean()))
    return {"score": -direct[size.lag - 1], "difference": difference, "direct": direct,
            "all": [float(whole[size.T - lag]) for lag in range(1, size.T + 1)]}  # fmt: skip


def _forget_gate(cell: nn.LSTMCell | nn.LSTM97Cell, x: Tensor, h: Tensor) -> np.ndarray:
    """f (H,) as the equation has it, in NumPy; 1 where there is no such gate."""
    H = cell.hidden_size
    if isinstance(cell, nn.LSTM97Cell):
        return np.ones(H)
    a = (x.numpy() @ cell.W_xh.numpy() + h.numpy() @ cell.W_hh.numpy() + cell.b_h.numpy())[0, H : 2 * H]
    return np.asarray(1 / (1 + np.exp(-a)))


def predicted(arm: Arm, lag: int) -> float:
    """sigma(bias)^lag, as if x and h were zero."""
    return (1 + math.exp(-arm.settings["forget_bias"])) ** -lag if arm.settings else 1.0


def _near(arm: Arm) -> Callable[[Any], bool]:
    """Is the direct path over 20 steps the predicted one within a factor of 4? The weights do their part."""
    return lambda seed: abs(math.log(-seed[arm.name]["score"] / predicted(arm, 20))) < math.log(4)


def _claim(arm: Arm) -> Claim:
    paper = f"{predicted(arm, 20):.1e}".replace("e-0", "e-")
    return Claim(f"{arm.name}: after 20 steps the direct path is sigma(b)^20, within a factor of 4", _near(arm),
                 f"sigma(b)^20 = {paper} (Jozefowicz et al. 2015 on the bias)",
                 lambda results: f"{-results.median(arm.name, 'score'):.1e} (median)".replace("e-0", "e-"))  # fmt: skip


def figures(results: Results) -> dict[str, Any]:
    lags = list(range(1, results.size.T + 1))
    direct = {arm.name: (lags, np.exp(np.log(results.of(arm.name, "direct")).mean(axis=0))) for arm in ARMS}
    direct |= {f"σ({arm.name[-1]})^lag": (lags, [predicted(arm, lag) for lag in lags]) for arm in ARMS if arm.settings}
    whole = {arm.name: (lags, np.exp(np.log(results.of(arm.name, "all")).mean(axis=0))) for arm in ARMS}
    return {
        "direct": curve_chart(direct, "The direct path from cell state to cell state", "lag in steps",
                              "geometric mean of ∂c(t)/∂c(t−lag)", log=True),
        "all-paths": curve_chart(whole, "All paths, those through h and the gates too", "lag in steps",
                                 "norm of dc(t)/dc(t−lag)", log=True),
    }  # fmt: skip


EXPERIMENT = Experiment(
    title="How far a cell state reaches by itself",
    chapter="gradients",
    source='Lecture CS 4644, 12 ("uninterrupted gradient flow"); Gers et al. 2000; Jozefowicz et al. 2015',
    about="The gradient's way along the cell state is uninterrupted only while the forget gate is 1. Directly, "
    "dc_t/dc_{t-k} is the product of k forget gates, which an untrained LSTM has at about sigma(bias). The recorded "
    "run's own Jacobians are compared with that product, for three biases and for the LSTM of 1997, which has no such "
    "gate.",
    arms=ARMS,
    trial=trial,
    claims=(
        Claim("the direct path is the product of the forget gates (to 1e-10)",
              lambda seed: all(outcome["difference"] < 1e-10 for outcome in seed.values()), "an identity",
              lambda results: f"largest {max(max(results.of(arm.name, 'difference')) for arm in ARMS):.0e}"),
        *(_claim(arm) for arm in ARMS if arm.settings),
        Claim("without a forget gate it stays 1", lambda seed: abs(seed["no forget gate"]["score"] + 1) < 1e-12,
              "1 (Hochreiter & Schmidhuber 1997, the constant error carousel)",
              lambda results: f"{-results.median('no forget gate', 'score'):.12g}"),
    ),
    figures=figures,
    quick=Size(seeds=1, T=22, lag=20, hidden=6),
    full=Size(seeds=5, T=40, lag=20, hidden=10),
    seconds=5,
)  # fmt: skip
