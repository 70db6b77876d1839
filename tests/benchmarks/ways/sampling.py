"""T characters from an LSTM character model, one a call, the likeliest fed back. No gradients, batch 1.

A way's "loss" is a fingerprint of the characters, which must be the same.
"""

from __future__ import annotations

import numpy as np

from .character import our_model, torch_model
from .way import Way, Work


def fingerprint(ids: list[int]) -> float:
    """One number that tells sequences of characters apart, in their order too."""
    return float(sum((k + 1) * i for k, i in enumerate(ids)))


def ours(T: int, H: int, V: int) -> Work:
    """This package, the layer as it comes: its default kernel."""
    import tinygrad_rnn as tg

    layer, head = our_model("LSTM", "auto", H, V)

    def once() -> float:
        ids, state = [0], None
        with tg.no_grad():
            for _ in range(T):
                outputs, state = layer(np.array([[ids[-1]]]), state)
                ids.append(int(head(outputs).data.argmax()))
        return fingerprint(ids)

    return once


def torch_nn(T: int, H: int, V: int) -> Work:
    """PyTorch; the one-hot vectors are made beforehand."""
    import torch

    layer, head = torch_model("LSTM", H, V)
    one_hot = torch.eye(V).reshape(V, 1, 1, V)

    def once() -> float:
        ids, state = [0], None
        with torch.no_grad():
            for _ in range(T):
                outputs, state = layer(one_hot[ids[-1]], state)
                ids.append(int(head(outputs).argmax()))
        return fingerprint(ids)

    return once


WAYS = {
    "sampling": Way(ours, "tinygrad_rnn"),
    "torch.nn sampling": Way(torch_nn, "torch.nn, a step a call", needs="torch"),
}
