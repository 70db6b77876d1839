"""Models: modules with named parameters, layers, recurrent cells in primitives, and the layers that unroll them."""
# ruff: noqa: I001

from . import generative, init
from .cells import (
    GRUCell, HighwayCell, IRNNCell, IncompleteLSTMCell, LSTM97Cell, LSTMCell, LSTMVariantCell, MUT1Cell, MUT2Cell,
    MUT3Cell, MultiplicativeRNNCell, PeepholeLSTMCell, RNNCell, ReservoirCell, ResidualCell,
)  # fmt: skip
from .convolution import Conv2d, Flatten, MaxPool2d
from .echo_state import EchoState
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
    "BatchNorm", "Conv2d", "Dropout", "EchoState", "Embedding", "Flatten", "GRU", "GRUCell", "Highway",
    "HighwayCell", "HighwayLayer", "IRNNCell", "IncompleteLSTMCell", "LSTM", "LSTM97Cell", "LSTMCell",
    "LSTMVariantCell", "LeNet5", "Linear", "MLP", "MUT1Cell", "MUT2Cell", "MUT3Cell", "MaxPool2d", "Module",
    "MultiplicativeRNNCell", "PeepholeLSTMCell", "RNN", "RNNCell", "Recurrent", "ReservoirCell", "Residual",
    "ResidualCell", "Sequential", "detach", "freeze", "generative", "init", "load_torch", "matching", "to_torch",
    "unfreeze",
]  # fmt: skip
