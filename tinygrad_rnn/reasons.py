"""Why a tensor has no gradient, in one line that says what to do: the commonest question of a newcomer."""

from __future__ import annotations

from . import autograd
from .core import Tensor, describe


def why(x: Tensor) -> str:
    """Why `x.grad` is None (or that it is not), in one line that says what to do."""
    name = describe(x)
    if x.grad is not None:
        return f"{name} has a gradient."
    if not x.requires_grad:
        return f"{name} has no gradient: {autograd.untracked_reason(x)}"
    if autograd.last_output is None:
        return f"{name} has no gradient: backward has not been called yet: call loss.backward()"
    output = autograd.last_output()
    if output is None:
        return f"{name} has no gradient, and what backward was last called on is gone: ask while it is still there"
    if autograd.key_of(x) not in _keys_under(output):
        return (f"{name} has no gradient: {describe(output)}, on which backward was last called, does not depend on "
                "it: look for a detach, a no_grad, or a tensor made anew in between")  # fmt: skip
    if x.node is not None:
        return f"{name} has no gradient: it is no leaf, so it is not kept: call x.retain_grad() before backward"
    return (f"{name} has no gradient: it was cleared since the last backward, or what used it has no derivative for "
            "it: call loss.backward() again")  # fmt: skip


def _keys_under(output: Tensor) -> set[autograd.Key]:
    """The keys of everything that `output` depends on, itself too."""
    inputs = [x for node in autograd.reachable([output], -1) for x in node.inputs if isinstance(x, Tensor)]
    return {autograd.key_of(x) for x in (output, *inputs)}
