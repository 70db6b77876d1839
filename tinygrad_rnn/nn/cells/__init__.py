"""Recurrent cells: one time step each, in primitives, the state passed in and handed back.

    h = cell(x, h)                 # RNNCell, GRUCell, MUT1Cell, ...
    h, c = cell(x, (h, c))         # LSTMCell and its relatives

The forward methods are one step, in the equations of their papers (of the first three in `ops.recurrent.steps`);
`sequence`, where a cell has it, is a whole sequence at once, in one fused operation with the same results.
"""

from .cell import Cell
from .controller import Controller, reinforce_loss
from .elman import RNNCell
from .graph import Graph
from .graph_cell import GraphCell
from .gru import GRUCell
from .incomplete import IncompleteLSTMCell
from .irnn import IRNNCell
from .lstm import LSTMCell
from .lstm97 import LSTM97Cell
from .multiplicative import MultiplicativeRNNCell
from .mut import MUT1Cell, MUT2Cell, MUT3Cell
from .mutation import mutate
from .reservoir import ReservoirCell
from .skipping import HighwayCell, ResidualCell
from .tree import tree_graph
from .variants import LSTMVariantCell, PeepholeLSTMCell

__all__ = [
    "Cell", "Controller", "GRUCell", "Graph", "GraphCell", "HighwayCell",
    "IRNNCell", "IncompleteLSTMCell", "LSTM97Cell", "LSTMCell", "LSTMVariantCell",
    "MUT1Cell", "MUT2Cell", "MUT3Cell", "MultiplicativeRNNCell", "PeepholeLSTMCell", "RNNCell", "ReservoirCell",
    "ResidualCell", "mutate", "reinforce_loss", "tree_graph",
]  # fmt: skip
