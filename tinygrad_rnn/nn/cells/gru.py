"""The gated recurrent unit, in its printed forms."""

from __future__ import annotations

from typing import Any

from ...ops import gru_sequence
from ...ops.recurrent.steps import gru_step
from .. import init
from ..layers import parameter
from .cell import Cell


class GRUCell(Cell):
    """The gated recurrent unit (Cho et al. 2014): `h = cell(x, h)`, with x (B, D) and h (B, H).

    Gates are stacked r, z, n in `W_xh (D, 3H)`, `W_hh (H, 3H)` and `b_h (3H,)`. Printed forms differ in two places:
    `keep="z"` is h' = z h + (1 - z) n, as in Cho et al., `keep="1-z"` is h' = (1 - z) h + z n, as in Chung et al.
    2014; `reset="before"` resets h before its product with W, `reset="after"` resets the product (cuDNN, PyTorch), to
    which it adds a bias of its own, `b_hn (H,)`.
    """

    gates = 3

    def __init__(self, input_size: int, hidden_size: int, keep: str = "z", reset: str = "before",
                 **options: Any) -> None:  # fmt: skip
        if keep not in ("z", "1-z"):
            raise ValueError(f'GRUCell: keep is "z" or "1-z", the weight of the old state, not {keep!r}')
        if reset not in ("before", "after"):
            raise ValueError(f'GRUCell: reset is "before" or "after" the product with W_hh, not {reset!r}')
        super().__init__(input_size, hidden_size, **options)
        self.keep, self.reset = keep, reset
        if reset == "after":
            self.b_hn = parameter(init.zeros((hidden_size,), self.b_h.dtype), "b_hn", self.b_h.device)

    def forward(self, x: Any, h: Any) -> Any:
        return gru_step(x, h, self.W_xh, self.W_hh, self.b_h, getattr(self, "b_hn", None), self.keep)

    def sequence(self, x: Any, h: Any, **options: Any) -> Any:
        return gru_sequence(x, h, self.W_xh, self.W_hh, self.b_h, getattr(self, "b_hn", None), self.keep, **options)

    def describe(self) -> str:
        options = [f"keep={self.keep!r}"] * (self.keep != "z") + [f"reset={self.reset!r}"] * (self.reset != "before")
        return ", ".join([super().describe(), *options])
