"""Finding sequence in the absence of sequence: one image that does not change, read as a sequence of glimpses."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import backend, ops
from ...core import Tensor
from ...recording import step
from ..cells import LSTMCell
from ..layers import Generator, Linear
from ..module import Module
from .attention_window import AttentionWindow, Window, images


class GlimpseReader(Module):
    """`logits, windows = reader(x)`: images x (B, height, width), of which an LSTM sees only N x N numbers at each of
    `glimpses` steps, through a window of Gaussian filters; logits (B, classes) come from its last state.

    `look` says who places the windows: "learned", the state before each step does (Gregor et al. 2015, sections 3.2 and
    4.1), and gradients teach it where to look; the first glimpse, from a state of zeros, is the same for all images.
    "fixed": they scan the image row by row in a square of places, each as wide as its part of the image; one fixed
    glimpse is the whole image at once, blurred to N x N.
    """

    def __init__(self, height: int, width: int, classes: int, hidden_size: int = 64, N: int = 2, glimpses: int = 4,
                 look: str = "learned", *, dtype: Any = np.float32, device: str | None = None, rng: Generator = None,
                 name: str = "glimpses") -> None:  # fmt: skip
        if look not in ("learned", "fixed"):
            raise ValueError(f'GlimpseReader: look is "learned" or "fixed", not {look!r}')
        if glimpses < 1:
            raise ValueError(f"GlimpseReader: needs at least one glimpse, not {glimpses}")
        made = {"dtype": dtype, "device": device, "rng": np.random.default_rng(rng)}
        self.name, self.height, self.width, self.N, self.glimpses, self.look = name, height, width, N, glimpses, look
        self.attend = AttentionWindow(hidden_size, height, width, N, **made)
        self.cell = LSTMCell(N * N, hidden_size, **made)
        self.output = Linear(hidden_size, classes, **made)

    def forward(self, x: Any) -> tuple[Any, list[Window]]:
        x = images(x, self.height, self.width, "GlimpseReader")
        h, c = self.cell.zero_state(x.shape[0])
        windows = []
        for t in range(self.glimpses):
            with step(t):
                window = self.attend(h) if self.look == "learned" else self._scanning(t, x.shape[0])
                seen = ops.reshape(window.read(x), (x.shape[0], self.N * self.N))
                h, c = self.cell(seen, (h, c))
            windows.append(window)
        return self.output(h), windows

    def _scanning(self, t: int, batch: int) -> Window:
        """Window t of a scan: the image divided into a square of parts, of which the window covers one, filters evenly
        spread over it and as wide as what they stand for."""
        side = int(np.ceil(np.sqrt(self.glimpses)))
        row, column = divmod(t, side)
        W = self.output.W
        part = max(self.height, self.width) / side / self.N  # pixels from filter to filter

        def numbers(value: float) -> Tensor:
            return Tensor(backend.xp(W.data).full((batch, 1), value, W.dtype))

        x, y = (column + 0.5) * self.width / side + 0.5, (row + 0.5) * self.height / side + 0.5
        return self.attend.at(numbers(x), numbers(y), numbers(part), numbers((part / 2) ** 2), numbers(1.0))
