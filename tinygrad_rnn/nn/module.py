"""Module: what has named parameters and can be called. A parameter is any Tensor attribute; nothing registers it.

    class CharRNN(nn.Module):
        def __init__(self, vocabulary, hidden_size):
            self.rnn = nn.RNN(vocabulary, hidden_size)
            self.head = nn.Linear(hidden_size, vocabulary)

        def forward(self, x, state=None):
            outputs, state = self.rnn(x, state)
            return self.head(outputs), state
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import numpy as np

from .. import backend
from ..backend import Array
from ..core import Tensor, describe
from ..recording import scope


class Module:
    """Base of everything that has parameters. Subclasses define `forward`; calling the module calls it.

    Parameters are the Tensors among its attributes and those of its sub-modules, also inside lists, tuples and dicts,
    in the order in which the attributes were first assigned; attributes whose name starts with `_` do not count, and
    those named in `buffers` are kept beside the parameters. To replace a parameter, assign another Tensor. `name` is
    the `tg.scope` that a call opens; None opens none.
    `copy.deepcopy` copies the numbers and not the gradients.
    """

    name: str | None = None
    training: bool = True
    buffers: tuple[str, ...] = ()  # attributes that are Tensors but not learned: saved and moved with the parameters
    forward: Any = None  # what a call runs; the equations of the module

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.forward is None:
            raise NotImplementedError(f"{type(self).__name__} cannot be called: define its forward(self, ...)")
        if self.name is None:
            return self.forward(*args, **kwargs)
        with scope(self.name):
            return self.forward(*args, **kwargs)

    # What it is made of

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """This module, under the name "", and those inside it, each once, with dotted names: `layers.0.forward`."""
        return ((name, x) for name, x in _walk(self) if isinstance(x, Module))

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """The parameters with dotted names, `layers.0.forward.W_xh`; one that is shared comes once, by its first."""
        return ((name, x) for name, x in _walk(self) if isinstance(x, Tensor))

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """What it keeps beside its parameters without learning it (running statistics), with dotted names."""
        for name, module in self.named_modules():
            for key in module.buffers:
                yield f"{name}.{key}" if name else key, getattr(module, key)

    def modules(self) -> list[Module]:
        return [module for _, module in self.named_modules()]

    def parameters(self) -> list[Tensor]:
        return [parameter for _, parameter in self.named_parameters()]

    def count_parameters(self) -> int:
        """How many numbers there are to learn.

        >>> from tinygrad_rnn import nn
        >>> nn.LSTMCell(10, 20).count_parameters()
        2480
        """
        return sum(p.size for p in self.parameters())

    # Its numbers, out and in

    def state_dict(self) -> dict[str, np.ndarray]:
        """A NumPy copy of each parameter and buffer, by its dotted name."""
        return {name: backend.to_numpy(p.data).copy() for name, p in self._named_tensors().items()}

    def load_state_dict(self, arrays: Mapping[str, Any], strict: bool = True) -> None:
        """Take numbers from `arrays`, dotted names to arrays, which are copied. Parameters become float64 (float32)
        where the arrays are, and stay on their device.

        Raises ValueError where a shape differs, and also, if `strict`, where a name is missing or unexpected; then
        nothing has been loaded.
        """
        mine = self._named_tensors()
        missing = [name for name in mine if name not in arrays]
        unexpected = [name for name in arrays if name not in mine]
        if strict and (missing or unexpected):
            raise ValueError(f"{type(self).__name__}: {_difference(missing, unexpected, list(mine))}; or load what "
                             "matches with strict=False")  # fmt: skip
        found = {name: as_numpy(arrays[name]) for name in mine if name in arrays}
        wrong = [f"{name} is {mine[name].shape} here and {a.shape} there"
                 for name, a in found.items() if a.shape != mine[name].shape]  # fmt: skip
        if wrong:
            raise ValueError(f"{type(self).__name__}: {'; '.join(wrong)}: build it with the sizes that were saved")
        kinds = {name: a.dtype if a.dtype.kind in "fc" else mine[name].dtype for name, a in found.items()}
        _rebind({name: (mine[name], backend.to_device(np.array(a, kinds[name], order="C"), mine[name].device))
                 for name, a in found.items()})  # fmt: skip

    def to(self, device: str) -> Self:
        """Itself, its parameters moved to `device` ("cpu" or "cuda"), gradients too."""
        return self._each(lambda array: backend.to_device(array, device))

    def astype(self, dtype: Any) -> Self:
        """Itself, its parameters turned to `dtype`, gradients too; zero states follow."""
        return self._each(lambda array: array.astype(dtype, copy=False))

    def _each(self, change: Callable[[Array], Array]) -> Self:
        named = self._named_tensors()
        gradients = [(p, Tensor(change(p.grad.data))) for p in named.values() if p.grad is not None]
        _rebind({name: (p, change(p.data)) for name, p in named.items()})
        for p, grad in gradients:
            p.grad = grad
        return self

    def _named_tensors(self) -> dict[str, Tensor]:
        return {**dict(self.named_parameters()), **dict(self.named_buffers())}

    # Training

    def train(self, mode: bool = True) -> Self:
        """Itself, in training mode: dropout drops."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Itself, in evaluation mode: dropout does nothing."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget the gradients: each parameter's `.grad` becomes None."""
        for parameter in self.parameters():
            parameter.grad = None

    # How it presents itself

    def describe(self) -> str:
        """What stands between the brackets of its repr."""
        return ""

    def __repr__(self) -> str:
        lines = [f"  {name} {p.shape}" for name, p in self.named_parameters()]
        return "\n".join([f"{type(self).__name__}({self.describe()}): {self.count_parameters():,} parameters", *lines])

    def __getattr__(self, name: str) -> Any:
        if hasattr(type(self), name):  # a property that raised: its own error, not ours
            return object.__getattribute__(self, name)
        near = difflib.get_close_matches(name, dir(self), n=3)
        hint = f": did you mean {' or '.join(near)}?" if near else ""
        raise AttributeError(f"{type(self).__name__} has no {name!r}{hint}", name=name, obj=self)


def told(x: Any) -> str:
    """What was given in place of an array, for messages."""
    return f"a {type(x).__name__}: pass tg.tensor(...) of it" if isinstance(x, (list, tuple)) else describe(x)


def as_numpy(x: Any) -> np.ndarray:
    """The numbers of an array of any device, of a Tensor, or of a tensor of PyTorch's, as a NumPy array."""
    if isinstance(x, Tensor):
        return x.numpy()
    x = x.detach().cpu().numpy() if hasattr(x, "detach") else x
    return backend.to_numpy(x) if backend.is_array(x) else np.asarray(x)


def _walk(root: Module) -> Iterator[tuple[str, Module | Tensor]]:
    """`root` and all that it holds, with dotted names, depth first; each object once, so that circles end."""
    seen: set[int] = set()
    waiting: list[tuple[str, Any]] = [("", root)]
    while waiting:
        name, x = waiting.pop()
        if isinstance(x, (Module, Tensor, list, tuple, dict)):
            if id(x) in seen:
                continue
            seen.add(id(x))
            if isinstance(x, (Module, Tensor)):
                yield name, x
            waiting += reversed([(f"{name}.{key}" if name else key, child) for key, child in _members(x)])


def _members(x: Any) -> list[tuple[str, Any]]:
    if isinstance(x, Module):
        return [(key, child) for key, child in vars(x).items() if not key.startswith("_") and key not in x.buffers]
    if isinstance(x, dict):
        return [(str(key), child) for key, child in x.items()]
    return [(str(i), child) for i, child in enumerate(x)] if isinstance(x, (list, tuple)) else []


def _rebind(changes: Mapping[str, tuple[Tensor, Array]]) -> None:
    """Give parameters, by name, other numbers, in arrays of their own because a graph may hold the old ones; none of
    them where one cannot take any."""
    for name, (parameter, _) in changes.items():
        if parameter.node is not None:
            raise ValueError(f"{name} is the result of {parameter.op}, not a leaf, so it has no numbers of its own to "
                             "replace: assign another Tensor, or change what it is computed from")  # fmt: skip
    for parameter, array in changes.values():
        parameter.data = array


def _difference(missing: list[str], unexpected: list[str], known: list[str]) -> str:
    """`missing W_hh; unexpected W_hx (did you mean W_xh?)`."""
    parts = [f"missing {', '.join(missing)}"] if missing else []
    if unexpected:
        hints = [difflib.get_close_matches(name, known, n=1) for name in unexpected]
        told = [f"{name} (did you mean {near[0]}?)" if near else name
                for name, near in zip(unexpected, hints, strict=True)]  # fmt: skip
        parts.append(f"unexpected {', '.join(told)}")
    return "; ".join(parts) + ": rename the entries"
