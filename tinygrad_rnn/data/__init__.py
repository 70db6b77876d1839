"""What networks are trained on: text as streams of characters, and synthetic tasks whose best answer is known."""

from __future__ import annotations

from .labels import text_labels
from .lengths import length_mask, pad
from .ngrams import NGrams
from .stdlib import split_files, stdlib_code, stdlib_prose
from .tasks import adding, hello, temporal_order
from .text import Batches, Vocabulary, default_corpus, read_text, split

__all__ = [
    "Batches", "NGrams", "Vocabulary", "adding", "default_corpus", "hello", "length_mask", "pad", "read_text", "split",
    "split_files", "stdlib_code", "stdlib_prose", "temporal_order", "text_labels",
]  # fmt: skip
