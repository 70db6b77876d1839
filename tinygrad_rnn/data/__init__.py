"""What networks are trained on: text as streams of characters, digits, and synthetic tasks whose best answer is known.

`tg.data.augment` moves, cuts and resizes images.
"""
# ruff: noqa: I001

from __future__ import annotations

from . import augment
from .digits import Digits, digits, random_split, writer_split
from .lengths import length_mask, pad
from .strokes import Hand, handwriting, handwriting_batch, hershey, resampled, spelt, to_lines
from .tasks import (
    adding, copy_memory, counted, echo, embedded_reber, hello, latch, lorenz, mackey_glass, memorisation,
    multi_sine, multiplication, narma10, noise_free_lag, parity, random_permutation, reber, reber_stream,
    reber_strings, recall, temporal_order, two_sequence, very_long_lag, xor,
)  # fmt: skip
from .text import Batches, Vocabulary, default_corpus, read_text, split

__all__ = [
    "Batches", "Vocabulary", "adding", "copy_memory", "counted", "default_corpus", "echo", "embedded_reber",
    "hello", "latch", "length_mask", "lorenz", "mackey_glass", "memorisation", "multi_sine", "multiplication",
    "narma10", "noise_free_lag", "pad", "parity", "random_permutation", "read_text", "reber", "reber_stream",
    "reber_strings", "recall", "split", "temporal_order", "two_sequence", "very_long_lag", "xor",
    "Digits", "augment", "digits", "random_split", "writer_split",
    "Hand", "handwriting", "handwriting_batch", "hershey", "resampled", "spelt", "to_lines",
]  # fmt: skip
