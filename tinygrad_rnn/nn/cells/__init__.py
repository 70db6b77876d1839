"""Recurrent cells: one time step each, in primitives, the state passed in and handed back.

    h = cell(x, h)                 # RNNCell, GRUCell
    h, c = cell(x, (h, c))         # LSTMCell

The forward methods are one step, in the equations of `ops.recurrent.steps`; `sequence`, where a cell has it, is a whole
sequence at once, in one fused operation with the same results.
"""

from .cell import Cell
from .elman import RNNCell
from .gru import GRUCell
from .lstm import LSTMCell

__all__ = ["Cell", "GRUCell", "LSTMCell", "RNNCell"]
