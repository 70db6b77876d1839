"""Captions: one-to-many. A column of layers looks at an image, and a decoder says what is there, word after word."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...recording import scope
from ..layers import Generator, Linear
from ..module import Module
from ..recurrent import LSTM, Recurrent
from .decoder import Decoder
from .decoding import Beams


class Column(Module):
    """relu(relu(x W_1 + b_1) W_2 + b_2): features (B, F) of images (B, ...), each taken as one long row."""

    name = "column"

    def __init__(self, pixels: int, features: int, *, rng: Generator = None, **where: Any) -> None:
        draw = np.random.default_rng(rng)
        self.first = Linear(pixels, features, rng=draw, name="first", **where)
        self.second = Linear(features, features, rng=draw, name="second", **where)

    def forward(self, images: Any) -> Any:
        return ops.relu(self.second(ops.relu(self.first(images.reshape(len(images), -1)))))


class Captioner(Module):
    """`logits = captioner(images, captions)`: logits (T, B, V) of captions (T, B), integers that close with END = 0,
    for images (B, ...) (Vinyals et al. 2015; Karpathy & Fei-Fei 2015; Mao et al. 2015).

    `column` turns images into features (B, F): any module, such as a convolutional network without its last layer; by
    default, two layers on `pixels` numbers an image. `context` says when the decoder reads the features: at "every"
    step, h = tanh(W_xh x + W_hh h + W_ih v + b), or at the "first", with START.
    """

    name = "captioner"

    def __init__(self, pixels: int, size: int, hidden_size: int, features: int = 64, kind: type[Recurrent] = LSTM,
                 context: str = "every", column: Module | None = None, *, rng: Generator = None,
                 dtype: Any = np.float32, device: str | None = None) -> None:  # fmt: skip
        where: dict[str, Any] = {"rng": np.random.default_rng(rng), "dtype": dtype, "device": device}
        self.column = Column(pixels, features, **where) if column is None else column
        self.decoder = Decoder(size, hidden_size, kind, features, context, **where)

    def forward(self, images: Any, captions: Any, teacher: float = 1.0, rng: np.random.Generator | None = None) -> Any:
        return self.decoder(captions, context=self.column(images), teacher=teacher, rng=rng)

    def greedy(self, images: Any, max_len: int = 20) -> tuple[np.ndarray, np.ndarray]:
        """Captions (T, B) by the likeliest word each time, up to END, and log p (B,), see `decoding.greedy`."""
        with scope(self.name):
            return self.decoder.greedy(context=self.column(images), max_len=max_len)

    def beam(self, images: Any, width: int, max_len: int = 20, alpha: float = 0.0) -> Beams:
        """The best captions that a beam of this width finds, see `decoding.beam_search`."""
        with scope(self.name):
            return self.decoder.beam(width, context=self.column(images), max_len=max_len, alpha=alpha)
