"""Questions about an image: a column of layers looks at it, a recurrent layer reads the question, and what both found,
multiplied, gives the answer."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from .. import init
from ..layers import Generator, Linear
from ..module import Module
from ..recurrent import LSTM, Recurrent
from .captioning import Column


class Answerer(Module):
    """`logits = answerer(images, questions, mask)`: logits (B, A) of the answers to questions (T, B), integers with
    mask (T, B), about images (B, ...) (Antol et al. 2015, section 5: "deeper LSTM Q + norm I").

        v = column(image);  q = last state of the layer over the question;  u = tanh(v W_v + b_v) tanh(q W_q + b_q)

    and the answer is read from u (B, H) by two layers, tanh between them. The product lets the question choose what of
    the image counts. Where both factors are small it is smaller still and learns nothing for long, so all of these
    layers start twice as wide as `nn.Linear` does, near the scale that keeps a signal's size, and W_xh as an embedding.
    """

    name = "answerer"

    def __init__(self, pixels: int, words: int, answers: int, hidden_size: int, features: int = 64,
                 kind: type[Recurrent] = LSTM, column: Module | None = None, *, rng: Generator = None,
                 dtype: Any = np.float32, device: str | None = None) -> None:  # fmt: skip
        where: dict[str, Any] = {"rng": np.random.default_rng(rng), "dtype": dtype, "device": device}
        self.column = Column(pixels, features, **where) if column is None else column
        self.reader = kind(words, hidden_size, name="reader", **where)
        self.from_image = Linear(features, hidden_size, name="from_image", **where)
        self.from_question = Linear(hidden_size, hidden_size, name="from_question", **where)
        self.hidden = Linear(hidden_size, hidden_size, name="hidden", **where)
        self.head = Linear(hidden_size, answers, name="head", **where)
        for layer in (self.from_image, self.from_question, self.hidden):
            layer.W.data = layer.W.data * 2
        words_in = self.reader.layers[0].forward.W_xh  # of one-hot words each picks one row: as wide as an embedding
        words_in.data = init.normal(words_in.shape, where["rng"], dtype=dtype)

    def forward(self, images: Any, questions: Any, mask: Any = None) -> Any:
        _, state = self.reader(questions, mask=mask)
        q = state[0] if isinstance(state, tuple) else state
        u = ops.tanh(self.from_image(self.column(images))) * ops.tanh(self.from_question(q))
        return self.head(ops.tanh(self.hidden(u)))
