"""Models: modules with named parameters, layers, recurrent cells in primitives, and the layers that unroll them."""

from . import init
from .cells import GRUCell, LSTMCell, RNNCell
from .layers import Dropout, Embedding, Linear
from .module import Module
from .recurrent import GRU, LSTM, RNN, Recurrent, detach
from .torch_names import load_torch, to_torch
from .wirings import Answerer, Captioner, Decoder, EncoderDecoder, RecursiveNetwork

__all__ = [
    "GRU", "LSTM", "RNN", "Answerer", "Captioner", "Decoder", "Dropout", "Embedding", "EncoderDecoder", "GRUCell",
    "LSTMCell", "Linear", "Module", "RNNCell", "Recurrent", "RecursiveNetwork", "detach", "init", "load_torch",
    "to_torch",
]  # fmt: skip
