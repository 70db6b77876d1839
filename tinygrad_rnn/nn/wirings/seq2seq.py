"""Sequence to sequence: many-to-one, then one-to-many. One layer reads the source to its end; its last state is where
another begins to say the target, of another length."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...recording import scope
from ..layers import Generator
from ..module import Module
from ..recurrent import LSTM, Recurrent
from .decoder import Decoder
from .decoding import Beams


class EncoderDecoder(Module):
    """`logits = model(source, target, mask)`: an encoder that reads source (S, B) and a decoder that says target (T, B)
    (Cho et al. 2014; Sutskever, Vinyals & Le 2014): logits (T, B, V).

    Source and target are integers. `mask (S, B)` is for sources of different lengths (`tg.data.pad`): the decoder
    begins in each one's own last state. The target ends with END = 0, and START is put before it, see `Decoder`, which
    also explains `teacher` and `rng`. A source may as well be numbers (S, B, D).

    `reverse` reads each source from its end (padding stays behind): the first symbol of the source, of which the first
    of the target is often made, is then its neighbour, at lag 1 instead of S (Sutskever et al., section 3.3). `kind` is
    RNN, LSTM or GRU, for both halves; `options`, such as num_layers, go to both.

        loss = tg.sequence_loss(model(source, target, source_mask), target, "mean", mask=target_mask)

    >>> model = EncoderDecoder(10, 30, 16, reverse=True, rng=0)
    >>> model(np.array([[1, 2], [9, 8], [8, 4]]), np.array([[5, 7], [0, 0]])).shape
    (2, 2, 30)
    >>> symbols, log_p = model.greedy(np.array([[1, 2], [9, 8], [8, 4]]), max_len=4)
    """

    name = "seq2seq"

    def __init__(self, source_size: int, target_size: int, hidden_size: int, kind: type[Recurrent] = LSTM,
                 reverse: bool = False, *, rng: Generator = None, dtype: Any = np.float32, device: str | None = None,
                 **options: Any) -> None:  # fmt: skip
        where: dict[str, Any] = {"rng": np.random.default_rng(rng), "dtype": dtype, "device": device}
        self.reverse = reverse
        self.encoder = kind(source_size, hidden_size, name="encoder", **where, **options)
        self.decoder = Decoder(target_size, hidden_size, kind, **where, **options)

    def encode(self, source: Any, mask: Any = None) -> Any:
        """The state after the whole source: what the decoder knows of it."""
        if self.reverse:
            source = reverse_source(source, mask)
        _, state = self.encoder(source, mask=mask)
        return state

    def forward(self, source: Any, target: Any, mask: Any = None, teacher: float = 1.0,
                rng: np.random.Generator | None = None) -> Any:  # fmt: skip
        return self.decoder(target, self.encode(source, mask), teacher=teacher, rng=rng, offset=len(source))

    def greedy(self, source: Any, mask: Any = None, max_len: int = 50) -> tuple[np.ndarray, np.ndarray]:
        """The target by the likeliest symbol each time: symbols (T, B) and log p (B,), see `decoding.greedy`."""
        with scope(self.name):
            return self.decoder.greedy(self.encode(source, mask), max_len=max_len)

    def beam(self, source: Any, width: int, mask: Any = None, max_len: int = 50, alpha: float = 0.0) -> Beams:
        """The best targets that a beam of this width finds, see `decoding.beam_search`."""
        with scope(self.name):
            return self.decoder.beam(width, self.encode(source, mask), max_len=max_len, alpha=alpha)

    def describe(self) -> str:
        sizes = f"{self.encoder.input_size}, {self.decoder.size}, {self.encoder.hidden_size}"
        return sizes + (", reverse=True" if self.reverse else "")


def reverse_source(source: Any, mask: Any = None) -> Any:
    """Each sequence of source (S, B, ...) from its end, with mask (S, B) True on the steps that it has: what comes
    behind its end stays there.

    >>> reverse_source(np.array([[1, 4], [2, 5], [3, 0]]), np.array([[1, 1], [1, 1], [1, 0]], bool)).T.tolist()
    [[3, 2, 1], [5, 4, 0]]
    """
    if mask is None:
        return source[::-1]
    steps = np.arange(len(source))[:, None]
    lengths = np.asarray(mask).astype(bool).sum(axis=0)
    return source[np.where(steps < lengths, lengths - 1 - steps, steps), np.arange(len(lengths))]


def scheduled_sampling(update: int, k: float, kind: str = "inverse sigmoid", least: float = 0.0) -> float:
    """The probability of the true symbol at an update, counted from 0, falling from about 1 to `least` (Bengio et al.
    2015, section 2.4): "linear", 1 - update / k; "exponential", k^update with k < 1; "inverse sigmoid",
    k / (k + exp(update / k)) with k >= 1.

    >>> [round(scheduled_sampling(i, 100), 2) for i in (0, 460, 1000)]
    [0.99, 0.5, 0.0]
    """
    if kind not in ("linear", "exponential", "inverse sigmoid"):
        raise ValueError(f'scheduled_sampling: kind is "linear", "exponential" or "inverse sigmoid", not {kind!r}')
    if not (0 < k < 1 if kind == "exponential" else k >= 1):
        raise ValueError(f'scheduled_sampling: k = {k} does not fit "{kind}": below 1 if exponential, else 1 or more')
    if kind == "linear":
        truth = 1 - update / k
    elif kind == "exponential":
        truth = k**update
    else:
        truth = k / (k + math.exp(min(update / k, 700)))
    return max(least, min(1.0, truth))
