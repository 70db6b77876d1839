"""What networks are trained on: text as streams of characters, and synthetic tasks whose best answer is known."""

from __future__ import annotations

from .lengths import length_mask, pad
from .scaling import Scaling
from .series import Series, co2, nile, sunspots
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
    waves,
    xor,
    year_sentences,
)  # fmt: skip
from .text import Batches, Vocabulary, default_corpus, read_text, split
from .windows import windows_n_to_1, windows_n_to_n

__all__ = [
    "Batches", "Scaling", "Series", "Vocabulary", "adding", "co2", "copy_memory", "default_corpus", "echo", "hello",
    "latch", "length_mask", "lorenz", "mackey_glass", "memorisation", "multi_sine", "multiplication", "narma10",
    "nile", "noise_free_lag", "pad", "parity", "random_permutation", "read_text", "split", "sunspots",
    "temporal_order", "two_sequence", "very_long_lag", "waves", "windows_n_to_1", "windows_n_to_n", "xor",
    "year_sentences",
]  # fmt: skip
