"""Mackey-Glass: an echo state network that goes on with a chaotic series by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import nn
from ...data import mackey_glass
from ...optim import Ridge
from ...optim.ridge import Readout
from ...pictures.charts import curve_chart
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size

WASHOUT, AHEAD = 100, 84
PENALTIES = tuple(10.0**power for power in range(-15, -2))


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Taught with the teacher's output fed back, then left alone `size.starts` times, on a validation stretch, where
    the penalty is chosen, and on a test stretch: the error 84 steps on."""
    rng = np.random.default_rng(seed)
    span = size.starts * size.apart
    y = np.tanh(mackey_glass(size.teach + 2 * (span + AHEAD) + 1, rng=rng) - 1)[:, None, None]
    cell = nn.ReservoirCell(1, arm.settings["N"], spectral_radius=0.9, input_scale=1.0, bias_scale=0.2,
                            dtype=np.float64, rng=rng)  # fmt: skip
    net = nn.EchoState(cell, feedback=1)
    states, _ = net.states(teacher=y[:-1])
    ridge = Ridge(states[: size.teach], y[1 : size.teach + 1], washout=WASHOUT)

    def error(readout: Readout, first: int) -> tuple[float, np.ndarray]:
        """Free runs from every `apart` steps after `first`, all at once as a batch, and the last of them."""
        starts = first + np.arange(size.starts) * size.apart
        state = cell.zero_state(len(starts))
        state.data = states[starts, 0].copy()
        with np.errstate(all="ignore"):
            ran, _ = net.generate(readout, readout(states[starts, 0]), state, steps=AHEAD - 1)
            miss = ran[-1, :, 0] - y[starts + AHEAD, 0, 0]
            return float(np.sqrt(np.mean(miss**2) / y.var())), ran[:, -1, 0]

    choice = ridge.choose(PENALTIES, lambda readout: error(readout, size.teach)[0])
    first = size.teach + span + AHEAD
    test, ran = error(choice.readout, first)
    last = first + (size.starts - 1) * size.apart + 1
    best = {str(p): min(1e6, error(ridge.readout(p), first)[0]) for p in PENALTIES}
    return {"score": test, "error": test, "validation": choice.scores[choice.penalty], "penalty": choice.penalty,
            "test": best, "ran": ran.round(5), "meant": y[last + 1 : last + AHEAD, 0, 0].round(5)}  # fmt: skip


def figures(results: Results) -> dict[str, Any]:
    arm = list(results.rates)[-1]
    ran, meant = results.of(arm, "ran")[0], results.of(arm, "meant")[0]
    steps = np.arange(1, len(ran) + 1)
    by_penalty = {name: (PENALTIES, [float(np.median([found[str(p)] for found in results.of(name, "test")]))
                                     for p in PENALTIES]) for name in results.rates}  # fmt: skip
    log = {name: (np.log10(p), e) for name, (p, e) in by_penalty.items()}
    return {
        "free-run": curve_chart({"the series": (steps, meant), "the network": (steps, ran)},
                                f"{arm}: left alone (first seed)", "step", "tanh(y - 1)", about=""),
        "ridge": curve_chart(log, "The penalty matters", "log10 of the penalty",
                             "test error at 84 steps, median", log=True,
                             about=""),
    }  # fmt: skip


def _error(arm: str) -> Callable[[Results], str]:
    return lambda results: f"{', '.join(f'{e:.2g}' for e in sorted(results.of(arm, 'error')))}"


EXPERIMENT = Experiment(
    title="Mackey-Glass: a reservoir that goes on by itself",
    chapter="learning",
    source="Jaeger & Haas 2004, figure 2; Jaeger 2001, section 5",
    about="A reservoir is driven by a chaotic series, and a linear read-out learns to say its next value; then it is "
    "driven by what it says. Normalised error 84 steps on. The ridge penalty is chosen on a validation stretch and the "
    "error measured on another; chosen on the test itself, a network looks better than it is.",
    arms=(Arm("100 units", settings={"N": 100}), Arm("400 units", settings={"N": 400})),
    trial=trial,
    claims=(
        Claim("400 units: NRMSE after 84 steps below 0.02", lambda seed: seed["400 units"]["error"] < 0.02,
              "10^-4.2 = 6e-5 with 1000 units, one network (not verified)", _error("400 units")),
        Claim("400 units do better than 100", lambda seed: seed["400 units"]["error"] < seed["100 units"]["error"],
              "no figure", _error("100 units")),
        Claim("the penalty matters: the worst is 10 times worse than the chosen one",
              lambda seed: max(seed["400 units"]["test"].values()) > 10 * seed["400 units"]["error"], "no figure",
              lambda results: "chosen: " + ", ".join(f"{p:.0e}" for p in results.of("400 units", "penalty"))),
    ),
    figures=figures,
    quick=Size(seeds=1, teach=600, starts=5, apart=30),
    full=Size(seeds=5, teach=3000, starts=20, apart=50),
    seconds=30,
)  # fmt: skip
