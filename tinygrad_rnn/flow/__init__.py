"""Instruments that read a backward pass: where a gradient comes from, how it travels through time, how far it reaches;
and those that read the units: what they do, whether their gates are shut, and which of them tracks what.

Every number is the engine's own, read through a tap or `tg.grad`; no `.grad` is touched. Mark the steps of a loop with
`with tg.step(t):` (the layers of `tg.nn` do), so that the instruments know what happened when.
"""

from .accounts import Ledger, Table, ledger
from .features import activations, maximise, saliency
from .gates import Saturation, gate_saturation, saturation
from .jacobians import JacobianProducts, Spectrum, jacobian_products, spectrum
from .probes import Found, search
from .reach import Lags, by_lag, horizon
from .rtrl import RTRL
from .states import StateGradients, find_states, state_gradients
from .truncations import Truncation, truncation_bias
from .units import Recording, record

__all__ = [
    "Found", "JacobianProducts", "Lags", "Ledger", "RTRL", "Recording", "Saturation", "Spectrum", "StateGradients",
    "Table", "Truncation", "activations", "by_lag", "find_states", "gate_saturation", "horizon",
    "jacobian_products", "ledger", "maximise", "record", "saliency", "saturation", "search", "spectrum",
    "state_gradients", "truncation_bias",
]  # fmt: skip
