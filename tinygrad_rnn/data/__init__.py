"""What networks are trained on: text as streams of characters, digits, and synthetic tasks whose best answer is known.

`tg.data.augment` moves, cuts and resizes images.
"""
# ruff: noqa: I001

from __future__ import annotations

from . import augment
from .digits import Digits, digits, random_split, writer_split
from .labels import text_labels
from .lengths import length_mask, pad
from .ngrams import NGrams
from .numbers import held_out_numbers, number_words
from .scaling import Scaling
from .series import Series, co2, nile, sunspots
from .stdlib import split_files, stdlib_code, stdlib_prose
from .strokes import Hand, handwriting, handwriting_batch, hershey, one_hot_text, to_lines
from .tasks import (
    adding, adding_digits, arithmetic, copy_memory, copying_digits, counted, counting, echo, embedded_reber, evaluation,
    held_out, hello, latch, lorenz, mackey_glass, memorisation, multi_sine, multiplication, narma10,
    noise_free_lag, pairs_of, parity, random_permutation, reber, reber_stream, reber_strings, recall, spelled,
    temporal_order, two_sequence, very_long_lag, waves, xml, xor, year_sentences,
)  # fmt: skip
from .text import Batches, Vocabulary, default_corpus, read_text, split
from .windows import windows_n_to_1, windows_n_to_n
from .words import Words

__all__ = [
    "Batches", "Digits", "Hand", "NGrams", "Scaling", "Series", "Vocabulary", "Words", "adding", "adding_digits",
    "arithmetic", "augment", "co2", "copy_memory", "copying_digits", "counted", "counting", "default_corpus", "digits",
    "echo", "embedded_reber", "evaluation", "held_out", "held_out_numbers", "hello", "latch", "length_mask",
    "lorenz", "mackey_glass", "memorisation", "multi_sine", "multiplication", "narma10", "nile", "noise_free_lag",
    "number_words", "pad", "pairs_of", "parity", "random_permutation", "random_split", "read_text", "reber",
    "reber_stream", "reber_strings", "recall", "spelled", "split", "split_files", "stdlib_code", "stdlib_prose",
    "sunspots", "temporal_order", "text_labels", "two_sequence", "very_long_lag", "waves", "windows_n_to_1",
    "windows_n_to_n", "writer_split", "xml", "xor", "year_sentences",
    "handwriting", "handwriting_batch", "hershey", "one_hot_text", "to_lines",
]  # fmt: skip
