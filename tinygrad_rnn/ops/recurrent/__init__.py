"""Recurrences over whole sequences, each in one operation with a backward pass derived by hand."""

from .between import MERGES, dropout_sequence, join_directions
from .gru import gru_sequence
from .lstm import lstm_sequence
from .rnn import rnn_sequence
from .sequence import indices_of, mask_of, one_hot_inputs, scan

__all__ = [
    "MERGES", "dropout_sequence", "gru_sequence", "indices_of", "join_directions", "lstm_sequence", "mask_of",
    "one_hot_inputs", "rnn_sequence", "scan",
]  # fmt: skip
