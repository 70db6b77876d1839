"""Which cell, and how many layers? Character models of the same width, after the same number of updates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ... import nn
from ...core import Tensor
from ...course.charmodel import CharModel
from ...course.training import validate
from ...data import Batches, Vocabulary, split_files, stdlib_code
from ...pictures.charts import curve_chart
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

CHARACTERS = Vocabulary("\n" + "".join(map(chr, range(32, 127))))
NAMES = {"rnn": "tanh", "lstm": "LSTM", "gru": "GRU"}
GATED = ("LSTM", "GRU")


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train on some files of the standard library; the bits that a character of others costs."""
    rng = np.random.default_rng(seed)
    seen, held_out = (CHARACTERS.encode(text) for text in split_files(stdlib_code(), rng, 0.1, size.characters))
    model = CharModel(CHARACTERS, arm.settings["cell"], size.hidden, arm.settings["layers"], rng=rng)
    batches, unseen = Batches(seen, size.batch, size.steps), Batches(held_out, size.batch, size.steps)
    state: Any = None

    def loss(update: int) -> Tensor:
        nonlocal state
        window = (update - 1) % len(batches)
        value, state = model.loss(batches[window], state if window else None)
        state = nn.detach(state)
        return value

    def bits() -> float:
        return validate(model, unseen) or 0.0

    assert rate is not None
    curve, _ = train(model.parameters(), loss, rate, size.updates, every=max(1, size.updates // 6), check=bits)
    return {"score": curve[-1][1], "curve": curve}


def figures(results: Results) -> dict[str, Any]:
    curves = {}
    for arm in results.rates:
        points = np.mean(results.of(arm, "curve"), axis=0)
        curves[arm] = (points[:, 0], points[:, 1])
    title = "What a character held out costs, mean of the seeds"
    return {"bits": curve_chart(curves, title, "update", "bits a character")}


def _fewer(*pairs: tuple[str, str]) -> Callable[[Mapping[str, Outcome]], bool]:
    """Does the first of each pair cost fewer bits than the second?"""
    return lambda seed: all(seed[a]["score"] < seed[b]["score"] for a, b in pairs)


def _bits(*arms: str) -> Callable[[Results], str]:
    return lambda results: ", ".join(f"{arm} {results.median(arm):.2f}" for arm in arms) + " bits (medians)"


EXPERIMENT = Experiment(
    title="Cells and layers: what a character costs",
    chapter="inside",
    source="Karpathy, Johnson & Fei-Fei 2015, table 1",
    about="Tanh, LSTM and GRU networks of one layer and of two, all of the same width, learn the standard library's "
    "code for the same number of updates, and are compared on files held out. The paper trains to the end, many times "
    "through its texts; here it is a part of one time, so that what learns faster has the advantage.",
    arms=tuple(Arm(f"{name}, {layers}", (0.01, 0.03), {"cell": cell, "layers": layers})
               for layers in (1, 2) for cell, name in NAMES.items()),
    trial=trial,
    claims=(
        *(Claim(f"LSTM and GRU cost fewer bits than tanh, {layers} layer{'s' * (layers > 1)}",
                _fewer(*((f"{cell}, {layers}", f"tanh, {layers}") for cell in GATED)),
                "so in every column of the table", _bits(*(f"{cell}, {layers}" for cell in NAMES.values())))
          for layers in (1, 2)),
        Claim("two layers cost fewer bits than one, LSTM and GRU",
              _fewer(*((f"{cell}, 2", f"{cell}, 1") for cell in GATED)),
              "at least two layers are better", _bits(*(f"{cell}, {layers}" for cell in GATED for layers in (1, 2)))),
    ),
    figures=figures,
    quick=Size(seeds=1, characters=100_000, hidden=16, batch=16, steps=20, updates=25),
    full=Size(seeds=5, pilots=1, characters=1_500_000, hidden=64, batch=32, steps=50, updates=400),
    seconds=160,
)  # fmt: skip
