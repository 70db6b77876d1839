"""What networks are trained on: text as streams of characters, digits, and synthetic tasks whose best answer is known.

`tg.data.augment` moves, cuts and resizes images.
"""

from __future__ import annotations

from . import augment
from .digits import Digits, digits, random_split, writer_split
from .lengths import length_mask, pad
from .tasks import adding, hello, temporal_order
from .text import Batches, Vocabulary, default_corpus, read_text, split

__all__ = [
    "Batches", "Vocabulary", "adding", "default_corpus", "hello", "length_mask", "pad", "read_text", "split",
    "temporal_order",
    "Digits", "augment", "digits", "random_split", "writer_split",
]  # fmt: skip
