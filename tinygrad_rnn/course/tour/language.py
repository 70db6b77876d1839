"""Four networks learn to write from the same text at the same time: an Elman network, and LSTMs that differ in where
the bias of their forget gate starts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import nn, ops, optim
from ...data import Batches, Vocabulary, split
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..charmodel import CharModel, bits, sample
from ..render.blocks import Part, Picture, Prose, Samples
from . import captions, remarks
from .clock import Clock
from .memory import Memory, lag_picture, ledger_picture, remember, to_look_into

HIDDEN, BATCH, WINDOW, RATE, CLIP = 64, 16, 25, 1e-2, 1.0
LAGS, LAG_BATCH = 100, 16  # how far back the gradient is followed, on so many streams of text
SHORTEST = 40  # characters: fewer have no window to learn from
MILESTONES = (0.0, 0.05, 0.3, 1.0)  # shares of the time, at which each network writes
WRITES = 140  # characters
BIASES = (0.0, 1.0, 2.0)
Report = Callable[[str], None]


class Learner:
    """One of the networks, its optimizer and the state that it carries through the text."""

    def __init__(self, name: str, model: CharModel) -> None:
        self.name, self.model, self.state = name, model, None
        self.optimizer = optim.Adam(model.parameters(), lr=RATE)
        self.losses: list[float] = []
        self.written: list[tuple[int, str]] = []

    def read(self, window: np.ndarray, again: bool) -> None:
        """One update on a window (T + 1, B); `again`: the text begins anew after it."""
        self.model.zero_grad()
        loss, state = self.model.loss(window, self.state)
        loss.backward()
        optim.clip_grad_norm(self.model.parameters(), CLIP)
        self.optimizer.step()
        self.state = None if again else nn.detach(state)
        self.losses.append(bits(loss.item()))

    def write(self, seed: int) -> None:
        """A sample of what it can do by now."""
        text = sample(self.model, length=WRITES, temperature=0.7, rng=np.random.default_rng(seed))
        self.written.append((len(self.losses), text))


def language_parts(text: str, source: str, seed: int, seconds: float, device: str, report: Report) -> list[Part]:
    """Training and samples; then the gradients of the same networks before and after.

    Raises ValueError where the text is too short.
    """
    vocabulary, train, held_out, windows = prepared(text)
    learners = [
        Learner(
            name, CharModel(vocabulary, cell, HIDDEN, forget_bias=bias, device=device, rng=np.random.default_rng(seed))
        )
        for name, cell, bias in [("Elman", "rnn", 0.0), *((f"LSTM bias {b:g}", "lstm", b) for b in BIASES)]
    ]
    before = {each.name: followed(each.model, windows) for each in learners}
    clock = side_by_side(learners, train, seed, seconds)
    report(
        f"four networks read {len(learners[0].losses) * train.batch_size * train.seq_len:,} characters each in"
        f" {len(learners[0].losses)} updates; the last 5% of the text's {len(text):,} characters are held out"
    )
    after = {each.name: followed(each.model, windows) for each in learners}
    part = _trained(learners, train, held_out, source, len(text), clock.passed)
    part.numbers |= {"seed": seed, "vocabulary": len(vocabulary)}
    return [part, _reach(before, after)]


def check_length(text: str) -> None:
    """Raise ValueError where the text is too short to learn from."""
    if len(text) < SHORTEST:
        raise ValueError(
            f"the text has {len(text)} characters: the tour needs at least {SHORTEST}, and learns more from 100,000"
        )


def prepared(text: str) -> tuple[Vocabulary, Batches, Batches | None, np.ndarray]:
    """The text as windows to learn from, held-out ones (None where too few), and windows (T + 1, B) to follow the
    gradient on. Short texts get fewer and shorter ones."""
    check_length(text)
    vocabulary = Vocabulary.of(text)
    ids = vocabulary.encode(text)
    learn, held = split(ids, 0.05)
    train = fitting(learn, BATCH, WINDOW)
    held_out = fitting(held, BATCH, 50) if len(held) > 500 else None
    return vocabulary, train, held_out, fitting(learn, LAG_BATCH, LAGS)[0]


def fitting(ids: np.ndarray, batch: int, window: int) -> Batches:
    """Windows of that length or, from a short text, as long as it allows."""
    window = min(window, len(ids) - 1)
    return Batches(ids, max(1, min(batch, len(ids) // (window + 1))), window)


def side_by_side(learners: list[Learner], train: Batches, seed: int, seconds: float) -> Clock:
    """One update each in turn on the same window, until the time is over: the same data and the same updates."""
    clock, due = Clock(seconds), list(MILESTONES)
    while clock:
        while due and clock.share >= due[0] and due[0] < 1:
            due.pop(0)
            for each in learners:
                each.write(seed)
        i = (clock.rounds - 1) % len(train)
        for each in learners:
            each.read(train[i], again=i + 1 == len(train))
    for each in learners:
        each.write(seed)
    return clock


def held_out_bits(model: CharModel, held_out: Batches | None) -> float | None:
    """Bits per character on text that was not learned from; None where there is too little of it."""
    if held_out is None:
        return None
    state, losses = None, []
    with no_grad():
        for i in range(min(4, len(held_out))):
            loss, state = model.loss(held_out[i], state)
            losses.append(bits(loss.item()))
    return float(np.mean(losses))


def followed(model: CharModel, window: np.ndarray) -> Memory:
    """The gradient of the last character's loss alone, back through the whole window."""
    (model,) = to_look_into(model)
    logits, _ = model(window[:-1])
    loss = ops.cross_entropy(logits[-1], window[-1])
    return remember(loss, model.rnn.layers[0].forward.W_hh)


def smoothed(losses: list[float], points: int = captions.CURVE) -> tuple[np.ndarray, np.ndarray]:
    """Means over stretches of updates: (update, loss)."""
    parts = np.array_split(np.arange(1, len(losses) + 1), min(points, len(losses)))
    return np.array([p.mean() for p in parts]), np.array([np.mean([losses[i - 1] for i in p]) for p in parts])


def _trained(
    learners: list[Learner], train: Batches, held_out: Batches | None, source: str, characters: int, seconds: float
) -> Part:
    updates = len(learners[0].losses)
    curves = {each.name: smoothed(each.losses) for each in learners}
    models: dict[str, Any] = {
        each.name: {
            "first": each.losses[0],
            "last": float(np.mean(each.losses[-max(1, updates // 20) :])),
            "held_out": held_out_bits(each.model, held_out),
            "parameters": each.model.count_parameters(),
            "samples": [{"update": n, "text": text} for n, text in each.written],
            "curve": {"update": curves[each.name][0], "bits": curves[each.name][1]},
        }
        for each in learners
    }
    V = len(learners[0].model.vocabulary)
    numbers: dict[str, Any] = {
        "source": source,
        "characters": characters,
        "updates": updates,
        "seconds": seconds,
        "hidden_size": HIDDEN,
        "batch_size": train.batch_size,
        "window": train.seq_len,
        "learning_rate": RATE,
        "clip": CLIP,
        "read": updates * train.batch_size * train.seq_len,
        "bits_knowing_nothing": math.log2(V),
        "models": models,
    }
    part = Part("language", "Learning to write", captions.language_summary(numbers), numbers=numbers)
    chart = curve_chart(curves, "Four networks learn the same text", "update", "bits per character", about="")
    part.blocks = [
        Prose(captions.language_setting(numbers)),
        Picture("language_loss", chart, captions.language(numbers)),
        Prose(remarks.SAMPLES),
    ]
    part.blocks += [
        Samples(each.name, [(f"after {n} updates" if n else "before training", s) for n, s in each.written])
        for each in learners
    ]
    return part


def _reach(before: dict[str, Memory], after: dict[str, Memory]) -> Part:
    facts = {name: m.facts for name, m in before.items()}
    later = {name: m.facts for name, m in after.items()}
    part = Part("reach", "How far back the gradient reaches", captions.reach_summary(facts, later))
    part.blocks = [
        Prose(remarks.REACH_INTRODUCTION),
        Picture("reach_before", lag_picture(before, "Before training: the gradient by lag"), captions.lags(facts)),
        Picture("ledger_before", ledger_picture(before, "Before training: which steps paid"), captions.ledgers(facts)),
        Picture(
            "reach_after",
            lag_picture(after, "After learning the text: the gradient by lag"),
            captions.lags_after(facts, later),
        ),
        Picture(
            "ledger_after", ledger_picture(after, "After learning the text: which steps paid"), captions.ledgers(later)
        ),
    ]
    part.numbers = {
        "before": {name: m.numbers for name, m in before.items()},
        "after": {name: m.numbers for name, m in after.items()},
    }
    return part
