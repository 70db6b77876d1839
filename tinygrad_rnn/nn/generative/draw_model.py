"""DRAW: a variational auto-encoder that reads and paints an image in several steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import backend, ops
from ...core import Tensor
from ...recording import step
from ..cells import LSTMCell
from ..layers import Generator, Linear, parameter
from ..module import Module
from .attention_window import AttentionWindow, Window, images
from .latent import gaussian_kl, reparameterised


@dataclass
class Painting:
    """How images came about: the canvas after each step, as logits (B, height, width); the KL divergence of each step
    in nats (B,), none where there was no image to read; the windows read and written, where there is attention."""

    canvases: list[Any]
    divergences: list[Any]
    reads: list[Window]
    writes: list[Window]

    def frames(self) -> np.ndarray:
        """The canvases as probabilities of white, (T, B, height, width)."""
        return np.stack([backend.to_numpy(ops.sigmoid(c).data) for c in self.canvases])


class DRAW(Module):
    """Deep Recurrent Attentive Writer (Gregor et al. 2015) on images (B, height, width) with values from 0 to 1:
    `loss = model.loss(x, rng)` to learn, `model.paint(rng, n)` to paint new ones.

    At each of the `steps`, with x_hat = x - sigmoid(canvas), what is still wrong (equations 3 to 8):

        r = read(x, x_hat, h_dec);     h_enc = LSTM([r, h_dec]);   z ~ N(mu(h_enc), sigma(h_enc)^2)
        h_dec = LSTM(z);               canvas = canvas + write(h_dec)

    `attention = N` reads and writes through windows of N x N filters that h_dec places (section 3.2); None reads the
    whole image and writes a whole canvas (section 3.1). One step without attention is an ordinary variational
    auto-encoder. The first canvas is learned.
    """

    def __init__(self, height: int, width: int, hidden_size: int = 64, latent_size: int = 8, steps: int = 8,
                 attention: int | None = None, *, dtype: Any = np.float32, device: str | None = None,
                 rng: Generator = None, name: str = "draw") -> None:  # fmt: skip
        if steps < 1 or latent_size < 1:
            raise ValueError(f"DRAW: needs at least one step and one latent number, not {steps} and {latent_size}")
        made = {"dtype": dtype, "device": device, "rng": np.random.default_rng(rng)}
        self.name, self.height, self.width, self.steps, self.latent_size = name, height, width, steps, latent_size
        pixels = height * width
        seen = 2 * (pixels if attention is None else attention * attention)
        self.canvas_0 = parameter(np.zeros((height, width), dtype), "canvas_0", device)
        self.encoder = LSTMCell(seen + hidden_size, hidden_size, name="encoder", **made)
        self.posterior = Linear(hidden_size, 2 * latent_size, name="posterior", **made)
        self.decoder = LSTMCell(latent_size, hidden_size, name="decoder", **made)
        self.attention = attention
        if attention is not None:
            self.reader = AttentionWindow(hidden_size, height, width, attention, name="read", **made)
            self.writer = AttentionWindow(hidden_size, height, width, attention, name="write", **made)
        self.brush = Linear(hidden_size, attention * attention if attention else pixels, name="brush", **made)

    def forward(self, x: Any, rng: np.random.Generator) -> Painting:
        """Images x (B, height, width) read and painted again."""
        x = images(x, self.height, self.width, "DRAW")
        return self._painted(x.shape[0], rng, x)

    def paint(self, rng: np.random.Generator, n: int) -> Painting:
        """n new images, with z from the prior N(0, 1) at each step (equations 13 to 16)."""
        return self._painted(n, rng, None)

    def loss(self, x: Any, rng: np.random.Generator) -> Any:
        """The negative evidence lower bound of each image (B,), in nats, from one draw of z: what the last canvas costs
        as Bernoulli pixels, and all divergences (equations 9 to 12)."""
        painting = self(x, rng)
        x = x if isinstance(x, Tensor) else Tensor(x)
        wrong = ops.binary_cross_entropy(painting.canvases[-1], x, "none")
        total = ops.sum(wrong, axis=(1, 2))
        for divergence in painting.divergences:
            total = total + divergence
        return total

    def _painted(self, n: int, rng: np.random.Generator, x: Any) -> Painting:
        """The loop of both: with x, z is what the encoder makes of it; without, it is drawn from the prior."""
        enc, dec = self.encoder.zero_state(n), self.decoder.zero_state(n)
        canvas = ops.broadcast_to(self.canvas_0, (n, self.height, self.width))
        done = Painting([], [], [], [])
        for t in range(self.steps):
            with step(t):
                if x is None:
                    zeros = Tensor(backend.xp(self.canvas_0.data).zeros((n, self.latent_size), self.canvas_0.dtype))
                    z = reparameterised(zeros, zeros, rng).named("z")
                else:
                    z, enc = self._read(x, canvas, enc, dec[0], rng, done)
                dec = self.decoder(z, dec)
                canvas = (canvas + self._written(dec[0], done)).named("canvas")
                done.canvases.append(canvas)
        return done

    def _read(self, x: Any, canvas: Any, state: Any, h_dec: Any, rng: np.random.Generator, done: Painting) -> Any:
        x_hat = x - ops.sigmoid(canvas)
        seen = [x, x_hat]
        if self.attention is not None:
            window = self.reader(h_dec)
            done.reads.append(window)
            seen = [window.read(image) for image in seen]
        flat = [ops.reshape(image, (len(x), -1)) for image in seen]
        state = self.encoder(ops.concat([*flat, h_dec], axis=-1), state)
        mu, log_sigma = ops.split(self.posterior(state[0]), 2, axis=-1)
        done.divergences.append(ops.sum(gaussian_kl(mu, log_sigma), axis=-1))
        return reparameterised(mu, log_sigma, rng).named("z"), state

    def _written(self, h_dec: Any, done: Painting) -> Any:
        if self.attention is None:
            return ops.reshape(self.brush(h_dec), (h_dec.shape[0], self.height, self.width))
        window = self.writer(h_dec)
        done.writes.append(window)
        return window.write(ops.reshape(self.brush(h_dec), (h_dec.shape[0], self.attention, self.attention)))
