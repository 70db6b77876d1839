"""What trials that classify images share: batches in random order, and the share of mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import nn
from ..recording import no_grad


def batches(rows: np.ndarray, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Batches of `rows` for ever, all of them in a new order each time round; the rest that fills no batch is left
    out, until the next time."""
    size = min(size, len(rows))
    while True:
        order = rng.permutation(rows)
        for start in range(0, len(rows) - size + 1, size):
            yield order[start : start + size]


def logits_of(model: Callable[[Any], Any], images: np.ndarray, at_once: int = 256) -> np.ndarray:
    """What the model, in evaluation mode, gives for many images, (N, classes)."""
    training = getattr(model, "training", False)
    if isinstance(model, nn.Module):
        model.eval()
    with no_grad():
        parts = [model(images[i : i + at_once]).numpy() for i in range(0, len(images), at_once)]
    if isinstance(model, nn.Module):
        model.train(training)
    return np.concatenate(parts)


def mistakes(model: Callable[[Any], Any], images: np.ndarray, labels: np.ndarray) -> float:
    """The share of images that the model puts into another class."""
    return float((logits_of(model, images).argmax(axis=1) != labels).mean())
