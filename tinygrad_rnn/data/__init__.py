"""What networks are trained on: text as streams of characters, and synthetic tasks whose best answer is known."""

from __future__ import annotations

from .lengths import length_mask, pad
from .tasks import adding, hello, lorenz, mackey_glass, multi_sine, narma10, temporal_order
from .text import Batches, Vocabulary, default_corpus, read_text, split

__all__ = [
    "Batches", "Vocabulary", "adding", "default_corpus", "hello", "length_mask", "lorenz", "mackey_glass",
    "multi_sine", "narma10", "pad", "read_text", "split", "temporal_order",
]  # fmt: skip
