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
    may write into them; `remembers` and `may_remember` declare the names that are always and sometimes in it.
    Parameters get new arrays (`p.data` is rebound), since a graph may hold the old ones.

    Hyperparameters, such as the learning rate `lr`, are plain attributes that may be set at any time. A parameter that
    is replaced in its module is another Tensor: make the optimizer after that. Raises TypeError for what is no Tensor,
    ValueError for what cannot learn.
    """

    hyperparameters: tuple[str, ...] = ("lr", "weight_decay")
    remembers: tuple[str, ...] = ()
    may_remember: tuple[str, ...] = ()

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
        """Move every parameter that has a gradient. Raises ValueError or TypeError, and moves none, where a gradient
        does not fit its parameter."""
        gradients = [gradient(p, type(self).__name__) for p in self.params]
        for p, g, memory in zip(self.params, gradients, self.memories, strict=True):
            if g is not None:
                moved = p.data - self.change(p.data, self.decayed(p.data, g), memory)
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
        """Hyperparameters by name, the number of `parameters`, and what is remembered of parameter i as `i.name`:
        numbers, and NumPy copies of arrays. With the parameters, all that is needed to go on as if never
        interrupted."""
        state: dict[str, Any] = {name: np.asarray(getattr(self, name)).item() for name in self.hyperparameters}
        state["parameters"] = len(self.params)
        for i, memory in enumerate(self.memories):
            for name, value in memory.items():
                state[f"{i}.{name}"] = backend.to_numpy(value).copy() if backend.is_array(value) else value
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take what `state_dict` gave, onto the devices of the parameters. Raises ValueError for the state of another
        optimizer (Adam's and AdamW's are alike), of another number of parameters or of other shapes; then nothing has
        changed."""
        kind, remedy = type(self).__name__, "load into an optimizer like the one that was saved"
        memories: list[dict[str, Any]] = [{} for _ in self.params]
        names = (*self.remembers, *self.may_remember)
        for key, value in state.items():
            i, dot, name = key.partition(".")
            if dot and i.isdigit() and int(i) < len(self.params) and name in names:
                memories[int(i)][name] = self._entry(key, value, self.params[int(i)])
            elif key not in (*self.hyperparameters, "parameters"):
                known = ", ".join([*self.hyperparameters, *(f"i.{name}" for name in names)])
                raise ValueError(f"{kind}: unexpected {key!r}: it knows {known} for parameter i below "
                                 f"{len(self.params)}; {remedy}")  # fmt: skip
        needed = [*self.hyperparameters, "parameters"]
        needed += [f"{i}.{name}" for i, memory in enumerate(memories) if memory for name in self.remembers]
        missing = [key for key in needed if key not in state]
        if missing:
            raise ValueError(f"{kind}: missing {', '.join(map(repr, missing))}: {remedy}")
        count = int(np.asarray(state["parameters"]).item())
        if count != len(self.params):
            raise ValueError(f"{kind}: the state is of {count} parameter{'s' * (count != 1)}, and here are "
                             f"{len(self.params)}: {remedy}")  # fmt: skip
        for name in self.hyperparameters:
            setattr(self, name, np.asarray(state[name]).item())
        self.memories = memories

    def _entry(self, key: str, value: Any, p: Tensor) -> Any:
        array = np.asarray(value)
        if array.ndim == 0 and array.dtype.kind in "iu":  # how many steps; files keep numbers as 0-d arrays
            return int(array)
        if array.shape != p.shape:
            raise ValueError(f"{type(self).__name__}: {key} has shape {array.shape}, its parameter {p.shape}: load "
                             "into one of the same parameters in the same order")  # fmt: skip
        return backend.to_device(array.copy(), p.device)


def gradient(p: Tensor, who: str) -> Array | None:
    """The numbers of `p.grad`, None where there is none. Raises TypeError where it is no Tensor, ValueError where its
    shape or device is not that of p."""
    g: Any = p.grad
    if g is None:
        return None
    if not isinstance(g, Tensor):
        raise TypeError(f"{who}: the gradient of {describe(p)} is a {type(g).__name__}, no Tensor: set .grad = "
                        "tg.tensor(...)")  # fmt: skip
    if g.shape != p.shape:
        raise ValueError(f"{who}: the gradient of {describe(p)} has shape {tuple(g.shape)}: give it that of the "
                         "parameter, or None")  # fmt: skip
    if g.device != p.device:
        raise ValueError(f"{who}: the gradient of {describe(p)} is on {g.device}, the parameter on {p.device}: move "
                         f"one with .to({p.device!r})")  # fmt: skip
    return g.data


def kept(name: str, memory: dict[str, Any], like: Array) -> Array:
    """The array remembered as `name`, at first zeros."""
    if name not in memory:
        memory[name] = backend.xp(like).zeros_like(like)
    return memory[name]
