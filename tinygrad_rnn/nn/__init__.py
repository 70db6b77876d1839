"""Models: modules with named parameters, layers, recurrent cells in primitives, and the layers that unroll them."""
# ruff: noqa: I001

from . import init
from .cells import (
    GRUCell, HighwayCell, IRNNCell, IncompleteLSTMCell, LSTM97Cell, LSTMCell, LSTMVariantCell, MUT1Cell, MUT2Cell,
    MUT3Cell, MultiplicativeRNNCell, PeepholeLSTMCell, RNNCell, ReservoirCell, ResidualCell,
)  # fmt: skip
from .layers import Dropout, Embedding, Linear
from .module import Module
from .recurrent import GRU, LSTM, RNN, Recurrent, detach
from .torch_names import load_torch, to_torch

__all__ = [
    "Dropout", "Embedding", "GRU", "GRUCell", "HighwayCell", "IRNNCell", "IncompleteLSTMCell", "LSTM",
    "LSTM97Cell", "LSTMCell", "LSTMVariantCell", "Linear", "MUT1Cell", "MUT2Cell", "MUT3Cell", "Module",
    "MultiplicativeRNNCell", "PeepholeLSTMCell", "RNN", "RNNCell", "Recurrent", "ReservoirCell", "ResidualCell",
    "detach", "init", "load_torch", "to_torch",
]  # fmt: skip
