"""Models: modules with named parameters, layers, recurrent cells in primitives, and the layers that unroll them."""

from . import init, wirings
from .cells import GRUCell, LSTMCell, RNNCell
from .layers import Dropout, Embedding, Linear
from .module import Module
from .recurrent import GRU, LSTM, RNN, Recurrent, detach
from .torch_names import load_torch, to_torch

__all__ = [
    "GRU", "LSTM", "RNN", "Dropout", "Embedding", "GRUCell", "LSTMCell", "Linear", "Module", "RNNCell", "Recurrent",
    "detach", "init", "load_torch", "to_torch", "wirings",
]  # fmt: skip
