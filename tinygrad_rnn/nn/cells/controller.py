"""A recurrent network that writes cells, and learns from how well they do (Zoph & Le 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import ops
from ...core import Tensor
from ...recording import no_grad, step
from ..layers import Embedding, Generator, Linear
from ..module import Module
from .lstm import LSTMCell


class Controller(Module):
    """An LSTM that writes `len(choices)` tokens one by one, token k below `choices[k]`, each knowing those before it:
    a distribution over sequences (Zoph & Le 2017, section 3.1).

    Its input is the token before, embedded; each place has its own readout. Readouts start at zero, so that at first
    all sequences are as likely. Raises ValueError where there is no choice.

    >>> controller = Controller((2, 3), hidden_size=4, rng=0)
    >>> tokens = controller.sample(5, np.random.default_rng(0))
    >>> tokens.shape, controller.log_prob(tokens).shape
    ((5, 2), (5,))
    """

    def __init__(self, choices: Sequence[int], hidden_size: int = 16, *, dtype: Any = np.float32,
                 device: str | None = None, rng: Generator = None, name: str = "controller") -> None:  # fmt: skip
        if not choices or min(choices) < 1:
            raise ValueError(f"Controller: choices say how many each token has, at least 1, not {list(choices)}")
        self.name, self.choices = name, tuple(choices)
        draw = np.random.default_rng(rng)
        self._starts = np.cumsum([1, *choices[:-1]])  # of each place's tokens in the table; row 0 is the start
        self.embedding = Embedding(1 + sum(choices), hidden_size, dtype=dtype, device=device, rng=draw)
        self.cell = LSTMCell(hidden_size, hidden_size, dtype=dtype, device=device, rng=draw)
        self.heads = [Linear(hidden_size, n, dtype=dtype, device=device, rng=draw) for n in choices]
        for head in self.heads:
            head.W.data = head.W.data * 0

    def forward(self, tokens: Any) -> list[Tensor]:
        """The logits (N, choices[k]) of each place k, for tokens (N, len(choices)), of which place k sees those before
        it."""
        tokens = self._checked(tokens)
        state, logits = None, []
        before = np.zeros(len(tokens), np.int64)
        for k in range(len(self.choices)):
            with step(k):
                logits_k, state = self._place(k, before, state)
            logits.append(logits_k)
            before = self._starts[k] + tokens[:, k]
        return logits

    def log_prob(self, tokens: Any) -> Tensor:
        """The logarithm (N,) of the probability of each sequence of tokens (N, len(choices)); differentiable.

        Raises ValueError for tokens of another shape or without that choice.
        """
        tokens = self._checked(tokens)
        total: Any = 0
        for k, logits in enumerate(self(tokens)):
            total = total - ops.cross_entropy(logits, tokens[:, k], reduction="none")
        return total

    def sample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """`count` sequences, integers (count, len(choices)), drawn as likely as the controller makes them."""
        tokens = np.zeros((count, len(self.choices)), np.int64)
        state, before = None, np.zeros(count, np.int64)
        with no_grad():
            for k in range(len(self.choices)):
                logits, state = self._place(k, before, state)
                cumulative = np.cumsum(ops.softmax(logits).numpy(), axis=1, dtype=np.float64)
                drawn = rng.random((count, 1)) * cumulative[:, -1:]
                tokens[:, k] = (drawn >= cumulative[:, :-1]).sum(axis=1)
                before = self._starts[k] + tokens[:, k]
        return tokens

    def _place(self, k: int, before: np.ndarray, state: Any) -> tuple[Tensor, Any]:
        h, c = self.cell(self.embedding(before), state)
        return self.heads[k](h), (h, c)

    def _checked(self, tokens: Any) -> np.ndarray:
        tokens = np.asarray(tokens)
        fits = tokens.ndim == 2 and tokens.shape[1] == len(self.choices) and tokens.dtype.kind in "iu"
        if not fits or (tokens < 0).any() or (tokens >= self.choices).any():
            raise ValueError(f"Controller: tokens are integers (N, {len(self.choices)}) below {list(self.choices)}, "
                             f"not these {tokens.dtype} {tokens.shape}")  # fmt: skip
        return tokens

    def describe(self) -> str:
        return f"{list(self.choices)}, hidden_size={self.cell.hidden_size}"


def reinforce_loss(log_probs: Any, rewards: Any, baseline: float = 0.0) -> Tensor:
    """What to descend so that sequences with a reward above the baseline become likelier: the mean over N of
    -(reward - baseline) log p, for log_probs (N,) and rewards (N,).

    Its gradient is on average that of minus the expected reward, whatever the baseline, which only makes it less noisy
    (Williams 1992; Zoph & Le 2017, section 3.2). Raises ValueError where the shapes differ.
    """
    rewards = np.asarray(rewards, log_probs.dtype)
    if rewards.shape != log_probs.shape:
        raise ValueError(f"reinforce_loss: log_probs {tuple(log_probs.shape)} and rewards {rewards.shape} differ in "
                         "shape: one reward a sequence")  # fmt: skip
    return -ops.sum(log_probs * (rewards - baseline)) / len(rewards)


class MovingAverage:
    """A baseline for `reinforce_loss`: the exponential moving average of the rewards so far, which starts as the first.

    >>> baseline = MovingAverage(decay=0.5)
    >>> baseline.value, baseline.take([1.0, 3.0]), baseline.take([4.0])
    (0.0, 2.0, 3.0)
    """

    def __init__(self, decay: float = 0.9) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"MovingAverage: decay must be at least 0 and below 1, and it is {decay}")
        self.decay, self.value, self._empty = decay, 0.0, True

    def take(self, rewards: Any) -> float:
        """Take in a batch of rewards; gives the new value. Read `value` before, so that no reward judges itself."""
        mean = float(np.mean(rewards))
        self.value = mean if self._empty else self.decay * self.value + (1 - self.decay) * mean
        self._empty = False
        return self.value
