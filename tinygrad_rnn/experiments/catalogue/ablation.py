"""A search-space odyssey, in small: what of an LSTM can be left out, on the adding problem."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import nn
from ...pictures.charts import curve_chart
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from .adding import SOLVED, add_up, curves_of

VARIANTS = ("vanilla", "NIG", "NFG", "NOG", "NIAF", "NOAF", "NP", "CIFG", "FGR")


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train this variant of the LSTM with peepholes to add."""
    assert rate is not None
    rng = np.random.default_rng(seed)
    layer = nn.Recurrent(2, size.hidden, cell=nn.LSTMVariantCell, variant=arm.name, rng=rng)
    return add_up(layer, rate, rng, size)


def figures(results: Results) -> dict[str, Any]:
    title = f"Adding two of {results.size.T} numbers, by variants of the LSTM"
    about = "The first seed. Medians at the end, from who learned fastest on:\n" + _ranked(results).replace(", ", "\n")
    return {"error": curve_chart(curves_of(results), title, "update", "mean squared error", log=True, about=about)}


def _ranked(results: Results) -> str:
    """The variants' median errors at the end, from whoever learned fastest on."""
    return ", ".join(f"{arm} {results.median(arm, 'error'):.3f}"
                     for arm in sorted(results.rates, key=lambda arm: results.median(arm, "score")))  # fmt: skip


def _near(seed: Any, arm: str) -> bool:
    """Is this variant as good as the vanilla one: solved too, or half as much error more at most?"""
    return bool(seed[arm]["error"] < max(SOLVED, 1.5 * seed["vanilla"]["error"]))


EXPERIMENT = Experiment(
    title="What of an LSTM can be left out",
    chapter="cells",
    source="Greff, Srivastava, Koutnik, Steunebrink & Schmidhuber 2015",
    about="The LSTM with peepholes, and the eight variants of the paper: without input, forget or output gate (NIG, "
    "NFG, NOG), without activation at input or output (NIAF, NOAF), without peepholes (NP), with coupled gates (CIFG), "
    "with gates that hear gates (FGR). The paper has speech, handwriting and music; here it is two numbers to be "
    "added, and the order of the variants is that of this task at this size. As good as vanilla is who solves it "
    "(error below 0.01), or has no more than 1.5 times its error.",
    arms=tuple(Arm(name, (0.01, 0.03)) for name in VARIANTS),
    trial=trial,
    claims=(
        Claim("no variant learns much better than vanilla (1.5 times)", lambda seed: all(
              seed["vanilla"]["score"] < 1.5 * seed[arm]["score"] for arm in VARIANTS),
              "none significantly (speech, handwriting, music)",
              lambda results: "mean error while learning: " + ", ".join(
                  f"{arm} {results.median(arm):.3f}" for arm in
                  dict.fromkeys([*sorted(VARIANTS, key=results.median)[:3], "vanilla"]))),
        Claim("coupled gates (CIFG) do no harm", lambda seed: _near(seed, "CIFG"), "no significant change",
              lambda results: f"CIFG {results.median('CIFG', 'error'):.3f}, vanilla "
                              f"{results.median('vanilla', 'error'):.3f} (median errors)"),
        Claim("nor does the lack of peepholes (NP)", lambda seed: _near(seed, "NP"), "no significant change",
              lambda results: f"NP {results.median('NP', 'error'):.3f}, vanilla "
                              f"{results.median('vanilla', 'error'):.3f} (median errors)"),
        Claim("without a forget gate it is worse", lambda seed: not _near(seed, "NFG"), "significantly worse",
              lambda results: f"NFG {results.median('NFG', 'error'):.3f}, vanilla "
                              f"{results.median('vanilla', 'error'):.3f} (median errors)"),
        Claim("without output activation (NOAF) it is worse", lambda seed: not _near(seed, "NOAF"),
              "significantly worse", lambda results: f"NOAF {results.median('NOAF', 'error'):.3f}, vanilla "
                                                     f"{results.median('vanilla', 'error'):.3f} (median errors)"),
    ),
    figures=figures,
    quick=Size(seeds=1, T=10, hidden=8, batch=16, updates=25),
    full=Size(seeds=5, pilots=1, T=30, hidden=16, batch=16, updates=300),
    seconds=155,
)  # fmt: skip
