"""Sunspots, one year ahead: an output for each window against an output for each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import data, nn, ops
from ...core import Tensor
from ...data import Scaling, windows_n_to_1, windows_n_to_n
from ...nn.wirings import ManyToMany
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

LEARNED, TESTED = 1880, 1920  # the last years that are learned from, and that the choice of weights is made on


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Learn the years up to 1880; keep the weights that do best on those to 1920; say the error on 1921 to 2008.

    Errors are one year ahead, squared, as shares of the variance of the years that are learned from: 1 is who knows
    their mean alone. All but persistence and the linear model see windows of N years.
    """
    series = data.sunspots()
    last, end = (int(np.flatnonzero(series.times == year)[0]) + 1 for year in (LEARNED, TESTED))
    values = Scaling.of(series.values[:last])(series.values).astype(np.float32)

    def score(predict: Callable[[np.ndarray], np.ndarray], start: int, stop: int | None) -> float:
        x, y = windows_n_to_1(values[start - size.N : stop], size.N)
        return float(np.mean((predict(x) - y) ** 2))

    def both(predict: Callable[[np.ndarray], np.ndarray]) -> Outcome:
        return {"score": score(predict, last, end), "error": score(predict, end, None)}

    if arm.name == "persistence":
        return both(lambda x: x[-1])
    if arm.name == "linear, 9 years":
        x, y = windows_n_to_1(values[:last], 9)
        columns = np.column_stack([x[..., 0].T, np.ones(x.shape[1])])
        w = np.linalg.lstsq(columns, y[:, 0], rcond=None)[0]
        return both(lambda x: (x[-9:, :, 0].T @ w[:-1] + w[-1])[:, None])
    assert rate is not None
    return _network(arm.name == "N to N", values[:last], rate, seed, size, both)


def _network(each: bool, learned: np.ndarray, rate: float, seed: int, size: Size,
             both: Callable[[Callable[[np.ndarray], np.ndarray]], Outcome]) -> Outcome:  # fmt: skip
    """The same network, taught at each step of a window or at its end only."""
    rng = np.random.default_rng(seed)
    model = ManyToMany(nn.GRU(1, size.hidden, rng=rng), nn.Linear(size.hidden, 1, rng=rng))
    x, y = windows_n_to_n(learned, size.N, stride=1)
    best: Outcome = {"score": np.inf}

    def loss(update: int) -> Tensor:
        chosen = rng.integers(0, x.shape[1], size.batch)
        outputs = model(x[:, chosen])[0]
        return ops.mse_loss(outputs, y[:, chosen]) if each else ops.mse_loss(outputs[-1], y[-1, chosen])

    def predict(windows: np.ndarray) -> np.ndarray:
        with no_grad():
            return model(windows)[0].numpy()[-1]

    def check() -> float:
        now = both(predict)
        if now["score"] < best["score"]:
            best.update(now)
        return float(now["score"])

    every = max(1, size.updates // 40)
    curve, _ = train(model.parameters(), loss, rate, size.updates, every=every, check=check)
    targets = size.N if each else 1
    cost = multiply_adds(size.N, size.batch, size.hidden, targets)
    return best | {"curve": [[update * cost / 1e6, value] for update, value in curve],
                   "work": size.updates * cost / 1e6, "a target": cost / size.batch / targets}  # fmt: skip


def multiply_adds(N: int, batch: int, H: int, outputs: int) -> int:
    """Of one update: the GRU's products at each step and the head's where there is an output, and twice that to go
    back."""
    return 3 * batch * (N * 3 * H * (1 + H) + outputs * H)


def figures(results: Results) -> dict[str, Any]:
    curves = {arm: tuple(np.array(results.of(arm, "curve")[0]).T) for arm in ("N to 1", "N to N")}
    series = data.sunspots()
    return {
        "cost": curve_chart(curves, "Sunspots one year ahead: error by what it costs (first seed)",
                            "million multiply-adds",
                            f"error on {LEARNED + 1} to {TESTED}", log=True),
        "series": curve_chart({"sunspots": (series.times, series.values)}, "Sunspots, 1700 to 2008", "year",
                              series.unit, about=series.source),
    }  # fmt: skip


def _errors(results: Results) -> str:
    return ", ".join(f"{arm} {results.median(arm, 'error'):.3f}" for arm in results.rates)


def _costs(results: Results) -> str:
    one, each = (results.median(arm, "a target") for arm in NETWORKS)
    work = " and ".join(f"{results.median(arm, 'work'):.0f}" for arm in NETWORKS)
    return f"{one:.0f} and {each:.0f} multiply-adds a target, {work} million in all"


NETWORKS = ("N to 1", "N to N")

EXPERIMENT = Experiment(
    title="Sunspots one year ahead: N to 1 against N to N",
    chapter="wirings",
    source="the lectures on predicting series; data: National Geophysical Data Center, by way of statsmodels",
    about="A network that reads N = 22 years, two cycles, and then says the next; and the same network that says the "
    "next after each. For the same work the second is taught 22 targets instead of one. Persistence says that next "
    "year is like this one; the linear model is least squares on nine years.",
    arms=(*(Arm(name, (0.003, 0.01, 0.03)) for name in NETWORKS), Arm("persistence"), Arm("linear, 9 years")),
    trial=trial,
    claims=(
        Claim("both beat persistence on the test years, by a fifth",
              lambda seed: all(seed[name]["error"] < 0.8 * seed["persistence"]["error"] for name in NETWORKS),
              "no figure", _errors),
        Claim("for the same work, N to N is better", lambda seed: seed["N to N"]["error"] < seed["N to 1"]["error"],
              "no figure", _errors),
        Claim("a target costs N to 1 twenty times the work and more",
              lambda seed: seed["N to 1"]["a target"] > 20 * seed["N to N"]["a target"],
              "each step is read N times; an identity", _costs),
        Claim("the networks beat the linear model",
              lambda seed: all(seed[name]["error"] < seed["linear, 9 years"]["error"] for name in NETWORKS),
              "no figure", _errors),
    ),
    figures=figures,
    quick=Size(seeds=1, N=22, hidden=8, batch=16, updates=60),
    full=Size(seeds=5, pilots=3, N=22, hidden=12, batch=16, updates=800),
    needs=("statsmodels",),
    seconds=30,
)  # fmt: skip
