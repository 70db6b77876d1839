"""Models: modules with named parameters, layers, recurrent cells in primitives, and the layers that unroll them."""

from . import init
from .cells import GRUCell, LSTMCell, RNNCell
from .echo_state import EchoState
from .layers import Dropout, Embedding, Linear
from .module import Module
from .recurrent import GRU, LSTM, RNN, Recurrent, detach
from .torch_names import load_torch, to_torch

__all__ = [
    "GRU", "LSTM", "RNN", "Dropout", "EchoState", "Embedding", "GRUCell", "LSTMCell", "Linear", "Module", "RNNCell",
    "Recurrent", "detach", "init", "load_torch", "to_torch",
]  # fmt: skip
