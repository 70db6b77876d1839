"""Models: modules with named parameters, layers, recurrent cells in primitives, and the layers that unroll them."""

from . import init
from .cells import GRUCell, LSTMCell, RNNCell
from .convolution import Conv2d, Flatten, MaxPool2d
from .freezing import freeze, matching, unfreeze
from .highway import Highway, HighwayLayer
from .layers import Dropout, Embedding, Linear
from .lenet import LeNet5
from .module import Module
from .normalisation import BatchNorm
from .recurrent import GRU, LSTM, RNN, Recurrent, detach
from .residual import Residual
from .sequential import MLP, Sequential
from .torch_names import load_torch, to_torch

__all__ = [
    "GRU", "LSTM", "RNN", "Dropout", "Embedding", "GRUCell", "LSTMCell", "Linear", "Module", "RNNCell", "Recurrent",
    "detach", "init", "load_torch", "to_torch",
    "BatchNorm", "Conv2d", "Flatten", "Highway", "HighwayLayer", "LeNet5", "MLP", "MaxPool2d", "Residual", "Sequential",
    "freeze", "matching", "unfreeze",
]  # fmt: skip
