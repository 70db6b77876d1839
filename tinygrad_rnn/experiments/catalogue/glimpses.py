"""Glimpses: a digit that does not move, read as a sequence of small looks."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...core import Tensor
from ...data import digits, random_split
from ...nn.generative import GlimpseReader
from ...optim import schedules
from ...pictures.charts import curve_chart
from ...pictures.frames import frames_picture
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

SHOWN = 5  # digits in the picture


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Learn to name digits from `glimpses` looks of N x N numbers; the share of wrong names among digits held out."""
    rng = np.random.default_rng(seed)
    images, labels, _ = digits()
    images = images[:, 0]
    learned, held_out = random_split(len(images), 0.25, rng)
    reader = GlimpseReader(8, 8, 10, size.hidden, rng=rng, **arm.settings)

    def loss(update: int) -> Tensor:
        chosen = rng.choice(learned, size.batch)
        return ops.cross_entropy(reader(images[chosen])[0], labels[chosen])

    def wrong() -> float:
        with no_grad():
            return float((reader(images[held_out])[0].numpy().argmax(axis=1) != labels[held_out]).mean())

    assert rate is not None
    curve, _ = train(reader.parameters(), loss, schedules.linear(rate, size.updates), size.updates,
                     every=max(1, size.updates // 20), check=wrong)  # fmt: skip
    with no_grad():
        _, windows = reader(images[held_out[:SHOWN]])
    places = [[(*(float(part.numpy()[i, 0]) for part in (w.x, w.y)), float(w.stride.numpy()[i, 0])) for w in windows]
              for i in range(SHOWN)]  # fmt: skip
    seen = [[w.read(images[held_out[:SHOWN]]).numpy()[i] for w in windows] for i in range(SHOWN)]
    moved = float(np.std([w.x.numpy() + w.y.numpy() for w in windows], axis=1).mean())
    return {"score": curve[-1][1], "curve": curve, "digits": np.round(images[held_out[:SHOWN]], 2).tolist(),
            "places": np.round(places, 2).tolist(), "seen": np.round(seen, 2).tolist(), "moved": moved}  # fmt: skip


def figures(results: Results) -> dict[str, Any]:
    one = results.seeds[0]["learned"]
    N = len(one["seen"][0][0])
    rows, frames = [], []
    for i, (digit, places) in enumerate(zip(one["digits"], one["places"], strict=True)):
        rows.append((f"digit {i + 1}", [digit] * len(places)))
        frames.append([(x, y, stride * (N - 1) + 1, stride * (N - 1) + 1) for x, y, stride in places])
    columns = [f"look {t + 1}" for t in range(len(frames[0]))]
    about = f"The same digit in each row; dashed and red, where the grid of {N} x {N} filters is at each look. The " \
            "first is the same for all; from then on it depends on what was seen."  # fmt: skip
    looks = frames_picture(rows, "Where it looks", about, columns, reads=frames)
    curves = {arm: ([u for u, _ in curve], [wrong for _, wrong in curve])
              for arm in results.rates for curve in results.of(arm, "curve")[:1]}  # fmt: skip
    return {"looks": looks, "wrong": curve_chart(curves, "Digits misread while learning (first seed)", "update",
                                                 "share wrong")}


def _wrong(*arms: str) -> Any:
    return lambda results: ", ".join(f"{arm}: {results.median(arm):.1%} wrong" for arm in arms) + " (medians)"


EXPERIMENT = Experiment(
    title="Glimpses: finding sequence where there is none",
    chapter="generative",
    source="Gregor et al. 2015, section 4.1; the lecture on finding sequence in the absence of sequence",
    about="A digit of 8 x 8 points is all there at once. An LSTM sees of it only 2 x 2 numbers at a time, through a "
    "window of Gaussian filters: once, four times in a fixed scan, or four times where it wants to look, which "
    "gradients teach it. A last one sees 4 x 4 numbers at once, as many as four looks have.",
    arms=(
        Arm("learned", (0.01, 0.02), {"N": 2, "glimpses": 4, "look": "learned"}),
        Arm("fixed scan", (0.01, 0.02), {"N": 2, "glimpses": 4, "look": "fixed"}),
        Arm("one look", (0.01, 0.02), {"N": 2, "glimpses": 1, "look": "fixed"}),
        Arm("one look of 4 x 4", (0.01, 0.02), {"N": 4, "glimpses": 1, "look": "fixed"}),
    ),
    trial=trial,
    claims=(
        Claim("four looks make less than half the mistakes of one",
              lambda seed: max(seed["learned"]["score"], seed["fixed scan"]["score"]) < seed["one look"]["score"] / 2,
              "no figure: images were read and painted as sequences", _wrong("learned", "fixed scan", "one look")),
        Claim("choosing where to look is better than a fixed scan",
              lambda seed: seed["learned"]["score"] < seed["fixed scan"]["score"],
              "cluttered MNIST, 8 glimpses: 3.36 % wrong with DRAW's attention (table 1)",
              _wrong("learned", "fixed scan")),
        Claim("where it looks depends on what it has seen", lambda seed: seed["learned"]["moved"] > 0.1, "by eye",
              lambda results: f"places differ by {results.median('learned', 'moved'):.2f} pixels (standard deviation)"),
    ),
    figures=figures,
    quick=Size(seeds=1, hidden=16, batch=16, updates=40),
    full=Size(seeds=5, pilots=1, hidden=64, batch=64, updates=1000),
    needs=("sklearn",),
    seconds=100,
)  # fmt: skip
