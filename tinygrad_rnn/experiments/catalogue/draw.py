"""DRAW: digits painted in several steps, with and without a window to read and write through, and in one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...core import Tensor
from ...data import digits, random_split
from ...nn.generative import DRAW, Window
from ...optim import schedules
from ...pictures.charts import curve_chart
from ...pictures.frames import Frame, frames_picture
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

SHOWN = 5  # images in a picture
DRAWS = 5  # of z, over which the bound is averaged


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Learn digits of two grey levels, 8 x 8, by their bound; then the bound of those held out, what each canvas on the
    way would cost, and what it paints."""
    rng = np.random.default_rng(seed)
    images = (digits().images[:, 0] >= 0.5).astype(np.float32)
    learned, held_out = random_split(len(images), 0.15, rng)
    steps, attention = (size.steps if arm.settings["several"] else 1), arm.settings["attention"]
    model = DRAW(8, 8, size.hidden, size.latent, steps, attention, rng=rng)

    def loss(update: int) -> Tensor:
        return model.loss(images[rng.choice(learned, size.batch)], rng).mean()

    assert rate is not None
    updates = size.updates * arm.settings.get("longer", 1)
    curve, _ = train(model.parameters(), loss, schedules.linear(rate, updates), updates, clip=5.0,
                     every=max(1, updates // 30))  # fmt: skip
    test = images[held_out]
    with no_grad():
        score = float(np.mean([model.loss(test, rng).numpy().mean() for _ in range(DRAWS)]))
        seen, painted = model(test, rng), model.paint(rng, SHOWN)
    wrong = [ops.binary_cross_entropy(canvas, test, "sum").item() / len(test) for canvas in seen.canvases]
    reads, writes = (np.array([[_frame(window, i) for window in windows] for i in range(SHOWN)])
                     for windows in (seen.reads, seen.writes))  # fmt: skip
    return {
        "score": score, "curve": curve, "canvas": wrong,
        "divergence": [float(part.mean().item()) for part in seen.divergences],
        "painted": np.round(painted.frames().swapaxes(0, 1), 2).tolist(), "read": np.round(reads, 2).tolist(),
        "written": np.round(writes, 2).tolist(), "digits": test[:SHOWN].tolist(),
        "seen": np.round(seen.frames()[:, :SHOWN].swapaxes(0, 1), 2).tolist(),
    }  # fmt: skip


def _frame(window: Window, i: int) -> Frame:
    """The part of image i that the window covers: from its first to its last filter."""
    x, y, stride = (float(part.numpy()[i, 0]) for part in (window.x, window.y, window.stride))
    side = stride * (window.F_x.shape[1] - 1) + 1
    return x, y, side, side


def figures(results: Results) -> dict[str, Any]:
    first = results.seeds[0]
    charts = {}
    for arm in ("no attention", "attention"):
        painted = first[arm]["painted"]
        columns = [f"step {t + 1}" for t in range(len(painted[0]))]
        charts[f"painted-{arm.replace(' ', '-')}"] = frames_picture(
            [(f"sample {i + 1}", frames) for i, frames in enumerate(painted)],
            f"Digits that it makes up, step by step ({arm})",
            "Each row is one new digit; the canvas, as the probability of ink, after each step.", columns,
        )  # fmt: skip
    one = first["attention"]
    frames = [[digit, *seen] for digit, seen in zip(one["digits"], one["seen"], strict=True)]
    charts["attention"] = frames_picture(
        [(f"digit {i + 1}", row) for i, row in enumerate(frames)], "Where it looks and where it paints",
        "Left: the digit that it is shown. Then its canvas after each step; dashed and red, the part of the digit that "
        "it has just read; solid and green, the part of the canvas that it has just painted.",
        ["shown", *[f"step {t + 1}" for t in range(len(frames[0]) - 1)]],
        [[None, *map(tuple, row)] for row in one["read"]], [[None, *map(tuple, row)] for row in one["written"]],
    )  # fmt: skip
    curves = {arm: ([u for u, _ in curve], [loss for _, loss in curve])
              for arm in results.rates for curve in results.of(arm, "curve")[:1]}  # fmt: skip
    charts["curves"] = curve_chart(curves, "Bound on the cost of a digit, while learning (first seed)", "update",
                                   "nats")
    return charts


def _canvases(results: Results) -> str:
    first, *_, last = np.mean(results.of("no attention", "canvas"), axis=0)
    return f"canvas alone: {first:.1f} nats after the first step, {last:.1f} after the last"


EXPERIMENT = Experiment(
    title="DRAW: painting digits in several steps",
    chapter="generative",
    source="Gregor et al. 2015, sections 2, 3 and 4.2; the lecture on finding sequence where there is none",
    about="A recurrent variational auto-encoder reads a digit and paints it in eight steps, through windows of 5 x 5 "
    "Gaussian filters or on the whole canvas; in one step it is an ordinary variational auto-encoder of the same size, "
    "and four times as fast. What counts is the bound on -log p of digits held out, in nats a digit (64 pixels, black "
    "or white).",
    arms=(
        Arm("no attention", (0.01, 0.02), {"several": True, "attention": None}),
        Arm("attention", (0.01, 0.02), {"several": True, "attention": 5}),
        Arm("one step", (0.01, 0.02), {"several": False, "attention": None}),
        Arm("one step, four times as long", (0.01, 0.02), {"several": False, "attention": None, "longer": 4}),
    ),
    trial=trial,
    claims=(
        Claim("eight steps have a better bound than one, after as many updates",
              lambda seed: seed["no attention"]["score"] < seed["one step"]["score"],
              "no figure for one step; MNIST without attention: 87.4 nats (table 2; not verified)",
              lambda results: f"{results.median('no attention'):.1f} against {results.median('one step'):.1f} nats"),
        Claim("and in about the same time, when one step gets four times the updates",
              lambda seed: seed["no attention"]["score"] < seed["one step, four times as long"]["score"],
              "no figure: the paper has none for time",
              lambda results: f"{results.median('no attention'):.1f} against "
              f"{results.median('one step, four times as long'):.1f} nats"),
        Claim("attention makes the bound better still",
              lambda seed: seed["attention"]["score"] < seed["no attention"]["score"],
              "MNIST, 64 steps: 80.97 against 87.4 nats (table 2; not verified)",
              lambda results: f"{results.median('attention'):.1f} against {results.median('no attention'):.1f} nats"),
        Claim("the picture gets better with each step",
              lambda seed: bool((np.diff(seed["no attention"]["canvas"]) < 0).all()), "by eye (figure 7)", _canvases),
    ),
    figures=figures,
    quick=Size(seeds=1, hidden=16, latent=4, steps=3, batch=16, updates=15),
    full=Size(seeds=5, pilots=1, hidden=64, latent=8, steps=8, batch=64, updates=600),
    needs=("sklearn",),
    seconds=250,
)  # fmt: skip
