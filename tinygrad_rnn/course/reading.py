"""A character model at work: it reads a text, and every unit and every guess on the way is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import flow
from ..core import tensor
from ..data import Vocabulary, text_labels
from ..recording import no_grad
from .charmodel import CharModel, stream

WARM_UP, STRETCH, STREAMS = 100, 1000, 32  # of a search: characters not looked at, looked at; side by side


@dataclass(frozen=True, eq=False)
class Reading:
    """What a model did while it read N characters of a text: those at `places (N,)`, in the order of the text.

    `probabilities (N, V)`: what it then expected to come next. `recording` holds h, c and gates as (T, B, H), `T` steps
    of `B` stretches of the text side by side, of which the first `skipped` steps are not among the N.
    """

    text: str
    places: np.ndarray
    vocabulary: Vocabulary
    recording: flow.Recording
    probabilities: np.ndarray
    skipped: int

    def units(self, state: str = "h") -> np.ndarray:
        """(N, units): every unit's h, or c, after each character. Units of a second layer come after all of the
        first's. Raises ValueError where the model has no such state."""
        layers = [self.recording.of(state, k)[self.skipped :] for k in range(len(self.recording.parts))]
        return np.concatenate([a.transpose(1, 0, 2).reshape(-1, a.shape[2]) for a in layers], axis=1)

    def guesses(self, count: int = 5) -> list[list[tuple[str, float]]]:
        """For each character the `count` likeliest to come next, and their probabilities, the likeliest first."""
        best = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :count]
        chances = np.take_along_axis(self.probabilities, best, axis=1)
        return [[(self.vocabulary.chars[i], float(p)) for i, p in zip(row, ps, strict=True)]
                for row, ps in zip(best.tolist(), chances.tolist(), strict=True)]  # fmt: skip

    def surprises(self) -> np.ndarray:
        """(N,): -log2 of the probability that was given to what came next, in bits; NaN where the text ends."""
        after = self.places + 1
        known = after < len(self.text)
        ids = np.zeros(len(after), int)
        ids[known] = self.vocabulary.encode("".join(self.text[i] for i in after[known]))
        chances = np.take_along_axis(self.probabilities, ids[:, None], axis=1)[:, 0]
        return np.where(known, -np.log2(np.maximum(chances, 1e-300)), np.nan)


def read(model: CharModel, text: str, streams: int = 1, stretch: int | None = None, skip: int = 0) -> Reading:
    """Let the model read `text`, from a state of zeros.

    With several `streams` the text is cut into as many equal parts, which are read side by side, and so faster: of each
    `stretch` characters (None: all), of which the first `skip` only warm it up. Raises ValueError for a character that
    the model does not know, and a text that is too short.
    """
    ids = model.vocabulary.encode(text)
    part = len(ids) // streams
    length = part if stretch is None else min(part, stretch + skip)
    if length <= skip:
        raise ValueError(f"the text has {len(text)} characters, and {streams * (skip + 1)} are needed: give more text")
    places = np.arange(streams)[:, None] * part + np.arange(length)
    recording = flow.record(model.rnn, ids[places].T)
    with no_grad():
        h = tensor(recording.of("h")[skip:], device=model.head.W.device)
        logits = model.head(h).numpy().astype(np.float64)
    p = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p = (p / p.sum(axis=-1, keepdims=True)).transpose(1, 0, 2).reshape(-1, p.shape[-1])
    return Reading(text, places[:, skip:].reshape(-1), model.vocabulary, recording, p, skip)


def find_units(model: CharModel, text: str, held_out: str, state: str = "h", names: Sequence[str] | None = None,
               prose: bool = False,
               rng: np.random.Generator | None = None) -> dict[str, flow.Found | str]:  # fmt: skip
    """For each of `tg.data.text_labels` the unit that tracks it, chosen on `text` and scored on `held_out`; in its
    place words where there is nothing to search, as with no web address in the text. See `flow.search`."""
    rng = np.random.default_rng(0) if rng is None else rng
    sides = []
    for each in (text, held_out):
        streams = max(1, min(STREAMS, len(each) // (STRETCH + WARM_UP)))
        reading = read(model, each, streams, STRETCH, WARM_UP)
        targets = {name: y[reading.places] for name, y in text_labels(each, prose).items()}
        sides.append((reading.units(state), targets))
    (first, targets), (held, held_targets) = sides
    found: dict[str, flow.Found | str] = {}
    for name in targets if names is None else names:
        try:
            found[name] = flow.search(first, targets[name], held, held_targets[name], rng)
        except ValueError as why:
            found[name] = str(why).removeprefix("search: ")
    return found


@dataclass(frozen=True)
class Completion:
    """How a model goes on with a stem: `next` are the characters that it holds most likely to come next with their
    probabilities, `written` what it wrote, several times, up to the end of a line or so many characters."""

    stem: str
    next: list[tuple[str, float]]
    written: list[str]


def complete(model: CharModel, stem: str, count: int = 5, length: int = 60, temperature: float = 0.7,
             rng: np.random.Generator | None = None) -> Completion:  # fmt: skip
    """Let the model finish a stem `count` times: the lecture's "Sheila thrunges", after I. Sutskever, J. Martens & G.
    Hinton, "Generating Text with Recurrent Neural Networks" (2011). Raises ValueError for an empty stem, and as
    `charmodel.stream` does."""
    if not stem:
        raise ValueError("the stem is empty: give some characters to be completed")
    rng = np.random.default_rng() if rng is None else rng
    likely = read(model, stem).guesses(8)[-1]
    written = [_until_line_end(stream(model, stem, length, temperature, rng)) for _ in range(count)]
    return Completion(stem, likely, written)


def _until_line_end(characters: Any) -> str:
    line = ""
    for character in characters:
        if character == "\n":
            break
        line += character
    return line
