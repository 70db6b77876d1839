"""Weights to and from PyTorch's names and layouts.

PyTorch keeps weights as (out, in), where they are (in, out) here; stacks the LSTM's gates i, f, g, o (here i, f, o, g);
and has two biases that it adds, of which one is kept. In its GRU, z keeps the old state and the reset comes after the
product. Gates are permuted, and for `keep="1-z"` those of z negated, which undoes itself, so one rule serves both ways.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..core import Tensor
from .cells import GRUCell, LSTMCell, RNNCell
from .convolution import Conv2d
from .layers import Embedding, Linear
from .module import Module, as_numpy
from .normalisation import BatchNorm
from .recurrent import Recurrent

Arrays = dict[str, np.ndarray]
Shapes = dict[str, tuple[int, ...]]


def load_torch(module: Module, state_dict: Mapping[str, Any]) -> None:
    """Fill `module` from a dict of arrays (or of PyTorch's tensors) under PyTorch's names: `weight_ih_l0`,
    `bias_hh_l1_reverse`, `rnn.weight_ih_l0`, `head.weight`, ...; the module takes their dtype, its zero states too.

    RNN, LSTM, GRU, their cells, Linear, Embedding, Conv2d and BatchNorm are translated wherever they stand in
    `module`; Tensors of other modules keep name and layout. A recurrent layer without biases gets zeros. Raises
    ValueError, and loads nothing, where keys are missing or unexpected, where a shape differs, and for a GRU that is
    not `reset="after"`.
    """
    given = {key: as_numpy(value) for key, value in state_dict.items() if not key.endswith("num_batches_tracked")}
    ours: Arrays = {}
    expected: Shapes = {}
    for part in _parts(module):
        shapes = part.shapes(given)
        expected |= shapes
        if all(key in given and given[key].shape == shape for key, shape in shapes.items()):
            ours |= part.load(given)
    problems = [f"missing {key}" for key in expected if key not in given]
    for key in given:
        if key not in expected:
            near = difflib.get_close_matches(key, expected, n=1)
            problems.append(f"unexpected {key}" + (f" (did you mean {near[0]}?)" if near else ""))
        elif given[key].shape != expected[key]:
            problems.append(f"{key} is {given[key].shape}, and {expected[key]} fits")
    if problems:
        raise ValueError(f"load_torch: {'; '.join(problems)}: build {type(module).__name__} with the sizes, layers, "
                         "directions and biases of the one that was saved")  # fmt: skip
    module.load_state_dict(ours, strict=False)


def to_torch(module: Module) -> Arrays:
    """The parameters of `module` as NumPy arrays under PyTorch's names and in its layouts, the inverse of `load_torch`.

    Of the two biases that PyTorch adds, `bias_ih` holds the sum and `bias_hh` zeros (and the GRU's `b_hn`). Raises
    ValueError for a GRU that is not `reset="after"`, which PyTorch cannot express.

    >>> from tinygrad_rnn import nn
    >>> {key: array.shape for key, array in nn.to_torch(nn.LSTM(3, 5)).items()}
    {'weight_ih_l0': (20, 3), 'weight_hh_l0': (20, 5), 'bias_ih_l0': (20,), 'bias_hh_l0': (20,)}
    """
    theirs: Arrays = {}
    for part in _parts(module):
        theirs |= part.save()
    return {key: np.array(array, order="C") for key, array in theirs.items()}


class _Part:
    """One Tensor: `name` is where it stands here, `key` where in PyTorch's dict, there `transposed` or not."""

    def __init__(self, tensor: Tensor, name: str, key: str, transposed: bool = False) -> None:
        self.tensor, self.name, self.key, self.transposed = tensor, name, key, transposed

    def shapes(self, given: Arrays) -> Shapes:
        """PyTorch's keys and the shapes that are expected there."""
        return {self.key: self.tensor.shape[::-1] if self.transposed else self.tensor.shape}

    def load(self, given: Arrays) -> Arrays:
        """From PyTorch's dict to parameters by their names here."""
        return {self.name: given[self.key].T if self.transposed else given[self.key]}

    def save(self) -> Arrays:
        """From the parameters to PyTorch's dict."""
        return {self.key: self.tensor.numpy().T if self.transposed else self.tensor.numpy()}


class _CellPart:
    """The parameters of a cell: `weight_ih`, `weight_hh`, `bias_ih` and `bias_hh`, each with `suffix`, as in
    `_l0_reverse`."""

    def __init__(self, cell: Any, name: str, key: str, suffix: str) -> None:
        self.cell, self.name = cell, name
        self.keys = [f"{key}{word}{suffix}" for word in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        if isinstance(cell, GRUCell) and cell.reset != "after":
            raise ValueError(f'{name.rstrip(".") or "GRUCell"} resets before the product with W_hh, PyTorch after it: '
                             'make GRU(..., reset="after")')  # fmt: skip

    def shapes(self, given: Arrays) -> Shapes:
        cell = self.cell
        width = cell.gates * cell.hidden_size
        shapes: Shapes = {self.keys[0]: (width, cell.input_size), self.keys[1]: (width, cell.hidden_size)}
        if any(key in given for key in self.keys[2:]) or not any(key in given for key in self.keys):
            shapes |= dict.fromkeys(self.keys[2:], (width,))
        return shapes

    def load(self, given: Arrays) -> Arrays:
        W_xh, W_hh = (self._regated(given[key]) for key in self.keys[:2])
        zeros = np.zeros(len(W_xh), W_xh.dtype)
        b_x, b_h = (self._regated(given.get(key, zeros)) for key in self.keys[2:])
        ours = {"W_xh": W_xh.T, "W_hh": W_hh.T, "b_h": b_x + b_h}
        if isinstance(self.cell, GRUCell):
            n = slice(2 * self.cell.hidden_size, None)
            ours["b_h"][n], ours["b_hn"] = b_x[n], b_h[n]
        return {f"{self.name}{name}": array for name, array in ours.items()}

    def save(self) -> Arrays:
        cell = self.cell
        b_x = cell.b_h.numpy()
        b_h = np.zeros_like(b_x)
        if isinstance(cell, GRUCell):
            b_h[2 * cell.hidden_size :] = cell.b_hn.numpy()
        theirs = (cell.W_xh.numpy().T, cell.W_hh.numpy().T, b_x, b_h)
        return {key: self._regated(array) for key, array in zip(self.keys, theirs, strict=True)}

    def _regated(self, a: np.ndarray) -> np.ndarray:
        """The gates of `a (gates*H, ...)` in the other order; z as the other share."""
        gates = np.split(a, self.cell.gates)
        if isinstance(self.cell, LSTMCell):
            gates = [gates[0], gates[1], gates[3], gates[2]]
        if isinstance(self.cell, GRUCell) and self.cell.keep == "1-z":
            gates[1] = -gates[1]  # 1 - sigmoid(a) = sigmoid(-a)
        return np.concatenate(gates)


def _parts(root: Module) -> Iterator[_Part | _CellPart]:
    """What `root` is made of, each parameter in one part."""
    places: dict[str, tuple[str, str]] = {}  # of a cell inside a layer: where its layer stands, and the suffix
    weights: dict[str, tuple[str, bool]] = {}  # of a parameter: PyTorch's key, and whether it is transposed there
    cells: list[str] = []
    for name, module in root.named_modules():
        prefix = f"{name}." if name else ""
        if isinstance(module, Recurrent):
            for k, layer in enumerate(module.layers):
                for direction in layer.cells:
                    reverse = "_reverse" if direction == "backward" else ""
                    places[f"{prefix}layers.{k}.{direction}"] = (prefix, f"_l{k}{reverse}")
        elif isinstance(module, (RNNCell, LSTMCell, GRUCell)):
            cells.append(prefix)
            key, suffix = places.get(name, (prefix, ""))
            yield _CellPart(module, prefix, key, suffix)
        elif isinstance(module, Linear):
            weights[f"{prefix}W"] = (f"{prefix}weight", True)
            weights[f"{prefix}b"] = (f"{prefix}bias", False)
        elif isinstance(module, (Embedding, Conv2d)):
            weights[f"{prefix}W"] = (f"{prefix}weight", False)
            weights[f"{prefix}b"] = (f"{prefix}bias", False)
        elif isinstance(module, BatchNorm):
            weights[f"{prefix}w"] = (f"{prefix}weight", False)
            weights[f"{prefix}b"] = (f"{prefix}bias", False)
    for name, parameter in (*root.named_parameters(), *root.named_buffers()):
        if not any(name.startswith(prefix) for prefix in cells):
            yield _Part(parameter, name, *weights.get(name, (name, False)))
