"""A recurrent network writes cells and learns, by REINFORCE, which are good; beside it, one that does not learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import nn, optim
from ...nn.cells.controller import MovingAverage, reinforce_loss
from ...nn.cells.tree import TREE
from ...pictures.charts import curve_chart
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..memorising import memorised

LEARNS, RANDOM = "REINFORCE", "random search"


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Write `size.cells` cells, `size.together` at a time, each trained for a moment; the reward is the share of
    symbols that it memorises. Without a rate the controller stays as it was: all cells are as likely."""
    rng = np.random.default_rng(seed)
    controller = nn.Controller(TREE, hidden_size=16, rng=rng)
    optimizer = optim.Adam(controller.parameters(), lr=rate) if rate else None
    baseline = MovingAverage(0.8)
    rewards: list[float] = []
    best: tuple[float, list[int]] = (-1.0, [])
    for _ in range(size.cells // size.together):
        tokens = controller.sample(size.together, rng)
        new = [memorised(nn.tree_graph(row.tolist()), size.rate, rng, size, size.gap) for row in tokens]
        best = max([best, *((reward, row.tolist()) for reward, row in zip(new, tokens, strict=True))])
        if optimizer:
            optimizer.zero_grad()
            reinforce_loss(controller.log_prob(tokens), np.array(new), baseline.value).backward()
            optim.clip_grad_norm(controller.parameters(), 1.0)
            optimizer.step()
        baseline.take(new)
        rewards += new
    late = float(np.mean(rewards[-(len(rewards) // 3) :]))
    graph = nn.tree_graph(best[1])
    again = memorised(graph, size.rate, np.random.default_rng([seed, 1]), size, size.gap)
    return {"score": 1 - late, "late": late, "early": float(np.mean(rewards[: len(rewards) // 3])), "again": again,
            "rewards": rewards, "cell": str(graph)}  # fmt: skip


def figures(results: Results) -> dict[str, Any]:
    curves = {}
    for arm in results.rates:
        rewards = np.mean(results.of(arm, "rewards"), axis=0)
        width = results.size.together
        means = rewards.reshape(-1, width).mean(axis=1)
        curves[arm] = (np.arange(1, len(means) + 1) * width, means)
    cells = [f"{arm}, seed {i + 1}:\n{cell}\n" for arm in results.rates
             for i, cell in enumerate(results.of(arm, "cell"))]  # fmt: skip
    title = f"Cells as they are written, mean of {len(results.seeds)} seeds"
    return {"rewards": curve_chart(curves, title, "cells tried", "share of symbols memorised"),
            "cells": "\n".join(cells)}  # fmt: skip


def _told(key: str) -> Any:
    return lambda results: ", ".join(f"{arm} {results.median(arm, key):.0%}" for arm in results.rates)


EXPERIMENT = Experiment(
    title="A controller that writes cells",
    chapter="cells",
    source="Zoph & Le 2017, sections 3.1, 3.2 and 3.4",
    about="An LSTM writes the ten tokens of a cell: what is combined how, in a tree of two leaves, and where c comes "
    "in. Each cell is trained for a moment, and how much it memorises is the reward that makes its tokens likelier or "
    "less so. Random search writes as many. There are 16,384 cells; both try some dozens.",
    arms=(Arm(LEARNS, (0.03, 0.1)), Arm(RANDOM)),
    trial=trial,
    claims=(
        Claim("the last third of its cells is better than random ones (by 10 %)",
              lambda seed: seed[LEARNS]["late"] > seed[RANDOM]["late"] + 0.1, "figure 6: beats random search",
              _told("late")),
        Claim("it writes better cells than at first", lambda seed: seed[LEARNS]["late"] > seed[LEARNS]["early"] + 0.05,
              "figure 6: improves all along", lambda results: f"first third {results.median(LEARNS, 'early'):.0%}, "
              f"last {results.median(LEARNS, 'late'):.0%} (medians)"),
        Claim("its best cell, trained anew, is better than random search's",
              lambda seed: seed[LEARNS]["again"] > seed[RANDOM]["again"], "figure 6", _told("again")),
    ),
    figures=figures,
    quick=Size(seeds=1, cells=6, together=3, length=2, values=4, gap=2, hidden=8, batch=8, updates=15, rate=0.02),
    full=Size(seeds=5, pilots=1, cells=60, together=5, length=2, values=4, gap=5, hidden=12, batch=16, updates=60,
              rate=0.02),
    seconds=75,
)  # fmt: skip
