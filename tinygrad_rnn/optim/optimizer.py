"""Optimizer: a list of parameters, the hyperparameters, and what is remembered of each parameter between steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .. import backend
from ..backend import Array
from ..core import Tensor, describe


class Optimizer:
    """Base of the optimizers. `step()` moves each parameter by what its `.grad` says; one whose `.grad` is None stays.

    A subclass gives `change(p, g, memory)`: the array to subtract from parameter array p with gradient g. `memory` is a
    dict, kept for each parameter, of arrays and numbers; it starts empty, and its arrays belong to the optimizer, which
    may write into them. Parameters get new arrays (`p.data` is rebound), since a graph may hold the old ones.

    Hyperparameters, such as the learning rate `lr`, are plain attributes that may be set at any time. A parameter that
    is replaced in its module is another Tensor: make the optimizer after that. Raises TypeError for what is no Tensor,
    ValueError for what cannot learn.
    """

    hyperparameters: tuple[str, ...] = ("lr", "weight_decay")

    def __init__(self, params: Iterable[Tensor], lr: float, weight_decay: float = 0.0) -> None:
        self.params = [params] if isinstance(params, Tensor) else list(params)
        self.lr, self.weight_decay = lr, weight_decay
        kind = type(self).__name__
        if not self.params:
            raise ValueError(f"{kind}: there are no parameters: pass module.parameters()")
        for i, p in enumerate(self.params):
            if not isinstance(p, Tensor):
                raise TypeError(f"{kind}: parameter {i} is a {type(p).__name__}, no Tensor: pass module.parameters()")
            if p.node is not None:
                raise ValueError(f"{kind}: parameter {i}, {describe(p)}, was computed and is no leaf: pass what it was "
                                 "computed from")  # fmt: skip
        self.params = list(dict.fromkeys(self.params))  # a shared one moves once
        self.memories: list[dict[str, Any]] = [{} for _ in self.params]
        for name in self.hyperparameters:
            value = getattr(self, name)
            if not isinstance(value, bool) and not value >= 0:
                raise ValueError(f"{kind}: {name} must not be negative or NaN, and it is {value}")

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        for p, memory in zip(self.params, self.memories, strict=True):
            if p.grad is not None:
                moved = p.data - self.change(p.data, self.decayed(p.data, p.grad.data), memory)
                p.data = backend.xp(p.data).asarray(moved, dtype=p.dtype)

    def change(self, p: Array, g: Array, memory: dict[str, Any]) -> Array:
        raise NotImplementedError(f"{type(self).__name__} defines no change(self, p, g, memory)")

    def decayed(self, p: Array, g: Array) -> Array:
        """The gradient of loss + weight_decay / 2 * |p|^2."""
        return g + self.weight_decay * p if self.weight_decay else g

    def zero_grad(self) -> None:
        """Forget the gradients: each parameter's `.grad` becomes None."""
        for p in self.params:
            p.grad = None

    def state_dict(self) -> dict[str, Any]:
        """Hyperparameters by name, and what is remembered of parameter i as `i.name`: numbers, and NumPy copies of
        arrays. With the parameters, all that is needed to go on as if never interrupted."""
        state: dict[str, Any] = {name: np.asarray(getattr(self, name)).item() for name in self.hyperparameters}
        for i, memory in enumerate(self.memories):
            for name, value in memory.items():
                state[f"{i}.{name}"] = backend.to_numpy(value).copy() if backend.is_array(value) else value
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take what `state_dict` gave, onto the devices of the parameters. Raises ValueError for entries of another
        optimizer or of parameters of other shapes; then nothing has changed."""
        kind = type(self).__name__
        memories: list[dict[str, Any]] = [{} for _ in self.params]
        for key, value in state.items():
            i, dot, name = key.partition(".")
            if not dot and key in self.hyperparameters:
                continue
            if not (dot and i.isdigit() and int(i) < len(self.params)):
                known = f"{', '.join(self.hyperparameters)} and entries of parameters 0 to {len(self.params) - 1}"
                raise ValueError(f"{kind}: unexpected {key!r}: it knows {known}; load into one like the saved one")
            memories[int(i)][name] = self._entry(key, value, self.params[int(i)])
        for name in self.hyperparameters:
            setattr(self, name, np.asarray(state.get(name, getattr(self, name))).item())
        self.memories = memories

    def _entry(self, key: str, value: Any, p: Tensor) -> Any:
        array = np.asarray(value)
        if array.ndim == 0 and array.dtype.kind in "iu":  # how many steps; files keep numbers as 0-d arrays
            return int(array)
        if array.shape != p.shape:
            raise ValueError(f"{type(self).__name__}: {key} has shape {array.shape}, its parameter {p.shape}: load "
                             "into one of the same parameters in the same order")  # fmt: skip
        return backend.to_device(array.copy(), p.device)


def kept(name: str, memory: dict[str, Any], like: Array) -> Array:
    """The array remembered as `name`, at first zeros."""
    if name not in memory:
        memory[name] = backend.xp(like).zeros_like(like)
    return memory[name]
