"""The table of derivatives: each primitive in one place, its forward rule and beside it one derivative per argument."""
# ruff: noqa: I001

from .convolution import conv2d, fold, max_pool2d, unfold
from .elementwise import (
    abs, add, clip, cos, divide, elu, exp, leaky_relu, log, maximum, minimum, multiply, negative, power, relu, sigmoid,
    sign, sin, softplus, sqrt, subtract, tanh, where,
)  # fmt: skip
from .linear import affine, einsum, matmul
from .loss import (
    binary_cross_entropy, cross_entropy, log_softmax, mse_loss, one_hot, sequence_loss, softmax,
)  # fmt: skip
from .noise import dropout
from .normalisation import batch_norm, standardize
from .placement import astype, cast, copy, to_device
from .reduction import logsumexp, max, mean, min, sum, sum_to, var
from .recurrent import gru_sequence, lstm_sequence, rnn_sequence
from .shape import (
    broadcast_to, concat, expand_dims, getitem, put, reshape, split, squeeze, stack, take, transpose, unstack,
)  # fmt: skip

__all__ = [
    "abs", "add", "affine", "astype", "batch_norm", "binary_cross_entropy", "broadcast_to", "cast", "clip", "concat",
    "conv2d", "copy", "cos", "cross_entropy", "divide", "dropout", "einsum", "elu", "exp", "expand_dims", "fold",
    "getitem", "gru_sequence", "leaky_relu", "log", "log_softmax", "logsumexp", "lstm_sequence", "matmul", "max",
    "max_pool2d", "maximum", "mean", "min", "minimum", "mse_loss", "multiply", "negative", "one_hot", "power", "put",
    "relu", "reshape", "rnn_sequence", "sequence_loss", "sigmoid", "sign", "sin", "softmax", "softplus", "split",
    "sqrt", "squeeze", "stack", "standardize", "subtract", "sum", "sum_to", "take", "tanh", "to_device", "transpose",
    "unfold", "unstack", "var", "where",
]  # fmt: skip
