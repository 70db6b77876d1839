"""Synthetic tasks: seeded generators, each with the source of its definition and the loss of who knows nothing.

Sequences are time-major, `x (T, B, D)`; a generator takes `rng`, then sizes.
"""

from .hello import HELLO_WITHOUT_MEMORY, hello
from .memory import ADDING_WITHOUT_MEMORY, TEMPORAL_ORDER_WITHOUT_MEMORY, adding, temporal_order
from .scenes import QUESTIONS_BLIND, captions, questions
from .trees import boolean, expressions, modular

__all__ = [
    "ADDING_WITHOUT_MEMORY", "HELLO_WITHOUT_MEMORY", "QUESTIONS_BLIND", "TEMPORAL_ORDER_WITHOUT_MEMORY", "adding",
    "boolean", "captions", "expressions", "hello", "modular", "questions", "temporal_order",
]  # fmt: skip
