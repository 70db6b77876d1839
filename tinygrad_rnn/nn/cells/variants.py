"""The LSTM with peepholes, and with one part of it left out or changed: a search-space odyssey."""

from __future__ import annotations

import difflib
import math
from typing import Any

import numpy as np

from ...ops import concat, sigmoid, split, tanh
from .. import init
from ..layers import parameter
from .cell import Cell

CHANGES = {
    "NIG": "no input gate, i = 1",
    "NFG": "no forget gate, f = 1",
    "NOG": "no output gate, o = 1",
    "NIAF": "no input activation function, g = a",
    "NOAF": "no output activation function, h = o c",
    "CIFG": "coupled input and forget gate, f = 1 - i",
    "NP": "no peepholes",
    "FGR": "full gate recurrence: gates hear all gates of the step before",
}
NAMES = {"vanilla": "", "LSTM-i": "NIG+NP", "LSTM-f": "NFG+NP", "LSTM-o": "NOG+NP"}


class LSTMVariantCell(Cell):
    """The LSTM with peepholes and its eight variants (Greff et al. 2015): `h, c = cell(x, (h, c))`, h and c (B, H).

    "vanilla" is (appendix A.1 there; z, y there are g, h here, and p are vectors)

        i = sigma(x W_xi + h W_hi + p_i c + b_i)       g = tanh(x W_xg + h W_hg + b_g)
        f = sigma(x W_xf + h W_hf + p_f c + b_f)       c' = f c + i g
        o = sigma(x W_xo + h W_ho + p_o c' + b_o)      h' = o tanh(c')

    `variant` takes something away or changes it: "NIG", "NFG", "NOG" (no input, forget, output gate), "NIAF", "NOAF"
    (no activation at input, at output), "NP" (no peepholes: LSTMCell), "CIFG" (f = 1 - i), "FGR" (gates also hear the
    gates of the step before, through `W_gg`; the state is then `(h, c, i, f, o)`). Several are joined: "CIFG+NP" is the
    common coupled LSTM, "NFG+NP" the "LSTM-f" of Jozefowicz et al. (2015; "LSTM-i" and "LSTM-o" are known too, and
    their "LSTM" and "LSTM-b" are LSTMCell with forget_bias=0 and 1). Weights are stacked i, f, o, g in `W_xh`, `W_hh`
    and `b_h`, without those that are not there. `forget_bias` is where the bias of f starts, and for coupled gates the
    negative of that of i. Raises ValueError for a variant that there is not.

    >>> cell = LSTMVariantCell(3, 5, "CIFG+NP")
    >>> cell.gates, [name for name, _ in cell.named_parameters()]
    (3, ['W_xh', 'W_hh', 'b_h'])
    """

    def __init__(self, input_size: int, hidden_size: int, variant: str = "vanilla", forget_bias: float = 1.0,
                 **options: Any) -> None:  # fmt: skip
        self.variant, self.forget_bias = variant, forget_bias
        self._changes = _changes(variant)
        missing = {"NIG": "i", "NFG": "f", "NOG": "o", "CIFG": "f"}
        self._learned = [k for k in "ifog" if k not in {missing.get(change) for change in self._changes}]
        self.gates = len(self._learned)
        self.states = ("h", "c", *self._learned[:-1]) if "FGR" in self._changes else ("h", "c")
        super().__init__(input_size, hidden_size, **options)
        remembers, bias = ("i", -forget_bias) if "CIFG" in self._changes else ("f", forget_bias)
        if remembers in self._learned:
            k = self._learned.index(remembers)
            self.b_h.data[k * hidden_size : (k + 1) * hidden_size] = bias

    def make(self, rng: np.random.Generator, dtype: Any, device: str | None) -> None:
        super().make(rng, dtype, device)
        H, bound = self.hidden_size, 1 / math.sqrt(self.hidden_size)
        for k in self._learned[:-1] if "NP" not in self._changes else []:
            setattr(self, f"p_{k}", parameter(init.uniform((H,), rng, bound, dtype), f"p_{k}", device))
        if "FGR" in self._changes:
            width = (self.gates - 1) * H
            self.W_gg = parameter(init.uniform((width, width), rng, bound, dtype), "W_gg", device)

    def forward(self, x: Any, state: Any) -> Any:
        h, c, *gates = state
        a = dict(zip(self._learned, split(x @ self.W_xh + h @ self.W_hh + self.b_h, self.gates, axis=-1), strict=True))
        if gates:
            heard = split(concat(gates, axis=-1) @ self.W_gg, len(gates), axis=-1)
            a |= {k: a[k] + more for k, more in zip(self._learned, heard, strict=False)}
        i, f = self._gate("i", a, c), self._gate("f", a, c)
        if "CIFG" in self._changes:
            f = (1 - i).named("f")
        g = (a["g"] if "NIAF" in self._changes else tanh(a["g"])).named("g")
        c = (_let(f, c) + _let(i, g)).named("c")
        o = self._gate("o", a, c)
        h = _let(o, c if "NOAF" in self._changes else tanh(c)).named("h")
        now = {"i": i, "f": f, "o": o}
        return (h, c, *(now[k] for k in self._learned[:-1])) if gates else (h, c)

    def _gate(self, k: str, a: dict[str, Any], c: Any) -> Any:
        """Gate k, which peeps at c; None where it is left out, which is as if it were 1."""
        if k not in a:
            return None
        return sigmoid(a[k] if "NP" in self._changes else a[k] + getattr(self, f"p_{k}") * c).named(k)

    def describe(self) -> str:
        return super().describe() + ("" if self.variant == "vanilla" else f", {self.variant!r}")


class PeepholeLSTMCell(LSTMVariantCell):
    """The LSTM whose gates see the cell state (Gers & Schmidhuber 2000; Gers, Schraudolph & Schmidhuber 2002):
    `h, c = cell(x, (h, c))`. The equations are those of `LSTMVariantCell`, "vanilla"."""

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0, **options: Any) -> None:
        super().__init__(input_size, hidden_size, forget_bias=forget_bias, **options)


def _let(gate: Any, value: Any) -> Any:
    return value if gate is None else gate * value


def _changes(variant: str) -> set[str]:
    """What "CIFG+NP" changes. Raises ValueError for words that are none, and for a gate both coupled and left out."""
    changes = {word for word in NAMES.get(variant, variant).split("+") if word}
    for word in sorted(changes - CHANGES.keys()):
        near = difflib.get_close_matches(word, [*CHANGES, *NAMES], n=1)
        hint = f": did you mean {near[0]}?" if near else ""
        raise ValueError(f"LSTMVariantCell: no variant {word!r}{hint} There are {', '.join([*NAMES, *CHANGES])}, and "
                         'sums such as "CIFG+NP"')  # fmt: skip
    for word in sorted(changes & {"NIG", "NFG"} if "CIFG" in changes else ()):
        raise ValueError(f"LSTMVariantCell: {variant!r}: CIFG makes f of i, and {word} leaves one of them out")
    if "FGR" in changes and {"NIG", "NFG", "NOG"} <= changes:
        raise ValueError(f"LSTMVariantCell: {variant!r}: FGR lets gates hear gates, and none is left")
    return changes
