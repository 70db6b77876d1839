"""Truncated BPTT of three kinds, asked for an echo."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from ... import nn, optim
from ...core import Tensor, tensor
from ...data import echo
from ...ops import sequence_loss
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size

TEST = 400  # steps of the stream that it is asked about, in one go


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """For every k: how often is the echo right, on a long stream with the state carried on, after learning from
    segments of k steps? All kinds read as many steps."""
    assert rate is not None
    right = {str(k): _learned(arm.settings["kind"], k, rate, np.random.default_rng([seed, k]), size) for k in size.ks}
    return {"score": 1 - float(np.mean(list(right.values()))), "right": right}


def _learned(kind: str, k: int, rate: float, rng: np.random.Generator, size: Size) -> float:
    layer, head = nn.RNN(1, size.hidden, rng=rng), nn.Linear(size.hidden, 2, rng=rng)
    optimizer = optim.Adam([*layer.parameters(), *head.parameters()], lr=rate)

    def learn(loss: Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        optim.clip_grad_norm(optimizer.params, 1.0)
        optimizer.step()

    def loss_of(x: np.ndarray, y: np.ndarray, state: Any) -> tuple[Tensor, Any]:
        hs, state = layer(tensor(x), state)
        return sequence_loss(head(hs), y, over_time="mean"), state

    for _ in range(size.streams):
        x, y = echo(rng, size.length, size.batch, size.lag)
        if kind == "carried":
            run = lambda a, b, state, x=x, y=y: loss_of(x[a:b], y[a:b], state)  # noqa: E731
            for loss, _ in optim.carried(run, None, size.length, k):
                learn(loss)
        else:  # segments that know nothing of each other, `size.length // k` of them at a time
            stride = k if kind == "isolated" else max(1, k // 4)
            xs, ys = optim.windows(x, k, stride), optim.windows(y, k, stride)
            for columns in np.array_split(rng.permutation(xs.shape[1]), size.length // k):
                learn(loss_of(xs[:, columns], ys[:, columns], None)[0])
    x, y = echo(rng, TEST, 50, size.lag)
    with no_grad():
        said = head(layer(tensor(x))[0]).numpy().argmax(axis=2)
    return float((said == y)[size.lag :].mean())


def figures(results: Results) -> dict[str, Any]:
    ks = results.size.ks
    curves = {arm: (ks, [float(np.mean([found[str(k)] for found in results.of(arm, "right")])) for k in ks])
              for arm in results.rates}  # fmt: skip
    return {"echo": curve_chart(curves, f"The echo of {results.size.lag} steps ago", "steps k of a segment",
                                "share of right answers (guessing: 0.5)", about="")}  # fmt: skip


def _shares(arm: str, *ks: int) -> Callable[[Results], str]:
    def said(results: Results) -> str:
        mean = {k: float(np.mean([found[str(k)] for found in results.of(arm, "right")])) for k in results.size.ks}
        return ", ".join(f"k={k}: {share:.0%}" for k, share in mean.items() if not ks or k in ks)

    return said


def _right(seed: Mapping[str, Outcome], kind: str, k: int) -> float:
    """The share of right answers; NaN for a k that was not asked."""
    share: float = seed[kind]["right"].get(str(k), math.nan)
    return share


def _fails(seed: Mapping[str, Outcome], kind: str) -> bool:
    return all(right < 0.6 for k, right in seed[kind]["right"].items() if int(k) <= LAG)


def _teaches(seed: Mapping[str, Outcome], kind: str) -> bool:
    return _right(seed, kind, 4 * LAG) >= 0.95


KINDS = ("isolated", "carried", "windows")
LAG = 6

EXPERIMENT = Experiment(
    title="Truncated BPTT: three things of one name",
    chapter="gradients",
    source="the lectures' three diagrams; Williams & Peng 1990; Sutskever 2013, section 2.8.6",
    about="A network is to say the bit that came six steps ago. It learns from segments of k steps: isolated ones, "
    "ones that carry the state on, or overlapping windows, and is asked on a long stream. A gradient that reaches back "
    "fewer steps than the lag cannot teach it, whichever kind it is of. With segments hardly longer than the lag, the "
    "carried state makes all of them useful; the others begin each with nothing to echo.",
    arms=tuple(Arm(kind, (0.003, 0.01), {"kind": kind}) for kind in KINDS),
    trial=trial,
    claims=(
        *(Claim(f"{kind}: {LAG} steps or fewer teach no echo of {LAG} (under 60 % right)",
                partial(_fails, kind=kind), "the lecture: it cannot learn what is longer than the chunk",
                _shares(kind, 4, 6)) for kind in KINDS),
        *(Claim(f"{kind}: segments of {4 * LAG} steps do (95 % right)", partial(_teaches, kind=kind), "no figure",
                _shares(kind, 12, 24)) for kind in KINDS),
        Claim("with k = 8 carrying the state on is better than both others",
              lambda seed: _right(seed, "carried", 8) > max(_right(seed, kind, 8) for kind in ("isolated", "windows")),
              "no figure", lambda results: "; ".join(f"{kind}: {_shares(kind, 8)(results)}" for kind in KINDS)),
    ),
    figures=figures,
    quick=Size(seeds=1, lag=LAG, ks=(4, 24), length=72, batch=8, hidden=16, streams=5),
    full=Size(seeds=5, pilots=1, lag=LAG, ks=(4, 6, 8, 12, 24), length=72, batch=16, hidden=32, streams=120),
    seconds=60,
)  # fmt: skip
