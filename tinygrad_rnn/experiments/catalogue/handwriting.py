"""Handwriting synthesis: a network writes words that it has never seen, letter by letter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...core import Tensor
from ...data import handwriting, handwriting_batch, one_hot_text
from ...nn.generative import PredictionNetwork, SynthesisNetwork, mdn_loss
from ...ops import sum as total
from ...optim import schedules
from ...pictures.charts import curve_chart
from ...pictures.handwriting import handwriting_picture, window_picture
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = (
    "memory", "gradient", "network", "recurrent", "hello", "quick", "brown", "foxes", "jumps", "lazy", "dogs",
    "better", "letter", "latter", "matter", "butter", "window", "winter", "number", "member", "paper", "river",
    "never", "seven", "eleven", "clever", "house", "mouse", "horse", "nurse", "purse", "light", "night", "right",
    "fight", "cat", "hat", "bat", "theory", "story", "yellow", "hollow", "follow", "vivid", "puzzle", "jazz",
)  # fmt: skip
SHOWN = 12  # words in the picture
PACE = 1 / 17  # letters a step: a letter of the font has about 17


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Learn strings of 2 or 3 random letters, each in another hand; then the log-loss of WORDS in hands that are new
    too, and what the network writes when it is given them as text."""
    rng = np.random.default_rng(seed)
    words = WORDS[: size.words]
    reads = arm.settings["window"]
    network = (SynthesisNetwork(len(LETTERS), size.hidden, mixtures=10, bumps=5, pace=PACE, rng=rng) if reads
               else PredictionNetwork(size.hidden, num_layers=2, mixtures=10, rng=rng))  # fmt: skip
    hands = np.random.default_rng([seed, 1])  # the same for both arms
    test = [(words[i : i + 23], *handwriting_batch(words[i : i + 23], hands)) for i in range(0, len(words), 23)]

    def nats(given: Any, x: np.ndarray, mask: np.ndarray) -> Tensor:
        """The log-loss of a step, on average."""
        y_hat = network(x[:-1], one_hot_text(given, LETTERS))[0] if reads else network(x[:-1])[0]
        weights = mask.astype(np.float32)
        return total(mdn_loss(y_hat, x[1:]) * (weights / weights.sum()))

    def loss(update: int) -> Tensor:
        strings = ["".join(rng.choice(list(LETTERS), rng.integers(2, 4))) for _ in range(size.batch)]
        return nats(strings, *handwriting_batch(strings, rng))

    assert rate is not None
    schedule = schedules.warm_up(schedules.linear(rate, size.updates), max(1, size.updates // 10))
    curve, _ = train(network.parameters(), loss, schedule, size.updates, every=max(1, size.updates // 30))
    with no_grad():
        steps = np.array([mask.sum() for _, _, mask in test])
        score = float(np.average([nats(*each).item() for each in test], weights=steps))
    return {"score": score, "curve": curve, **(_written(network, words, rng) if reads else {})}


def _written(network: Any, words: tuple[str, ...], rng: np.random.Generator) -> Outcome:
    """What it writes: how many of the words a judge reads back, in how many the window went over all letters in order,
    and some of them to be looked at."""
    written = network.write(one_hot_text(words, LETTERS), rng, bias=1.0, most=30 * max(map(len, words)))
    shown = [{"word": word, "strokes": np.round(strokes, 3).tolist(), "window": np.round(window, 3).tolist()}
             for word, (strokes, window) in zip(words[:SHOWN], written, strict=False)]  # fmt: skip
    return {
        "read": sum(_read(strokes, words) == word for word, (strokes, _) in zip(words, written, strict=True)),
        "ordered": sum(_ordered(window, len(word)) for word, (_, window) in zip(words, written, strict=True)),
        "words": len(words), "shown": shown,
    }  # fmt: skip


def _ordered(window: np.ndarray, letters: int) -> bool:
    """Does what the window reads most go from the first letter to the last, one after the other?"""
    looks = window[:, :letters].argmax(axis=1)
    return bool(np.unique(looks).size == letters and (np.diff(looks) >= 0).all()) if len(looks) else False


def _read(strokes: np.ndarray, words: tuple[str, ...]) -> str:
    """The judge: which of the words, written as the font has it and then sheared, stretched and turned to fit (by least
    squares, point by point), comes nearest to the strokes."""

    def points(steps: np.ndarray) -> np.ndarray:
        path = np.concatenate([np.zeros((1, 2)), np.cumsum(steps[:, :2], axis=0)])
        at = np.linspace(0, len(path) - 1, 150)
        return np.stack([*(np.interp(at, np.arange(len(path)), path[:, k]) for k in (0, 1)), np.ones(150)], axis=1)

    def misfit(word: str) -> float:
        font, drawn = points(handwriting(word)), points(strokes)[:, :2]
        rest = drawn - font @ np.linalg.lstsq(font, drawn, rcond=None)[0]
        return float((rest.var(axis=0) / (drawn.var(axis=0) + 1e-9)).sum())

    return min(words, key=misfit) if len(strokes) else ""


def figures(results: Results) -> dict[str, Any]:
    shown = results.of("window", "shown")[0]
    words = handwriting_picture(
        [(each["word"], each["strokes"]) for each in shown], "Words that the network had never seen, in its hand",
        "Small and grey: the text that it was given. The ink changes where its window goes on to the next letter. "
        "It has learned from strings of two or three random letters.", [each["window"] for each in shown], columns=3,
    )  # fmt: skip
    one = shown[min(1, len(shown) - 1)]
    window = window_picture(
        one["word"], one["strokes"], one["window"], f'What it reads while it writes "{one["word"]}"',
        "Nothing has told it where a letter begins: it has learned how far a letter's strokes go.",
    )  # fmt: skip
    curves = {arm: ([u for u, _ in curve], [loss for _, loss in curve])
              for arm in results.rates for curve in results.of(arm, "curve")[:1]}  # fmt: skip
    title = "Log-loss while learning, with and without the text (first seed)"
    return {"words": words, "window": window, "curves": curve_chart(curves, title, "update", "nats a step")}


def _share(seed: Mapping[str, Outcome], key: str) -> float:
    outcome = seed["window"]
    return float(outcome[key] / outcome["words"])


def _of(key: str) -> Any:
    return lambda results: f"{', '.join(map(str, results.of('window', key)))} of {results.of('window', 'words')[0]}"


EXPERIMENT = Experiment(
    title="Handwriting synthesis: writing words that it has never seen",
    chapter="generative",
    source="Graves 2013, section 5",
    about="Two LSTMs, a soft window on the text and a mixture of Gaussians learn the strokes of a cursive font, each "
    "time slanted, stretched and shaken otherwise, from strings of two or three random letters. Then they are given "
    "words (three of 46 have three letters, and may have come up). Look at what they write; a judge that compares it "
    "with each of the words reads it too: guessing, it would be right of one. The other arm is as large, and does not "
    "know the text.",
    arms=(Arm("window", (0.01,), {"window": True}), Arm("no text", (0.01,), {"window": False})),
    trial=trial,
    claims=(
        Claim("knowing the text lowers the log-loss, by 0.1 nats a step at least",
              lambda seed: seed["window"]["score"] < seed["no text"]["score"] - 0.1,
              "-1096.9 nats a line against -1041.0 for prediction (tables 3 and 4)",
              lambda results: f"{results.median('window'):.2f} against {results.median('no text'):.2f} nats a step"),
        Claim("it writes what one can read: the judge reads 8 of 10 words", lambda seed: _share(seed, "read") >= 0.8,
              "readable, by eye (figure 15 and after)", _of("read")),
        Claim("its window goes over all letters, in order, in 8 of 10 words",
              lambda seed: _share(seed, "ordered") >= 0.8, "by eye (figure 13)", _of("ordered")),
    ),
    figures=figures,
    quick=Size(seeds=1, hidden=24, batch=8, updates=25, words=6),
    full=Size(seeds=3, hidden=100, batch=32, updates=900, words=len(WORDS)),
    needs=("HersheyFonts",),
    seconds=420,
)  # fmt: skip
