"""How far back a network's gradient reaches, and which steps paid for it: measured on any layer with a readout."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import nn
from ...autograd import grad
from ...core import Tensor
from ...flow import Ledger, by_lag, find_states, horizon, ledger
from ...flow.graphs import norm
from ...pictures import Drawing
from ...pictures.charts import lag_chart, ledger_chart
from ...recording import Tap, tap

REACH = 0.01  # of the gradient at lag 0: what is smaller is said not to arrive


@dataclass(frozen=True)
class Memory:
    """Of one network at one moment: `norms (T,)` of the gradient of the last step's loss, by lag, for the state that
    the network remembers with (an LSTM's c, else h); `direct (T,)`, what of it comes by the LSTM's direct path alone,
    times one forget gate a step; the ledger of W_hh; the mean of all forget gates. None for what an Elman network has
    not."""

    state: str
    norms: np.ndarray
    account: Ledger
    direct: np.ndarray | None
    forget: float | None

    @property
    def facts(self) -> dict[str, Any]:
        """What a caption may say."""
        first, last = float(self.norms[0]), float(self.norms[-1])
        lags = len(self.norms) - 1
        usable = lags > 0 and first > 0 and last > 0 and math.isfinite(first) and math.isfinite(last)
        rate = math.exp((math.log(last) - math.log(first)) / lags) if usable else None
        paid = self.account.norms
        near = float(paid[-10:].sum() / paid.sum()) if 0 < paid.sum() < math.inf else None
        reach = horizon(self.norms, REACH) if np.isfinite(self.norms).all() else None
        direct = None if self.direct is None else float(self.direct[-1])
        return {
            "state": self.state,
            "first": first,
            "last": last,
            "lags": lags,
            "rate": rate,
            "horizon": reach,
            "paid_by_last_10": near,
            "forget_gate": self.forget,
            "direct": direct,
        }

    @property
    def numbers(self) -> dict[str, Any]:
        """For the JSON: the facts and all that the charts draw."""
        return {
            **self.facts,
            "norms_by_lag": self.norms,
            "direct_by_lag": self.direct,
            "ledger_W_hh": self.account.norms,
        }


def remember(loss: Tensor, W_hh: Tensor) -> Memory:
    """Read the graph of `loss`, the loss of the last step only."""
    states = find_states(loss)
    name = "c" if "c" in states else "h"
    lags, account = by_lag(loss, states[name]), ledger(loss, W_hh, keep=False)
    gates = _ForgetGates()
    arrived = grad(loss, states[name][-1])[0].data
    with tap(gates):
        grad(loss, W_hh)
    if not gates.by_step:
        return Memory(name, lags.norms, account, None, None)
    direct = [arrived]
    for t in sorted(gates.by_step, reverse=True)[: len(lags) - 1]:
        direct.append(direct[-1] * gates.by_step[t])
    forget = float(np.mean([float(f.mean()) for f in gates.by_step.values()]))
    return Memory(name, lags.norms, account, np.array([norm(g) for g in direct]), forget)


class _ForgetGates(Tap):
    """Reads the forget gates (B, H) of each step off the graph, where an LSTM named them."""

    def __init__(self) -> None:
        super().__init__()
        self.by_step: dict[int, Any] = {}

    def node(self, node: Any, gradients: Any) -> None:
        for x in node.outputs:
            if x.name == "f" and x.step is not None:
                self.by_step[x.step] = x.data


def to_look_into(*modules: nn.Module) -> tuple[Any, ...]:
    """Copies in float64, whose layers record each step: in float32 a gradient that dies would be 0 below 1e-45, and in
    float64 it has a norm; what was trained by one operation a layer shows nothing between two steps."""
    copies = tuple(copy.deepcopy(module).astype(np.float64) for module in modules)
    for part in (part for each in copies for part in each.modules()):
        if isinstance(part, nn.Recurrent):
            part.kernel = "unrolled"
    return copies


def lag_picture(memories: Mapping[str, Memory], title: str) -> Drawing:
    """One line a network: how much of the gradient is left after so many steps."""
    return lag_chart({name: m.norms for name, m in memories.items()}, title, "norm of ∂L/∂h (LSTM: ∂L/∂c)")


def ledger_picture(memories: Mapping[str, Memory], title: str) -> Drawing:
    """One panel of bars a network: what each use of W_hh gave to its gradient."""
    return ledger_chart({name: m.account for name, m in memories.items()}, title)
