"""A search for cells by mutation: those that cannot memorise are thrown away, the best are changed again."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import nn
from ...nn.cells.graph import GRU, LSTM, MUT1, TANH
from ...pictures.charts import curve_chart
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..memorising import memorised

PASSES = 0.95  # of the symbols, right after they were read: the filter
BEST, MOST_NODES = 3, 12  # from how many of the best a mutant is made, and how large it may be
SEARCH = "search"
KNOWN = {"tanh": TANH, "LSTM": LSTM, "GRU": GRU, "MUT1": MUT1}


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """A known cell, or the best that a search from tanh finds: how well it memorises across the gap, trained anew."""
    assert rate is not None
    rng = np.random.default_rng(seed)
    found = search(rate, rng, size) if arm.name == SEARCH else {"graph": KNOWN[arm.name].to_json()}
    graph = nn.Graph.from_json(found["graph"])
    again = [memorised(graph, rate, np.random.default_rng([seed, k]), size, size.gap) for k in range(2)]
    fit = sum(again) / len(again)  # of fresh weights: the best of many was also the luckiest
    return {"score": 1 - fit, "fit": fit, "cell": str(graph), **found}


def search(rate: float, rng: np.random.Generator, size: Size) -> dict[str, Any]:
    """Start from tanh; `size.candidates` times, mutate one of the best and, if it passes the filter, see how fit it
    is."""
    best = [(memorised(TANH, rate, rng, size, size.gap), TANH)]
    curve, passed = [[0, best[0][0]]], 0
    for k in range(1, size.candidates + 1):
        _, graph = best[int(rng.integers(len(best)))]
        for _ in range(int(rng.integers(1, 4))):
            graph = nn.mutate(graph, rng, MOST_NODES)
        if memorised(graph, rate, rng, size, 1) >= PASSES:
            passed += 1
            best.append((memorised(graph, rate, rng, size, size.gap), graph))
            best = sorted(best, key=lambda each: -each[0])[:BEST]
        curve.append([k, best[0][0]])
    again = [memorised(graph, rate, rng, size, size.gap) for _, graph in best]  # the luckiest need not be the best
    winner = max(range(len(best)), key=lambda i: best[i][0] + again[i])
    return {"graph": best[winner][1].to_json(), "passed": passed, "curve": curve}


def figures(results: Results) -> dict[str, Any]:
    curves = {f"seed {i + 1}": ([k for k, _ in curve], [fit for _, fit in curve])
              for i, curve in enumerate(results.of(SEARCH, "curve"))}  # fmt: skip
    cells = [f"seed {i + 1}, {fit:.0%} right:\n{cell}\n" for i, (fit, cell) in enumerate(
             zip(results.of(SEARCH, "fit"), results.of(SEARCH, "cell"), strict=True))]  # fmt: skip
    return {"search": curve_chart(curves, "The best cell so far", "candidates tried", "share of symbols memorised"),
            "cells": "\n".join(cells)}  # fmt: skip


def _told(results: Results) -> str:
    return ", ".join(f"{arm} {results.median(arm, 'fit'):.0%}" for arm in results.rates)


EXPERIMENT = Experiment(
    title="A search for cells by mutation",
    chapter="cells",
    source="Jozefowicz, Zaremba & Sutskever 2015, section 3",
    about="Cells are graphs of small operations. From tanh on, one of the best is mutated and trained for a moment; "
    "what cannot say again what it has just read is thrown away, and the others have to keep it for some steps. The "
    "winner is trained anew, from other weights, beside the known cells. It was looked for on this task, which they "
    "were not; and here are 24 candidates, there ten thousand.",
    arms=(Arm(SEARCH, (0.01,)), *(Arm(name, (0.01, 0.03)) for name in KNOWN)),
    trial=trial,
    claims=(
        Claim("it finds cells that pass the filter", lambda seed: seed[SEARCH]["passed"] > 0,
              "the filter there: 5 of 26 symbols, 95 % right",
              lambda results: f"{results.median(SEARCH, 'passed'):.0f} of {results.size.candidates} pass (median)"),
        Claim("its winner keeps more than tanh (by 5 %)", lambda seed: seed[SEARCH]["fit"] > seed["tanh"]["fit"] + 0.05,
              "MUT1-3 beat tanh on every task", _told),
        Claim("its winner keeps more than GRU and LSTM (by 5 %)", lambda seed: seed[SEARCH]["fit"] > 0.05 + max(
              seed["GRU"]["fit"], seed["LSTM"]["fit"]), "MUT1-3 beat the GRU on some tasks", _told),
    ),
    figures=figures,
    quick=Size(seeds=1, candidates=3, length=2, values=4, gap=2, hidden=12, batch=16, updates=25),
    full=Size(seeds=5, pilots=1, candidates=24, length=3, values=8, gap=10, hidden=24, batch=16, updates=250),
    seconds=90,
)  # fmt: skip
