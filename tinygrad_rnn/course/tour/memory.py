"""How far back a network's gradient reaches, and which steps paid for it: measured on any layer with a readout."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core import Tensor
from ...flow import Ledger, by_lag, find_states, horizon, ledger
from ...pictures import Drawing
from ...pictures.charts import lag_chart, ledger_chart
from ...recording import Tap, tap
from ...autograd import grad

REACH = 0.01  # of the gradient at lag 0: what is smaller is said not to arrive


@dataclass(frozen=True)
class Memory:
    """Of one network at one moment: `norms (T,)` of the gradient of the last step's loss, by lag, for the state that
    the network remembers with (an LSTM's c, else h); the ledger of W_hh; the mean of all forget gates, for an LSTM."""

    state: str
    norms: np.ndarray
    account: Ledger
    forget: float | None

    @property
    def facts(self) -> dict[str, Any]:
        """What a caption may say."""
        first, last = float(self.norms[0]), float(self.norms[-1])
        lags = len(self.norms) - 1
        usable = lags > 0 and first > 0 and last > 0 and math.isfinite(first) and math.isfinite(last)
        rate = math.exp((math.log(last) - math.log(first)) / lags) if usable else None
        paid = self.account.norms
        near = paid[-10:].sum() / paid.sum() if 0 < paid.sum() < math.inf else None
        reach = horizon(self.norms, REACH) if np.isfinite(self.norms).all() else None
        return {"state": self.state, "first": first, "last": last, "lags": lags, "rate": rate, "horizon": reach,
                "paid_by_last_10": near, "forget_gate": self.forget}  # fmt: skip

    @property
    def numbers(self) -> dict[str, Any]:
        """For the JSON: the facts and all that the charts draw."""
        return {**self.facts, "norms_by_lag": self.norms, "ledger_W_hh": self.account.norms}


def remember(loss: Tensor, W_hh: Tensor) -> Memory:
    """Read the graph of `loss`, the loss of the last step only."""
    states = find_states(loss)
    name = "c" if "c" in states else "h"
    gates = _ForgetGates()
    with tap(gates):
        grad(loss, W_hh)
    lags = by_lag(loss, states[name])
    return Memory(name, lags.norms, ledger(loss, W_hh, keep=False), gates.mean)


class _ForgetGates(Tap):
    """Reads the forget gates off the graph, where an LSTM named them."""

    def __init__(self) -> None:
        super().__init__()
        self.values: list[float] = []

    def node(self, node: Any, gradients: Any) -> None:
        self.values += [float(x.data.mean()) for x in node.outputs if x.name == "f"]

    @property
    def mean(self) -> float | None:
        return float(np.mean(self.values)) if self.values else None


def lag_picture(memories: Mapping[str, Memory], title: str) -> Drawing:
    """One line a network: how much of the gradient is left after so many steps."""
    return lag_chart({name: m.norms for name, m in memories.items()}, title, "norm of ∂L/∂h (LSTM: ∂L/∂c)")


def ledger_picture(memories: Mapping[str, Memory], title: str) -> Drawing:
    """One panel of bars a network: what each use of W_hh gave to its gradient."""
    return ledger_chart({name: m.account for name, m in memories.items()}, title)
