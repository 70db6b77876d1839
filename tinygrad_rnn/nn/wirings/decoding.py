"""From a model that gives the next symbol's logits to a sequence: the likeliest symbol each time, a random one, or the
likeliest sequences that a beam finds.

A model is a function `logits, state = step(symbols, state, t)`: symbols (N,) said last, the state before (Tensors whose
first axis is N, nested in tuples, or None), the number t of the step; logits (N, V). Nothing here is recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ... import ops
from ...recording import no_grad

Step = Callable[[np.ndarray, Any, int], tuple[Any, Any]]


def greedy(step: Step, state: Any, batch: int, *, start: int, max_len: int,
           end: int = 0) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Say the likeliest symbol each time: `symbols (T, B)`, T <= max_len, and the logarithm of their probability (B,).

    A sequence is over with its first `end`, which counts in the probability; after it stands `end` again. The likeliest
    symbols need not make the likeliest sequence: see `beam_search`. Raises ValueError where max_len < 1.
    """
    return _say(step, state, batch, start, max_len, end, lambda log_p: log_p.argmax(axis=1))


def sample(step: Step, state: Any, batch: int, rng: np.random.Generator, *, start: int, max_len: int, end: int = 0,
           temperature: float = 1.0) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Say a random symbol each time, of the probabilities softmax(logits / temperature); gives what `greedy` gives, the
    logarithm being that of the model's own probability (temperature 1).

    Raises ValueError where temperature <= 0 or max_len < 1.
    """
    if not temperature > 0:
        raise ValueError(f"sample: temperature must be above 0, not {temperature}: near 0 is the likeliest symbol")
    return _say(step, state, batch, start, max_len, end, lambda log_p: draw(log_p / temperature, rng))


def draw(logits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One symbol (N,) for each row of logits (N, V), of the probabilities softmax(logits)."""
    below = ops.softmax(logits).cumsum(axis=1)
    return (below > rng.random((len(logits), 1)) * below[:, -1:]).argmax(axis=1)


def _say(step: Step, state: Any, batch: int, start: int, max_len: int, end: int,
         choose: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    _check(max_len)
    symbols, log_p = np.full(batch, start), np.zeros(batch)
    ended, said = np.zeros(batch, bool), []
    with no_grad():
        for t in range(max_len):
            logits, state = step(symbols, state, t)
            each = _log_p(logits)
            symbols = np.where(ended, end, choose(each))
            log_p += np.where(ended, 0, each[np.arange(batch), symbols])
            said.append(symbols)
            ended |= symbols == end
            if ended.all():
                break
    return np.array(said), log_p


class Beams(NamedTuple):
    """What `beam_search` found, for each of B sources the W best, the best first: `symbols (T, B, W)`, with `end` from
    its first on, the logarithms `log_p (B, W)` of their probabilities, and `scores (B, W)`, by which they are ranked.
    Where there are fewer than W sequences, log_p is -inf."""

    symbols: np.ndarray
    log_p: np.ndarray
    scores: np.ndarray


def beam_search(step: Step, state: Any, batch: int, *, start: int, width: int, max_len: int, alpha: float = 0.0,
                end: int = 0) -> Beams:  # fmt: skip
    """Keep the `width` best beginnings of a sequence, lengthen each by every symbol, keep the best again, until all
    have ended or are max_len long (Sutskever, Vinyals & Le 2014, section 3.2; Graves 2012).

    The score is log p / length^alpha, `end` counted; each symbol more makes a sequence less likely, so that alpha = 0
    favours short ones. Those that have ended stay in the beam and compete. Width 1 is `greedy`; a width of all
    sequences is exhaustive search. All beams of all sources are one batch. Raises ValueError where width or max_len
    < 1.
    """
    _check(max_len, width)
    state = rows(state, np.repeat(np.arange(batch), width))
    last = np.full((batch, width), start)
    symbols = np.zeros((0, batch, width), int)
    log_p = np.where(np.arange(width) == 0, 0.0, -np.inf) + np.zeros((batch, 1))  # the beams begin as one
    length, ended = np.zeros((batch, width), int), np.zeros((batch, width), bool)
    source = np.arange(batch)[:, None]
    with no_grad():
        for t in range(max_len):
            logits, state = step(last.reshape(-1), state, t)
            each = _log_p(logits).reshape(batch, width, -1)
            each[ended] = -np.inf
            each[ended, end] = 0  # what has ended says END for nothing, and is not lengthened
            length = length + ~ended
            total = log_p[..., None] + each
            score = (total / length[..., None] ** alpha).reshape(batch, -1)
            best = np.argsort(-score, axis=1, kind="stable")[:, :width]
            parent, last = np.divmod(best, each.shape[2])
            log_p = total.reshape(batch, -1)[source, best]
            symbols = np.concatenate([symbols[:, source, parent], last[None]])
            length, ended = length[source, parent], ended[source, parent] | (last == end)
            state = rows(state, (source * width + parent).reshape(-1))
            if ended.all():
                break
    return Beams(symbols, log_p, log_p / length**alpha)


def rows(state: Any, index: np.ndarray) -> Any:
    """A state, however nested in tuples, for the samples that `index` names: one may be named often, or not at all."""
    if state is None:
        return None
    if isinstance(state, (tuple, list)):
        return tuple(rows(part, index) for part in state)
    return ops.getitem(state, index)


def _log_p(logits: Any) -> np.ndarray:
    return np.asarray(ops.log_softmax(logits.numpy().astype(np.float64)))


def _check(max_len: int, width: int = 1) -> None:
    if max_len < 1 or width < 1:
        raise ValueError(f"decoding: max_len and width must be at least 1, not {max_len} and {width}")
