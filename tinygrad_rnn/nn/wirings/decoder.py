"""The half that speaks: a recurrent layer that says one symbol after another, each time reading what was said last."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...core import Tensor
from ...recording import step, watched_closely
from ..layers import Generator, Linear
from ..module import Module, told
from ..recurrent import LSTM, Recurrent
from . import decoding
from .decoding import Beams

END = 0
CONTEXTS = ("every", "first")


class Decoder(Module):
    """`logits = decoder(target, state)`: logits (T, B, V) of the symbols target (T, B) in turn, from the state that an
    encoder ended in.

    Symbols are integers below V; 0 is END, which closes every sequence. At each step the layer reads the symbol before,
    and at the first step START, the number V: an input of its own that no output can name. A `context (B, F)`, as of an
    image, is read besides: at "every" step, h = tanh(W_xh x + W_hh h + W_ih v + b), as in the lectures and in Mao et
    al. 2015, or at the "first" alone (Karpathy & Fei-Fei 2015, equations 13 to 15). W_ih are the last F rows of the
    layer's W_xh.

    `teacher` is the probability with which the symbol before is the true one, by a coin for each step and sample; else
    it is drawn from what the decoder has just said. 1 is teacher forcing (Williams & Zipser 1989), 0 free running, and
    what lies between, falling during training, scheduled sampling (Bengio et al. 2015). A drawn symbol is an integer:
    no gradient flows back through it.

    What stands behind END is padding: give the loss a mask. `kind` is RNN, LSTM or GRU; `options` go to it. Raises
    ValueError where shapes do not fit.
    """

    def __init__(self, size: int, hidden_size: int, kind: type[Recurrent] = LSTM, context_size: int = 0,
                 context: str = "every", *, rng: Generator = None, dtype: Any = np.float32, device: str | None = None,
                 name: str = "decoder", **options: Any) -> None:  # fmt: skip
        if context not in CONTEXTS:
            raise ValueError(f'Decoder: context is read at "every" step or the "first", not {context!r}')
        draw = np.random.default_rng(rng)
        where: dict[str, Any] = {"rng": draw, "dtype": dtype, "device": device}
        self.name, self.size, self.context_size, self.context = name, size, context_size, context
        self.recurrent = kind(size + 1 + context_size, hidden_size, **where, **options)
        self.head = Linear(hidden_size, size, name="head", **where)

    @property
    def START(self) -> int:
        return self.size

    def forward(self, target: Any, state: Any = None, context: Any = None, teacher: float = 1.0,
                rng: np.random.Generator | None = None, offset: int = 0) -> Any:  # fmt: skip
        """Logits (T, B, V), see the class; `offset` is the time of the first symbol."""
        target = np.asarray(target)
        self._check(target, context, teacher, rng)
        truth = np.concatenate([np.full_like(target[:1], self.START), target[:-1]])  # the symbol before
        if teacher == 1 and not watched_closely():
            outputs, _ = self.recurrent(self._inputs(truth, context), state, offset=offset)
            return self.head(outputs)
        logits: list[Any] = []
        for t, before in enumerate(truth):
            if t and teacher < 1:
                assert rng is not None
                before = np.where(rng.random(len(before)) < teacher, before, decoding.draw(logits[-1].numpy(), rng))
            with step(offset + t):
                said, (state, context) = self.step(before, (state, context), t, offset)
            logits.append(said)
        return ops.stack(logits)

    def step(self, symbols: Any, state: Any, t: int, offset: int = 0) -> tuple[Any, Any]:
        """One step, as `decoding` wants it: logits (B, V) after the symbols (B,), and `(state, context)` for the next
        step. The context that is read at the first step alone is gone by then."""
        state, context = state
        outputs, state = self.recurrent(self._inputs(symbols[None], context), state, offset=offset + t)
        return self.head(outputs[0]), (state, context if self.context == "every" else None)

    def greedy(self, state: Any = None, context: Any = None, max_len: int = 50) -> tuple[np.ndarray, np.ndarray]:
        """The likeliest symbol each time: symbols (T, B) and log p (B,), see `decoding.greedy`."""
        return decoding.greedy(self.step, (state, context), _batch(state, context), start=self.START, max_len=max_len)

    def sample(self, rng: np.random.Generator, state: Any = None, context: Any = None, max_len: int = 50,
               temperature: float = 1.0) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """A random sequence for each sample, see `decoding.sample`."""
        return decoding.sample(self.step, (state, context), _batch(state, context), rng, start=self.START,
                               max_len=max_len, temperature=temperature)  # fmt: skip

    def beam(self, width: int, state: Any = None, context: Any = None, max_len: int = 50, alpha: float = 0.0) -> Beams:
        """The best sequences that a beam of this width finds, see `decoding.beam_search`."""
        return decoding.beam_search(self.step, (state, context), _batch(state, context), start=self.START, width=width,
                                    max_len=max_len, alpha=alpha)  # fmt: skip

    def _inputs(self, symbols: np.ndarray, context: Any) -> Any:
        """What the layer reads at each step: symbols (T, B), or (T, B, V + 1 + F) with the context beside them."""
        if not self.context_size:
            return symbols
        W = self.head.W
        one_hot = Tensor(ops.one_hot(symbols, self.size + 1, W.dtype)).to(W.device)
        T, B = symbols.shape
        if context is None:
            v: Any = np.zeros((T, B, self.context_size), W.dtype)
        elif self.context == "every" or T == 1:
            v = ops.broadcast_to(context, (T, B, self.context_size))
        else:
            v = ops.concat([ops.expand_dims(context, 0), np.zeros((T - 1, B, self.context_size), W.dtype)])
        return ops.concat([one_hot, v], axis=2)

    def _check(self, target: np.ndarray, context: Any, teacher: float, rng: Any) -> None:
        if target.ndim != 2 or target.dtype.kind not in "iu" or not len(target):
            raise ValueError(f"Decoder takes as its target integers (T, B), END = 0 last, not {told(target)}")
        if target.size and not 0 <= target.min() <= target.max() < self.size:
            raise ValueError(f"Decoder: symbols go from 0 (END) to {self.size - 1}, and the target's go from "
                             f"{target.min()} to {target.max()}: START is put before it here")  # fmt: skip
        if context is not None and tuple(context.shape) != (target.shape[1], self.context_size):
            raise ValueError(f"Decoder takes a context {(target.shape[1], self.context_size)}, not {told(context)}")
        if not 0 <= teacher <= 1 or (teacher < 1 and not isinstance(rng, np.random.Generator)):
            raise ValueError(f"Decoder: teacher is a probability, and below 1 an rng draws: got {teacher} and {rng!r}")

    def describe(self) -> str:
        context = f", context_size={self.context_size}, context={self.context!r}" if self.context_size else ""
        return f"{self.size}, {self.recurrent.hidden_size}{context}"


def _batch(*states: Any) -> int:
    """How many samples a state is of."""
    for state in states:
        while isinstance(state, (tuple, list)):
            state = state[0]
        if state is not None:
            return int(state.shape[0])
    raise ValueError("Decoder: give a state or a context: it says how many sequences there are to be")
