"""Synthetic tasks: seeded generators, each with the source of its definition and the loss of who knows nothing.

Sequences are time-major, `x (T, B, D)`; a generator takes `rng`, then sizes.
"""
# ruff: noqa: I001

from .copying import (
    copy_memory, copy_memory_without_memory, echo, echo_without_memory, memorisation, memorisation_without_memory,
)  # fmt: skip
from .dynamics import lorenz, mackey_glass, multi_sine, narma10
from .grammars import (
    COUNTED, OUTER_WITHOUT_MEMORY, REBER, Strings, counted, embedded_reber, reber, reber_stream, reber_strings,
)  # fmt: skip
from .hello import HELLO_WITHOUT_MEMORY, hello
from .lag import LAG_WITHOUT_MEMORY, noise_free_lag, very_long_lag
from .latching import (
    LATCH_WITHOUT_MEMORY, PARITY_WITHOUT_MEMORY, latch, parity, two_sequence, two_sequence_without_memory,
)  # fmt: skip
from .marked import (
    ADDING_WITHOUT_MEMORY, XOR_WITHOUT_MEMORY, adding, adding_without_memory, multiplication,
    multiplication_without_memory, xor,
)  # fmt: skip
from .order import PERMUTATION_WITHOUT_MEMORY, TEMPORAL_ORDER_WITHOUT_MEMORY, random_permutation, temporal_order
from .programs import adding_digits, arithmetic, copying_digits, counting, evaluation, held_out, pairs_of, spelled, xml
from .recall import recall, recall_without_memory
from .scenes import QUESTIONS_BLIND, captions, questions
from .trees import boolean, expressions, modular
from .waves import WAVES, WAVES_WITHOUT_MEMORY, waves
from .year import YEARS, YEAR_WITHOUT_READING, YEAR_WORDS, year_sentences

__all__ = [
    "ADDING_WITHOUT_MEMORY", "COUNTED", "HELLO_WITHOUT_MEMORY", "LAG_WITHOUT_MEMORY", "LATCH_WITHOUT_MEMORY",
    "OUTER_WITHOUT_MEMORY", "PARITY_WITHOUT_MEMORY", "PERMUTATION_WITHOUT_MEMORY", "QUESTIONS_BLIND", "REBER",
    "Strings", "TEMPORAL_ORDER_WITHOUT_MEMORY", "WAVES", "WAVES_WITHOUT_MEMORY", "XOR_WITHOUT_MEMORY", "YEARS",
    "YEAR_WITHOUT_READING", "YEAR_WORDS", "adding", "adding_digits", "adding_without_memory", "arithmetic",
    "boolean", "captions", "copy_memory", "copy_memory_without_memory", "copying_digits", "counted", "counting", "echo",
    "echo_without_memory", "embedded_reber", "evaluation", "expressions", "held_out", "hello", "latch", "lorenz",
    "mackey_glass", "memorisation", "memorisation_without_memory", "modular", "multi_sine", "multiplication",
    "multiplication_without_memory", "narma10", "noise_free_lag", "pairs_of", "parity", "questions",
    "random_permutation", "reber", "reber_stream", "reber_strings", "recall", "recall_without_memory", "spelled",
    "temporal_order", "two_sequence", "two_sequence_without_memory", "very_long_lag", "waves", "xml", "xor",
    "year_sentences",
]  # fmt: skip
