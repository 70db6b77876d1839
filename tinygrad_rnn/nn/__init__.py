"""Models: modules with named parameters, layers, recurrent cells in primitives, and the layers that unroll them."""
# ruff: noqa: I001

from . import generative, init, wirings
from .cells import (
    Cell, Controller, GRUCell, Graph, GraphCell, HighwayCell, IRNNCell, IncompleteLSTMCell, LSTM97Cell, LSTMCell,
    LSTMVariantCell, MUT1Cell, MUT2Cell, MUT3Cell, MultiplicativeRNNCell, PeepholeLSTMCell, RNNCell, ReservoirCell,
    ResidualCell, mutate, reinforce_loss, tree_graph,
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
from .wirings import Answerer, Captioner, Decoder, EncoderDecoder, RecursiveNetwork

__all__ = [
    "Answerer", "BatchNorm", "Captioner", "Cell", "Controller", "Conv2d", "Decoder", "Dropout", "EchoState",
    "Embedding", "EncoderDecoder", "Flatten", "GRU", "GRUCell", "Graph", "GraphCell", "Highway", "HighwayCell",
    "HighwayLayer", "IRNNCell", "IncompleteLSTMCell", "LSTM", "LSTM97Cell", "LSTMCell", "LSTMVariantCell", "LeNet5",
    "Linear", "MLP", "MUT1Cell", "MUT2Cell", "MUT3Cell", "MaxPool2d", "Module", "MultiplicativeRNNCell",
    "PeepholeLSTMCell", "RNN", "RNNCell", "Recurrent", "RecursiveNetwork", "ReservoirCell", "Residual", "ResidualCell",
    "Sequential", "detach", "freeze", "generative", "init", "load_torch", "matching", "mutate", "reinforce_loss",
    "to_torch", "tree_graph", "unfreeze", "wirings",
]  # fmt: skip
