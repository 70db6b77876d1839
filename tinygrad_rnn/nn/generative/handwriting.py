"""Graves's two networks for handwriting: one that predicts where a pen goes next, and one that writes a given text.

Strokes are rows (dx, dy, end): the pen moves by (dx, dy) and is lifted after the step where end is 1. The first input
of a sequence is (0, 0, 1), a pen in the air.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import backend, ops
from ...core import Tensor
from ...recording import no_grad, step
from ..cells import LSTMCell
from ..layers import Generator
from ..module import Module, as_numpy, told
from ..recurrent import LSTM
from .mixture_density import MixtureDensity, mdn_sample
from .soft_window import SoftWindow

LAST_STEPS = 4  # that the window is ahead of the pen, at most: a stroke that is not finished then has been missed


class PredictionNetwork(Module):
    """`y_hat, state = network(x, state=None)`: strokes x (T, B, 3) read, and for each step the mixture y_hat
    (T, B, 1 + 6M) of where the pen goes next; learn with `mdn_loss(y_hat[:-1], x[1:])`.

    `num_layers` LSTMs, each of which sees x and the layer below, and all of which the output sees (Graves 2013, figure
    1 and section 4).
    """

    def __init__(self, hidden_size: int = 100, num_layers: int = 1, mixtures: int = 20, *, dtype: Any = np.float32,
                 device: str | None = None, rng: Generator = None, name: str = "prediction") -> None:  # fmt: skip
        if num_layers < 1:
            raise ValueError(f"PredictionNetwork: num_layers must be at least 1, not {num_layers}")
        made = {"dtype": dtype, "device": device, "rng": np.random.default_rng(rng)}
        self.name = name
        self.layers = [LSTM(3 + hidden_size * (k > 0), hidden_size, name=f"layer {k}", **made)
                       for k in range(num_layers)]  # fmt: skip
        self.output = MixtureDensity(num_layers * hidden_size, mixtures, **made)

    def forward(self, x: Any, state: Any = None) -> tuple[Any, Any]:
        _strokes(x, "PredictionNetwork")
        outputs: list[Any] = []
        states = []
        for layer, entry in zip(self.layers, state or [None] * len(self.layers), strict=True):
            below = ops.concat([x, outputs[-1]], axis=-1) if outputs else x
            hs, entry = layer(below, entry)
            outputs.append(hs)
            states.append(entry)
        return self.output(ops.concat(outputs, axis=-1) if len(outputs) > 1 else outputs[0]), states

    def write(self, steps: int, rng: np.random.Generator, count: int = 1, bias: float = 0.0, primer: Any = None
              ) -> list[np.ndarray]:  # fmt: skip
        """`count` handwritings of `steps` steps (steps, 3), each drawn step by step and fed back (Graves 2013, section
        4.3); `bias` as in `mdn_sample`. With a `primer` (T, count, 3) they go on from strokes that somebody wrote.
        Raises ValueError where steps or count is below 1."""
        if steps < 1 or count < 1:
            raise ValueError(f"PredictionNetwork: write at least 1 step of 1 handwriting, not {steps} of {count}")
        x, state, written = _first(primer, count, self.output), None, list[np.ndarray]()
        with no_grad():
            for _ in range(steps):
                y_hat, state = self(x, state)
                x = _next(y_hat, rng, bias)
                written.append(as_numpy(x)[0])
        return list(np.stack(written, axis=1))


class SynthesisNetwork(Module):
    """`y_hat, phi, state = network(x, text, state=None)`: strokes x (T, B, 3) that write a text (B, U, V), one one-hot
    letter a place; y_hat (T, B, 1 + 6M) as in `PredictionNetwork`, and phi (T, B, U), how much each step reads of each
    letter. Shorter texts end in places that are all zero.

    A first LSTM sees the pen and what the window read a step before; its state moves the window; a second LSTM sees the
    pen, what the window reads now, and the first; the output sees both (Graves 2013, figure 12 and section 5). `bumps`
    and `pace` are the window's, see `SoftWindow`. The first layer is recorded step by step, since each of its inputs
    depends on the state before; the second is fused over time.
    """

    def __init__(self, letters: int, hidden_size: int = 100, mixtures: int = 20, bumps: int = 10, pace: float = 1.0, *,
                 dtype: Any = np.float32, device: str | None = None, rng: Generator = None,
                 name: str = "synthesis") -> None:  # fmt: skip
        made = {"dtype": dtype, "device": device, "rng": np.random.default_rng(rng)}
        self.name, self.letters, self.hidden_size = name, letters, hidden_size
        self.reader = LSTMCell(3 + letters, hidden_size, name="reader", **made)
        self.window = SoftWindow(hidden_size, bumps, pace, **made)
        self.writer = LSTM(3 + letters + hidden_size, hidden_size, name="writer", **made)
        self.output = MixtureDensity(2 * hidden_size, mixtures, **made)

    def forward(self, x: Any, text: Any, state: Any = None) -> tuple[Any, Any, Any]:
        _strokes(x, "SynthesisNetwork")
        if tuple(getattr(text, "shape", ()))[::2] != (x.shape[1], self.letters) or len(text.shape) != 3:
            raise ValueError(f"SynthesisNetwork({self.describe()}) takes as the text ({x.shape[1]}, U, {self.letters})"
                             f", a one-hot letter in each of U places, not {told(text)}")  # fmt: skip
        lower, w, kappa, upper = self._start(x.shape[1]) if state is None else state
        hs, ws, phis = [], [], []
        for t, x_t in enumerate(ops.unstack(x)):
            with step(t):
                lower = self.reader(ops.concat([x_t, w], axis=-1), lower)
                w, phi, kappa = self.window(lower[0], kappa, text)
            hs.append(lower[0])
            ws.append(w)
            phis.append(phi)
        below = ops.stack(hs)
        above, upper = self.writer(ops.concat([x, ops.stack(ws), below], axis=-1), upper)
        y_hat = self.output(ops.concat([below, above], axis=-1))
        return y_hat, ops.stack(phis), (lower, w, kappa, upper)

    def _start(self, batch: int) -> tuple[Any, ...]:
        """A state that remembers nothing, a window that has read nothing and stands before the first letter."""
        W = self.reader.W_hh.data
        w, kappa = (Tensor(backend.xp(W).zeros((batch, n), W.dtype)) for n in (self.letters, self.window.bumps))
        return self.reader.zero_state(batch), w, kappa, None

    def write(self, text: Any, rng: np.random.Generator, bias: float = 0.0, most: int = 1000,
              primer: tuple[Any, Any] | None = None) -> list[tuple[np.ndarray, np.ndarray]]:  # fmt: skip
        """For each text its strokes (T, 3) and windows (T, U), drawn step by step and fed back: until the window looks
        more at the empty place after the text than at any letter (Graves 2013, section 5.3) and the pen is lifted, or
        has not been in LAST_STEPS steps; at the latest after `most` steps.

        `bias` is `mdn_sample`'s: 0 draws from the model, 1 to 3 is tidier (section 5.4). A `primer`, strokes (T0, B, 3)
        and their text (B, U0, V), is read first, as if the network had written it, so that its hand is taken up
        (section 5.5); what comes back is only what follows. Raises ValueError where there is no text or no step.
        """
        letters = np.asarray(text, dtype=self.reader.W_hh.dtype)
        if letters.ndim != 3 or letters.shape[2] != self.letters or not letters.size or most < 1:
            raise ValueError(f"SynthesisNetwork({self.describe()}) writes texts (B, U, {self.letters}) in at least one "
                             f"step, not {letters.shape} in {most}")  # fmt: skip
        read = 0
        x = _first(None if primer is None else primer[0], len(letters), self.output)
        if primer is not None:
            read = np.asarray(primer[1]).shape[1]
            letters = np.concatenate([np.asarray(primer[1], letters.dtype), letters], axis=1)
        lengths = letters.shape[1] - np.flip(letters.any(-1), 1).argmax(1)  # places up to the last that has a letter
        place_after = np.concatenate([letters, np.zeros_like(letters[:, :1])], axis=1)
        page = backend.to_device(place_after, self.reader.W_hh.device)
        state, written, windows = None, list[np.ndarray](), list[np.ndarray]()
        open_, past = np.ones(len(letters), bool), np.zeros(len(letters), int)
        with no_grad():
            while open_.any() and len(written) < most:
                y_hat, phi, state = self(x, page, state)
                looks = as_numpy(phi)[-1]
                past = np.where(looks.argmax(-1) < lengths, 0, past + 1)
                lifted = as_numpy(x)[-1, :, 2] > 0.5
                open_ = open_ & ~((past > 0) & (lifted | (past > LAST_STEPS)))
                x = _next(y_hat, rng, bias)
                written.append(np.where(open_[:, None], as_numpy(x)[0], np.nan))
                windows.append(looks)
        strokes, phis = np.stack(written, axis=1), np.stack(windows, axis=1)
        ends = np.isfinite(strokes[..., 0]).sum(1)
        return [(s[:n], p[:n, read:-1]) for s, p, n in zip(strokes, phis, ends, strict=True)]

    def describe(self) -> str:
        return f"{self.letters}, {self.hidden_size}"


def _strokes(x: Any, who: str) -> None:
    shape = tuple(getattr(x, "shape", ()))
    if len(shape) != 3 or shape[2] != 3:
        raise ValueError(f"{who} takes strokes (T, B, 3), rows of (dx, dy, end of stroke), not {told(x)}")


def _first(primer: Any, count: int, output: MixtureDensity) -> Any:
    """What is read before the first step is drawn: a pen in the air, then the primer."""
    start = np.zeros((1, count, 3), output.W.dtype)
    start[..., 2] = 1
    if primer is not None:
        start = np.concatenate([start, np.asarray(primer, start.dtype)])
    return backend.to_device(start, output.W.device)


def _next(y_hat: Any, rng: np.random.Generator, bias: float) -> Any:
    """The next input (1, B, 3), drawn from the last step's mixture."""
    drawn = mdn_sample(y_hat[-1], rng, bias)[None]
    return backend.to_device(drawn.astype(y_hat.dtype), y_hat.device)
