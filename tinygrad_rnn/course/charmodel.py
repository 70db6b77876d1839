"""A character model: from each character, and what it remembers, the chances of the next one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import nn, ops
from ..core import Tensor
from ..data import Vocabulary
from ..recording import no_grad

CELLS = ("rnn", "lstm", "gru")


class CharModel(nn.Module):
    """Characters, as one-hot vectors -> a recurrent layer (`rnn`) -> Linear (`head`) -> logits of the next character.

    `cell` is "rnn" (Elman, tanh), "lstm" or "gru"; `forget_bias` is the LSTM's forget gate's bias at the start, and the
    other cells have none. `rng` draws the weights. The form is that of A. Karpathy's char-rnn (2015), after A. Graves,
    "Generating Sequences With Recurrent Neural Networks" (2013), section 2.
    Raises ValueError for an unknown cell or a size below 1, RuntimeError for a device that is not here.
    """

    def __init__(self, vocabulary: Vocabulary, cell: str = "lstm", hidden_size: int = 128, num_layers: int = 1,
                 forget_bias: float = 1.0, *, dtype: Any = np.float32, device: str | None = None,
                 rng: np.random.Generator | None = None) -> None:  # fmt: skip
        if cell not in CELLS:
            raise ValueError(f"cell {cell!r} is unknown: use {', '.join(CELLS)}")
        if hidden_size < 1 or num_layers < 1:
            raise ValueError(f"hidden_size and num_layers must be 1 or more, not {hidden_size} and {num_layers}")
        rng = np.random.default_rng() if rng is None else rng
        V = len(vocabulary)
        place: dict[str, Any] = {"dtype": np.dtype(dtype), "device": device, "rng": rng}
        self.vocabulary, self.cell = vocabulary, cell
        layer = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell]
        of_cell: dict[str, Any] = {"forget_bias": forget_bias} if cell == "lstm" else {}
        self.rnn = layer(V, hidden_size, num_layers, **of_cell, **place)
        self.head = nn.Linear(hidden_size, V, name="head", **place)

    def describe(self) -> str:
        return f"{len(self.vocabulary)} characters, {self.cell}"

    def forward(self, ids: Any, state: Any = None) -> tuple[Tensor, Any]:
        """Logits (T, B, V) of what follows each of the characters ids (T, B), and the state after the last."""
        outputs, state = self.rnn(np.asarray(ids), state)
        return self.head(outputs), state

    def loss(self, ids: Any, state: Any = None) -> tuple[Tensor, Any]:
        """For a window ids (T + 1, B): the mean over time and batch of -ln p(next character), in nats a character, and
        the state after T characters. A model that knows nothing starts near ln V."""
        logits, state = self(ids[:-1], state)
        return ops.sequence_loss(logits, ids[1:], over_time="mean"), state


def bits(nats: float) -> float:
    """Nats as bits: what one character costs in a file that this model compresses."""
    return nats / math.log(2)


def sample(model: CharModel, prime: str = "", length: int = 200, temperature: float = 1.0,
           rng: np.random.Generator | None = None) -> str:  # fmt: skip
    """`length` characters that the model writes after reading `prime`; see `stream`."""
    return "".join(stream(model, prime, length, temperature, rng))


def stream(model: CharModel, prime: str = "", length: int = 200, temperature: float = 1.0,
           rng: np.random.Generator | None = None) -> Iterator[str]:  # fmt: skip
    """The same one character at a time: each is drawn from softmax(logits / temperature) and fed back.

    Below temperature 1 the model is bolder, at 0 it always takes the likeliest (and soon repeats itself); above 1 it is
    wilder. Without a prime it starts as after a line end. Nothing is recorded.
    Raises ValueError for a negative temperature or length, and for a character of `prime` that the model does not know.
    """
    if not (temperature >= 0 and math.isfinite(temperature)):
        raise ValueError(f"temperature must be 0 (always the likeliest) or more, not {temperature}")
    if length < 0:
        raise ValueError(f"length must be 0 or more, not {length}")
    chars = model.vocabulary.chars
    ids = model.vocabulary.encode(prime or ("\n" if "\n" in chars else chars[0]))
    return _written(model, ids, length, temperature, np.random.default_rng() if rng is None else rng)


def _written(model: CharModel, ids: np.ndarray, length: int, temperature: float,
             rng: np.random.Generator) -> Iterator[str]:  # fmt: skip
    state, ids = None, ids[:, None]
    for _ in range(length):
        with no_grad():  # not around the yield: the caller's code between two characters is its own
            logits, state = model(ids, state)
        i = _choice(logits.numpy()[-1, 0].astype(np.float64), temperature, rng)
        yield model.vocabulary.chars[i]
        ids = np.array([[i]])


def _choice(logits: np.ndarray, temperature: float, rng: np.random.Generator) -> int:
    """A number drawn from softmax(logits / temperature), by the first place where the running sum passes a uniform."""
    if temperature == 0:
        return int(logits.argmax())
    with np.errstate(over="ignore"):  # a tiny temperature: -inf, and a chance of 0, is right
        p = np.exp((logits - logits.max()) / temperature)
    running = np.cumsum(p)
    return int(np.searchsorted(running, rng.random() * running[-1], side="right"))
