"""What networks are trained on: text as streams of characters, and synthetic tasks whose best answer is known."""

from __future__ import annotations

from .lengths import length_mask, pad
from .numbers import held_out_numbers, number_words
from .tasks import adding, hello, temporal_order
from .text import Batches, Vocabulary, default_corpus, read_text, split
from .words import Words

__all__ = [
    "Batches", "Vocabulary", "Words", "adding", "default_corpus", "held_out_numbers", "hello", "length_mask",
    "number_words", "pad", "read_text", "split", "temporal_order",
]  # fmt: skip
