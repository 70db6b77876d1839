"""Three cells that a search found: MUT1, MUT2 and MUT3."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...core import Tensor, tensor
from ...ops import sigmoid, split, tanh
from .cell import Cell


class _Projecting(Cell):
    """A cell that adds x itself to a vector of H units, so that x must have as many numbers, or be projected."""

    def __init__(self, input_size: int, hidden_size: int, project: str | None = None, **options: Any) -> None:
        kind = type(self).__name__
        if project not in (None, "random", "learned"):
            raise ValueError(f'{kind}: project is None, "random" or "learned", not {project!r}')
        if project is None and input_size != hidden_size:
            raise ValueError(f"{kind}: x itself is added to {hidden_size} units, so input_size must be {hidden_size}, "
                             f'not {input_size}: embed x first, or project="random" or "learned"')  # fmt: skip
        self.project = project
        super().__init__(input_size, hidden_size, **options)

    def make(self, rng: np.random.Generator, dtype: Any, device: str | None) -> None:
        super().make(rng, dtype, device)
        self.P = None
        if self.project:
            signs = rng.choice([-1.0, 1.0], (self.input_size, self.hidden_size)) / math.sqrt(self.input_size)
            self.P = tensor(signs.astype(dtype), requires_grad=self.project == "learned", device=device, name="P")

    def _as_wide(self, x: Any) -> Tensor:
        wide: Tensor = (x if isinstance(x, Tensor) else Tensor(x)) if self.P is None else x @ self.P
        return wide

    def describe(self) -> str:
        return super().describe() + (f", project={self.project!r}" if self.project else "")


class MUT1Cell(_Projecting):
    """MUT1 (Jozefowicz, Zaremba & Sutskever 2015, section 3.5): `h = cell(x, h)`, with x (B, D) and h (B, H).

        z = sigma(x W_xz + b_z)            h' = tanh((r h) W_hn + tanh(x) + b_n) z + h (1 - z)
        r = sigma(x W_xr + h W_hr + b_r)

    Stacked are r, z in `W_xh (D, 2H)`, r, n in `W_hh (H, 2H)` and r, z, n in `b_h (3H,)`. tanh(x) needs D = H, as in
    the paper, where x is embedded. `project` makes it tanh(x P) instead: "random" with P (D, H) of +-1/sqrt(D), fixed,
    or "learned", which starts there. Raises ValueError where D differs from H and there is no projection.
    """

    gates, gates_x, gates_h = 3, 2, 2

    def forward(self, x: Any, h: Any) -> Any:
        x_r, x_z = split(x @ self.W_xh, 2, axis=-1)
        W_hr, W_hn = split(self.W_hh, 2, axis=-1)
        b_r, b_z, b_n = split(self.b_h, 3)
        z = sigmoid(x_z + b_z).named("z")
        r = sigmoid(x_r + h @ W_hr + b_r).named("r")
        n = tanh((r * h) @ W_hn + tanh(self._as_wide(x)).named("tanh(x)") + b_n).named("n")
        return (n * z + h * (1 - z)).named("h")


class MUT2Cell(_Projecting):
    """MUT2 (Jozefowicz, Zaremba & Sutskever 2015, section 3.5): `h = cell(x, h)`, with x (B, D) and h (B, H).

        z = sigma(x W_xz + h W_hz + b_z)   h' = tanh((r h) W_hn + x W_xn + b_n) z + h (1 - z)
        r = sigma(x + h W_hr + b_r)

    Stacked are z, n in `W_xh (D, 2H)` and r, z, n in `W_hh (H, 3H)` and `b_h (3H,)`. The bare x needs D = H, or
    `project`, as in MUT1Cell.
    """

    gates, gates_x, gates_h = 3, 2, 3

    def forward(self, x: Any, h: Any) -> Any:
        x_z, x_n = split(x @ self.W_xh, 2, axis=-1)
        W_hr, W_hz, W_hn = split(self.W_hh, 3, axis=-1)
        b_r, b_z, b_n = split(self.b_h, 3)
        z = sigmoid(x_z + h @ W_hz + b_z).named("z")
        r = sigmoid(self._as_wide(x) + h @ W_hr + b_r).named("r")
        n = tanh((r * h) @ W_hn + x_n + b_n).named("n")
        return (n * z + h * (1 - z)).named("h")


class MUT3Cell(Cell):
    """MUT3 (Jozefowicz, Zaremba & Sutskever 2015, section 3.5): `h = cell(x, h)`, with x (B, D) and h (B, H).

        z = sigma(x W_xz + tanh(h) W_hz + b_z)   h' = tanh((r h) W_hn + x W_xn + b_n) z + h (1 - z)
        r = sigma(x W_xr + h W_hr + b_r)

    Stacked are r, z, n, as in GRUCell.
    """

    gates = 3

    def forward(self, x: Any, h: Any) -> Any:
        x_r, x_z, x_n = split(x @ self.W_xh + self.b_h, 3, axis=-1)
        W_hr, W_hz, W_hn = split(self.W_hh, 3, axis=-1)
        z = sigmoid(x_z + tanh(h) @ W_hz).named("z")
        r = sigmoid(x_r + h @ W_hr).named("r")
        n = tanh((r * h) @ W_hn + x_n).named("n")
        return (n * z + h * (1 - z)).named("h")
