"""Synthetic tasks: seeded generators, each with the source of its definition and the loss of who knows nothing.

Sequences are time-major, `x (T, B, D)`; a generator takes `rng`, then sizes.
"""

from .dynamics import lorenz, mackey_glass, multi_sine, narma10
from .hello import HELLO_WITHOUT_MEMORY, hello
from .memory import ADDING_WITHOUT_MEMORY, TEMPORAL_ORDER_WITHOUT_MEMORY, adding, temporal_order

__all__ = [
    "ADDING_WITHOUT_MEMORY", "HELLO_WITHOUT_MEMORY", "TEMPORAL_ORDER_WITHOUT_MEMORY", "adding", "hello", "lorenz",
    "mackey_glass", "multi_sine", "narma10", "temporal_order",
]  # fmt: skip
