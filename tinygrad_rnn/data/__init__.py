"""What networks are trained on: text as streams of characters, and synthetic tasks whose best answer is known."""
# ruff: noqa: I001

from __future__ import annotations

from .lengths import length_mask, pad
from .tasks import (
    adding, copy_memory, echo, hello, latch, memorisation, multiplication, noise_free_lag, parity, random_permutation,
    temporal_order, two_sequence, very_long_lag, xor,
)  # fmt: skip
from .text import Batches, Vocabulary, default_corpus, read_text, split

__all__ = [
    "Batches", "Vocabulary", "adding", "copy_memory", "default_corpus", "echo", "hello", "latch", "length_mask",
    "memorisation", "multiplication", "noise_free_lag", "pad", "parity", "random_permutation", "read_text", "split",
    "temporal_order", "two_sequence", "very_long_lag", "xor",
]  # fmt: skip
