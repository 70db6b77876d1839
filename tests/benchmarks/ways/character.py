"""A whole character model: integer ids -> recurrent layer -> linear head -> mean cross-entropy, float32, forward, and
backward to every parameter.

Both ways start from the same weights. The layer here is given the ids, and gathers rows of W_xh. `torch.nn` has no such
thing: it is given one-hot vectors, which are made before the clock starts, in its favour.
"""

from __future__ import annotations

import math

import numpy as np

from .way import Way, Work

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def numbers(T: int, B: int, V: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets, integers (T, B) below V."""
    ids = np.random.default_rng(0).integers(0, V, (T + 1, B))
    return ids[:-1], ids[1:]


def weights(kind: str, H: int, V: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Of the layer and of the head, under PyTorch's names and in its layouts (out, in), within 1/sqrt(H)."""
    rng = np.random.default_rng(1)
    width = GATES[kind] * H
    layer = {"weight_ih_l0": (width, V), "weight_hh_l0": (width, H), "bias_ih_l0": (width,), "bias_hh_l0": (width,)}
    head = {"weight": (V, H), "bias": (V,)}

    def draw(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
        return {name: (rng.uniform(-1, 1, shape) / math.sqrt(H)).astype(np.float32) for name, shape in shapes.items()}

    return draw(layer), draw(head)


def our_model(kind: str, kernel: str, H: int, V: int):  # type: ignore[no-untyped-def]
    """Layer and head, of this package."""
    import tinygrad_rnn as tg

    options = {"reset": "after"} if kind == "GRU" else {}  # as in PyTorch
    layer, head = getattr(tg.nn, kind)(V, H, kernel=kernel, **options), tg.nn.Linear(H, V)
    for module, arrays in zip((layer, head), weights(kind, H, V), strict=True):
        tg.nn.load_torch(module, arrays)
    return layer, head


def torch_model(kind: str, H: int, V: int):  # type: ignore[no-untyped-def]
    """Layer and head, of PyTorch."""
    import torch

    layer, head = getattr(torch.nn, kind)(V, H), torch.nn.Linear(H, V)
    for module, arrays in zip((layer, head), weights(kind, H, V), strict=True):
        module.load_state_dict({name: torch.from_numpy(a) for name, a in arrays.items()})
    return layer, head


def ours(kernel: str, kind: str, T: int, B: int, H: int, V: int) -> Work:
    """This package."""
    import tinygrad_rnn as tg

    ids, targets = numbers(T, B, V)
    layer, head = our_model(kind, kernel, H, V)
    parameters = layer.parameters() + head.parameters()

    def once() -> float:
        for p in parameters:
            p.grad = None
        outputs, _ = layer(ids)
        loss = tg.sequence_loss(head(outputs), targets, over_time="mean")
        loss.backward()
        return loss.item()

    return once


def torch_nn(kind: str, T: int, B: int, H: int, V: int) -> Work:
    """PyTorch's layer, fused in C++."""
    import torch

    ids, targets = numbers(T, B, V)
    X, y = torch.from_numpy(np.eye(V, dtype=np.float32)[ids]), torch.from_numpy(targets.reshape(-1))
    layer, head = torch_model(kind, H, V)
    parameters = [*layer.parameters(), *head.parameters()]

    def once() -> float:
        for p in parameters:
            p.grad = None
        outputs, _ = layer(X)
        loss = torch.nn.functional.cross_entropy(head(outputs).reshape(-1, V), y)
        loss.backward()
        return loss.item()

    return once


def not_compiled() -> str:
    """Empty where the LSTM's arithmetic is compiled."""
    from tinygrad_rnn.ops.recurrent import fast

    status = fast.status()
    return "" if status == "ready" else status


WAYS = {
    "character": Way(ours, "tinygrad_rnn", environment={"TINYGRAD_RNN_FAST": "0"}),
    "character, compiled": Way(ours, "tinygrad_rnn, compiled", needs="numba", ready=not_compiled),
    "torch.nn": Way(torch_nn, "torch.nn", needs="torch"),
}
