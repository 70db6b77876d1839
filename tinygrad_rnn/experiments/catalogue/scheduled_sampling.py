"""What a decoder reads while it learns: the truth, its own words, or first the one and then the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor
from ...nn.wirings import scheduled_sampling
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

SYMBOLS = 8


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train an encoder-decoder to copy `size.length` random symbols; the share that it says wrong, each time reading
    what it said before, of 300 new sequences."""
    rng = np.random.default_rng(seed)
    model = nn.EncoderDecoder(SYMBOLS + 1, SYMBOLS + 1, size.hidden, reverse=True, rng=rng)
    schedule = arm.settings["schedule"]

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        source = rng.integers(1, SYMBOLS + 1, (size.length, count))
        return source, np.concatenate([source, np.zeros((1, count), int)])  # 0 is END

    def truth(update: int) -> float:
        """The probability with which the decoder reads the true symbol."""
        return scheduled_sampling(update, size.updates, "linear", 0.0) if schedule is None else float(schedule)

    def loss(update: int) -> Tensor:
        source, target = draw(size.batch)
        return ops.sequence_loss(model(source, target, teacher=truth(update), rng=rng), target, "mean")

    source, target = draw(300)

    def wrong() -> np.ndarray:
        """By place, in what it says alone."""
        said, _ = model.greedy(source, max_len=size.length)
        said = np.concatenate([said, np.zeros((size.length - len(said), 300), int)])
        return np.asarray((said != target[:-1]).mean(axis=1))

    assert rate is not None
    curve, _ = train(model.parameters(), loss, rate, size.updates, every=max(1, size.updates // 15),
                     check=lambda: float(wrong().mean()))  # fmt: skip
    with no_grad():
        forced = ops.sequence_loss(model(source, target), target, "mean").item()
    return {"score": curve[-1][1], "curve": curve, "by place": wrong().tolist(), "forced": forced}


def figures(results: Results) -> dict[str, Any]:
    curves = {f"{arm}, seed {i + 1}": ([u for u, _ in curve], [wrong for _, wrong in curve])
              for arm in results.rates for i, curve in enumerate(results.of(arm, "curve")[:2])}  # fmt: skip
    places = {arm: (np.arange(1.0, results.size.length + 1), np.mean(results.of(arm, "by place"), axis=0))
              for arm in results.rates}  # fmt: skip
    return {
        "wrong": curve_chart(curves, "Copying, each time reading its own last symbol", "update", "share said wrong"),
        "by_place": curve_chart(places, "Where it goes wrong, at the end of training", "place in the sequence",
                                "share said wrong, mean of the seeds"),
    }  # fmt: skip


def _wrong(results: Results) -> str:
    return ", ".join(f"{arm} {results.median(arm):.1%}" for arm in results.rates) + " wrong (medians)"


def _forced(results: Results) -> str:
    return ", ".join(f"{arm} {results.median(arm, 'forced'):.2f}" for arm in results.rates) + " nats (medians)"


EXPERIMENT = Experiment(
    title="Teacher forcing, scheduled sampling, free running",
    chapter="wirings",
    source="Bengio, Vinyals, Jaitly & Shazeer 2015; Williams & Zipser 1989",
    about="A decoder that learns from the true symbols reads its own when it is used, and a first mistake may lead to "
    "others. Scheduled sampling replaces the true symbol by a drawn one, more and more often. Here the task is to "
    "copy; all have the same updates, and are judged by what they say alone.",
    arms=(Arm("teacher forcing", (0.005, 0.015), {"schedule": 1}), Arm("scheduled", (0.005, 0.015), {"schedule": None}),
          Arm("free running", (0.005, 0.015), {"schedule": 0})),
    trial=trial,
    claims=(
        Claim("scheduled sampling makes fewer mistakes than teacher forcing",
              lambda seed: seed["scheduled"]["score"] < seed["teacher forcing"]["score"],
              "captions, MSCOCO: BLEU-4 30.6 against 28.8 (table 1)", _wrong),
        Claim("free running from the start makes the most",
              lambda seed: seed["free running"]["score"]
              > max(seed["scheduled"]["score"], seed["teacher forcing"]["score"]),
              "BLEU-4 11.2 (table 1, always sampling)", _wrong),
        Claim("told the true symbols, the one that was taught with them is the best",
              lambda seed: seed["teacher forcing"]["forced"]
              < min(seed["scheduled"]["forced"], seed["free running"]["forced"]),
              "no figure", _forced),
    ),
    figures=figures,
    quick=Size(seeds=1, length=4, hidden=16, batch=16, updates=40),
    full=Size(seeds=5, pilots=1, length=8, hidden=48, batch=32, updates=400),
    seconds=60,
)  # fmt: skip
