"""Instruments that read a backward pass: where a gradient comes from, how it travels through time, how far it reaches.

Every number is the engine's own, read through a tap or `tg.grad`; no `.grad` is touched. Mark the steps of a loop with
`with tg.step(t):` (the layers of `tg.nn` do), so that the instruments know what happened when.
"""

from .accounts import Ledger, Table, ledger
from .jacobians import JacobianProducts, Spectrum, jacobian_products, spectrum
from .reach import Lags, by_lag, horizon
from .rtrl import RTRL
from .states import StateGradients, find_states, state_gradients
from .truncations import Truncation, truncation_bias

__all__ = [
    "RTRL", "JacobianProducts", "Lags", "Ledger", "Spectrum", "StateGradients", "Table", "Truncation", "by_lag",
    "find_states", "horizon", "jacobian_products", "ledger", "spectrum", "state_gradients", "truncation_bias",
]  # fmt: skip
