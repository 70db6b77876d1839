"""What a network makes of an image: the activations of its layers, and the image that a unit would like best."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..autograd import grad
from ..core import Tensor, raw, tensor
from ..nn.module import Module
from ..recording import no_grad


def activations(model: Module, x: Any, *names: str) -> dict[str, np.ndarray]:
    """What the modules called `names` give while `model` sees x, by dotted name: the heat-maps of a convolution are
    (B, C, H, W), one a channel. For no name, what all modules give, but for the cells inside of recurrent layers, which
    `flow.record` is for.

    A module that is called several times gives what it gave last. Raises ValueError for a name that there is not.

    >>> from tinygrad_rnn import nn
    >>> seen = activations(nn.LeNet5(rng=0), np.zeros((1, 1, 32, 32), np.float32), "conv_block1.0", "conv_block2")
    >>> {name: maps.shape for name, maps in seen.items()}
    {'conv_block1.0': (1, 6, 28, 28), 'conv_block2': (1, 16, 5, 5)}
    """
    named = [(name, module) for name, module in model.named_modules() if name]
    of_cells = [name for name, module in named if isinstance(module.forward, Module)]  # `forward` is a cell of theirs
    modules = {name: module for name, module in named if module.forward is not None and name not in of_cells}
    for name in names:
        if name not in modules:
            raise ValueError(f"activations: {type(model).__name__} has no module {name!r}: {', '.join(modules)}")
    cells = tuple(f"{name}." for name in of_cells)
    wanted = {name: modules[name] for name in names or modules if names or not name.startswith(cells)}
    seen: dict[str, np.ndarray] = {}
    own = {name: vars(module).get("forward") for name, module in wanted.items()}
    try:
        for name, module in wanted.items():
            module.forward = _watched(name, module.forward, seen)
        with no_grad():
            model(x)
    finally:
        for name, module in wanted.items():
            if own[name] is None:
                vars(module).pop("forward", None)
            else:
                module.forward = own[name]
    return seen


def _watched(name: str, forward: Callable[..., Any], seen: dict[str, np.ndarray]) -> Callable[..., Any]:
    def watched(*args: Any, **kwargs: Any) -> Any:
        y = forward(*args, **kwargs)
        first = y[0] if isinstance(y, tuple) else y  # the outputs of a recurrent layer, without its state
        seen[name] = backend.to_numpy(raw(first)).copy()
        return y

    return watched


def maximise(score: Callable[[Tensor], Tensor], start: Any, steps: int = 100, lr: float = 0.1,
             l2: float = 0.01) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Activation maximisation: the image that makes a unit answer most, and what score - l2 / 2 |x|^2 was before each
    step and after the last (steps + 1,).

    Gradient ascent on the image itself, x := x + lr (d score / dx - l2 x), from `start`; the penalty keeps the image
    from growing without bound (Erhan et al. 2009; the form with L2: Simonyan et al. 2014, equation 1). `score` gives a
    single number, such as `lambda x: net.conv_block1(x)[0, 3].sum()` or a logit before the softmax; put dropout and
    batch normalisation into evaluation mode first. The model's own `.grad` stays as it is. Raises FloatingPointError
    where the image does not stay finite.
    """
    x = tensor(start, requires_grad=True)
    goals = []
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is told once and clearly
        for step in range(steps + 1):
            goal = score(x) - (l2 / 2) * (x * x).sum()
            goals.append(goal.item())
            if not np.isfinite(goals[-1]):
                raise FloatingPointError(f"maximise: step {step} gives {goals[-1]}: lower lr, or raise l2")
            if step < steps:
                (slope,) = grad(goal, x)
                x = tensor(x.data + x.dtype.type(lr) * slope.data, requires_grad=True)
    return x.numpy().copy(), np.array(goals)


def saliency(score: Callable[[Tensor], Tensor], x: Any) -> np.ndarray:
    """|d score / dx|: how much each point of the image matters to a number that was computed from it (Simonyan et al.
    2014, section 3)."""
    leaf = tensor(x, requires_grad=True)
    (slope,) = grad(score(leaf), leaf)
    return np.abs(slope.numpy())
