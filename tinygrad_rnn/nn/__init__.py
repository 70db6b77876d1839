"""Models: modules with named parameters, layers, recurrent cells in primitives, and the layers that unroll them."""

from . import init
from .cells import (
    Controller,
    Graph,
    GraphCell,
    GRUCell,
    HighwayCell,
    IncompleteLSTMCell,
    IRNNCell,
    LSTM97Cell,
    LSTMCell,
    LSTMVariantCell,
    MultiplicativeRNNCell,
    MUT1Cell,
    MUT2Cell,
    MUT3Cell,
    PeepholeLSTMCell,
    ReservoirCell,
    ResidualCell,
    RNNCell,
    mutate,
    tree_graph,
)
from .layers import Dropout, Embedding, Linear
from .module import Module
from .recurrent import GRU, LSTM, RNN, Recurrent, detach
from .torch_names import load_torch, to_torch

__all__ = [
    "GRU", "LSTM", "RNN", "Controller", "Dropout", "Embedding", "GRUCell", "Graph", "GraphCell",
    "HighwayCell", "IRNNCell", "IncompleteLSTMCell",
    "LSTM97Cell", "LSTMCell", "LSTMVariantCell", "Linear", "MUT1Cell", "MUT2Cell", "MUT3Cell", "Module",
    "MultiplicativeRNNCell", "PeepholeLSTMCell", "RNNCell", "Recurrent", "ReservoirCell", "ResidualCell",
    "detach", "init", "load_torch", "mutate", "to_torch", "tree_graph",
]  # fmt: skip
