"""What networks are trained on: text as streams of characters, and synthetic tasks whose best answer is known."""

from __future__ import annotations

from .lengths import length_mask, pad
from .tasks import (
    adding,
    copy_memory,
    echo,
    hello,
    latch,
    lorenz,
    mackey_glass,
    memorisation,
    multi_sine,
    multiplication,
    narma10,
    noise_free_lag,
    parity,
    random_permutation,
    temporal_order,
    two_sequence,
    very_long_lag,
    xor,
)  # fmt: skip
from .text import Batches, Vocabulary, default_corpus, read_text, split

__all__ = [
    "Batches", "Vocabulary", "adding", "copy_memory", "default_corpus", "echo", "hello", "latch", "length_mask",
    "lorenz", "mackey_glass", "memorisation", "multi_sine", "multiplication", "narma10", "noise_free_lag", "pad",
    "parity", "random_permutation", "read_text", "split", "temporal_order", "two_sequence", "very_long_lag", "xor",
]  # fmt: skip
